//! The table of drivers, and the connection strings.
//!
//! That the strings log in through the real parsers is tested in tests/drivers.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests may fail as a test does"
)]

use std::collections::HashSet;
use std::sync::Arc;

use rdstoken::{
    Beyond, ConnectionOptions, Credentials, CredentialsProvider, DRIVERS, Error, ErrorKind, Login,
    OnLimit, Signer, SignerOptions, check_length, connection_string,
};

const HOST: &str = "mydb.cluster-abc123.us-east-1.rds.amazonaws.com";
const TOKEN: &str = "h:1/?Action=connect&DBUser=a%2Bb&X=1";

fn options<'a>(driver: &'a str, form: &'a str) -> ConnectionOptions<'a> {
    ConnectionOptions {
        driver,
        form,
        // Short as it is, it would be cut nowhere; rows that take nothing are not written.
        on_limit: OnLimit::Refuse,
        ..ConnectionOptions::default()
    }
}

fn made_for(username: &str, options: &ConnectionOptions<'_>) -> Result<String, Error> {
    let login = Login::new(HOST, 5432, username).unwrap();
    connection_string(&login, TOKEN, options).map(|string| string.value().to_owned())
}

fn made(options: &ConnectionOptions<'_>) -> String {
    made_for("app", options).unwrap()
}

