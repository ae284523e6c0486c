//! The verifier: what it lets in and, one by one, what it refuses. Tokens that `presign` would not
//! make are signed here, properly, so that it is their fault and not their signature that shows.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use rdstoken::{Credentials, PresignRequest, Refusal, Verifier, presign};
use sha2::{Digest, Sha256};

const HOST: &str = "mydb.cluster-abc123def456.us-east-1.rds.amazonaws.com";
const AUTHORITY: &str = "mydb.cluster-abc123def456.us-east-1.rds.amazonaws.com:5432";
const USER: &str = "app_user";
const LIFE: Duration = Duration::from_secs(900);

/// 2026-01-01T00:00:00Z
fn signed_at() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_767_225_600)
}

/// An access key with static secrets, and one with a session token full of what gets escaped.
const STATIC: Key = Key {
    id: "AKIDSTATIC",
    secret: "made/up+secret+of+the+static+key+1234567",
    session_token: None,
};
const SESSION: Key = Key {
    id: "ASIDSESSION",
    secret: "made/up+secret+of+the+session+key+123456",
    session_token: Some("IQoJb3JpZ2luX2VjE+/a+b/c==Zm9v/YmFy+cXV4/w=="),
};

#[derive(Clone, Copy)]
struct Key {
    id: &'static str,
    secret: &'static str,
    session_token: Option<&'static str>,
}

impl Key {
    fn credentials(self) -> Credentials {
        Credentials::new(self.id, self.secret, self.session_token).unwrap()
    }
}

fn verifier() -> Verifier {
    Verifier::new()
        .endpoint(HOST, 5432, None)
        .unwrap()
        .endpoint("db.example.com", 5432, Some("eu-west-1"))
        .unwrap()
        .credentials(STATIC.credentials())
        .credentials(SESSION.credentials())
}

fn token_for(key: Key, hostname: &str, port: u16, username: &str) -> String {
    let token = presign(&PresignRequest {
        hostname,
        port,
        username,
        region: None,
        credentials: &key.credentials(),
        signing_time: signed_at(),
        expires_in: LIFE,
    });
    token.unwrap().value().to_owned()
}

fn token(key: Key) -> String {
    token_for(key, HOST, 5432, USER)
}

fn verify(token: &str) -> Result<(), Refusal> {
    verifier().verify(token, USER, signed_at())
}

/// A token whose every part can be wrong and whose signature is right all the same.
#[derive(Clone)]
struct Request {
    authority: String,
    secret: &'static str,
    /// Names and values, not escaped, in the order of the text.
    parameters: Vec<(String, String)>,
}

const STRICT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, STRICT).to_string()
}

impl Request {
    fn new(key: Key) -> Self {
        let credential = format!("{}/20260101/us-east-1/rds-db/aws4_request", key.id);
        let mut parameters = vec![
            ("Action", "connect"),
            ("DBUser", USER),
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Credential", credential.as_str()),
            ("X-Amz-Date", "20260101T000000Z"),
            ("X-Amz-Expires", "900"),
            ("X-Amz-SignedHeaders", "host"),
        ];
        if let Some(session_token) = key.session_token {
            parameters.push(("X-Amz-Security-Token", session_token));
        }
        Self {
            authority: AUTHORITY.to_owned(),
            secret: key.secret,
            parameters: parameters
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        let found = self.parameters.iter_mut().find(|(known, _)| known == name);
        value.clone_into(&mut found.unwrap().1);
        self
    }

    fn without(mut self, name: &str) -> Self {
        let before = self.parameters.len();
        self.parameters.retain(|(known, _)| known != name);
        assert_eq!(self.parameters.len(), before - 1);
        self
    }

    fn and(mut self, name: &str, value: &str) -> Self {
        self.parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    fn at(mut self, authority: &str) -> Self {
        authority.clone_into(&mut self.authority);
        self
    }

    fn get(&self, name: &str) -> &str {
        let found = self.parameters.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    fn signature(&self) -> String {
        let mut query: Vec<String> = self
            .parameters
            .iter()
            .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)))
            .collect();
        query.sort();
        let canonical_request = format!(
            "GET\n/\n{}\nhost:{}\n\nhost\n{:x}",
            query.join("&"),
            self.authority,
            HexOf(&Sha256::digest(b""))
        );
        let credential: Vec<&str> = self.get("X-Amz-Credential").split('/').collect();
        let [_, day, region, service, ..] = credential[..] else {
            return "0".repeat(64);
        };
        let string_to_sign = format!(
            "AWS4-HMAC-SHA256\n{}\n{day}/{region}/{service}/aws4_request\n{:x}",
            self.get("X-Amz-Date"),
            HexOf(&Sha256::digest(canonical_request)),
        );
        // The key is bound to the day alone, and every request here is of the one day.
        let key = generate_signing_key(self.secret, signed_at(), region, service);
        calculate_signature(key, string_to_sign.as_bytes())
    }

