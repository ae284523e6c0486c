//! Signing allocates the token's memory and nothing else.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests may fail as a test does"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::{Duration, UNIX_EPOCH};

use rdstoken::{Credentials, Login, Region, Signer, SignerOptions, SigningKey};

struct Counting;

thread_local!(static ALLOCATIONS: Cell<usize> = const { Cell::new(0) });

// SAFETY: the system's allocator does the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = ALLOCATIONS.get();
    let done = work();
    (ALLOCATIONS.get() - before, done)
}

const HOST: &str = "mydb.cluster-abc123.us-east-1.rds.amazonaws.com";

fn credentials() -> Credentials {
    let session_token = "IQoJb3JpZ2luX2VjE+/=".repeat(52);
    Credentials::new("ASIAEXAMPLE", "secret", Some(&session_token)).unwrap()
}

#[test]
fn a_key_signs_with_one_allocation() {
    let signing_time = UNIX_EPOCH + Duration::from_secs(1_767_270_896);
    let login = Login::new(HOST, 5432, "app").unwrap();
    let region = Region::new("us-east-1").unwrap();
    let key = SigningKey::derive(&credentials(), &region, signing_time).unwrap();
    let (count, token) =
        allocations(|| key.presign(&login, signing_time, Duration::from_secs(900)));
    assert!(token.unwrap().value().len() > 1400);
    assert_eq!(count, 1);
}

#[test]
fn a_signer_adds_one_for_sharing_and_none_for_a_hit() {
    let mut options = SignerOptions::new(HOST, 5432, "app");
    options.credentials = Some(credentials());
    options.cache = false;
    let signer = Signer::new(options.clone()).unwrap();
    drop(signer.token().unwrap()); // derives the day's key
    let (count, _token) = allocations(|| signer.token().unwrap());
    assert_eq!(count, 2);

    options.cache = true;
    let signer = Signer::new(options).unwrap();
    drop(signer.token().unwrap());
    drop(signer.token().unwrap());
    let (count, _token) = allocations(|| signer.token().unwrap());
    assert_eq!(count, 0);
}
