use std::ffi::c_char;
use std::mem::offset_of;
use std::ptr;
use std::time::Duration;

use rdstoken_core::{DEFAULT_TIMEOUT, Error, ErrorKind, Signer, SignerOptions};

use crate::boundary::{
    Options, call, free_boxed, optional_text, read_options, required, required_out, required_text,
    set,
};
use crate::credentials::rdstoken_credentials;
use crate::error::rdstoken_error;
use crate::presign::expires_in;
use crate::status::rdstoken_status;
use crate::token::{into_handle, rdstoken_token, unix_seconds};

/// Makes tokens for one database user at one endpoint, and finds credentials and region itself. It
/// is yours: free it with rdstoken_signer_free() when no thread uses it any more.
///
/// Any number of threads may use one signer at a time.
pub struct rdstoken_signer(Signer);

/// What a signer is made from. Set it to zero (`= {0}`), then `struct_size`, then the fields you
/// need.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rdstoken_signer_options {
    /// sizeof(rdstoken_signer_options), so that fields can be added later.
    pub struct_size: usize,
    /// The database's endpoint name: a DNS name alone, no IP address. Required.
    pub hostname: *const c_char,
    /// The database's port. Required.
    pub port: u16,
    /// The database user, UTF-8, 1 to 255 bytes. Required.
    pub username: *const c_char,
    /// The endpoint's region, for example "us-east-1". NULL: find it in the hostname, else in
    /// AWS_REGION or AWS_DEFAULT_REGION, else in the profile.
    pub region: *const c_char,
    /// Take credentials from this profile of the shared config and credentials files, and from
    /// nowhere else. NULL: the AWS SDKs' default chain.
    pub profile: *const c_char,
    /// Sign with these credentials and look for none. Not together with `profile`. NULL: find
    /// them.
    pub credentials: *const rdstoken_credentials,
    /// How long a token is valid, 1 to 900 seconds. 0: 900.
    pub expires_in_seconds: u32,
    /// How long to wait for credentials, all sources together, at most 3,600,000 milliseconds.
    /// 0: 5000.
    pub timeout_milliseconds: u32,
}

// SAFETY: `repr(C)`, begins with the size, integers and pointers only.
unsafe impl Options for rdstoken_signer_options {
    const REQUIRED: usize = offset_of!(Self, region);
}

/// Makes a signer. Checks the options and looks for nothing yet: no file, variable or network is
/// touched.
///
/// - `options`: what to sign for. All is copied.
/// - `signer`: receives the new signer, or NULL on error.
/// - `error`: receives the reason for a failure; may be NULL.
///
/// Returns RDSTOKEN_STATUS_OK or RDSTOKEN_STATUS_INVALID_ARGUMENT.
///
/// # Safety
/// `options` is as described there; outputs are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdstoken_signer_new(
    options: *const rdstoken_signer_options,
    signer: *mut *mut rdstoken_signer,
    error: *mut *mut rdstoken_error,
) -> rdstoken_status {
    let body = || {
        required_out("signer", signer)?;
        // SAFETY: the caller keeps the contract above.
        unsafe { set(signer, ptr::null_mut()) };
        // SAFETY: as above.
        let given = unsafe { read_options(options) }?;
        // SAFETY: as above.
        let hostname = unsafe { required_text("hostname", given.hostname) }?;
        // SAFETY: as above.
        let username = unsafe { required_text("username", given.username) }?;
        let mut options = SignerOptions::new(hostname, given.port, username);
        // SAFETY: as above.
        options.region = unsafe { optional_text("region", given.region) }?.map(str::to_owned);
        // SAFETY: as above.
        options.profile = unsafe { optional_text("profile", given.profile) }?.map(str::to_owned);
        // SAFETY: as above.
        let credentials = unsafe { given.credentials.as_ref() };
        options.credentials = credentials.map(|credentials| credentials.0.clone());
        options.expires_in = expires_in(given.expires_in_seconds);
        options.timeout = match given.timeout_milliseconds {
            0 => DEFAULT_TIMEOUT,
            milliseconds => Duration::from_millis(milliseconds.into()),
        };
        let made = Box::new(rdstoken_signer(Signer::new(options)?));
        // SAFETY: as above.
        unsafe { set(signer, Box::into_raw(made)) };
        Ok(())
    };
    // SAFETY: as above.
    unsafe { call(error, body) }
}

