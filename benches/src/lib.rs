//! What all measurements sign, the peers that sign it too, and the hashing that nobody can avoid.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_rds::auth_token::{AuthTokenGenerator, Config};
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_async::time::SystemTimeSource;
use aws_smithy_runtime_api::client::identity::Identity;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rdstoken::{Credentials, Login, Region, Signer, SignerOptions, SigningKey};
use sha2::{Digest as _, Sha256};

/// The endpoint.
pub const HOSTNAME: &str = "mydb.cluster-abc123def456.us-east-1.rds.amazonaws.com";
/// Its port.
pub const PORT: u16 = 5432;
/// The database user.
pub const USERNAME: &str = "app";
/// Its region.
pub const REGION: &str = "us-east-1";
const ACCESS_KEY_ID: &str = "ASIAIOSFODNN7EXAMPLE";
const SECRET_ACCESS_KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// A session token of this length out of base64's characters, as STS's are.
#[must_use]
pub fn session_token(length: usize) -> String {
    const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut state = 1_u32;
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
            char::from(BASE64[(state >> 16) as usize % BASE64.len()])
        })
        .collect()
}

/// What a token is made of.
pub struct Inputs {
    /// Who signs.
    pub credentials: Credentials,
    /// What for.
    pub login: Login,
    /// Where.
    pub region: Region,
    /// When.
    pub signing_time: SystemTime,
    session_token: String,
}

/// How long the tokens are valid.
pub const EXPIRES_IN: Duration = Duration::from_secs(900);

impl Inputs {
    /// With a session token of this length.
    #[must_use]
    pub fn new(length: usize) -> Self {
        let session_token = session_token(length);
        Self {
            credentials: Credentials::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY, Some(&session_token))
                .expect("good credentials"),
            login: Login::new(HOSTNAME, PORT, USERNAME).expect("a good login"),
            region: Region::new(REGION).expect("a good region"),
            signing_time: UNIX_EPOCH + Duration::from_secs(1_767_270_896),
            session_token,
        }
    }

    /// Our key of the day.
    #[must_use]
    pub fn key(&self) -> SigningKey {
        SigningKey::derive(&self.credentials, &self.region, self.signing_time).expect("a good day")
    }

    /// Our signer, with these credentials and the machine's clocks.
    #[must_use]
    pub fn signer(&self, cache: bool) -> Signer {
        let mut options = SignerOptions::new(HOSTNAME, PORT, USERNAME);
        options.credentials = Some(self.credentials.clone());
        options.cache = cache;
        Signer::new(options).expect("good options")
    }

    fn peers_credentials(&self) -> aws_credential_types::Credentials {
        aws_credential_types::Credentials::new(
            ACCESS_KEY_ID,
            SECRET_ACCESS_KEY,
            Some(self.session_token.clone()),
            None,
            "benchmark",
        )
    }
}

/// `aws-sdk-rds`, as its documentation has it.
pub struct AwsSdkRds {
    generator: AuthTokenGenerator,
    config: aws_types::SdkConfig,
}

impl AwsSdkRds {
    /// With credentials at hand.
    #[must_use]
    pub fn new(inputs: &Inputs) -> Self {
        let config = Config::builder()
            .hostname(HOSTNAME)
            .port(u64::from(PORT))
            .username(USERNAME)
            .build()
            .expect("good options");
        let provider = SharedCredentialsProvider::new(inputs.peers_credentials());
        Self {
            generator: AuthTokenGenerator::new(config),
            config: aws_types::SdkConfig::builder()
                .region(aws_types::region::Region::new(REGION))
                .credentials_provider(provider)
                .time_source(SystemTimeSource::new())
                .build(),
        }
    }

    /// Signs a token.
    #[must_use]
    pub fn token(&self) -> String {
        let token = at_once(self.generator.auth_token(&self.config));
        token.expect("a token").as_str().to_owned()
    }
}

/// Nothing in it waits.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits for something"),
    }
}

/// `aws-sigv4`'s presigner, with all that can be prepared prepared.
pub struct AwsSigv4 {
    identity: Identity,
    uri: String,
}

impl AwsSigv4 {
    /// With credentials at hand.
    #[must_use]
    pub fn new(inputs: &Inputs) -> Self {
        Self {
            identity: inputs.peers_credentials().into(),
            uri: format!("https://{HOSTNAME}:{PORT}/?Action=connect&DBUser={USERNAME}"),
        }
    }

    /// Signs, and gives the signed parameters back as they come.
    #[must_use]
    pub fn sign(&self, signing_time: SystemTime) -> (usize, String) {
        let mut settings = SigningSettings::default();
        settings.expires_in = Some(EXPIRES_IN);
        settings.signature_location = SignatureLocation::QueryParams;
        let params = v4::SigningParams::builder()
            .identity(&self.identity)
            .region(REGION)
            .name("rds-db")
            .time(signing_time)
            .settings(settings)
            .build()
            .expect("all is given")
            .into();
        let request =
            SignableRequest::new("GET", &self.uri, std::iter::empty(), SignableBody::empty())
                .expect("a good request");
        let (instructions, signature) = sign(request, &params).expect("signed").into_parts();
        (instructions.into_parts().1.len(), signature)
    }
}

/// The hashing that a token needs, and nothing else: of the same number of bytes, each in one piece.
pub struct Floor {
    canonical_request: Vec<u8>,
    string_to_sign: Vec<u8>,
    key: Hmac<Sha256>,
}

impl Floor {
    /// For a token of ours.
    #[must_use]
    pub fn new(inputs: &Inputs) -> Self {
        let token = inputs
            .key()
            .presign(&inputs.login, inputs.signing_time, EXPIRES_IN)
            .expect("a token");
        let query = token.value().split_once("/?").expect("a query").1;
        let query = query.rsplit_once('&').expect("a signature").0;
        let canonical_request = format!(
            "GET\n/\n{query}\nhost:{HOSTNAME}:{PORT}\n\nhost\n\
             e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        let string_to_sign = format!(
            "AWS4-HMAC-SHA256\n20260101T123456Z\n20260101/{REGION}/rds-db/aws4_request\n{}",
            "0".repeat(64)
        );
        Self {
            canonical_request: canonical_request.into(),
            string_to_sign: string_to_sign.into(),
            key: hmac_of(&[7; 32]),
        }
    }

    /// With the day's key kept.
    #[must_use]
    pub fn kept(&self) -> [u8; 32] {
        self.with(&self.key)
    }

    /// With the day's key derived.
    #[must_use]
    pub fn derived(&self) -> [u8; 32] {
        let mut key = hmac_of(&[b'K'; 44]);
        for part in ["20260101", REGION, "rds-db", "aws4_request"] {
            key.update(part.as_bytes());
            key = hmac_of(&key.finalize().into_bytes());
        }
        self.with(&key)
    }

    fn with(&self, key: &Hmac<Sha256>) -> [u8; 32] {
        let hash = Sha256::digest(&self.canonical_request);
        std::hint::black_box(&hash);
        let mut hmac = key.clone();
        hmac.update(&self.string_to_sign);
        hmac.finalize().into_bytes().into()
    }
}

fn hmac_of(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("a key of any length will do")
}
