//! What drivers do to a long password, and the connection strings that bring a token through whole.
//!
//! [`DRIVERS`] is the one table of both. `tests/drivers` measures each of its rows against a real
//! server, and `docs/drivers.md` is made from it.

mod connection;
mod table;

use std::fmt;

pub use connection::{ConnectionOptions, ConnectionString, OnLimit, connection_string};
pub use table::DRIVERS;

use crate::{Error, ErrorKind};
use connection::Format;

/// A way to give a driver a password, and how long a token it passes on whole.
pub struct DriverForm {
    /// The driver, for example `"psqlodbc"`.
    pub driver: &'static str,
    /// The way that the password is given, for example `"connection-string"`.
    pub form: &'static str,
    /// The longest token that arrives whole, in bytes; 0 if none does; `None` if there is no limit
    /// below 65,000 bytes, which is more than any token known.
    pub max_length: Option<usize>,
    /// What happens to a longer one.
    pub beyond: Beyond,
    /// What to do instead, or what else to know. May be empty.
    pub note: &'static str,
    /// Where the row comes from: measured, with what, or read where.
    pub source: &'static str,
    format: Option<Format>,
}

/// What a driver does to a token that is longer than it can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Beyond {
    /// There is no limit below 65,000 bytes.
    Nothing,
    /// It sends the beginning alone: the server refuses the login, and nothing tells why.
    Cut,
    /// It sends something else: the server refuses the login, and nothing tells why.
    Altered,
    /// It fails with an error of its own.
    Error,
    /// It takes the program down.
    Crash,
}

impl Beyond {
    /// The name, in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Cut => "cut",
            Self::Altered => "altered",
            Self::Error => "error",
            Self::Crash => "crash",
        }
    }
}

impl DriverForm {
    /// Whether [`connection_string`] can write this form.
    #[must_use]
    pub fn is_written(&self) -> bool {
        self.format.is_some()
    }

    fn check(&self, length: usize) -> Result<(), Error> {
        let Some(max_length) = self.max_length.filter(|max_length| length > *max_length) else {
            return Ok(());
        };
        let Self {
            driver, form, note, ..
        } = self;
        let does = match self.beyond {
            Beyond::Nothing | Beyond::Error => "fails",
            Beyond::Cut => "sends a part of it without a word",
            Beyond::Altered => "sends something else without a word",
            Beyond::Crash => "crashes",
        };
        let limit = if max_length == 0 {
            "takes no token".to_owned()
        } else {
            format!("takes tokens of up to {max_length} bytes, this one has {length}")
        };
        let note = match *note {
            "" => String::new(),
            note => format!("; {note}"),
        };
        Err(Error::new(
            ErrorKind::DriverLimit,
            format!("{driver} with the form {form} {limit}, and else {does}{note}"),
        ))
    }
}

/// As its row in the table of limits.
impl fmt::Debug for DriverForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DriverForm")
            .field("driver", &self.driver)
            .field("form", &self.form)
            .field("max_length", &self.max_length)
            .field("beyond", &self.beyond)
            .finish_non_exhaustive()
    }
}

/// Checks that `driver` passes on a `token` whole that is given to it in this `form`. The names are
/// those of [`DRIVERS`].
///
/// # Errors
/// [`ErrorKind::DriverLimit`] if it is known not to; [`ErrorKind::InvalidArgument`] for a `driver`
/// or `form` that is not in the table.
pub fn check_length(driver: &str, form: &str, token: &str) -> Result<(), Error> {
    find(driver, form)?.check(token.len())
}

fn find(driver: &str, form: &str) -> Result<&'static DriverForm, Error> {
    let mut rows = of_driver(driver)?;
    rows.clone()
        .find(|row| row.form == form)
        .ok_or_else(|| Error::invalid("form", expected_one_of(rows.by_ref().map(|row| row.form))))
}

/// The rows of a driver: one at least.
fn of_driver(driver: &str) -> Result<impl Iterator<Item = &'static DriverForm> + Clone, Error> {
    let rows = DRIVERS.iter().filter(move |row| row.driver == driver);
    if rows.clone().next().is_none() {
        let mut names: Vec<_> = DRIVERS.iter().map(|row| row.driver).collect();
        names.dedup();
        return Err(Error::invalid("driver", expected_one_of(names)));
    }
    Ok(rows)
}

fn expected_one_of(names: impl IntoIterator<Item = &'static str>) -> String {
    let names: Vec<_> = names.into_iter().collect();
    format!("expected one of {}", names.join(", "))
}
