use std::ffi::c_char;
use std::mem::offset_of;
use std::ptr;

use rdstoken_core::{ConnectionOptions, ConnectionString, OnLimit, check_length};

use crate::boundary::{
    Options, call, free_boxed, optional_text, read_options, required, required_out, required_text,
    set,
};
use crate::error::rdstoken_error;
use crate::signer::rdstoken_signer;
use crate::status::rdstoken_status;

/// A connection string with a token in it, and so as secret as the token. It is yours: free it with
/// rdstoken_connection_string_free(), which wipes it from memory.
///
/// It does not change, and any thread may use it.
pub struct rdstoken_connection_string(ConnectionString);

/// What a connection string is made from, beside a signer's login. Set it to zero (`= {0}`), then
/// `struct_size`, then the fields you need.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rdstoken_connection_options {
    /// sizeof(rdstoken_connection_options), so that fields can be added later.
    pub struct_size: usize,
    /// The driver that reads the string, for example "psqlodbc", "mariadb-odbc" or "libpq";
    /// `rdstoken drivers` lists them. Required.
    pub driver: *const c_char,
    /// The string's syntax, for example "connection-string" for ODBC, or "conninfo", "uri" and
    /// "passfile" for libpq. NULL: the first that is written for the driver.
    pub form: *const c_char,
    /// The database to use. NULL: the driver's default.
    pub database: *const c_char,
    /// The file of the certificate authorities to trust. NULL: the driver's default.
    pub ca_file: *const c_char,
    /// Connect to this address, while the certificate is still that of the endpoint's name. Only
    /// for libpq and psqlodbc. NULL: the name's.
    pub hostaddr: *const c_char,
    /// What ODBC calls the driver: its name in odbcinst.ini or its library's path. NULL:
    /// "PostgreSQL Unicode" or "MariaDB Unicode".
    pub odbc_driver: *const c_char,
    /// Not 0: log a warning if the driver is known to cut or alter a token of this length.
    /// 0: RDSTOKEN_STATUS_DRIVER_LIMIT.
    pub warn_on_limit: u32,
}

// SAFETY: `repr(C)`, begins with the size, integers and pointers only.
unsafe impl Options for rdstoken_connection_options {
    const REQUIRED: usize = offset_of!(Self, form);
}

/// Writes a connection string with a token for the next login: quoted and escaped as the driver's
/// parser wants it, with TLS and a check of the certificate and its name. It works as long as the
/// token in it.
///
/// Blocks and fails as rdstoken_signer_token() too.
///
/// - `signer`: who signs.
/// - `options`: for which driver, and what else to put in. All is copied.
/// - `connection_string`: receives the string, or NULL on error.
/// - `error`: receives the reason for a failure; may be NULL.
///
/// Returns RDSTOKEN_STATUS_OK; RDSTOKEN_STATUS_INVALID_ARGUMENT naming an unknown driver or form,
/// or an option that the string has no room for; RDSTOKEN_STATUS_DRIVER_LIMIT; or what
/// rdstoken_signer_token() returns.
///
/// # Safety
/// `signer` is NULL or came from this library and is not freed; `options` is as described there;
/// outputs are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdstoken_signer_connection_string(
    signer: *const rdstoken_signer,
    options: *const rdstoken_connection_options,
    connection_string: *mut *mut rdstoken_connection_string,
    error: *mut *mut rdstoken_error,
) -> rdstoken_status {
    let body = || {
        required_out("connection_string", connection_string)?;
        // SAFETY: the caller keeps the contract above.
        unsafe { set(connection_string, ptr::null_mut()) };
        // SAFETY: as above.
        let signer = unsafe { required("signer", signer) }?;
        // SAFETY: as above.
        let given = unsafe { read_options(options) }?;
        let made = signer.core().connection_string(&ConnectionOptions {
            // SAFETY: as above.
            driver: unsafe { required_text("driver", given.driver) }?,
            // SAFETY: as above.
            form: unsafe { optional_text("form", given.form) }?.unwrap_or(""),
            // SAFETY: as above.
            database: unsafe { optional_text("database", given.database) }?,
            // SAFETY: as above.
            ca_file: unsafe { optional_text("ca_file", given.ca_file) }?,
            // SAFETY: as above.
            hostaddr: unsafe { optional_text("hostaddr", given.hostaddr) }?,
            // SAFETY: as above.
            odbc_driver: unsafe { optional_text("odbc_driver", given.odbc_driver) }?,
            on_limit: match given.warn_on_limit {
                0 => OnLimit::Refuse,
                _ => OnLimit::Warn,
            },
        })?;
        let made = Box::new(rdstoken_connection_string(made));
        // SAFETY: as above.
        unsafe { set(connection_string, Box::into_raw(made)) };
        Ok(())
    };
    // SAFETY: as above.
    unsafe { call(error, body) }
}

/// The text: UTF-8, no line end, NUL-terminated. NULL for NULL.
///
/// It belongs to `connection_string` and lives as long as it.
///
/// # Safety
/// `connection_string` is NULL or came from this library and is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdstoken_connection_string_value(
    connection_string: *const rdstoken_connection_string,
) -> *const c_char {
    // SAFETY: the caller keeps the contract above.
    let string = unsafe { connection_string.as_ref() };
    string.map_or(ptr::null(), |string| {
        string.0.value_with_nul().as_ptr().cast()
    })
}

/// The text's length in bytes, without the NUL. 0 for NULL.
///
/// # Safety
/// `connection_string` is NULL or came from this library and is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdstoken_connection_string_length(
    connection_string: *const rdstoken_connection_string,
) -> usize {
    // SAFETY: the caller keeps the contract above.
    unsafe { connection_string.as_ref() }.map_or(0, |string| string.0.value().len())
}

/// Frees a connection string. NULL is fine.
///
/// # Safety
/// `connection_string` is NULL or came from this library and is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdstoken_connection_string_free(
    connection_string: *mut rdstoken_connection_string,
) {
    // SAFETY: the caller keeps the contract above.
    unsafe { free_boxed(connection_string) }
}

/// Checks that a driver passes on a token whole that is given to it in a certain form.
///
/// - `driver`: the driver, as in rdstoken_connection_options, or another, such as "mariadb-cli":
///   `rdstoken drivers` lists them all.
/// - `form`: the way that the token is given, for example "connection-string" or "prompt".
/// - `token`: the token; its length counts.
/// - `error`: receives the reason for a failure; may be NULL.
///
/// Returns RDSTOKEN_STATUS_OK, RDSTOKEN_STATUS_DRIVER_LIMIT if it is known not to, or
/// RDSTOKEN_STATUS_INVALID_ARGUMENT for a driver or form that is not known.
///
/// # Safety
/// The texts are NULL or NUL-terminated; outputs are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdstoken_check_length(
    driver: *const c_char,
    form: *const c_char,
    token: *const c_char,
    error: *mut *mut rdstoken_error,
) -> rdstoken_status {
    let body = || {
        // SAFETY: the caller keeps the contract above.
        let driver = unsafe { required_text("driver", driver) }?;
        // SAFETY: as above.
        let form = unsafe { required_text("form", form) }?;
        // SAFETY: as above.
        check_length(driver, form, unsafe { required_text("token", token) }?)
    };
    // SAFETY: as above.
    unsafe { call(error, body) }
}
