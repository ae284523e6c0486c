use std::time::{Duration, SystemTime};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize as _, Zeroizing};

use crate::amz_date::{AmzDate, Ascii};
use crate::credentials::MAX_SECRET_ACCESS_KEY;
use crate::{AuthToken, Credentials, Error, ErrorKind, Login, Region, uri};

/// The longest life of a token, and the default: 900 seconds
/// ([AWS](https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html):
/// "Each token has a lifetime of 15 minutes").
pub const MAX_EXPIRES_IN: Duration = Duration::from_secs(900);

/// The signing name of RDS's `connect` action.
pub(crate) const SERVICE: &str = "rds-db";

/// All that a token depends on.
#[derive(Clone, Copy, Debug)]
pub struct PresignRequest<'a> {
    /// The database's endpoint name, see [`Endpoint::new`](crate::Endpoint::new).
    pub hostname: &'a str,
    /// The database's port. It is always signed.
    pub port: u16,
    /// The database user.
    pub username: &'a str,
    /// The endpoint's region; `None` finds it in the hostname.
    pub region: Option<&'a str>,
    /// Who signs.
    pub credentials: &'a Credentials,
    /// When the token begins to be valid. The fraction of a second is dropped.
    pub signing_time: SystemTime,
    /// How long the token is valid: 1 to 900 whole seconds. A fraction is dropped.
    pub expires_in: Duration,
}

/// Makes a token. A pure function: it reads no clock, file, variable or network.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] naming the field, [`ErrorKind::RegionNotFound`] if `region` is
/// `None` and the hostname has none, [`ErrorKind::CredentialsExpired`] if the credentials are known
/// to expire before `signing_time`.
pub fn presign(request: &PresignRequest<'_>) -> Result<AuthToken, Error> {
    let login = Login::new(request.hostname, request.port, request.username)?;
    let region = match request.region {
        Some(name) => Region::new(name)?,
        None => login.endpoint().region().ok_or_else(|| {
            Error::new(
                ErrorKind::RegionNotFound,
                "the hostname names no AWS region; pass the region",
            )
        })?,
    };
    SigningKey::derive(request.credentials, &region, request.signing_time)?.presign(
        &login,
        request.signing_time,
        request.expires_in,
    )
}

/// The key that signs for one set of credentials, one region and one UTC day.
///
/// Deriving it takes half of the hashing of a short token, so a caller that signs often keeps it.
/// It is wiped from memory when dropped.
pub struct SigningKey {
    /// Its two keyed states, so that the key is not hashed again for each token.
    hmac: Hmac<Sha256>,
    credentials: Credentials,
    day: u64,
    /// What a token says from the access key id to the day that it was signed on.
    scope: String,
    /// What is signed, without the time of the day and the hash of the request.
    to_sign: String,
}

/// Where the time of the day belongs in [`SigningKey::to_sign`].
const TIME: usize = "AWS4-HMAC-SHA256\nyyyymmddT".len();
/// Where the region begins there.
const REGION: usize = TIME + "Z\nyyyymmdd/".len();

impl SigningKey {
    /// Derives the key for the UTC day of `signing_time`.
    ///
    /// # Errors
    /// `signing_time` outside the years 1970 to 9999.
    pub fn derive(
        credentials: &Credentials,
        region: &Region,
        signing_time: SystemTime,
    ) -> Result<Self, Error> {
        let date = AmzDate::new(signing_time)?;
        let day_text = date.day_text();
        let (day, name) = (day_text.as_str(), region.as_str());
        let id = credentials.access_key_id();
        let mut scope = String::with_capacity(uri::encoded_length(id) + name.len() + 60);
        uri::encode_into(&mut scope, id);
        for part in [
            "%2F",
            day,
            "%2F",
            name,
            "%2F",
            SERVICE,
            "%2Faws4_request&X-Amz-Date=",
            day,
        ] {
            scope.push_str(part);
        }
        let mut to_sign = String::with_capacity(REGION + name.len() + 24);
        for part in [
            "AWS4-HMAC-SHA256\n",
            day,
            "TZ\n",
            day,
            "/",
            name,
            "/",
            SERVICE,
            "/aws4_request\n",
        ] {
            to_sign.push_str(part);
        }
        Ok(Self {
            hmac: derive(credentials.secret_access_key(), [day, name]),
            credentials: credentials.clone(),
            day: date.day(),
            scope,
            to_sign,
        })
    }

