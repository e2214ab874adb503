//! The fuzz targets as functions of bytes, which panic where something is wrong.
//!
//! `cargo +nightly fuzz run --features libfuzzer graph` (or `kernel`, `call`, `exported_file`, `text`) runs them by libFuzzer. The tests of this
//! package run them on fixed random bytes and on the inputs in `regressions`, where what a fuzzer finds is put: they need
//! nothing but stable Rust.

#[path = "../../tests/compiler/differential/agreement.rs"]
mod agreement;
mod bytes;
mod calls;
#[path = "../../tests/compiler/differential/compare.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod compare;
#[path = "../../tests/api/export/damage.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod damage;
#[path = "../../tests/compiler/differential/program.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod program;
#[cfg(test)]
mod tests;
mod text;
#[path = "../../tests/compiler/differential/values.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod values;

use program::Numbers;

/// Bytes choose a well-typed graph and its arguments; every backend must give what the reference interpreter gives,
/// within the tolerances of the differential tests.
///
/// # Panics
/// If a backend gives something else, or itself panics.
pub fn graph(bytes: &[u8]) {
    if let Err(difference) = agreement::check(&numbers(bytes)) {
        panic!("{difference}");
    }
}

/// Bytes choose a loop of the native compiler and the memory it works on: the code for each target that this processor has
/// must leave the same memory as Cranelift's, and every representation on the way keeps its promises.
///
/// # Panics
/// If they do not.
pub fn kernel(bytes: &[u8]) {
    autojit_engine::check_random_kernel(bytes);
}

/// The first bytes are the counts of the parts, each part takes as many as it needs, and what is missing is zero.
fn numbers(bytes: &[u8]) -> Numbers {
    let mut bytes = bytes.iter().copied().chain(std::iter::repeat(0));
    let mut byte = || bytes.next().unwrap_or_default();
    let (inputs, steps, outputs) = (1 + byte() % 4, byte() % 40, 1 + byte() % 5);
    let seed = byte();
    Numbers {
        inputs: (0..inputs).map(|_| (byte(), byte())).collect(),
        outputs: (0..outputs).map(|_| u16::from(byte() % 24)).collect(),
        steps: (0..steps)
            .map(|_| [(); 4].map(|()| u16::from_le_bytes([byte(), byte()])))
            .collect(),
        seed,
    }
}

/// Bytes as a file of an exported function, as they are and behind a header that is right: an error or a function, which
/// is run if it is small.
///
/// # Panics
/// If reading or running panics, or a function that was read cannot be written and read again.
pub fn exported_file(bytes: &[u8]) {
    damage::read(bytes);
    damage::read(&damage::with_header(bytes));
}

/// Bytes choose a function by its name, and arguments of any kind and size; every mode must give the same, or an error.
///
/// # Panics
/// If a mode gives something else, an internal error, or itself panics.
pub fn call(bytes: &[u8]) {
    // Whether there is a result is for the tests of this package.
    let _ = calls::check(bytes);
}

/// Bytes as the text form of a graph, and a graph's text changed in a few places: an error, or a graph that prints as
/// what reads back as the same.
///
/// # Panics
/// If reading panics, or what was printed does not read back.
pub fn text(bytes: &[u8]) {
    text::check(bytes);
}
