//! How long tokens and credentials live: a simulated clock, and a provider that does as it is told.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests may fail as a test does"
)]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rdstoken::{
    AuthToken, Clock, Credentials, CredentialsProvider, Error, ErrorKind, Now, Signer,
    SignerOptions,
};

const HOST: &str = "mydb.cluster-abc123.us-east-1.rds.amazonaws.com";
const START: u64 = 1_767_225_600;

/// Both clocks, in milliseconds since the start.
#[derive(Default)]
struct SimulatedClock {
    wall: AtomicU64,
    boot: AtomicU64,
}

impl SimulatedClock {
    fn pass(&self, milliseconds: u64) {
        self.wall.fetch_add(milliseconds, Ordering::SeqCst);
        self.boot.fetch_add(milliseconds, Ordering::SeqCst);
    }

    /// Somebody sets the wall clock; no time passes.
    fn set_wall(&self, seconds: u64) {
        self.wall.store(seconds * 1000, Ordering::SeqCst);
    }

    fn wall(&self) -> SystemTime {
        self.now().wall
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Now {
        let wall = Duration::from_millis(self.wall.load(Ordering::SeqCst));
        Now {
            wall: UNIX_EPOCH + Duration::from_secs(START) + wall,
            boot: Duration::from_millis(self.boot.load(Ordering::SeqCst)),
        }
    }
}

fn after(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(START + seconds)
}

/// Credentials with a new access key id at each fetch.
struct Provider {
    clock: Arc<SimulatedClock>,
    /// Seconds that the credentials live; `None` for ever.
    life: Mutex<Option<u64>>,
    /// The same credentials again and again, as instance metadata does for hours.
    same: AtomicBool,
    last: Mutex<Option<Credentials>>,
    fails: AtomicBool,
    takes: Mutex<Duration>,
    fetches: AtomicU64,
}

impl Provider {
    fn new(clock: &Arc<SimulatedClock>, life: Option<u64>) -> Arc<Self> {
        Arc::new(Self {
            clock: Arc::clone(clock),
            life: Mutex::new(life),
            same: AtomicBool::new(false),
            last: Mutex::new(None),
            fails: AtomicBool::new(false),
            takes: Mutex::new(Duration::ZERO),
            fetches: AtomicU64::new(0),
        })
    }

    fn fetches(&self) -> u64 {
        self.fetches.load(Ordering::SeqCst)
    }

    fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }

    fn take(&self, milliseconds: u64) {
        *self.takes.lock().unwrap() = Duration::from_millis(milliseconds);
    }
}

impl CredentialsProvider for Provider {
    fn credentials(&self) -> Result<Credentials, Error> {
        let count = self.fetches.fetch_add(1, Ordering::SeqCst);
        let takes = *self.takes.lock().unwrap();
        thread::sleep(takes);
        if self.fails.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::CredentialsFailed, "told to fail"));
        }
        let mut last = self.last.lock().unwrap();
        if let (true, Some(same)) = (self.same.load(Ordering::SeqCst), &*last) {
            return Ok(same.clone());
        }
        let mut credentials = Credentials::new(&format!("AKID{count}"), "secret", None)?;
        if let Some(life) = *self.life.lock().unwrap() {
            credentials = credentials.expiring_at(self.clock.wall() + Duration::from_secs(life));
        }
        *last = Some(credentials.clone());
        Ok(credentials)
    }
}

struct Bench {
    clock: Arc<SimulatedClock>,
    provider: Arc<Provider>,
}

impl Bench {
    fn new(life: Option<u64>) -> Self {
        let clock = Arc::new(SimulatedClock::default());
        let provider = Provider::new(&clock, life);
        Self { clock, provider }
    }

    fn options(&self) -> SignerOptions {
        let mut options = SignerOptions::new(HOST, 5432, "app");
        let provider: Arc<dyn CredentialsProvider> = self.provider.clone();
        options.credentials_provider = Some(provider);
        options.clock = self.clock.clone();
        options
    }

    fn signer(&self) -> Signer {
        self.signer_with(|_| ())
    }

    fn signer_with(&self, change: impl FnOnce(&mut SignerOptions)) -> Signer {
        let mut options = self.options();
        change(&mut options);
        Signer::new(options).unwrap()
    }

