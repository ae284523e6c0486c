//! Connection strings that hold a token: one function for each syntax.

#![expect(
    clippy::unnecessary_wraps,
    reason = "all functions that write have one type, for the table"
)]

use std::fmt::{self, Write as _};

use zeroize::Zeroizing;

use super::{expected_one_of, of_driver};
use crate::{Error, Login, uri};

/// What a connection string is made from, beside the login and its token. Every string insists on
/// TLS, and on a certificate of the endpoint's name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectionOptions<'a> {
    /// The driver that reads it, as [`DRIVERS`](crate::DRIVERS) names it.
    pub driver: &'a str,
    /// Its syntax, as [`DRIVERS`](crate::DRIVERS) names it. Empty: the first that is written for the driver.
    pub form: &'a str,
    /// The database to use. `None` leaves it to the driver.
    pub database: Option<&'a str>,
    /// The file of the certificate authorities to trust (AWS:
    /// [`global-bundle.pem`](https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html)).
    /// `None` leaves it to the driver.
    pub ca_file: Option<&'a str>,
    /// Connect to this address, while the certificate is still that of the endpoint's name: for
    /// tunnels. Only libpq and drivers on top of it know such a thing.
    pub hostaddr: Option<&'a str>,
    /// What ODBC calls the driver: its name in `odbcinst.ini` or the path of its library. `None`:
    /// `PostgreSQL Unicode` or `MariaDB Unicode`, which are Debian's names.
    pub odbc_driver: Option<&'a str>,
    /// What to do if the driver is known to cut or alter a token of this length in this form.
    pub on_limit: OnLimit,
}

/// What to do if a driver is known to cut or alter the token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnLimit {
    /// Fail.
    #[default]
    Refuse,
    /// Log a warning.
    Warn,
}

impl OnLimit {
    /// By its name: `"refuse"` or `"warn"`.
    ///
    /// # Errors
    /// `on_limit` for any other.
    pub fn named(name: &str) -> Result<Self, Error> {
        match name {
            "refuse" => Ok(Self::Refuse),
            "warn" => Ok(Self::Warn),
            _ => Err(Error::invalid("on_limit", "expected refuse or warn")),
        }
    }
}

/// A connection string. It holds a token, so it is as secret as one: there is no `Display`, `Debug`
/// shows the length alone, and the memory is wiped when it is dropped.
pub struct ConnectionString(Zeroizing<String>);

impl ConnectionString {
    /// The text.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.0[..self.0.len() - 1]
    }

    /// The text and one NUL byte behind it, for C.
    #[must_use]
    pub fn value_with_nul(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ConnectionString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionString")
            .field("length", &self.value().len())
            .finish_non_exhaustive()
    }
}

/// Writes what `options.driver` reads, so that it logs in with this `token`: quoted and escaped as
/// its parser wants it, with TLS and verification.
///
/// The string is good as long as the token. Where the driver has a hook for a fresh password, that
/// is better.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) naming the option that the
/// syntax has no room for; [`ErrorKind::DriverLimit`](crate::ErrorKind::DriverLimit) unless
/// `on_limit` is to warn.
pub fn connection_string(
    login: &Login,
    token: &str,
    options: &ConnectionOptions<'_>,
) -> Result<ConnectionString, Error> {
    let written: Vec<_> = of_driver(options.driver)?
        .filter_map(|row| Some((row, row.format?)))
        .collect();
    let Some(first) = written.first() else {
        return Err(Error::invalid(
            "driver",
            "expected one of those for which a connection string is written",
        ));
    };
    let (row, format) = match options.form {
        "" => first,
        form => written
            .iter()
            .find(|(row, _)| row.form == form)
            .ok_or_else(|| {
                Error::invalid(
                    "form",
                    expected_one_of(written.iter().map(|(row, _)| row.form)),
                )
            })?,
    };
    for (field, value) in [
        ("database", options.database),
        ("ca_file", options.ca_file),
        ("hostaddr", options.hostaddr),
        ("odbc_driver", options.odbc_driver),
    ] {
        if value.is_some_and(|value| value.is_empty() || value.chars().any(char::is_control)) {
            return Err(Error::invalid(
                field,
                "expected a text without control characters, and not an empty one",
            ));
        }
    }
    if let Err(error) = row.check(token.len()) {
        match options.on_limit {
            OnLimit::Refuse => return Err(error),
            OnLimit::Warn => log::warn!(target: "rdstoken", "{error}"),
        }
    }
    let mut text = format(&Parts {
        host: login.endpoint().hostname(),
        port: login.endpoint().port(),
        user: login.username(),
        token,
        options,
    })?;
    text.0.push('\0');
    Ok(ConnectionString(text.0))
}

