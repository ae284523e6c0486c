//! `rdstoken passfile`

use std::fs::{self, File, Permissions, TryLockError};
use std::io::{self, Write};
use std::mem;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use clap::{Args, ValueEnum};
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use rdstoken::{AuthToken, ConnectionOptions, ConnectionString, Signer, connection_string};
use zeroize::Zeroizing;

use crate::login::Login;
use crate::token::expires_at;
use crate::{Failure, print};

/// Write a token into a PostgreSQL password file, and keep it fresh there.
///
/// Programs on libpq (psql, psqlodbc, pg_dump, drivers of most languages) read the file again at
/// every login, so they need no password: set PGPASSFILE, or passfile= in the connection string. The
/// file is readable to you alone and is replaced in one step; its lines for other logins are kept.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Passfile {
    #[command(flatten)]
    login: Login,

    /// The file to write; created if it is not there
    #[arg(long, value_name = "FILE")]
    path: PathBuf,

    /// Let the line count for this database alone [default: any]
    #[arg(long, value_name = "NAME")]
    database: Option<String>,

    /// Who reads the file; the two want a token's characters written differently, so that each
    /// needs a file of its own
    #[arg(long, value_enum, value_name = "READER", default_value_t = Reader::Libpq)]
    driver: Reader,

    /// Go on until stopped, and write a new token in good time before the one in the file expires
    #[arg(long)]
    watch: bool,

    /// With --watch: how much life the token in the file has at least [default: half of it, or what
    /// --align leaves]
    #[arg(long, value_name = "SECONDS", requires = "watch")]
    min_validity: Option<u64>,
}

const EXAMPLES: &str = "\
Example:
  In one shell, or as a service:
    rdstoken passfile --watch --path ~/.rds-pass --hostname \"$H\" --port 5432 --username app

  In another:
    export PGPASSFILE=~/.rds-pass PGSSLMODE=verify-full PGGSSENCMODE=disable
    export PGSSLROOTCERT=global-bundle.pem
    psql --host=\"$H\" --port=5432 --username=app postgres";

#[derive(Clone, Copy, ValueEnum)]
enum Reader {
    Libpq,
    Asyncpg,
}

impl Reader {
    fn name(self) -> &'static str {
        match self {
            Self::Libpq => "libpq",
            Self::Asyncpg => "asyncpg",
        }
    }
}

/// A hit on a signer costs next to nothing, so it is asked often enough to notice at once that a
/// machine has slept.
const TICK: Duration = Duration::from_secs(1);

/// More than any password file in use; a slip, such as a path to a database dump, is noticed here.
const MAX_FILE: u64 = 4 * 1024 * 1024;

/// How often the directory's lock is tried for, and how long after each time: for 5 seconds together.
/// A token that comes too late is worse than a line that was lost: whoever watches puts that back.
const TRIES: u32 = 500;
const PAUSE: Duration = Duration::from_millis(10);

impl Passfile {
    pub(crate) fn run(&self, output: &mut impl Write) -> Result<(), Failure> {
        let signer = self.signer()?;
        let token = signer.token().map_err(Failure::Token)?;
        self.write(&signer, &token, output)?;
        if self.watch {
            self.watch(&signer, token, output)
        } else {
            Ok(())
        }
    }

    fn signer(&self) -> Result<Signer, Failure> {
        if !self.watch {
            return self.login.signer();
        }
        let mut options = self.login.options();
        options.cache = true;
        let half = options.expires_in / 2;
        options.min_validity = Some(match self.min_validity {
            Some(seconds) => Duration::from_secs(seconds),
            None => half.min(options.expires_in.saturating_sub(options.align)),
        });
        Signer::new(options).map_err(Failure::Token)
    }

    #[expect(clippy::print_stderr, reason = "nobody else is there to tell")]
    fn watch(
        &self,
        signer: &Signer,
        mut written: Arc<AuthToken>,
        output: &mut impl Write,
    ) -> Result<(), Failure> {
        let mut told = String::new();
        let mut before = None;
        loop {
            thread::sleep(TICK);
            let outcome = match signer.token() {
                Ok(token) if token.value() != written.value() => self
                    .write(signer, &token, output)
                    .map(|()| before = Some(mem::replace(&mut written, token))),
                Ok(token) if !self.is_there(signer, before.as_deref()) => {
                    self.write(signer, &token, output)
                }
                Ok(_) => Ok(()),
                Err(error) => Err(Failure::Token(error)),
            };
            match outcome {
                Ok(()) => told.clear(),
                // Whoever reads our output has gone; nobody needs the file any more.
                Err(Failure::Output(error)) => return Err(Failure::Output(error)),
                Err(failure) => {
                    // Once, not at each tick.
                    let text = failure.to_string();
                    if text != told {
                        eprintln!("rdstoken: {text}; trying again");
                        told = text;
                    }
                }
            }
        }
    }

