use std::ffi::{c_char, c_void};
use std::mem::offset_of;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rdstoken_core::{Credentials, CredentialsProvider, Error, ErrorKind, Signer, SignerOptions};

use crate::boundary::{
    Options, call, free_boxed, optional_text, read_options, required, required_out, required_text,
    set, unix_seconds, write_versioned,
};
use crate::credentials::rdstoken_credentials;
use crate::error::rdstoken_error;
use crate::presign::expires_in;
use crate::status::rdstoken_status;
use crate::token::{into_handle, rdstoken_token};

/// Makes tokens for one database user at one endpoint, and finds credentials and region itself. It
/// is yours: free it with rdstoken_signer_free() when no thread uses it any more.
///
/// Any number of threads may use one signer at a time.
pub struct rdstoken_signer(Signer);

impl rdstoken_signer {
    pub(crate) fn core(&self) -> &Signer {
        &self.0
    }
}

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
    /// Ask this for credentials, instead of the AWS SDKs' sources. Not together with `profile` or
    /// `credentials`. NULL: no callback.
    pub credentials_callback: rdstoken_credentials_callback,
    /// Handed to the callback. If rdstoken_signer_new() succeeds, it must live until
    /// `credentials_destroy` is called with it; otherwise it stays yours.
    pub credentials_user_data: *mut c_void,
    /// Called once, on any thread, when `credentials_user_data` is no longer used: when the signer
    /// is freed, or later if the callback has not come back by then. NULL: nothing to destroy.
    pub credentials_destroy: Option<unsafe extern "C" fn(user_data: *mut c_void)>,
    /// Assume this role, named by its ARN, with the credentials found as above. NULL: none.
    pub role_arn: *const c_char,
    /// The name of the assumed role's session, 2 to 64 characters. NULL: "rdstoken".
    pub role_session_name: *const c_char,
    /// The external id that the role's trust policy asks for. NULL: none.
    pub external_id: *const c_char,
    /// A token is reused while it has at least this much left, up to 899 seconds and less than
    /// `expires_in_seconds`. 0: 60, or 1 less than `expires_in_seconds` if that is less.
    /// RDSTOKEN_ZERO_SECONDS: 0.
    pub min_validity_seconds: u32,
    /// Sign as of the last multiple of this, at most 600 seconds, so that all who hold the same
    /// credentials make the same bytes, which Aurora does not throttle. A fresh token then lives
    /// `expires_in_seconds` - `align_seconds` at least, which must be no less than
    /// `min_validity_seconds`. 0: sign as of now.
    pub align_seconds: u32,
    /// So long before the expiry of the credentials, one caller renews them and the others use
    /// what is there; lengthened by up to a fifth at random. 0: 300. RDSTOKEN_ZERO_SECONDS: 0.
    pub advisory_window_seconds: u32,
    /// So long before the expiry of the credentials, all callers wait for a renewal; no longer
    /// than `advisory_window_seconds`. 0: 60. RDSTOKEN_ZERO_SECONDS: 0.
    pub mandatory_window_seconds: u32,
    /// Not 0: sign a new token at each call. 0: reuse tokens.
    pub no_cache: u32,
    /// Not 0: no warning to the log if the hostname is none of RDS's own. 0: warn, once.
    pub no_hostname_warning: u32,
}

/// Stands for 0 seconds in the options where 0 means the default.
pub const RDSTOKEN_ZERO_SECONDS: u32 = u32::MAX;

/// Gets credentials from a place that rdstoken does not know.
///
/// Write credentials of your making through `credentials` and return RDSTOKEN_STATUS_OK; they
/// become the signer's. Any other status is a failure: RDSTOKEN_STATUS_CREDENTIALS_NOT_FOUND,
/// RDSTOKEN_STATUS_CREDENTIALS_EXPIRED and RDSTOKEN_STATUS_TIMEOUT are passed on, the rest becomes
/// RDSTOKEN_STATUS_CREDENTIALS_FAILED.
///
/// It is called on a short-lived thread of the library's, with a stack of 1 MiB, by one thread at
/// a time, and only when the credentials at hand had better be renewed: give them an expiry with
/// rdstoken_credentials_new_temporary(), or they are asked for again after 15 minutes. If it takes
/// longer than the signer's timeout, the caller is answered without it, and it may be called again
/// before it has come back. It must not use the signer that it serves.
pub type rdstoken_credentials_callback = Option<
    unsafe extern "C" fn(
        user_data: *mut c_void,
        credentials: *mut *mut rdstoken_credentials,
    ) -> i32,