    fn refused_field(&self, change: impl FnOnce(&mut SignerOptions)) -> Option<&'static str> {
        let mut options = self.options();
        change(&mut options);
        Signer::new(options).err().and_then(|error| error.field())
    }
}

fn key_id(token: &AuthToken) -> &str {
    let (_, rest) = token.value().split_once("X-Amz-Credential=").unwrap();
    rest.split_once("%2F").unwrap().0
}

fn signed_at(token: &AuthToken) -> &str {
    let (_, rest) = token.value().split_once("X-Amz-Date=").unwrap();
    rest.split_once('&').unwrap().0
}

/// Every token that is handed out over a day, by 100 signers that ask every five seconds.
fn simulate_a_day(stagger: bool) -> u64 {
    let bench = Bench::new(Some(3600));
    let signers: Vec<Signer> = (0..100).map(|_| bench.signer()).collect();
    let min_validity = Duration::from_secs(60);
    for step in 0..86_400 / 5 {
        for (number, signer) in signers.iter().enumerate() {
            // Staggered: the signers begin one after the other, over a token's life.
            if stagger && step * 5 < number * 8 {
                continue;
            }
            let token = signer.token().unwrap();
            let left = token.expires_at().duration_since(bench.clock.wall());
            assert!(left.unwrap() >= min_validity);
        }
        bench.clock.pass(5000);
    }
    for signer in &signers {
        let stats = signer.stats();
        assert_eq!(stats.renewals, bench.provider.fetches());
        assert_eq!((stats.failures, stats.last_error), (0, None));
        assert!(stats.signed < 150, "{} tokens signed", stats.signed);
        assert!(stats.reused > 16_000);
    }
    bench.provider.fetches()
}

#[test]
fn a_day_of_hourly_credentials() {
    // In step: all sign at 0, 845, 1690 and 2535 s, when the credentials still outlive the token,
    // and the advisory window opens at 3240 to 3300 s. 86,400 s hold 26 such periods.
    assert_eq!(simulate_a_day(false), 1 + 26);
    // Staggered: some signer signs at every moment, and the first that does within the last 900 s
    // of the credentials renews them, at 2,700 s. Then all sign anew and are in step.
    assert_eq!(simulate_a_day(true), 1 + 1 + 25);
}

#[test]
fn a_token_is_reused_until_its_minimum_validity() {
    let bench = Bench::new(None);
    let signer = bench.signer();
    let first = signer.token().unwrap();
    bench.clock.pass(840_000);
    assert_eq!(signer.token().unwrap().value(), first.value());
    bench.clock.pass(1);
    assert_ne!(signer.token().unwrap().value(), first.value());
    let stats = signer.stats();
    assert_eq!((stats.signed, stats.reused, stats.renewals), (2, 1, 1));
    assert_eq!(stats.expires_at, Some(after(840 + 900)));
}

#[test]
fn minimum_validity_can_be_nothing_or_nearly_all() {
    let bench = Bench::new(None);
    let lasting = bench.signer_with(|o| o.min_validity = Some(Duration::ZERO));
    let first = lasting.token().unwrap();
    bench.clock.pass(899_999);
    assert_eq!(lasting.token().unwrap().value(), first.value());
    bench.clock.pass(1);
    assert_ne!(lasting.token().unwrap().value(), first.value());

    let fleeting = bench.signer_with(|o| o.min_validity = Some(Duration::from_secs(899)));
    let first = fleeting.token().unwrap();
    bench.clock.pass(1001);
    assert_ne!(fleeting.token().unwrap().value(), first.value());
}

#[test]
fn without_the_cache_every_call_signs() {
    let bench = Bench::new(None);
    let signer = bench.signer_with(|o| o.cache = false);
    assert!(signer.cached_token().is_none());
    for _ in 0..3 {
        signer.token().unwrap();
    }
    assert!(signer.cached_token().is_none());
    let stats = signer.stats();
    assert_eq!((stats.signed, stats.reused, stats.renewals), (3, 0, 1));
}

