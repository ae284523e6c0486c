//! Attaching rdstoken's own threads to the interpreter, so that a fork does not suffer from it.
//!
//! A thread that Python does not know gets a thread state first, under a lock of the interpreter's
//! but without the GIL. Up to 3.11, a child that is forked in that moment waits for the lock for
//! ever, within `os.fork`. So a fork waits for such threads, and they for it.

use std::cell::{Cell, RefCell};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Held by a thread that attaches, until it is attached; and by one that forks, across the fork, so
/// that parent and child both can let go of it. Nobody waits for it with the GIL.
static DOOR: Mutex<()> = Mutex::new(());

thread_local! {
    static HELD_FOR_FORK: RefCell<Option<MutexGuard<'static, ()>>> = const { RefCell::new(None) };
    /// This thread is rdstoken's own, and not attached.
    static OUTSIDE: Cell<bool> = const { Cell::new(false) };
}

fn close() -> MutexGuard<'static, ()> {
    DOOR.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `work` attached, on a thread of rdstoken's own that ends soon. `None` if the interpreter is
/// gone.
pub(crate) fn from_outside<T>(work: impl FnOnce(Python<'_>) -> T) -> Option<T> {
    OUTSIDE.set(true);
    through_the_door(work)
}

/// Runs `work` attached, on any thread, be it attached or not. `None` if the interpreter is gone.
pub(crate) fn from_anywhere<T>(work: impl FnOnce(Python<'_>) -> T) -> Option<T> {
    // While a thread ends, its locals may be gone. Then it is none that Python has.
    if OUTSIDE.try_with(Cell::get).unwrap_or(false) {
        through_the_door(work)
    } else {
        Python::try_attach(work)
    }
}

fn through_the_door<T>(work: impl FnOnce(Python<'_>) -> T) -> Option<T> {
    let door = close();
    Python::try_attach(|py| {
        drop(door);
        OUTSIDE.set(false);
        let result = work(py);
        OUTSIDE.set(true);
        result
    })
}

/// Runs `work`, which may let other threads run, with no fork of theirs in its middle.
pub(crate) fn without_forks<T>(py: Python<'_>, work: impl FnOnce() -> T) -> T {
    let closed = before_fork(py);
    let result = work();
    if closed {
        after_fork();
    }
    result
}

/// Closes the door, unless this thread has: another hook of a fork may need it closed too.
#[pyfunction]
fn before_fork(py: Python<'_>) -> bool {
    if HELD_FOR_FORK.with_borrow(Option::is_some) {
        return false;
    }
    // Who holds it waits for the GIL.
    py.detach(|| {
        let door = close();
        HELD_FOR_FORK.set(Some(door));
    });
    true
}

#[pyfunction]
fn after_fork() {
    HELD_FOR_FORK.take();
}

/// Makes Python's forks wait for the door, from now on.
pub(crate) fn guard_forks(py: Python<'_>) -> PyResult<()> {
    let after = wrap_pyfunction!(after_fork, py)?;
    let hooks = PyDict::new(py);
    hooks.set_item("before", wrap_pyfunction!(before_fork, py)?)?;
    hooks.set_item("after_in_parent", &after)?;
    hooks.set_item("after_in_child", &after)?;
    py.import("os")?
        .call_method("register_at_fork", (), Some(&hooks))?;
    Ok(())
}
