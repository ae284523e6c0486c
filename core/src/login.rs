use crate::{Endpoint, Error, uri};

/// One database user at one endpoint: what a token lets in.
#[derive(Clone, Debug)]
pub struct Login {
    endpoint: Endpoint,
    username: String,
    /// The part of a token that is the same for every token of this login.
    prefix: String,
    /// How much of `prefix` is the signed `host` header.
    authority: usize,
}

/// Longer than any database takes (`PostgreSQL` 63 bytes, `MySQL` 32 characters), and short enough
/// that a slip, such as a password file read into the name, is noticed here.
const MAX_USERNAME: usize = 255;

const BEFORE_USER: &str = "/?Action=connect&DBUser=";
const BEHIND_USER: &str = "&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=";

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
        let length = authority.len() + uri::encoded_length(username);
        let mut prefix = String::with_capacity(length + BEFORE_USER.len() + BEHIND_USER.len());
        prefix.push_str(&authority);
        prefix.push_str(BEFORE_USER);
        uri::encode_into(&mut prefix, username);
        prefix.push_str(BEHIND_USER);
        Ok(Self {
            endpoint,
            username: username.to_owned(),
            prefix,
            authority: authority.len(),
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
        &self.prefix[..self.authority]
    }
}
