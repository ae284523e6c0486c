//! The native half of the npm package `rdstoken`: private to `index.cjs`, which is the interface
//! and has the documentation.
//!
//! It converts, and decides nothing. Numbers arrive as whole numbers of any size; one that does
//! not fit core's type becomes one that core refuses with its own text. Nothing here throws for a
//! reason of rdstoken's: a failure is returned as `{ code, field, detail }`, and JavaScript makes
//! the error, so that it has a class and a JavaScript stack.

pub mod logging;
pub mod provider;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use napi::bindgen_prelude::{
    AsyncTask, ClassInstance, Either, Function, Null, Object, ToNapiValue, TypeName,
};
use napi::{Env, JsValue, Task, ValueType, sys};
use napi_derive::napi;
use rdstoken::{
    AuthToken, ConnectionOptions, ConnectionString, Credentials, DRIVERS, Error, ErrorKind,
    MAX_EXPIRES_IN, OnLimit, PresignRequest, SignerOptions, guard,
};
use zeroize::{Zeroize, Zeroizing};

use crate::provider::Provider;

/// Credentials of a caller. Wiped when dropped.
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
    /// The role to assume, if any.
    pub role_arn: Option<String>,
    /// The name of the assumed role's session.
    pub role_session_name: Option<String>,
    /// The external id for the role.
    pub external_id: Option<String>,
    /// Seconds.
    pub expires_in: Option<i64>,
    /// Milliseconds.
    pub timeout: Option<i64>,
    /// Seconds.
    pub min_validity: Option<i64>,
    /// Seconds.
    pub align: Option<i64>,
    /// Whether tokens are handed out again.
    pub cache: Option<bool>,
    /// Seconds.
    pub advisory_window: Option<i64>,
    /// Seconds.
    pub mandatory_window: Option<i64>,
    /// Whether to log a warning about a hostname that is not RDS's.
    pub warn_hostname: Option<bool>,
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
pub struct Signer {
    core: Arc<rdstoken::Signer>,
    /// What JavaScript keeps the text of.
    shown: Rc<RefCell<Option<Arc<AuthToken>>>>,
    /// Whether tokens are handed out again.
    cache: bool,
}