    /// Whether it is the key for this region and the UTC day of `signing_time`.
    pub(crate) fn fits(&self, region: &Region, signing_time: SystemTime) -> bool {
        let rest = &self.to_sign[REGION..];
        rest.strip_prefix(region.as_str())
            .is_some_and(|rest| rest.starts_with('/'))
            && AmzDate::new(signing_time).is_ok_and(|date| date.day() == self.day)
    }

    /// Whether it is a key for the same day.
    pub(crate) fn is_as_old_as(&self, other: &Self) -> bool {
        self.day == other.day
    }

    /// Makes a token with this key.
    ///
    /// # Errors
    /// `signing_time` if it is not on the key's day, `expires_in` unless 1 to 900 seconds, and
    /// [`ErrorKind::CredentialsExpired`].
    pub fn presign(
        &self,
        login: &Login,
        signing_time: SystemTime,
        expires_in: Duration,
    ) -> Result<AuthToken, Error> {
        let date = AmzDate::new(signing_time)?;
        if date.day() != self.day {
            return Err(Error::invalid(
                "signing_time",
                "expected a time on the UTC day that the signing key was derived for",
            ));
        }
        let expires_in = check_expires_in(expires_in)?;
        let mut expires_at = date.system_time() + expires_in;
        if let Some(end) = self.credentials.expires_at() {
            if end <= date.system_time() {
                return Err(Error::new(
                    ErrorKind::CredentialsExpired,
                    "the credentials had expired at the signing time",
                ));
            }
            expires_at = expires_at.min(end);
        }
        let (mut text, hash) = self.unsigned(login, date, expires_in);
        text.push_str(SIGNATURE);
        text.push_str(self.sign(date, &hash).as_str());
        Ok(AuthToken::new(text, expires_at))
    }

    /// The signature alone, for the verifier: it is the same whatever the order of the text.
    pub(crate) fn signature(&self, login: &Login, date: AmzDate, expires_in: Duration) -> String {
        let (text, hash) = self.unsigned(login, date, expires_in);
        drop(Zeroizing::new(text));
        self.sign(date, &hash).as_str().to_owned()
    }

    fn sign(&self, date: AmzDate, request_hash: &Hex) -> Hex {
        let mut hmac = self.hmac.clone();
        for part in self.string_to_sign(&date.time_text(), request_hash) {
            hmac.update(part.as_bytes());
        }
        Hex::of_hexadecimal(&hmac.finalize().into_bytes())
    }

    fn string_to_sign<'a>(&'a self, time: &'a Ascii<6>, request_hash: &'a Hex) -> [&'a str; 4] {
        let (before, behind) = self.to_sign.split_at(TIME);
        [before, time.as_str(), behind, request_hash.as_str()]
    }

    /// The token's text up to the signature, with room for that, and the hash of the canonical
    /// request. One pass: the text is written once, at its place, and hashed from there.
    fn unsigned(&self, login: &Login, date: AmzDate, expires_in: Duration) -> (String, Hex) {
        let time = date.time_text();
        let expires_text = Ascii::<4>::of_number(expires_in.as_secs());
        let expires = expires_text.as_str().trim_start_matches('0');
        let session_token = self.credentials.session_token_parameter();

        let mut length = SIGNATURE.len() + 64 + "\0".len();
        let parts = [
            login.prefix(),
            &self.scope,
            "T",
            time.as_str(),
            "Z&X-Amz-Expires=",
            expires,
            SIGNED_HEADERS,
            session_token,
        ];
        for part in parts {
            length += part.len();
        }
        // Exactly, so that it is neither moved, which would leave a copy behind, nor too large.
        let mut text = String::with_capacity(length);
        for part in parts {
            text.push_str(part);
        }

        // The canonical query is sorted, so the session token stands before the signed headers
        // there and behind them in the token.
        let query = login.authority().len() + "/?".len();
        let behind_expires = text.len() - session_token.len() - SIGNED_HEADERS.len();
        let mut request = Sha256::new();
        for part in [
            "GET\n/\n",
            &text[query..behind_expires],
            &text[behind_expires + SIGNED_HEADERS.len()..],
            "&X-Amz-SignedHeaders=host\nhost:",
            login.authority(),
            // A presigned `GET` has no body, so its hash is that of nothing.
            "\n\nhost\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ] {
            request.update(part);
        }
        (text, Hex::of_hexadecimal(&request.finalize()))
    }
}

