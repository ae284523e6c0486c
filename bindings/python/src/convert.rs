//! From Python's types to core's.
//!
//! A value of the wrong type is a `TypeError`, as everywhere in Python. A value of the right type
//! that core's type cannot hold becomes one that core refuses, so that the rule and its text stay
//! with core. Either error names the argument and keeps the value to itself.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pyo3::PyTypeInfo;
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDateTime, PyDelta, PyDeltaAccess, PyFloat, PyString, PyTzInfo};
use rdstoken::{
    DEFAULT_ADVISORY_WINDOW, DEFAULT_MANDATORY_WINDOW, DEFAULT_TIMEOUT, Error, MAX_EXPIRES_IN,
};

use crate::attach;
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
    let moment = seconds_of(field, value)?
        .and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds)));
    Ok(moment.unwrap_or(UNIX_EPOCH - Duration::from_secs(1)))
}

/// A moment that can be shown as a `datetime` again.
pub(crate) fn showable_moment(
    field: &'static str,
    value: &Bound<'_, PyAny>,
) -> PyResult<SystemTime> {
    /// 9999-12-31T23:59:59Z, the last second of Python's `datetime`.
    const LAST: u64 = 253_402_300_799;
    match seconds_of(field, value)? {
        Some(seconds @ ..=LAST) => Ok(UNIX_EPOCH + Duration::from_secs(seconds)),
        _ => Err(exception(
            value.py(),
            &Error::invalid(field, "expected a moment of the years 1970 to 9999"),
        )),
    }
}

/// As Python has it: an aware `datetime` in UTC.
pub(crate) fn datetime(py: Python<'_>, moment: SystemTime) -> PyResult<Bound<'_, PyDateTime>> {
    load_datetime(py)?;
    moment.into_pyobject(py)
}

/// Loads `datetime` when it is needed: it takes as long as all of rdstoken.
fn load_datetime(py: Python<'_>) -> PyResult<()> {
    static LOADED: AtomicBool = AtomicBool::new(false);
    if LOADED.load(Ordering::Acquire) {
        return Ok(());
    }
    py.import("datetime")?;
    // pyo3 keeps datetime's types behind once-cells. A fork must not find them half filled.
    attach::without_forks(py, || {
        let epoch = UNIX_EPOCH.into_pyobject(py)?;
        unix_seconds("epoch", &epoch)
    })?;
    LOADED.store(true, Ordering::Release);
    Ok(())
}

/// Whole seconds since 1970. `None` for what is before, or no number of 64 bits.
fn seconds_of(field: &'static str, value: &Bound<'_, PyAny>) -> PyResult<Option<u64>> {
    load_datetime(value.py())?;
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
    Ok(seconds.and_then(|seconds| u64::try_from(seconds).ok()))
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

/// Seconds, as an `int` is.
fn whole(field: &str, value: Borrowed<'_, '_, PyAny>) -> PyResult<Option<Duration>> {
    Ok(number(field, "int", value)?.map(Duration::from_secs))
}

/// Seconds, as a `float` or an `int` is.
fn fractional(field: &str, value: Borrowed<'_, '_, PyAny>) -> PyResult<Option<Duration>> {
    let seconds: Option<f64> = number(field, "float", value)?;
    Ok(seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()))
}

/// Makes the type of an argument that is a length of time. A number that is none becomes
/// `$refused`, which core refuses.
macro_rules! length_of_time {
    ($type:ident, $field:literal, $read:ident, refused: $refused:expr) => {
        #[derive(Clone, Copy)]
        pub(crate) struct $type(pub(crate) Duration);

        impl FromPyObject<'_, '_> for $type {
            type Error = PyErr;

            fn extract(value: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
                Ok(Self($read($field, value)?.unwrap_or($refused)))
            }
        }
    };
    // The signature that Python shows is text. Should core's default change, so must it.
    ($type:ident, $field:literal, $read:ident, refused: $refused:expr,
     default: $default:expr, shown as $shown:literal) => {
        length_of_time!($type, $field, $read, refused: $refused);

        impl $type {
            pub(crate) const DEFAULT: Self = Self($default);
        }

        const _: () = assert!($type::DEFAULT.0.as_millis() == $shown * 1000);
    };
}

length_of_time!(ExpiresIn, "expires_in", whole, refused: Duration::ZERO,
    default: MAX_EXPIRES_IN, shown as 900);
length_of_time!(Timeout, "timeout", fractional, refused: Duration::ZERO,
    default: DEFAULT_TIMEOUT, shown as 5);
length_of_time!(MinValidity, "min_validity", fractional, refused: Duration::MAX);
length_of_time!(Align, "align", whole, refused: Duration::MAX,
    default: Duration::ZERO, shown as 0);
length_of_time!(AdvisoryWindow, "advisory_window", fractional, refused: Duration::MAX,
    default: DEFAULT_ADVISORY_WINDOW, shown as 300);
length_of_time!(MandatoryWindow, "mandatory_window", fractional, refused: Duration::MAX,
    default: DEFAULT_MANDATORY_WINDOW, shown as 60);

/// Makes the type of an argument that is `True` or `False`.
macro_rules! flag {
    ($type:ident, $field:literal) => {
        #[derive(Clone, Copy)]
        pub(crate) struct $type(pub(crate) bool);

        impl FromPyObject<'_, '_> for $type {
            type Error = PyErr;

            fn extract(value: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
                match value.cast::<PyBool>() {
                    Ok(flag) => Ok(Self(flag.is_true())),
                    Err(_) => Err(wrong_type($field, "bool", value)),
                }
            }
        }
    };
}

flag!(Cache, "cache");
flag!(WarnHostname, "warn_hostname");
flag!(AlsoCredentials, "credentials");

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

pub(crate) fn wrong_type(field: &str, expected: &str, value: Borrowed<'_, '_, PyAny>) -> PyErr {
    match value.get_type().name() {
        Ok(found) => PyTypeError::new_err(format!("{field}: expected {expected}, got {found}")),
        Err(error) => error,
    }
}
