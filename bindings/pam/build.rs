//! Link settings that Cargo.toml has no words for.

fn main() {
    // libpam unloads a module at the end of every login, but Rust leaves thread-local destructors
    // behind, which would then run in unmapped memory when a thread of the server ends.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo::rerun-if-changed=build.rs");
}
