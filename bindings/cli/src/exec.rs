//! `rdstoken exec`

use std::borrow::Cow;
use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use clap::Args;
use rdstoken::{Error, ErrorKind};

use crate::Failure;
use crate::login::Login;

/// Run a database client that logs in with a token: no password in a file, a prompt or your shell.
///
/// MariaDB's and MySQL's clients, known by their names, get the token in MYSQL_PWD, and options for
/// the rest; one with a password in its option files, which it would send instead, is refused. Any
/// other program counts as one of PostgreSQL's, or another on libpq, and gets the token and the TLS
/// settings in PG* variables. Either way the certificate is verified, and arguments that could send
/// the token without TLS are refused. The client takes the place of this command, and its exit code
/// is the answer.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Exec {
    #[command(flatten)]
    login: Login,

    /// The database to use (PostgreSQL; MariaDB's and MySQL's programs take it as an argument)
    #[arg(long, value_name = "NAME")]
    database: Option<String>,

    /// The certificate authorities to trust, for example AWS's global-bundle.pem [default:
    /// PGSSLROOTCERT for PostgreSQL, else the client's own]
    #[arg(long, value_name = "FILE")]
    ca_file: Option<String>,

    /// Connect to this address, while the certificate is still the endpoint's: for tunnels
    /// (PostgreSQL)
    #[arg(long, value_name = "ADDRESS")]
    hostaddr: Option<String>,

    /// The client, and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

const EXAMPLES: &str = "\
Examples:
  psql, and pg_dump to a file:
    rdstoken exec --hostname \"$H\" --port 5432 --username app --ca-file global-bundle.pem \\
        --database postgres -- psql
    rdstoken exec --hostname \"$H\" --port 5432 --username app --ca-file global-bundle.pem \\
        -- pg_dump shop > shop.sql

  The mariadb command:
    rdstoken exec --hostname \"$H\" --port 3306 --username app --ca-file global-bundle.pem \\
        -- mariadb shop";

/// What kind of program the client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Client {
    Libpq,
    MariaDb,
    /// By its name. Many systems have MariaDB's programs under these.
    MySql,
}

/// What follows `mysql` in the names of its clients, and `mariadb-` in those of MariaDB's. They can
/// be asked something and do nothing else, while a script with such a name would do its work.
const CLIENTS: [&str; 12] = [
    "", "admin", "analyze", "binlog", "check", "dump", "import", "optimize", "pump", "repair",
    "show", "slap",
];

/// How long a client may take for an answer.
const ANSWER_TIME: Duration = Duration::from_secs(5);

