//! From core's errors to Python's exceptions.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use rdstoken::Error;

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