#[napi]
impl Signer {
    /// A function that gives the token that can be had at once: `true` if it is the one that it
    /// gave before, else its text, which JavaScript keeps unless tokens are not handed out again.
    /// `null` if there is something to wait for, or to fail.
    ///
    /// Not a method: to find what stands behind an object takes as long as ten such calls.
    #[napi]
    pub fn token_at_once<'env>(&self, env: &'env Env) -> napi::Result<Function<'env, (), AtOnce>> {
        let (core, shown, cache) = (Arc::clone(&self.core), Rc::clone(&self.shown), self.cache);
        env.create_function_from_closure("tokenAtOnce", move |context| {
            let is_shown = |token: &AuthToken| {
                let shown = shown.borrow();
                shown.as_ref().is_some_and(|shown| shown.is(token))
            };
            let look = |token: &Arc<AuthToken>| (!is_shown(token)).then(|| Arc::clone(token));
            let found = guard(|| match core.with_cached_token(look) {
                Some(fresh) => Ok(Some(fresh)),
                None => Ok(core.token_at_once().map(Some)),
            });
            let token = match found {
                Ok(Some(Some(token))) => token,
                Ok(Some(None)) => return Ok(AtOnce::Same),
                Ok(None) | Err(_) => return Ok(AtOnce::Nothing),
            };
            // A token is ASCII.
            let text = context.env.create_string_latin1(token.value().as_bytes())?;
            let text = text.raw();
            if cache {
                // Only when JavaScript is sure to get it.
                shown.replace(Some(token));
            }
            Ok(AtOnce::Fresh(text))
        })
    }

    /// The token that is at hand, if one is. Blocks on nothing.
    #[napi]
    #[must_use]
    pub fn cached_token(&self) -> Option<Token> {
        guard(|| Ok(self.core.cached_token()))
            .ok()
            .flatten()
            .map(Token)
    }

    /// Makes a token on the libuv pool. Resolves to `{ value, expiresAt }` or a [`Failure`];
    /// rejects never.
    #[napi]
    #[must_use]
    pub fn token(&self) -> AsyncTask<Making> {
        AsyncTask::new(Making(Arc::clone(&self.core)))
    }

    /// Makes a token on a thread of its own, for signers that ask a JavaScript function: on the
    /// pool, such calls would wait for functions that need the pool themselves. Gives a promise as
    /// [`token`](Self::token) does, or a [`Failure`] if there is no thread to be had.
    #[napi]
    pub fn token_on_thread<'env>(
        &self,
        env: &'env Env,
    ) -> napi::Result<Either<Object<'env>, Failure>> {
        let signer = Arc::clone(&self.core);
        // The thread comes first: a promise without one would keep the process alive for ever.
        let (sender, receiver) = mpsc::sync_channel(1);
        let started = thread::Builder::new()
            .name("rdstoken-token".to_owned())
            .spawn(move || {
                let made = guard(|| signer.token());
                // Not after the promise is settled, when the environment may be gone.
                drop(signer);
                if let Ok(deferred) = receiver.recv() {
                    napi::JsDeferred::resolve(deferred, move |_| Ok(outcome(made)));
                }
            });
        if started.is_err() {
            let text = "could not start a thread to ask the credentials function";
            return Ok(Either::B(
                Error::new(ErrorKind::CredentialsFailed, text).into(),
            ));
        }
        let (deferred, promise) = env.create_deferred()?;
        // The receiver lives until it has this.
        drop(sender.send(deferred));
        Ok(Either::A(promise))
    }

    /// Whether to try once more after a login with this token was refused.
    #[napi]
    #[must_use]
    pub fn refused(&self, token: String) -> bool {
        let token = Zeroizing::new(token);
        let again = guard(|| Ok(self.core.refused(&token))).unwrap_or(false);
        if again {
            self.shown.take();
        }
        again
    }

    /// The login, as it is signed.
    #[napi]
    #[must_use]
    pub fn login(&self) -> Login {
        let login = self.core.login();
        Login {
            hostname: login.endpoint().hostname().to_owned(),
            port: login.endpoint().port(),
            username: login.username().to_owned(),
        }
    }

    /// A connection string with `token` in it, or a [`Failure`].
    #[napi]
    #[must_use]
    pub fn connection_string(
        &self,
        token: String,
        arguments: ConnectionArguments,
    ) -> Either<Written, Failure> {
        let token = Zeroizing::new(token);
        let made = guard(move || {
            rdstoken::connection_string(
                self.core.login(),
                &token,
                &ConnectionOptions {
                    driver: &arguments.driver,
                    form: arguments.form.as_deref().unwrap_or(""),
                    database: arguments.database.as_deref(),
                    ca_file: arguments.ca_file.as_deref(),
                    hostaddr: arguments.hostaddr.as_deref(),
                    odbc_driver: arguments.odbc_driver.as_deref(),
                    on_limit: match &arguments.on_limit {
                        Some(name) => OnLimit::named(name)?,
                        None => OnLimit::default(),
                    },
                },
            )
        });
        match made {
            Ok(string) => Either::A(Written(string)),
            Err(error) => Either::B(error.into()),
        }
    }

    /// Forgets the token, and the credentials too if asked so.
    #[napi]
    pub fn invalidate(&self, credentials: bool) {
        self.shown.take();
        if credentials {
            self.core.invalidate_credentials();
        } else {
            self.core.invalidate();
        }
    }

    /// What has been done so far.
    #[napi]
    #[must_use]
    pub fn stats(&self) -> Stats {
        let stats = self.core.stats();
        Stats {
            signed: count(stats.signed),
            reused: count(stats.reused),
            renewals: count(stats.renewals),
            failures: count(stats.failures),
            last_error: stats.last_error.map(ErrorKind::code),
            expires_at: stats.expires_at.map(unix_milliseconds),
        }
    }
}

