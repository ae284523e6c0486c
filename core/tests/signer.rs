//! The signer's options, and the credential chain against a private environment.
//!
//! The environment of a process is one for all its threads, so each chain test runs this very test
//! binary again, as a child with an environment of its own.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests may fail as a test does"
)]

use std::env;
use std::io::Read as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use rdstoken::{Clock, Credentials, Error, Now, Signer, SignerOptions};

const HOST: &str = "mydb.cluster-abc123.us-east-1.rds.amazonaws.com";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

struct Frozen(u64);

impl Clock for Frozen {
    fn now(&self) -> Now {
        Now {
            wall: UNIX_EPOCH + Duration::from_secs(self.0),
            boot: Duration::from_secs(self.0),
        }
    }
}

fn options() -> SignerOptions {
    let mut options = SignerOptions::new(HOST, 5432, "app");
    options.credentials = Some(Credentials::new("AKIDEXAMPLE", SECRET, None).unwrap());
    options.clock = Arc::new(Frozen(1_767_225_600));
    options
}

fn refused_field(change: impl FnOnce(&mut SignerOptions)) -> Option<&'static str> {
    let mut options = options();
    change(&mut options);
    match Signer::new(options) {
        Ok(_) => panic!("bad options were accepted"),
        Err(error) => error.field(),
    }
}

#[test]
fn every_bad_option_is_named() {
    assert_eq!(refused_field(|o| o.hostname.clear()), Some("hostname"));
    assert_eq!(refused_field(|o| o.port = 0), Some("port"));
    assert_eq!(refused_field(|o| o.username.clear()), Some("username"));
    assert_eq!(
        refused_field(|o| o.region = Some("here".to_owned())),
        Some("region")
    );
    assert_eq!(
        refused_field(|o| o.profile = Some("dev".to_owned())),
        Some("profile")
    );
    for profile in ["", "a\0b", &"p".repeat(1025)] {
        let bad = |o: &mut SignerOptions| {
            o.credentials = None;
            o.profile = Some(profile.to_owned());
        };
        assert_eq!(refused_field(bad), Some("profile"));
    }
    assert_eq!(
        refused_field(|o| o.expires_in = Duration::from_millis(999)),
        Some("expires_in")
    );
    assert_eq!(
        refused_field(|o| o.expires_in = Duration::from_secs(901)),
        Some("expires_in")
    );
    assert_eq!(
        refused_field(|o| o.timeout = Duration::ZERO),
        Some("timeout")
    );
    assert_eq!(
        refused_field(|o| o.timeout = Duration::from_secs(3601)),
        Some("timeout")
    );
}

#[test]
fn it_signs_with_its_clock_and_says_when_the_token_ends() {
    let mut options = options();
    options.expires_in = Duration::from_secs(60);
    let signer = Signer::new(options).unwrap();
    assert_eq!(signer.expires_at(), None);
    let token = signer.token().unwrap();
    assert!(
        token
            .value()
            .contains("&X-Amz-Date=20260101T000000Z&X-Amz-Expires=60&")
    );
    let end = UNIX_EPOCH + Duration::from_secs(1_767_225_660);
    assert_eq!((token.expires_at(), signer.expires_at()), (end, Some(end)));
}

#[test]
fn a_signer_can_be_shared_between_threads() {
    let signer = Signer::new(options()).unwrap();
    let expected = signer.token().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(signer.token().unwrap().value(), expected.value()));
        }
    });
}

/// What a child does: signs with no credentials given, for the host and profile in `CASE_*`.
#[test]
#[ignore = "run by the tests below, in an environment of its own"]
fn child() {
    let host = env::var("CASE_HOST").unwrap();
    let mut options = SignerOptions::new(&host, 5432, "app");
    options.profile = env::var("CASE_PROFILE").ok();
    options.timeout = Duration::from_millis(env::var("CASE_TIMEOUT").unwrap().parse().unwrap());
    options.clock = Arc::new(Frozen(1_767_225_600));
    let answer = match Signer::new(options).and_then(|signer| signer.token()) {
        Ok(token) => {
            let (_, rest) = token.value().split_once("&X-Amz-Credential=").unwrap();
            let (scope, _) = rest.split_once("%2Faws4_request").unwrap();
            format!("ok {scope}")
        }
        Err(error) => describe(&error),
    };
    std::fs::write(env::var("CASE_ANSWER").unwrap(), answer).unwrap();
}

fn describe(error: &Error) -> String {
    format!("error {} {error}", error.kind().code())
}

struct Case {
    host: &'static str,
    variables: Vec<(&'static str, String)>,
    config: &'static str,
    credentials: &'static str,
    timeout: u32,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            host: HOST,
            variables: Vec::new(),
            config: "",
            credentials: "",
            timeout: 5000,
        }
    }
}

impl Case {
    fn run(self) -> String {
        assert!(
            env::var_os("RDSTOKEN_TEST_GUARD").is_some(),
            "run this through tests/guard.sh, as `make test` does"
        );
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| -> PathBuf {
            let path = directory.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let answer = file("answer", "");
        let child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "child", "--ignored", "--quiet"])
            .env("AWS_CONFIG_FILE", file("config", self.config))
            .env(
                "AWS_SHARED_CREDENTIALS_FILE",
                file("credentials", self.credentials),
            )
            .env("CASE_HOST", self.host)
            .env("CASE_TIMEOUT", self.timeout.to_string())
            .env("CASE_ANSWER", &answer)
            .envs(self.variables)
            .output()
            .unwrap();
        assert!(
            child.status.success(),
            "{}",
            String::from_utf8_lossy(&child.stderr)
        );
        std::fs::read_to_string(answer).unwrap()
    }
}