#[test]
fn a_token_is_not_reused_across_credentials() {
    let bench = Bench::new(Some(3600));
    let (one, other) = (bench.signer(), bench.signer());
    let first = one.token().unwrap();
    assert_eq!(key_id(&other.token().unwrap()), key_id(&first));
    bench.clock.pass(2_600_000);
    let before = one.token().unwrap();
    assert_eq!(key_id(&before), key_id(&first));
    // The advisory window opens; the other signer renews.
    bench.clock.pass(701_000);
    let renewed = other.token().unwrap();
    assert_ne!(key_id(&renewed), key_id(&before));
    assert_eq!(key_id(&one.token().unwrap()), key_id(&renewed));
}

#[test]
fn credentials_without_expiry_are_looked_at_again() {
    let bench = Bench::new(None);
    let signer = bench.signer();
    assert_eq!(key_id(&signer.token().unwrap()), "AKID0");
    bench.clock.pass(899_000);
    assert_eq!(key_id(&signer.token().unwrap()), "AKID0");
    bench.clock.pass(1000);
    assert_eq!(key_id(&signer.token().unwrap()), "AKID1");

    bench.provider.same.store(true, Ordering::SeqCst);
    let token = signer.token().unwrap();
    bench.clock.pass(100_000);
    signer.token().unwrap();
    bench.clock.pass(700_000);
    assert_eq!(signer.token().unwrap().value(), token.value());
    bench.clock.pass(100_000);
    // Looked at again, found the same; the token has died of age meanwhile.
    assert_eq!(key_id(&signer.token().unwrap()), "AKID1");
    assert_eq!(bench.provider.fetches(), 3);
}

#[test]
fn a_failing_renewal_backs_off_and_what_is_valid_serves() {
    let bench = Bench::new(Some(3600));
    let signer = bench.signer_with(|o| o.cache = false);
    signer.token().unwrap();
    bench.provider.fail(true);
    bench.clock.pass(3_600_000 - 360_000);
    let before = bench.provider.fetches();
    let mut served = 0;
    while bench.clock.wall() < after(3600) {
        let token = signer.token().unwrap();
        assert!(token.expires_at() > bench.clock.wall());
        assert!(token.expires_at() <= after(3600));
        served += 1;
        bench.clock.pass(100);
    }
    assert_eq!(served, 3600);
    // 1, 2, 4, 8, 16, 32, 60, 60, 60 s, each up to a quarter shorter.
    let attempts = bench.provider.fetches() - before;
    assert!(
        (9..=14).contains(&attempts),
        "{attempts} attempts in six minutes"
    );

    // Dead beats never.
    let error = signer.token().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CredentialsFailed);
    let stats = signer.stats();
    assert_eq!(stats.failures, bench.provider.fetches() - 1);
    assert_eq!(stats.last_error, Some(ErrorKind::CredentialsFailed));

    // And when the source is back, so are we, within the longest pause.
    bench.provider.fail(false);
    bench.clock.pass(60_000);
    signer.token().unwrap();
}

#[test]
fn a_failure_is_remembered_for_all() {
    let bench = Bench::new(Some(3600));
    bench.provider.fail(true);
    let signer = bench.signer();
    for _ in 0..200 {
        assert_eq!(
            signer.token().unwrap_err().kind(),
            ErrorKind::CredentialsFailed
        );
    }
    assert_eq!(bench.provider.fetches(), 1);
    bench.clock.pass(1000);
    bench.provider.fail(false);
    signer.token().unwrap();
}

#[test]
fn a_cached_token_is_served_below_its_minimum_validity_while_a_renewal_fails() {
    let bench = Bench::new(Some(900));
    let signer = bench.signer_with(|o| o.min_validity = Some(Duration::from_secs(300)));
    let token = signer.token().unwrap();
    bench.provider.fail(true);
    bench.clock.pass(899_000);
    assert_eq!(key_id(&signer.token().unwrap()), key_id(&token));
    bench.clock.pass(1000);
    assert_eq!(
        signer.token().unwrap_err().kind(),
        ErrorKind::CredentialsFailed
    );
}

