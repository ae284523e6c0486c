use std::cell::Cell;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwapOption;

use crate::chain::{self, Base, Origin, Role};
use crate::presign::check_expires_in;
use crate::process::PerProcess;
use crate::source::{Ask, Held, Source, Windows};
use crate::{
    AuthToken, Clock, ConnectionOptions, ConnectionString, Credentials, CredentialsProvider, Error,
    ErrorKind, Login, MAX_EXPIRES_IN, Now, Region, SystemClock, connection_string,
};

/// How long a [`Signer`] waits for credentials unless told otherwise: 5 seconds.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
/// How much life a reused token has left at least, unless told otherwise: 60 seconds.
pub const DEFAULT_MIN_VALIDITY: Duration = Duration::from_secs(60);
/// How long before their expiry credentials are renewed by one caller while the others use what is
/// there, unless told otherwise: 300 seconds.
pub const DEFAULT_ADVISORY_WINDOW: Duration = Duration::from_secs(300);
/// How long before their expiry all callers wait for a renewal, unless told otherwise: 60 seconds.
pub const DEFAULT_MANDATORY_WINDOW: Duration = Duration::from_secs(60);
/// The name under which a role is assumed, unless told otherwise.
pub const DEFAULT_ROLE_SESSION_NAME: &str = "rdstoken";

/// A deadline beyond an hour is a slip of units.
const MAX_TIMEOUT: Duration = Duration::from_secs(3600);
/// Longer than the life of any temporary credentials (12 hours).
const MAX_WINDOW: Duration = Duration::from_secs(43_200);
/// A token that is aligned further back would die too soon.
const MAX_ALIGN: Duration = Duration::from_secs(600);
/// Longer than any profile name in use.
const MAX_PROFILE: usize = 1024;

/// No tick of a [`Clock`] is longer.
const LONGEST_TICK: Duration = Duration::from_millis(100);