impl Exec {
    /// Returns only if it fails.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let (program, arguments) = self.command.split_first().expect("clap requires one");
        let could_not_run = |error| Failure::Exec {
            program: program.to_string_lossy().into_owned(),
            error,
        };
        let client = client(program).map_err(Failure::Token)?;
        insist_on_tls(client, arguments).map_err(Failure::Token)?;
        self.check_options(client).map_err(Failure::Token)?;
        let signer = self.login.signer()?;
        let mut command = Command::new(program);
        let variable = if client == Client::Libpq {
            self.set_libpq_variables(&mut command);
            command.args(arguments);
            "PGPASSWORD"
        } else {
            let (defaults, others) = arguments.split_at(leading_defaults(arguments));
            let is_mariadb = client == Client::MariaDb
                || answer(program, &["--version".into()])
                    .map_err(could_not_run)?
                    .contains("MariaDB");
            if is_known(program) {
                let print = [defaults, &["--print-defaults".into()]].concat();
                let settings = answer(program, &print).map_err(could_not_run)?;
                if has_password(&settings) {
                    return Err(Failure::Token(Error::invalid("command", NO_PASSWORD)));
                }
            }
            command
                .args(defaults)
                .args(self.mysql_options(is_mariadb))
                .args(others);
            "MYSQL_PWD"
        };
        let token = signer.token().map_err(Failure::Token)?;
        Err(could_not_run(command.env(variable, token.value()).exec()))
    }

    fn check_options(&self, client: Client) -> Result<(), Error> {
        if client == Client::Libpq {
            // Some programs take a whole connection string for the name of a database.
            let inherited = env::var_os("PGDATABASE").unwrap_or_default();
            return match &self.database {
                Some(database) if weakens_libpq(&database.to_lowercase()) => {
                    Err(tls_required("database"))
                }
                None if weakens_libpq(&inherited.to_string_lossy().to_lowercase()) => {
                    Err(tls_required("PGDATABASE"))
                }
                _ => Ok(()),
            };
        }
        for (field, value, expected) in [
            (
                "database",
                &self.database,
                "expected none: MariaDB's and MySQL's programs take it as an argument of theirs",
            ),
            (
                "hostaddr",
                &self.hostaddr,
                "expected none: MariaDB's and MySQL's programs take no address beside the name",
            ),
        ] {
            if value.is_some() {
                return Err(Error::invalid(field, expected));
            }
        }
        Ok(())
    }

    fn set_libpq_variables(&self, command: &mut Command) {
        // A service's settings would count more than these.
        for name in ["PGSERVICE", "PGHOSTADDR"] {
            command.env_remove(name);
        }
        let port = self.login.port.to_string();
        for (name, value) in [
            ("PGHOST", Some(self.login.hostname.as_str())),
            ("PGPORT", Some(port.as_str())),
            ("PGUSER", Some(self.login.username.as_str())),
            ("PGSSLMODE", Some("verify-full")),
            // Its encryption would take the place of TLS.
            ("PGGSSENCMODE", Some("disable")),
            ("PGREQUIREPEER", Some(NO_PEER)),
            ("PGSSLROOTCERT", self.ca_file.as_deref()),
            ("PGHOSTADDR", self.hostaddr.as_deref()),
            ("PGDATABASE", self.database.as_deref()),
        ] {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
    }

    fn mysql_options(&self, is_mariadb: bool) -> Vec<String> {
        let mut options = vec![
            format!("--host={}", self.login.hostname),
            format!("--port={}", self.login.port),
            format!("--user={}", self.login.username),
            // A host called localhost would be a local socket.
            "--protocol=TCP".to_owned(),
        ];
        let tls = if is_mariadb {
            ["--ssl", "--ssl-verify-server-cert"]
        } else {
            ["--enable-cleartext-plugin", "--ssl-mode=VERIFY_IDENTITY"]
        };
        options.extend(tls.map(str::to_owned));
        if let Some(ca_file) = &self.ca_file {
            options.push(format!("--ssl-ca={ca_file}"));
        }
        options
    }
}

/// On a Unix socket libpq asks for no TLS, but does ask who is at the other end, and says this text if
/// it is another. No user's name has a `:` in it.
const NO_PEER: &str = "nobody: a token needs TLS, which a Unix socket does not have";

fn client(program: &OsStr) -> Result<Client, Error> {
    let name = name(program);
    if name.starts_with("mariadb") {
        Ok(Client::MariaDb)
    } else if !name.starts_with("mysql") {
        Ok(Client::Libpq)
    } else if is_known(program) {
        Ok(Client::MySql)
    } else {
        let names = CLIENTS.map(|name| format!("mysql{name}")).join(", ");
        Err(Error::invalid(
            "command",
            format!(
                "expected one of {names}, or a name that does not begin with mysql; a script runs \
                 rdstoken exec itself"
            ),
        ))
    }
}

fn name(program: &OsStr) -> Cow<'_, str> {
    Path::new(program)
        .file_name()
        .unwrap_or(program)
        .to_string_lossy()
}

fn is_known(program: &OsStr) -> bool {
    let name = name(program);
    ["mysql", "mariadb-", "mariadb"]
        .iter()
        .find_map(|begin| name.strip_prefix(begin))
        .is_some_and(|rest| CLIENTS.contains(&rest))
}

/// What a client prints, which must be all it does.
fn answer(program: &OsStr, arguments: &[OsString]) -> io::Result<String> {
    let mut client = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut output = client.stdout.take().expect("it is piped");
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut text = Vec::new();
        // Nobody waits any more if it came too late.
        let _ = sender.send(output.read_to_end(&mut text).map(|_| text));
    });
    let text = receiver.recv_timeout(ANSWER_TIME);
    // It must not be left behind, whatever came of it.
    let _ = client.kill();
    let _ = client.wait();
    match text {
        Ok(text) => text.map(|text| String::from_utf8_lossy(&text).into_owned()),
        Err(_) => Err(io::Error::other(format!(
            "it did not answer within {} seconds",
            ANSWER_TIME.as_secs()
        ))),
    }
}

/// These must come first among the arguments.
fn leading_defaults(arguments: &[OsString]) -> usize {
    arguments
        .iter()
        .take_while(|argument| {
            let argument = argument.to_string_lossy();
            [
                "--defaults-",
                "--no-defaults",
                "--print-defaults",
                "--login-path",
                "--no-login-paths",
            ]
            .iter()
            .any(|option| argument.starts_with(option))
        })
        .count()
}

