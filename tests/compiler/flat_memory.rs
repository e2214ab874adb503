//! 2 000 different functions, compiled and dropped, leave memory as it was.
//!
//! The memory of the whole process is read, so the test has one of its own. Elsewhere than on Linux there is nothing to read it from, so this is not built there.
#![cfg(target_os = "linux")]

use std::time::Instant;

use crate::process::in_own_process;
use autojit::{Array, autojit, numpy as np};

/// Bytes of this process that are in main memory.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<usize>()
        .unwrap()
        * 4096
}

/// A function that no other `i` gives: its kernels and constants differ too.
fn function_number(i: usize) -> impl Fn(Array) -> Array {
    move |x| {
        let mut y = &x * (i as f64 + 0.5);
        for bit in 0..11 {
            y = if i >> bit & 1 == 1 {
                np::sqrt(y * &x)
            } else {
                (y - &x) * 2.0
            };
        }
        np::sum(y, ..) + np::full([8], i as f64, ..)
    }
}

#[test]
fn two_thousand_functions_leave_memory_flat() {
    in_own_process!();
    const FUNCTIONS: usize = 2000;
    let x = Array::from([1.0; 8]);
    // XLA takes a minute and more for so many, and `xla_memory.rs` counts what is left of its programs.
    for backend in autojit::backends().into_iter().filter(|&b| b != "xla") {
        let run = |i: usize| {
            let f = autojit(function_number(i)).backend(backend);
            let y: Array = f.call(&x).unwrap();
            y.check().unwrap();
            assert_eq!(f.compiled(), 1);
        };
        // What is made once and kept, such as tables of the code generator.
        (0..200).for_each(run);
        let before = resident();
        let start = Instant::now();
        (0..FUNCTIONS).for_each(run);
        let grown = resident().saturating_sub(before);
        println!(
            "{backend}: {FUNCTIONS} functions in {:.2?}, resident memory grew by {} KB",
            start.elapsed(),
            grown / 1024
        );
        assert!(grown < 10 << 20, "{backend}: {grown} bytes more");
    }
}