#[test]
fn a_source_that_repeats_itself_is_not_hammered() {
    let bench = Bench::new(Some(3600));
    bench.provider.same.store(true, Ordering::SeqCst);
    let signer = bench.signer_with(|o| o.cache = false);
    signer.token().unwrap();
    bench.clock.pass(2_700_001);
    for _ in 0..8000 {
        signer.token().unwrap();
        bench.clock.pass(100);
    }
    // 800 s, at most one a minute once the pauses have grown.
    let asked = bench.provider.fetches();
    assert!((14..=26).contains(&asked), "asked {asked} times");
    // In the mandatory window it is asked each second, and its answer taken at once.
    bench.clock.pass(50_000);
    bench.provider.same.store(false, Ordering::SeqCst);
    bench.clock.pass(1001);
    assert_ne!(key_id(&signer.token().unwrap()), "AKID0");
}

#[test]
fn expired_credentials_are_an_error() {
    let bench = Bench::new(Some(0));
    let error = bench.signer().token().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CredentialsExpired);

    let mut options = SignerOptions::new(HOST, 5432, "app");
    options.clock = bench.clock.clone();
    let credentials = Credentials::new("AKID", "secret", None).unwrap();
    options.credentials = Some(credentials.expiring_at(after(100)));
    let signer = Signer::new(options).unwrap();
    assert_eq!(signer.token().unwrap().expires_at(), after(100));
    bench.clock.pass(99_000);
    assert_eq!(signer.token().unwrap().expires_at(), after(100));
    bench.clock.pass(1000);
    let error = signer.token().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CredentialsExpired);
}

#[test]
fn a_suspend_is_noticed() {
    let bench = Bench::new(Some(36_000));
    let signer = bench.signer();
    let first = signer.token().unwrap();
    bench.clock.pass(1_200_000);
    let second = signer.token().unwrap();
    assert_ne!(second.value(), first.value());
    assert_eq!(second.expires_at(), after(1200 + 900));
}

#[test]
fn a_wall_clock_that_is_set_is_noticed() {
    let bench = Bench::new(Some(36_000));
    let signer = bench.signer();
    bench.clock.pass(7_200_000);
    let first = signer.token().unwrap();
    assert_eq!(signed_at(&first), "20260101T020000Z");

    // Back: the token is from the future.
    bench.clock.set_wall(3600);
    let second = signer.token().unwrap();
    assert_eq!(signed_at(&second), "20260101T010000Z");

    // Time passes, then back, but not behind the signature: by the boot clock the token is dead.
    bench.clock.pass(1_000_000);
    bench.clock.set_wall(3700);
    let third = signer.token().unwrap();
    assert_eq!(signed_at(&third), "20260101T010140Z");

    // Forward.
    bench.clock.set_wall(9000);
    assert_eq!(signed_at(&signer.token().unwrap()), "20260101T023000Z");
}

#[test]
fn credentials_die_by_the_boot_clock_too() {
    let bench = Bench::new(Some(3600));
    let signer = bench.signer();
    signer.token().unwrap();
    bench.clock.pass(3_500_000);
    bench.clock.set_wall(10);
    signer.token().unwrap();
    assert_eq!(bench.provider.fetches(), 2);
}

#[test]
fn invalidating_the_token_signs_another() {
    let bench = Bench::new(Some(3600));
    let signer = bench.signer();
    let first = signer.token().unwrap();
    bench.clock.pass(1000);
    signer.invalidate();
    let second = signer.token().unwrap();
    assert_ne!(second.value(), first.value());
    assert_eq!(key_id(&second), key_id(&first));
    assert_eq!(signer.stats().renewals, 1);
}

#[test]
fn at_once_means_without_a_fetch() {
    for cache in [true, false] {
        let bench = Bench::new(Some(3600));
        let signer = bench.signer_with(|options| options.cache = cache);
        assert!(signer.token_at_once().is_none());
        assert_eq!(bench.provider.fetches(), 0);
        let first = signer.token().unwrap();
        bench.clock.pass(1000);
        let second = signer.token_at_once().unwrap();
        assert_eq!(second.is(&first), cache);
        signer.invalidate();
        let third = signer.token_at_once().unwrap();
        assert_eq!(signed_at(&third), "20260101T000001Z");
        signer.invalidate_credentials();
        assert!(signer.token_at_once().is_none());
        signer.token().unwrap();
        assert_eq!(bench.provider.fetches(), 2);
        // In the advisory window the credentials had better be renewed first.
        bench.clock.pass(3_400_000);
        assert!(signer.token_at_once().is_none());
    }
}

