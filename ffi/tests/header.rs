//! `include/rdstoken.h` is made from the documentation of `ffi/src` and committed.
//!
//! `make header` sets `RDSTOKEN_WRITE_HEADER=1` to write it; otherwise this test fails when the
//! committed file is not what would be written.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests may fail as a test does"
)]

use std::fs;
use std::path::Path;

const HINT: &str = "run `make header` and commit the result";

fn generated() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut config = cbindgen::Config::from_file(root.join("cbindgen.toml")).unwrap();
    if let Some(text) = config.after_includes.as_mut() {
        *text = text
            .replace("@VERSION@", env!("CARGO_PKG_VERSION"))
            .replace("@MAJOR@", env!("CARGO_PKG_VERSION_MAJOR"))
            .replace("@MINOR@", env!("CARGO_PKG_VERSION_MINOR"))
            .replace("@PATCH@", env!("CARGO_PKG_VERSION_PATCH"));
    }
    let bindings = cbindgen::Builder::new()
        .with_crate(root)
        .with_config(config)
        .generate()
        .expect("cbindgen reads ffi/src");
    let mut header = Vec::new();
    bindings.write(&mut header);
    without_safety_sections(&String::from_utf8(header).unwrap())
}

/// Rust's `# Safety` sections repeat, for Rust's linter, what the header says at its head.
fn without_safety_sections(header: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut in_section = false;
    for line in header.lines() {
        if line.trim() == "* # Safety" {
            in_section = true;
            // The empty comment line above it.
            kept.pop();
        } else if line.trim() == "*/" {
            in_section = false;
        }
        if !in_section {
            kept.push(line);
        }
    }
    kept.join("\n") + "\n"
}

fn committed_path() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../include/rdstoken.h")
}

#[test]
fn the_committed_header_is_the_one_that_would_be_written() {
    let generated = generated();
    if std::env::var_os("RDSTOKEN_WRITE_HEADER").is_some() {
        fs::write(committed_path(), &generated).unwrap();
    }
    let committed = fs::read_to_string(committed_path()).expect(HINT);
    assert!(
        committed == generated,
        "include/rdstoken.h is out of date: {HINT}"
    );
}

/// A function is a manual entry: it is described, and so is each of its parameters if it has more
/// than one.
#[test]
fn every_function_and_parameter_is_described() {
    let header = generated();
    let (_, functions_part) = header.split_once("extern \"C\" {").unwrap();
    let mut functions = 0;
    for declaration in functions_part
        .split(";\n")
        .filter(|part| part.trim_end().ends_with(')'))
    {
        let (comment, signature) = declaration
            .rsplit_once("*/\n")
            .unwrap_or_else(|| panic!("no comment above:{declaration}"));
        let (_, parameters) = signature.split_once('(').unwrap();
        let names: Vec<&str> = parameters
            .trim_end()
            .trim_end_matches(')')
            .split(',')
            .filter_map(|parameter| parameter.rsplit([' ', '*']).next())
            .collect();
        let comment = &comment[comment.rfind("/**").expect("a documentation comment")..];
        assert!(comment.len() > 30, "hardly described: {signature}");
        if names.len() > 1 {
            for name in names {
                assert!(
                    comment.contains(&format!("- `{name}`")),
                    "{name} in {signature}"
                );
            }
        }
        functions += 1;
    }
    let sources = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    let exported: usize = sources
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
        .map(|source| source.matches("#[unsafe(no_mangle)]").count())
        .sum();
    assert_eq!(
        functions, exported,
        "functions in the header and in ffi/src"
    );
}
