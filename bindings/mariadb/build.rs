//! Link settings that Cargo.toml has no words for.

fn main() {
    // libmariadb unloads its plugins in mysql_library_end(), but Rust leaves thread-local
    // destructors behind, which would then run in unmapped memory when a thread ends.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo::rerun-if-changed=build.rs");
}
