//! The drivers, and the ways to give them a password. One driver's rows stand together.

use super::Beyond::{Altered, Crash, Cut, Error, Nothing};
use super::connection::{self as write, Format};
use super::{Beyond, DriverForm};

const PROMPT: &str = "a terminal hands over 4,095 bytes of a line";
const BRACES: &str = "write PWD={token}, as `rdstoken odbc` does";
const UTF_16: &str = "use SQLDriverConnect, in bytes, with PWD={token}";
const RAW_JDBC: &str = "the URL is cut at the token's first `&`; pass the token as a property";

const LIBPQ: &str = "measured with libpq 15";
const PSQLODBC: &str = "measured with psqlodbc 13.02 and unixODBC 2.3.11";
const MAODBC: &str = "measured with MariaDB Connector/ODBC 3.1.15 and unixODBC 2.3.11";
const MARIADB: &str = "measured with MariaDB 10.11 and Connector/C 3.3";
const MATRIX: &str = "measured, docs/drivers.md";

/// What drivers do to passwords as long as tokens, and which connection strings
/// [`connection_string`](crate::connection_string) writes.
pub static DRIVERS: &[DriverForm] = &[
    // PostgreSQL
    whole("libpq", "password", LIBPQ),
    written("libpq", "conninfo", LIBPQ, write::libpq_conninfo),
    written("libpq", "uri", LIBPQ, write::libpq_uri),
    written("libpq", "passfile", LIBPQ, write::libpq_passfile),
    row(
        ("libpq", "passfile-unescaped", Some(0), Cut),
        "write `\\:` for `:`, as `rdstoken passfile` does",
        LIBPQ,
    ),
    row(
        ("libpq", "service-file", Some(1012), Error),
        "a line of pg_service.conf has at most 1,023 bytes",
        LIBPQ,
    ),
    whole("psql", "environment", LIBPQ),
    row(("psql", "prompt", Some(4095), Cut), PROMPT, LIBPQ),
    whole("psycopg", "password", MATRIX),
    written(
        "psycopg",
        "sqlalchemy-url",
        MATRIX,
        write::sqlalchemy_psycopg,
    ),
    whole("psycopg2", "password", MATRIX),
    written(
        "psycopg2",
        "sqlalchemy-url",
        MATRIX,
        write::sqlalchemy_psycopg,
    ),
    whole("asyncpg", "password", MATRIX),
    written("asyncpg", "passfile", MATRIX, write::asyncpg_passfile),
    row(
        ("asyncpg", "passfile-escaped", Some(0), Altered),
        "its reader takes libpq's backslashes as part of the password",
        MATRIX,
    ),
    whole("pg8000", "password", MATRIX),
    row(
        ("sqlalchemy", "raw-url", Some(0), Altered),
        "each `%2F` is decoded; use URL.create or rdstoken.sqlalchemy.attach",
        MATRIX,
    ),
    whole("pg", "password", MATRIX),
    written("pg", "uri", MATRIX, write::pg_uri),
    whole("postgres", "password", MATRIX),
    written("postgres", "uri", MATRIX, write::postgres_js_uri),
    written("pgjdbc", "properties", MATRIX, write::pgjdbc_properties),
    row(("pgjdbc", "raw-url", Some(0), Cut), RAW_JDBC, MATRIX),
    row(
        ("pgbouncer", "password", Some(2047), Cut),
        "let clients log in to the database itself",
        "measured with PgBouncer 1.18",
    ),
    written("psqlodbc", "connection-string", PSQLODBC, write::psqlodbc),
    row(
        ("psqlodbc", "connection-string-W", Some(32_000), Crash),
        "the whole string has at most 32,767 characters; hand it over in bytes",
        PSQLODBC,
    ),
    row(
        ("psqlodbc", "connection-string-unbraced", Some(0), Altered),
        BRACES,
        PSQLODBC,
    ),
    whole("psqlodbc", "SQLConnect", PSQLODBC),
    row(
        ("psqlodbc", "SQLConnectW", Some(32_767), Error),
        UTF_16,
        PSQLODBC,
    ),
    row(("psqlodbc", "odbc.ini", Some(0), Altered), BRACES, PSQLODBC),
    row(("psqlodbc", "filedsn", Some(0), Altered), BRACES, PSQLODBC),
    row(
        ("psqlodbc", "pyodbc-password", Some(0), Altered),
        BRACES,
        PSQLODBC,
    ),
    row(
        ("psqlodbc-ansi", "SQLConnectW", Some(0), Altered),
        "32 bytes of it and a few others arrive; use the Unicode driver",
        PSQLODBC,
    ),
    row(
        ("redshift-odbc", "connection-string", Some(1024), Cut),
        "",
        "read: aws/amazon-redshift-odbc-driver#46",
    ),
    // MariaDB and MySQL
    whole("mariadb-cli", "environment", MARIADB),
    whole("mariadb-cli", "option", MARIADB),
    row(
        ("mariadb-cli", "prompt", Some(79), Cut),
        "use the environment variable MYSQL_PWD, as `rdstoken exec` does",
        MARIADB,
    ),
    row(
        ("mariadb-cli", "option-file", Some(4085), Error),
        "and the error shows the rest of the token; use MYSQL_PWD",
        MARIADB,
    ),
    whole("libmariadb", "password", MARIADB),
    written(
        "mariadb-odbc",
        "connection-string",
        MAODBC,
        write::mariadb_odbc,
    ),
    whole("mariadb-odbc", "connection-string-W", MAODBC),
    row(
        ("mariadb-odbc", "SQLConnect", Some(32_767), Crash),
        UTF_16,
        MAODBC,
    ),
    row(
        ("mariadb-odbc", "SQLConnectW", Some(32_767), Crash),
        UTF_16,
        MAODBC,
    ),
    row(
        ("mariadb-odbc", "odbc.ini", Some(988), Cut),
        "a line of odbc.ini has at most 999 bytes",
        MAODBC,
    ),
    row(
        ("mysql-odbc", "connection-string", Some(1024), Crash),
        "use MariaDB's Connector/ODBC",
        "read: mysql/mysql-connector-odbc#14",
    ),
    whole("pymysql", "password", MATRIX),
    written("pymysql", "sqlalchemy-url", MATRIX, write::sqlalchemy_mysql),
    whole("aiomysql", "password", MATRIX),
    whole("asyncmy", "password", MATRIX),
    whole("mysqlclient", "password", MATRIX),
    written(
        "mysqlclient",
        "sqlalchemy-url",
        MATRIX,
        write::sqlalchemy_mysql,
    ),
    row(
        ("mysqlclient", "option-file", Some(4085), Cut),
        "pass the token as the password",
        MATRIX,
    ),
    whole("mysql-connector-python", "password", MATRIX),
    written(
        "mysql-connector-python",
        "sqlalchemy-url",
        MATRIX,
        write::sqlalchemy_mysql,
    ),
    whole("mysql2", "password", MATRIX),
    written("mysql2", "uri", MATRIX, write::mysql2_uri),
    whole("mariadb", "password", MATRIX),
    written("mariadb", "uri", MATRIX, write::mariadb_js_uri),
    written(
        "mariadb-jdbc",
        "properties",
        MATRIX,
        write::mariadb_jdbc_properties,
    ),
    row(("mariadb-jdbc", "raw-url", Some(0), Cut), RAW_JDBC, MATRIX),
    row(
        ("go-sql-driver", "password", Some(4091), Crash),
        "use a version newer than 1.5",
        "measured with go-sql-driver 1.5",
    ),
];

/// What brings every token through.
const fn whole(driver: &'static str, form: &'static str, source: &'static str) -> DriverForm {
    row((driver, form, None, Nothing), "", source)
}

/// What brings every token through, and is written by [`write`].
const fn written(
    driver: &'static str,
    form: &'static str,
    source: &'static str,
    format: Format,
) -> DriverForm {
    let mut row = whole(driver, form, source);
    row.format = Some(format);
    row
}

const fn row(
    (driver, form, max_length, beyond): (&'static str, &'static str, Option<usize>, Beyond),
    note: &'static str,
    source: &'static str,
) -> DriverForm {
    DriverForm {
        driver,
        form,
        max_length,
        beyond,
        note,
        source,
        format: None,
    }
}
