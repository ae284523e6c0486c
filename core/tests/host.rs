//! Nothing of ours in the host's way: a caller that itself runs tokio.
//!
//! The environment of a process is one for all its threads, so each test runs this very test
//! binary again, as a child with an environment of its own.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests may fail as a test does"
)]

use std::env;
use std::fs;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use rdstoken::{AuthToken, Credentials, Error, Signer, SignerOptions};
use tokio::runtime::{Builder, Runtime};

const HOST: &str = "mydb.cluster-abc123.us-east-1.rds.amazonaws.com";
const CALLS: u32 = 300;

/// Other keys at each call, in their mandatory window from the start, so that each token needs a
/// fetch.
const KEYS: &str = r#"#!/bin/sh
printf '{"Version":1,"AccessKeyId":"AKID%s","SecretAccessKey":"s","SessionToken":"t","Expiration":"%s"}' \
    "$$" "$(date -u -d '+30 seconds' +%Y-%m-%dT%H:%M:%SZ)"
"#;

const fn can_be_shared_between_threads<T: Send + Sync>() {}
const _: () = can_be_shared_between_threads::<Signer>();
const _: () = can_be_shared_between_threads::<SignerOptions>();
const _: () = can_be_shared_between_threads::<Credentials>();
const _: () = can_be_shared_between_threads::<AuthToken>();
const _: () = can_be_shared_between_threads::<Error>();

/// Runs the test `child`, which is called `name`, where `credential_process` gives `KEYS`.
fn run(child: &str) -> Output {
    assert!(
        env::var_os("RDSTOKEN_TEST_GUARD").is_some(),
        "run this through tests/guard.sh, as `make test` does"
    );
    let directory = tempfile::tempdir().unwrap();
    let keys = directory.path().join("keys");
    let config = directory.path().join("config");
    fs::write(&keys, KEYS).unwrap();
    let process = format!("[default]\ncredential_process=/bin/sh {}\n", keys.display());
    fs::write(&config, process).unwrap();
    Command::new(env::current_exe().unwrap())
        .args(["--exact", child, "--ignored", "--nocapture"])
        .env("AWS_CONFIG_FILE", config)
        .env("RUST_BACKTRACE", "0")
        .output()
        .unwrap()
}

fn assert_passes(child: &str) {
    let output = run(child);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{child}: {text}");
    let ran = String::from_utf8_lossy(&output.stdout).contains("1 passed");
    assert!(ran, "{child} is not there");
    assert!(!text.contains("panicked"), "{child}: {text}");
}

fn new_signer() -> Signer {
    let mut options = SignerOptions::new(HOST, 5432, "app");
    // On a busy machine, not ours to test.
    options.timeout = Duration::from_secs(30);
    Signer::new(options).unwrap()
}

/// As a program does that logs in from a task.
async fn log_in(signer: &Signer) -> Result<Arc<AuthToken>, Error> {
    tokio::task::yield_now().await;
    signer.token()
}

/// The caller's own timers and tasks go on, and can still be awaited.
async fn go_on() {
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(tokio::spawn(async { 1 }).await.unwrap(), 1);
}

fn assert_all_fetched(signer: &Signer) {
    let stats = signer.stats();
    let all = u64::from(CALLS);
    // Whoever signs second with the same credentials takes the first's token.
    assert_eq!(stats.signed + stats.reused, all, "{stats:?}");
    assert_eq!((stats.renewals, stats.failures), (all, 0), "{stats:?}");
}

fn call_in_tasks(runtime: &Runtime) {
    const TASKS: u32 = 3;
    let signer = Arc::new(new_signer());
    runtime.block_on(async {
        let tasks: Vec<_> = (0..TASKS)
            .map(|_| {
                let signer = Arc::clone(&signer);
                tokio::spawn(async move {
                    for _ in 0..CALLS / TASKS {
                        let token = log_in(&signer).await.unwrap();
                        assert!(token.value().starts_with(HOST));
                    }
                    go_on().await;
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        go_on().await;
    });
    assert_all_fetched(&signer);
}

#[test]
#[ignore = "run by the test below, in an environment of its own"]
fn in_tasks_of_one_thread() {
    call_in_tasks(&Builder::new_current_thread().enable_all().build().unwrap());
}

#[test]
#[ignore = "run by the test below, in an environment of its own"]
fn in_tasks_of_several_threads() {
    let mut builder = Builder::new_multi_thread();
    call_in_tasks(&builder.worker_threads(2).enable_all().build().unwrap());
}

/// Straight in `block_on`, and with nothing enabled: the caller may have no I/O and no timers.
#[test]
#[ignore = "run by the test below, in an environment of its own"]
fn in_block_on_of_a_bare_runtime() {
    let signer = new_signer();
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        for _ in 0..CALLS {
            log_in(&signer).await.unwrap();
        }
    });
    assert_all_fetched(&signer);
}

#[test]
#[ignore = "run by the test below, in an environment of its own"]
fn in_blocking_tasks() {
    let signer = Arc::new(new_signer());
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for _ in 0..CALLS {
            let signer = Arc::clone(&signer);
            tokio::task::spawn_blocking(move || signer.token())
                .await
                .unwrap()
                .unwrap();
        }
        go_on().await;
    });
    assert_all_fetched(&signer);
}

#[test]
fn a_caller_may_run_tokio_with_one_thread() {
    assert_passes("in_tasks_of_one_thread");
    assert_passes("in_block_on_of_a_bare_runtime");
}

#[test]
fn a_caller_may_run_tokio_with_several_threads() {
    assert_passes("in_tasks_of_several_threads");
    assert_passes("in_blocking_tasks");
}
