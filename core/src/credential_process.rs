//! `credential_process`: a program that prints credentials, named by a profile.
//!
//! aws-config can run it too, but through tokio's process driver, which installs a handler for
//! `SIGCHLD`, keeps a pair of sockets for the life of the host, reads output of any length and
//! leaves a program running that hangs. Which program to run is decided as in aws-config's
//! `profile/credentials/repr.rs`; what it prints is described in
//! [AWS's guide](https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html).

use std::borrow::Cow;
use std::fs;
use std::io::{self, Read as _};
use std::os::fd::AsFd;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use aws_config::profile::{Profile, ProfileSet};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::Deserialize;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::chain::Role;
use crate::{Credentials, DEFAULT_ROLE_SESSION_NAME};

/// For messages.
pub(crate) const NAME: &str = "credential_process of the profile";

/// More than any credentials take.
const MAX_OUTPUT: usize = 1024 * 1024;

/// The program that a profile gets its credentials from, and the roles to assume with them.
pub(crate) struct CredentialProcess {
    command: String,
    pub(crate) roles: Vec<Role>,
}

/// Why there are no credentials. What the program printed stays out: it may be secret.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Failure {
    /// It has not ended in time.
    Late,
    /// It could not be run, failed, or printed no credentials.
    Failed,
}

/// What other sources of a profile are named by; aws-config asks these first.
const BEFORE_PROCESS: &[&str] = &[
    "credential_source",
    "web_identity_token_file",
    "sso_session",
    "sso_account_id",
    "sso_role_name",
    "sso_region",
    "sso_start_url",
    "login_session",
];

impl CredentialProcess {
    /// The process at the end of the selected profile's chain of source profiles, if that is what
    /// stands there. All else, mistakes included, is left to aws-config.
    pub(crate) fn of(profiles: &ProfileSet) -> Option<Self> {
        let mut roles = Vec::new();
        let mut visited = Vec::new();
        let mut name = profiles.selected_profile();
        let base = loop {
            let profile = profiles.get_profile(name)?;
            if visited.contains(&name) {
                return None;
            }
            if !visited.is_empty() && profile.get("aws_access_key_id").is_some() {
                return None;
            }
            visited.push(name);
            let Some(arn) = profile.get("role_arn") else {
                break profile;
            };
            if profile.get("web_identity_token_file").is_some() {
                return None;
            }
            roles.push(role(profile, arn));
            let source = profile.get("source_profile")?;
            if source == name {
                break profile;
            }
            name = source;
        };
        if BEFORE_PROCESS.iter().any(|key| base.get(key).is_some()) {
            return None;
        }
        roles.reverse();
        Some(Self {
            command: base.get("credential_process")?.to_owned(),
            roles,
        })
    }

    /// Runs the program and reads its credentials. It is ended if it has not ended by `deadline`
    /// or prints too much.
    pub(crate) fn run(&self, deadline: Instant) -> Result<Credentials, Failure> {
        let mut child = Command::new("sh")
            .args(["-c", &self.command])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|_| Failure::Failed)?;
        let outcome = match child.stdout.take() {
            Some(stdout) => read(stdout, deadline).and_then(|output| {
                wait(&mut child, deadline)?;
                parse(&output).ok_or(Failure::Failed)
            }),
            None => Err(Failure::Failed),
        };
        if outcome.is_err() {
            if let Ok(pid) = i32::try_from(child.id())
                && matches!(child.try_wait(), Ok(None))
            {
                stop_tree(pid);
            }
            // Nobody else waits for it, and it would stay a zombie.
            let _ = child.wait();
        }
        outcome
    }
}

fn role(profile: &Profile, arn: &str) -> Role {
    let session_name = profile.get("role_session_name");
    Role {
        arn: arn.to_owned(),
        session_name: session_name.unwrap_or(DEFAULT_ROLE_SESSION_NAME).to_owned(),
        external_id: profile.get("external_id").map(str::to_owned),
    }
}

fn left_until(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

fn read(mut stdout: ChildStdout, deadline: Instant) -> Result<Zeroizing<Vec<u8>>, Failure> {
    // Room from the start: growing would leave copies behind, unwiped.
    let mut output = Zeroizing::new(vec![0; MAX_OUTPUT]);
    let mut length = 0;
    loop {
        // Rounded up, so that it does not spin in the last millisecond.
        let left = left_until(deadline) + Duration::from_millis(1);
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        match poll(
            &mut [PollFd::new(stdout.as_fd(), PollFlags::POLLIN)],
            timeout,
        ) {
            Ok(0) => return Err(Failure::Late),
            Ok(_) => {}
            Err(Errno::EINTR) => continue,
            Err(_) => return Err(Failure::Failed),
        }
        match stdout.read(&mut output[length..]) {
            // The buffer is full, or the program has closed its side.
            Ok(0) if length == MAX_OUTPUT => return Err(Failure::Failed),
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return Err(Failure::Failed),
        }
        if left_until(deadline).is_zero() {
            return Err(Failure::Late);
        }
    }
    output.truncate(length);
    Ok(output)
}

fn wait(child: &mut Child, deadline: Instant) -> Result<(), Failure> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(None) if left_until(deadline).is_zero() => return Err(Failure::Late),
            // It has closed its output, and so is about to end.
            Ok(None) => thread::sleep(Duration::from_millis(1)),
            // The host ignores SIGCHLD, so nobody can tell how it ended; what it printed tells.
            Err(error) if error.raw_os_error() == Some(Errno::ECHILD as i32) => return Ok(()),
            Ok(Some(_)) | Err(_) => return Err(Failure::Failed),
        }
    }
}

/// Borrowed from the output, which is wiped, but for texts with escapes in them.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer<'a> {
    version: u32,
    #[serde(borrow)]
    access_key_id: Cow<'a, str>,
    #[serde(borrow)]
    secret_access_key: Cow<'a, str>,
    #[serde(borrow)]
    session_token: Option<Cow<'a, str>>,
    #[serde(borrow)]
    expiration: Option<Cow<'a, str>>,
}

fn parse(output: &[u8]) -> Option<Credentials> {
    let answer: Answer<'_> = serde_json::from_slice(output).ok()?;
    if answer.version != 1 {
        return None;
    }
    let credentials = Credentials::new(
        &answer.access_key_id,
        &answer.secret_access_key,
        answer.session_token.as_deref(),
    )
    .ok()?;
    match answer.expiration {
        None => Some(credentials),
        Some(text) => {
            let end = DateTime::from_str(&text, Format::DateTimeWithOffset).ok()?;
            Some(credentials.expiring_at(end.try_into().ok()?))
        }
    }
}

/// Ends a process and what it has started; the parent stops first, so that it starts no more.
fn stop_tree(pid: i32) {
    let _ = kill(Pid::from_raw(pid), Signal::SIGSTOP);
    let threads = fs::read_dir(format!("/proc/{pid}/task"));
    for thread in threads.into_iter().flatten().flatten() {
        let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        for child in children
            .split_whitespace()
            .filter_map(|pid| pid.parse().ok())
        {
            stop_tree(child);
        }
    }
    let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
}
