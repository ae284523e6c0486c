//! A PAM module that makes a stock `PostgreSQL` or `MariaDB` ask for IAM authentication tokens, as
//! Aurora and RDS do. It is for servers on a developer's machine and in tests.
//!
//! The server hands the client's password to PAM, PAM to this module, and
//! [`rdstoken::Verifier`] decides. This crate reads the service file's arguments and the
//! credentials file, and speaks libpam's language; it holds no rule about tokens.
//!
//! # Arguments in the service file
//!
//! | argument | meaning |
//! |---|---|
//! | `credentials=/path` | A file of keys in the AWS form: sections with `aws_access_key_id`, `aws_secret_access_key` and, for temporary keys, `aws_session_token`. Every section with a key counts, whatever its name; other settings are passed over. At least one; may be repeated. |
//! | `endpoint=HOST:PORT` | A name the server answers to, with the port that clients sign. At least one; may be repeated. |
//! | `region=NAME` | The region of those endpoints whose names hold none, wherever it stands among the arguments. An endpoint that names a region keeps it. At most one. |
//! | `users=a,b` | Only these users may log in. Without it, every user may who brings a token of their own. May be repeated. |
//! | `throttle=RATE:/path` | Refuse new tokens beyond `RATE` a second, as Aurora does beyond 200; a token that was seen just before does not count. The file keeps the count between the server's processes: it holds digests of tokens, no tokens, and its folder must be writable to the server's system user. At most one. |
//! | `record=/path` | Add a line to this file for each password that arrives: the user (percent-encoded), the password's length in bytes, its SHA-256 in hexadecimal, and `accepted` or `refused`, with a space between them. For tests of what clients do to a long password. It never holds a token; the digest of a guessable password, sent by mistake, can be guessed. The file must be writable to the server's system user and grows without end. At most one. |
//!
//! Arguments and files are read at every login, so a change needs no restart. The credentials file
//! must be readable to the server's system user and to nobody else.
//!
//! # Answers
//!
//! | function | answers |
//! |---|---|
//! | [`pam_sm_authenticate`] | `PAM_SUCCESS`; `PAM_AUTH_ERR` if the token is refused or none came; `PAM_AUTHINFO_UNAVAIL` if an argument or a file is wrong, so that a mistake lets nobody in; `PAM_SERVICE_ERR` after a fault in the module itself |
//! | [`pam_sm_setcred`], [`pam_sm_acct_mgmt`] | `PAM_SUCCESS`: a token carries no credentials and no account rules |
//!
//! Why a login was refused stands in the server's log, as one line on standard error. The client
//! learns nothing, and no line holds a token or a part of one.
//!
//! # Threads and memory
//!
//! There is no state between calls, so any thread may call at any time. The password is read in
//! libpam's own memory, which libpam wipes; no copy of it is left behind here.
//!
//! # What is not checked
//!
//! IAM policies: whether the key may `rds-db:connect` as that user. Nor whether AWS still accepts
//! the key.

mod config;
mod pam;
mod record;
mod throttle;

use std::ffi::{CStr, c_char, c_int};
use std::fmt;
use std::io::{self, Write};
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::time::SystemTime;

use rdstoken::{Clock, Refusal, SystemClock, Verifier};

use crate::config::{Config, ConfigError};
pub use crate::pam::Handle;

/// Accepts or refuses the password of the user who logs in; see the crate's own page.
///
/// # Safety
/// Called by libpam alone: `handle` is its transaction, `values` holds `count` NUL-terminated texts,
/// and all of it outlives the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pam_sm_authenticate(
    handle: *mut Handle,
    _flags: c_int,
    count: c_int,
    values: *const *const c_char,
) -> c_int {
    guarded(|| {
        // SAFETY: libpam's promise to its modules, passed on.
        let arguments = unsafe { pam::arguments(count, values) };
        match authenticate(handle, &arguments) {
            Ok(()) => pam::SUCCESS,
            Err(failure) => {
                log(&failure);
                failure.code()
            }
        }
    })
}

/// Answers `PAM_SUCCESS`: there are no credentials to set.
#[unsafe(no_mangle)]
pub extern "C" fn pam_sm_setcred(
    _handle: *mut Handle,
    _flags: c_int,
    _count: c_int,
    _values: *const *const c_char,
) -> c_int {
    pam::SUCCESS
}

/// Answers `PAM_SUCCESS`: whoever has a valid token has a valid account. Servers ask it right
/// after the login.
#[unsafe(no_mangle)]
pub extern "C" fn pam_sm_acct_mgmt(
    _handle: *mut Handle,
    _flags: c_int,
    _count: c_int,
    _values: *const *const c_char,
) -> c_int {
    pam::SUCCESS
}