/// Whom the tokens let in where.
#[napi(object, object_from_js = false)]
pub struct Login {
    /// The endpoint's name.
    pub hostname: String,
    /// The endpoint's port.
    pub port: u16,
    /// The database user.
    pub username: String,
}

/// What a connection string is made from.
#[napi(object, object_to_js = false)]
pub struct ConnectionArguments {
    /// The driver that reads it.
    pub driver: String,
    /// Its syntax.
    pub form: Option<String>,
    /// The database.
    pub database: Option<String>,
    /// The file of the certificate authorities to trust.
    pub ca_file: Option<String>,
    /// The address to connect to.
    pub hostaddr: Option<String>,
    /// What ODBC calls the driver.
    pub odbc_driver: Option<String>,
    /// `refuse` or `warn`.
    pub on_limit: Option<String>,
}

/// What a driver does to a long password.
#[napi(object, object_from_js = false)]
pub struct Limit {
    /// The driver.
    pub driver: &'static str,
    /// The way that the password is given.
    pub form: &'static str,
    /// The longest token that arrives whole.
    pub max_length: Option<i64>,
    /// What happens to a longer one.
    pub beyond: &'static str,
    /// Whether `connection_string` can write it.
    pub written: bool,
    /// What to do instead.
    pub note: &'static str,
    /// Where the row comes from.
    pub source: &'static str,
}

/// Core's table.
#[napi]
#[must_use]
pub fn limits() -> Vec<Limit> {
    DRIVERS
        .iter()
        .map(|row| Limit {
            driver: row.driver,
            form: row.form,
            max_length: row
                .max_length
                .map(|length| i64::try_from(length).unwrap_or(i64::MAX)),
            beyond: row.beyond.name(),
            written: row.is_written(),
            note: row.note,
            source: row.source,
        })
        .collect()
}

/// Checks that a driver passes on a token whole. `null` or a [`Failure`].
#[napi]
#[must_use]
pub fn check_length(driver: String, form: String, token: String) -> Option<Failure> {
    let token = Zeroizing::new(token);
    guard(move || rdstoken::check_length(&driver, &form, &token))
        .err()
        .map(Failure::from)
}

/// Core's counters.
#[napi(object, object_from_js = false)]
pub struct Stats {
    /// Tokens signed.
    pub signed: i64,
    /// Tokens handed out again.
    pub reused: i64,
    /// Fetches of credentials that succeeded.
    pub renewals: i64,
    /// Fetches of credentials that failed.
    pub failures: i64,
    /// The code of the failure last met.
    pub last_error: Option<&'static str>,
    /// When the token signed last stops working, in Unix milliseconds.
    pub expires_at: Option<i64>,
}

/// A token in the making.
pub struct Making(Arc<rdstoken::Signer>);

impl Task for Making {
    type Output = Result<Arc<AuthToken>, Error>;
    type JsValue = Either<Token, Failure>;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        Ok(guard(|| self.0.token()))
    }

    fn resolve(&mut self, _env: Env, made: Self::Output) -> napi::Result<Self::JsValue> {
        Ok(outcome(made))
    }
}

/// Makes a [`Signer`]. The `provider` is asked for credentials.
#[napi]
#[must_use]
pub fn new_signer(
    arguments: SignerArguments,
    provider: Option<ClassInstance<'_, Provider>>,
) -> Either<Signer, Failure> {
    let made = guard(move || {
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
        options.role_arn = arguments.role_arn;
        options.role_session_name = arguments.role_session_name;
        options.external_id = arguments.external_id;
        if let Some(count) = arguments.expires_in {
            options.expires_in = Duration::from_secs(unsigned(count));
        }
        if let Some(count) = arguments.timeout {
            options.timeout = Duration::from_millis(unsigned(count));
        }
        options.min_validity = arguments.min_validity.map(seconds);
        if let Some(count) = arguments.align {
            options.align = seconds(count);
        }
        if let Some(cache) = arguments.cache {
            options.cache = cache;
        }
        if let Some(count) = arguments.advisory_window {
            options.advisory_window = seconds(count);
        }
        if let Some(count) = arguments.mandatory_window {
            options.mandatory_window = seconds(count);
        }
        if let Some(warn) = arguments.warn_hostname {
            options.warn_hostname = warn;
        }
        options.credentials_provider =
            provider.map(|provider| provider.for_signer(options.timeout));
        let cache = options.cache;
        rdstoken::Signer::new(options).map(|core| Signer {
            core: Arc::new(core),
            shown: Rc::default(),
            cache,
        })
    });
    match made {
        Ok(signer) => Either::A(signer),
        Err(error) => Either::B(error.into()),
    }
}

