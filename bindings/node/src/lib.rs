//! The native half of the npm package `rdstoken`: private to `index.cjs`, which is the interface
//! and has the documentation.
//!
//! It converts, and decides nothing. Numbers arrive as whole numbers of any size; one that does
//! not fit core's type becomes 0, which core refuses with its own text. Nothing here throws for a
//! reason of rdstoken's: a failure is returned as `{ code, field, detail }`, and JavaScript makes
//! the error, so that it has a class and a JavaScript stack.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use napi::bindgen_prelude::{AsyncTask, Either, Object};
use napi::{Env, ScopedTask};
use napi_derive::napi;
use rdstoken::{
    AuthToken, Credentials, Error, ErrorKind, MAX_EXPIRES_IN, PresignRequest, SignerOptions, guard,
};
use zeroize::Zeroize;

/// The static credentials of a caller. Wiped when dropped.
#[napi(object, object_to_js = false)]
pub struct CredentialsArgument {
    /// The access key id.
    pub access_key_id: String,
    /// The secret key.
    pub secret_access_key: String,
    /// The session token of temporary credentials.
    pub session_token: Option<String>,
    /// When they expire, in Unix milliseconds.
    pub expiration: Option<i64>,
}

impl Drop for CredentialsArgument {
    fn drop(&mut self) {
        self.secret_access_key.zeroize();
        self.session_token.zeroize();
    }
}

impl CredentialsArgument {
    fn convert(&self) -> Result<Credentials, Error> {
        let credentials = Credentials::new(
            &self.access_key_id,
            &self.secret_access_key,
            self.session_token.as_deref(),
        )?;
        Ok(match self.expiration {
            Some(milliseconds) => credentials.expiring_at(system_time(milliseconds)),
            None => credentials,
        })
    }
}

/// What a [`Signer`] is made from.
#[napi(object, object_to_js = false)]
pub struct SignerArguments {
    /// The endpoint's name.
    pub hostname: String,
    /// The endpoint's port.
    pub port: i64,
    /// The database user.
    pub username: String,
    /// The region, if the caller names it.
    pub region: Option<String>,
    /// The profile, if the caller names one.
    pub profile: Option<String>,
    /// The credentials, if the caller has them.
    pub credentials: Option<CredentialsArgument>,
    /// Seconds.
    pub expires_in: Option<i64>,
    /// Milliseconds.
    pub timeout: Option<i64>,
}

/// All that a token depends on.
#[napi(object, object_to_js = false)]
pub struct PresignArguments {
    /// The endpoint's name.
    pub hostname: String,
    /// The endpoint's port.
    pub port: i64,
    /// The database user.
    pub username: String,
    /// The region, if the caller names it.
    pub region: Option<String>,
    /// Who signs.
    pub credentials: CredentialsArgument,
    /// Unix milliseconds.
    pub signing_time: i64,
    /// Seconds.
    pub expires_in: Option<i64>,
}

/// Why something failed. Only a failure has a `code`.
#[napi(object, object_from_js = false)]
pub struct Failure {
    /// The kind's name.
    pub code: &'static str,
    /// The argument at fault, in snake case.
    pub field: Option<&'static str>,
    /// The text for people.
    pub detail: String,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            code: error.kind().code(),
            field: error.field(),
            detail: error.detail().to_owned(),
        }
    }
}

/// Core's signer, shared with the calls that are under way when JavaScript lets go of it.
#[napi]
pub struct Signer(Arc<rdstoken::Signer>);

#[napi]
impl Signer {
    /// Makes a token on the libuv pool. Resolves to `{ value, expiresAt }` or a [`Failure`];
    /// rejects never.
    #[napi]
    #[must_use]
    pub fn token(&self) -> AsyncTask<Making> {
        AsyncTask::new(Making(Arc::clone(&self.0)))
    }
}

/// A token in the making.
pub struct Making(Arc<rdstoken::Signer>);

