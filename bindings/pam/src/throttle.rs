//! The throttle's state in a file: `PostgreSQL` checks each login in a process of its own.

use std::fs::OpenOptions;
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::time::SystemTime;

use rdstoken::{Refusal, Throttle};

/// The argument `throttle=RATE:PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ThrottleFile {
    pub(crate) per_second: u32,
    pub(crate) path: String,
}

/// More than the state can grow to.
const MAX_STATE: u64 = 1024 * 1024;

impl ThrottleFile {
    /// Counts a good token. The outer error is that of the file.
    pub(crate) fn admit(&self, token: &str, now: SystemTime) -> io::Result<Result<(), Refusal>> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&self.path)?;
        // Released when the file is closed, also by a server process that is killed.
        file.lock()?;
        let mut state = Vec::new();
        (&file).take(MAX_STATE).read_to_end(&mut state)?;
        let mut throttle = Throttle::from_bytes(self.per_second, &state);
        let answer = throttle.admit(token, now);
        let state = throttle.to_bytes();
        file.rewind()?;
        file.write_all(&state)?;
        file.set_len(u64::try_from(state.len()).unwrap_or(0))?;
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn the_state_is_kept_between_logins() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("throttle");
        let throttle = ThrottleFile {
            per_second: 1,
            path: path.to_str().unwrap().to_owned(),
        };
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(throttle.admit("a", at(1)).unwrap(), Ok(()));
        assert_eq!(throttle.admit("b", at(1)).unwrap(), Err(Refusal::Throttled));
        assert_eq!(throttle.admit("a", at(1)).unwrap(), Ok(()));
        assert_eq!(throttle.admit("b", at(2)).unwrap(), Ok(()));
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_an_error() {
        let throttle = ThrottleFile {
            per_second: 1,
            path: "/nonexistent/throttle".to_owned(),
        };
        assert!(throttle.admit("a", UNIX_EPOCH).is_err());
    }
}
