//! From Python's types to core's.
//!
//! A value of the wrong type is a `TypeError`, as everywhere in Python. A value of the right type
//! that core's type cannot hold becomes one that core refuses, so that the rule and its text stay
//! with core. Either error names the argument and keeps the value to itself.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pyo3::PyTypeInfo;
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDateTime, PyDelta, PyDeltaAccess, PyFloat, PyString, PyTzInfo};
use rdstoken::{DEFAULT_TIMEOUT, Error, MAX_EXPIRES_IN};

use crate::error::exception;

/// The text of the argument `field`.
pub(crate) fn text<'a>(field: &'static str, value: &'a Bound<'_, PyAny>) -> PyResult<&'a str> {
    object::<PyString>(field, "str", value)?
        .to_str()
        .map_err(|_| {
            // Python's own error would quote the text.
            let error = Error::invalid(field, "expected Unicode text without lone surrogates");
            exception(value.py(), &error)
        })
}

/// As [`text`], for an argument that may be `None`.
pub(crate) fn optional_text<'a>(
    field: &'static str,
    value: Option<&'a Bound<'_, PyAny>>,
) -> PyResult<Option<&'a str>> {
    value.map(|value| text(field, value)).transpose()
}

/// The argument `field` as an object of the class `T`, which Python calls `name`.
pub(crate) fn object<'a, 'py, T: PyTypeInfo>(
    field: &str,
    name: &str,
    value: &'a Bound<'py, PyAny>,
) -> PyResult<&'a Bound<'py, T>> {
    value
        .cast()
        .map_err(|_| wrong_type(field, name, value.as_borrowed()))
}

/// A TCP port. What is no number of 16 bits becomes 0, which core refuses.
pub(crate) fn port_number(field: &str, value: &Bound<'_, PyAny>) -> PyResult<u16> {
    Ok(number(field, "int", value.as_borrowed())?.unwrap_or(0))
}

/// A moment: an aware `datetime`, or Unix seconds. What `SystemTime` cannot hold becomes a moment
/// before 1970, which core refuses.
pub(crate) fn moment(field: &'static str, value: &Bound<'_, PyAny>) -> PyResult<SystemTime> {
    let seconds = if let Ok(datetime) = value.cast::<PyDateTime>() {
        Some(unix_seconds(field, datetime)?)
    } else if let Ok(float) = value.cast::<PyFloat>() {
        floor(float.extract()?)
    } else {
        number(
            field,
            "an aware datetime or Unix seconds",
            value.as_borrowed(),
        )?
    };
    let moment = seconds
        .and_then(|seconds| u64::try_from(seconds).ok())
        .and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds)));
    Ok(moment.unwrap_or(UNIX_EPOCH - Duration::from_secs(1)))
}

/// Whole seconds since 1970, by integers alone: `datetime.timestamp()` rounds, and may so name the
/// next second.
fn unix_seconds(field: &'static str, datetime: &Bound<'_, PyDateTime>) -> PyResult<i64> {
    const DAY: i64 = 86_400;
    let py = datetime.py();
    if datetime.call_method0("utcoffset")?.is_none() {
        let error = Error::invalid(
            field,
            "expected an aware datetime (one with a time zone) or Unix seconds",
        );
        return Err(exception(py, &error));
    }
    let utc = PyTzInfo::utc(py)?;
    let epoch = PyDateTime::new(py, 1970, 1, 1, 0, 0, 0, 0, Some(&utc))?;
    let since = datetime.sub(epoch)?.cast_into::<PyDelta>()?;
    Ok(i64::from(since.get_days()) * DAY + i64::from(since.get_seconds()))
}

/// Whole seconds, downwards. `None` if that is no `i64`, or before 1970.
fn floor(seconds: f64) -> Option<i64> {
    let whole = Duration::try_from_secs_f64(seconds.floor()).ok()?;
    i64::try_from(whole.as_secs()).ok()
}

/// The argument `expires_in`, in whole seconds. A number that is no length of time becomes 0,
/// which core refuses.
#[derive(Clone, Copy)]
pub(crate) struct ExpiresIn(pub(crate) Duration);

impl ExpiresIn {
    pub(crate) const DEFAULT: Self = Self(MAX_EXPIRES_IN);
}

impl FromPyObject<'_, '_> for ExpiresIn {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let seconds = number("expires_in", "int", value)?.unwrap_or(0);
        Ok(Self(Duration::from_secs(seconds)))
    }
}

/// The argument `timeout`, in seconds. A number that is no length of time becomes 0, which core
/// refuses.
#[derive(Clone, Copy)]
pub(crate) struct Timeout(pub(crate) Duration);

impl Timeout {
    pub(crate) const DEFAULT: Self = Self(DEFAULT_TIMEOUT);
}

impl FromPyObject<'_, '_> for Timeout {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let seconds: f64 = number("timeout", "float", value)?.unwrap_or(f64::INFINITY);
        Ok(Self(
            Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO),
        ))
    }
}

// The signatures that Python shows are text. Should core's defaults change, so must they.
const _: () = assert!(ExpiresIn::DEFAULT.0.as_millis() == 900_000);
const _: () = assert!(Timeout::DEFAULT.0.as_millis() == 5_000);

/// A number, or `None` for one that `T` cannot hold.
///
/// `True` counts as 1 in Python. As a port or a time it can only be a slip.
fn number<'a, 'py, T>(
    field: &str,
    expected: &str,
    value: Borrowed<'a, 'py, PyAny>,
) -> PyResult<Option<T>>
where
    T: FromPyObject<'a, 'py, Error = PyErr>,
{
    let py = value.py();
    if value.is_instance_of::<PyBool>() {
        return Err(wrong_type(field, expected, value));
    }
    match value.extract() {
        Ok(number) => Ok(Some(number)),
        Err(error) if error.is_instance_of::<PyOverflowError>(py) => Ok(None),
        Err(error) if error.is_instance_of::<PyTypeError>(py) => {
            Err(wrong_type(field, expected, value))
        }
        Err(error) => Err(error),
    }
}

fn wrong_type(field: &str, expected: &str, value: Borrowed<'_, '_, PyAny>) -> PyErr {
    match value.get_type().name() {
        Ok(found) => PyTypeError::new_err(format!("{field}: expected {expected}, got {found}")),
        Err(error) => error,
    }
}
