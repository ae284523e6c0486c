use std::fmt;
use std::mem;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use zeroize::Zeroize as _;

/// An authentication token: the password for one login, and when it stops working.
///
/// It never becomes text by accident: there is no `Display`, and `Debug` shows only the length and
/// the expiry. The memory is wiped when it is dropped.
// On a cache line of its own: the reference count of a token that is handed out again and again
// stands before it.
#[repr(align(64))]
pub struct AuthToken {
    text: Text,
    expires_at: SystemTime,
    hand_outs: AtomicU64,
}

/// It ends in one NUL, so that C can be handed the same bytes.
enum Text {
    Own(String),
    Shared(Arc<AuthToken>),
}

impl Drop for Text {
    fn drop(&mut self) {
        if let Self::Own(text) = self {
            // As a slice: byte by byte, as a String is wiped, takes as long as signing.
            mem::take(text).into_bytes().as_mut_slice().zeroize();
        }
    }
}

impl AuthToken {
    pub(crate) fn new(mut text: String, expires_at: SystemTime) -> Self {
        text.push('\0');
        Self {
            text: Text::Own(text),
            expires_at,
            hand_outs: AtomicU64::new(0),
        }
    }

    /// Another with the same text in the same place, to be counted apart.
    pub(crate) fn sharing_text(self: &Arc<Self>) -> Self {
        Self {
            text: Text::Shared(Arc::clone(self)),
            expires_at: self.expires_at,
            hand_outs: AtomicU64::new(0),
        }
    }

    /// Counts that it is handed out.
    pub(crate) fn count(&self) {
        self.hand_outs.fetch_add(1, Ordering::Relaxed);
    }

    /// How often it was counted.
    pub(crate) fn hand_outs(&self) -> u64 {
        self.hand_outs.load(Ordering::Relaxed)
    }

    /// The token: a few hundred bytes with static keys, 1 to 4 KB and sometimes more with a
    /// session token. Hand it to the driver whole, as the password.
    #[must_use]
    pub fn value(&self) -> &str {
        let text = self.value_with_nul();
        &text[..text.len() - 1]
    }

    /// The token and one NUL byte behind it, for C.
    #[must_use]
    pub fn value_with_nul(&self) -> &str {
        match &self.text {
            Text::Own(text) => text,
            Text::Shared(token) => token.value_with_nul(),
        }
    }

    /// Whether both are the same token, handed out twice: it is there once in memory.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        ptr::eq(self.value_with_nul(), other.value_with_nul())
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