    /// The text, signature last.
    fn token(&self) -> String {
        let signature = self.signature();
        let parameters: Vec<String> = self
            .parameters
            .iter()
            .map(|(name, value)| format!("{name}={}", escaped(value)))
            .chain([format!("X-Amz-Signature={signature}")])
            .collect();
        format!("{}/?{}", self.authority, parameters.join("&"))
    }

    fn verify(&self) -> Result<(), Refusal> {
        verify(&self.token())
    }
}

struct HexOf<'a>(&'a [u8]);

impl std::fmt::LowerHex for HexOf<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Where this fails, the refusals below mean nothing.
#[test]
fn this_files_own_signer_is_right() {
    assert_eq!(Request::new(STATIC).token(), token(STATIC));
    assert_eq!(Request::new(SESSION).token(), token(SESSION));
}

#[test]
fn good_tokens() {
    for key in [STATIC, SESSION] {
        assert_eq!(verify(&token(key)), Ok(()));
    }
    let longest = Credentials::new("ASIDLONG", "made-up", Some(&"+/=a".repeat(16_384))).unwrap();
    let long = presign(&PresignRequest {
        hostname: HOST,
        port: 5432,
        username: USER,
        region: None,
        credentials: &longest,
        signing_time: signed_at(),
        expires_in: LIFE,
    });
    let verifier = verifier().credentials(longest);
    let long = long.unwrap();
    assert!(long.value().len() > 150_000);
    assert_eq!(verifier.verify(long.value(), USER, signed_at()), Ok(()));
}

#[test]
fn odd_users() {
    for user in [
        "a b",
        " a ",
        "a+b",
        "100%",
        "a%2Fb",
        "a&DBUser=admin",
        "a/?b",
        "müller",
        "🔑",
        "a\tb\n",
        "A",
    ] {
        let token = token_for(STATIC, HOST, 5432, user);
        assert_eq!(
            verifier().verify(&token, user, signed_at()),
            Ok(()),
            "{user}"
        );
        assert_eq!(
            verifier().verify(&token, "admin", signed_at()),
            Err(Refusal::WrongUser),
            "{user}"
        );
    }
}

/// Every AWS SDK signs the same and writes it down in an order of its own.
#[test]
fn any_order_of_parameters() {
    for key in [STATIC, SESSION] {
        let token = token(key);
        let (authority, query) = token.split_once("/?").unwrap();
        let parameters: Vec<&str> = query.split('&').collect();
        let ordered = |parameters: &[&str]| format!("{authority}/?{}", parameters.join("&"));
        let mut reversed = parameters.clone();
        reversed.reverse();
        assert_eq!(verify(&ordered(&reversed)), Ok(()));
        for first in 0..parameters.len() {
            let mut rotated = parameters.clone();
            rotated.rotate_left(first);
            assert_eq!(verify(&ordered(&rotated)), Ok(()));
            for second in 0..first {
                let mut swapped = parameters.clone();
                swapped.swap(first, second);
                assert_eq!(verify(&ordered(&swapped)), Ok(()));
            }
        }
    }
}