/// The key, from the secret. Not by aws-sigv4's function, which leaves a copy of the secret behind in
/// memory and takes twice as long; the tests compare with it.
fn derive(secret: &str, day_and_region: [&str; 2]) -> Hmac<Sha256> {
    let mut start = [0; 4 + MAX_SECRET_ACCESS_KEY];
    let start = &mut start[..4 + secret.len()];
    start[..4].copy_from_slice(b"AWS4");
    start[4..].copy_from_slice(secret.as_bytes());
    let [day, region] = day_and_region;
    let mut key = keyed(start);
    start.zeroize();
    for part in [day, region, SERVICE, "aws4_request"] {
        key.update(part.as_bytes());
        let mut next = key.finalize().into_bytes();
        key = keyed(&next);
        next.as_mut_slice().zeroize();
    }
    key
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("a key of any length will do")
}

/// A hash in hexadecimal digits.
pub(crate) type Hex = Ascii<64>;

const SIGNED_HEADERS: &str = "&X-Amz-SignedHeaders=host";
const SIGNATURE: &str = "&X-Amz-Signature=";

/// Whole seconds within 1 to 900; shared with [`Signer`](crate::Signer), which checks early.
pub(crate) fn check_expires_in(expires_in: Duration) -> Result<Duration, Error> {
    let seconds = expires_in.as_secs();
    if (1..=MAX_EXPIRES_IN.as_secs()).contains(&seconds) {
        Ok(Duration::from_secs(seconds))
    } else {
        Err(Error::invalid("expires_in", "expected 1 to 900 seconds"))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::UNIX_EPOCH;

    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Vectors {
        cases: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        name: String,
        hostname: String,
        port: u16,
        username: String,
        region: Option<String>,
        access_key_id: String,
        secret_access_key: String,
        session_token: Option<String>,
        signing_time: u64,
        expires_in: u64,
        string_to_sign: String,
        token: String,
    }

    /// The stages one by one, so that a failure names its stage. The vectors are botocore's work.
    #[test]
    fn vectors() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/presign.json");
        let vectors: Vectors = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        assert!(vectors.cases.len() > 30);
        for case in vectors.cases {
            let name = &case.name;
            let credentials = Credentials::new(
                &case.access_key_id,
                &case.secret_access_key,
                case.session_token.as_deref(),
            )
            .unwrap();
            let signing_time = UNIX_EPOCH + Duration::from_secs(case.signing_time);
            let expires_in = Duration::from_secs(case.expires_in);
            let login = Login::new(&case.hostname, case.port, &case.username).unwrap();
            let region = match &case.region {
                Some(region) => Region::new(region).unwrap(),
                None => login.endpoint().region().expect(name),
            };
            let key = SigningKey::derive(&credentials, &region, signing_time).unwrap();
            let date = AmzDate::new(signing_time).unwrap();
            let (_, hash) = key.unsigned(&login, date, expires_in);
            assert_eq!(
                key.string_to_sign(&date.time_text(), &hash).concat(),
                case.string_to_sign,
                "{name}: string to sign"
            );
            let token = presign(&PresignRequest {
                hostname: &case.hostname,
                port: case.port,
                username: &case.username,
                region: case.region.as_deref(),
                credentials: &credentials,
                signing_time,
                expires_in,
            })
            .unwrap();
            assert_eq!(token.value(), case.token, "{name}: token");
            assert_eq!(
                token.value_with_nul(),
                format!("{}\0", case.token),
                "{name}: NUL"
            );
            assert_eq!(
                token.expires_at(),
                signing_time + expires_in,
                "{name}: expiry"
            );
        }
    }
}
