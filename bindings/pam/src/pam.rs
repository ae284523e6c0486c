//! The little of libpam that a module needs. The crates for it will not do: one is GPL, the other
//! lets a panic end the server and copies the password into memory that nobody wipes.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::ptr;
use std::slice;

pub(crate) const SUCCESS: c_int = 0;
pub(crate) const SERVICE_ERR: c_int = 3;
pub(crate) const AUTH_ERR: c_int = 7;
pub(crate) const AUTHINFO_UNAVAIL: c_int = 9;
/// An item type, for `pam_get_authtok`.
const AUTHTOK: c_int = 6;

/// libpam's transaction, `pam_handle_t`. Opaque, and libpam's own.
#[repr(C)]
pub struct Handle {
    _private: [u8; 0],
    /// Neither `Send` nor `Sync`: a transaction belongs to one thread at a time.
    _marker: PhantomData<*mut c_void>,
}

// As a link attribute and not only by luck of the host: a server may load its PAM plugin
// RTLD_LOCAL, and then libpam's symbols are not in reach of a module that does not name libpam.
#[link(name = "pam")]
unsafe extern "C" {
    fn pam_get_user(handle: *mut Handle, user: *mut *const c_char, prompt: *const c_char) -> c_int;
    fn pam_get_authtok(
        handle: *mut Handle,
        item: c_int,
        authtok: *mut *const c_char,
        prompt: *const c_char,
    ) -> c_int;
}

/// A transaction for the time of one call from libpam.
pub(crate) struct Transaction<'call> {
    handle: *mut Handle,
    call: PhantomData<&'call Handle>,
}

impl Transaction<'_> {
    /// # Safety
    /// `handle` is what libpam gave for this call, and the transaction does not outlive the call.
    pub(crate) unsafe fn new(handle: *mut Handle) -> Self {
        Self {
            handle,
            call: PhantomData,
        }
    }

    /// The user who logs in, or libpam's error code.
    pub(crate) fn user(&self) -> Result<&CStr, c_int> {
        let mut user = ptr::null();
        // SAFETY: the handle is valid by `new`'s contract, `user` is ours to be written, and a NULL
        // prompt means the default.
        let code = unsafe { pam_get_user(self.handle, &raw mut user, ptr::null()) };
        // SAFETY: the text is the handle's own, and changes only through PAM_USER, which nobody
        // sets before we return.
        unsafe { text(code, user) }
    }

    /// The whole password, however long, or libpam's error code. It stays libpam's, which wipes it
    /// at the end of the transaction.
    pub(crate) fn password(&self) -> Result<&CStr, c_int> {
        let mut password = ptr::null();
        // SAFETY: as for the user.
        let code = unsafe { pam_get_authtok(self.handle, AUTHTOK, &raw mut password, ptr::null()) };
        // SAFETY: the text is the handle's own, and changes only through PAM_AUTHTOK, which nobody
        // sets before we return.
        unsafe { text(code, password) }
    }
}

/// # Safety
/// If `code` is `PAM_SUCCESS`, `text` is NULL or a NUL-terminated text that lives for `'a`.
unsafe fn text<'a>(code: c_int, text: *const c_char) -> Result<&'a CStr, c_int> {
    if code != SUCCESS || text.is_null() {
        return Err(code);
    }
    // SAFETY: by the function's contract.
    Ok(unsafe { CStr::from_ptr(text) })
}

/// The arguments of the service file.
///
/// # Safety
/// `values` holds `count` NUL-terminated texts that live for `'a`, or `count` is 0.
pub(crate) unsafe fn arguments<'a>(count: c_int, values: *const *const c_char) -> Vec<&'a CStr> {
    let count = usize::try_from(count).unwrap_or(0);
    if count == 0 || values.is_null() {
        return Vec::new();
    }
    // SAFETY: by the function's contract.
    let pointers = unsafe { slice::from_raw_parts(values, count) };
    pointers
        .iter()
        // SAFETY: by the function's contract.
        .map(|argument| unsafe { CStr::from_ptr(*argument) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_as_given() {
        let texts = [c"credentials=/x", c"", c"users=m\xc3\xbcller"];
        let pointers = texts.map(CStr::as_ptr);
        // SAFETY: three texts that live on.
        let read = unsafe { arguments(3, pointers.as_ptr()) };
        assert_eq!(read, texts);
        // SAFETY: none, and none.
        assert!(unsafe { arguments(0, ptr::null()) }.is_empty());
        // SAFETY: a negative count reads nothing.
        assert!(unsafe { arguments(-1, pointers.as_ptr()) }.is_empty());
    }

    #[test]
    fn an_error_or_nothing_is_no_text() {
        // SAFETY: NULL is allowed.
        assert_eq!(unsafe { text(SUCCESS, ptr::null()) }, Err(SUCCESS));
        // SAFETY: NULL is allowed.
        assert_eq!(unsafe { text(19, ptr::null()) }, Err(19));
        // SAFETY: a text that lives on.
        assert_eq!(unsafe { text(19, c"x".as_ptr()) }, Err(19));
        // SAFETY: a text that lives on.
        assert_eq!(unsafe { text(SUCCESS, c"x".as_ptr()) }, Ok(c"x"));
    }
}