/// What there is to write.
pub(super) struct Parts<'a> {
    host: &'a str,
    port: u16,
    user: &'a str,
    token: &'a str,
    options: &'a ConnectionOptions<'a>,
}

pub(super) type Format = fn(&Parts<'_>) -> Result<Text, Error>;

/// A text in the making. It has room for all of it from the start: growing would leave copies of
/// the token behind, unwiped.
pub(super) struct Text(Zeroizing<String>);

impl Text {
    fn new(parts: &Parts<'_>) -> Self {
        let options = parts.options;
        let given = [
            options.database,
            options.ca_file,
            options.hostaddr,
            options.odbc_driver,
        ];
        let given: usize = given.into_iter().flatten().map(str::len).sum();
        // Six characters for one, as Java's `\u00e9`, are the most that an escape takes.
        let room = 6 * (parts.token.len() + parts.user.len() + parts.host.len() + given) + 512;
        Self(Zeroizing::new(String::with_capacity(room)))
    }

    fn push(&mut self, text: &str) -> &mut Self {
        self.0.push_str(text);
        self
    }

    fn encoded(&mut self, text: &str) -> &mut Self {
        uri::encode_into(&mut self.0, text);
        self
    }

    /// `text` with a backslash before each of the `special` characters.
    fn escaped(&mut self, text: &str, special: &[char]) -> &mut Self {
        for character in text.chars() {
            if special.contains(&character) {
                self.0.push('\\');
            }
            self.0.push(character);
        }
        self
    }

    /// libpq's `name='value' name='value'`.
    fn keywords(&mut self, keywords: &[(&str, Option<&str>)]) -> &mut Self {
        let given = keywords
            .iter()
            .filter_map(|(name, value)| Some((name, (*value)?)));
        for (index, (name, value)) in given.enumerate() {
            self.push(if index == 0 { "" } else { " " })
                .push(name)
                .push("='")
                .escaped(value, &['\'', '\\'])
                .push("'");
        }
        self
    }

    fn number(&mut self, number: u16) -> &mut Self {
        // Writing to a String cannot fail.
        let _ = write!(self.0, "{number}");
        self
    }
}

impl Parts<'_> {
    fn refuse<T>(field: &'static str, expected: &'static str) -> Result<T, Error> {
        Err(Error::invalid(field, expected))
    }

    fn no_hostaddr(&self) -> Result<(), Error> {
        match self.options.hostaddr {
            None => Ok(()),
            Some(_) => Self::refuse(
                "hostaddr",
                "expected none: this form has no room for an address beside the endpoint's name",
            ),
        }
    }

    fn no_ca_file(&self, expected: &'static str) -> Result<(), Error> {
        match self.options.ca_file {
            None => Ok(()),
            Some(_) => Self::refuse("ca_file", expected),
        }
    }

    /// A database whose name the driver does not read back from a URL would silently be another.
    fn no_database_with(&self, spoiled: impl Fn(char) -> bool) -> Result<(), Error> {
        match self.options.database {
            // Node's URLs take these for directories.
            Some(name) if matches!(name, "." | "..") || name.contains(spoiled) => Self::refuse(
                "database",
                "expected a plain name: this driver does not read this one back from a URL",
            ),
            _ => Ok(()),
        }
    }

    /// `scheme://user:token@host:port/database`.
    fn url(&self, scheme: &str) -> Text {
        let mut text = Text::new(self);
        text.push(scheme)
            .push("://")
            .encoded(self.user)
            .push(":")
            .encoded(self.token);
        text.push("@")
            .push(self.host)
            .push(":")
            .number(self.port)
            .push("/");
        text.encoded(self.options.database.unwrap_or(""));
        text
    }

    /// The same for drivers that know libpq's words for TLS, without being libpq.
    fn postgres_url(&self, scheme: &str) -> Text {
        self.url_with(scheme, &[("sslrootcert", self.options.ca_file)])
    }

    /// The same for libpq.
    fn libpq_url(&self, scheme: &str) -> Text {
        self.url_with(
            scheme,
            &[
                NO_GSS,
                ("sslrootcert", self.options.ca_file),
                ("hostaddr", self.options.hostaddr),
            ],
        )
    }

    fn url_with(&self, scheme: &str, parameters: &[(&str, Option<&str>)]) -> Text {
        let mut text = self.url(scheme);
        text.push("?sslmode=verify-full");
        for (name, value) in parameters {
            if let Some(value) = value {
                text.push("&").push(name).push("=").encoded(value);
            }
        }
        text
    }
}

