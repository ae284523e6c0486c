//! Instructions, by gungraun on callgrind, which hardly wobble; and allocations, by DHAT. Valgrind
//! knows no SHA instructions, so `floor` tells how many of them are SHA-256 in software.

use std::hint::black_box;

use gungraun::{Dhat, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use rdstoken::{AuthToken, Signer, SigningKey};
use rdstoken_benches::{AwsSdkRds, EXPIRES_IN, Floor, Inputs};

struct Kept {
    inputs: Inputs,
    key: SigningKey,
}

fn kept() -> Kept {
    let inputs = Inputs::new(1024);
    let key = inputs.key();
    Kept { inputs, key }
}

fn floor() -> Floor {
    Floor::new(&Inputs::new(1024))
}

fn peer() -> AwsSdkRds {
    AwsSdkRds::new(&Inputs::new(1024))
}

fn warm() -> Signer {
    let signer = Inputs::new(1024).signer(true);
    for _ in 0..2 {
        drop(signer.token());
    }
    signer
}

#[library_benchmark]
#[bench::kilobyte(setup = floor)]
fn sha256_kept(floor: Floor) -> [u8; 32] {
    black_box(&floor).kept()
}

#[library_benchmark]
#[bench::kilobyte(setup = floor)]
fn sha256_derived(floor: Floor) -> [u8; 32] {
    black_box(&floor).derived()
}

#[library_benchmark]
#[bench::kilobyte(setup = kept)]
fn sign_kept(kept: Kept) -> (AuthToken, Kept) {
    let token = black_box(&kept.key)
        .presign(&kept.inputs.login, kept.inputs.signing_time, EXPIRES_IN)
        .expect("a token");
    (token, kept)
}

#[library_benchmark]
#[bench::kilobyte(setup = kept)]
fn sign_derived(kept: Kept) -> (AuthToken, Kept) {
    let token = black_box(&kept.inputs)
        .key()
        .presign(&kept.inputs.login, kept.inputs.signing_time, EXPIRES_IN)
        .expect("a token");
    (token, kept)
}

#[library_benchmark]
#[bench::kilobyte(setup = warm)]
fn hit(signer: Signer) -> Signer {
    black_box(drop(black_box(&signer).token()));
    signer
}

#[library_benchmark]
#[bench::kilobyte(setup = peer)]
fn aws_sdk_rds(peer: AwsSdkRds) -> (String, AwsSdkRds) {
    (black_box(&peer).token(), peer)
}

library_benchmark_group!(
    name = instructions;
    benchmarks = sha256_kept, sha256_derived, sign_kept, sign_derived, hit, aws_sdk_rds
);

main!(
    config = LibraryBenchmarkConfig::default().tool(Dhat::default());
    library_benchmark_groups = instructions
);
