//! `mysql_clear_password` for libmariadb: any program on `MariaDB` Connector/C logs in to Aurora
//! and RDS with a fresh IAM token and no password configured. The README beside it is for users.
//!
//! libmariadb asks its plugin directory for this plugin when the server wants the password as it
//! is, and calls it at every login with the connection in sight. The token comes from
//! [`rdstoken::Signer`]; this crate speaks libmariadb's language and holds the token back from
//! connections without TLS.
//!
//! # When TLS begins
//!
//! As a rule the server asks for the plugin after libmariadb's first packet, and TLS is on by then.
//! If the program names the plugin as its default, or the server does in its greeting, we are
//! called before that packet, and our own starts TLS. Then libmariadb is told to enforce TLS, and
//! the server must have offered it: the packet goes out over TLS, or not at all.
//!
//! # A refused token
//!
//! A login cannot be tried twice on one connection, but a token that is refused must not be handed
//! to the next. So the server's answer is read here, and if it is a refusal the signer is told.
//! Before TLS that cannot be had: reading would send an empty password first.

mod client;
mod settings;
mod signers;

use std::ffi::{c_int, c_uint};
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::ptr;
use std::sync::Arc;

use rdstoken::{AuthToken, Error, ErrorKind, Signer};

use crate::client::{Connection, Tls};
pub use crate::client::{Declaration, Mysql, Vio};
use crate::settings::{Settings, TlsPolicy, environment};
use crate::signers::Signers;

/// What libmariadb looks for in a plugin.
#[unsafe(no_mangle)]
pub static _mysql_client_plugin_declaration_: Declaration = Declaration {
    kind: client::AUTHENTICATION_PLUGIN,
    interface_version: client::INTERFACE_VERSION,
    name: c"mysql_clear_password".as_ptr(),
    author: c"rdstoken".as_ptr(),
    description: c"Logs in with an IAM token for Aurora and RDS".as_ptr(),
    version: [
        number(env!("CARGO_PKG_VERSION_MAJOR")),
        number(env!("CARGO_PKG_VERSION_MINOR")),
        number(env!("CARGO_PKG_VERSION_PATCH")),
    ],
    license: c"MIT OR Apache-2.0".as_ptr(),
    mysql_api: ptr::null_mut(),
    init: None,
    deinit: None,
    options: None,
    authenticate_user,
};

static SIGNERS: Signers = Signers::new();

/// # Safety
/// Called by libmariadb alone: `mysql` is a connection that logs in, `vio` its way to the server.
unsafe extern "C" fn authenticate_user(vio: *mut Vio, mysql: *mut Mysql) -> c_int {
    // SAFETY: libmariadb's promise to its plugins, passed on.
    let Some(connection) = (unsafe { Connection::new(vio, mysql) }) else {
        return client::CR_ERROR;
    };
    // A panic must not cross into C.
    let result = panic::catch_unwind(AssertUnwindSafe(|| log_in(&connection)));
    let failure = match result {
        Ok(Ok(code)) => return code,
        Ok(Err(failure)) => failure,
        Err(payload) => {
            // Dropping it could panic again.
            mem::forget(payload);
            let fault = "rdstoken met a fault of its own; please report it";
            Error::new(ErrorKind::Internal, fault).into()
        }
    };
    if let Failure::Error(error) = failure {
        connection.set_error(error_number(&error), &message(&error));
    }
    connection.forget_reply();
    client::CR_ERROR
}

