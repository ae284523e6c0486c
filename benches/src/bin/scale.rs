//! Cost of a call against the number of signers, of threads and of bytes; memory of a signer.
//! Prints JSON for `plot.py`.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use rdstoken::Signer;
use rdstoken_benches::{AwsSdkRds, Floor, Inputs};

/// Counts the bytes in use.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);

// SAFETY: the system's allocator does the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const BATCHES: usize = 31;

/// Nanoseconds for a call: the median over batches.
fn median_of(mut batch: impl FnMut(), calls: usize) -> f64 {
    batch();
    let times = (0..BATCHES).map(|_| {
        let start = Instant::now();
        batch();
        start.elapsed().as_secs_f64() * 1e9 / calls as f64
    });
    median(times.collect())
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}

fn token(signer: &Signer) {
    drop(black_box(signer.token()).expect("a token"));
}

/// Each of the signers in turn, in an order that no cache foresees, `calls` times in a batch.
fn in_turn(signers: &[Signer], calls: usize) -> f64 {
    let mut next = 0;
    let step = 7919; // a prime, so all are met
    let batch = || {
        for _ in 0..calls {
            token(&signers[next]);
            next = (next + step) % signers.len();
        }
    };
    median_of(batch, calls)
}

struct BySigners {
    count: usize,
    hit: f64,
    cold: f64,
    bytes: usize,
}

fn by_signers(count: usize) -> BySigners {
    let inputs = Inputs::new(1024);
    let cold: Vec<Signer> = (0..count).map(|_| inputs.signer(false)).collect();
    let cold_time = in_turn(&cold, 2_000);
    drop(cold);
    let before = IN_USE.load(Ordering::Relaxed);
    let mut signers = Vec::with_capacity(count);
    let mut text = 0;
    for _ in 0..count {
        let signer = inputs.signer(true);
        text += signer.token().expect("a token").value().len();
        signers.push(signer);
    }
    let bytes = (IN_USE.load(Ordering::Relaxed) - before - text) / count;
    BySigners {
        count,
        hit: in_turn(&signers, 20_000.max(count)),
        cold: cold_time,
        bytes,
    }
}

/// Batches that did not run beside those of all other threads do not count.
fn by_threads(signer: &Signer, threads: usize) -> f64 {
    const CALLS: usize = 20_000;
    let barrier = Barrier::new(threads);
    let running = AtomicUsize::new(threads);
    let batch = || {
        let start = Instant::now();
        for _ in 0..CALLS {
            token(signer);
        }
        start.elapsed().as_secs_f64() * 1e9 / CALLS as f64
    };
    let times = thread::scope(|scope| {
        let work = || {
            batch();
            barrier.wait();
            let mut times = Vec::new();
            while times.len() < BATCHES {
                let time = batch();
                if running.load(Ordering::Relaxed) < threads {
                    break;
                }
                times.push(time);
            }
            running.fetch_sub(1, Ordering::Relaxed);
            times
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("no panic"))
            .collect()
    });
    median(times)
}

fn main() {
    let rows = |rows: Vec<String>| format!("[\n    {}\n  ]", rows.join(",\n    "));
    let signers = [1, 10, 100, 1_000, 10_000, 100_000].map(by_signers).map(|row| {
        format!(
            "{{\"signers\": {}, \"hit_ns\": {:.1}, \"cold_ns\": {:.1}, \"bytes_beside_token\": {}}}",
            row.count, row.hit, row.cold, row.bytes
        )
    });

    let signer = Inputs::new(1024).signer(true);
    let threads = [1, 2, 4, 8].map(|threads| {
        let hit = by_threads(&signer, threads);
        format!("{{\"threads\": {threads}, \"hit_ns\": {hit:.1}}}")
    });

    let lengths = [0, 512, 1024, 2048, 4096, 8192, 16_384, 32_768, 60_000].map(|length| {
        // The last is as long as the peer can sign. The session token is what makes a token long; escaped, it grows by a few per cent.
        let inputs = Inputs::new(length.max(1));
        let (cold, warm) = (inputs.signer(false), inputs.signer(true));
        let (floor, peer) = (Floor::new(&inputs), AwsSdkRds::new(&inputs));
        let calls = 200;
        let repeat = |work: &dyn Fn()| {
            let batch = || (0..calls).for_each(|_| work());
            median_of(batch, calls)
        };
        format!(
            "{{\"token_bytes\": {}, \"cold_ns\": {:.1}, \"sha256_ns\": {:.1}, \
             \"aws_sdk_rds_ns\": {:.1}, \"hit_ns\": {:.1}}}",
            warm.token().expect("a token").value().len(),
            repeat(&|| token(&cold)),
            repeat(&|| {
                black_box(black_box(&floor).kept());
            }),
            repeat(&|| drop(black_box(peer.token()))),
            repeat(&|| token(&warm)),
        )
    });
    println!(
        "{{\n  \"signers\": {},\n  \"threads\": {},\n  \"lengths\": {}\n}}",
        rows(signers.into()),
        rows(threads.into()),
        rows(lengths.into())
    );
}
