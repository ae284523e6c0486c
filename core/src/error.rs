use std::borrow::Cow;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Why a token could not be made.
///
/// An error carries a [kind](Self::kind), the [field](Self::field) at fault if there is one, and
/// a text for people. It never carries a secret: no token, key, session token or signature, and no
/// text that came from a credential source, because those are known to quote secrets.
#[derive(Clone, Debug)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    kind: ErrorKind,
    field: Option<&'static str>,
    detail: Cow<'static, str>,
}

/// What went wrong, for programs. `tests/errors.json` maps each kind to the C status, the Python
/// class and the Node code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A fault in rdstoken itself. Please report it.
    Internal,
    /// An argument is not what it must be; [`Error::field`] names it.
    InvalidArgument,
    /// The caller's buffer is too small for the token. Only the C interface has buffers.
    BufferTooSmall,
    /// The region was neither given nor found in the hostname, the environment or the profile.
    RegionNotFound,
    /// No credential source had any credentials.
    CredentialsNotFound,
    /// A credential source is set up, but failed to give usable credentials.
    CredentialsFailed,
    /// The credentials had expired at the signing time.
    CredentialsExpired,
    /// The deadline passed before the credentials arrived.
    Timeout,
    /// The driver, or the way the token would be given to it, cuts or alters a token of this
    /// length.
    DriverLimit,
    /// The login would send the token without TLS.
    TlsRequired,
}

impl ErrorKind {
    /// Every kind, in the order of the C status numbers.
    pub const ALL: &'static [Self] = &[
        Self::Internal,
        Self::InvalidArgument,
        Self::BufferTooSmall,
        Self::RegionNotFound,
        Self::CredentialsNotFound,
        Self::CredentialsFailed,
        Self::CredentialsExpired,
        Self::Timeout,
        Self::DriverLimit,
        Self::TlsRequired,
    ];

    /// 1 and up, for an atomic; 0 stands for none.
    pub(crate) fn number(self) -> u8 {
        let position = Self::ALL.iter().position(|kind| *kind == self);
        position.map_or(0, |position| u8::try_from(position + 1).unwrap_or(0))
    }

    pub(crate) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }

    /// The kind's name, as used for `code` in Python and Node.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Internal => "Internal",
            Self::InvalidArgument => "InvalidArgument",
            Self::BufferTooSmall => "BufferTooSmall",
            Self::RegionNotFound => "RegionNotFound",
            Self::CredentialsNotFound => "CredentialsNotFound",
            Self::CredentialsFailed => "CredentialsFailed",
            Self::CredentialsExpired => "CredentialsExpired",
            Self::Timeout => "Timeout",
            Self::DriverLimit => "DriverLimit",
            Self::TlsRequired => "TlsRequired",
        }
    }
}

impl Error {
    /// An error of `kind`. `detail` must not hold a secret.
    #[must_use]
    pub fn new(kind: ErrorKind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            field: None,
            detail: detail.into(),
        }))
    }

    /// An [`ErrorKind::InvalidArgument`] that names the `field` and says what was `expected` of
    /// it. The value itself stays out: people paste passwords into hostnames.
    #[must_use]
    pub fn invalid(field: &'static str, expected: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind: ErrorKind::InvalidArgument,
            field: Some(field),
            detail: expected.into(),
        }))
    }

    /// What went wrong, for programs.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The name of the argument at fault, in snake case, for [`ErrorKind::InvalidArgument`].
    #[must_use]
    pub fn field(&self) -> Option<&'static str> {
        self.0.field
    }

    /// The text without the field's name before it, for faces that spell field names their own
    /// way.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.0.detail
    }
}

/// Runs `work`; should it panic, that is an [`ErrorKind::Internal`] error. For the faces, because
/// a panic must not cross into another language.
///
/// # Errors
/// Those of `work`.
pub fn guard<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    // Unwind safety: what outlives the panic is immutable, atomic, or a lock that heals itself.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(Error::new(
            ErrorKind::Internal,
            "rdstoken met a fault of its own; please report it",
        ))
    })
}

/// One line for people, without a final stop: `hostname: expected a DNS name`.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.field {
            Some(field) => write!(f, "{field}: {}", self.0.detail),
            None => f.write_str(&self.0.detail),
        }
    }
}

impl std::error::Error for Error {}