#[test]
fn wrong_endpoint() {
    let other = "other.cluster-abc123def456.us-east-1.rds.amazonaws.com";
    for (hostname, port) in [
        (other, 5432),
        (HOST, 5433),
        (HOST, 543),
        ("db.example.com.us-east-1.rds.amazonaws.com", 5432),
    ] {
        let token = token_for(STATIC, hostname, port, USER);
        assert_eq!(
            verify(&token),
            Err(Refusal::WrongEndpoint),
            "{hostname}:{port}"
        );
    }
    for authority in [
        "MYDB.cluster-abc123def456.us-east-1.rds.amazonaws.com:5432",
        "mydb.cluster-abc123def456.us-east-1.rds.amazonaws.com.:5432",
        "mydb.cluster-abc123def456.us-east-1.rds.amazonaws.com:05432",
        "mydb.cluster-abc123def456.us-east-1.rds.amazonaws.com",
        "https://mydb.cluster-abc123def456.us-east-1.rds.amazonaws.com:5432",
        " mydb.cluster-abc123def456.us-east-1.rds.amazonaws.com:5432",
        "",
    ] {
        let request = Request::new(STATIC).at(authority);
        assert_eq!(
            request.verify(),
            Err(Refusal::WrongEndpoint),
            "{authority:?}"
        );
    }
    let nobody = Verifier::new().credentials(STATIC.credentials());
    assert_eq!(
        nobody.verify(&token(STATIC), USER, signed_at()),
        Err(Refusal::WrongEndpoint)
    );
}

/// How the caller spells an endpoint is not how tokens spell it.
#[test]
fn endpoints_are_normalised() {
    let verifier = Verifier::new()
        .endpoint(&format!("{}.", HOST.to_uppercase()), 5432, None)
        .unwrap()
        .credentials(STATIC.credentials());
    assert_eq!(verifier.verify(&token(STATIC), USER, signed_at()), Ok(()));
}

#[test]
fn endpoints_need_a_region() {
    let refused = |region| {
        let error = Verifier::new()
            .endpoint("db.example.com", 1, region)
            .unwrap_err();
        (error.kind(), error.field())
    };
    assert_eq!(refused(None), (rdstoken::ErrorKind::RegionNotFound, None));
    assert_eq!(
        refused(Some("nowhere")),
        (rdstoken::ErrorKind::InvalidArgument, Some("region"))
    );
    let error = Verifier::new().endpoint(HOST, 0, None).unwrap_err();
    assert_eq!(error.field(), Some("port"));
}

#[test]
fn wrong_user() {
    for user in [
        "app_use",
        "app_users",
        "APP_USER",
        "",
        "app_user ",
        "app_user\0",
    ] {
        assert_eq!(
            verifier().verify(&token(STATIC), user, signed_at()),
            Err(Refusal::WrongUser),
            "{user:?}"
        );
    }
}

#[test]
fn user_not_allowed() {
    let verifier = verifier().user("admin").user("root");
    for (user, expected) in [
        (USER, Err(Refusal::UserNotAllowed)),
        ("Admin", Err(Refusal::UserNotAllowed)),
        ("admin", Ok(())),
        ("root", Ok(())),
    ] {
        let token = token_for(STATIC, HOST, 5432, user);
        assert_eq!(
            verifier.verify(&token, user, signed_at()),
            expected,
            "{user}"
        );
    }
}

#[test]
fn wrong_region() {
    for region in ["us-east-2", "eu-west-1", "", "US-EAST-1", "us-east-1a"] {
        let credential = format!("AKIDSTATIC/20260101/{region}/rds-db/aws4_request");
        let request = Request::new(STATIC).with("X-Amz-Credential", &credential);
        assert_eq!(request.verify(), Err(Refusal::WrongRegion), "{region:?}");
    }
    // Each endpoint has its own.
    let elsewhere = Request::new(STATIC).at("db.example.com:5432");
    assert_eq!(elsewhere.verify(), Err(Refusal::WrongRegion));
    let credential = "AKIDSTATIC/20260101/eu-west-1/rds-db/aws4_request";
    assert_eq!(
        elsewhere.with("X-Amz-Credential", credential).verify(),
        Ok(())
    );
}

#[test]
fn wrong_service() {
    for service in ["rds", "dsql", "s3", "RDS-DB", ""] {
        let credential = format!("AKIDSTATIC/20260101/us-east-1/{service}/aws4_request");
        let request = Request::new(STATIC).with("X-Amz-Credential", &credential);
        assert_eq!(request.verify(), Err(Refusal::WrongService), "{service:?}");
    }
}

