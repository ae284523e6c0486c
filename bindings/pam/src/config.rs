//! The service file's arguments and the credentials files, made into a [`Verifier`]. Whatever is
//! unknown, malformed or missing is an error, so that a mistake lets nobody in.

use std::collections::HashMap;
use std::ffi::CStr;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};

use ini::{Ini, ParseOption};
use rdstoken::{Credentials, Endpoint, Error, Region, Verifier};
use zeroize::Zeroizing;

use crate::record::RecordFile;
use crate::throttle::ThrottleFile;

/// What is wrong, in one line. Values of arguments stay out, except paths: people put secrets in
/// the wrong place.
#[derive(Debug)]
pub(crate) struct ConfigError(String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn wrong<T>(text: impl Into<String>) -> Result<T, ConfigError> {
    Err(ConfigError(text.into()))
}

/// What the arguments describe.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) verifier: Verifier,
    pub(crate) throttle: Option<ThrottleFile>,
    pub(crate) record: Option<RecordFile>,
}

impl Config {
    pub(crate) fn read(arguments: &[&CStr]) -> Result<Self, ConfigError> {
        let arguments = Arguments::parse(arguments)?;
        Ok(Self {
            throttle: arguments.throttle.clone(),
            record: arguments.record.clone(),
            verifier: verifier(arguments)?,
        })
    }
}

fn verifier(arguments: Arguments<'_>) -> Result<Verifier, ConfigError> {
    let mut verifier = Verifier::new();
    for (hostname, port) in arguments.endpoints {
        verifier = endpoint(verifier, hostname, port, arguments.region)
            .map_err(|error| ConfigError(format!("argument endpoint: {error}")))?;
    }
    for user in arguments.users {
        verifier = verifier.user(user);
    }
    for credentials in Keys::read(&arguments.credentials)?.0.into_values() {
        verifier = verifier.credentials(credentials.made);
    }
    Ok(verifier)
}

fn endpoint(
    verifier: Verifier,
    hostname: &str,
    port: u16,
    region: Option<&str>,
) -> Result<Verifier, Error> {
    let named = Endpoint::new(hostname, port)?.region().is_some();
    verifier.endpoint(hostname, port, region.filter(|_| !named))
}

/// The arguments taken apart, not yet judged by core.
#[derive(Default)]
struct Arguments<'a> {
    credentials: Vec<&'a str>,
    endpoints: Vec<(&'a str, u16)>,
    region: Option<&'a str>,
    users: Vec<&'a str>,
    throttle: Option<ThrottleFile>,
    record: Option<RecordFile>,
}