fn refused(options: &ConnectionOptions<'_>) -> Option<&'static str> {
    let error = made_for("app", options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    error.field()
}

#[test]
fn a_row_is_there_once_and_consistent() {
    let mut seen = HashSet::new();
    for row in DRIVERS {
        assert!(seen.insert((row.driver, row.form)), "{row:?}");
        assert_eq!(row.max_length.is_none(), row.beyond == Beyond::Nothing);
        assert!(!row.source.is_empty(), "{row:?}");
        // What is written must bring tokens through.
        assert!(!row.is_written() || row.max_length.is_none(), "{row:?}");
    }
    // The rows of a driver stand together.
    let mut drivers: Vec<_> = DRIVERS.iter().map(|row| row.driver).collect();
    drivers.dedup();
    let unique: HashSet<_> = drivers.iter().collect();
    assert_eq!(drivers.len(), unique.len());
}

#[test]
fn lengths_are_checked_at_the_limit() {
    for row in DRIVERS {
        let check = |length: usize| check_length(row.driver, row.form, &"x".repeat(length));
        let Some(max_length) = row.max_length else {
            check(100_000).unwrap();
            continue;
        };
        check(max_length).unwrap();
        let error = check(max_length + 1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DriverLimit);
        let text = error.to_string();
        assert!(
            text.contains(row.driver) && text.contains(row.form),
            "{text}"
        );
        assert!(!text.contains("xx"), "{text}");
    }
}

#[test]
fn an_unknown_driver_or_form_is_named_with_those_there_are() {
    let error = check_length("oracle", "password", "x").unwrap_err();
    assert_eq!(error.field(), Some("driver"));
    assert!(error.detail().contains("libpq, psql, psycopg"));
    let error = check_length("psql", "odbc.ini", "x").unwrap_err();
    assert_eq!(error.field(), Some("form"));
    assert_eq!(error.detail(), "expected one of environment, prompt");

    assert_eq!(refused(&options("oracle", "")), Some("driver"));
    let error = made_for("app", &options("libpq", "prompt")).unwrap_err();
    assert_eq!(error.field(), Some("form"));
    let error = made_for("app", &options("libpq", "service-file")).unwrap_err();
    assert_eq!(error.detail(), "expected one of conninfo, uri, passfile");
    assert_eq!(refused(&options("pgbouncer", "")), Some("driver"));
}

#[test]
fn libpq() {
    let mut given = options("libpq", "");
    given.database = Some("it's");
    given.ca_file = Some("/a b/ca.pem");
    given.hostaddr = Some("127.0.0.1");
    assert_eq!(
        made(&given),
        format!(
            "host='{HOST}' port='5432' hostaddr='127.0.0.1' dbname='it\\'s' user='app' \
             password='{TOKEN}' sslmode='verify-full' gssencmode='disable' \
             sslrootcert='/a b/ca.pem'"
        )
    );
    given.form = "uri";
    assert_eq!(
        made(&given),
        format!(
            "postgresql://app:h%3A1%2F%3FAction%3Dconnect%26DBUser%3Da%252Bb%26X%3D1@{HOST}:5432/\
             it%27s?sslmode=verify-full&gssencmode=disable&sslrootcert=%2Fa%20b%2Fca.pem&\
             hostaddr=127.0.0.1"
        )
    );
}

#[test]
fn the_two_readers_of_a_password_file_want_different_lines() {
    assert_eq!(
        made(&options("libpq", "passfile")),
        format!("{HOST}:5432:*:app:h\\:1/?Action=connect&DBUser=a%2Bb&X=1")
    );
    assert_eq!(
        made(&options("asyncpg", "passfile")),
        format!("{HOST}:5432:*:app:{TOKEN}")
    );
    let odd = "a:b\\c";
    assert!(
        made_for(odd, &options("libpq", "passfile"))
            .unwrap()
            .contains(":*:a\\:b\\\\c:h")
    );
    let error = made_for(odd, &options("asyncpg", "passfile")).unwrap_err();
    assert_eq!(error.field(), Some("username"));
    let mut given = options("asyncpg", "passfile");
    given.database = Some("a:b");
    assert_eq!(refused(&given), Some("database"));
    for form in ["libpq", "asyncpg"] {
        let error = made_for("a\nb", &options(form, "passfile")).unwrap_err();
        assert_eq!(error.field(), Some("username"));
        let mut given = options(form, "passfile");
        given.ca_file = Some("/ca");
        assert_eq!(refused(&given), Some("ca_file"));
        given.ca_file = None;
        given.hostaddr = Some("127.0.0.1");
        assert_eq!(refused(&given), Some("hostaddr"));
    }
}

/// Found out with the parsers themselves, and 23 names.
#[test]
fn a_database_that_a_url_would_rename_is_refused() {
    for (driver, form, good, bad) in [
        (
            "pg",
            "uri",
            &["my db", "caf\u{e9}", "a%b", "a.b"][..],
            &["a+b", "a/b", "a?b", "a#b", ".."][..],
        ),
        (
            "postgres",
            "uri",
            &["a.b", "a-b_c~d"],
            &["my db", "caf\u{e9}", "a%b", "."],
        ),
        ("mysql2", "uri", &["my db", "a+b", "a/b"], &[".", ".."]),
        ("mariadb", "uri", &["my db", "a+b", "a/b"], &[".", ".."]),
        (
            "psycopg",
            "sqlalchemy-url",
            &["a.b"],
            &["my db", "a+b", "caf\u{e9}"],
        ),
        ("libpq", "uri", &["my db", "a+b", ".."], &[]),
    ] {
        let mut given = options(driver, form);
        for name in good {
            given.database = Some(name);
            assert!(made_for("app", &given).is_ok(), "{driver} {name}");
        }
        for name in bad {
            given.database = Some(name);
            assert_eq!(refused(&given), Some("database"), "{driver} {name}");
        }
    }
}

#[test]
fn odbc() {
    let mut given = options("psqlodbc", "");
    given.database = Some("shop");
    given.ca_file = Some("/ca.pem");
    given.hostaddr = Some("127.0.0.1");
    assert_eq!(
        made(&given),
        format!(
            "Driver={{PostgreSQL Unicode}};Server={HOST};Port=5432;Database=shop;UID=app;\
             PWD={{{TOKEN}}};SSLmode=verify-full;\
             Pqopt={{gssencmode='disable' sslrootcert='/ca.pem' hostaddr='127.0.0.1'}};"
        )
    );
    given = options("mariadb-odbc", "connection-string");
    given.odbc_driver = Some("/usr/lib/libmaodbc.so");
    given.ca_file = Some("/ca.pem");
    assert_eq!(
        made(&given),
        format!(
            "Driver={{/usr/lib/libmaodbc.so}};Server={HOST};Port=5432;UID=app;PWD={{{TOKEN}}};\
             FORCETLS=1;SSLVERIFY=1;SSLCA=/ca.pem;"
        )
    );
    for bad in ["a;PWD=x", "a}", "{a", " a"] {
        let error = made_for(bad, &options("psqlodbc", "")).unwrap_err();
        assert_eq!(error.field(), Some("username"), "{bad}");
        given.database = Some(bad);
        assert_eq!(refused(&given), Some("database"), "{bad}");
    }
    // A brace in a password is doubled, though no token has one.
    let login = Login::new(HOST, 5432, "app").unwrap();
    let string = connection_string(&login, "a}b}", &options("psqlodbc", "")).unwrap();
    assert!(string.value().contains("PWD={a}}b}}};"));
}

#[test]
fn jdbc_properties_are_escaped_as_java_reads_them() {
    let mut given = options("pgjdbc", "properties");
    given.ca_file = Some("/a\u{e9}\\b");
    let text = made_for(" \u{1f600}", &given).unwrap();
    assert_eq!(
        text,
        format!(
            "user=\\ \\ud83d\\ude00\npassword={TOKEN}\nsslmode=verify-full\n\
             sslrootcert=/a\\u00e9\\\\b"
        )
    );
    let mut given = options("mariadb-jdbc", "");
    assert_eq!(
        made(&given),
        format!("user=app\npassword={TOKEN}\nuseSsl=true\nsslMode=verify-full")
    );
    given.database = Some("shop");
    assert_eq!(refused(&given), Some("database"));
}

#[test]
fn urls_insist_on_tls() {
    for row in DRIVERS.iter().filter(|row| row.is_written()) {
        let mut given = options(row.driver, row.form);
        match (row.driver, row.form) {
            (_, "passfile") => continue, // it holds a password and no settings
            ("mariadb", _) => given.database = Some("shop"),
            (_, "sqlalchemy-url") => given.ca_file = Some("/ca.pem"),
            _ => {}
        }
        let text = made(&given).to_lowercase();
        let insists = [
            "verify-full",
            "forcetls=1;sslverify=1",
            "verifyidentity%22%3atrue",
            "ssl=true",
            "ssl_check_hostname=true&ssl_ca=",
            "verify_identity&ssl_ca=",
            "ssl_verify_cert=true&ssl_verify_identity=true&ssl_ca=",
        ];
        assert!(
            insists.iter().any(|words| text.contains(words)),
            "{row:?}: {text}"
        );
        // Only libpq has an encryption that could take the place of TLS, and knows the word.
        let is_libpq = ["libpq", "psycopg", "psycopg2", "psqlodbc"].contains(&row.driver);
        let refuses = ["gssencmode=disable", "gssencmode='disable'"];
        assert_eq!(
            refuses.iter().any(|words| text.contains(words)),
            is_libpq,
            "{row:?}: {text}"
        );
    }
    // These would go without, or verify nothing.
    for driver in ["pymysql", "mysqlclient", "mysql-connector-python"] {
        assert_eq!(refused(&options(driver, "sqlalchemy-url")), Some("ca_file"));
    }
}

#[test]
fn an_option_without_room_is_refused_by_name() {
    for driver in [
        "pg",
        "postgres",
        "mysql2",
        "pymysql",
        "mariadb-odbc",
        "pgjdbc",
    ] {
        let mut given = options(driver, "");
        given.hostaddr = Some("127.0.0.1");
        assert_eq!(refused(&given), Some("hostaddr"), "{driver}");
    }
    for driver in ["postgres", "mysql2", "mariadb"] {
        let mut given = options(driver, "");
        given.ca_file = Some("/ca");
        assert_eq!(refused(&given), Some("ca_file"), "{driver}");
    }
    assert_eq!(refused(&options("mariadb", "")), Some("database"));
    for value in ["", "a\nb", "a\0b"] {
        let mut given = options("libpq", "");
        given.database = Some(value);
        assert_eq!(refused(&given), Some("database"), "{value:?}");
    }
}

#[test]
fn a_connection_string_is_no_text_by_accident() {
    let login = Login::new(HOST, 5432, "app").unwrap();
    let string = connection_string(&login, TOKEN, &options("libpq", "uri")).unwrap();
    assert!(!format!("{string:?}").contains("Action"));
    assert_eq!(
        string.value_with_nul().strip_suffix('\0'),
        Some(string.value())
    );
}

#[test]
fn a_limit_is_an_error_or_a_warning() {
    assert_eq!(OnLimit::named("refuse").unwrap(), OnLimit::Refuse);
    assert_eq!(OnLimit::named("warn").unwrap(), OnLimit::Warn);
    assert_eq!(OnLimit::named("").unwrap_err().field(), Some("on_limit"));
}

#[test]
fn a_signer_checks_the_options_before_it_asks_for_credentials() {
    struct Fails;
    impl CredentialsProvider for Fails {
        fn credentials(&self) -> Result<Credentials, Error> {
            Err(Error::new(ErrorKind::CredentialsFailed, "asked"))
        }
    }

    let mut of_signer = SignerOptions::new(HOST, 5432, "app");
    of_signer.credentials_provider = Some(Arc::new(Fails));
    let signer = Signer::new(of_signer).unwrap();
    let mut no_database = options("libpq", "");
    no_database.database = Some("");
    for (given, field) in [
        (options("oracle", ""), "driver"),
        (options("libpq", "xml"), "form"),
        (options("pymysql", ""), "ca_file"),
        (options("mariadb", ""), "database"),
        (no_database, "database"),
    ] {
        let error = signer.connection_string(&given).unwrap_err();
        assert_eq!(error.field(), Some(field));
        assert_eq!(signer.stats().failures, 0);
    }
    let error = signer.connection_string(&options("libpq", "")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CredentialsFailed);
}
