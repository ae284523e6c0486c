use pyo3::prelude::*;
use pyo3::types::{PyDateTime, PyString};
use rdstoken::guard;

use crate::convert::{datetime, optional_text, showable_moment, text};
use crate::error::exception;

/// AWS credentials: an access key, with a session token if they are temporary.
///
/// - `access_key_id`, `secret_access_key`: the access key's two halves.
/// - `session_token`: what temporary credentials come with. `None`, or an empty text, means none.
/// - `expires_at`: when they expire: an aware `datetime`, or Unix seconds (`int` or `float`) of the
///   years 1970 to 9999. A fraction of a second is dropped. `None` means that it is not known, or
///   never. No token signed with them is said to live longer.
///
/// The secrets cannot be read back. They are in no repr, error or log, and are wiped from memory
/// with the last object that uses them; the texts that were passed in are Python's own and are
/// not wiped. For the same reason credentials cannot be copied or pickled (`TypeError`): pass on
/// the object itself.
///
/// Immutable, and may be shared between threads.
///
/// Raises `InvalidArgumentError`, whose `field` is the argument's name, if a value is empty (the
/// first two), too long, or has characters other than visible ASCII, such as a stray newline;
/// `TypeError` for a value of the wrong type.
#[pyclass(frozen, module = "rdstoken")]
pub(crate) struct Credentials(rdstoken::Credentials);

impl Credentials {
    /// Core's credentials; a clone shares the secrets.
    pub(crate) fn inner(&self) -> &rdstoken::Credentials {
        &self.0
    }
}

#[pymethods]
impl Credentials {
    #[new]
    #[pyo3(signature = (access_key_id, secret_access_key, session_token = None, expires_at = None))]
    pub(crate) fn new(
        access_key_id: &Bound<'_, PyAny>,
        secret_access_key: &Bound<'_, PyAny>,
        session_token: Option<&Bound<'_, PyAny>>,
        expires_at: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let key_id = text("access_key_id", access_key_id)?;
        let secret = text("secret_access_key", secret_access_key)?;
        let session_token = optional_text("session_token", session_token)?;
        let expires_at = expires_at
            .map(|moment| showable_moment("expires_at", moment))
            .transpose()?;
        guard(|| {
            let credentials = rdstoken::Credentials::new(key_id, secret, session_token)?;
            Ok(match expires_at {
                Some(expires_at) => credentials.expiring_at(expires_at),
                None => credentials,
            })
        })
        .map(Self)
        .map_err(|error| exception(access_key_id.py(), &error))
    }

    /// The access key id. It is no secret: it stands readable in every token.
    #[getter]
    fn access_key_id(&self) -> &str {
        self.0.access_key_id()
    }

    /// When they expire; `None` if that is not known, or never.
    ///
    /// An aware `datetime` in UTC, whole seconds.
    #[getter]
    fn expires_at<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDateTime>>> {
        self.0.expires_at().map(|end| datetime(py, end)).transpose()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let key_id = PyString::new(py, self.0.access_key_id()).repr()?;
        Ok(format!("Credentials(access_key_id={key_id})"))
    }
}