/// Refuses arguments that take back what [`Exec`] sets.
fn insist_on_tls(client: Client, arguments: &[OsString]) -> Result<(), Error> {
    let weakens = match client {
        Client::Libpq => weakens_libpq,
        Client::MariaDb | Client::MySql => weakens_mysql,
    };
    for (index, argument) in arguments.iter().enumerate() {
        if weakens(&argument.to_string_lossy().to_lowercase()) {
            // The argument itself stays out: it may be a connection string with a password.
            return Err(tls_required(&format!(
                "argument {} of the client",
                index + 1
            )));
        }
    }
    Ok(())
}

fn tls_required(what: &str) -> Error {
    Error::new(
        ErrorKind::TlsRequired,
        format!(
            "{what} turns TLS or its verification off, or may do so; a token is sent over verified \
             TLS alone"
        ),
    )
}

/// What counts more in a connection string for libpq than the variables, and may do without TLS: a
/// service's settings, an older word for a weaker mode, an encryption that takes the place of TLS,
/// another peer than [`NO_PEER`].
const WEAK_WORDS: [&str; 5] = ["service", "requiressl", "ssl", "gssencmode", "requirepeer"];

/// Whether the text may hold a connection string for libpq, or a part of one, that does without
/// verified TLS. It may be mistaken about SQL that has these words before a `=`; a file has room for
/// that.
fn weakens_libpq(text: &str) -> bool {
    let is_weak = |word: &str| {
        text.match_indices(word)
            .any(|(at, _)| is_set(text, at, word))
    };
    let weak_mode = text.match_indices("sslmode").any(|(at, word)| {
        let value = text[at + word.len()..].trim_start_matches([' ', '=', '\'']);
        !value.starts_with("verify-full")
    });
    // A URI's parameters may be spelled with `%`.
    let disguised = ["postgres://", "postgresql://"].iter().any(|scheme| {
        let query = text
            .split_once(scheme)
            .and_then(|(_, rest)| rest.split_once('?'));
        query.is_some_and(|(_, query)| {
            query.split('&').any(|pair| {
                pair.split('=')
                    .next()
                    .is_some_and(|name| name.contains('%'))
            })
        })
    });
    weak_mode || disguised || WEAK_WORDS.into_iter().any(is_weak)
}

/// Whether the word at this place stands by itself, or right behind a short option, before a `=`.
fn is_set(text: &str, at: usize, word: &str) -> bool {
    let before = text[..at].chars().next_back();
    let begins = before.is_none_or(|before| !before.is_alphanumeric() && before != '_');
    let is_short_option = text.starts_with('-') && !text.starts_with("--");
    (begins || is_short_option) && text[at + word.len()..].trim_start().starts_with('=')
}

fn weakens_mysql(argument: &str) -> bool {
    let Some((name, value)) = mysql_option(argument) else {
        return false;
    };
    // Options may be shortened.
    let is = |begin: &str| name.starts_with(begin);
    is("skip-ss")
        || is("disable-ss")
        // What these do not know as on is off to them.
        || (name == "ssl" || is("ssl-v"))
            && value.is_some_and(|value| !matches!(value, "1" | "on" | "true"))
        || is("ssl-m") && value != Some("verify_identity")
}

/// The name and the value of a long option.
fn mysql_option(argument: &str) -> Option<(String, Option<&str>)> {
    let option = argument.strip_prefix("--")?;
    let (name, value) = match option.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (option, None),
    };
    let name = name.replace('_', "-");
    let name = name.strip_prefix("loose-").unwrap_or(&name);
    let name = name.strip_prefix("enable-").unwrap_or(name);
    Some((name.to_owned(), value))
}

/// Whether what a client answers to `--print-defaults` has a password in it, or that there is none.
fn has_password(settings: &str) -> bool {
    settings.split_ascii_whitespace().any(|word| {
        mysql_option(word).is_some_and(|(name, _)| {
            let name = ["skip-", "disable-"]
                .iter()
                .find_map(|no| name.strip_prefix(no))
                .unwrap_or(&name);
            // It may be shortened, and MySQL counts up to three of them.
            name.len() > 2 && "password".starts_with(name.trim_end_matches(['1', '2', '3']))
        })
    })
}