>;

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
        if given.timeout_milliseconds != 0 {
            options.timeout = Duration::from_millis(given.timeout_milliseconds.into());
        }
        // SAFETY: as above.
        options.role_arn = unsafe { optional_text("role_arn", given.role_arn) }?.map(str::to_owned);
        // SAFETY: as above.
        let session_name = unsafe { optional_text("role_session_name", given.role_session_name) }?;
        options.role_session_name = session_name.map(str::to_owned);
        // SAFETY: as above.
        let external_id = unsafe { optional_text("external_id", given.external_id) }?;
        options.external_id = external_id.map(str::to_owned);
        options.min_validity = seconds(given.min_validity_seconds);
        options.align = Duration::from_secs(given.align_seconds.into());
        if let Some(window) = seconds(given.advisory_window_seconds) {
            options.advisory_window = window;
        }
        if let Some(window) = seconds(given.mandatory_window_seconds) {
            options.mandatory_window = window;
        }
        options.cache = given.no_cache == 0;
        options.warn_hostname = given.no_hostname_warning == 0;
        let callback = given.credentials_callback.map(|function| {
            Arc::new(Callback {
                function,
                user_data: given.credentials_user_data,
                destroy: given.credentials_destroy,
                owns_user_data: AtomicBool::new(false),
            })
        });
        options.credentials_provider = callback
            .clone()
            .map(|callback| -> Arc<dyn CredentialsProvider> { callback });
        let made = Box::new(rdstoken_signer(Signer::new(options)?));
        if let Some(callback) = callback {
            callback.owns_user_data.store(true, Ordering::Release);
        }
        // SAFETY: as above.
        unsafe { set(signer, Box::into_raw(made)) };
        Ok(())
    };
    // SAFETY: as above.
    unsafe { call(error, body) }
}

/// The caller's own source of credentials.
struct Callback {
    function: unsafe extern "C" fn(*mut c_void, *mut *mut rdstoken_credentials) -> i32,
    user_data: *mut c_void,
    destroy: Option<unsafe extern "C" fn(*mut c_void)>,
    /// Set once the signer exists: until then the data is still the caller's.
    owns_user_data: AtomicBool,
}

// SAFETY: the header says that the callback is called on threads of the library's, and the
// destructor on any thread.
unsafe impl Send for Callback {}
// SAFETY: as above; core calls it by one thread at a time.
unsafe impl Sync for Callback {}

impl CredentialsProvider for Callback {
    fn credentials(&self) -> Result<Credentials, Error> {
        let mut made = ptr::null_mut();
        // SAFETY: the caller promised a function of this type, and that its data lives.
        let status = unsafe { (self.function)(self.user_data, &raw mut made) };
        let made = if made.is_null() {
            None
        } else {
            // SAFETY: the callback hands over credentials of this library's making.
            Some(unsafe { Box::from_raw(made) })
        };
        match (status, made) {
            (0, Some(made)) => Ok(made.0),
            (0, None) => Err(Error::new(
                ErrorKind::CredentialsFailed,
                "the credentials callback succeeded without giving credentials",
            )),
            (status, _) => Err(Error::new(
                passed_on(status),
                format!("the credentials callback failed with status {status}"),
            )),
        }
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        if let (Some(destroy), true) = (self.destroy, *self.owns_user_data.get_mut()) {
            // SAFETY: the caller promised a function for exactly this, and nothing uses the data
            // any more.
            unsafe { destroy(self.user_data) };
        }
    }
}

/// Only what says something of credentials can come from a callback.
fn passed_on(status: i32) -> ErrorKind {
    [
        ErrorKind::CredentialsNotFound,
        ErrorKind::CredentialsExpired,
        ErrorKind::Timeout,
    ]
    .into_iter()
    .find(|kind| rdstoken_status::of(*kind) as i32 == status)
    .unwrap_or(ErrorKind::CredentialsFailed)
}

/// `None` stands for the default.
fn seconds(given: u32) -> Option<Duration> {
    match given {
        0 => None,
        RDSTOKEN_ZERO_SECONDS => Some(Duration::ZERO),
        seconds => Some(Duration::from_secs(seconds.into())),
    }
}

/// Gives a token for the next login: the one at hand if it is good for long enough, else a new one.
///
/// Takes some ten nanoseconds if the token at hand serves. Blocks while credentials are fetched, no
/// longer than `timeout_milliseconds` and 100 ms. While a renewal of the credentials fails, a token
/// that is still valid is given out; one that is not, never.
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

/// Copies a token for the next login, as rdstoken_signer_token() gives it, into the caller's memory: the whole token and
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
        signer.0.with_token(|made| {
            let text = made.value_with_nul();
            // SAFETY: as above.
            unsafe { set(needed, text.len()) };
            if text.len() > capacity {
                return Err(too_small(text.len(), capacity));
            }
            // SAFETY: `buffer` has room for `capacity` bytes, and the text is not longer.
            unsafe { ptr::copy_nonoverlapping(text.as_ptr().cast(), buffer, text.len()) };
            // SAFETY: as above.
            unsafe { set(expires_at, unix_seconds(made.expires_at())) };
            Ok(())
        })?
    };
    // SAFETY: as above.
    unsafe { call(error, body) }
}

