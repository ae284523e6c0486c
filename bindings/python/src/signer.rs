use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::types::{PyDateTime, PyString};
use rdstoken::{
    AuthToken, ConnectionOptions, Error, ErrorKind, OnLimit, SignerOptions, connection_string,
    guard,
};

use crate::convert::{
    AdvisoryWindow, Align, AlsoCredentials, Cache, ExpiresIn, MandatoryWindow, MinValidity,
    Timeout, WarnHostname, datetime, optional_text, port_number, text,
};
use crate::credentials::Credentials;
use crate::error::exception;
use crate::logging::{collected, detached};
use crate::provider::Provider;

/// Makes tokens for one database user at one endpoint.
///
/// - `hostname`: the database's endpoint name; a DNS name alone, not an IP address.
/// - `port`: the database's port.
/// - `username`: the database user. Case and spaces are kept.
/// - `region`: the endpoint's region. `None` finds it: in the hostname, else in `AWS_REGION` or
///   `AWS_DEFAULT_REGION`, else in the profile.
/// - `profile`: take the credentials from this profile alone. `None` means the default chain of the
///   AWS SDKs: environment, shared config and credentials files, web identity, container, EC2
///   instance.
/// - `credentials`: sign with these and look for none. Not together with `profile`. One of:
///   - `Credentials`.
///   - A function without arguments that returns `Credentials`, a botocore credentials object or
///     botocore's frozen credentials: `boto3.Session().get_credentials`, for one. No coroutine
///     function.
///   - A botocore credentials object: anything with `get_frozen_credentials()`. Its expiry is read
///     from `_expiry_time`, if that is an aware `datetime`; it has no public name in botocore.
/// - `role_arn`: assume this role with the credentials found as above.
/// - `role_session_name`: the name of the assumed role's session, 2 to 64 characters. `None` means
///   "rdstoken". Only with `role_arn`.
/// - `external_id`: the external id that the role's trust policy asks for. Only with `role_arn`.
/// - `expires_in`: how long a token is valid, in whole seconds, 1 to 900.
/// - `timeout`: how long to wait for credentials, in seconds, all sources together; more than 0, at
///   most 3600.
/// - `min_validity`: reuse a token while it has at least this many seconds left, 0 to 899 and less
///   than `expires_in`. `None` means 60, or `expires_in` - 1 if that is less.
/// - `align`: sign as of the last multiple of this, in whole seconds, 0 to 600; 0 is off. All who
///   hold the same credentials then make the same token, which Aurora does not throttle. A fresh
///   token has at least `expires_in` - `align` seconds left; that must not be less than
///   `min_validity`.
/// - `cache`: reuse tokens. `False` signs anew each time; credentials are kept all the same.
/// - `advisory_window`: so many seconds before the credentials expire, one caller renews them and
///   the others use what is there; at most 43200. It is lengthened by up to a fifth at random.
/// - `mandatory_window`: so many seconds before the credentials expire, all callers wait for the
///   renewal; no more than `advisory_window`.
/// - `warn_hostname`: log a warning, once, if the hostname is none of RDS's own: the server checks
///   the name that is signed, and knows only its own.
///
/// Making a signer looks for nothing yet: no variable, file or network is read before the first
/// token. A signer can be called: `signer()` is `signer.token()`, for drivers that take a function
/// in place of a password.
///
/// Signers of the same profile, or with the same function, method or botocore object, and of the
/// same role share one set of credentials, fetched by one of them at a time. A function is called
/// on a short-lived thread of rdstoken's, when there are no credentials or they had better be
/// renewed; those that tell no expiry are asked for again after 15 minutes. If it takes longer than
/// `timeout`, the caller is answered without it. What it raises becomes a `CredentialsFailedError`
/// that names the class alone, because the text may hold secrets. The signer keeps it alive, and
/// the garbage collector does not see a cycle through it.
///
/// What happens is logged to `logging.getLogger("rdstoken")`, at the levels `DEBUG` and `WARNING`,
/// after the call that it happened in. No record holds a secret.
///
/// Its settings never change, and it may be shared between threads. It survives a fork: the child
/// may go on using it. It cannot be copied or pickled (`TypeError`), because it may hold
/// credentials.
///
/// Raises `InvalidArgumentError`, whose `field` is the argument's name, for a value that cannot be
/// right; `TypeError` for a value of the wrong type.
#[pyclass(frozen, module = "rdstoken")]
pub(crate) struct Signer {
    core: rdstoken::Signer,
    /// What was handed out last, if it may be handed out again.
    shown: Mutex<Option<Shown>>,
    cache: bool,
}

