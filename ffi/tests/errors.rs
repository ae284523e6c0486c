//! C's part of `tests/errors.json`.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests may fail as a test does"
)]

use std::ffi::CStr;

use rdstoken::rdstoken_status_name;
use rdstoken_core::ErrorKind;
use serde::Deserialize;

#[derive(Deserialize)]
struct Table {
    ok: Row,
    errors: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    kind: Option<String>,
    c_status: i32,
    c_name: String,
}

fn table() -> Table {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/errors.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn name(status: i32) -> &'static str {
    // SAFETY: the function returns a static text.
    unsafe { CStr::from_ptr(rdstoken_status_name(status)) }
        .to_str()
        .unwrap()
}

#[test]
fn every_status_has_the_name_and_number_of_the_table() {
    let table = table();
    for row in table.errors.iter().chain([&table.ok]) {
        assert_eq!(name(row.c_status), row.c_name);
    }
    let last = i32::try_from(table.errors.len()).unwrap();
    for unknown in [-1, last + 1, i32::MAX, i32::MIN] {
        assert_eq!(name(unknown), "unknown status");
    }
}

#[test]
fn the_table_has_every_kind() {
    let kinds: Vec<Option<String>> = table().errors.into_iter().map(|row| row.kind).collect();
    let core: Vec<Option<String>> = ErrorKind::ALL
        .iter()
        .map(|kind| Some(kind.code().to_owned()))
        .collect();
    assert_eq!(kinds, core);
}
