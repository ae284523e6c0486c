//! The linker settings of a Node addon, among them `-z nodelete`.

fn main() {
    napi_build::setup();
}