/// Makes tokens for one database user at one endpoint, with credentials that it finds itself.
///
/// Ask it for a [`token`](Self::token) before every login, from any thread or process, for months.
/// A token is signed once and reused while it has at least [`SignerOptions::min_validity`] to live
/// and the credentials that signed it are still the ones. Credentials are fetched once for all
/// signers of the same profile and role, and renewed before they expire.
///
/// Nothing runs between calls. After a fork, parent and child both go on.
pub struct Signer {
    login: Login,
    region: ArcSwapOption<Region>,
    source: Arc<Source>,
    profile: Option<String>,
    expires_in: Duration,
    timeout: Duration,
    min_validity: Duration,
    align: Duration,
    cache: bool,
    windows: Windows,
    clock: Arc<dyn Clock>,
    cached: ArcSwapOption<Cached>,
    signing: PerProcess<Mutex<()>>,
    warn_hostname: AtomicBool,
    signed: AtomicU64,
    /// Unix seconds; 0 before the first token.
    last_expires_at: AtomicU64,
    /// How often tokens that are no longer at hand were reused.
    reused_before: Arc<AtomicU64>,
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
    /// Ask this for credentials. Not together with `profile` or `credentials`.
    pub credentials_provider: Option<Arc<dyn CredentialsProvider>>,
    /// Assume this role, named by its ARN, with the credentials found as above.
    pub role_arn: Option<String>,
    /// The name of the assumed role's session, 2 to 64 characters; "rdstoken" unless set. Only
    /// with `role_arn`.
    pub role_session_name: Option<String>,
    /// The external id that the role's trust policy asks for. Only with `role_arn`.
    pub external_id: Option<String>,
    /// How long a token is valid, 1 to 900 whole seconds; 900 unless set.
    pub expires_in: Duration,
    /// How long to wait for credentials, all sources together, up to an hour; 5 s unless set.
    pub timeout: Duration,
    /// A token is reused while it has at least this much left, 0 to 899 s and less than
    /// `expires_in`; 60 s unless set (or `expires_in` - 1 s if that is less).
    pub min_validity: Option<Duration>,
    /// Sign as of the last multiple of this, 0 to 600 whole seconds; 0, which is off, unless set.
    /// Then all who hold the same credentials make the same bytes, which Aurora does not throttle.
    /// A fresh token has `expires_in` - `align` to live at least, which must be no less than
    /// `min_validity`.
    pub align: Duration,
    /// Reuse tokens; true unless set. Without, every call signs anew; credentials are kept all the
    /// same.
    pub cache: bool,
    /// So long before the expiry of the credentials, one caller renews them and the others use
    /// what is there; 300 s unless set, and lengthened by up to a fifth at random.
    pub advisory_window: Duration,
    /// So long before the expiry of the credentials, all callers wait for a renewal; 60 s unless
    /// set, and no longer than `advisory_window`.
    pub mandatory_window: Duration,
    /// Log a warning, once, if the hostname is none of RDS's own: the server checks the name that
    /// is signed, and knows only its own. True unless set.
    pub warn_hostname: bool,
    /// Where the time comes from; the machine's clocks unless set.
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
            credentials_provider: None,
            role_arn: None,
            role_session_name: None,
            external_id: None,
            expires_in: MAX_EXPIRES_IN,
            timeout: DEFAULT_TIMEOUT,
            min_validity: None,
            align: Duration::ZERO,
            cache: true,
            advisory_window: DEFAULT_ADVISORY_WINDOW,
            mandatory_window: DEFAULT_MANDATORY_WINDOW,
            warn_hostname: true,
            clock: Arc::new(SystemClock),
        }
    }

    fn origin(&self) -> Result<Origin, Error> {
        let sources = [
            ("profile", self.profile.is_some()),
            ("credentials", self.credentials.is_some()),
            ("credentials_provider", self.credentials_provider.is_some()),
        ];
        let mut given = sources.iter().filter(|(_, given)| *given);
        if let (Some((field, _)), Some((other, _))) = (given.next(), given.next()) {
            return Err(Error::invalid(
                field,
                format!(
                    "expected one source of credentials; {} is given too",
                    other.replace('_', " ")
                ),
            ));
        }
        let base = match (&self.credentials, &self.credentials_provider) {
            (Some(credentials), _) => Base::Given(credentials.clone()),
            (None, Some(provider)) => Base::Provider(Arc::clone(provider)),
            (None, None) => Base::Chain(self.profile.clone()),
        };
        Ok(Origin {
            base,
            role: self.role()?,
        })
    }

    fn role(&self) -> Result<Option<Role>, Error> {
        let Some(arn) = &self.role_arn else {
            for (field, value) in [
                ("role_session_name", &self.role_session_name),
                ("external_id", &self.external_id),
            ] {
                if value.is_some() {
                    return Err(Error::invalid(
                        field,
                        "expected only together with a role's ARN",
                    ));
                }
            }
            return Ok(None);
        };
        if !arn.starts_with("arn:") || !arn.contains(":role/") || !is_printable(arn, 20, 2048) {
            return Err(Error::invalid(
                "role_arn",
                "expected the ARN of a role, such as arn:aws:iam::123456789012:role/app",
            ));
        }
        let session_name = self
            .role_session_name
            .as_deref()
            .unwrap_or(DEFAULT_ROLE_SESSION_NAME);
        let in_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
        if !is_printable(session_name, 2, 64) || !session_name.bytes().all(in_name) {
            return Err(Error::invalid(
                "role_session_name",
                "expected 2 to 64 characters out of letters, digits and _ + = , . @ -",
            ));
        }
        let in_id = |byte: u8| in_name(byte) || b":/".contains(&byte);
        if let Some(id) = &self.external_id
            && !(is_printable(id, 2, 1224) && id.bytes().all(in_id))
        {
            return Err(Error::invalid(
                "external_id",
                "expected 2 to 1224 characters out of letters, digits and _ + = , . @ : / -",
            ));
        }
        Ok(Some(Role {
            arn: arn.clone(),
            session_name: session_name.to_owned(),
            external_id: self.external_id.clone(),
        }))
    }
}

/// The limits are those of STS's `AssumeRole`.
fn is_printable(text: &str, shortest: usize, longest: usize) -> bool {
    (shortest..=longest).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A token to be handed out again.
struct Cached {
    token: Arc<AuthToken>,
    /// The same for each shard that has reused it, so that threads do not share a reference count.
    shared: [OnceLock<Arc<AuthToken>>; SHARDS],
    reused_before: Arc<AtomicU64>,
    held: Arc<Held>,
    /// When it was signed; `signing_time` is what it says of that.
    signed: Now,
    signing_time: SystemTime,
    /// Whether it has been handed out more than once.
    reused: AtomicBool,
    /// The clock's tick in which it was found to serve; 0 before the first.
    serves_in: AtomicU64,
}

/// Threads count, and hold references, on cache lines of their own. A power of two.
const SHARDS: usize = 8;

/// A thread's shard, the same in all signers.
fn shard() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static MINE: Cell<usize> = const { Cell::new(NONE) });
    const NONE: usize = SHARDS;
    MINE.with(|mine| {
        if mine.get() == NONE {
            mine.set(NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS);
        }
        mine.get()
    })
}