/// Makes a token from its arguments alone: `{ value, expiresAt }` or a [`Failure`].
#[napi]
#[must_use]
pub fn presign(arguments: PresignArguments) -> Either<Token, Failure> {
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
    outcome(made.map(Arc::new))
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

/// A token on its way to JavaScript, where it is `{ value, expiresAt }`; made straight from the
/// memory that is wiped.
pub struct Token(Arc<AuthToken>);

impl TypeName for Token {
    fn type_name() -> &'static str {
        "Token"
    }

    fn value_type() -> ValueType {
        ValueType::Object
    }
}

impl ToNapiValue for Token {
    unsafe fn to_napi_value(
        env: sys::napi_env,
        Self(token): Self,
    ) -> napi::Result<sys::napi_value> {
        let env = Env::from_raw(env);
        let mut object = Object::new(&env)?;
        object.set("value", token.value())?;
        object.set("expiresAt", unix_milliseconds(token.expires_at()))?;
        Ok(object.raw())
    }
}

/// What JavaScript gets of a connection string: `{ value }`. No copy of it stays behind here.
pub struct Written(ConnectionString);

impl TypeName for Written {
    fn type_name() -> &'static str {
        "Written"
    }

    fn value_type() -> ValueType {
        ValueType::Object
    }
}

impl ToNapiValue for Written {
    unsafe fn to_napi_value(
        env: sys::napi_env,
        Self(string): Self,
    ) -> napi::Result<sys::napi_value> {
        let env = Env::from_raw(env);
        let mut object = Object::new(&env)?;
        object.set("value", string.value())?;
        Ok(object.raw())
    }
}

/// What the function of [`Signer::token_at_once`] gives.
pub enum AtOnce {
    /// No token.
    Nothing,
    /// The token that JavaScript has.
    Same,
    /// Another, as JavaScript's text.
    Fresh(sys::napi_value),
}

impl TypeName for AtOnce {
    fn type_name() -> &'static str {
        "AtOnce"
    }

    fn value_type() -> ValueType {
        ValueType::Unknown
    }
}

impl ToNapiValue for AtOnce {
    unsafe fn to_napi_value(env: sys::napi_env, given: Self) -> napi::Result<sys::napi_value> {
        match given {
            // SAFETY: the environment is the caller's.
            Self::Nothing => unsafe { Null::to_napi_value(env, Null) },
            // SAFETY: as above.
            Self::Same => unsafe { bool::to_napi_value(env, true) },
            Self::Fresh(text) => Ok(text),
        }
    }
}

fn outcome(made: Result<Arc<AuthToken>, Error>) -> Either<Token, Failure> {
    match made {
        Ok(token) => Either::A(Token(token)),
        Err(error) => Either::B(error.into()),
    }
}

fn port(number: i64) -> u16 {
    u16::try_from(number).unwrap_or(0)
}

fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

/// Where 0 is a good value, a negative number becomes one that core refuses for its size.
fn seconds(count: i64) -> Duration {
    Duration::from_secs(u64::try_from(count).unwrap_or(u64::MAX))
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
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
    fn a_negative_number_of_seconds_is_far_too_long() {
        assert_eq!(seconds(0), Duration::ZERO);
        assert_eq!(seconds(-1), Duration::from_secs(u64::MAX));
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
