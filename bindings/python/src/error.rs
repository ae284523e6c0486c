//! From core's errors, and from panics, to Python's exceptions.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use rdstoken::{Error, ErrorKind};

/// The exception for `error`. Which class belongs to which code is known to `rdstoken._errors`
/// alone.
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    static FROM_CODE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    FROM_CODE
        .import(py, "rdstoken._errors", "from_code")
        .and_then(|from_code| {
            from_code.call1((error.kind().code(), error.to_string(), error.field()))
        })
        .map_or_else(|failure| failure, PyErr::from_value)
}

/// Runs core's `work`. Should it panic, the caller gets an `InternalError`, which `except
/// Exception` catches, and not pyo3's `PanicException`, which it does not.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    // Nothing that `work` may have left half-done is looked at again: core's types have no state
    // between calls but one atomic number.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(Error::new(
            ErrorKind::Internal,
            "rdstoken failed unexpectedly; please report it",
        ))
    })
}