/// MYSQL_PWD is what counts least.
const NO_PASSWORD: &str = "expected a client without a password in its option files, which it would \
                           send in place of the token; give it --no-defaults or \
                           --defaults-file=FILE first";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_known_by_their_names() {
        for (program, expected) in [
            ("/usr/bin/psql", Client::Libpq),
            ("mysql/psql", Client::Libpq),
            ("mariadb-dump", Client::MariaDb),
            ("mariadb-nightly.sh", Client::MariaDb),
            ("/nonexistent/mysqldump", Client::MySql),
            ("mysql", Client::MySql),
        ] {
            assert_eq!(client(OsStr::new(program)).unwrap(), expected, "{program}");
        }
        for program in [
            "/bin/mysql-nightly.sh",
            "mysqldumpslow",
            "mysqld",
            "mysql-dump",
        ] {
            let error = client(OsStr::new(program)).unwrap_err();
            assert_eq!(error.field(), Some("command"), "{program}");
        }
    }

    #[test]
    fn only_what_is_known_is_asked() {
        for program in [
            "mysql",
            "/usr/bin/mysqldump",
            "mariadb",
            "mariadb-dump",
            "mariadbcheck",
        ] {
            assert!(is_known(OsStr::new(program)), "{program}");
        }
        for program in [
            "mariadb-nightly.sh",
            "mysql-nightly.sh",
            "mariadb-install-db",
            "psql",
        ] {
            assert!(!is_known(OsStr::new(program)), "{program}");
        }
    }

    #[test]
    fn a_password_among_the_settings_is_noticed() {
        for settings in [
            "mysql would have been started with the following arguments:\n--user=a --password=***** ",
            "--password=b c --user=a",
            "--loose-password=b",
            "--skip-password",
            "--passw=b",
            "--password2=b",
            "--password",
        ] {
            assert!(has_password(settings), "{settings}");
        }
        for settings in [
            "mariadb would have been started with the following arguments:\n\n",
            "--user=a --port=1 --pager=less",
            "--init-command=password=1",
            "--pa=1",
        ] {
            assert!(!has_password(settings), "{settings}");
        }
    }

    #[test]
    fn defaults_files_stay_first() {
        let arguments = [
            "--defaults-file=x",
            "--no-defaults",
            "-e",
            "--defaults-file=y",
        ];
        assert_eq!(leading_defaults(&arguments.map(OsString::from)), 2);
        assert_eq!(leading_defaults(&[]), 0);
    }

    #[test]
    fn what_turns_tls_off_is_refused() {
        for argument in [
            "host=h sslmode=disable",
            "sslmode = 'prefer'",
            "postgresql://h/db?sslmode=require",
            "service=mine",
            "postgresql:///db?service=mine",
            "--dbname=service=mine",
            "-dservice=mine",
            "-xdservice=mine",
            "service = mine",
            "host=h\tservice=mine",
            "postgresql://h/db?ssl=true",
            "requiressl=0",
            "postgresql://h/db?%73slmode=disable",
            "postgresql://h/db?sslmode=%64isable",
            "sslmode=verify-full gssencmode=prefer",
            "host=/run requirepeer=postgres",
            "postgresql:///db?%68ost=x",
        ] {
            assert!(weakens_libpq(argument), "{argument}");
        }
        for argument in [
            "sslmode=verify-full",
            "-c",
            "select 1",
            "postgresql://h/db",
            "--set=myservice=1",
            "postgresql:///db",
            "postgresql://u@h:5432/db?application_name=a%20b",
            "host=h dbname=d",
            "hostaddr=127.0.0.1",
            "--file=/tmp/host",
        ] {
            assert!(!weakens_libpq(argument), "{argument}");
        }
        for argument in [
            "--skip-ssl",
            "--ssl=0",
            "--loose-skip-ssl",
            "--skip_ssl_verify_server_cert",
            "--disable-ssl",
            "--ssl-verify-server-cert=off",
            "--ssl-mode=preferred",
            "--ssl-mode",
            "--ssl=no",
            "--ssl-verify-server-cert=",
            "--enable-ssl=0",
        ] {
            assert!(weakens_mysql(argument), "{argument}");
        }
        for argument in [
            "--ssl",
            "--ssl=1",
            "--ssl-verify-server-cert",
            "--ssl-ca=x",
            "--ssl-mode=verify_identity",
            "-e",
            "skip-ssl",
        ] {
            assert!(!weakens_mysql(argument), "{argument}");
        }
    }
}
