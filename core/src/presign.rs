use std::time::{Duration, SystemTime};

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::amz_date::AmzDate;
use crate::{AuthToken, Credentials, Error, ErrorKind, Login, Region, uri};

/// The longest life of a token, and the default: 900 seconds
/// ([AWS](https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html):
/// "Each token has a lifetime of 15 minutes").
pub const MAX_EXPIRES_IN: Duration = Duration::from_secs(900);

/// The signing name of RDS's `connect` action.
pub(crate) const SERVICE: &str = "rds-db";

/// sha256 of nothing: a presigned `GET` has no body.
const EMPTY_PAYLOAD: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

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
/// Deriving it takes four of the seven hashes of a short token, so a caller that signs often keeps
/// it. It is wiped from memory when dropped.
pub struct SigningKey {
    key: Zeroizing<Vec<u8>>,
    credentials: Credentials,
    region: Region,
    day: u64,
}

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
        let key = generate_signing_key(
            credentials.secret_access_key(),
            date.system_time(),
            region.as_str(),
            SERVICE,
        );
        Ok(Self {
            key: Zeroizing::new(key.as_ref().to_vec()),
            credentials: credentials.clone(),
            region: region.clone(),
            day: date.day(),
        })
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
        let unsigned = self.unsigned(login, date, expires_in);
        let mut text = unsigned.text;
        text.push_str("&X-Amz-Signature=");
        text.push_str(&self.sign(&unsigned.string_to_sign));
        Ok(AuthToken::new(text, expires_at))
    }

    /// The signature alone, for the verifier: it is the same whatever the order of the text.
    pub(crate) fn signature(&self, login: &Login, date: AmzDate, expires_in: Duration) -> String {
        self.sign(&self.unsigned(login, date, expires_in).string_to_sign)
    }

    fn sign(&self, string_to_sign: &str) -> String {
        calculate_signature(&*self.key, string_to_sign.as_bytes())
    }

    /// The token's text up to the signature, and what the signature is made over.
    fn unsigned(&self, login: &Login, date: AmzDate, expires_in: Duration) -> Unsigned {
        let timestamp = date.text();
        let (day, region) = (&timestamp[..8], &self.region);
        let expires = expires_in.as_secs().to_string();
        let mut session_token = Zeroizing::new(String::new());
        if let Some(value) = self.credentials.session_token() {
            // Room for every character escaped: growing would leave a copy behind, unwiped.
            session_token.reserve_exact(SESSION_TOKEN.len() + 3 * value.len());
            session_token.push_str(SESSION_TOKEN);
            uri::encode_into(&mut session_token, value);
        }

        let mut text = String::with_capacity(login.prefix().len() + session_token.len() + 800);
        text.push_str(login.prefix());
        uri::encode_into(&mut text, self.credentials.access_key_id());
        for part in [
            "%2F",
            day,
            "%2F",
            region.as_str(),
            "%2F",
            SERVICE,
            "%2Faws4_request&X-Amz-Date=",
            &timestamp,
            "&X-Amz-Expires=",
            &expires,
        ] {
            text.push_str(part);
        }
        let query_start = login.authority().len() + "/?".len();
        let before_session_token = text.len();
        text.push_str(SIGNED_HEADERS);
        text.push_str(&session_token);

        // The canonical query is sorted, so the session token stands before the signed headers
        // there and behind them in the token.
        let mut canonical_request = Sha256::new();
        for part in [
            "GET\n/\n",
            &text[query_start..before_session_token],
            &session_token,
            SIGNED_HEADERS,
            "\nhost:",
            login.authority(),
            "\n\nhost\n",
            EMPTY_PAYLOAD,
        ] {
            canonical_request.update(part);
        }
        let canonical_request = canonical_request.finalize();
        let string_to_sign = format!(
            "AWS4-HMAC-SHA256\n{timestamp}\n{day}/{region}/{SERVICE}/aws4_request\n{}",
            hexadecimal(&canonical_request)
        );
        Unsigned {
            text,
            string_to_sign,
        }
    }
}

struct Unsigned {
    text: String,
    string_to_sign: String,
}

const SIGNED_HEADERS: &str = "&X-Amz-SignedHeaders=host";
const SESSION_TOKEN: &str = "&X-Amz-Security-Token=";

/// Whole seconds within 1 to 900; shared with [`Signer`](crate::Signer), which checks early.
pub(crate) fn check_expires_in(expires_in: Duration) -> Result<Duration, Error> {
    let seconds = expires_in.as_secs();
    if (1..=MAX_EXPIRES_IN.as_secs()).contains(&seconds) {
        Ok(Duration::from_secs(seconds))
    } else {
        Err(Error::invalid("expires_in", "expected 1 to 900 seconds"))
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|nibble| char::from(DIGITS[usize::from(nibble)]))
        .collect()
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
            let unsigned = key.unsigned(&login, date, expires_in);
            assert_eq!(
                unsigned.string_to_sign, case.string_to_sign,
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
