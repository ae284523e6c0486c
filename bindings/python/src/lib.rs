//! `rdstoken._rdstoken`: the native half of the Python package `rdstoken`.
//!
//! It converts between Python's types and core's, and decides nothing. The doc comments of the
//! exported items are Python's docstrings; `_rdstoken.pyi` repeats them, and a test holds the two
//! together.

mod convert;
mod credentials;
mod error;
mod presign;
mod signer;

/// The native half of rdstoken. Import from `rdstoken` instead.
#[pyo3::pymodule]
mod _rdstoken {
    #[pymodule_export]
    use crate::credentials::Credentials;
    #[pymodule_export]
    use crate::presign::presign;
    #[pymodule_export]
    use crate::signer::{Signer, generate_db_auth_token};

    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "Python's name for it")]
    const __version__: &str = rdstoken::VERSION;
}
