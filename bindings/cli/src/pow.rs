//! The one function that the SDK wants of libm.so.6, for the pause between two tries: so the
//! library need not be loaded.

#[expect(
    unsafe_code,
    reason = "it takes the C function's name, and is the same function"
)]
#[unsafe(no_mangle)]
extern "C" fn pow(base: f64, exponent: f64) -> f64 {
    libm::pow(base, exponent)
}
