//! `cargo fuzz run call`: see [`autojit_fuzz::call`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| autojit_fuzz::call(data));