/// By itself, libpq takes the encryption of a Kerberos ticket in place of TLS, whatever `sslmode`
/// says ([PostgreSQL: gssencmode](https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-GSSENCMODE)).
const NO_GSS: (&str, Option<&str>) = ("gssencmode", Some("disable"));

/// libpq's keywords: `host='…' password='…'`
/// ([PostgreSQL: Connection Strings](https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING)).
pub(super) fn libpq_conninfo(parts: &Parts<'_>) -> Result<Text, Error> {
    let mut text = Text::new(parts);
    text.keywords(&[
        ("host", Some(parts.host)),
        ("port", Some(&parts.port.to_string())),
        ("hostaddr", parts.options.hostaddr),
        ("dbname", parts.options.database),
        ("user", Some(parts.user)),
        ("password", Some(parts.token)),
        ("sslmode", Some("verify-full")),
        NO_GSS,
        ("sslrootcert", parts.options.ca_file),
    ]);
    Ok(text)
}

/// libpq's URI, which is RFC 3986's.
pub(super) fn libpq_uri(parts: &Parts<'_>) -> Result<Text, Error> {
    Ok(parts.libpq_url("postgresql"))
}

/// A line for libpq's password file: `:` and `\` are escaped
/// ([PostgreSQL: The Password File](https://www.postgresql.org/docs/current/libpq-pgpass.html)).
pub(super) fn libpq_passfile(parts: &Parts<'_>) -> Result<Text, Error> {
    let mut text = passfile_fields(parts)?;
    text.escaped(parts.token, &[':', '\\']);
    Ok(text)
}

/// A line for asyncpg's reading of the same file: it takes the escapes of the password as part of
/// it (`connect_utils.py`, `_read_password_file`).
pub(super) fn asyncpg_passfile(parts: &Parts<'_>) -> Result<Text, Error> {
    let special = |value: &str| value.contains([':', '\\']);
    if special(parts.user) {
        return Parts::refuse(
            "username",
            "expected one without ':' and '\\' for asyncpg's file",
        );
    }
    if parts.options.database.is_some_and(special) {
        return Parts::refuse(
            "database",
            "expected one without ':' and '\\' for asyncpg's file",
        );
    }
    let mut text = passfile_fields(parts)?;
    text.push(parts.token);
    Ok(text)
}

fn passfile_fields(parts: &Parts<'_>) -> Result<Text, Error> {
    let unused = "expected none: a password file has no room for it";
    parts.no_ca_file(unused)?;
    if parts.options.hostaddr.is_some() {
        // libpq looks for the name, also where it connects to an address.
        return Parts::refuse("hostaddr", unused);
    }
    if parts.user.chars().any(char::is_control) {
        return Parts::refuse("username", "expected one without control characters");
    }
    let special = [':', '\\'];
    let mut text = Text::new(parts);
    text.push(parts.host).push(":").number(parts.port).push(":");
    match parts.options.database {
        // Any database.
        None => text.push("*"),
        Some(database) => text.escaped(database, &special),
    };
    text.push(":").escaped(parts.user, &special).push(":");
    Ok(text)
}