fn authenticate(handle: *mut Handle, arguments: &[&CStr]) -> Result<(), Failure> {
    // First of all, so that no client is asked for a password that could not be checked.
    let config = Config::read(arguments).map_err(Failure::Config)?;
    // SAFETY: the handle is libpam's, and valid until we return to it.
    let transaction = unsafe { pam::Transaction::new(handle) };
    let user = transaction.user().map_err(Failure::NoUser)?;
    let password = transaction.password().map_err(|code| Failure::NoPassword {
        user: user.into(),
        code,
    })?;
    let answer = decide(&config, user, password);
    if let Some(record) = &config.record {
        record
            .add(user, password, answer.is_ok())
            .map_err(Failure::Record)?;
    }
    answer
}

fn decide(config: &Config, user: &CStr, password: &CStr) -> Result<(), Failure> {
    let refused = |refusal| Failure::Refused {
        user: user.into(),
        refusal,
    };
    let now = SystemClock.now().wall;
    let token = verify(&config.verifier, user, password, now).map_err(refused)?;
    match &config.throttle {
        None => Ok(()),
        Some(throttle) => match throttle.admit(token, now) {
            Ok(admitted) => admitted.map_err(refused),
            Err(error) => Err(Failure::Throttle(error)),
        },
    }
}

/// The token, if it is good.
fn verify<'a>(
    verifier: &Verifier,
    user: &CStr,
    password: &'a CStr,
    now: SystemTime,
) -> Result<&'a str, Refusal> {
    let token = password.to_str().map_err(|_| Refusal::Malformed)?;
    // No token can name such a user: a token is UTF-8.
    let user = user.to_str().map_err(|_| Refusal::WrongUser)?;
    verifier.verify(token, user, now).map(|()| token)
}

/// Why nobody was let in.
#[derive(Debug)]
enum Failure {
    Config(ConfigError),
    NoUser(c_int),
    NoPassword { user: User, code: c_int },
    Refused { user: User, refusal: Refusal },
    Throttle(io::Error),
    Record(io::Error),
}

impl Failure {
    fn code(&self) -> c_int {
        match self {
            Self::Config(_) | Self::Throttle(_) | Self::Record(_) => pam::AUTHINFO_UNAVAIL,
            // Never libpam's own code: PAM_IGNORE among them would leave the decision to others.
            Self::NoUser(_) | Self::NoPassword { .. } | Self::Refused { .. } => pam::AUTH_ERR,
        }
    }
}

/// One line for the server's log, without a final stop.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("pam_rdstoken: ")?;
        match self {
            Self::Config(error) => write!(f, "cannot check any token: {error}"),
            Self::Throttle(error) => write!(f, "cannot use the throttle's file: {error}"),
            Self::Record(error) => write!(f, "cannot write the record: {error}"),
            Self::NoUser(code) => write!(f, "refused a login without a user (libpam: {code})"),
            Self::NoPassword { user, code } => {
                write!(f, "refused user {user}: no password came (libpam: {code})")
            }
            Self::Refused { user, refusal } => {
                write!(f, "refused a token for user {user}: {refusal}")
            }
        }
    }
}

/// A user's name as the log shows it: quoted, control characters escaped and cut after 64
/// characters, so that a client can neither forge a line nor fill the disk.
struct User(String);

