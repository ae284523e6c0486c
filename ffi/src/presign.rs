use std::ffi::c_char;
use std::mem::offset_of;
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use rdstoken_core::{MAX_EXPIRES_IN, PresignRequest, presign};

use crate::boundary::{
    Options, call, optional_text, read_options, required, required_out, required_text, set,
    system_time,
};
use crate::credentials::rdstoken_credentials;
use crate::error::rdstoken_error;
use crate::status::rdstoken_status;
use crate::token::{into_handle, rdstoken_token};

/// All that a token depends on, for rdstoken_presign(). Set it to zero (`= {0}`), then
/// `struct_size`, then the fields you need.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rdstoken_presign_options {
    /// sizeof(rdstoken_presign_options), so that fields can be added later.
    pub struct_size: usize,
    /// The database's endpoint name: a DNS name alone, no IP address. Required.
    pub hostname: *const c_char,
    /// The database's port. Required.
    pub port: u16,
    /// The database user, UTF-8, 1 to 255 bytes. Required.
    pub username: *const c_char,
    /// The endpoint's region, for example "us-east-1". NULL: find it in the hostname.
    pub region: *const c_char,
    /// Who signs. Required.
    pub credentials: *const rdstoken_credentials,
    /// When the token begins to be valid, in Unix seconds, 0 (1970) to the end of the year 9999.
    /// Zero is a time like any other.
    pub signing_time: i64,
    /// How long the token is valid, 1 to 900 seconds. 0: 900.
    pub expires_in_seconds: u32,
}

// SAFETY: `repr(C)`, begins with the size, integers and pointers only.
unsafe impl Options for rdstoken_presign_options {
    const REQUIRED: usize = offset_of!(Self, expires_in_seconds);
}

/// Makes one token from explicit inputs. A pure function: it reads no clock, file, variable or
/// network, and the same inputs give the same bytes in every language.
///
/// - `options`: what to sign. All is copied.
/// - `token`: receives the new token, or NULL on error.
/// - `error`: receives the reason for a failure; may be NULL.
///
/// Returns RDSTOKEN_STATUS_OK, RDSTOKEN_STATUS_INVALID_ARGUMENT, or
/// RDSTOKEN_STATUS_REGION_NOT_FOUND if `region` is NULL and the hostname has none.
///
/// # Safety
/// `options` is as described there; outputs are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdstoken_presign(
    options: *const rdstoken_presign_options,
    token: *mut *mut rdstoken_token,
    error: *mut *mut rdstoken_error,
) -> rdstoken_status {
    let body = || {
        required_out("token", token)?;
        // SAFETY: the caller keeps the contract above.
        unsafe { set(token, ptr::null_mut()) };
        // SAFETY: as above.
        let options = unsafe { read_options(options) }?;
        // SAFETY: as above.
        let credentials = unsafe { required("credentials", options.credentials) }?;
        let made = presign(&PresignRequest {
            // SAFETY: as above.
            hostname: unsafe { required_text("hostname", options.hostname) }?,
            port: options.port,
            // SAFETY: as above.
            username: unsafe { required_text("username", options.username) }?,
            // SAFETY: as above.
            region: unsafe { optional_text("region", options.region) }?,
            credentials: &credentials.0,
            signing_time: system_time("signing_time", options.signing_time)?,
            expires_in: expires_in(options.expires_in_seconds),
        })?;
        // SAFETY: as above.
        unsafe { set(token, into_handle(Arc::new(made))) };
        Ok(())
    };
    // SAFETY: as above.
    unsafe { call(error, body) }
}

pub(crate) fn expires_in(seconds: u32) -> Duration {
    match seconds {
        0 => MAX_EXPIRES_IN,
        seconds => Duration::from_secs(seconds.into()),
    }
}