/// What a signer has done, from [`Signer::stats`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Tokens signed.
    pub signed: u64,
    /// Tokens handed out again.
    pub reused: u64,
    /// Fetches of credentials that succeeded, by all signers that share them.
    pub renewals: u64,
    /// Fetches of credentials that failed, by all signers that share them.
    pub failures: u64,
    /// The kind of the failure last met.
    pub last_error: Option<ErrorKind>,
    /// When the token signed last stops working; `None` before the first. Whole seconds.
    pub expires_at: Option<SystemTime>,
}

impl Signer {
    /// Checks the options. Looks for nothing yet: no file, variable or network is touched.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] naming the option.
    pub fn new(options: SignerOptions) -> Result<Self, Error> {
        let login = Login::new(&options.hostname, options.port, &options.username)?;
        let region = match &options.region {
            Some(name) => Some(Region::new(name)?),
            None => login.endpoint().region(),
        };
        if let Some(profile) = &options.profile
            && (profile.is_empty() || profile.len() > MAX_PROFILE || profile.contains('\0'))
        {
            return Err(Error::invalid(
                "profile",
                "expected the name of a profile, 1 to 1024 bytes without NUL",
            ));
        }
        if options.timeout.is_zero() || options.timeout > MAX_TIMEOUT {
            return Err(Error::invalid(
                "timeout",
                "expected more than 0 and at most an hour",
            ));
        }
        let windows = check_windows(&options)?;
        let expires_in = check_expires_in(options.expires_in)?;
        let (min_validity, align) = check_lifetimes(&options, expires_in)?;
        let origin = options.origin()?;
        let source = match (&origin.base, &origin.role) {
            (Base::Given(credentials), None) => {
                Source::given(credentials.clone(), options.clock.now())
            }
            _ => Source::shared(origin),
        };
        let warn_hostname = options.warn_hostname && !login.endpoint().is_rds();
        Ok(Self {
            login,
            region: ArcSwapOption::from_pointee(region),
            source,
            profile: options.profile,
            expires_in,
            timeout: options.timeout,
            min_validity,
            align,
            cache: options.cache,
            windows,
            clock: options.clock,
            cached: ArcSwapOption::const_empty(),
            signing: PerProcess::new(),
            warn_hostname: AtomicBool::new(warn_hostname),
            signed: AtomicU64::new(0),
            last_expires_at: AtomicU64::new(0),
            reused_before: Arc::default(),
        })
    }

    /// A token for the next login.
    ///
    /// Blocks while credentials are fetched, never longer than the timeout and 0.1 s. Usually it
    /// does not block at all: see [`cached_token`](Self::cached_token).
    ///
    /// While a renewal of the credentials fails, a token that is still valid is handed out, even
    /// with less than `min_validity` left; one that is not, never.
    ///
    /// # Errors
    /// [`ErrorKind`]'s `RegionNotFound`, `CredentialsNotFound`, `CredentialsFailed`,
    /// `CredentialsExpired` or `Timeout`.
    pub fn token(&self) -> Result<Arc<AuthToken>, Error> {
        match self.cached_token() {
            Some(token) => Ok(token),
            None => self.renew(),
        }
    }

    /// The token that [`token`](Self::token) would hand out without waiting for anything, if there
    /// is one: it takes no lock and makes no system call that blocks. For event loops.
    #[must_use]
    pub fn cached_token(&self) -> Option<Arc<AuthToken>> {
        self.with_cached_token(Arc::clone)
    }

    /// As [`cached_token`](Self::cached_token), for a look at the token without a share in it.
    #[must_use]
    pub fn with_cached_token<T>(&self, look: impl FnOnce(&Arc<AuthToken>) -> T) -> Option<T> {
        if !self.cache {
            return None;
        }
        let cached = self.cached.load();
        let cached = cached.as_ref()?;
        if !self.source.is_current(&cached.held) || !self.serves(cached) {
            return None;
        }
        Some(look(cached.hand_out_again()))
    }

