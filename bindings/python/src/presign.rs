use pyo3::prelude::*;
use pyo3::types::PyString;
use rdstoken::{PresignRequest, guard};

use crate::convert::{ExpiresIn, moment, object, optional_text, port_number, text};
use crate::credentials::Credentials;
use crate::error::exception;

/// Make a token from what is given alone: no clock, variable, file or network is read.
///
/// - `hostname`: the database's endpoint name; a DNS name alone, not an IP address. It is
///   lower-cased and loses one final dot.
/// - `port`: the database's port. It is always signed.
/// - `username`: the database user. Case and spaces are kept.
/// - `region`: the endpoint's region; `None` finds it in the hostname.
/// - `credentials`: who signs.
/// - `signing_time`: when the token begins to be valid: an aware `datetime`, or Unix seconds (`int`
///   or `float`). A fraction of a second is dropped.
/// - `expires_in`: how long the token is valid, in whole seconds, 1 to 900.
///
/// Returns the token: a few hundred characters, several thousand with a session token. Hand it to
/// the driver whole, as the password, over TLS. It is a secret while it is valid.
///
/// Raises `InvalidArgumentError`, whose `field` is the argument's name, for a value that cannot be
/// right, such as a naive `datetime`; `RegionNotFoundError` if the region is `None` and the
/// hostname has none; `TypeError` for a value of the wrong type.
#[pyfunction]
#[pyo3(
    signature = (
        *, hostname, port, username, region = None, credentials, signing_time,
        expires_in = ExpiresIn::DEFAULT
    ),
    text_signature = "(*, hostname, port, username, region=None, credentials, signing_time, \
                      expires_in=900)"
)]
pub(crate) fn presign<'py>(
    hostname: &Bound<'py, PyAny>,
    port: &Bound<'py, PyAny>,
    username: &Bound<'py, PyAny>,
    region: Option<&Bound<'py, PyAny>>,
    credentials: &Bound<'py, PyAny>,
    signing_time: &Bound<'py, PyAny>,
    expires_in: ExpiresIn,
) -> PyResult<Bound<'py, PyString>> {
    let py = hostname.py();
    let request = PresignRequest {
        hostname: text("hostname", hostname)?,
        port: port_number("port", port)?,
        username: text("username", username)?,
        region: optional_text("region", region)?,
        credentials: object::<Credentials>("credentials", "Credentials", credentials)?
            .get()
            .inner(),
        signing_time: moment("signing_time", signing_time)?,
        expires_in: expires_in.0,
    };
    let token = guard(|| rdstoken::presign(&request)).map_err(|error| exception(py, &error))?;
    Ok(PyString::new(py, token.value()))
}
