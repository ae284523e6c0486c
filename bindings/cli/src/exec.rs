//! `rdstoken exec`

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use clap::Args;
use rdstoken::{Error, ErrorKind};

use crate::Failure;
use crate::login::Login;

/// Run a database client that logs in with a token: no password in a file, a prompt or your shell.
///
/// A program whose name begins with mariadb or mysql gets the token in MYSQL_PWD, and options for
/// the rest. Any other counts as one of PostgreSQL's, or another on libpq, and gets the token and the
/// TLS settings in PG* variables. Either way the certificate is verified, and arguments that could
/// send the token without TLS are refused. The client takes the place of this command, and its exit
/// code is the answer.
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
    MySql,
}

impl Exec {
    /// Returns only if it fails.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let (program, arguments) = self.command.split_first().expect("clap requires one");
        let client = client(program);
        insist_on_tls(client, arguments).map_err(Failure::Token)?;
        self.check_options(client).map_err(Failure::Token)?;
        let token = self.login.signer()?.token().map_err(Failure::Token)?;
        let mut command = Command::new(program);
        if client == Client::Libpq {
            self.set_libpq_variables(&mut command);
            command.env("PGPASSWORD", token.value()).args(arguments);
        } else {
            let first = leading_defaults(arguments);
            command
                .env("MYSQL_PWD", token.value())
                .args(&arguments[..first])
                .args(self.mysql_options(client))
                .args(&arguments[first..]);
        }
        let error = command.exec();
        Err(Failure::Exec {
            program: program.to_string_lossy().into_owned(),
            error,
        })
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
            ("PGSSLROOTCERT", self.ca_file.as_deref()),
            ("PGHOSTADDR", self.hostaddr.as_deref()),
            ("PGDATABASE", self.database.as_deref()),
        ] {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
    }

    fn mysql_options(&self, client: Client) -> Vec<String> {
        let mut options = vec![
            format!("--host={}", self.login.hostname),
            format!("--port={}", self.login.port),
            format!("--user={}", self.login.username),
            // A host called localhost would be a local socket.
            "--protocol=TCP".to_owned(),
        ];
        if client == Client::MySql {
            options.extend(
                ["--enable-cleartext-plugin", "--ssl-mode=VERIFY_IDENTITY"].map(str::to_owned),
            );
        } else {
            options.extend(["--ssl", "--ssl-verify-server-cert"].map(str::to_owned));
        }
        if let Some(ca_file) = &self.ca_file {
            options.push(format!("--ssl-ca={ca_file}"));
        }
        options
    }
}

fn client(program: &OsStr) -> Client {
    let name = Path::new(program).file_name().unwrap_or(program);
    let name = name.to_string_lossy();
    if name.starts_with("mariadb") {
        return Client::MariaDb;
    }
    if !name.starts_with("mysql") {
        return Client::Libpq;
    }
    // Many systems have MariaDB's programs under these names.
    let version = Command::new(program).arg("--version").output();
    let is_mariadb =
        version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("MariaDB"));
    if is_mariadb {
        Client::MariaDb
    } else {
        Client::MySql
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
/// service's settings, an older word for a weaker mode, an encryption that takes the place of TLS.
const WEAK_WORDS: [&str; 4] = ["service", "requiressl", "ssl", "gssencmode"];

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
    let Some(option) = argument.strip_prefix("--") else {
        return false;
    };
    let option = option.replace('_', "-");
    let option = option.strip_prefix("loose-").unwrap_or(&option);
    let option = option.strip_prefix("enable-").unwrap_or(option);
    let (name, value) = match option.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (option, None),
    };
    // Options may be shortened.
    let is = |begin: &str| name.starts_with(begin);
    is("skip-ss")
        || is("disable-ss")
        // What these do not know as on is off to them.
        || (name == "ssl" || is("ssl-v"))
            && value.is_some_and(|value| !matches!(value, "1" | "on" | "true"))
        || is("ssl-m") && value != Some("verify-identity")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_known_by_their_names() {
        assert_eq!(client(OsStr::new("/usr/bin/psql")), Client::Libpq);
        assert_eq!(client(OsStr::new("mariadb-dump")), Client::MariaDb);
        assert_eq!(client(OsStr::new("/nonexistent/mysqldump")), Client::MySql);
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