#[test]
fn invalidating_the_credentials_fetches_others_once() {
    let bench = Bench::new(Some(3600));
    let (one, other) = (bench.signer(), bench.signer());
    let first = one.token().unwrap();
    other.token().unwrap();
    one.invalidate_credentials();
    assert_ne!(key_id(&one.token().unwrap()), key_id(&first));
    // The other was refused as well, with the credentials that have been replaced by now.
    other.invalidate_credentials();
    assert_eq!(
        key_id(&other.token().unwrap()),
        key_id(&one.token().unwrap())
    );
    assert_eq!(bench.provider.fetches(), 2);

    // What was taken back is not served while the renewal fails.
    bench.provider.fail(true);
    one.invalidate_credentials();
    assert_eq!(
        one.token().unwrap_err().kind(),
        ErrorKind::CredentialsFailed
    );
}

#[test]
fn aligned_tokens_are_the_same_bytes() {
    let bench = Bench::new(None);
    let aligned = |seconds| bench.signer_with(|o| o.align = Duration::from_secs(seconds));
    let (one, other) = (aligned(300), aligned(300));
    bench.clock.pass(123_456);
    let first = one.token().unwrap();
    assert_eq!(signed_at(&first), "20260101T000000Z");
    bench.clock.pass(176_000);
    assert_eq!(other.token().unwrap().value(), first.value());
    bench.clock.pass(544);
    let next = one.token().unwrap();
    assert_eq!(signed_at(&next), "20260101T000500Z");
    assert_eq!(other.token().unwrap().value(), next.value());
    assert_eq!(next.expires_at(), after(1200));
}

#[test]
fn lifetimes_that_cannot_hold_are_refused() {
    let bench = Bench::new(None);
    let seconds = Duration::from_secs;
    assert_eq!(
        bench.refused_field(|o| o.min_validity = Some(seconds(900))),
        Some("min_validity")
    );
    assert_eq!(
        bench.refused_field(|o| {
            o.expires_in = seconds(60);
            o.min_validity = Some(seconds(60));
        }),
        Some("min_validity")
    );
    assert_eq!(
        bench.refused_field(|o| o.align = seconds(601)),
        Some("align")
    );
    assert_eq!(
        bench.refused_field(|o| {
            o.align = seconds(600);
            o.min_validity = Some(seconds(301));
        }),
        Some("align")
    );
    assert_eq!(
        bench.refused_field(|o| {
            o.align = seconds(60);
            o.expires_in = seconds(60);
            o.min_validity = Some(Duration::ZERO);
        }),
        Some("align")
    );
    assert_eq!(
        bench.refused_field(|o| o.mandatory_window = seconds(301)),
        Some("mandatory_window")
    );
    assert_eq!(
        bench.refused_field(|o| o.advisory_window = seconds(43_201)),
        Some("advisory_window")
    );
    // The default minimum validity gives way to a short life.
    let short = bench.signer_with(|o| o.expires_in = seconds(1));
    short.token().unwrap();
}

#[test]
fn sources_and_roles_that_cannot_be_are_refused() {
    let bench = Bench::new(None);
    assert_eq!(
        bench.refused_field(|o| o.profile = Some("dev".to_owned())),
        Some("profile")
    );
    assert_eq!(
        bench.refused_field(|o| o.credentials = Credentials::new("A", "s", None).ok()),
        Some("credentials")
    );
    let arn = "arn:aws:iam::123456789012:role/app";
    for bad in [
        "",
        "app",
        "arn:aws:iam::123456789012:user/app",
        &format!("{arn} "),
    ] {
        assert_eq!(
            bench.refused_field(|o| o.role_arn = Some(bad.to_owned())),
            Some("role_arn")
        );
    }
    for bad in ["a", "two words", &"n".repeat(65)] {
        assert_eq!(
            bench.refused_field(|o| {
                o.role_arn = Some(arn.to_owned());
                o.role_session_name = Some(bad.to_owned());
            }),
            Some("role_session_name")
        );
    }
    assert_eq!(
        bench.refused_field(|o| {
            o.role_arn = Some(arn.to_owned());
            o.external_id = Some("?".repeat(10));
        }),
        Some("external_id")
    );
    assert_eq!(
        bench.refused_field(|o| o.role_session_name = Some("app".to_owned())),
        Some("role_session_name")
    );
    assert_eq!(
        bench.refused_field(|o| o.external_id = Some("id".to_owned())),
        Some("external_id")
    );
}