    /// As [`cached_token`](Self::cached_token), and else one that is signed with credentials that
    /// are at hand, which takes microseconds: less than to pass the work to a thread. `None` if
    /// something would have to be waited for, or fails; [`token`](Self::token) tells what.
    #[must_use]
    pub fn token_at_once(&self) -> Option<Arc<AuthToken>> {
        if let Some(token) = self.cached_token() {
            return Some(token);
        }
        let region = self.region.load_full()?;
        let now = self.clock.now();
        let held = self.source.at_hand(now, self.windows, self.expires_in)?;
        if !self.cache {
            return self.sign_uncached(&held, &region, now).ok();
        }
        let signing = self.signing.get();
        let guard = match signing.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        self.sign_locked(guard, held, &region).ok()
    }

    /// As [`token`](Self::token), for a look at the token without a share in it.
    ///
    /// # Errors
    /// Those of [`token`](Self::token).
    pub fn with_token<T>(&self, mut look: impl FnMut(&AuthToken) -> T) -> Result<T, Error> {
        match self.with_cached_token(|token| look(token)) {
            Some(seen) => Ok(seen),
            None => self.renew().map(|token| look(&token)),
        }
    }

    /// Whether the token may be reused now. That is looked into once in a clock's tick: what holds
    /// now, and will hold a moment later too, holds until the tick is over.
    fn serves(&self, cached: &Cached) -> bool {
        // Before the clocks, so that a clock that is set meanwhile is noticed.
        let tick = self.clock.tick().map_or(0, NonZeroU64::get);
        if tick != 0 && cached.serves_in.load(Ordering::Relaxed) == tick {
            return true;
        }
        let serves = |now| {
            self.is_fresh(cached, now) && !self.source.is_due(&cached.held, now, self.windows)
        };
        let now = self.clock.now();
        if serves(now) {
            if serves(now.after(LONGEST_TICK)) {
                cached.serves_in.store(tick, Ordering::Relaxed);
            }
            return true;
        }
        false
    }

    fn is_fresh(&self, cached: &Cached, now: Now) -> bool {
        cached.left(now) >= self.min_validity.max(Duration::from_nanos(1))
            && cached.is_not_from_the_future(now)
            && (self.align.is_zero() || cached.signing_time == self.signing_time(now))
    }

    fn renew(&self) -> Result<Arc<AuthToken>, Error> {
        let start = self.clock.now();
        let result = self.region(start).and_then(|(region, now)| {
            let held = self.source.credentials(&Ask {
                clock: &*self.clock,
                windows: self.windows,
                start: now,
                timeout: self.timeout.saturating_sub(now.since(start)),
                outlive: self.expires_in,
                region: Some(&region),
            })?;
            self.sign(held, &region, now)
        });
        result.or_else(|error| self.still_valid().ok_or(error))
    }

    fn sign(&self, held: Arc<Held>, region: &Region, asked: Now) -> Result<Arc<AuthToken>, Error> {
        if !self.cache {
            return self.sign_uncached(&held, region, asked);
        }
        let signing = self.signing.get();
        let guard = signing.lock().unwrap_or_else(PoisonError::into_inner);
        self.sign_locked(guard, held, region)
    }

    fn sign_uncached(
        &self,
        held: &Held,
        region: &Region,
        now: Now,
    ) -> Result<Arc<AuthToken>, Error> {
        let token = self.presign(held, region, now)?;
        self.tell_of_signature();
        Ok(token)
    }

    /// Signs, unless another thread just has.
    fn sign_locked(
        &self,
        guard: MutexGuard<'_, ()>,
        held: Arc<Held>,
        region: &Region,
    ) -> Result<Arc<AuthToken>, Error> {
        let now = self.clock.now();
        if let Some(cached) = self.cached.load_full()
            && cached.held.generation == held.generation
            && self.is_fresh(&cached, now)
        {
            if Arc::ptr_eq(&cached.held, &held) {
                return Ok(Arc::clone(cached.hand_out_again()));
            }
            // The same credentials, seen again later: the token goes on with them.
            let cached = Arc::new(cached.with(held));
            self.cached.store(Some(Arc::clone(&cached)));
            return Ok(Arc::clone(cached.hand_out_again()));
        }
        let token = self.presign(&held, region, now)?;
        let signing_time = self.signing_time(now);
        let count = Arc::clone(&self.reused_before);
        let cached = Cached::new(Arc::clone(&token), count, held, now, signing_time);
        self.cached.store(Some(Arc::new(cached)));
        drop(guard);
        self.tell_of_signature();
        Ok(token)
    }

