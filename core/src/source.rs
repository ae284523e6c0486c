//! Credentials that are there: fetched once for all who share them, and renewed in time.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::process;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwapOption;

use crate::chain::{self, Origin};
use crate::process::PerProcess;
use crate::{AuthToken, Clock, Credentials, Error, ErrorKind, Login, Now, Region, SigningKey};

/// When credentials are renewed before they expire, as in botocore.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Windows {
    /// So long before the expiry, one caller renews and the others use what is there.
    pub(crate) advisory: Duration,
    /// So long before the expiry, all wait for the renewal.
    pub(crate) mandatory: Duration,
}

/// Credentials that tell no expiry are looked at again after this time, so that an edited file is
/// seen.
pub(crate) const RECHECK: Duration = Duration::from_secs(900);

/// After a renewal that brought nothing: this long, doubled each time, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// One set of credentials, shared by the signers that have it in common.
pub(crate) struct Source {
    origin: Origin,
    current: ArcSwapOption<Held>,
    /// That of `current`; 0 before the first. A look at it costs one load.
    generation: AtomicU64,
    /// By the boot clock, in milliseconds; before it no renewal is tried.
    not_before: AtomicU64,
    renewals: AtomicU64,
    failures: AtomicU64,
    last_error: AtomicU8,
    shared: PerProcess<Shared>,
}

/// Credentials, and when they were got.
pub(crate) struct Held {
    pub(crate) credentials: Credentials,
    pub(crate) generation: u64,
    seen: Now,
    /// Whether to look again although they tell no expiry.
    may_change: bool,
    /// Spreads the renewals of many processes: 0 to 1, of a fifth of the advisory window.
    jitter: f64,
    /// The signing keys of one day, one for each region. They go with the credentials.
    keys: ArcSwapOption<Vec<Arc<SigningKey>>>,
}

/// How much a caller wants a renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Urgency {
    No,
    Advisory,
    Mandatory,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    renewed: Condvar,
}

#[derive(Default)]
struct State {
    in_flight: bool,
    /// By the boot clock.
    last_attempt: Duration,
    /// Renewals in a row that brought nothing.
    fruitless: u32,
    failure: Option<Failure>,
}

#[derive(Clone)]
struct Failure {
    error: Error,
    /// How long the caller that met it was ready to wait.
    patience: Duration,
}

/// Who asks, and for what.
pub(crate) struct Ask<'a> {
    pub(crate) clock: &'a dyn Clock,
    pub(crate) windows: Windows,
    /// When it was asked.
    pub(crate) start: Now,
    /// The caller's deadline, from `start`.
    pub(crate) timeout: Duration,
    /// The caller is going to sign a token for this long, which the credentials should outlive.
    pub(crate) outlive: Duration,
    /// The region to assume roles in where the environment and the profile name none.
    pub(crate) region: Option<&'a Region>,
}

impl Source {
    fn new(origin: Origin) -> Self {
        Self {
            origin,
            current: ArcSwapOption::const_empty(),
            generation: AtomicU64::new(0),
            not_before: AtomicU64::new(0),
            renewals: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            last_error: AtomicU8::new(0),
            shared: PerProcess::new(),
        }
    }

    /// A source of credentials that are at hand, and that is never asked for others.
    pub(crate) fn given(credentials: Credentials, now: Now) -> Arc<Self> {
        let source = Self::new(Origin::given(credentials.clone()));
        source.current.store(Some(Arc::new(Held {
            credentials,
            generation: 1,
            seen: now,
            may_change: false,
            jitter: 0.0,
            keys: ArcSwapOption::const_empty(),
        })));
        source.generation.store(1, Ordering::Release);
        Arc::new(source)
    }

    /// The source for `origin`: the one that other signers of this process use already, if it
    /// has a name to know it by.
    pub(crate) fn shared(origin: Origin) -> Arc<Self> {
        static REGISTRY: PerProcess<Mutex<HashMap<String, Weak<Source>>>> = PerProcess::new();
        let Some(key) = origin.key() else {
            return Arc::new(Self::new(origin));
        };
        let registry = REGISTRY.get();
        let mut sources = registry.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(source) = sources.get(&key).and_then(Weak::upgrade) {
            return source;
        }
        sources.retain(|_, source| source.strong_count() > 0);
        let source = Arc::new(Self::new(origin));
        sources.insert(key, Arc::downgrade(&source));
        source
    }

    /// Whether credentials of this generation are still the ones.
    pub(crate) fn is_current(&self, held: &Held) -> bool {
        self.generation.load(Ordering::Acquire) == held.generation
    }

    /// Whether a renewal of these credentials is due.
    pub(crate) fn is_due(&self, held: &Held, now: Now, windows: Windows) -> bool {
        held.urgency(now, windows, Duration::ZERO) != Urgency::No
            && milliseconds(now.boot) >= self.not_before.load(Ordering::Relaxed)
    }

