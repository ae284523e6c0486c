use pyo3::prelude::*;
use rdstoken::{DRIVERS, guard};

use crate::convert::text;
use crate::error::exception;

/// Check that a driver passes on a token whole that is given to it in a certain form.
///
/// - `driver`, `form`: as `limits()` names them, for example "mariadb-cli" and "prompt".
/// - `token`: the token; its length counts.
///
/// Raises `DriverLimitError` if the driver is known not to; `InvalidArgumentError` for a driver or
/// form that is not known.
#[pyfunction]
pub(crate) fn check_length(
    driver: &Bound<'_, PyAny>,
    form: &Bound<'_, PyAny>,
    token: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let py = driver.py();
    let (driver, form) = (text("driver", driver)?, text("form", form)?);
    let token = text("token", token)?;
    guard(|| rdstoken::check_length(driver, form, token)).map_err(|error| exception(py, &error))
}

/// List what drivers do to long passwords: a `Limit` for each driver and way to give it one.
#[pyfunction]
pub(crate) fn limits(py: Python<'_>) -> PyResult<Vec<Bound<'_, PyAny>>> {
    let class = py.import("rdstoken._limits")?.getattr("Limit")?;
    DRIVERS
        .iter()
        .map(|row| {
            class.call1((
                row.driver,
                row.form,
                row.max_length,
                row.beyond.name(),
                row.is_written(),
                row.note,
                row.source,
            ))
        })
        .collect()
}