    fn presign(&self, held: &Held, region: &Region, now: Now) -> Result<Arc<AuthToken>, Error> {
        let signing_time = self.signing_time(now);
        let token = held.presign(&self.login, region, signing_time, self.expires_in)?;
        if token.expires_at() <= now.wall {
            return Err(Error::new(
                ErrorKind::CredentialsExpired,
                "the credentials expire before a token could be used",
            ));
        }
        self.signed.fetch_add(1, Ordering::Relaxed);
        self.last_expires_at
            .store(unix_seconds(token.expires_at()), Ordering::Relaxed);
        Ok(Arc::new(token))
    }

    fn tell_of_signature(&self) {
        log::debug!(target: "rdstoken", "token signed for {}", self.login.endpoint());
        if self.warn_hostname.load(Ordering::Relaxed)
            && self.warn_hostname.swap(false, Ordering::Relaxed)
        {
            log::warn!(
                target: "rdstoken",
                "{} is not an RDS endpoint's name; Aurora and RDS refuse tokens that are signed for \
                 another name than theirs",
                self.login.endpoint().hostname()
            );
        }
    }

    /// Stale beats nothing: the cached token, if it is not dead and was not taken back.
    fn still_valid(&self) -> Option<Arc<AuthToken>> {
        let cached = self.cached.load_full().filter(|_| self.cache)?;
        let now = self.clock.now();
        (!cached.left(now).is_zero() && cached.is_not_from_the_future(now))
            .then(|| Arc::clone(cached.hand_out_again()))
    }

    /// The region, and the time when it was there.
    fn region(&self, start: Now) -> Result<(Arc<Region>, Now), Error> {
        if let Some(region) = self.region.load_full() {
            return Ok((region, start));
        }
        let region = Arc::new(chain::region(self.profile.as_deref(), self.timeout)?);
        self.region.store(Some(Arc::clone(&region)));
        Ok((region, self.clock.now()))
    }

    /// Now, or the last multiple of `align`.
    fn signing_time(&self, now: Now) -> SystemTime {
        let align = self.align.as_secs();
        if align == 0 {
            return now.wall;
        }
        let seconds = unix_seconds(now.wall);
        UNIX_EPOCH + Duration::from_secs(seconds - seconds % align)
    }

    /// A connection string with a token for the next login; see [`connection_string`]. Blocks and
    /// fails as [`token`](Self::token) does too.
    ///
    /// # Errors
    /// Those of [`connection_string`] and [`token`](Self::token).
    pub fn connection_string(
        &self,
        options: &ConnectionOptions<'_>,
    ) -> Result<ConnectionString, Error> {
        // What is wrong with the options is told without waiting for credentials, or lacking them.
        connection_string(&self.login, "", options)?;
        connection_string(&self.login, self.token()?.value(), options)
    }

    /// Tells the signer that the server refused a login with this `token` because of the password,
    /// and answers whether to try once more, with a fresh one.
    ///
    /// True if the token had been handed out before: it may have died since, for example because
    /// its credentials were revoked. It is forgotten, so that the next call signs a new one.
    /// False if it came fresh from signing, because the next would be refused as well; if the next
    /// would be the same, within the same second or period of [`SignerOptions::align`]; if tokens
    /// are not reused at all; or if it is for another login.
    #[must_use]
    pub fn refused(&self, token: &str) -> bool {
        if !self.cache || !token.starts_with(self.login.prefix()) {
            return false;
        }
        match self.cached.load_full() {
            // Compared in plain time: both are in the caller's hands already.
            Some(cached) if cached.token.value() == token => {
                let reused = cached.reused.load(Ordering::Relaxed);
                if reused {
                    self.invalidate();
                }
                reused && !self.would_repeat(&cached)
            }
            // Another thread, whose login was refused too, has forgotten or renewed it.
            _ => true,
        }
    }

    /// Whether signing now would make the same token: time counts in seconds.
    fn would_repeat(&self, cached: &Cached) -> bool {
        let signing_time = self.signing_time(self.clock.now());
        unix_seconds(signing_time) == unix_seconds(cached.signing_time)
            && self.source.is_current(&cached.held)
    }

    /// Forgets the token, so that the next call signs a new one: for the one retry after a login
    /// was refused with a token that had been handed out before.
    pub fn invalidate(&self) {
        self.cached.store(None);
    }