    fn write(
        &self,
        signer: &Signer,
        token: &AuthToken,
        output: &mut impl Write,
    ) -> Result<(), Failure> {
        let line = self.line(signer, token.value()).map_err(Failure::Token)?;
        replace_line(&self.path, line.value(), &self.key(signer)).map_err(|error| {
            Failure::File {
                path: self.path.clone(),
                error: without_path(&error),
            }
        })?;
        let (path, expires_at) = (self.path.display(), expires_at(token));
        print(
            output,
            &format!("{path}: a token that works until {expires_at}"),
        )
    }

    /// Whether the file has a line for this login, and not the one with the token `before` this one.
    /// Somebody who read it before this did, and wrote it afterwards, may have put it back to what it
    /// was. Any other token may be that of another who watches for the same login.
    fn is_there(&self, signer: &Signer, before: Option<&AuthToken>) -> bool {
        let key = self.key(signer);
        let before = before.and_then(|token| self.line(signer, token.value()).ok());
        let Ok(content) = fs::read(&self.path).map(Zeroizing::new) else {
            return false;
        };
        let mut lines = content.split(|byte| *byte == b'\n');
        lines
            .find(|line| line.starts_with(key.as_bytes()))
            .is_some_and(|line| before.is_none_or(|before| line != before.value().as_bytes()))
    }

    /// The beginning of a line for this login, whatever its token.
    fn key(&self, signer: &Signer) -> Zeroizing<String> {
        let line = self.line(signer, "");
        Zeroizing::new(line.map_or_else(|_| String::new(), |line| line.value().to_owned()))
    }

    fn line(&self, signer: &Signer, token: &str) -> Result<ConnectionString, rdstoken::Error> {
        let options = ConnectionOptions {
            driver: self.driver.name(),
            form: "passfile",
            database: self.database.as_deref(),
            ..ConnectionOptions::default()
        };
        connection_string(signer.login(), token, &options)
    }
}

/// Puts `line` before the file's other lines, in place of the one that begins like it: the first
/// line that fits is the one that counts.
fn replace_line(path: &Path, line: &str, key: &str) -> io::Result<()> {
    // What a link points to is replaced, not the link.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let _lock = locked(directory);
    let before = match fs::metadata(&path) {
        Ok(metadata) if !metadata.is_file() => return Err(io::Error::other("it is no file")),
        Ok(metadata) if metadata.len() > MAX_FILE => {
            return Err(io::Error::other(
                "it is longer than 4 MiB, and so no password file",
            ));
        }
        // Bytes: another login's password may be in any encoding.
        Ok(_) => Zeroizing::new(fs::read(&path)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Zeroizing::new(Vec::new()),
        Err(error) => return Err(error),
    };
    // Dropped behind the file: whoever ends this meanwhile leaves no token lying about.
    let _held_back = HeldBack::new();
    let mut file = tempfile::Builder::new()
        .prefix(".rdstoken-")
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(directory)?;
    writeln!(file, "{line}")?;
    for other in before.split_inclusive(|byte| *byte == b'\n') {
        if !other.starts_with(key.as_bytes()) {
            file.write_all(other)?;
        }
    }
    file.as_file().sync_all()?;
    file.persist(&path)?;
    Ok(())
}

/// The directory, which others who write a file in it lock as well: the file itself is another each
/// time. Without it, if it cannot be locked in time.
fn locked(directory: &Path) -> Option<File> {
    let directory = File::open(directory).ok()?;
    for _ in 0..TRIES {
        match directory.try_lock() {
            Ok(()) => return Some(directory),
            Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
            Err(TryLockError::Error(_)) => return None,
        }
    }
    None
}

/// While this lives, the signals that end a program wait.
struct HeldBack(Option<SigSet>);

impl HeldBack {
    fn new() -> Self {
        let ends: SigSet = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM]
            .into_iter()
            .collect();
        Self(ends.thread_swap_mask(SigmaskHow::SIG_BLOCK).ok())
    }
}

impl Drop for HeldBack {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // It was the mask already.
            let _ = before.thread_set_mask();
        }
    }
}

/// The temporary file's name is of no use to anybody, and another each time.
fn without_path(error: &io::Error) -> io::Error {
    let text = error.to_string();
    let reason = text.split(" at path ").next().unwrap_or_default();
    io::Error::new(error.kind(), reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_lines_stay_and_the_own_one_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pass");
        fs::write(&path, "h:1:*:u:old\nother:2:*:u:kept\n# a comment\n").unwrap();
        replace_line(&path, "h:1:*:u:new", "h:1:*:u:").unwrap();
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "h:1:*:u:new\nother:2:*:u:kept\n# a comment\n"
        );
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_stays_a_link() {
        let directory = tempfile::tempdir().unwrap();
        let (link, file) = (directory.path().join("link"), directory.path().join("file"));
        fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        replace_line(&link, "a", "a").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "a\n");
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        assert!(replace_line(directory.path(), "a", "a").is_err());
        assert!(replace_line(Path::new("/nonexistent/pass"), "a", "a").is_err());
    }
}
