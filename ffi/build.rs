//! How `librdstoken.so` is linked.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // The ABI's version, apart from the package's: it changes only if an old program would
        // break.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,librdstoken.so.0");
        // A thread that used the library runs its thread-local destructors when it exits, which
        // crashes if a dlclose has taken the code away.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
