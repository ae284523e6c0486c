//! A file that says which passwords arrived: for tests of what clients do to a long one.

use std::ffi::CStr;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use sha2::{Digest, Sha256};

/// What a user's name keeps as it is, so that no name can end a field or a line.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The argument `record=PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecordFile {
    pub(crate) path: String,
}

impl RecordFile {
    /// Adds the line of one login.
    pub(crate) fn add(&self, user: &CStr, password: &CStr, accepted: bool) -> io::Result<()> {
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&self.path)?;
        // In one write, so that lines of several sessions do not mix.
        file.write_all(line(user, password, accepted).as_bytes())
    }
}

fn line(user: &CStr, password: &CStr, accepted: bool) -> String {
    let password = password.to_bytes();
    let mut line = format!(
        "{} {} ",
        percent_encode(user.to_bytes(), ESCAPED),
        password.len()
    );
    for byte in Sha256::digest(password) {
        // Writing to a String cannot fail.
        let _ = write!(line, "{byte:02x}");
    }
    line.push_str(if accepted {
        " accepted\n"
    } else {
        " refused\n"
    });
    line
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn one_line_for_each_login() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("records");
        let record = RecordFile {
            path: path.to_str().unwrap().to_owned(),
        };
        record.add(c"app", c"abc", true).unwrap();
        record.add(c"app_ro", c"", false).unwrap();
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            format!("app 3 {OF_ABC} accepted\napp_ro 0 {OF_NOTHING} refused\n")
        );
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn no_name_forges_a_line() {
        assert_eq!(
            line(c"a b\n%M\xc3\xbc\xff", c"abc", false),
            format!("a%20b%0A%25M%C3%BC%FF 3 {OF_ABC} refused\n")
        );
    }

    #[test]
    fn the_longest_password_is_counted_whole() {
        let long = [b"x".repeat(65_530), vec![0]].concat();
        let line = line(c"app", CStr::from_bytes_with_nul(&long).unwrap(), true);
        assert!(line.starts_with("app 65530 "), "{line}");
    }

    #[test]
    fn a_file_that_cannot_be_written_is_an_error() {
        let record = RecordFile {
            path: "/nonexistent/records".to_owned(),
        };
        assert!(record.add(c"app", c"abc", true).is_err());
    }
}
