use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use zeroize::Zeroizing;

use crate::{Error, uri};

/// AWS credentials: an access key, with a session token if they are temporary.
///
/// A clone shares the secrets instead of copying them; they are wiped from memory when the last
/// clone is dropped. `Debug` shows the access key id alone.
#[derive(Clone)]
pub struct Credentials(Arc<Secrets>);

struct Secrets {
    access_key_id: String,
    secret_access_key: Zeroizing<String>,
    /// As it stands in every token: `&X-Amz-Security-Token=<percent-encoded>`, or nothing.
    session_token: Zeroizing<String>,
    expires_at: Option<SystemTime>,
}

/// [AWS STS](https://docs.aws.amazon.com/STS/latest/APIReference/API_Credentials.html) gives 128
/// as the longest access key id.
const MAX_ACCESS_KEY_ID: usize = 128;
/// A secret key has 40 characters today.
pub(crate) const MAX_SECRET_ACCESS_KEY: usize = 1024;
/// AWS names no limit; this is 16 times the longest that is seen in practice.
const MAX_SESSION_TOKEN: usize = 65_536;

impl Credentials {
    /// Takes credentials that do not expire, or whose expiry is not known. An empty session token
    /// counts as none: that is what an unset variable looks like.
    ///
    /// # Errors
    /// `access_key_id`, `secret_access_key` or `session_token` if it is empty (the first two),
    /// has characters other than visible ASCII (a stray newline or space is the usual slip), or is
    /// longer than 128, 1,024 or 65,536 bytes.
    pub fn new(
        access_key_id: &str,
        secret_access_key: &str,
        session_token: Option<&str>,
    ) -> Result<Self, Error> {
        let session_token = session_token.filter(|token| !token.is_empty());
        check("access_key_id", access_key_id, MAX_ACCESS_KEY_ID)?;
        check(
            "secret_access_key",
            secret_access_key,
            MAX_SECRET_ACCESS_KEY,
        )?;
        if let Some(session_token) = session_token {
            check("session_token", session_token, MAX_SESSION_TOKEN)?;
        }
        Ok(Self(Arc::new(Secrets {
            access_key_id: access_key_id.to_owned(),
            secret_access_key: Zeroizing::new(secret_access_key.to_owned()),
            session_token: Zeroizing::new(session_token.map_or_else(String::new, as_parameter)),
            expires_at: None,
        })))
    }

    /// The same credentials, known to expire at `expires_at`. No token signed with them is said
    /// to live longer.
    #[must_use]
    pub fn expiring_at(self, expires_at: SystemTime) -> Self {
        Self(Arc::new(Secrets {
            access_key_id: self.0.access_key_id.clone(),
            secret_access_key: self.0.secret_access_key.clone(),
            session_token: self.0.session_token.clone(),
            expires_at: Some(expires_at),
        }))
    }

    /// The access key id. It is not a secret: it stands readable in every token.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        &self.0.access_key_id
    }

    /// When the credentials expire, if that is known.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.0.expires_at
    }

    /// Whether these are the very same, expiry included.
    pub(crate) fn are_the_same(&self, other: &Self) -> bool {
        self.0.access_key_id == other.0.access_key_id
            && self.0.secret_access_key == other.0.secret_access_key
            && self.0.session_token == other.0.session_token
            && self.0.expires_at == other.0.expires_at
    }

    pub(crate) fn secret_access_key(&self) -> &str {
        &self.0.secret_access_key
    }

    pub(crate) fn session_token(&self) -> Option<Zeroizing<String>> {
        let encoded = self.0.session_token.strip_prefix(SESSION_TOKEN)?;
        uri::decode_strictly(encoded).map(Zeroizing::new)
    }

    /// `&X-Amz-Security-Token=` and the encoded session token, or nothing without one.
    pub(crate) fn session_token_parameter(&self) -> &str {
        &self.0.session_token
    }
}

/// Credentials of the caller's own making, for sources that the AWS SDKs do not know.
pub trait CredentialsProvider: Send + Sync {
    /// Fetches credentials.
    ///
    /// It is called on a short-lived thread of rdstoken's with a 1 MiB stack, when the credentials
    /// that are there had better be renewed, and by one thread at a time. If it takes longer than
    /// the signer's timeout, the caller is answered without it, what it returns is dropped, and it
    /// may be called again before it has come back.
    ///
    /// # Errors
    /// Any [`Error`]; its text must not hold a secret.
    fn credentials(&self) -> Result<Credentials, Error>;
}

const SESSION_TOKEN: &str = "&X-Amz-Security-Token=";

/// Encoded once for all tokens.
fn as_parameter(session_token: &str) -> String {
    let length = SESSION_TOKEN.len() + uri::encoded_length(session_token);
    let mut parameter = String::with_capacity(length);
    parameter.push_str(SESSION_TOKEN);
    uri::encode_into(&mut parameter, session_token);
    parameter
}

fn check(field: &'static str, value: &str, longest: usize) -> Result<(), Error> {
    if value.is_empty() {
        return Err(Error::invalid(field, "expected a value, got an empty text"));
    }
    if value.len() > longest {
        return Err(Error::invalid(
            field,
            format!("expected at most {longest} bytes"),
        ));
    }
    if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::invalid(
            field,
            "expected visible ASCII characters only, without spaces or line ends",
        ));
    }
    Ok(())
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &self.0.access_key_id)
            .field("expires_at", &self.0.expires_at)
            .finish_non_exhaustive()
    }
}
