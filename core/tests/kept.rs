//! What a signer keeps between calls to be quick: the day's signing key, the outcome of its last look
//! at the clocks, and a token that the server may come to refuse.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests may fail as a test does"
)]

use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rdstoken::{Clock, Credentials, Now, PresignRequest, Signer, SignerOptions, presign};

const HOST: &str = "db.example.com";
/// Ten minutes before a midnight.
const START: u64 = 1_767_225_600 - 600;

/// Counts how often both clocks are looked at.
#[derive(Default)]
struct TestClock {
    milliseconds: AtomicU64,
    tick: AtomicU64,
    looks: AtomicU64,
}

impl TestClock {
    /// The clocks go on; the tick does if told so.
    fn go_on(&self, milliseconds: u64, ticks: u64) {
        self.milliseconds.fetch_add(milliseconds, Ordering::Relaxed);
        self.tick.fetch_add(ticks, Ordering::Relaxed);
    }

    fn wall(&self) -> SystemTime {
        let since = Duration::from_millis(self.milliseconds.load(Ordering::Relaxed));
        UNIX_EPOCH + Duration::from_secs(START) + since
    }

    /// Looks since the last call.
    fn looks(&self) -> u64 {
        self.looks.swap(0, Ordering::Relaxed)
    }
}

impl Clock for TestClock {
    fn now(&self) -> Now {
        self.looks.fetch_add(1, Ordering::Relaxed);
        Now {
            wall: self.wall(),
            boot: Duration::from_millis(self.milliseconds.load(Ordering::Relaxed)),
        }
    }

    fn tick(&self) -> Option<NonZeroU64> {
        NonZeroU64::new(self.tick.load(Ordering::Relaxed))
    }
}

fn credentials() -> Credentials {
    Credentials::new("ASIAEXAMPLE", "secret", Some("session/token+=")).unwrap()
}

fn options(clock: &Arc<TestClock>) -> SignerOptions {
    let mut options = SignerOptions::new(HOST, 5432, "app");
    options.credentials = Some(credentials());
    options.region = Some("us-east-1".to_owned());
    options.warn_hostname = false;
    options.clock = clock.clone();
    options
}

#[test]
fn within_a_tick_the_clocks_are_looked_at_once() {
    let clock = Arc::new(TestClock::default());
    clock.go_on(0, 1);
    let signer = Signer::new(options(&clock)).unwrap();
    let token = signer.token().unwrap();
    signer.cached_token().unwrap();
    clock.looks();
    for _ in 0..10 {
        assert_eq!(signer.cached_token().unwrap().value(), token.value());
    }
    assert_eq!(clock.looks(), 0);
    clock.go_on(4, 1);
    signer.cached_token().unwrap();
    signer.cached_token().unwrap();
    assert_eq!(clock.looks(), 1);
}

#[test]
fn without_ticks_the_clocks_are_looked_at_each_time() {
    let clock = Arc::new(TestClock::default());
    let signer = Signer::new(options(&clock)).unwrap();
    signer.token().unwrap();
    clock.looks();
    for _ in 0..10 {
        signer.cached_token().unwrap();
    }
    assert_eq!(clock.looks(), 10);
}

#[test]
fn a_tick_does_not_prolong_a_token() {
    let clock = Arc::new(TestClock::default());
    clock.go_on(0, 1);
    let mut options = options(&clock);
    options.min_validity = Some(Duration::ZERO);
    let signer = Signer::new(options).unwrap();
    signer.token().unwrap();
    // Fifty milliseconds before its end the token still serves, but not for the whole tick.
    clock.go_on(899_950, 1);
    assert!(signer.cached_token().is_some());
    clock.go_on(60, 0);
    assert!(signer.cached_token().is_none());
}