#[test]
fn two_hundred_threads_on_a_cold_signer_make_one_fetch_and_one_signature() {
    let bench = Bench::new(Some(3600));
    bench.provider.take(200);
    let signer = bench.signer();
    let barrier = Barrier::new(200);
    thread::scope(|scope| {
        for _ in 0..200 {
            scope.spawn(|| {
                barrier.wait();
                signer.token().unwrap();
            });
        }
    });
    let stats = signer.stats();
    assert_eq!(
        (bench.provider.fetches(), stats.signed, stats.reused),
        (1, 1, 199)
    );
}

#[test]
fn in_the_advisory_window_one_renews_and_the_others_do_not_wait() {
    let bench = Bench::new(Some(3600));
    let signer = bench.signer_with(|o| o.cache = false);
    signer.token().unwrap();
    bench.clock.pass(3_400_000);
    bench.provider.take(1000);
    thread::scope(|scope| {
        let renewing = scope.spawn(|| key_id(&signer.token().unwrap()).to_owned());
        while bench.provider.fetches() < 2 {
            thread::yield_now();
        }
        assert_eq!(key_id(&signer.token().unwrap()), "AKID0");
        assert!(!renewing.is_finished());
        assert_eq!(renewing.join().unwrap(), "AKID1");
    });
}

#[test]
fn in_the_mandatory_window_all_wait() {
    let bench = Bench::new(Some(3600));
    let signer = bench.signer_with(|o| o.cache = false);
    signer.token().unwrap();
    bench.clock.pass(3_550_000);
    bench.provider.take(200);
    thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| assert_eq!(key_id(&signer.token().unwrap()), "AKID1"));
        }
    });
    assert_eq!(bench.provider.fetches(), 2);
}

#[test]
fn nobody_waits_longer_than_its_own_timeout() {
    let bench = Bench::new(Some(3600));
    bench.provider.take(2000);
    let patient = bench.signer();
    let hasty = bench.signer_with(|o| o.timeout = Duration::from_millis(100));
    thread::scope(|scope| {
        let waiting = scope.spawn(|| patient.token().unwrap());
        while bench.provider.fetches() < 1 {
            thread::yield_now();
        }
        assert_eq!(hasty.token().unwrap_err().kind(), ErrorKind::Timeout);
        assert!(!waiting.is_finished());
        waiting.join().unwrap();
    });
    assert_eq!(bench.provider.fetches(), 1);
}

#[test]
fn who_has_more_patience_tries_again() {
    let bench = Bench::new(Some(3600));
    bench.provider.take(500);
    let hasty = bench.signer_with(|o| o.timeout = Duration::from_millis(50));
    assert_eq!(hasty.token().unwrap_err().kind(), ErrorKind::Timeout);
    // Still within the pause after the failure, which was one of patience.
    bench.signer().token().unwrap();
    assert_eq!(bench.provider.fetches(), 2);
}

#[test]
fn a_panicking_provider_is_an_error_and_the_next_call_goes_on() {
    struct Panics(AtomicBool);
    impl CredentialsProvider for Panics {
        fn credentials(&self) -> Result<Credentials, Error> {
            assert!(self.0.load(Ordering::SeqCst), "on purpose");
            Credentials::new("AKID", "secret", None)
        }
    }
    let provider = Arc::new(Panics(AtomicBool::new(false)));
    let bench = Bench::new(None);
    let shared: Arc<dyn CredentialsProvider> = provider.clone();
    let signer = bench.signer_with(|o| o.credentials_provider = Some(shared));
    assert_eq!(signer.token().unwrap_err().kind(), ErrorKind::Internal);
    provider.0.store(true, Ordering::SeqCst);
    bench.clock.pass(1000);
    signer.token().unwrap();
}