/// A URL for node-postgres, whose parser is pg-connection-string.
pub(super) fn pg_uri(parts: &Parts<'_>) -> Result<Text, Error> {
    parts.no_hostaddr()?;
    // It decodes with `decodeURI`, which leaves these as they are.
    parts.no_database_with(|character| ";/?:@&=+$,#".contains(character))?;
    Ok(parts.postgres_url("postgresql"))
}

/// A URL for postgres.js.
pub(super) fn postgres_js_uri(parts: &Parts<'_>) -> Result<Text, Error> {
    parts.no_hostaddr()?;
    // It decodes no database.
    parts.no_database_with(uri::is_encoded)?;
    parts.no_ca_file(NODE_CA)?;
    Ok(parts.postgres_url("postgres"))
}

const NODE_CA: &str = "expected none: this driver's URLs have no room for it; start Node with \
                       NODE_EXTRA_CA_CERTS, or use an options object";

/// A URL for mysql2, whose parser reads each parameter as JSON.
pub(super) fn mysql2_uri(parts: &Parts<'_>) -> Result<Text, Error> {
    parts.no_hostaddr()?;
    parts.no_database_with(|_| false)?;
    parts.no_ca_file(NODE_CA)?;
    let mut text = parts.url("mysql");
    text.push("?ssl=")
        .encoded(r#"{"rejectUnauthorized":true,"verifyIdentity":true}"#);
    text.push("&enableCleartextPlugin=true");
    Ok(text)
}

/// A URL for the `mariadb` package of Node.
pub(super) fn mariadb_js_uri(parts: &Parts<'_>) -> Result<Text, Error> {
    parts.no_hostaddr()?;
    parts.no_database_with(|_| false)?;
    parts.no_ca_file(NODE_CA)?;
    if parts.options.database.is_none() {
        return Parts::refuse(
            "database",
            "expected one: this driver's URLs cannot go without",
        );
    }
    let mut text = parts.url("mariadb");
    text.push("?ssl=true");
    Ok(text)
}

/// A `SQLAlchemy` URL for psycopg or psycopg2, which take libpq's parameters. `SQLAlchemy` decodes a
/// database from 2.1 on only.
pub(super) fn sqlalchemy_psycopg(parts: &Parts<'_>) -> Result<Text, Error> {
    parts.no_database_with(uri::is_encoded)?;
    Ok(parts.libpq_url(match parts.options.driver {
        "psycopg" => "postgresql+psycopg",
        _ => "postgresql+psycopg2",
    }))
}

/// A `SQLAlchemy` URL for a `MySQL` driver.
pub(super) fn sqlalchemy_mysql(parts: &Parts<'_>) -> Result<Text, Error> {
    parts.no_hostaddr()?;
    parts.no_database_with(uri::is_encoded)?;
    let (scheme, tls) = match parts.options.driver {
        "pymysql" => ("mysql+pymysql", "ssl_check_hostname=true"),
        "mysqlclient" => ("mysql+mysqldb", "ssl_mode=VERIFY_IDENTITY"),
        _ => (
            "mysql+mysqlconnector",
            "ssl_verify_cert=true&ssl_verify_identity=true",
        ),
    };
    let Some(ca_file) = parts.options.ca_file else {
        // These drivers verify nothing, or do not even use TLS, unless they are given a file.
        return Parts::refuse(
            "ca_file",
            "expected one: without it, this driver verifies nothing",
        );
    };
    let mut text = parts.url(scheme);
    text.push("?").push(tls).push("&ssl_ca=").encoded(ca_file);
    Ok(text)
}

/// Properties for pgjdbc, as `java.util.Properties` reads them.
pub(super) fn pgjdbc_properties(parts: &Parts<'_>) -> Result<Text, Error> {
    properties(parts, &[("sslmode", "verify-full")], "sslrootcert")
}

/// The same for `MariaDB` Connector/J.
pub(super) fn mariadb_jdbc_properties(parts: &Parts<'_>) -> Result<Text, Error> {
    properties(
        parts,
        // The first is for versions before 3, which do not know the second.
        &[("useSsl", "true"), ("sslMode", "verify-full")],
        "serverSslCert",
    )
}

fn properties(parts: &Parts<'_>, tls: &[(&str, &str)], ca_file: &str) -> Result<Text, Error> {
    parts.no_hostaddr()?;
    if parts.options.database.is_some() {
        return Parts::refuse("database", "expected none: it stands in the JDBC URL");
    }
    let mut text = Text::new(parts);
    let given = [("user", Some(parts.user)), ("password", Some(parts.token))];
    let tls = tls.iter().map(|(name, value)| (*name, Some(*value)));
    let ca_file = [(ca_file, parts.options.ca_file)];
    for (name, value) in given.into_iter().chain(tls).chain(ca_file) {
        let Some(value) = value else { continue };
        text.push(name).push("=");
        for (index, unit) in value.encode_utf16().enumerate() {
            match char::from_u32(unit.into()) {
                Some('\\') => drop(text.push("\\\\")),
                Some(' ') if index == 0 => drop(text.push("\\ ")),
                Some(plain @ ' '..='~') => text.0.push(plain),
                _ => {
                    // Writing to a String cannot fail.
                    let _ = write!(text.0, "\\u{unit:04x}");
                }
            }
        }
        text.push("\n");
    }
    // A line end is added by whoever prints it.
    text.0.pop();
    Ok(text)
}

/// A connection string for psqlodbc. Only a password in braces is not percent-decoded
/// (`dlg_specific.c`, `decode_or_remove_braces`).
pub(super) fn psqlodbc(parts: &Parts<'_>) -> Result<Text, Error> {
    let mut text = odbc(parts, "PostgreSQL Unicode")?;
    text.push("SSLmode=verify-full;");
    text.push("Pqopt={")
        .keywords(&[
            NO_GSS,
            ("sslrootcert", parts.options.ca_file),
            ("hostaddr", parts.options.hostaddr),
        ])
        .push("};");
    Ok(text)
}

/// A connection string for `MariaDB`'s Connector/ODBC.
pub(super) fn mariadb_odbc(parts: &Parts<'_>) -> Result<Text, Error> {
    parts.no_hostaddr()?;
    let mut text = odbc(parts, "MariaDB Unicode")?;
    text.push("FORCETLS=1;SSLVERIFY=1;");
    if let Some(ca_file) = parts.options.ca_file {
        text.push("SSLCA=").push(ca_file).push(";");
    }
    Ok(text)
}

fn odbc(parts: &Parts<'_>, driver: &str) -> Result<Text, Error> {
    let options = parts.options;
    for (field, value) in [
        ("username", Some(parts.user)),
        ("database", options.database),
        ("ca_file", options.ca_file),
        ("odbc_driver", options.odbc_driver),
        ("hostaddr", options.hostaddr),
    ] {
        // The drivers take braces as quotes around passwords, but not around everything.
        if value.is_some_and(|value| value.contains([';', '{', '}']) || value.trim() != value) {
            return Parts::refuse(
                field,
                "expected one without ';', '{', '}' and spaces around it, for ODBC",
            );
        }
    }
    let mut text = Text::new(parts);
    text.push("Driver={")
        .push(options.odbc_driver.unwrap_or(driver))
        .push("};");
    text.push("Server=")
        .push(parts.host)
        .push(";Port=")
        .number(parts.port)
        .push(";");
    if let Some(database) = options.database {
        text.push("Database=").push(database).push(";");
    }
    text.push("UID=").push(parts.user).push(";");
    text.push("PWD={");
    for (index, between) in parts.token.split('}').enumerate() {
        text.push(if index == 0 { "" } else { "}}" }).push(between);
    }
    text.push("};");
    Ok(text)
}
