//! State that a forked child must not inherit.

use std::mem;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use arc_swap::ArcSwapOption;

/// Whether this process was forked from one that had asked this before.
pub(crate) fn is_forked() -> bool {
    static FIRST: AtomicU32 = AtomicU32::new(0);
    let pid = process::id();
    let first = FIRST.compare_exchange(0, pid, Ordering::Relaxed, Ordering::Relaxed);
    first.is_err_and(|first| first != pid)
}

/// A value that starts afresh in every process.
///
/// After a fork, a lock may be held by a thread that does not exist in the child. So the child
/// makes itself a new value, and the old one is leaked: not even dropping it would be safe.
pub(crate) struct PerProcess<T> {
    current: ArcSwapOption<Owned<T>>,
}

pub(crate) struct Owned<T> {
    pid: u32,
    value: T,
}

impl<T> std::ops::Deref for Owned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Default> PerProcess<T> {
    pub(crate) const fn new() -> Self {
        Self {
            current: ArcSwapOption::const_empty(),
        }
    }

    /// This process's value. Costs a system call, so it is not for the path of a hit.
    pub(crate) fn get(&self) -> Arc<Owned<T>> {
        let pid = process::id();
        loop {
            let current = self.current.load_full();
            if let Some(owned) = &current
                && owned.pid == pid
            {
                return Arc::clone(owned);
            }
            let fresh = Arc::new(Owned {
                pid,
                value: T::default(),
            });
            let previous = self.current.compare_and_swap(&current, Some(fresh));
            if let Some(inherited) = previous.as_ref().filter(|owned| owned.pid != pid) {
                // One reference stays for ever.
                mem::forget(Arc::clone(inherited));
            }
        }
    }
}
