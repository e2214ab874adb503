//! `cargo fuzz run kernel`: see [`autojit_fuzz::kernel`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| autojit_fuzz::kernel(data));
