use std::ffi::c_char;
use std::ptr;
use std::sync::Arc;

use rdstoken_core::AuthToken;

use crate::boundary::unix_seconds;

/// An authentication token: the password for one login. It is yours: free it with
/// rdstoken_token_free().
///
/// It does not change, and any thread may use it. It is wiped from memory when the last user of it
/// frees it.
pub struct rdstoken_token {
    _opaque: [u8; 0],
}

/// A handle is an `Arc` in C's hands: handing out the same token again copies no text.
pub(crate) fn into_handle(token: Arc<AuthToken>) -> *mut rdstoken_token {
    Arc::into_raw(token).cast::<rdstoken_token>().cast_mut()
}

/// # Safety
/// `token` is NULL or came from [`into_handle`] and is not freed.
unsafe fn borrow<'a>(token: *const rdstoken_token) -> Option<&'a AuthToken> {
    // SAFETY: the caller's promise.
    unsafe { token.cast::<AuthToken>().as_ref() }
}

/// The token's text: ASCII, no line end, NUL-terminated. Give it to the driver whole, as the
/// password, over TLS. NULL for NULL.
///
/// The text belongs to `token` and lives as long as it.
///
/// # Safety
/// `token` is NULL or came from this library and is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdstoken_token_value(token: *const rdstoken_token) -> *const c_char {
    // SAFETY: the caller keeps the contract above.
    let token = unsafe { borrow(token) };
    token.map_or(ptr::null(), |token| token.value_with_nul().as_ptr().cast())
}

/// The token's length in bytes, without the NUL: about 350 with a plain access key, 1,000 to 4,000
/// and sometimes more with a session token. 0 for NULL.
///
/// # Safety
/// `token` is NULL or came from this library and is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdstoken_token_length(token: *const rdstoken_token) -> usize {
    // SAFETY: the caller keeps the contract above.
    unsafe { borrow(token) }.map_or(0, |token| token.value().len())
}

/// When the token stops working, in Unix seconds: the earlier of signing time + expiry and the
/// expiry of the credentials. A connection that is open by then stays open. 0 for NULL.
///
/// # Safety
/// `token` is NULL or came from this library and is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdstoken_token_expires_at(token: *const rdstoken_token) -> i64 {
    // SAFETY: the caller keeps the contract above.
    unsafe { borrow(token) }.map_or(0, |token| unix_seconds(token.expires_at()))
}

/// Frees a token. NULL is fine.
///
/// # Safety
/// `token` is NULL or came from this library and is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdstoken_token_free(token: *mut rdstoken_token) {
    if !token.is_null() {
        // SAFETY: the caller keeps the contract above, and into_handle made it from an Arc.
        drop(unsafe { Arc::from_raw(token.cast::<AuthToken>().cast_const()) });
    }
}
