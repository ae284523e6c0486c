use crate::{Endpoint, Error, uri};

/// One database user at one endpoint: what a token lets in.
#[derive(Clone, Debug)]
pub struct Login {
    endpoint: Endpoint,
    username: String,
    /// The part of a token that is the same for every token of this login.
    prefix: String,
    /// The signed `host` header.
    authority: String,
}

/// Longer than any database takes (`PostgreSQL` 63 bytes, `MySQL` 32 characters), and short enough
/// that a slip, such as a password file read into the name, is noticed here.
const MAX_USERNAME: usize = 255;

impl Login {
    /// Checks the endpoint and the user. Case and spaces of `username` are kept.
    ///
    /// # Errors
    /// Those of [`Endpoint::new`]; `username` if it is empty, longer than 255 bytes or holds a NUL.
    pub fn new(hostname: &str, port: u16, username: &str) -> Result<Self, Error> {
        let endpoint = Endpoint::new(hostname, port)?;
        if username.is_empty() {
            return Err(Error::invalid(
                "username",
                "expected the database user's name, got an empty text",
            ));
        }
        if username.len() > MAX_USERNAME {
            return Err(Error::invalid(
                "username",
                "expected a database user's name of at most 255 bytes",
            ));
        }
        if username.contains('\0') {
            return Err(Error::invalid(
                "username",
                "expected a text without NUL bytes",
            ));
        }
        let authority = endpoint.to_string();
        let mut prefix = format!("{authority}/?Action=connect&DBUser=");
        uri::encode_into(&mut prefix, username);
        prefix.push_str("&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=");
        Ok(Self {
            endpoint,
            username: username.to_owned(),
            prefix,
            authority,
        })
    }

    /// The database's endpoint.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The database user's name, as given.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.username
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }
}