fn keys() -> Vec<(&'static str, String)> {
    vec![
        ("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
    ]
}

const PROFILES: &str = "[default]\naws_access_key_id=AKIDDEFAULT\naws_secret_access_key=s\n\
                        [dev]\naws_access_key_id=AKIDDEV\naws_secret_access_key=s\n";

#[test]
fn the_environment_comes_first() {
    let case = Case {
        variables: keys(),
        credentials: PROFILES,
        ..Case::default()
    };
    assert_eq!(
        case.run(),
        "ok AKIDENVIRONMENT%2F20260101%2Fus-east-1%2Frds-db"
    );
}

#[test]
fn then_the_default_profile() {
    let case = Case {
        credentials: PROFILES,
        ..Case::default()
    };
    assert_eq!(case.run(), "ok AKIDDEFAULT%2F20260101%2Fus-east-1%2Frds-db");
}

#[test]
fn a_named_profile_sets_the_environment_aside() {
    let mut variables = keys();
    variables.push(("CASE_PROFILE", "dev".to_owned()));
    let case = Case {
        variables,
        credentials: PROFILES,
        ..Case::default()
    };
    assert_eq!(case.run(), "ok AKIDDEV%2F20260101%2Fus-east-1%2Frds-db");
}

#[test]
fn a_profile_that_is_not_there() {
    let variables = vec![("CASE_PROFILE", "missing".to_owned())];
    let answer = Case {
        variables,
        credentials: PROFILES,
        ..Case::default()
    }
    .run();
    assert!(
        answer.starts_with("error CredentialsNotFound no credentials: the profile"),
        "{answer}"
    );
}

#[test]
fn no_credentials_anywhere_names_every_source() {
    let answer = Case::default().run();
    assert!(answer.starts_with("error CredentialsNotFound "), "{answer}");
    for source in [
        "AWS_ACCESS_KEY_ID",
        "profile",
        "web identity",
        "ECS or EKS",
        "EC2 instance metadata",
    ] {
        assert!(answer.contains(source), "{source} in {answer}");
    }
}

#[test]
fn the_region_comes_from_the_hostname_then_the_environment_then_the_profile() {
    let region = |host, environment: Option<&str>, config| {
        let mut variables = keys();
        if let Some(region) = environment {
            variables.push(("AWS_REGION", region.to_owned()));
        }
        Case {
            host,
            variables,
            config,
            ..Case::default()
        }
        .run()
    };
    let profile = "[default]\nregion=eu-west-3\n";
    let custom = "db.example.com";
    let answer = |region| format!("ok AKIDENVIRONMENT%2F20260101%2F{region}%2Frds-db");
    assert_eq!(
        region(HOST, Some("eu-west-2"), profile),
        answer("us-east-1")
    );
    assert_eq!(
        region(custom, Some("eu-west-2"), profile),
        answer("eu-west-2")
    );
    assert_eq!(region(custom, None, profile), answer("eu-west-3"));
    let none = region(custom, None, "");
    assert!(none.starts_with("error RegionNotFound "), "{none}");
}

#[test]
fn credential_process_and_its_failure() {
    let config = "[default]\ncredential_process=/bin/sh -c 'echo \"{\\\"Version\\\":1,\
                  \\\"AccessKeyId\\\":\\\"AKIDPROCESS\\\",\\\"SecretAccessKey\\\":\\\"s\\\"}\"'\n";
    let answer = Case {
        config,
        ..Case::default()
    }
    .run();
    assert_eq!(answer, "ok AKIDPROCESS%2F20260101%2Fus-east-1%2Frds-db");

    let config = "[default]\ncredential_process=/bin/sh -c 'echo SECRETLEAK; exit 3'\n";
    let answer = Case {
        config,
        ..Case::default()
    }
    .run();
    assert!(answer.starts_with("error CredentialsFailed "), "{answer}");
    assert!(!answer.contains("SECRETLEAK"));
}

#[test]
fn unusable_credentials_are_named_without_their_value() {
    let credentials = "[default]\naws_access_key_id=AKID\naws_secret_access_key=two words\n";
    let answer = Case {
        credentials,
        ..Case::default()
    }
    .run();
    assert!(answer.starts_with("error CredentialsFailed "), "{answer}");
    assert!(
        answer.contains("secret_access_key") && !answer.contains("two words"),
        "{answer}"
    );
}

#[test]
fn a_source_that_never_answers_ends_at_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        // Until the client gives up.
        stream.read_to_end(&mut request).ok();
    });
    let uri = format!("http://{address}/credentials");
    let variables = vec![("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri)];
    let answer = Case {
        variables,
        timeout: 300,
        ..Case::default()
    }
    .run();
    assert_eq!(
        answer,
        "error Timeout no credentials within 0.3 s: still waiting for \
         ECS or EKS container (AWS_CONTAINER_CREDENTIALS_*)"
    );
    server.join().unwrap();
}

#[test]
fn a_file_that_never_answers_ends_at_the_deadline() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("fifo");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let process = format!(
        "[default]\ncredential_process=/bin/cat {}\n",
        fifo.display()
    );
    let config = Box::leak(process.into_boxed_str());
    let answer = Case {
        config,
        timeout: 300,
        ..Case::default()
    }
    .run();
    assert!(
        answer.starts_with("error Timeout no credentials within 0.3 s: "),
        "{answer}"
    );

    let variables = vec![
        ("AWS_WEB_IDENTITY_TOKEN_FILE", fifo.display().to_string()),
        (
            "AWS_ROLE_ARN",
            "arn:aws:iam::123456789012:role/app".to_owned(),
        ),
    ];
    let answer = Case {
        variables,
        timeout: 300,
        ..Case::default()
    }
    .run();
    assert!(
        answer.starts_with("error Timeout no credentials within 0.3 s: "),
        "{answer}"
    );
}
