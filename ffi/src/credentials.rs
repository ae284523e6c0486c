use std::ffi::c_char;
use std::ptr;

use rdstoken_core::{Credentials, Error};

use crate::boundary::{
    call, free_boxed, optional_text, required_out, required_text, set, system_time,
};
use crate::error::rdstoken_error;
use crate::status::rdstoken_status;

/// AWS credentials. They are yours: free them with rdstoken_credentials_free().
///
/// They do not change, and any thread may use them. Signers keep what they need: the credentials
/// may be freed as soon as rdstoken_signer_new() has returned. The secrets are wiped from memory
/// when the last user of them is freed.
pub struct rdstoken_credentials(pub(crate) Credentials);

/// Makes credentials from an access key.
///
/// - `access_key_id`: 1 to 128 visible ASCII characters.
/// - `secret_access_key`: 1 to 1,024 visible ASCII characters.
/// - `session_token`: for temporary credentials, up to 65,536 visible ASCII characters; NULL or
///   empty if there is none.
/// - `credentials`: receives the new credentials, or NULL on error.
/// - `error`: receives the reason for a failure; may be NULL.
///
/// Returns RDSTOKEN_STATUS_OK or RDSTOKEN_STATUS_INVALID_ARGUMENT. The texts are copied.
///
/// # Safety
/// Texts are NULL or NUL-terminated; outputs are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdstoken_credentials_new_static(
    access_key_id: *const c_char,
    secret_access_key: *const c_char,
    session_token: *const c_char,
    credentials: *mut *mut rdstoken_credentials,
    error: *mut *mut rdstoken_error,
) -> rdstoken_status {
    let body = || {
        // SAFETY: the caller keeps the contract above.
        let made = unsafe { make(access_key_id, secret_access_key, session_token, credentials) }?;
        // SAFETY: as above.
        unsafe { give(credentials, made) };
        Ok(())
    };
    // SAFETY: as above.
    unsafe { call(error, body) }
}

/// Makes temporary credentials, whose expiry is known. No token signed with them is said to live
/// longer, and a signer that got them from a callback asks for others in time.
///
/// - `access_key_id`: 1 to 128 visible ASCII characters.
/// - `secret_access_key`: 1 to 1,024 visible ASCII characters.
/// - `session_token`: up to 65,536 visible ASCII characters; NULL or empty if there is none.
/// - `expires_at`: when they expire, in Unix seconds.
/// - `credentials`: receives the new credentials, or NULL on error.
/// - `error`: receives the reason for a failure; may be NULL.
///
/// Returns RDSTOKEN_STATUS_OK or RDSTOKEN_STATUS_INVALID_ARGUMENT. The texts are copied.
///
/// # Safety
/// Texts are NULL or NUL-terminated; outputs are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdstoken_credentials_new_temporary(
    access_key_id: *const c_char,
    secret_access_key: *const c_char,
    session_token: *const c_char,
    expires_at: i64,
    credentials: *mut *mut rdstoken_credentials,
    error: *mut *mut rdstoken_error,
) -> rdstoken_status {
    let body = || {
        // SAFETY: the caller keeps the contract above.
        let made = unsafe { make(access_key_id, secret_access_key, session_token, credentials) }?;
        let made = made.expiring_at(system_time("expires_at", expires_at)?);
        // SAFETY: as above.
        unsafe { give(credentials, made) };
        Ok(())
    };
    // SAFETY: as above.
    unsafe { call(error, body) }
}

/// # Safety
/// Texts are NULL or NUL-terminated; `out` is NULL or writable.
unsafe fn make(
    access_key_id: *const c_char,
    secret_access_key: *const c_char,
    session_token: *const c_char,
    out: *mut *mut rdstoken_credentials,
) -> Result<Credentials, Error> {
    required_out("credentials", out)?;
    // SAFETY: the caller's promise.
    unsafe { set(out, ptr::null_mut()) };
    // SAFETY: as above.
    let access_key_id = unsafe { required_text("access_key_id", access_key_id) }?;
    // SAFETY: as above.
    let secret_access_key = unsafe { required_text("secret_access_key", secret_access_key) }?;
    // SAFETY: as above.
    let session_token = unsafe { optional_text("session_token", session_token) }?;
    Credentials::new(access_key_id, secret_access_key, session_token)
}

/// # Safety
/// `out` is writable.
unsafe fn give(out: *mut *mut rdstoken_credentials, credentials: Credentials) {
    let handle = Box::into_raw(Box::new(rdstoken_credentials(credentials)));
    // SAFETY: the caller's promise.
    unsafe { set(out, handle) };
}

/// Frees credentials. NULL is fine.
///
/// # Safety
/// `credentials` is NULL or came from this library and is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdstoken_credentials_free(credentials: *mut rdstoken_credentials) {
    // SAFETY: the caller keeps the contract above.
    unsafe { free_boxed(credentials) }
}
