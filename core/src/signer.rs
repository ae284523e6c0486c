use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::chain::{self, Found, Wanted};
use crate::presign::check_expires_in;
use crate::{
    AuthToken, Clock, Credentials, Error, Login, MAX_EXPIRES_IN, Region, SigningKey, SystemClock,
};

/// How long a [`Signer`] waits for credentials unless told otherwise: 5 seconds.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// A deadline beyond an hour is a slip of units.
const MAX_TIMEOUT: Duration = Duration::from_secs(3600);

/// Longer than any profile name in use.
const MAX_PROFILE: usize = 1024;

/// Makes tokens for one database user at one endpoint, with credentials that it finds itself.
///
/// It can be shared between threads. Every call to [`token`](Self::token) signs anew.
pub struct Signer {
    login: Login,
    region: Option<Region>,
    profile: Option<String>,
    credentials: Option<Credentials>,
    expires_in: Duration,
    timeout: Duration,
    clock: Arc<dyn Clock>,
    /// Unix seconds; 0 before the first token.
    last_expires_at: AtomicU64,
}

/// What a [`Signer`] is made from. [`SignerOptions::new`] gives the defaults; set the fields that
/// differ.
#[derive(Clone)]
#[non_exhaustive]
pub struct SignerOptions {
    /// The database's endpoint name.
    pub hostname: String,
    /// The database's port.
    pub port: u16,
    /// The database user.
    pub username: String,
    /// The endpoint's region. `None` (the default) finds it: in the hostname, else in
    /// `AWS_REGION` or `AWS_DEFAULT_REGION`, else in the profile.
    pub region: Option<String>,
    /// Take credentials from this profile alone. `None` (the default) means the SDKs' default
    /// chain.
    pub profile: Option<String>,
    /// Sign with these credentials and look for none. Not together with `profile`.
    pub credentials: Option<Credentials>,
    /// How long a token is valid, 1 to 900 whole seconds; 900 unless set.
    pub expires_in: Duration,
    /// How long to wait for credentials, all sources together, up to an hour; 5 s unless set.
    pub timeout: Duration,
    /// Where the signing time comes from; the machine's clock unless set.
    pub clock: Arc<dyn Clock>,
}

impl SignerOptions {
    /// The options for one login, all else at its default.
    #[must_use]
    pub fn new(hostname: &str, port: u16, username: &str) -> Self {
        Self {
            hostname: hostname.to_owned(),
            port,
            username: username.to_owned(),
            region: None,
            profile: None,
            credentials: None,
            expires_in: MAX_EXPIRES_IN,
            timeout: DEFAULT_TIMEOUT,
            clock: Arc::new(SystemClock),
        }
    }
}

impl Signer {
    /// Checks the options. Looks for nothing yet: no file, variable or network is touched.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) naming the option.
    pub fn new(options: SignerOptions) -> Result<Self, Error> {
        let login = Login::new(&options.hostname, options.port, &options.username)?;
        let region = match &options.region {
            Some(name) => Some(Region::new(name)?),
            None => login.endpoint().region(),
        };
        if let Some(profile) = &options.profile {
            if options.credentials.is_some() {
                return Err(Error::invalid(
                    "profile",
                    "expected either a profile or credentials, not both",
                ));
            }
            if profile.is_empty() || profile.len() > MAX_PROFILE || profile.contains('\0') {
                return Err(Error::invalid(
                    "profile",
                    "expected the name of a profile, 1 to 1024 bytes without NUL",
                ));
            }
        }
        if options.timeout.is_zero() || options.timeout > MAX_TIMEOUT {
            return Err(Error::invalid(
                "timeout",
                "expected more than 0 and at most an hour",
            ));
        }
        Ok(Self {
            login,
            region,
            profile: options.profile,
            credentials: options.credentials,
            expires_in: check_expires_in(options.expires_in)?,
            timeout: options.timeout,
            clock: options.clock,
            last_expires_at: AtomicU64::new(0),
        })
    }

    /// Makes a token for the next login.
    ///
    /// Blocks while credentials are fetched, never longer than the timeout and 0.1 s. With
    /// `credentials` and a region at hand it does not block at all.
    ///
    /// # Errors
    /// [`ErrorKind`](crate::ErrorKind)'s `RegionNotFound`, `CredentialsNotFound`,
    /// `CredentialsFailed`, `CredentialsExpired` or `Timeout`.
    pub fn token(&self) -> Result<Arc<AuthToken>, Error> {
        let Found {
            credentials,
            region,
        } = self.credentials_and_region()?;
        let now = self.clock.now();
        let key = SigningKey::derive(&credentials, &region, now)?;
        let token = key.presign(&self.login, now, self.expires_in)?;
        self.last_expires_at
            .store(unix_seconds(token.expires_at()), Ordering::Relaxed);
        Ok(Arc::new(token))
    }

    fn credentials_and_region(&self) -> Result<Found, Error> {
        if let (Some(credentials), Some(region)) = (&self.credentials, &self.region) {
            return Ok(Found {
                credentials: credentials.clone(),
                region: region.clone(),
            });
        }
        let wanted = Wanted {
            profile: self.profile.clone(),
            credentials: self.credentials.clone(),
            region: self.region.clone(),
        };
        chain::fetch(wanted, self.timeout)
    }

    /// When the token that was handed out last stops working; `None` before the first. Whole
    /// seconds.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        match self.last_expires_at.load(Ordering::Relaxed) {
            0 => None,
            seconds => Some(UNIX_EPOCH + Duration::from_secs(seconds)),
        }
    }

    /// What the tokens let in.
    #[must_use]
    pub fn login(&self) -> &Login {
        &self.login
    }
}

fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