#[test]
fn wrong_expiry() {
    for expires in ["0", "901", "604800", "18446744073709551615"] {
        let request = Request::new(STATIC).with("X-Amz-Expires", expires);
        assert_eq!(request.verify(), Err(Refusal::WrongExpiry), "{expires}");
    }
    for expires in [
        "",
        "0900",
        "+900",
        "-1",
        "900.0",
        " 900",
        "9e2",
        "٩",
        "18446744073709551616",
    ] {
        let request = Request::new(STATIC).with("X-Amz-Expires", expires);
        assert_eq!(request.verify(), Err(Refusal::Malformed), "{expires:?}");
    }
    for expires in ["1", "60", "899", "900"] {
        let request = Request::new(STATIC).with("X-Amz-Expires", expires);
        assert_eq!(request.verify(), Ok(()), "{expires}");
    }
}

#[test]
fn unknown_key() {
    for id in ["AKIDOTHER", "akidstatic", "AKIDSTATI", "AKIDSTATICS", ""] {
        let credential = format!("{id}/20260101/us-east-1/rds-db/aws4_request");
        let request = Request::new(STATIC).with("X-Amz-Credential", &credential);
        assert_eq!(request.verify(), Err(Refusal::UnknownKey), "{id:?}");
    }
    let nobody = Verifier::new().endpoint(HOST, 5432, None).unwrap();
    assert_eq!(
        nobody.verify(&token(STATIC), USER, signed_at()),
        Err(Refusal::UnknownKey)
    );
}

#[test]
fn session_tokens() {
    let missing = Request::new(SESSION).without("X-Amz-Security-Token");
    assert_eq!(missing.verify(), Err(Refusal::MissingSessionToken));

    let ours = SESSION.session_token.unwrap();
    for wrong in [
        "",
        "x",
        &ours[1..],
        &ours[..ours.len() - 1],
        &format!("{ours}="),
        &ours.to_lowercase(),
        &ours.replace('+', " "),
    ] {
        let request = Request::new(SESSION).with("X-Amz-Security-Token", wrong);
        assert_eq!(request.verify(), Err(Refusal::WrongSessionToken));
    }
    // A key without one must not be given one, not even another key's.
    for added in ["", "x", ours] {
        let request = Request::new(STATIC).and("X-Amz-Security-Token", added);
        assert_eq!(request.verify(), Err(Refusal::WrongSessionToken));
    }
}

#[test]
fn bad_signature() {
    let good = token(STATIC);
    let (rest, signature) = good.rsplit_once('=').unwrap();
    let other_secret = Request {
        secret: "another",
        ..Request::new(STATIC)
    };
    let other_key = Request {
        secret: SESSION.secret,
        ..Request::new(STATIC)
    };
    for token in [
        other_secret.token(),
        other_key.token(),
        format!("{rest}={}", signature.to_uppercase()),
        format!("{rest}={}", "0".repeat(64)),
        format!("{rest}={}", &signature[1..]),
        format!("{rest}={signature}0"),
        format!("{rest}="),
        format!("{rest}=0x{signature}"),
        // Signed for another second, another life, another user: whole tokens, mixed.
        good.replace("T000000Z", "T000001Z"),
        good.replace("Expires=900", "Expires=899"),
    ] {
        assert_eq!(verify(&token), Err(Refusal::BadSignature));
    }
    let other_user = good.replace("DBUser=app_user", "DBUser=admin");
    assert_eq!(
        verifier().verify(&other_user, "admin", signed_at()),
        Err(Refusal::BadSignature)
    );
}

