use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use zeroize::Zeroizing;

/// An authentication token: the password for one login, and when it stops working.
///
/// It never becomes text by accident: there is no `Display`, and `Debug` shows only the length and
/// the expiry. The memory is wiped when it is dropped.
// On a cache line of its own: the reference count of a token that is handed out again and again
// stands before it.
#[repr(align(64))]
pub struct AuthToken {
    /// Ends in one NUL, so that C can be handed the same bytes.
    text: Arc<Zeroizing<String>>,
    expires_at: SystemTime,
}

impl AuthToken {
    pub(crate) fn new(mut text: String, expires_at: SystemTime) -> Self {
        text.push('\0');
        Self {
            text: Arc::new(Zeroizing::new(text)),
            expires_at,
        }
    }

    /// Another with the same text in the same place, to be counted apart.
    pub(crate) fn sharing_text(&self) -> Self {
        Self {
            text: Arc::clone(&self.text),
            expires_at: self.expires_at,
        }
    }

    /// The token: a few hundred bytes with static keys, 1 to 4 KB and sometimes more with a
    /// session token. Hand it to the driver whole, as the password.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.text[..self.text.len() - 1]
    }

    /// The token and one NUL byte behind it, for C.
    #[must_use]
    pub fn value_with_nul(&self) -> &str {
        &self.text
    }

    /// When the token stops working: the earlier of signing time + `expires_in` and the expiry of
    /// the credentials. A connection that is open by then stays open.
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at
    }
}

impl fmt::Debug for AuthToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthToken")
            .field("length", &self.value().len())
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
