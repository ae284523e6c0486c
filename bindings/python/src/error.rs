//! From core's errors to Python's exceptions.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use rdstoken::Error;

/// Which class belongs to which code is known to `rdstoken._errors` alone.
static FROM_CODE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// Fills `FROM_CODE`. When the module is loaded, because a forked child hangs on a cell that
/// another thread was filling; and because nothing can be imported while Python shuts down.
pub(crate) fn load(py: Python<'_>) -> PyResult<()> {
    FROM_CODE.import(py, "rdstoken._errors", "from_code")?;
    Ok(())
}

/// The exception for `error`.
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    FROM_CODE
        .import(py, "rdstoken._errors", "from_code")
        .and_then(|from_code| {
            from_code.call1((error.kind().code(), error.to_string(), error.field()))
        })
        .map_or_else(|failure| failure, PyErr::from_value)
}