impl<'a> Arguments<'a> {
    fn parse(arguments: &[&'a CStr]) -> Result<Self, ConfigError> {
        let mut parsed = Self::default();
        for (index, argument) in arguments.iter().enumerate() {
            let Some((name, value)) = argument.to_str().ok().and_then(|text| text.split_once('='))
            else {
                return wrong(format!("argument {} is not NAME=VALUE", index + 1));
            };
            match name {
                "credentials" if value.starts_with('/') => parsed.credentials.push(value),
                "credentials" => return wrong("argument credentials: expected an absolute path"),
                "endpoint" => match value
                    .rsplit_once(':')
                    .map(|(host, port)| (host, number(port)))
                {
                    Some((hostname, Some(port))) => parsed.endpoints.push((hostname, port)),
                    _ => return wrong("argument endpoint: expected HOST:PORT"),
                },
                "region" if parsed.region.is_some() => {
                    return wrong("argument region: given twice");
                }
                "region" => {
                    // Wrong even where every endpoint names its own.
                    Region::new(value).map_err(|error| ConfigError(format!("argument {error}")))?;
                    parsed.region = Some(value);
                }
                // An empty name is a slip, and would let everybody in if it were passed over.
                "users" if value.split(',').any(str::is_empty) => {
                    return wrong("argument users: expected names with commas between them");
                }
                "users" => parsed.users.extend(value.split(',')),
                "throttle" if parsed.throttle.is_some() => {
                    return wrong("argument throttle: given twice");
                }
                "throttle" => match throttle(value) {
                    Some(throttle) => parsed.throttle = Some(throttle),
                    None => return wrong("argument throttle: expected RATE:/ABSOLUTE/PATH"),
                },
                "record" if parsed.record.is_some() => {
                    return wrong("argument record: given twice");
                }
                "record" if value.starts_with('/') => {
                    let path = value.to_owned();
                    parsed.record = Some(RecordFile { path });
                }
                "record" => return wrong("argument record: expected an absolute path"),
                _ => {
                    return wrong(format!(
                        "argument {} is not one of credentials, endpoint, region, users, \
                         throttle and record",
                        index + 1
                    ));
                }
            }
        }
        if parsed.endpoints.is_empty() {
            return wrong("argument endpoint is missing");
        }
        if parsed.credentials.is_empty() {
            return wrong("argument credentials is missing");
        }
        Ok(parsed)
    }
}

/// New tokens a second, and the file that counts them.
fn throttle(value: &str) -> Option<ThrottleFile> {
    let (rate, path) = value.split_once(':')?;
    let per_second = number(rate).filter(|rate| *rate > 0)?;
    path.starts_with('/').then(|| ThrottleFile {
        per_second: per_second.into(),
        path: path.to_owned(),
    })
}

/// Digits only: `parse` alone would take `+5432`.
fn number(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// Room for dozens of keys with the longest session tokens; a bound, because running out of
/// memory cannot be caught.
const MAX_FILE: u64 = 4 * 1024 * 1024;

/// The keys of all files, by access key id.
struct Keys(HashMap<String, Key>);

struct Key {
    made: Credentials,
    secrets: Zeroizing<String>,
}

impl Keys {
    fn read(paths: &[&str]) -> Result<Self, ConfigError> {
        let mut keys = Self(HashMap::new());
        for path in paths {
            let text = read(path)
                .map_err(|error| ConfigError(format!("cannot read {path:?}: {error}")))?;
            keys.add(&text)
                .map_err(|error| ConfigError(format!("{path:?}: {error}")))?;
        }
        if keys.0.is_empty() {
            return wrong("no access key in the credentials file");
        }
        Ok(keys)
    }

    fn add(&mut self, text: &str) -> Result<(), ConfigError> {
        // As AWS reads its files: a backslash or a quote is a character like any other.
        let options = ParseOption {
            enabled_escape: false,
            enabled_quote: false,
            ..ParseOption::default()
        };
        // Its copies of the secrets are the one place that is not wiped.
        let file = Ini::load_from_str_opt(text, options).map_err(|error| {
            // Its own text could quote the file.
            ConfigError(format!("not an INI file, at line {}", error.line))
        })?;
        // A section is told by its number: with a bracket missing, its name holds what follows.
        for (index, (name, section)) in file.iter().enumerate() {
            // The parser goes on into the next lines in search of a `]` or a `=`.
            let names = section.iter().map(|(name, _)| name).chain(name);
            if names.into_iter().any(|name| name.contains(['\r', '\n'])) {
                return wrong(format!(
                    "section {index}: a line is neither [NAME] nor NAME = VALUE"
                ));
            }
            let value = |name: &str| {
                let mut values = section.get_all(name);
                match (values.next(), values.next()) {
                    (_, Some(_)) => wrong(format!("section {index}: {name} is given twice")),
                    (value, None) => Ok(value),
                }
            };
            let session_token = value("aws_session_token")?;
            let (id, secret) = match (value("aws_access_key_id")?, value("aws_secret_access_key")?)
            {
                (Some(id), Some(secret)) => (id, secret),
                (None, None) if session_token.is_none() => continue,
                _ => {
                    return wrong(format!(
                        "section {index}: expected both aws_access_key_id and \
                         aws_secret_access_key"
                    ));
                }
            };
            let made = Credentials::new(id, secret, session_token)
                .map_err(|error| ConfigError(format!("section {index}: aws_{error}")))?;
            // Neither part can hold a line end.
            let secrets = Zeroizing::new(format!("{secret}\n{}", session_token.unwrap_or("")));
            let known = self.0.entry(id.to_owned()).or_insert_with(|| Key {
                made,
                secrets: secrets.clone(),
            });
            // The same key under two names is common; two keys under one id is a slip.
            if known.secrets != secrets {
                return wrong(format!(
                    "section {index}: an access key id that came before, with other secrets"
                ));
            }
        }
        Ok(())
    }
}

fn read(path: &str) -> io::Result<Zeroizing<String>> {
    let file = File::open(path)?;
    let length = file.metadata()?.len().min(MAX_FILE);
    // Room for all of it: growing would leave a copy behind, unwiped.
    let room = usize::try_from(length).unwrap_or(0) + 1;
    let mut text = Zeroizing::new(String::with_capacity(room));
    file.take(MAX_FILE + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_FILE {
        return Err(io::Error::other("it is longer than 4 MiB"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;
    use std::fs;
    use std::time::{SystemTime, UNIX_EPOCH};

    use rdstoken::{MAX_EXPIRES_IN, PresignRequest, Refusal, presign};
    use tempfile::NamedTempFile;

    use super::*;

    const HOST: &str = "demo.cluster-abc123def456.us-east-1.rds.amazonaws.com";
    const ENDPOINT: &CStr = c"endpoint=demo.cluster-abc123def456.us-east-1.rds.amazonaws.com:5432";
    const NOW: SystemTime = UNIX_EPOCH;

    /// A file that is gone when it is dropped, and the argument that names it.
    fn file(content: impl AsRef<[u8]>) -> (NamedTempFile, CString) {
        let file = NamedTempFile::new().unwrap();
        fs::write(&file, content).unwrap();
        let argument = format!("credentials={}", file.path().display());
        (file, CString::new(argument).unwrap())
    }

    fn with_file(content: impl AsRef<[u8]>, rest: &[&CStr]) -> Result<Verifier, String> {
        let (_file, argument) = file(content);
        let mut arguments = vec![argument.as_c_str()];
        arguments.extend(rest);
        Config::read(&arguments)
            .map(|config| config.verifier)
            .map_err(|error| error.to_string())
    }

    /// Logs in with a token that `key` signed.
    fn login(
        verifier: &Verifier,
        key: (&str, &str, Option<&str>),
        (hostname, port): (&str, u16),
        region: Option<&str>,
        username: &str,
    ) -> Result<(), Refusal> {
        let token = presign(&PresignRequest {
            hostname,
            port,
            username,
            region,
            credentials: &Credentials::new(key.0, key.1, key.2).unwrap(),
            signing_time: NOW,
            expires_in: MAX_EXPIRES_IN,
        });
        verifier.verify(token.unwrap().value(), username, NOW)
    }

    const ONE_KEY: &str = "[default]\naws_access_key_id=AKID1\naws_secret_access_key=made-up-1\n";
    const KEY_1: (&str, &str, Option<&str>) = ("AKID1", "made-up-1", None);

    #[test]
    fn several_sections_are_several_keys() {
        let content = "\
            # a comment\r\n\
            [default]\r\n\
            region = eu-west-1\r\n\
            aws_access_key_id = AKID1\r\n\
            aws_secret_access_key = made-up-1\r\n\
            aws_session_token =\r\n\
            \r\n\
            [with a token]\n\
            aws_access_key_id=AKID2\n\
            aws_secret_access_key=\"ma\\de'/+=:#;\"\n\
            aws_session_token=to+/==\n\
            x_principal_arn = arn:aws:iam::1:user/x\n\
            [role]\n\
            role_arn = arn:aws:iam::1:role/x\n\
            [again]\n\
            aws_access_key_id=AKID1\n\
            aws_secret_access_key=made-up-1";
        let verifier = with_file(content, &[ENDPOINT]).unwrap();
        let at = (HOST, 5432);
        assert_eq!(login(&verifier, KEY_1, at, None, "app"), Ok(()));
        // Quotes and backslashes belong to the value, as for AWS.
        let second = ("AKID2", "\"ma\\de'/+=:#;\"", Some("to+/=="));
        assert_eq!(login(&verifier, second, at, None, "app"), Ok(()));
        let other = ("AKID2", "\"ma\\de'/+=:#;\"", Some("to+/="));
        assert_eq!(
            login(&verifier, other, at, None, "app"),
            Err(Refusal::WrongSessionToken)
        );
        let unknown = ("AKID3", "made-up-1", None);
        assert_eq!(
            login(&verifier, unknown, at, None, "app"),
            Err(Refusal::UnknownKey)
        );
    }

    #[test]
    fn several_files() {
        let (second, argument) =
            file("[default]\naws_access_key_id=AKID2\naws_secret_access_key=made-up-2\n");
        let arguments = [argument.as_c_str(), ENDPOINT];
        let verifier = with_file(ONE_KEY, &arguments).unwrap();
        for key in [KEY_1, ("AKID2", "made-up-2", None)] {
            assert_eq!(login(&verifier, key, (HOST, 5432), None, "app"), Ok(()));
        }
        drop(second);
        let gone = with_file(ONE_KEY, &arguments).unwrap_err();
        assert!(gone.starts_with("cannot read "), "{gone}");
    }

    #[test]
    fn a_session_token_of_64_kib_is_whole() {
        let session_token = "a+/=".repeat(16_384);
        let content = format!("{ONE_KEY}aws_session_token={session_token}\n");
        let verifier = with_file(content, &[ENDPOINT]).unwrap();
        let key = (KEY_1.0, KEY_1.1, Some(session_token.as_str()));
        assert_eq!(login(&verifier, key, (HOST, 5432), None, "app"), Ok(()));
    }

    #[test]
    fn regions() {
        let endpoints = [
            ENDPOINT,
            c"endpoint=world.global-abc123def456.global.rds.amazonaws.com:5433",
        ];
        let unnamed = with_file(ONE_KEY, &endpoints).unwrap_err();
        assert!(unnamed.starts_with("argument endpoint: "), "{unnamed}");
        assert!(unnamed.contains("region"), "{unnamed}");

        // After the endpoint it is for, or before it.
        for arguments in [
            [endpoints[0], endpoints[1], c"region=eu-west-1"],
            [c"region=eu-west-1", endpoints[1], endpoints[0]],
        ] {
            let verifier = with_file(ONE_KEY, &arguments).unwrap();
            let global = ("world.global-abc123def456.global.rds.amazonaws.com", 5433);
            let login = |at, region| login(&verifier, KEY_1, at, Some(region), "app");
            assert_eq!(login(global, "eu-west-1"), Ok(()));
            assert_eq!(login(global, "us-east-1"), Err(Refusal::WrongRegion));
            // The endpoint's own name wins.
            assert_eq!(login((HOST, 5432), "us-east-1"), Ok(()));
            assert_eq!(login((HOST, 5432), "eu-west-1"), Err(Refusal::WrongRegion));
            assert_eq!(
                login((HOST, 5433), "us-east-1"),
                Err(Refusal::WrongEndpoint)
            );
        }
    }

    #[test]
    fn users() {
        let everybody = with_file(ONE_KEY, &[ENDPOINT]).unwrap();
        let some = [ENDPOINT, c"users=app,m\xc3\xbcller", c"users=a b"];
        let some = with_file(ONE_KEY, &some).unwrap();
        for user in ["app", "müller", "a b"] {
            assert_eq!(login(&some, KEY_1, (HOST, 5432), None, user), Ok(()));
        }
        for user in ["App", "a", "app,müller", "admin"] {
            assert_eq!(login(&everybody, KEY_1, (HOST, 5432), None, user), Ok(()));
            assert_eq!(
                login(&some, KEY_1, (HOST, 5432), None, user),
                Err(Refusal::UserNotAllowed),
                "{user}"
            );
        }
    }

    /// Each is refused, with a text that names its place and holds no value.
    #[test]
    fn wrong_arguments() {
        for (argument, expected) in [
            (c"debug", "argument 3 is not NAME=VALUE"),
            (c"", "argument 3 is not NAME=VALUE"),
            (c"users=\xff", "argument 3 is not NAME=VALUE"),
            (c"=x", "argument 3 is not one of"),
            (c"Users=app", "argument 3 is not one of"),
            (c"aws_secret_access_key=hush", "argument 3 is not one of"),
            (
                c"credentials=keys",
                "argument credentials: expected an absolute path",
            ),
            (
                c"credentials=",
                "argument credentials: expected an absolute path",
            ),
            (c"endpoint=", "argument endpoint: expected HOST:PORT"),
            (
                c"endpoint=db.example.com",
                "argument endpoint: expected HOST:PORT",
            ),
            (
                c"endpoint=db.example.com:",
                "argument endpoint: expected HOST:PORT",
            ),
            (
                c"endpoint=db.example.com:+1",
                "argument endpoint: expected HOST:PORT",
            ),
            (
                c"endpoint=db.example.com:65536",
                "argument endpoint: expected HOST:PORT",
            ),
            (c"endpoint=db.example.com:0", "argument endpoint: port: "),
            (c"endpoint=127.0.0.1:5432", "argument endpoint: hostname: "),
            (c"endpoint=:5432", "argument endpoint: hostname: "),
            (
                c"endpoint=hush@db.example.com:1",
                "argument endpoint: hostname: ",
            ),
            (c"region=", "argument region: "),
            (c"region=US-EAST-1", "argument region: "),
            (c"users=", "argument users: expected names"),
            (c"users=app,", "argument users: expected names"),
            (c"users=app,,b", "argument users: expected names"),
        ] {
            let error = with_file(ONE_KEY, &[ENDPOINT, argument]).unwrap_err();
            assert!(error.starts_with(expected), "{argument:?}: {error}");
            assert!(!error.contains("hush"), "{argument:?}: {error}");
        }
        let twice = [ENDPOINT, c"region=us-east-1", c"region=us-east-1"];
        let twice = with_file(ONE_KEY, &twice).unwrap_err();
        assert_eq!(twice, "argument region: given twice");
        let none = Config::read(&[c"credentials=/x"]).unwrap_err().to_string();
        assert_eq!(none, "argument endpoint is missing");
        let none = Config::read(&[ENDPOINT]).unwrap_err().to_string();
        assert_eq!(none, "argument credentials is missing");
        assert!(with_file(ONE_KEY, &[ENDPOINT, c"region=us-east-1"]).is_ok());
    }

    /// All are refused, and no text holds anything of the file.
    #[test]
    fn wrong_files() {
        let id = "aws_access_key_id";
        let secret = "aws_secret_access_key";
        for (content, expected) in [
            (String::new(), "no access key"),
            ("[default]\nregion=us-east-1\n".to_owned(), "no access key"),
            (format!("[a]\n{id}=AKID1\n"), "section 1: expected both"),
            (format!("[a]\n{secret}=hush\n"), "section 1: expected both"),
            (
                format!("[a]\n{id}=AKID1\n[b]\n{secret}=hush\n"),
                "section 1: expected both",
            ),
            (
                "[a]\naws_session_token=hush\n".to_owned(),
                "section 1: expected both",
            ),
            (
                format!("[a]\n{id}=\n{secret}=hush\n"),
                "section 1: aws_access_key_id: ",
            ),
            (
                format!("[a]\n{id}=AKID1\n{secret}=\n"),
                "section 1: aws_secret_access_key: ",
            ),
            (
                format!("[a]\n{id}=AKID1\n{secret}=hush hush\n"),
                "section 1: aws_secret_access_key: ",
            ),
            (
                format!("[a]\n{id}=AKID1\n{secret}=hush\naws_session_token=hüsh\n"),
                "section 1: aws_session_token: ",
            ),
            (
                format!("[a]\n{id}=AKID1\n{secret}=hush\n{secret}=hush2\n"),
                "section 1: aws_secret_access_key is given twice",
            ),
            (
                format!("{ONE_KEY}[b]\n{id}=AKID1\n{secret}=hush\n"),
                "section 2: an access key id that came before",
            ),
            (
                format!("{ONE_KEY}[b]\n{id}=AKID1\n{secret}=made-up-1\naws_session_token=hush\n"),
                "section 2: an access key id that came before",
            ),
            (
                format!("[a\n{id}=AKID1\n{secret}=hush\n"),
                "not an INI file, at line ",
            ),
            (
                format!("[a]\n{id} AKID1\n{secret} hush\n"),
                "not an INI file, at line ",
            ),
            ("=hush\n".to_owned(), "not an INI file, at line 1"),
            (
                format!("[a\n{id}=AKID2\n{secret}=hush\n{ONE_KEY}"),
                "section 1: a line is neither",
            ),
            (
                format!("{ONE_KEY}hush hush\n{id}=AKID2\n"),
                "section 1: a line is neither",
            ),
        ] {
            let error = with_file(&content, &[ENDPOINT]).unwrap_err();
            assert!(error.contains(expected), "{content:?}: {error}");
            assert!(!error.contains("hush"), "{content:?}: {error}");
            assert!(!error.contains('\n'), "{content:?}: {error}");
        }
    }

    #[test]
    fn unreadable_files() {
        let gone = [c"credentials=/nonexistent/keys", ENDPOINT];
        let gone = Config::read(&gone).unwrap_err().to_string();
        assert!(
            gone.starts_with("cannot read \"/nonexistent/keys\": "),
            "{gone}"
        );
        let directory = Config::read(&[c"credentials=/", ENDPOINT]).unwrap_err();
        assert!(directory.to_string().starts_with("cannot read \"/\": "));
        let binary = with_file(b"[a]\n\xff", &[ENDPOINT]).unwrap_err();
        assert!(binary.starts_with("cannot read "), "{binary}");
        let endless = Config::read(&[c"credentials=/dev/zero", ENDPOINT]).unwrap_err();
        assert!(endless.to_string().contains("longer than 4 MiB"));
    }

    #[test]
    fn the_throttle_has_a_rate_and_a_file() {
        let parse = |value| {
            let arguments: [&CStr; 3] = [c"credentials=/x", ENDPOINT, value];
            Arguments::parse(&arguments).map(|parsed| parsed.throttle)
        };
        let parsed = parse(c"throttle=200:/run/x:y").unwrap().unwrap();
        assert_eq!((parsed.per_second, &*parsed.path), (200, "/run/x:y"));
        for wrong in [
            c"throttle=",
            c"throttle=200",
            c"throttle=0:/x",
            c"throttle=many:/x",
            c"throttle=200:x",
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
        let twice = [
            c"throttle=1:/x",
            c"throttle=1:/x",
            c"credentials=/x",
            ENDPOINT,
        ];
        assert!(Arguments::parse(&twice).is_err());
    }

    #[test]
    fn the_record_is_one_file() {
        let parse = |arguments: &[&CStr]| {
            let arguments = [&[c"credentials=/x", ENDPOINT], arguments].concat();
            Arguments::parse(&arguments)
                .map(|parsed| parsed.record.map(|record| record.path))
                .map_err(|error| error.to_string())
        };
        assert_eq!(parse(&[]), Ok(None));
        assert_eq!(
            parse(&[c"record=/run/x y"]),
            Ok(Some("/run/x y".to_owned()))
        );
        let wrong = Err("argument record: expected an absolute path".to_owned());
        assert_eq!(parse(&[c"record="]), wrong);
        assert_eq!(parse(&[c"record=x"]), wrong);
        let twice = Err("argument record: given twice".to_owned());
        assert_eq!(parse(&[c"record=/x", c"record=/x"]), twice);
    }
}
