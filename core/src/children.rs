//! A `credential_process` that hangs: the SDK starts it and would leave it running.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;

/// The processes that this thread has started and not waited for. None where the kernel does not
/// tell (`CONFIG_PROC_CHILDREN`).
pub(crate) fn of_this_thread() -> Vec<i32> {
    listed("/proc/thread-self/children")
}

/// Ends what this thread has started since, and what that has started.
pub(crate) fn stop(before: &[i32]) {
    for child in of_this_thread() {
        if !before.contains(&child) {
            stop_tree(child);
            // Nobody else waits for it any more, and it would stay a zombie.
            let _ = waitpid(Pid::from_raw(child), None);
        }
    }
}

/// The parent first, so that it starts no more.
fn stop_tree(pid: i32) {
    let _ = kill(Pid::from_raw(pid), Signal::SIGSTOP);
    let threads = fs::read_dir(format!("/proc/{pid}/task"));
    for thread in threads.into_iter().flatten().flatten() {
        for child in listed(&thread.path().join("children").to_string_lossy()) {
            stop_tree(child);
        }
    }
    let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
}

fn listed(path: &str) -> Vec<i32> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect()
}
