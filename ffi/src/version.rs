use std::ffi::{CStr, c_char};

const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => panic!("a version has no NUL in it"),
    };

/// The version of the library that is loaded, for example `"0.1.0"`. `RDSTOKEN_VERSION` is the
/// version of the header that the program was compiled with.
///
/// The text is static: never free it.
#[unsafe(no_mangle)]
pub extern "C" fn rdstoken_version() -> *const c_char {
    VERSION.as_ptr()
}