/// Why nobody logs in.
enum Failure {
    Error(Error),
    /// libmariadb has set the error.
    Said,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

fn log_in(connection: &Connection<'_>) -> Result<c_int, Failure> {
    let before = connection.tls();
    let password = connection.password();
    if !password.is_empty() {
        // As the stock plugin does, but over TLS alone.
        insist_on_tls(connection, TlsPolicy::Require)?;
        return send(connection, password.to_bytes_with_nul());
    }
    insist_on_tls(connection, TlsPolicy::read(&environment)?)?;
    let (signer, token) = token(connection)?;
    if before == Tls::Offered {
        return send(connection, token.value_with_nul().as_bytes());
    }
    // The first is what came along with the request for this plugin.
    let answered = connection.receive()
        && connection.send(token.value_with_nul().as_bytes())
        && connection.receive();
    if answered {
        return Ok(client::CR_OK_HANDSHAKE_COMPLETE);
    }
    if connection.is_refused() {
        // The next login takes a fresh one, if this was not.
        let _ = signer.refused(token.value());
    }
    if connection.has_error() {
        return Err(Failure::Said);
    }
    // The server asks for another plugin; libmariadb sees to that.
    Ok(client::CR_ERROR)
}

/// Leaves the server's answer to libmariadb.
fn send(connection: &Connection<'_>, password: &[u8]) -> Result<c_int, Failure> {
    if connection.send(password) {
        Ok(client::CR_OK)
    } else {
        Err(Failure::Said)
    }
}

fn insist_on_tls(connection: &Connection<'_>, policy: TlsPolicy) -> Result<(), Error> {
    let refused = |text| Err(Error::new(ErrorKind::TlsRequired, text));
    match connection.tls() {
        Tls::Missing => refused("the password is only sent over TLS, and there is none"),
        Tls::On | Tls::Offered if policy == TlsPolicy::Verify && !connection.verifies_server() => {
            refused(
                "the token is only sent to a server whose certificate is verified: turn on \
                 ssl-verify-server-cert, or set RDSTOKEN_TLS=require",
            )
        }
        Tls::Offered if !connection.enforce_tls() => {
            refused("the password is only sent over TLS, and it could not be turned on")
        }
        Tls::On | Tls::Offered => Ok(()),
    }
}

fn token(connection: &Connection<'_>) -> Result<(Arc<Signer>, Arc<AuthToken>), Error> {
    let settings = Settings::read(
        &environment,
        connection.host(),
        connection.port(),
        connection.user(),
    )?;
    let signer = SIGNERS.get(&settings)?;
    let token = signer.token()?;
    Ok((signer, token))
}

fn error_number(error: &Error) -> c_uint {
    match error.kind() {
        ErrorKind::TlsRequired => client::SSL_CONNECTION_ERROR,
        _ => client::AUTH_PLUGIN_ERROR,
    }
}

fn message(error: &Error) -> String {
    let hint = if error.field() == Some("hostname") {
        "; RDSTOKEN_HOSTNAME names the endpoint of a connection that goes another way"
    } else {
        ""
    };
    format!("rdstoken: {error}{hint}")
}

/// The number that a text of digits stands for, in a constant.
const fn number(digits: &str) -> c_uint {
    let digits = digits.as_bytes();
    let mut value = 0;
    let mut at = 0;
    while at < digits.len() {
        value = value * 10 + (digits[at] - b'0') as c_uint;
        at += 1;
    }
    value
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    #[test]
    fn the_declaration_says_what_it_is() {
        // SAFETY: a constant text.
        let name = unsafe { CStr::from_ptr(_mysql_client_plugin_declaration_.name) };
        assert_eq!(name, c"mysql_clear_password");
        let version = _mysql_client_plugin_declaration_.version;
        assert_eq!(
            version.map(|part| part.to_string()).join("."),
            rdstoken::VERSION
        );
    }

    #[test]
    fn messages() {
        let of_hostname = message(&Error::invalid("hostname", "expected a DNS name"));
        assert!(of_hostname.starts_with("rdstoken: hostname: expected a DNS name; RDSTOKEN_"));
        let tls = Error::new(ErrorKind::TlsRequired, "no TLS");
        assert_eq!(message(&tls), "rdstoken: no TLS");
        assert_eq!(error_number(&tls), client::SSL_CONNECTION_ERROR);
        let other = Error::new(ErrorKind::Timeout, "late");
        assert_eq!(error_number(&other), client::AUTH_PLUGIN_ERROR);
    }

    #[test]
    fn nothing_to_log_in_to() {
        // SAFETY: NULL is allowed.
        let code = unsafe { authenticate_user(ptr::null_mut(), ptr::null_mut()) };
        assert_eq!(code, client::CR_ERROR);
    }
}
