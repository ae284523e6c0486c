//! `tests/vectors/endpoints.json`: which names are taken, and which region is found in them.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests may fail as a test does"
)]

use rdstoken::{Endpoint, ErrorKind};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    endpoints: Vec<Named>,
    look_alikes: Vec<String>,
    refused: Vec<Refused>,
}

#[derive(Deserialize)]
struct Named {
    kind: String,
    hostname: String,
    region: Option<String>,
}

#[derive(Deserialize)]
struct Refused {
    why: String,
    hostname: String,
}

fn vectors() -> Vectors {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/vectors/endpoints.json"
    );
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn region_in(hostname: &str) -> Option<String> {
    let endpoint = Endpoint::new(hostname, 5432).unwrap();
    endpoint.region().map(|region| region.to_string())
}

#[test]
fn every_kind_of_endpoint_names_its_region() {
    for Named {
        kind,
        hostname,
        region,
    } in vectors().endpoints
    {
        assert_eq!(region_in(&hostname), region, "{kind}");
        assert_eq!(
            region_in(&hostname.to_uppercase()),
            region,
            "{kind}, upper case"
        );
        let dotted = format!("{}.", hostname.trim_end_matches('.'));
        assert_eq!(region_in(&dotted), region, "{kind}, final dot");
    }
}

#[test]
fn look_alikes_name_no_region() {
    for hostname in vectors().look_alikes {
        assert_eq!(region_in(&hostname), None, "{hostname}");
    }
}

#[test]
fn what_is_no_hostname_is_refused() {
    for Refused { why, hostname } in vectors().refused {
        let error = Endpoint::new(&hostname, 5432).expect_err(&why);
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{why}");
        assert_eq!(error.field(), Some("hostname"), "{why}");
        if !hostname.trim().is_empty() && hostname.len() > 1 {
            assert!(
                !error.to_string().contains(&hostname),
                "{why}: the value is quoted"
            );
        }
    }
}

#[test]
fn lengths() {
    let label = "a".repeat(63);
    let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
    assert_eq!(Endpoint::new(&longest, 1).unwrap().hostname().len(), 253);
    assert_eq!(
        Endpoint::new(&format!("{longest}."), 1)
            .unwrap()
            .hostname()
            .len(),
        253
    );
    assert!(Endpoint::new(&format!("{longest}a"), 1).is_err());
}

#[test]
fn port_zero_is_refused() {
    assert_eq!(
        Endpoint::new("db.example.com", 0).unwrap_err().field(),
        Some("port")
    );
}