    /// Credentials that need no renewal, if they are there.
    pub(crate) fn at_hand(
        &self,
        now: Now,
        windows: Windows,
        outlive: Duration,
    ) -> Option<Arc<Held>> {
        let current = self.current.load();
        current
            .as_ref()
            .filter(|held| held.urgency(now, windows, outlive) == Urgency::No)
            .map(Arc::clone)
    }

    /// Credentials that are not expired, renewed if they had better be.
    pub(crate) fn credentials(&self, ask: &Ask<'_>) -> Result<Arc<Held>, Error> {
        if let Some(held) = self.at_hand(ask.start, ask.windows, ask.outlive) {
            return Ok(held);
        }
        let shared = self.shared.get();
        let mut waited_out = false;
        loop {
            let mut state = shared.lock();
            let now = ask.clock.now();
            let held = self.current.load_full();
            let urgency = held.as_ref().map_or(Urgency::Mandatory, |held| {
                held.urgency(now, ask.windows, ask.outlive)
            });
            let alive = held.filter(|held| !held.left(now).is_zero());
            let left = if waited_out {
                Duration::ZERO
            } else {
                ask.timeout.saturating_sub(now.since(ask.start))
            };
            match alive {
                Some(held) if urgency == Urgency::No => return Ok(held),
                Some(held) if urgency == Urgency::Advisory && state.in_flight => return Ok(held),
                alive if left.is_zero() => return alive.ok_or_else(|| waited_too_long(ask)),
                _ if state.in_flight => {
                    waited_out = shared.wait(state, left);
                }
                alive => {
                    if let Some(reason) = self.pause_reason(&state, now, urgency, left) {
                        return alive.ok_or(reason);
                    }
                    state.in_flight = true;
                    state.last_attempt = now.boot;
                    drop(state);
                    let landing = Landing { shared: &shared };
                    let fetched = chain::fetch(&self.origin, ask.region, left);
                    return self.land(landing, fetched, alive, ask.clock.now(), left);
                }
            }
        }
    }

    /// Why no renewal is tried now, if so: what came of the one before.
    fn pause_reason(
        &self,
        state: &State,
        now: Now,
        urgency: Urgency,
        left: Duration,
    ) -> Option<Error> {
        if milliseconds(now.boot) >= self.not_before.load(Ordering::Relaxed) {
            return None;
        }
        match &state.failure {
            // Another caller gave up on it sooner than we have to.
            Some(failure)
                if failure.error.kind() == ErrorKind::Timeout && failure.patience < left =>
            {
                None
            }
            Some(failure) => Some(failure.error.clone()),
            // The source answers, but with what we have. When it is urgent, ask again soon.
            None if urgency == Urgency::Mandatory
                && now.boot >= state.last_attempt + FIRST_PAUSE =>
            {
                None
            }
            None => Some(given_expired()),
        }
    }

    /// Records how a renewal ended and answers the one who made it.
    fn land(
        &self,
        landing: Landing<'_>,
        fetched: Result<Credentials, Error>,
        alive: Option<Arc<Held>>,
        now: Now,
        patience: Duration,
    ) -> Result<Arc<Held>, Error> {
        match fetched {
            Ok(credentials) => {
                self.renewals.fetch_add(1, Ordering::Relaxed);
                let held = self.hold(&landing, credentials, now);
                // Before anything is logged: whoever reads the log may ask for a token itself.
                drop(landing);
                log::debug!(target: "rdstoken", "credentials renewed");
                if held.left(now).is_zero() {
                    return Err(given_expired());
                }
                Ok(held)
            }
            Err(error) => {
                self.failures.fetch_add(1, Ordering::Relaxed);
                self.last_error
                    .store(error.kind().number(), Ordering::Relaxed);
                let mut state = landing.shared.lock();
                state.fruitless += 1;
                self.pause_after(now, pause(state.fruitless));
                state.failure = Some(Failure {
                    error: error.clone(),
                    patience,
                });
                drop(state);
                drop(landing);
                // The caller is told the error, or else the log.
                match alive {
                    Some(_) => log::warn!(
                        target: "rdstoken",
                        "no renewal of the credentials, those at hand serve meanwhile: {error}"
                    ),
                    None => log::debug!(target: "rdstoken", "no credentials: {error}"),
                }
                alive.ok_or(error)
            }
        }
    }

    /// Makes fetched credentials the current ones.
    fn hold(&self, landing: &Landing<'_>, credentials: Credentials, now: Now) -> Arc<Held> {
        let mut state = landing.shared.lock();
        let same = self
            .current
            .load_full()
            .filter(|held| held.credentials.are_the_same(&credentials));
        let generation = match &same {
            Some(held) => held.generation,
            None => self.generation.load(Ordering::Acquire) + 1,
        };
        let held = Arc::new(Held {
            credentials,
            generation,
            seen: now,
            may_change: true,
            jitter: random_fraction(now),
            keys: ArcSwapOption::const_empty(),
        });
        state.failure = None;
        if held.left(now).is_zero() || same.is_some() && held.credentials.expires_at().is_some() {
            state.fruitless += 1;
            self.pause_after(now, pause(state.fruitless));
        } else {
            state.fruitless = 0;
            self.not_before.store(0, Ordering::Relaxed);
        }
        self.current.store(Some(Arc::clone(&held)));
        self.generation.store(generation, Ordering::Release);
        held
    }