/// To the nanosecond.
#[test]
fn the_time_window() {
    let nanosecond = Duration::from_nanos(1);
    let skew = Duration::from_secs(300);
    assert_eq!(rdstoken::MAX_CLOCK_SKEW, skew);
    for (now, expected) in [
        (UNIX_EPOCH, Err(Refusal::NotYetValid)),
        (
            signed_at() - Duration::from_secs(301),
            Err(Refusal::NotYetValid),
        ),
        (signed_at() - skew - nanosecond, Err(Refusal::NotYetValid)),
        (signed_at() - skew, Ok(())),
        (signed_at() - nanosecond, Ok(())),
        (signed_at(), Ok(())),
        (signed_at() + Duration::from_secs(899), Ok(())),
        (signed_at() + LIFE - nanosecond, Ok(())),
        (signed_at() + LIFE, Err(Refusal::Expired)),
        (signed_at() + LIFE + nanosecond, Err(Refusal::Expired)),
        (
            signed_at() + Duration::from_secs(86_400 * 365),
            Err(Refusal::Expired),
        ),
    ] {
        assert_eq!(
            verifier().verify(&token(STATIC), USER, now),
            expected,
            "{now:?}"
        );
    }
    let short = Request::new(STATIC).with("X-Amz-Expires", "1").token();
    for (now, expected) in [
        (signed_at() + Duration::from_secs(1) - nanosecond, Ok(())),
        (signed_at() + Duration::from_secs(1), Err(Refusal::Expired)),
    ] {
        assert_eq!(verifier().verify(&short, USER, now), expected, "{now:?}");
    }
}

/// Both ends of what `X-Amz-Date` can say.
#[test]
fn the_first_and_the_last_second() {
    for seconds in [0, 253_402_299_899] {
        let signing_time = UNIX_EPOCH + Duration::from_secs(seconds);
        let token = presign(&PresignRequest {
            hostname: HOST,
            port: 5432,
            username: USER,
            region: None,
            credentials: &STATIC.credentials(),
            signing_time,
            expires_in: LIFE,
        });
        let token = token.unwrap();
        let verify = |now| verifier().verify(token.value(), USER, now);
        assert_eq!(verify(signing_time), Ok(()));
        assert_eq!(verify(signing_time + LIFE), Err(Refusal::Expired));
    }
}

#[test]
fn constants_of_the_form() {
    for (name, wrong) in [
        ("Action", "Connect"),
        ("Action", ""),
        ("Action", "DbConnect"),
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA512"),
        ("X-Amz-Algorithm", "AWS4-ECDSA-P256-SHA256"),
        ("X-Amz-Algorithm", "aws4-hmac-sha256"),
        ("X-Amz-SignedHeaders", "host;x"),
        ("X-Amz-SignedHeaders", ""),
        ("X-Amz-Date", "20260101T000000"),
        ("X-Amz-Date", "20260230T000000Z"),
        ("X-Amz-Date", "2026-01-01T00:00:00Z"),
        ("X-Amz-Date", ""),
        // The day of the scope is another than the date's.
        ("X-Amz-Date", "20260102T000000Z"),
        ("X-Amz-Credential", ""),
        ("X-Amz-Credential", "AKIDSTATIC"),
        ("X-Amz-Credential", "20260101/us-east-1/rds-db/aws4_request"),
        (
            "X-Amz-Credential",
            "AKIDSTATIC/20260101/us-east-1/rds-db/aws4_reques",
        ),
        (
            "X-Amz-Credential",
            "AKIDSTATIC/20260101/us-east-1/rds-db/AWS4_REQUEST",
        ),
        (
            "X-Amz-Credential",
            "AKIDSTATIC/2026010/us-east-1/rds-db/aws4_request",
        ),
        (
            "X-Amz-Credential",
            "AKIDSTATIC//us-east-1/rds-db/aws4_request",
        ),
        (
            "X-Amz-Credential",
            "AKIDSTATIC/20260101/us-east-1/rds-db/aws4_request/",
        ),
    ] {
        let request = Request::new(STATIC).with(name, wrong);
        assert_eq!(request.verify(), Err(Refusal::Malformed), "{name}={wrong}");
    }
    // Read from the right, because a key's id may hold a slash: then the id is not known.
    let credential = "AKIDSTATIC/x/20260101/us-east-1/rds-db/aws4_request";
    let request = Request::new(STATIC).with("X-Amz-Credential", credential);
    assert_eq!(request.verify(), Err(Refusal::UnknownKey));
}

#[test]
fn missing_parameters() {
    for key in [STATIC, SESSION] {
        let request = Request::new(key);
        for (name, _) in &request.parameters {
            if name != "X-Amz-Security-Token" {
                let shorter = request.clone().without(name);
                assert_eq!(shorter.verify(), Err(Refusal::Malformed), "{name}");
            }
        }
        let token = request.token();
        let (unsigned, _) = token.rsplit_once('&').unwrap();
        assert_eq!(verify(unsigned), Err(Refusal::Malformed));
    }
}

