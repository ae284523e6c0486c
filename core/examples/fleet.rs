//! What a fleet does to Aurora's throttle when all its connections break at once.
//!
//! 10,000 processes reconnect to one cluster, which takes 200 new tokens a second and does not
//! count those it has just seen. Who is refused tries again a second later. Signers, verifier and
//! throttle are the real ones; the clock is simulated.
//!
//! `cargo run --release -p rdstoken --example fleet` prints the table of `docs/fleets.md`.

#![expect(clippy::print_stdout, reason = "it prints a table")]

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use rdstoken::{
    AURORA_TOKENS_PER_SECOND, Clock, Credentials, Error, Now, Signer, SignerOptions, Throttle,
    Verifier,
};

const HOST: &str = "mydb.cluster-abc123.us-east-1.rds.amazonaws.com";
const PROCESSES: u64 = 10_000;
/// In the middle of an aligned period.
const BREAK: u64 = 1_767_225_600 + 150;
/// When the last process signed the token that it keeps: up to so many seconds before the break.
const SPREAD: u64 = 720;

struct SimulatedClock(AtomicU64);

impl SimulatedClock {
    fn set(&self, milliseconds: u64) {
        self.0.store(milliseconds, Ordering::Relaxed);
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Now {
        let since = Duration::from_millis(self.0.load(Ordering::Relaxed));
        Now {
            wall: UNIX_EPOCH + since,
            boot: since,
        }
    }
}

/// Whether the processes hold one set of credentials (an instance's, a task's, a profile's), or
/// each assumed its role by itself.
#[derive(Clone, Copy)]
enum Held {
    Together,
    Apart,
}

struct Outcome {
    tokens: usize,
    refused_at_once: usize,
    seconds: u64,
}

fn simulate(held: Held, cache: bool, align: u64) -> Result<Outcome, Error> {
    let clock = Arc::new(SimulatedClock(AtomicU64::new(0)));
    let mut verifier = Verifier::new().endpoint(HOST, 5432, None)?;
    let mut signers = Vec::new();
    for process in 0..PROCESSES {
        let key = match held {
            Held::Together => "ASIATOGETHER".to_owned(),
            Held::Apart => format!("ASIA{process}"),
        };
        let credentials = Credentials::new(&key, "secret", Some("session"))?;
        verifier = verifier.credentials(credentials.clone());
        let mut options = SignerOptions::new(HOST, 5432, "app");
        options.credentials = Some(credentials);
        options.cache = cache;
        options.align = Duration::from_secs(align);
        options.clock = clock.clone();
        let signer = Signer::new(options)?;
        clock.set((BREAK - 1 - process * SPREAD / PROCESSES) * 1000);
        signer.token()?;
        signers.push(signer);
    }

    let mut throttle = Throttle::new(AURORA_TOKENS_PER_SECOND);
    let mut tokens = HashSet::new();
    let mut waiting: Vec<&Signer> = signers.iter().collect();
    let (mut seconds, mut refused_at_once) = (0, 0);
    while !waiting.is_empty() {
        // All within one second, in the order in which they wait.
        clock.set((BREAK + seconds) * 1000);
        let now = clock.now().wall;
        let mut refused = Vec::new();
        for signer in waiting {
            let token = signer.token()?;
            let admitted = verifier
                .verify(token.value(), "app", now)
                .and_then(|()| throttle.admit(token.value(), now));
            tokens.insert(token.value().to_owned());
            if admitted.is_err() {
                refused.push(signer);
            }
        }
        if seconds == 0 {
            refused_at_once = refused.len();
        }
        seconds += 1;
        waiting = refused;
    }
    Ok(Outcome {
        tokens: tokens.len(),
        refused_at_once,
        seconds,
    })
}

fn main() -> Result<(), Error> {
    println!("| credentials | tokens | different tokens | refused at once | all are in after |");
    println!("|---|---|---|---|---|");
    for (whose, held) in [("each its own", Held::Apart), ("shared", Held::Together)] {
        for (how, cache, align) in [
            ("signed for each login", false, 0),
            ("kept", true, 0),
            ("aligned to 300 s", true, 300),
        ] {
            let outcome = simulate(held, cache, align)?;
            println!(
                "| {whose} | {how} | {} | {} | {} s |",
                outcome.tokens, outcome.refused_at_once, outcome.seconds
            );
        }
    }
    Ok(())
}
