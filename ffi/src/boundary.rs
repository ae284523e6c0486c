//! What every function needs where C and Rust meet.

use std::ffi::{CStr, c_char};
use std::mem::{MaybeUninit, align_of, size_of};
use std::ptr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rdstoken_core::{Error, guard};

use crate::error::rdstoken_error;
use crate::status::rdstoken_status;

/// Runs the body of a function that can fail: turns its result into a status and an error object,
/// and a panic into `RDSTOKEN_STATUS_INTERNAL`.
///
/// # Safety
/// `error_out` is NULL or points to a writable pointer.
pub(crate) unsafe fn call(
    error_out: *mut *mut rdstoken_error,
    body: impl FnOnce() -> Result<(), Error>,
) -> rdstoken_status {
    // SAFETY: the caller's promise.
    unsafe { set(error_out, ptr::null_mut()) };
    let result = guard(body);
    match result {
        Ok(()) => rdstoken_status::RDSTOKEN_STATUS_OK,
        Err(error) => {
            if !error_out.is_null() {
                let object = Box::new(rdstoken_error::from(&error));
                // SAFETY: the caller's promise.
                unsafe { set(error_out, Box::into_raw(object)) };
            }
            rdstoken_status::of(error.kind())
        }
    }
}

/// Writes an output if the caller wants it.
///
/// # Safety
/// `out` is NULL or writable.
pub(crate) unsafe fn set<T>(out: *mut T, value: T) {
    if !out.is_null() {
        // SAFETY: the caller's promise.
        unsafe { out.write(value) };
    }
}

/// An output that must be there.
pub(crate) fn required_out<T>(name: &'static str, out: *mut T) -> Result<(), Error> {
    if out.is_null() {
        Err(is_null(name))
    } else {
        Ok(())
    }
}

/// A handle or struct that must be there.
///
/// # Safety
/// `pointer` is NULL or points to a live `T`.
pub(crate) unsafe fn required<'a, T>(
    name: &'static str,
    pointer: *const T,
) -> Result<&'a T, Error> {
    // SAFETY: the caller's promise.
    unsafe { pointer.as_ref() }.ok_or_else(|| is_null(name))
}

/// A text that must be there.
///
/// # Safety
/// `text` is NULL or points to a NUL-terminated text.
pub(crate) unsafe fn required_text<'a>(
    name: &'static str,
    text: *const c_char,
) -> Result<&'a str, Error> {
    // SAFETY: the caller's promise.
    unsafe { optional_text(name, text) }?.ok_or_else(|| is_null(name))
}

/// A text that may be NULL.
///
/// # Safety
/// `text` is NULL or points to a NUL-terminated text.
pub(crate) unsafe fn optional_text<'a>(
    name: &'static str,
    text: *const c_char,
) -> Result<Option<&'a str>, Error> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str()
        .map(Some)
        .map_err(|_| Error::invalid(name, "expected UTF-8"))
}

fn is_null(name: &'static str) -> Error {
    Error::invalid(name, "expected a pointer, got NULL")
}

/// What `SystemTime` cannot hold is refused here; the rest is core's to judge.
pub(crate) fn system_time(field: &'static str, unix_seconds: i64) -> Result<SystemTime, Error> {
    let distance = Duration::from_secs(unix_seconds.unsigned_abs());
    let time = if unix_seconds < 0 {
        UNIX_EPOCH.checked_sub(distance)
    } else {
        UNIX_EPOCH.checked_add(distance)
    };
    time.ok_or_else(|| Error::invalid(field, "expected Unix seconds"))
}

pub(crate) fn unix_seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// No options struct of ours will ever be this large; a size beyond it was never set.
const MAX_STRUCT_SIZE: usize = 4096;

/// An options struct: `#[repr(C)]`, begins with `size_t struct_size`, all zero is valid.
///
/// # Safety
/// The implementing type is exactly that.
pub(crate) unsafe trait Options: Copy {
    /// The size up to the first field that may be missing.
    const REQUIRED: usize;
}

/// Reads options written by a caller that was compiled with a struct older (shorter) or newer
/// (longer) than ours. Fields that the caller does not know are zero, which means the default. A
/// field that *we* do not know must be zero, else the caller would not get what it asked for.
///
/// # Safety
/// `options` is NULL or points to a `size_t`, and if that number is in the range accepted here,
/// to as many readable bytes.
pub(crate) unsafe fn read_options<T: Options>(options: *const T) -> Result<T, Error> {
    // SAFETY: the caller's promise.
    let given = unsafe { struct_size("options", options) }?;
    let known = given.min(size_of::<T>());
    let mut ours = MaybeUninit::<T>::zeroed();
    // SAFETY: `known` bytes are readable by the caller's promise and fit into `T`.
    unsafe {
        ptr::copy_nonoverlapping(options.cast::<u8>(), ours.as_mut_ptr().cast::<u8>(), known);
    }
    for unknown in known..given {
        // SAFETY: `given` bytes are readable by the caller's promise.
        let pointer = unsafe { options.cast::<u8>().add(unknown) };
        // SAFETY: as above.
        if unsafe { pointer.read() } != 0 {
            return Err(Error::invalid(
                "struct_size",
                "the options set a field that this version of the library does not know; \
                 load a library as new as the header",
            ));
        }
    }
    // SAFETY: zeroed, then overwritten with fields of the same layout; `T: Options` says that
    // zero is valid, and C may put any bits into integers and pointers.
    Ok(unsafe { ours.assume_init() })
}

