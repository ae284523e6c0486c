//! `rdstoken url` and `rdstoken odbc`

use std::io::Write;

use clap::{Args, ValueEnum};
use rdstoken::{ConnectionOptions, DRIVERS, Error, OnLimit};

use crate::login::Login;
use crate::{Failure, print};

/// Print a connection string that holds a token, for a driver that takes it no other way.
///
/// The token in it is quoted and escaped as the driver's parser wants it, and the string insists on
/// TLS and on the endpoint's certificate. It works for 15 minutes, and is as secret as the token:
/// other users of the machine see what is given to a program as an argument, and nothing that
/// `rdstoken exec` hands over. `rdstoken drivers` lists the drivers and their forms.
#[derive(Args)]
#[command(after_long_help = URL_EXAMPLES)]
pub(crate) struct Url {
    #[command(flatten)]
    login: Login,

    /// The driver that reads the string: libpq, psycopg, pg, mysql2, pgjdbc, ...
    #[arg(long)]
    driver: String,

    /// The string's syntax: uri, conninfo, sqlalchemy-url, properties, ... [default: the driver's
    /// first]
    #[arg(long, default_value = "", hide_default_value = true)]
    form: String,

    #[command(flatten)]
    target: Target,
}

const URL_EXAMPLES: &str = "\
Examples:
  A URI for psql and all else that stands on libpq:
    psql \"$(rdstoken url --driver libpq --form uri --hostname \"$H\" --port 5432 --username app \\
            --database postgres --ca-file global-bundle.pem)\"

  A URL for SQLAlchemy over PyMySQL:
    rdstoken url --driver pymysql --hostname \"$H\" --port 3306 --username app --database shop \\
        --ca-file global-bundle.pem";

/// Print an ODBC connection string that holds a token: PWD={...}, the form that no driver cuts.
///
/// It insists on TLS and on the endpoint's certificate, works for 15 minutes, and is as secret as
/// the token. Hand it to SQLDriverConnect, or to isql with -k.
#[derive(Args)]
#[command(after_long_help = ODBC_EXAMPLES)]
pub(crate) struct Odbc {
    #[command(flatten)]
    login: Login,

    /// The driver: psqlodbc or mariadb-odbc
    #[arg(long)]
    driver: String,

    /// What ODBC calls the driver: its name in odbcinst.ini or its library's path [default:
    /// PostgreSQL Unicode or MariaDB Unicode]
    #[arg(long = "odbc-driver", value_name = "NAME")]
    name: Option<String>,

    #[command(flatten)]
    target: Target,
}

const ODBC_EXAMPLES: &str = "\
Examples:
  isql -b -k \"$(rdstoken odbc --driver psqlodbc --hostname \"$H\" --port 5432 --username app \\
                --database postgres --ca-file global-bundle.pem)\"
  isql -b -k \"$(rdstoken odbc --driver mariadb-odbc --hostname \"$H\" --port 3306 --username app \\
                --ca-file global-bundle.pem)\"";

/// The form that `rdstoken odbc` writes.
const ODBC_FORM: &str = "connection-string";

#[derive(Args)]
struct Target {
    /// The database to use
    #[arg(long, value_name = "NAME")]
    database: Option<String>,

    /// The certificate authorities to trust, for example AWS's global-bundle.pem
    #[arg(long, value_name = "FILE")]
    ca_file: Option<String>,

    /// Connect to this address, while the certificate is still the endpoint's: for tunnels (libpq
    /// and psqlodbc)
    #[arg(long, value_name = "ADDRESS")]
    hostaddr: Option<String>,

    /// What to do if the driver is known to cut or alter a token of this length
    #[arg(long, value_enum, value_name = "ANSWER", default_value_t = Limit::Refuse)]
    on_limit: Limit,
}

#[derive(Clone, Copy, ValueEnum)]
enum Limit {
    Refuse,
    Warn,
}

impl Url {
    pub(crate) fn run(&self, output: &mut impl Write) -> Result<(), Failure> {
        let options = ConnectionOptions {
            driver: &self.driver,
            form: &self.form,
            ..self.target.options()
        };
        write_string(&self.login, &options, output)
    }
}

impl Odbc {
    pub(crate) fn run(&self, output: &mut impl Write) -> Result<(), Failure> {
        let drivers: Vec<_> = DRIVERS
            .iter()
            .filter(|row| row.form == ODBC_FORM && row.is_written())
            .map(|row| row.driver)
            .collect();
        if !drivers.contains(&self.driver.as_str()) {
            let expected = format!("expected one of {}", drivers.join(", "));
            return Err(Failure::Token(Error::invalid("driver", expected)));
        }
        let options = ConnectionOptions {
            driver: &self.driver,
            form: ODBC_FORM,
            odbc_driver: self.name.as_deref(),
            ..self.target.options()
        };
        write_string(&self.login, &options, output)
    }
}

impl Target {
    fn options(&self) -> ConnectionOptions<'_> {
        ConnectionOptions {
            database: self.database.as_deref(),
            ca_file: self.ca_file.as_deref(),
            hostaddr: self.hostaddr.as_deref(),
            on_limit: match self.on_limit {
                Limit::Refuse => OnLimit::Refuse,
                Limit::Warn => OnLimit::Warn,
            },
            ..ConnectionOptions::default()
        }
    }
}

fn write_string(
    login: &Login,
    options: &ConnectionOptions<'_>,
    output: &mut impl Write,
) -> Result<(), Failure> {
    let string = login
        .signer()?
        .connection_string(options)
        .map_err(Failure::Token)?;
    print(output, string.value())
}