impl<'task> ScopedTask<'task> for Making {
    type Output = Result<Arc<AuthToken>, Error>;
    type JsValue = Either<Object<'task>, Failure>;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        Ok(guard(|| self.0.token()))
    }

    fn resolve(&mut self, env: &'task Env, made: Self::Output) -> napi::Result<Self::JsValue> {
        match made {
            Ok(token) => token_object(env, &token).map(Either::A),
            Err(error) => Ok(Either::B(error.into())),
        }
    }
}

/// Makes a [`Signer`].
#[napi]
#[must_use]
pub fn new_signer(arguments: SignerArguments) -> Either<Signer, Failure> {
    let made = guard(|| {
        let mut options = SignerOptions::new(
            &arguments.hostname,
            port(arguments.port),
            &arguments.username,
        );
        options.region = arguments.region;
        options.profile = arguments.profile;
        options.credentials = match &arguments.credentials {
            Some(credentials) => Some(credentials.convert()?),
            None => None,
        };
        if let Some(count) = arguments.expires_in {
            options.expires_in = Duration::from_secs(unsigned(count));
        }
        if let Some(count) = arguments.timeout {
            options.timeout = Duration::from_millis(unsigned(count));
        }
        rdstoken::Signer::new(options)
    });
    match made {
        Ok(signer) => Either::A(Signer(Arc::new(signer))),
        Err(error) => Either::B(error.into()),
    }
}

/// Makes a token from its arguments alone: `{ value, expiresAt }` or a [`Failure`].
#[napi]
pub fn presign(
    env: &Env,
    arguments: PresignArguments,
) -> napi::Result<Either<Object<'_>, Failure>> {
    let made = guard(move || {
        let credentials = arguments.credentials.convert()?;
        rdstoken::presign(&PresignRequest {
            hostname: &arguments.hostname,
            port: port(arguments.port),
            username: &arguments.username,
            region: arguments.region.as_deref(),
            credentials: &credentials,
            signing_time: system_time(arguments.signing_time),
            expires_in: arguments
                .expires_in
                .map_or(MAX_EXPIRES_IN, |count| Duration::from_secs(unsigned(count))),
        })
    });
    match made {
        Ok(token) => token_object(env, &token).map(Either::A),
        Err(error) => Ok(Either::B(error.into())),
    }
}

/// Core's version.
#[napi]
#[must_use]
pub fn version() -> &'static str {
    rdstoken::VERSION
}

/// The code of every kind of error, for the test that compares them with the error table.
#[napi]
#[must_use]
pub fn codes() -> Vec<&'static str> {
    ErrorKind::ALL.iter().map(|kind| kind.code()).collect()
}

/// The token as `{ value, expiresAt }`, straight from the memory that is wiped.
fn token_object<'env>(env: &'env Env, token: &AuthToken) -> napi::Result<Object<'env>> {
    let mut object = Object::new(env)?;
    object.set("value", token.value())?;
    object.set("expiresAt", unix_milliseconds(token.expires_at()))?;
    Ok(object)
}

fn port(number: i64) -> u16 {
    u16::try_from(number).unwrap_or(0)
}

fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

/// A `Date` spans 270,000 years about 1970, which `SystemTime` holds.
fn system_time(unix_milliseconds: i64) -> SystemTime {
    let distance = Duration::from_millis(unix_milliseconds.unsigned_abs());
    if unix_milliseconds < 0 {
        UNIX_EPOCH - distance
    } else {
        UNIX_EPOCH + distance
    }
}

/// Rounded down. A token's expiry is never before 1970.
fn unix_milliseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_fit_nothing_become_zero() {
        assert_eq!((port(5432), port(65_535)), (5432, 65_535));
        assert_eq!((port(-1), port(65_536), port(i64::MAX)), (0, 0, 0));
        assert_eq!((unsigned(900), unsigned(-1)), (900, 0));
    }

    #[test]
    fn times_go_there_and_back() {
        let latest = 8_640_000_000_000_000; // ECMAScript's latest Date
        for milliseconds in [0, 1, 1_767_225_600_123, latest] {
            assert_eq!(unix_milliseconds(system_time(milliseconds)), milliseconds);
        }
        assert_eq!(
            UNIX_EPOCH.duration_since(system_time(-latest)).unwrap(),
            Duration::from_millis(latest.unsigned_abs())
        );
    }
}