#[test]
fn duplicated_parameters() {
    for key in [STATIC, SESSION] {
        let request = Request::new(key);
        for (name, value) in request.parameters.clone() {
            for value in [value.as_str(), "", "x"] {
                let longer = request.clone().and(&name, value);
                assert_eq!(longer.verify(), Err(Refusal::Malformed), "{name}");
            }
        }
        let token = request.token();
        let (_, signature) = token.rsplit_once('&').unwrap();
        let twice = format!("{token}&{signature}");
        assert_eq!(verify(&twice), Err(Refusal::Malformed));
    }
}

#[test]
fn unknown_parameters() {
    for name in [
        "x",
        "action",
        "DbUser",
        "X-Amz-Date2",
        "X-Amz-User-Agent",
        "Version",
        "",
    ] {
        let request = Request::new(STATIC).and(name, "1");
        assert_eq!(request.verify(), Err(Refusal::Malformed), "{name:?}");
    }
    // And one that is not signed.
    let token = token(STATIC);
    for rest in [
        "&x=1", "&x", "&", "&=", "\n", "\0", " ", "#", "#x", "?", "/?x=1", "\r\n",
    ] {
        let longer = format!("{token}{rest}");
        assert_eq!(verify(&longer), Err(Refusal::Malformed), "{rest:?}");
    }
    for before in [
        " ",
        "\n",
        "\u{feff}",
        "https://",
        "postgres://app:",
        "/",
        "?",
    ] {
        let longer = format!("{before}{token}");
        assert_eq!(verify(&longer), Err(Refusal::WrongEndpoint), "{before:?}");
    }
}

/// One value has one spelling: RFC 3986's, with upper-case digits.
#[test]
fn other_percent_escapes() {
    let token = token(SESSION);
    let tail = |text: &str| text.replace("%2Frds-db%2F", "%2frds-db%2F");
    for other in [
        tail(&token),
        token.replace("%2B", "%2b"),
        token.replace("%2B", "+"),
        token.replace("%2F", "/"),
        token.replace("%3D", "="),
        token.replace("%3D", "%3d"),
        token.replace("app_user", "app%5Fuser"),
        token.replace("app_user", "%61pp_user"),
        token.replace("app_user", "app_user%"),
        token.replace("app_user", "app_user%2"),
        token.replace("app_user", "app_user%ZZ"),
        token.replace("app_user", "app_user%FF"),
        token.replace("app_user", "app_user%C3"),
        token.replace("app_user", "app_user%C0%AF"),
        token.replace("Action", "%41ction"),
        token.replace("X-Amz-Date", "X%2DAmz-Date"),
        token.replace('%', "%25"),
        escaped(&token),
    ] {
        assert_ne!(other, token);
        assert_eq!(verify(&other), Err(Refusal::Malformed), "{}", other.len());
    }
}

/// Without the slash, as the Go SDK writes it, newer clusters refuse a token as well.
#[test]
fn without_the_slash() {
    let token = token(STATIC).replacen("/?", "?", 1);
    assert_eq!(verify(&token), Err(Refusal::Malformed));
}

#[test]
fn what_is_no_token() {
    for text in [
        "",
        " ",
        "/",
        "?",
        "/?",
        "a/?",
        "a/?b",
        "a/?b=c",
        "hunter2",
        "&",
        "=",
        "/?=",
        "/?&",
        "/?==",
        "\0",
        "pässword",
        "🔑",
        "{\"password\":1}",
    ] {
        assert_eq!(verify(text), Err(Refusal::Malformed), "{text:?}");
    }
}

