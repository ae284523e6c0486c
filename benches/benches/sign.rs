//! Times, by criterion.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use rdstoken::{PresignRequest, presign};
use rdstoken_benches::{
    AwsSdkRds, AwsSigv4, EXPIRES_IN, Floor, HOSTNAME, Inputs, PORT, REGION, USERNAME,
};

fn sign(criterion: &mut Criterion) {
    let inputs = Inputs::new(1024);
    let (floor, key) = (Floor::new(&inputs), inputs.key());
    let mut group = criterion.benchmark_group("sign");
    group.bench_function("floor-kept", |b| b.iter(|| black_box(&floor).kept()));
    group.bench_function("kept", |b| {
        b.iter(|| {
            black_box(&key).presign(black_box(&inputs.login), inputs.signing_time, EXPIRES_IN)
        });
    });
    group.bench_function("floor-derived", |b| b.iter(|| black_box(&floor).derived()));
    group.bench_function("derived", |b| {
        b.iter(|| {
            black_box(&inputs).key().presign(
                black_box(&inputs.login),
                inputs.signing_time,
                EXPIRES_IN,
            )
        });
    });
    group.bench_function("from-nothing", |b| {
        b.iter(|| {
            presign(black_box(&PresignRequest {
                hostname: HOSTNAME,
                port: PORT,
                username: USERNAME,
                region: Some(REGION),
                credentials: &inputs.credentials,
                signing_time: inputs.signing_time,
                expires_in: EXPIRES_IN,
            }))
        });
    });
    let signer = inputs.signer(false);
    group.bench_function("signer", |b| b.iter(|| black_box(&signer).token()));
    let peer = AwsSdkRds::new(&inputs);
    group.bench_function("aws-sdk-rds", |b| b.iter(|| black_box(&peer).token()));
    let peer = AwsSigv4::new(&inputs);
    group.bench_function("aws-sigv4", |b| {
        b.iter(|| black_box(&peer).sign(inputs.signing_time));
    });
    group.finish();
}

fn hit(criterion: &mut Criterion) {
    let signer = Inputs::new(1024).signer(true);
    let mut buffer = [0_u8; 4096];
    let mut group = criterion.benchmark_group("hit");
    group.bench_function("shared", |b| b.iter(|| black_box(&signer).token()));
    group.bench_function("copied", |b| {
        b.iter(|| {
            black_box(&signer).with_token(|token| {
                let text = token.value().as_bytes();
                black_box(&mut buffer)[..text.len()].copy_from_slice(text);
            })
        });
    });
    group.finish();
}

criterion_group! {
    name = all;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .without_plots();
    targets = sign, hit
}
criterion_main!(all);
