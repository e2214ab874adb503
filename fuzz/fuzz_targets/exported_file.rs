//! `cargo fuzz run exported_file`: see [`autojit_fuzz::exported_file`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| autojit_fuzz::exported_file(data));