/// A token as a `str`, which is one object for all who are given the token.
struct Shown {
    /// Held, so that no other token comes to stand in its place.
    token: Arc<AuthToken>,
    text: Py<PyString>,
}

#[pymethods]
impl Signer {
    #[new]
    #[pyo3(
        signature = (
            hostname, port, username, *, region = None, profile = None, credentials = None,
            role_arn = None, role_session_name = None, external_id = None,
            expires_in = ExpiresIn::DEFAULT, timeout = Timeout::DEFAULT, min_validity = None,
            align = Align::DEFAULT, cache = Cache(true),
            advisory_window = AdvisoryWindow::DEFAULT,
            mandatory_window = MandatoryWindow::DEFAULT, warn_hostname = WarnHostname(true)
        ),
        text_signature = "(hostname, port, username, *, region=None, profile=None, \
                          credentials=None, role_arn=None, role_session_name=None, \
                          external_id=None, expires_in=900, timeout=5.0, min_validity=None, \
                          align=0, cache=True, advisory_window=300, mandatory_window=60, \
                          warn_hostname=True)"
    )]
    #[expect(
        clippy::too_many_arguments,
        reason = "they are keyword arguments in Python"
    )]
    fn new(
        hostname: &Bound<'_, PyAny>,
        port: &Bound<'_, PyAny>,
        username: &Bound<'_, PyAny>,
        region: Option<&Bound<'_, PyAny>>,
        profile: Option<&Bound<'_, PyAny>>,
        credentials: Option<&Bound<'_, PyAny>>,
        role_arn: Option<&Bound<'_, PyAny>>,
        role_session_name: Option<&Bound<'_, PyAny>>,
        external_id: Option<&Bound<'_, PyAny>>,
        expires_in: ExpiresIn,
        timeout: Timeout,
        min_validity: Option<MinValidity>,
        align: Align,
        cache: Cache,
        advisory_window: AdvisoryWindow,
        mandatory_window: MandatoryWindow,
        warn_hostname: WarnHostname,
    ) -> PyResult<Self> {
        let owned = |field, value| Ok::<_, PyErr>(optional_text(field, value)?.map(str::to_owned));
        let mut options = SignerOptions::new(
            text("hostname", hostname)?,
            port_number("port", port)?,
            text("username", username)?,
        );
        options.region = owned("region", region)?;
        options.profile = owned("profile", profile)?;
        if let Some(credentials) = credentials {
            match credentials.cast::<Credentials>() {
                Ok(given) => options.credentials = Some(given.get().inner().clone()),
                Err(_) => options.credentials_provider = Some(Provider::shared(credentials)?),
            }
        }
        options.role_arn = owned("role_arn", role_arn)?;
        options.role_session_name = owned("role_session_name", role_session_name)?;
        options.external_id = owned("external_id", external_id)?;
        options.expires_in = expires_in.0;
        options.timeout = timeout.0;
        options.min_validity = min_validity.map(|length| length.0);
        options.align = align.0;
        options.cache = cache.0;
        options.advisory_window = advisory_window.0;
        options.mandatory_window = mandatory_window.0;
        options.warn_hostname = warn_hostname.0;
        guard(|| rdstoken::Signer::new(options))
            .map(|core| Self {
                core,
                shown: Mutex::new(None),
                cache: cache.0,
            })
            .map_err(|error| exception(hostname.py(), &error))
    }

    /// Give a token for the next login: one handed out before if good enough, else a new one.
    ///
    /// With one handed out before it returns at once, takes no lock and keeps the GIL. Else
    /// it signs, and waits while credentials are fetched, no longer than `timeout` and 0.1 s; other
    /// threads run meanwhile. A signal that arrives during the wait is handled after it; so is
    /// Ctrl-C (`KeyboardInterrupt`).
    ///
    /// While a renewal of the credentials fails, a token that is still valid is handed out, even
    /// with less than `min_validity` left; one that is not, never.
    ///
    /// Returns the token: a few hundred characters, several thousand with a session token. Hand it
    /// to the driver whole, as the password, over TLS. It is a secret while it is valid.
    ///
    /// Raises `RegionNotFoundError`, `CredentialsNotFoundError`, `CredentialsFailedError`,
    /// `CredentialsExpiredError` or `TimeoutError`.
    fn token<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        if let Some(text) = self.at_hand(py)? {
            return Ok(text);
        }
        // With credentials at hand it takes no longer than to let another thread run.
        let at_once = collected(py, || guard(|| Ok(self.core.token_at_once())))?;
        let token = match at_once.map_err(|error| exception(py, &error))? {
            Some(token) => token,
            None => make(py, &self.core)?,
        };
        Ok(if self.cache {
            self.show(py, &token)
        } else {
            PyString::new(py, token.value())
        })
    }

    /// As `token()`, for asyncio: await the result, once. The event loop runs on meanwhile.
    ///
    /// A token that is handed out again is looked up when the result is awaited, and takes no
    /// thread. Else the work is done by `asyncio.to_thread`. Cancelling the wait does not stop it;
    /// the thread ends by itself, within `timeout` and 0.1 s.
    ///
    /// Raises what `token()` raises.
    fn token_async<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        py.import("rdstoken._aio")?
            .call_method1("token", (wrap_pyfunction!(token_at_hand, py)?, slf))
    }

    /// Write a connection string with a token for the next login.
    ///
    /// It is quoted and escaped as the driver's parser wants it, asks for TLS and verifies the
    /// certificate and its name. It is as secret as the token in it, and works as long as that. A
    /// driver with a hook for a fresh password is better served there: see the modules of
    /// `rdstoken` that are named like drivers.
    ///
    /// - `driver`: the driver that reads it: "psqlodbc", "libpq", "pgjdbc", ...; `limits()` lists
    ///   them.
    /// - `form`: its syntax: "connection-string" for ODBC, "uri", "passfile", ...; `None` means the
    ///   first that can be written for the driver.
    /// - `database`: the database to use; `None` leaves it to the driver.
    /// - `ca_file`: the file of the certificate authorities to trust; `None` leaves it to the
    ///   driver.
    /// - `hostaddr`: connect to this address, while the certificate is still that of the endpoint's
    ///   name. Only for libpq and what stands on it.
    /// - `odbc_driver`: what ODBC calls the driver: its name in odbcinst.ini or its library's path.
    ///   `None` means `PostgreSQL Unicode` or `MariaDB Unicode`.
    /// - `on_limit`: "refuse" or "warn" (to the log) if the driver is known to cut or alter a token
    ///   of this length.
    /// - `token`: the token to write, for who needs to know it, to try once more after `refused()`;
    ///   `None` means one from `token()`.
    ///
    /// Raises `InvalidArgumentError` for an unknown driver or form, or an option that the string
    /// has no room for; `DriverLimitError`; and what `token()` raises.
    #[pyo3(
        signature = (
            driver, form = None, *, database = None, ca_file = None, hostaddr = None,
            odbc_driver = None, on_limit = None, token = None
        ),
        text_signature = "($self, driver, form=None, *, database=None, ca_file=None, \
                          hostaddr=None, odbc_driver=None, on_limit='refuse', token=None)"
    )]
    #[expect(
        clippy::too_many_arguments,
        reason = "they are keyword arguments in Python"
    )]
    fn connection_string<'py>(
        &self,
        driver: &Bound<'py, PyAny>,
        form: Option<&Bound<'py, PyAny>>,
        database: Option<&Bound<'py, PyAny>>,
        ca_file: Option<&Bound<'py, PyAny>>,
        hostaddr: Option<&Bound<'py, PyAny>>,
        odbc_driver: Option<&Bound<'py, PyAny>>,
        on_limit: Option<&Bound<'py, PyAny>>,
        token: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyString>> {
        let py = driver.py();
        let options = ConnectionOptions {
            driver: text("driver", driver)?,
            form: optional_text("form", form)?.unwrap_or(""),
            database: optional_text("database", database)?,
            ca_file: optional_text("ca_file", ca_file)?,
            hostaddr: optional_text("hostaddr", hostaddr)?,
            odbc_driver: optional_text("odbc_driver", odbc_driver)?,
            on_limit: optional_text("on_limit", on_limit)?
                .map_or(Ok(OnLimit::default()), OnLimit::named)
                .map_err(|error| exception(py, &error))?,
        };
        let made = match optional_text("token", token)? {
            Some(token) => guard(|| connection_string(self.core.login(), token, &options)),
            None => detached(py, || guard(|| self.core.connection_string(&options)))?,
        };
        made.map(|string| PyString::new(py, string.value()))
            .map_err(|error| exception(py, &error))
    }

    /// Tell the signer that the server refused a login because of the password.
    ///
    /// - `token`: the token that was refused.
    ///
    /// Returns whether to try once more, with a fresh token. `True` if the token had been handed
    /// out before, and so may have died since: it is forgotten, and the next call signs a new one.
    /// `False` if it came fresh from signing, because the next would be refused as well; if the
    /// next would be the same, within the same second or period of `align`; if tokens are not
    /// reused at all; or if it is for another login.
    fn refused(&self, token: &Bound<'_, PyAny>) -> PyResult<bool> {
        let refused = text("token", token)?;
        let again = guard(|| Ok(self.core.refused(refused)))
            .map_err(|error| exception(token.py(), &error))?;
        if again {
            self.forget();
        }
        Ok(again)
    }

    /// The endpoint's name, as it is signed: lower case, no final dot.
    #[getter]
    fn hostname(&self) -> &str {
        self.core.login().endpoint().hostname()
    }

    /// The endpoint's port.
    #[getter]
    fn port(&self) -> u16 {
        self.core.login().endpoint().port()
    }

    /// The database user.
    #[getter]
    fn username(&self) -> &str {
        self.core.login().username()
    }

    /// Forget the token, so that the next call signs a new one.
    ///
    /// For the one retry after a login was refused with a token that had been handed out before.
    ///
    /// - `credentials`: forget the credentials that signed it as well, for all signers that share
    ///   them, so that the next call fetches new ones. `Credentials` that were passed in stay.
    #[pyo3(
        signature = (*, credentials = AlsoCredentials(false)),
        text_signature = "($self, *, credentials=False)"
    )]
    fn invalidate(&self, py: Python<'_>, credentials: AlsoCredentials) -> PyResult<()> {
        let work = || {
            if credentials.0 {
                self.core.invalidate_credentials();
            } else {
                self.core.invalidate();
            }
            Ok(())
        };
        let done = detached(py, || guard(work))?;
        self.forget();
        done.map_err(|error| exception(py, &error))
    }

    /// Tell what has been done so far.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let stats = self.core.stats();
        py.import("rdstoken._stats")?.call_method1(
            "Stats",
            (
                stats.signed,
                stats.reused,
                stats.renewals,
                stats.failures,
                stats.last_error.map(ErrorKind::code),
                stats.expires_at.map(|end| datetime(py, end)).transpose()?,
            ),
        )
    }

    fn __call__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        self.token(py)
    }

    /// When the token that was signed last stops working; `None` before the first.
    ///
    /// An aware `datetime` in UTC, whole seconds: the earlier of signing time plus `expires_in` and
    /// the expiry of the credentials. A connection that is open by then stays open.
    #[getter]
    fn expires_at<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDateTime>>> {
        self.core
            .expires_at()
            .map(|end| datetime(py, end))
            .transpose()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (endpoint, username) = (self.core.login().endpoint(), self.core.login().username());
        Ok(format!(
            "Signer(hostname={}, port={}, username={})",
            PyString::new(py, endpoint.hostname()).repr()?,
            endpoint.port(),
            PyString::new(py, username).repr()?
        ))
    }
}