/// All 128 ASCII characters and some beyond, in every place; nowhere is one passed over.
#[test]
fn every_single_change_is_refused() {
    let verifier = verifier();
    let refused = |token: &str| verifier.verify(token, USER, signed_at()).is_err();
    let replacements: Vec<char> = ('\0'..='\x7f').chain(['é', '＝', '🔑']).collect();
    for key in [STATIC, SESSION] {
        let good = token(key);
        assert!(good.is_ascii() && !refused(&good));
        for place in 0..good.len() {
            let (before, rest) = good.split_at(place);
            let (old, after) = rest.split_at(1);
            assert!(refused(&format!("{before}{after}")), "{place} dropped");
            for new in &replacements {
                let inserted = format!("{before}{new}{rest}");
                assert!(refused(&inserted), "{new:?} inserted at {place}");
                if !old.starts_with(*new) {
                    let changed = format!("{before}{new}{after}");
                    assert!(refused(&changed), "{new:?} instead of {place}");
                }
            }
            for bit in 0..7 {
                let flipped = char::from(old.as_bytes()[0] ^ 1 << bit);
                assert!(
                    refused(&format!("{before}{flipped}{after}")),
                    "{place}, {bit}"
                );
            }
        }
    }
}

/// The beginnings are what a driver leaves that cuts long passwords, the ends what a careless
/// split leaves.
#[test]
fn every_cut_is_refused() {
    let verifier = verifier();
    for key in [STATIC, SESSION] {
        let good = token(key);
        for place in 0..good.len() {
            let (beginning, end) = good.split_at(place);
            assert!(
                verifier.verify(beginning, USER, signed_at()).is_err(),
                "{place}"
            );
            if place > 0 {
                assert!(verifier.verify(end, USER, signed_at()).is_err(), "{place}");
            }
        }
    }
}

/// A bound, so that a client without a key cannot keep the server busy.
#[test]
fn huge_texts_are_refused() {
    let token = token(STATIC);
    for filler in ["a", "%", "&", "&a=b", "%41", "/?", "=", "é"] {
        let count = 64 * 1024 * 1024 / filler.len();
        let huge = filler.repeat(count);
        assert_eq!(verify(&huge), Err(Refusal::Malformed), "{filler}");
        let huge = format!("{token}{huge}");
        assert_eq!(verify(&huge), Err(Refusal::Malformed), "{filler}");
    }
}

/// What the log shows is one line each, all different, and says nothing that came from outside.
#[test]
fn texts() {
    let all = [
        Refusal::Malformed,
        Refusal::WrongEndpoint,
        Refusal::WrongUser,
        Refusal::UserNotAllowed,
        Refusal::WrongRegion,
        Refusal::WrongService,
        Refusal::WrongExpiry,
        Refusal::UnknownKey,
        Refusal::MissingSessionToken,
        Refusal::WrongSessionToken,
        Refusal::BadSignature,
        Refusal::NotYetValid,
        Refusal::Expired,
    ];
    let mut texts: Vec<String> = all.iter().map(ToString::to_string).collect();
    assert!(
        texts
            .iter()
            .all(|text| !text.is_empty() && !text.contains('\n'))
    );
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), all.len());
}

#[test]
fn debug_holds_no_secret() {
    let text = format!("{:?}", verifier());
    assert!(text.contains("AKIDSTATIC"));
    for key in [STATIC, SESSION] {
        assert!(!text.contains(key.secret));
        assert!(
            key.session_token
                .is_none_or(|secret| !text.contains(secret))
        );
    }
}

proptest! {
    /// Anything at all, and anything at all in the place of a parameter.
    #[test]
    fn nothing_else_passes_and_nothing_panics(text in ".*", at in 0_usize..9) {
        prop_assert!(verify(&text).is_err());
        let good = token(SESSION);
        let (authority, query) = good.split_once("/?").unwrap();
        let mut parameters: Vec<&str> = query.split('&').collect();
        prop_assume!(parameters[at] != text);
        parameters[at] = &text;
        let changed = format!("{authority}/?{}", parameters.join("&"));
        prop_assert!(verify(&changed).is_err());
    }

    /// What one end signs the other accepts, and only for that user.
    #[test]
    fn what_is_signed_is_accepted(user in "[^\0]{1,60}", other in ".{0,60}") {
        let token = token_for(SESSION, HOST, 5432, &user);
        prop_assert_eq!(verifier().verify(&token, &user, signed_at()), Ok(()));
        prop_assume!(user != other);
        prop_assert_eq!(verifier().verify(&token, &other, signed_at()), Err(Refusal::WrongUser));
    }
}