    /// With jitter, so that the processes of a fleet do not come back as one.
    fn pause_after(&self, now: Now, pause: Duration) {
        let jittered = pause.mul_f64(1.0 - 0.25 * random_fraction(now));
        self.not_before
            .store(milliseconds(now.boot + jittered), Ordering::Relaxed);
    }

    /// Forgets the credentials of this generation, unless they have been replaced already.
    pub(crate) fn invalidate(&self, generation: u64) {
        let shared = self.shared.get();
        let state = shared.lock();
        if self.generation.load(Ordering::Acquire) == generation {
            self.current.store(None);
            self.generation.store(generation + 1, Ordering::Release);
            self.not_before.store(0, Ordering::Relaxed);
        }
        drop(state);
    }

    /// Forgets whatever credentials there are.
    pub(crate) fn invalidate_current(&self) {
        self.invalidate(self.generation.load(Ordering::Acquire));
    }

    pub(crate) fn renewals(&self) -> u64 {
        self.renewals.load(Ordering::Relaxed)
    }

    pub(crate) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    pub(crate) fn last_error(&self) -> Option<ErrorKind> {
        ErrorKind::from_number(self.last_error.load(Ordering::Relaxed))
    }
}

impl Held {
    /// Signs, with the day's key if it is at hand.
    pub(crate) fn presign(
        &self,
        login: &Login,
        region: &Region,
        signing_time: SystemTime,
        expires_in: Duration,
    ) -> Result<AuthToken, Error> {
        let keys = self.keys.load();
        let keys = keys.as_ref().map_or(&[][..], |keys| &keys[..]);
        if let Some(key) = keys.iter().find(|key| key.fits(region, signing_time)) {
            return key.presign(login, signing_time, expires_in);
        }
        let key = Arc::new(SigningKey::derive(&self.credentials, region, signing_time)?);
        let token = key.presign(login, signing_time, expires_in)?;
        // If two do this at once, one of the keys is derived again.
        let others = keys.iter().filter(|other| other.is_as_old_as(&key));
        let kept = others.chain([&key]).cloned().collect();
        self.keys.store(Some(Arc::new(kept)));
        Ok(token)
    }

    /// What is left of the credentials; without an expiry, as good as for ever.
    pub(crate) fn left(&self, now: Now) -> Duration {
        match self.credentials.expires_at() {
            Some(end) => now.left_until(end, self.seen),
            None => Duration::MAX,
        }
    }

    fn urgency(&self, now: Now, windows: Windows, outlive: Duration) -> Urgency {
        if self.credentials.expires_at().is_none() {
            return if self.may_change && now.since(self.seen) >= RECHECK {
                Urgency::Advisory
            } else {
                Urgency::No
            };
        }
        let left = self.left(now);
        let early = windows.advisory.mul_f64(1.0 + 0.2 * self.jitter);
        if left <= windows.mandatory {
            Urgency::Mandatory
        } else if left <= early || left < outlive {
            Urgency::Advisory
        } else {
            Urgency::No
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a renewal to end. Says whether it took too long.
    fn wait(&self, state: MutexGuard<'_, State>, longest: Duration) -> bool {
        match self.renewed.wait_timeout(state, longest) {
            Ok((_, waited)) => waited.timed_out(),
            Err(poisoned) => poisoned.into_inner().1.timed_out(),
        }
    }
}

/// Says that a renewal is over, also when it panics.
struct Landing<'a> {
    shared: &'a Shared,
}

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        self.shared.lock().in_flight = false;
        self.shared.renewed.notify_all();
    }
}

fn pause(fruitless: u32) -> Duration {
    let doublings = fruitless.saturating_sub(1).min(6);
    (FIRST_PAUSE * 2_u32.pow(doublings)).min(LONGEST_PAUSE)
}

fn waited_too_long(ask: &Ask<'_>) -> Error {
    Error::new(
        ErrorKind::Timeout,
        format!(
            "no credentials within {} s: another caller's renewal is still under way",
            ask.timeout.as_secs_f64()
        ),
    )
}

fn given_expired() -> Error {
    Error::new(
        ErrorKind::CredentialsExpired,
        "the credentials have expired, and their source gives no others",
    )
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// 0 to 1; not the same in a process and its forks.
fn random_fraction(now: Now) -> f64 {
    let bits = RandomState::new().hash_one((process::id(), now.boot));
    f64::from(u32::try_from(bits >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}