/// Makes a token for the next login.
///
/// Blocks while credentials are fetched, no longer than `timeout_milliseconds` and 100 ms. With
/// credentials in the options and a region at hand it does not block.
///
/// - `signer`: who signs.
/// - `token`: receives the token, or NULL on error. It is yours; it outlives the signer.
/// - `error`: receives the reason for a failure; may be NULL.
///
/// Returns RDSTOKEN_STATUS_OK, RDSTOKEN_STATUS_INVALID_ARGUMENT for a NULL, or
/// RDSTOKEN_STATUS_REGION_NOT_FOUND, RDSTOKEN_STATUS_CREDENTIALS_NOT_FOUND,
/// RDSTOKEN_STATUS_CREDENTIALS_FAILED, RDSTOKEN_STATUS_CREDENTIALS_EXPIRED or
/// RDSTOKEN_STATUS_TIMEOUT.
///
/// # Safety
/// `signer` is NULL or came from this library and is not freed; outputs are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdstoken_signer_token(
    signer: *const rdstoken_signer,
    token: *mut *mut rdstoken_token,
    error: *mut *mut rdstoken_error,
) -> rdstoken_status {
    let body = || {
        required_out("token", token)?;
        // SAFETY: the caller keeps the contract above.
        unsafe { set(token, ptr::null_mut()) };
        // SAFETY: as above.
        let signer = unsafe { required("signer", signer) }?;
        let made = signer.0.token()?;
        // SAFETY: as above.
        unsafe { set(token, into_handle(made)) };
        Ok(())
    };
    // SAFETY: as above.
    unsafe { call(error, body) }
}

/// Makes a token for the next login and copies it into the caller's memory: the whole token and
/// its NUL, or nothing at all. For callers, such as drivers, that have a buffer of their own.
///
/// - `signer`: who signs.
/// - `buffer`: receives the token and a NUL. NULL only with a `capacity` of 0, to ask for the size.
/// - `capacity`: the size of `buffer` in bytes.
/// - `needed`: receives the size that the token needs, its NUL included, with
///   RDSTOKEN_STATUS_OK and RDSTOKEN_STATUS_BUFFER_TOO_SMALL; 0 otherwise. May be NULL. The next
///   token can be longer, so ask in a loop.
/// - `expires_at`: receives the Unix second at which the token stops working; 0 on error. May be
///   NULL.
/// - `error`: receives the reason for a failure; may be NULL.
///
/// Blocks and fails as rdstoken_signer_token(), and with RDSTOKEN_STATUS_BUFFER_TOO_SMALL, which
/// leaves `buffer` as it was.
///
/// # Safety
/// `signer` is NULL or came from this library and is not freed; `buffer` has room for `capacity`
/// bytes; outputs are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdstoken_signer_copy_token(
    signer: *const rdstoken_signer,
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
    expires_at: *mut i64,
    error: *mut *mut rdstoken_error,
) -> rdstoken_status {
    let body = || {
        // SAFETY: the caller keeps the contract above.
        unsafe { set(needed, 0) };
        // SAFETY: as above.
        unsafe { set(expires_at, 0) };
        // SAFETY: as above.
        let signer = unsafe { required("signer", signer) }?;
        if capacity > 0 {
            required_out("buffer", buffer)?;
        }
        let made = signer.0.token()?;
        let text = made.value_with_nul();
        // SAFETY: as above.
        unsafe { set(needed, text.len()) };
        if text.len() > capacity {
            return Err(Error::new(
                ErrorKind::BufferTooSmall,
                format!(
                    "the token needs {} bytes with its NUL, the buffer has {capacity}; \
                     nothing was written",
                    text.len()
                ),
            ));
        }
        // SAFETY: `buffer` has room for `capacity` bytes, and the text is not longer.
        unsafe { ptr::copy_nonoverlapping(text.as_ptr().cast(), buffer, text.len()) };
        // SAFETY: as above.
        unsafe { set(expires_at, unix_seconds(made.expires_at())) };
        Ok(())
    };
    // SAFETY: as above.
    unsafe { call(error, body) }
}

/// Frees a signer. NULL is fine. No other thread may be using it; tokens made by it live on.
///
/// # Safety
/// `signer` is NULL or came from this library and is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdstoken_signer_free(signer: *mut rdstoken_signer) {
    // SAFETY: the caller keeps the contract above.
    unsafe { free_boxed(signer) }
}