impl Signer {
    /// The token that core would hand out again now, by core's rules alone.
    fn at_hand<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyString>>> {
        guard(|| Ok(self.core.with_cached_token(|token| self.show(py, token))))
            .map_err(|error| exception(py, &error))
    }

    fn show<'py>(&self, py: Python<'py>, token: &Arc<AuthToken>) -> Bound<'py, PyString> {
        if let Some(shown) = &*self.shown()
            && shown.token.is(token)
        {
            return shown.text.bind(py).clone();
        }
        let text = PyString::new(py, token.value());
        let shown = Shown {
            token: Arc::clone(token),
            text: text.clone().unbind(),
        };
        let before = self.shown().replace(shown);
        drop(before);
        text
    }

    /// Lets go of a token that is not handed out again.
    fn forget(&self) {
        let before = self.shown().take();
        drop(before);
    }

    /// Neither waited for nor held without the GIL, so a fork does not find it locked.
    fn shown(&self) -> MutexGuard<'_, Option<Shown>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Make a token in boto3's words, with credentials from the default chain.
///
/// - `DBHostname`: the database's endpoint name.
/// - `Port`: the database's port.
/// - `DBUsername`: the database user.
/// - `Region`: the endpoint's region. `None` finds it: in the hostname, else in `AWS_REGION` or
///   `AWS_DEFAULT_REGION`, else in the profile.
///
/// The same as `Signer(DBHostname, Port, DBUsername, region=Region).token()`, and in place of
/// `boto3.client("rds").generate_db_auth_token(...)`. A program that connects more than once keeps
/// a `Signer` instead.
///
/// Raises what `Signer` and its `token()` raise; the `field` of an `InvalidArgumentError` is the
/// name used here.
#[pyfunction]
#[pyo3(signature = (DBHostname, Port, DBUsername, Region = None))]
#[expect(non_snake_case, reason = "boto3's names")]
pub(crate) fn generate_db_auth_token<'py>(
    DBHostname: &Bound<'py, PyAny>,
    Port: &Bound<'py, PyAny>,
    DBUsername: &Bound<'py, PyAny>,
    Region: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyString>> {
    let py = DBHostname.py();
    let mut options = SignerOptions::new(
        text("DBHostname", DBHostname)?,
        port_number("Port", Port)?,
        text("DBUsername", DBUsername)?,
    );
    options.region = optional_text("Region", Region)?.map(str::to_owned);
    guard(|| rdstoken::Signer::new(options))
        .map_err(|error| exception(py, &in_boto3_words(error)))
        .and_then(|signer| make(py, &signer))
        .map(|token| PyString::new(py, token.value()))
}

/// What an event loop can have at once.
#[pyfunction]
fn token_at_hand<'py>(signer: &Bound<'py, Signer>) -> PyResult<Option<Bound<'py, PyString>>> {
    signer.get().at_hand(signer.py())
}

/// Makes a token while other Python threads run.
fn make(py: Python<'_>, signer: &rdstoken::Signer) -> PyResult<Arc<AuthToken>> {
    detached(py, || guard(|| signer.token()))?.map_err(|error| exception(py, &error))
}

/// Names the argument that the caller wrote.
fn in_boto3_words(error: Error) -> Error {
    let name = match error.field() {
        Some("hostname") => "DBHostname",
        Some("port") => "Port",
        Some("username") => "DBUsername",
        Some("region") => "Region",
        _ => return error,
    };
    Error::invalid(name, error.detail().to_owned())
}
