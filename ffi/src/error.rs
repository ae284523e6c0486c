use std::borrow::Cow;
use std::ffi::{CString, c_char};

use rdstoken_core::Error;

use crate::boundary::free_boxed;
use crate::status::rdstoken_status;

/// Why a call failed. It is yours: free it with rdstoken_error_free().
///
/// It holds no token, key, session token or signature, so it may be logged. It does not change,
/// and any thread may use it.
pub struct rdstoken_error {
    status: rdstoken_status,
    message: CString,
    field: Option<CString>,
}

impl From<&Error> for rdstoken_error {
    fn from(error: &Error) -> Self {
        let field = error.field().map(name_in_c);
        let message = match &field {
            Some(field) => format!("{field}: {}", error.detail()),
            None => error.detail().to_owned(),
        };
        Self {
            status: rdstoken_status::of(error.kind()),
            message: c_text(message),
            field: field.map(|field| c_text(field.into_owned())),
        }
    }
}

/// C carries the unit in the name, where other languages have it in the type.
fn name_in_c(field: &'static str) -> Cow<'static, str> {
    match field {
        "expires_in" => "expires_in_seconds".into(),
        "timeout" => "timeout_milliseconds".into(),
        "min_validity" => "min_validity_seconds".into(),
        "align" => "align_seconds".into(),
        "advisory_window" => "advisory_window_seconds".into(),
        "mandatory_window" => "mandatory_window_seconds".into(),
        "credentials_provider" => "credentials_callback".into(),
        same => same.into(),
    }
}

fn c_text(mut text: String) -> CString {
    text.retain(|character| character != '\0');
    CString::new(text).unwrap_or_default()
}

/// The status that the failed call returned. RDSTOKEN_STATUS_OK for NULL.
///
/// # Safety
/// `error` is NULL or came from this library and is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdstoken_error_status(error: *const rdstoken_error) -> rdstoken_status {
    // SAFETY: the caller keeps the contract above.
    let error = unsafe { error.as_ref() };
    error.map_or(rdstoken_status::RDSTOKEN_STATUS_OK, |error| error.status)
}

/// One line of text for people, in English, without a line end. The empty text for NULL.
///
/// The text belongs to `error` and lives as long as it.
///
/// # Safety
/// `error` is NULL or came from this library and is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdstoken_error_message(error: *const rdstoken_error) -> *const c_char {
    // SAFETY: the caller keeps the contract above.
    let error = unsafe { error.as_ref() };
    error.map_or(c"".as_ptr(), |error| error.message.as_ptr())
}

/// The name of the argument or option at fault, for RDSTOKEN_STATUS_INVALID_ARGUMENT; NULL
/// otherwise and for NULL.
///
/// The text belongs to `error` and lives as long as it.
///
/// # Safety
/// `error` is NULL or came from this library and is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdstoken_error_field(error: *const rdstoken_error) -> *const c_char {
    // SAFETY: the caller keeps the contract above.
    let error = unsafe { error.as_ref() };
    error
        .and_then(|error| error.field.as_ref())
        .map_or(std::ptr::null(), |field| field.as_ptr())
}

/// Frees an error and its texts. NULL is fine.
///
/// # Safety
/// `error` is NULL or came from this library and is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdstoken_error_free(error: *mut rdstoken_error) {
    // SAFETY: the caller keeps the contract above.
    unsafe { free_boxed(error) }
}
