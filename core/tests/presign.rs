//! `presign` against aws-sigv4's own presigner, for any input, and against bad input.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests may fail as a test does"
)]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sigv4::http_request::{
    PercentEncodingMode, SessionTokenMode, SignableBody, SignableRequest, SignatureLocation,
    SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use proptest::prelude::*;
use rdstoken::{
    AuthToken, Credentials, Error, ErrorKind, Login, PresignRequest, Region, SigningKey, presign,
};

/// All but RFC 3986's unreserved characters.
const RESERVED: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const HOST: &str = "mydb.cluster-abc123.us-east-1.rds.amazonaws.com";

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Any input within the contract.
#[derive(Clone, Debug)]
struct Input {
    hostname: String,
    port: u16,
    username: String,
    region: String,
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    signing_time: u64,
    expires_in: u64,
}

prop_compose! {
    fn inputs()(
        hostname in "[a-zA-Z0-9_-]{1,20}(\\.[a-zA-Z0-9-]{1,12}){0,3}\\.[a-zA-Z]{2,8}\\.?",
        port in 1_u16..,
        username in "[^\\x00]{1,50}",
        region in "[a-z]{2,6}(-[a-z]{1,8}){1,3}-[0-9]{1,2}",
        access_key_id in "[!-~]{1,128}",
        secret_access_key in "[!-~]{1,80}",
        session_token in proptest::option::of("[!-~]{1,3000}"),
        signing_time in 0_u64..=253_402_299_899,
        expires_in in 1_u64..=900,
    ) -> Input {
        Input {
            hostname, port, username, region, access_key_id, secret_access_key, session_token,
            signing_time, expires_in,
        }
    }
}

impl Input {
    fn credentials(&self) -> Credentials {
        Credentials::new(
            &self.access_key_id,
            &self.secret_access_key,
            self.session_token.as_deref(),
        )
        .unwrap()
    }

    fn presign(&self) -> Result<AuthToken, Error> {
        presign(&PresignRequest {
            hostname: &self.hostname,
            port: self.port,
            username: &self.username,
            region: Some(&self.region),
            credentials: &self.credentials(),
            signing_time: at(self.signing_time),
            expires_in: Duration::from_secs(self.expires_in),
        })
    }

    /// The signature that aws-sigv4 makes for the same request.
    fn oracle(&self) -> String {
        let host = self.hostname.to_ascii_lowercase();
        let authority = format!("{}:{}", host.strip_suffix('.').unwrap_or(&host), self.port);
        let identity = aws_credential_types::Credentials::new(
            &self.access_key_id,
            &self.secret_access_key,
            self.session_token.clone(),
            None,
            "test",
        )
        .into();
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(Duration::from_secs(self.expires_in));
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.session_token_mode = SessionTokenMode::Include;
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("rds-db")
            .time(at(self.signing_time))
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let user = percent_encoding::utf8_percent_encode(&self.username, RESERVED);
        let request = SignableRequest::new(
            "GET",
            format!("https://{authority}/?Action=connect&DBUser={user}"),
            [("host", authority.as_str())].into_iter(),
            SignableBody::empty(),
        )
        .unwrap();
        sign(request, &params).unwrap().signature().to_owned()
    }
}

proptest! {
    #[test]
    fn the_signature_is_that_of_aws_sigv4(input in inputs()) {
        let token = input.presign().unwrap();
        let (_, signature) = token.value().rsplit_once("&X-Amz-Signature=").unwrap();
        prop_assert_eq!(signature, input.oracle());
    }

    #[test]
    fn a_kept_key_makes_the_same_token(input in inputs()) {
        let region = Region::new(&input.region).unwrap();
        let login = Login::new(&input.hostname, input.port, &input.username).unwrap();
        let midnight = at(input.signing_time - input.signing_time % 86_400);
        let key = SigningKey::derive(&input.credentials(), &region, midnight).unwrap();
        let expires_in = Duration::from_secs(input.expires_in);
        let kept = key.presign(&login, at(input.signing_time), expires_in).unwrap();
        let token = input.presign().unwrap();
        prop_assert_eq!(kept.value(), token.value());
    }

    #[test]
    fn a_token_is_plain_ascii_of_few_characters(input in inputs()) {
        let token = input.presign().unwrap();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".:/?=&%_-~".contains(&byte);
        prop_assert!(token.value().bytes().all(allowed));
        prop_assert_eq!(token.expires_at(), at(input.signing_time + input.expires_in));
    }

    #[test]
    fn no_hostname_and_no_user_panic(hostname: String, username: String, port: u16) {
        if let Err(error) = Login::new(&hostname, port, &username) {
            prop_assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            prop_assert!(["hostname", "port", "username"].contains(&error.field().unwrap()));
        }
    }
}

fn plain() -> Input {
    Input {
        hostname: HOST.to_owned(),
        port: 5432,
        username: "app".to_owned(),
        region: "us-east-1".to_owned(),
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: SECRET.to_owned(),
        session_token: None,
        signing_time: 1_767_225_600,
        expires_in: 900,
    }
}

fn refused_field(change: impl FnOnce(&mut Input)) -> Option<&'static str> {
    let mut input = plain();
    change(&mut input);
    let error = input.presign().expect_err("bad input is refused");
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    error.field()
}

