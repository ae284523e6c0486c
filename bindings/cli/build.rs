//! How the command is linked. To load a shared library takes a tenth of the time that it runs.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=CC");
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    if target("OS") != "linux" || target("ENV") != "gnu" {
        return;
    }
    // The unwinder from the compiler's archive instead of libgcc_s.so.1, if it is there.
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let found = Command::new(compiler)
        .arg("-print-file-name=libgcc_eh.a")
        .output();
    let is_there = found.is_ok_and(|found| {
        found.status.success()
            && Path::new(String::from_utf8_lossy(&found.stdout).trim()).is_absolute()
    });
    if is_there {
        println!("cargo:rustc-link-lib=dylib:+verbatim=libgcc_eh.a");
    }
}
