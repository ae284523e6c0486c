use std::ffi::{CStr, c_char};

use rdstoken_core::ErrorKind;

/// The result of a call. The numbers never change and are never used again; new ones are added at
/// the end, so treat a number that you do not know as an error.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum rdstoken_status {
    /// The call did what was asked.
    RDSTOKEN_STATUS_OK = 0,
    /// A fault in rdstoken itself. Please report it.
    RDSTOKEN_STATUS_INTERNAL = 1,
    /// An argument is not what it must be; rdstoken_error_field() names it.
    RDSTOKEN_STATUS_INVALID_ARGUMENT = 2,
    /// The buffer is too small for the whole token, and nothing was written into it.
    RDSTOKEN_STATUS_BUFFER_TOO_SMALL = 3,
    /// The region was neither given nor found in the hostname, the environment or the profile.
    RDSTOKEN_STATUS_REGION_NOT_FOUND = 4,
    /// No credential source had any credentials.
    RDSTOKEN_STATUS_CREDENTIALS_NOT_FOUND = 5,
    /// A credential source is set up, but failed to give usable credentials.
    RDSTOKEN_STATUS_CREDENTIALS_FAILED = 6,
    /// The credentials had expired at the signing time.
    RDSTOKEN_STATUS_CREDENTIALS_EXPIRED = 7,
    /// The deadline passed before the credentials arrived.
    RDSTOKEN_STATUS_TIMEOUT = 8,
    /// The driver, or the way the token would be given to it, cuts or alters a token of this
    /// length.
    RDSTOKEN_STATUS_DRIVER_LIMIT = 9,
    /// The login would send the token without TLS. No function of this header returns it; the
    /// number stands for the error of that name in other languages.
    RDSTOKEN_STATUS_TLS_REQUIRED = 10,
}

use rdstoken_status::{
    RDSTOKEN_STATUS_BUFFER_TOO_SMALL, RDSTOKEN_STATUS_CREDENTIALS_EXPIRED,
    RDSTOKEN_STATUS_CREDENTIALS_FAILED, RDSTOKEN_STATUS_CREDENTIALS_NOT_FOUND,
    RDSTOKEN_STATUS_DRIVER_LIMIT, RDSTOKEN_STATUS_INTERNAL, RDSTOKEN_STATUS_INVALID_ARGUMENT,
    RDSTOKEN_STATUS_OK, RDSTOKEN_STATUS_REGION_NOT_FOUND, RDSTOKEN_STATUS_TIMEOUT,
    RDSTOKEN_STATUS_TLS_REQUIRED,
};

impl rdstoken_status {
    pub(crate) fn of(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::InvalidArgument => RDSTOKEN_STATUS_INVALID_ARGUMENT,
            ErrorKind::BufferTooSmall => RDSTOKEN_STATUS_BUFFER_TOO_SMALL,
            ErrorKind::RegionNotFound => RDSTOKEN_STATUS_REGION_NOT_FOUND,
            ErrorKind::CredentialsNotFound => RDSTOKEN_STATUS_CREDENTIALS_NOT_FOUND,
            ErrorKind::CredentialsFailed => RDSTOKEN_STATUS_CREDENTIALS_FAILED,
            ErrorKind::CredentialsExpired => RDSTOKEN_STATUS_CREDENTIALS_EXPIRED,
            ErrorKind::Timeout => RDSTOKEN_STATUS_TIMEOUT,
            ErrorKind::DriverLimit => RDSTOKEN_STATUS_DRIVER_LIMIT,
            ErrorKind::TlsRequired => RDSTOKEN_STATUS_TLS_REQUIRED,
            // ErrorKind may grow; the test over tests/errors.json keeps this list whole.
            _ => RDSTOKEN_STATUS_INTERNAL,
        }
    }
}

const NAMES: &[(rdstoken_status, &CStr)] = &[
    (RDSTOKEN_STATUS_OK, c"RDSTOKEN_STATUS_OK"),
    (RDSTOKEN_STATUS_INTERNAL, c"RDSTOKEN_STATUS_INTERNAL"),
    (
        RDSTOKEN_STATUS_INVALID_ARGUMENT,
        c"RDSTOKEN_STATUS_INVALID_ARGUMENT",
    ),
    (
        RDSTOKEN_STATUS_BUFFER_TOO_SMALL,
        c"RDSTOKEN_STATUS_BUFFER_TOO_SMALL",
    ),
    (
        RDSTOKEN_STATUS_REGION_NOT_FOUND,
        c"RDSTOKEN_STATUS_REGION_NOT_FOUND",
    ),
    (
        RDSTOKEN_STATUS_CREDENTIALS_NOT_FOUND,
        c"RDSTOKEN_STATUS_CREDENTIALS_NOT_FOUND",
    ),
    (
        RDSTOKEN_STATUS_CREDENTIALS_FAILED,
        c"RDSTOKEN_STATUS_CREDENTIALS_FAILED",
    ),
    (
        RDSTOKEN_STATUS_CREDENTIALS_EXPIRED,
        c"RDSTOKEN_STATUS_CREDENTIALS_EXPIRED",
    ),
    (RDSTOKEN_STATUS_TIMEOUT, c"RDSTOKEN_STATUS_TIMEOUT"),
    (
        RDSTOKEN_STATUS_DRIVER_LIMIT,
        c"RDSTOKEN_STATUS_DRIVER_LIMIT",
    ),
    (
        RDSTOKEN_STATUS_TLS_REQUIRED,
        c"RDSTOKEN_STATUS_TLS_REQUIRED",
    ),
];

/// The name of a status, for example `"RDSTOKEN_STATUS_TIMEOUT"`; `"unknown status"` for a number
/// that this library does not know.
///
/// The text is static: never free it. `status` may be any number.
#[unsafe(no_mangle)]
pub extern "C" fn rdstoken_status_name(status: i32) -> *const c_char {
    NAMES
        .iter()
        .find(|(known, _)| *known as i32 == status)
        .map_or(c"unknown status", |(_, name)| name)
        .as_ptr()
}

/// C's part of `tests/errors.json`.
#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use rdstoken_core::ErrorKind;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Table {
        ok: Row,
        errors: Vec<Row>,
    }

    #[derive(Deserialize)]
    struct Row {
        kind: Option<String>,
        c_status: i32,
        c_name: String,
    }

    fn table() -> Table {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/errors.json");
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    fn name(status: i32) -> &'static str {
        // SAFETY: the function returns a static text.
        unsafe { CStr::from_ptr(rdstoken_status_name(status)) }
            .to_str()
            .unwrap()
    }

    #[test]
    fn every_status_has_the_name_and_number_of_the_table() {
        let table = table();
        for row in table.errors.iter().chain([&table.ok]) {
            assert_eq!(name(row.c_status), row.c_name);
        }
        let last = i32::try_from(table.errors.len()).unwrap();
        for unknown in [-1, last + 1, i32::MAX, i32::MIN] {
            assert_eq!(name(unknown), "unknown status");
        }
    }

    #[test]
    fn the_table_has_every_kind() {
        let kinds: Vec<Option<String>> = table().errors.into_iter().map(|row| row.kind).collect();
        let core: Vec<Option<String>> = ErrorKind::ALL
            .iter()
            .map(|kind| Some(kind.code().to_owned()))
            .collect();
        assert_eq!(kinds, core);
    }
}