fn too_small(needed: usize, capacity: usize) -> Error {
    Error::new(
        ErrorKind::BufferTooSmall,
        format!(
            "the token needs {needed} bytes with its NUL, the buffer has {capacity}; nothing was \
             written"
        ),
    )
}

/// Tells the signer that the server refused a login because of the password, and asks whether to
/// try once more, with a fresh token.
///
/// - `signer`: who signed.
/// - `token`: the token that was refused, as text.
/// - `retry`: receives 1 if the token had been given out before, and so may have died since: it is
///   forgotten, and the next call signs a new one. Receives 0 if it came fresh from signing, because
///   the next would be refused as well; if the next would be the same, within the same second or
///   period of `align`; if tokens are not reused at all; or if it is for another login.
/// - `error`: receives the reason for a failure; may be NULL.
///
/// Returns RDSTOKEN_STATUS_OK, or RDSTOKEN_STATUS_INVALID_ARGUMENT for a NULL.
///
/// # Safety
/// `signer` is NULL or came from this library and is not freed; `token` is NULL or NUL-terminated;
/// outputs are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdstoken_signer_refused(
    signer: *const rdstoken_signer,
    token: *const c_char,
    retry: *mut i32,
    error: *mut *mut rdstoken_error,
) -> rdstoken_status {
    let body = || {
        required_out("retry", retry)?;
        // SAFETY: the caller keeps the contract above.
        unsafe { set(retry, 0) };
        // SAFETY: as above.
        let signer = unsafe { required("signer", signer) }?;
        // SAFETY: as above.
        let refused = signer.0.refused(unsafe { required_text("token", token) }?);
        // SAFETY: as above.
        unsafe { set(retry, refused.into()) };
        Ok(())
    };
    // SAFETY: as above.
    unsafe { call(error, body) }
}

/// Forgets the token at hand, so that the next call signs a new one: for the one retry after a
/// login was refused with a token that had been given out before. NULL is fine.
///
/// # Safety
/// `signer` is NULL or came from this library and is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdstoken_signer_invalidate(signer: *const rdstoken_signer) {
    // SAFETY: the caller keeps the contract above.
    if let Some(signer) = unsafe { signer.as_ref() } {
        signer.0.invalidate();
    }
}

/// Forgets the token at hand and the credentials that signed it, for all signers that share them,
/// so that the next call fetches new ones. NULL is fine.
///
/// # Safety
/// `signer` is NULL or came from this library and is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdstoken_signer_invalidate_credentials(signer: *const rdstoken_signer) {
    // SAFETY: the caller keeps the contract above.
    if let Some(signer) = unsafe { signer.as_ref() } {
        signer.0.invalidate_credentials();
    }
}

/// What a signer has done so far, from rdstoken_signer_stats().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rdstoken_stats {
    /// sizeof(rdstoken_stats), set by the caller, so that fields can be added later.
    pub struct_size: usize,
    /// Tokens signed.
    pub tokens_signed: u64,
    /// Tokens given out again.
    pub tokens_reused: u64,
    /// Fetches of credentials that succeeded, by all signers that share them.
    pub renewals: u64,
    /// Fetches of credentials that failed, by all signers that share them.
    pub failures: u64,
    /// When the token signed last stops working, in Unix seconds; 0 before the first.
    pub expires_at: i64,
    /// The status of the failure last met; RDSTOKEN_STATUS_OK if there was none.
    pub last_error: i32,
}

// SAFETY: `repr(C)`, begins with the size, integers only.
unsafe impl Options for rdstoken_stats {
    const REQUIRED: usize = size_of::<Self>();
}

/// Tells what a signer has done so far. The numbers are counted apart and so may be a call or two
/// out of step with each other. Does not block.
///
/// - `signer`: the signer.
/// - `stats`: receives the numbers; its `struct_size` must be set.
/// - `error`: receives the reason for a failure; may be NULL.
///
/// Returns RDSTOKEN_STATUS_OK or RDSTOKEN_STATUS_INVALID_ARGUMENT.
///
/// # Safety
/// `signer` is NULL or came from this library and is not freed; `stats` is as described there;
/// outputs are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdstoken_signer_stats(
    signer: *const rdstoken_signer,
    stats: *mut rdstoken_stats,
    error: *mut *mut rdstoken_error,
) -> rdstoken_status {
    let body = || {
        // SAFETY: the caller keeps the contract above.
        let counted = unsafe { required("signer", signer) }?.0.stats();
        let value = rdstoken_stats {
            struct_size: 0,
            tokens_signed: counted.signed,
            tokens_reused: counted.reused,
            renewals: counted.renewals,
            failures: counted.failures,
            expires_at: counted.expires_at.map_or(0, unix_seconds),
            last_error: counted
                .last_error
                .map_or(0, |kind| rdstoken_status::of(kind) as i32),
        };
        // SAFETY: as above.
        unsafe { write_versioned("stats", stats, value) }
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