#[test]
fn a_clock_that_is_set_back_is_noticed() {
    let clock = Arc::new(TestClock::default());
    clock.go_on(10_000, 1);
    let signer = Signer::new(options(&clock)).unwrap();
    signer.token().unwrap();
    assert!(signer.cached_token().is_some());
    clock.milliseconds.store(0, Ordering::Relaxed);
    clock.tick.store(7, Ordering::Relaxed);
    assert!(signer.cached_token().is_none());
}

#[test]
fn what_is_forgotten_is_not_kept_for_the_tick() {
    let clock = Arc::new(TestClock::default());
    clock.go_on(0, 1);
    let signer = Signer::new(options(&clock)).unwrap();
    signer.token().unwrap();
    assert!(signer.cached_token().is_some());
    signer.invalidate();
    assert!(signer.cached_token().is_none());
    signer.token().unwrap();
    assert!(signer.cached_token().is_some());
    signer.invalidate_credentials();
    assert!(signer.cached_token().is_none());
}

#[test]
fn the_key_is_the_days() {
    let clock = Arc::new(TestClock::default());
    let mut options = options(&clock);
    options.cache = false;
    let signer = Signer::new(options).unwrap();
    let credentials = credentials();
    for _ in 0..4 {
        // Twice on each side of midnight.
        let expected = presign(&PresignRequest {
            hostname: HOST,
            port: 5432,
            username: "app",
            region: Some("us-east-1"),
            credentials: &credentials,
            signing_time: clock.wall(),
            expires_in: Duration::from_secs(900),
        });
        assert_eq!(signer.token().unwrap().value(), expected.unwrap().value());
        clock.go_on(350_000, 1);
    }
}

#[test]
fn a_fresh_token_that_is_refused_is_no_reason_to_try_again() {
    let clock = Arc::new(TestClock::default());
    let signer = Signer::new(options(&clock)).unwrap();
    let token = signer.token().unwrap();
    clock.go_on(1000, 1);
    assert!(!signer.refused(token.value()));
    // It stays: whoever gets it next may try once more.
    let again = signer.token().unwrap();
    assert_eq!(again.value(), token.value());
    assert_eq!(signer.stats().signed, 1);
    assert!(signer.refused(token.value()));
    // Others who hold it may try again too; all of them get the next one.
    assert!(signer.refused(token.value()));
    drop(signer.token().unwrap());
    assert_eq!(signer.stats().signed, 2);
}

#[test]
fn the_same_token_again_is_no_reason_to_try_again() {
    for (align, same, other) in [(0, 999, 1), (300, 299_999, 1)] {
        let clock = Arc::new(TestClock::default());
        let mut options = options(&clock);
        options.align = Duration::from_secs(align);
        let signer = Signer::new(options).unwrap();
        let token = signer.token().unwrap();
        drop(signer.token().unwrap());
        clock.go_on(same, 1);
        assert!(!signer.refused(token.value()));
        // It is forgotten all the same, for who tries again later.
        clock.go_on(other, 1);
        assert_ne!(signer.token().unwrap().value(), token.value());
    }
}

#[test]
fn a_token_that_is_none_of_the_signers_is_no_reason_to_try_again() {
    let clock = Arc::new(TestClock::default());
    let mut others = options(&clock);
    others.username = "other".to_owned();
    let other = Signer::new(others).unwrap();
    let signer = Signer::new(options(&clock)).unwrap();
    drop(signer.token().unwrap());
    drop(signer.token().unwrap());
    clock.go_on(1000, 1);
    assert!(!signer.refused(other.token().unwrap().value()));
    assert!(!signer.refused(""));
    drop(signer.token().unwrap());
    assert_eq!(signer.stats().signed, 1);
}

#[test]
fn without_a_cache_nothing_is_tried_again() {
    let clock = Arc::new(TestClock::default());
    let mut options = options(&clock);
    options.cache = false;
    let signer = Signer::new(options).unwrap();
    let token = signer.token().unwrap();
    drop(signer.token().unwrap());
    clock.go_on(1000, 1);
    assert!(!signer.refused(token.value()));
}