/// Writes a struct for a caller that was compiled with one older (shorter) or newer (longer) than
/// ours: as much as both know. Its `struct_size` stays as the caller set it.
///
/// # Safety
/// `out` is NULL or points to a `size_t`, and if that number is in the range accepted here, to as
/// many writable bytes.
pub(crate) unsafe fn write_versioned<T: Options>(
    name: &'static str,
    out: *mut T,
    value: T,
) -> Result<(), Error> {
    // SAFETY: the caller's promise.
    let given = unsafe { struct_size(name, out) }?;
    let known = given.min(size_of::<T>()) - size_of::<usize>();
    // SAFETY: `given` bytes are there by the caller's promise.
    let to = unsafe { out.cast::<u8>().add(size_of::<usize>()) };
    // SAFETY: the size stands before the rest of the value.
    let from = unsafe { (&raw const value).cast::<u8>().add(size_of::<usize>()) };
    // SAFETY: `known` bytes follow the size on both sides.
    unsafe { ptr::copy_nonoverlapping(from, to, known) };
    Ok(())
}

/// The size that the caller set, if it can be one.
///
/// # Safety
/// `pointer` is NULL or points to a `size_t`.
unsafe fn struct_size<T: Options>(name: &'static str, pointer: *const T) -> Result<usize, Error> {
    if pointer.is_null() {
        return Err(is_null(name));
    }
    // SAFETY: the caller's promise; it need not be aligned.
    let given = unsafe { pointer.cast::<usize>().read_unaligned() };
    if given < T::REQUIRED || given > MAX_STRUCT_SIZE || !given.is_multiple_of(align_of::<T>()) {
        return Err(Error::invalid("struct_size", "expected sizeof the struct"));
    }
    Ok(given)
}

/// # Safety
/// `pointer` is NULL or came from `Box::into_raw` and is not freed.
pub(crate) unsafe fn free_boxed<T>(pointer: *mut T) {
    if !pointer.is_null() {
        // SAFETY: the caller's promise.
        drop(unsafe { Box::from_raw(pointer) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ours has one optional field more than version 0 had.
    #[repr(C)]
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Ours {
        struct_size: usize,
        required: usize,
        added: usize,
    }

    // SAFETY: `repr(C)`, begins with the size, integers only.
    unsafe impl Options for Ours {
        const REQUIRED: usize = 16;
    }

    fn read(words: &[usize]) -> Result<Ours, Error> {
        assert!(words[0] > MAX_STRUCT_SIZE || words[0] <= size_of_val(words));
        // SAFETY: as long as it says, or beyond the largest size.
        unsafe { read_options(words.as_ptr().cast::<Ours>()) }
    }

    #[test]
    fn an_older_caller_gets_the_default_for_what_it_does_not_know() {
        let ours = read(&[16, 7, 99]).unwrap();
        assert_eq!((ours.required, ours.added), (7, 0));
    }

    #[test]
    fn a_newer_caller_may_leave_at_zero_what_we_do_not_know() {
        let ours = read(&[32, 7, 8, 0]).unwrap();
        assert_eq!((ours.required, ours.added), (7, 8));
        assert_eq!(
            read(&[32, 7, 8, 1]).unwrap_err().field(),
            Some("struct_size")
        );
    }

    #[test]
    fn absurd_sizes_are_refused() {
        for size in [0, 1, 8, 15, 17, 4104, usize::MAX] {
            let error = read(&[size, 0, 0]).unwrap_err();
            assert_eq!(error.field(), Some("struct_size"), "{size}");
        }
    }

    #[test]
    fn a_panic_becomes_an_internal_error() {
        let mut error = ptr::null_mut();
        // SAFETY: `error` is writable.
        let status = unsafe { call(&raw mut error, || panic!("on purpose")) };
        assert_eq!(status, rdstoken_status::RDSTOKEN_STATUS_INTERNAL);
        assert!(!error.is_null());
        // SAFETY: the object is ours, and freed once.
        unsafe { free_boxed(error) };
    }
}
