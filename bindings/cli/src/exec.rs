//! `rdstoken exec`

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
/// PostgreSQL's programs, and others on libpq, get the token and the TLS settings in PG* variables.
/// The programs of MariaDB and MySQL get the token in MYSQL_PWD, and options for the rest. Either
/// way the certificate is verified, and a client that would send the token without TLS is refused.
/// The client takes the place of this command, and its exit code is the answer.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Exec {
    #[command(flatten)]
    login: Login,

    /// The database to use, for PostgreSQL; MariaDB's and MySQL's programs take it as an argument
    #[arg(long, value_name = "NAME")]
    database: Option<String>,

    /// The certificate authorities to trust, for example AWS's global-bundle.pem [default: the
    /// client's own]
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
  rdstoken exec --hostname \"$H\" --port 5432 --username app --ca-file global-bundle.pem \\
      --database postgres -- psql
  rdstoken exec --hostname \"$H\" --port 3306 --username app --ca-file global-bundle.pem \\
      -- mariadb shop
  rdstoken exec --hostname \"$H\" --port 5432 --username app -- pg_dump shop > shop.sql";

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
        let token = self.login.signer()?.token().map_err(Failure::Token)?;
        let mut command = Command::new(program);
        match client {
            Client::Libpq => {
                self.set_libpq_variables(&mut command);
                command.env("PGPASSWORD", token.value()).args(arguments);
            }
            Client::MariaDb | Client::MySql => {
                if self.hostaddr.is_some() {
                    return Err(Failure::Token(Error::invalid(
                        "hostaddr",
                        "expected none: MariaDB's and MySQL's programs take no address beside the name",
                    )));
                }
                let first = leading_defaults(arguments);
                command
                    .env("MYSQL_PWD", token.value())
                    .args(&arguments[..first])
                    .args(self.mysql_options(client))
                    .args(&arguments[first..]);
            }
        }
        let error = command.exec();
        Err(Failure::Exec {
            program: program.to_string_lossy().into_owned(),
            error,
        })
    }

    fn set_libpq_variables(&self, command: &mut Command) {
        // A service's settings would count more than these.
        for name in ["PGSERVICE", "PGHOSTADDR", "PGSSLROOTCERT"] {
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
            ["--defaults-", "--no-defaults", "--print-defaults"]
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
            return Err(Error::new(
                ErrorKind::TlsRequired,
                format!(
                    "argument {} of the client turns TLS or its verification off, or may do so; \
                     a token is sent over verified TLS alone",
                    index + 1
                ),
            ));
        }
    }
    Ok(())
}

fn weakens_libpq(argument: &str) -> bool {
    let values = argument.split("sslmode").skip(1);
    let weak = values
        .map(|rest| rest.trim_start_matches([' ', '=', '\'']))
        .any(|value| !value.starts_with("verify-full"));
    // A service's settings count more than the environment's.
    let service = argument
        .split([' ', '?', '&'])
        .any(|word| word.starts_with("service=") || word.starts_with("gssencmode="));
    weak || service
}

fn weakens_mysql(argument: &str) -> bool {
    let Some(option) = argument.strip_prefix("--") else {
        return false;
    };
    let option = option.replace('_', "-");
    let option = option.strip_prefix("loose-").unwrap_or(&option);
    let (name, value) = option.split_once('=').unwrap_or((option, ""));
    // Options may be shortened.
    let is = |begin: &str| name.starts_with(begin);
    is("skip-ss")
        || is("disable-ss")
        || (name == "ssl" || is("ssl-v")) && matches!(value, "0" | "off" | "false" | "disabled")
        || is("ssl-m") && value != "verify-identity"
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
        ] {
            assert!(weakens_libpq(argument), "{argument}");
        }
        for argument in [
            "sslmode=verify-full",
            "-c",
            "select 1",
            "postgresql://h/db",
            "--set=myservice=1",
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
        ] {
            assert!(weakens_mysql(argument), "{argument}");
        }
        for argument in [
            "--ssl",
            "--ssl-ca=x",
            "--ssl-mode=verify_identity",
            "-e",
            "skip-ssl",
        ] {
            assert!(!weakens_mysql(argument), "{argument}");
        }
    }
}
