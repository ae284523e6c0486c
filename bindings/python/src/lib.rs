//! `rdstoken._rdstoken`: the native half of the Python package `rdstoken`.
//!
//! It converts between Python's types and core's, and decides nothing. The doc comments of the
//! exported items are Python's docstrings; `_rdstoken.pyi` repeats them, and a test holds the two
//! together.

mod attach;
mod call;
mod convert;
mod credentials;
mod driver;
mod error;
mod logging;
mod presign;
mod provider;
mod signer;

/// The native half of rdstoken. Import from `rdstoken` instead.
#[pyo3::pymodule]
mod _rdstoken {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::credentials::Credentials;
    #[pymodule_export]
    use crate::driver::{check_length, limits};
    #[pymodule_export]
    use crate::presign::presign;
    #[pymodule_export]
    use crate::signer::{Signer, generate_db_auth_token};

    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "Python's name for it")]
    const __version__: &str = rdstoken::VERSION;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::error::load(module.py())?;
        crate::attach::guard_forks(module.py())?;
        crate::logging::install();
        Ok(())
    }
}
