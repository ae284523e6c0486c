use std::time::SystemTime;

use pyo3::prelude::*;
use pyo3::types::PyString;
use rdstoken::{Error, SignerOptions, guard};

use crate::convert::{ExpiresIn, Timeout, object, optional_text, port_number, text};
use crate::credentials::Credentials;
use crate::error::exception;

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
/// - `credentials`: sign with these and look for none. Not together with `profile`.
/// - `expires_in`: how long a token is valid, in whole seconds, 1 to 900.
/// - `timeout`: how long to wait for credentials, in seconds, all sources together; more than 0, at
///   most 3600.
///
/// Making a signer looks for nothing yet: no variable, file or network is read before the first
/// token. A signer can be called: `signer()` is `signer.token()`, for drivers that take a function
/// in place of a password.
///
/// Its settings never change, and it may be shared between threads. It survives a fork: the child
/// may go on using it. It cannot be copied or pickled (`TypeError`), because it may hold
/// credentials.
///
/// Raises `InvalidArgumentError`, whose `field` is the argument's name, for a value that cannot be
/// right; `TypeError` for a value of the wrong type.
#[pyclass(frozen, module = "rdstoken")]
pub(crate) struct Signer(rdstoken::Signer);

#[pymethods]
impl Signer {
    #[new]
    #[pyo3(
        signature = (
            hostname, port, username, *, region = None, profile = None, credentials = None,
            expires_in = ExpiresIn::DEFAULT, timeout = Timeout::DEFAULT
        ),
        text_signature = "(hostname, port, username, *, region=None, profile=None, \
                          credentials=None, expires_in=900, timeout=5.0)"
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
        expires_in: ExpiresIn,
        timeout: Timeout,
    ) -> PyResult<Self> {
        let mut options = SignerOptions::new(
            text("hostname", hostname)?,
            port_number("port", port)?,
            text("username", username)?,
        );
        options.region = optional_text("region", region)?.map(str::to_owned);
        options.profile = optional_text("profile", profile)?.map(str::to_owned);
        options.credentials = credentials
            .map(|value| object::<Credentials>("credentials", "Credentials", value))
            .transpose()?
            .map(|credentials| credentials.get().inner().clone());
        options.expires_in = expires_in.0;
        options.timeout = timeout.0;
        guard(|| rdstoken::Signer::new(options))
            .map(Self)
            .map_err(|error| exception(hostname.py(), &error))
    }

    /// Make a token for the next login, signed now.
    ///
    /// Waits while credentials are fetched, no longer than `timeout` and 0.1 s; other threads run
    /// meanwhile. With credentials and a region at hand it does not wait. A signal that arrives
    /// during the wait is handled after it; so is Ctrl-C (`KeyboardInterrupt`).
    ///
    /// Returns the token: a few hundred characters, several thousand with a session token. Hand it
    /// to the driver whole, as the password, over TLS. It is a secret while it is valid.
    ///
    /// Raises `RegionNotFoundError`, `CredentialsNotFoundError`, `CredentialsFailedError`,
    /// `CredentialsExpiredError` or `TimeoutError`.
    fn token<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        sign(py, &self.0).map_err(|error| exception(py, &error))
    }

    /// As `token()`, for asyncio: await the result. The event loop runs on meanwhile.
    ///
    /// The work is done by `asyncio.to_thread`. Cancelling the wait does not stop it; the thread
    /// ends by itself, within `timeout` and 0.1 s.
    ///
    /// Raises what `token()` raises.
    fn token_async<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        // Here and not at the top: most programs that sign have no use for asyncio.
        slf.py()
            .import("asyncio")?
            .call_method1("to_thread", (slf.getattr("token")?,))
    }

    fn __call__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        self.token(py)
    }

    /// When the token that was handed out last stops working; `None` before the first.
    ///
    /// An aware `datetime` in UTC, whole seconds: the earlier of signing time plus `expires_in` and
    /// the expiry of the credentials. A connection that is open by then stays open.
    #[getter]
    fn expires_at(&self) -> Option<SystemTime> {
        self.0.expires_at()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (endpoint, username) = (self.0.login().endpoint(), self.0.login().username());
        Ok(format!(
            "Signer(hostname={}, port={}, username={})",
            PyString::new(py, endpoint.hostname()).repr()?,
            endpoint.port(),
            PyString::new(py, username).repr()?
        ))
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
        .and_then(|signer| sign(py, &signer))
        .map_err(|error| exception(py, &in_boto3_words(error)))
}

/// Signs while other Python threads run.
fn sign<'py>(py: Python<'py>, signer: &rdstoken::Signer) -> Result<Bound<'py, PyString>, Error> {
    let token = py.detach(|| guard(|| signer.token()))?;
    Ok(PyString::new(py, token.value()))
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