#[test]
fn every_bad_argument_is_named() {
    assert_eq!(refused_field(|i| i.hostname.clear()), Some("hostname"));
    assert_eq!(refused_field(|i| i.port = 0), Some("port"));
    assert_eq!(refused_field(|i| i.username.clear()), Some("username"));
    assert_eq!(
        refused_field(|i| i.username = "a\0b".to_owned()),
        Some("username")
    );
    assert_eq!(
        refused_field(|i| i.username = "u".repeat(256)),
        Some("username")
    );
    assert_eq!(refused_field(|i| i.expires_in = 0), Some("expires_in"));
    assert_eq!(refused_field(|i| i.expires_in = 901), Some("expires_in"));
    assert_eq!(
        refused_field(|i| i.signing_time = 253_402_299_900),
        Some("signing_time")
    );
    for region in [
        "",
        "us-east-1a",
        "US-EAST-1",
        "us_east_1",
        "useast1",
        "global",
        "us-east-1 ",
    ] {
        assert_eq!(
            refused_field(|i| i.region = region.to_owned()),
            Some("region"),
            "{region}"
        );
    }
}

#[test]
fn fractions_of_a_second_are_dropped() {
    let token = presign(&PresignRequest {
        hostname: HOST,
        port: 5432,
        username: "app",
        region: None,
        credentials: &plain().credentials(),
        signing_time: at(1_767_225_600) + Duration::from_millis(999),
        expires_in: Duration::from_millis(900_999),
    })
    .unwrap();
    assert_eq!(token.value(), plain().presign().unwrap().value());
    assert_eq!(token.expires_at(), at(1_767_226_500));
}

#[test]
fn a_hostname_without_region_needs_one() {
    let error = presign(&PresignRequest {
        hostname: "db.example.com",
        port: 5432,
        username: "app",
        region: None,
        credentials: &plain().credentials(),
        signing_time: at(0),
        expires_in: Duration::from_secs(900),
    })
    .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RegionNotFound);
}

#[test]
fn a_key_signs_only_on_its_day() {
    let input = plain();
    let region = Region::new(&input.region).unwrap();
    let login = Login::new(&input.hostname, input.port, &input.username).unwrap();
    let key = SigningKey::derive(&input.credentials(), &region, at(86_400)).unwrap();
    let expires_in = Duration::from_secs(900);
    assert!(key.presign(&login, at(2 * 86_400 - 1), expires_in).is_ok());
    for other_day in [at(86_399), at(2 * 86_400)] {
        let error = key.presign(&login, other_day, expires_in).unwrap_err();
        assert_eq!(error.field(), Some("signing_time"));
    }
}

#[test]
fn a_token_does_not_outlive_its_credentials() {
    let sign = |expires_at: u64| {
        presign(&PresignRequest {
            hostname: HOST,
            port: 5432,
            username: "app",
            region: None,
            credentials: &plain().credentials().expiring_at(at(expires_at)),
            signing_time: at(1000),
            expires_in: Duration::from_secs(900),
        })
    };
    assert_eq!(sign(5000).unwrap().expires_at(), at(1900));
    assert_eq!(sign(1001).unwrap().expires_at(), at(1001));
    assert_eq!(
        sign(1000).unwrap_err().kind(),
        ErrorKind::CredentialsExpired
    );
    assert_eq!(sign(999).unwrap_err().kind(), ErrorKind::CredentialsExpired);
}

#[test]
fn credentials_are_checked() {
    let field = |id: &str, secret: &str, token: Option<&str>| {
        Credentials::new(id, secret, token)
            .expect_err("refused")
            .field()
    };
    assert_eq!(field("", SECRET, None), Some("access_key_id"));
    assert_eq!(field(&"A".repeat(129), SECRET, None), Some("access_key_id"));
    assert_eq!(field("AKID ", SECRET, None), Some("access_key_id"));
    assert_eq!(field("AKID", "", None), Some("secret_access_key"));
    assert_eq!(field("AKID", "secret\n", None), Some("secret_access_key"));
    assert_eq!(
        field("AKID", &"s".repeat(1025), None),
        Some("secret_access_key")
    );
    assert_eq!(field("AKID", SECRET, Some("töken")), Some("session_token"));
    assert_eq!(
        field("AKID", SECRET, Some(&"t".repeat(65_537))),
        Some("session_token")
    );
    assert!(Credentials::new("AKID", SECRET, Some("")).is_ok());
}

#[test]
fn no_debug_text_holds_a_secret() {
    let credentials = Credentials::new("AKIDEXAMPLE", SECRET, Some("SESSIONTOKEN")).unwrap();
    let mut input = plain();
    input.session_token = Some("SESSIONTOKEN".to_owned());
    let token = input.presign().unwrap();
    let (_, signature) = token.value().rsplit_once('=').unwrap();
    let text = format!("{credentials:?} {token:?}");
    assert!(text.contains("AKIDEXAMPLE"));
    for secret in [SECRET, "SESSIONTOKEN", signature, HOST] {
        assert!(!text.contains(secret));
    }
}
