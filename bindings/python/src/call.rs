//! Calls of Python code that may still run when the interpreter is gone.

use std::mem;
use std::thread;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

unsafe extern "C-unwind" {
    // pyo3 declares it as "C", through which nothing may unwind.
    fn PyObject_CallObject(
        callable: *mut ffi::PyObject,
        arguments: *mut ffi::PyObject,
    ) -> *mut ffi::PyObject;
}

/// Before 3.14, Python ends a thread that wants to run code after the interpreter's end by
/// unwinding its stack. That must not reach Rust's frames, which abort the process; so the thread
/// sleeps here for the moment that the process still lasts.
struct Sleep;

impl Drop for Sleep {
    fn drop(&mut self) {
        loop {
            thread::park();
        }
    }
}

/// `callable(*arguments)`, for code that may wait, such as the caller's own: on a thread that the
/// program does not wait for, it may outlive the interpreter.
pub(crate) fn call<'py>(
    callable: &Bound<'py, PyAny>,
    arguments: &Bound<'py, PyTuple>,
) -> PyResult<Bound<'py, PyAny>> {
    let sleep = Sleep;
    // SAFETY: the thread is attached to the interpreter, and the two references are held.
    let result = unsafe { PyObject_CallObject(callable.as_ptr(), arguments.as_ptr()) };
    mem::forget(sleep);
    // SAFETY: the result is a new reference, or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(callable.py(), result) }
}