    /// Forgets the token and the credentials that signed it, for all signers that share them, so
    /// that the next call fetches new ones.
    pub fn invalidate_credentials(&self) {
        if let Some(cached) = self.cached.swap(None) {
            self.source.invalidate(cached.held.generation);
        } else {
            self.source.invalidate_current();
        }
    }

    /// When the token signed last stops working; `None` before the first. Whole seconds.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        match self.last_expires_at.load(Ordering::Relaxed) {
            0 => None,
            seconds => Some(UNIX_EPOCH + Duration::from_secs(seconds)),
        }
    }

    /// What has been done so far. The numbers are counted apart and so may be a call or two out of
    /// step with each other.
    #[must_use]
    pub fn stats(&self) -> Stats {
        // Held while the other number is read, so that nothing is counted twice.
        let cached = self.cached.load();
        let at_hand = cached.as_ref().map_or(0, |cached| cached.hand_outs());
        Stats {
            signed: self.signed.load(Ordering::Relaxed),
            reused: at_hand + self.reused_before.load(Ordering::Relaxed),
            renewals: self.source.renewals(),
            failures: self.source.failures(),
            last_error: self.source.last_error(),
            expires_at: self.expires_at(),
        }
    }

    /// What the tokens let in.
    #[must_use]
    pub fn login(&self) -> &Login {
        &self.login
    }
}

impl Cached {
    fn new(
        token: Arc<AuthToken>,
        reused_before: Arc<AtomicU64>,
        held: Arc<Held>,
        signed: Now,
        signing_time: SystemTime,
    ) -> Self {
        Self {
            token,
            shared: Default::default(),
            reused_before,
            held,
            signed,
            signing_time,
            reused: AtomicBool::new(false),
            serves_in: AtomicU64::new(0),
        }
    }

    fn with(&self, held: Arc<Held>) -> Self {
        Self::new(
            Arc::clone(&self.token),
            Arc::clone(&self.reused_before),
            held,
            self.signed,
            self.signing_time,
        )
    }

    fn hand_out_again(&self) -> &Arc<AuthToken> {
        let token = self.shared[shard()].get_or_init(|| Arc::new(self.token.sharing_text()));
        token.count();
        // Written once: a write at each call would take the line from the other threads.
        if !self.reused.load(Ordering::Relaxed) {
            self.reused.store(true, Ordering::Relaxed);
        }
        token
    }

    fn hand_outs(&self) -> u64 {
        let shared = self.shared.iter().filter_map(OnceLock::get);
        shared.map(|token| token.hand_outs()).sum()
    }

    fn left(&self, now: Now) -> Duration {
        now.left_until(self.token.expires_at(), self.signed)
    }

    /// The wall clock has not been set back behind the signature.
    fn is_not_from_the_future(&self, now: Now) -> bool {
        now.wall >= self.signed.wall
    }
}

/// When nobody looks at it any more, so that no count is lost.
impl Drop for Cached {
    fn drop(&mut self) {
        self.reused_before
            .fetch_add(self.hand_outs(), Ordering::Relaxed);
    }
}

fn check_windows(options: &SignerOptions) -> Result<Windows, Error> {
    let windows = Windows {
        advisory: options.advisory_window,
        mandatory: options.mandatory_window,
    };
    if windows.advisory > MAX_WINDOW {
        return Err(Error::invalid(
            "advisory_window",
            "expected at most 12 hours",
        ));
    }
    if windows.mandatory > windows.advisory {
        return Err(Error::invalid(
            "mandatory_window",
            "expected no more than the advisory window",
        ));
    }
    Ok(windows)
}

fn check_lifetimes(
    options: &SignerOptions,
    expires_in: Duration,
) -> Result<(Duration, Duration), Error> {
    let align = Duration::from_secs(options.align.as_secs());
    if align > MAX_ALIGN {
        return Err(Error::invalid("align", "expected 0 to 600 seconds"));
    }
    let second = Duration::from_secs(1);
    let min_validity = options
        .min_validity
        .unwrap_or_else(|| DEFAULT_MIN_VALIDITY.min(expires_in.saturating_sub(second)));
    if min_validity >= expires_in {
        return Err(Error::invalid(
            "min_validity",
            "expected 0 to 899 seconds, and less than the tokens live",
        ));
    }
    if !align.is_zero() && expires_in.saturating_sub(align) < min_validity.max(second) {
        return Err(Error::invalid(
            "align",
            "expected so little that a token still has its minimum validity at the end of a period",
        ));
    }
    Ok((min_validity, align))
}

fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
