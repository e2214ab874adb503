//! `cargo fuzz run graph`: see [`autojit_fuzz::graph`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| autojit_fuzz::graph(data));
