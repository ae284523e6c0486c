//! What a hit costs, and what two threads cost each other.
//!
//! Takes a token from a warm signer and drops it, again and again: on one thread; on two that
//! share the signer; and on two that have a signer each, which tells what the machine itself takes
//! when both its cores are busy. The target is a ratio of at most 1.1 for the shared one.
//!
//! `cargo run --release -p rdstoken --example hit`; an idle machine with two cores is needed.

#![expect(clippy::print_stdout, reason = "it prints its measurements")]

use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use rdstoken::{Credentials, Error, Signer, SignerOptions};

const HOST: &str = "mydb.cluster-abc123.us-east-1.rds.amazonaws.com";
const CALLS: u32 = 20_000;
const BATCHES: usize = 100;
const ROUNDS: usize = 7;

fn warm_signer() -> Result<Signer, Error> {
    let mut options = SignerOptions::new(HOST, 5432, "app");
    options.credentials = Some(Credentials::new("AKIDEXAMPLE", "secret", None)?);
    let signer = Signer::new(options)?;
    signer.token()?;
    Ok(signer)
}

/// Nanoseconds for each call, of one batch.
#[expect(
    clippy::disallowed_methods,
    reason = "it measures real time, not the life of a token"
)]
fn batch(signer: &Signer) -> f64 {
    let start = Instant::now();
    for _ in 0..CALLS {
        drop(black_box(signer.cached_token()));
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
}

/// The median over all batches of all threads, one thread for each signer. Batches that were not
/// run by all of them at a time do not count.
fn hammer(signers: &[&Signer]) -> f64 {
    let barrier = Barrier::new(signers.len());
    let running = AtomicUsize::new(signers.len());
    let mut times: Vec<f64> = thread::scope(|scope| {
        let threads: Vec<_> = signers
            .iter()
            .map(|signer| {
                scope.spawn(|| {
                    batch(signer);
                    barrier.wait();
                    let mut times = Vec::with_capacity(BATCHES);
                    for _ in 0..BATCHES {
                        let time = batch(signer);
                        if running.load(Ordering::Relaxed) < signers.len() {
                            break;
                        }
                        times.push(time);
                    }
                    running.fetch_sub(1, Ordering::Relaxed);
                    times
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("measuring does not panic"))
            .collect()
    });
    median(&mut times)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() -> Result<(), Error> {
    let (one, other) = (warm_signer()?, warm_signer()?);
    let ways: [(&str, &[&Signer]); 3] = [
        ("1 thread", &[&one]),
        ("2 threads, one signer", &[&one, &one]),
        ("2 threads, a signer each", &[&one, &other]),
    ];
    // In turns, so that a machine that is busy for a while disturbs all alike.
    let mut medians = ways.map(|_| Vec::with_capacity(ROUNDS));
    for _ in 0..ROUNDS {
        for ((_, signers), medians) in ways.iter().zip(&mut medians) {
            medians.push(hammer(signers));
        }
    }
    let [alone, ..] = medians.each_mut().map(|rounds| median(rounds));
    for ((name, _), rounds) in ways.iter().zip(&mut medians) {
        let median = median(rounds);
        println!(
            "{name}: {median:.1} ns, {:.2} of one thread",
            median / alone
        );
    }
    Ok(())
}