impl From<&CStr> for User {
    fn from(name: &CStr) -> Self {
        Self(name.to_string_lossy().into_owned())
    }
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 64;
        let shown: String = self.0.chars().take(LONGEST).collect();
        let rest = if shown.len() < self.0.len() {
            "..."
        } else {
            ""
        };
        write!(f, "{shown:?}{rest}")
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// In one write, so that lines of several sessions do not mix. If it fails there is nobody left to
/// tell.
fn log(failure: &Failure) {
    let line = format!("{failure}\n");
    drop(std::io::stderr().write_all(line.as_bytes()));
}

/// A panic must not cross into C, nor take down a server of many threads.
fn guarded(body: impl FnOnce() -> c_int) -> c_int {
    panic::catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        // Dropping it could panic again.
        mem::forget(payload);
        pam::SERVICE_ERR
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use rdstoken::{Credentials, MAX_EXPIRES_IN, PresignRequest, presign};

    use super::*;

    const HOST: &str = "demo.cluster-abc123def456.us-east-1.rds.amazonaws.com";
    const NOW: SystemTime = UNIX_EPOCH;

    fn credentials() -> Credentials {
        Credentials::new("AKIDEXAMPLE", "not-a-real-secret", None).unwrap()
    }

    fn token() -> Vec<u8> {
        let token = presign(&PresignRequest {
            hostname: HOST,
            port: 5432,
            username: "app",
            region: None,
            credentials: &credentials(),
            signing_time: NOW,
            expires_in: MAX_EXPIRES_IN,
        });
        token.unwrap().value_with_nul().as_bytes().to_vec()
    }

    fn verify(user: &CStr, password: &[u8], now: SystemTime) -> Result<(), Refusal> {
        let verifier = Verifier::new()
            .endpoint(HOST, 5432, None)
            .unwrap()
            .credentials(credentials());
        let password = CStr::from_bytes_with_nul(password).unwrap();
        super::verify(&verifier, user, password, now).map(|_| ())
    }

    #[test]
    fn core_decides() {
        assert_eq!(verify(c"app", &token(), NOW), Ok(()));
        assert_eq!(verify(c"other", &token(), NOW), Err(Refusal::WrongUser));
        assert_eq!(
            verify(c"app", &token(), NOW + Duration::from_secs(900)),
            Err(Refusal::Expired)
        );
        assert_eq!(verify(c"app", b"\0", NOW), Err(Refusal::Malformed));
    }

    #[test]
    fn what_is_no_text_is_refused() {
        let mut password = token();
        password[0] = 0xff;
        assert_eq!(verify(c"app", &password, NOW), Err(Refusal::Malformed));
        assert_eq!(verify(c"app\xff", &token(), NOW), Err(Refusal::WrongUser));
    }

    #[test]
    fn log_lines() {
        let refused = |user: &CStr| Failure::Refused {
            user: user.into(),
            refusal: Refusal::Expired,
        };
        assert_eq!(
            refused(c"app").to_string(),
            r#"pam_rdstoken: refused a token for user "app": the token has expired"#
        );
        assert_eq!(
            refused(c"a\"b\nLOG:  forged\x1b[2J\xff\xe2\x80\xae").to_string(),
            "pam_rdstoken: refused a token for user \
             \"a\\\"b\\nLOG:  forged\\u{1b}[2J\u{fffd}\\u{202e}\": the token has expired"
        );
        let long = refused(c"0123456789012345678901234567890123456789012345678901234567890123X");
        assert_eq!(
            long.to_string(),
            "pam_rdstoken: refused a token for user \
             \"0123456789012345678901234567890123456789012345678901234567890123\"...: \
             the token has expired"
        );
        let silent = Failure::NoPassword {
            user: c"app".into(),
            code: 19,
        };
        assert_eq!(
            silent.to_string(),
            r#"pam_rdstoken: refused user "app": no password came (libpam: 19)"#
        );
        assert_eq!(
            Failure::NoUser(19).to_string(),
            "pam_rdstoken: refused a login without a user (libpam: 19)"
        );
    }

    #[test]
    fn every_failure_is_a_refusal() {
        let config = Config::read(&[]).unwrap_err();
        assert_eq!(Failure::Config(config).code(), pam::AUTHINFO_UNAVAIL);
        assert_eq!(Failure::NoUser(pam::SUCCESS).code(), pam::AUTH_ERR);
        let file = || io::Error::other("made up");
        assert_eq!(Failure::Throttle(file()).code(), pam::AUTHINFO_UNAVAIL);
        assert_eq!(Failure::Record(file()).code(), pam::AUTHINFO_UNAVAIL);
        let silent = Failure::NoPassword {
            user: c"app".into(),
            code: pam::SUCCESS,
        };
        assert_eq!(silent.code(), pam::AUTH_ERR);
        let refused = Failure::Refused {
            user: c"app".into(),
            refusal: Refusal::BadSignature,
        };
        assert_eq!(refused.code(), pam::AUTH_ERR);
    }

    #[test]
    fn a_panic_is_a_refusal() {
        struct PanicsAgain;
        impl Drop for PanicsAgain {
            fn drop(&mut self) {
                panic!("while dropped");
            }
        }
        assert_eq!(guarded(|| pam::SUCCESS), pam::SUCCESS);
        assert_eq!(
            guarded(|| panic::resume_unwind(Box::new(PanicsAgain))),
            pam::SERVICE_ERR
        );
    }

    /// Without a valid configuration the handle is not even looked at.
    #[test]
    fn a_wrong_configuration_comes_first() {
        // SAFETY: no arguments, and a handle that is not used.
        let code = unsafe { pam_sm_authenticate(std::ptr::null_mut(), 0, 0, std::ptr::null()) };
        assert_eq!(code, pam::AUTHINFO_UNAVAIL);
    }
}
