//! `cargo fuzz run text`: see [`autojit_fuzz::text`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| autojit_fuzz::text(data));
