//! Computing a lazy graph holds an intermediate result no longer than until its last use.
//!
//! The allocator counts bytes, so the test has a process of its own.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::process::in_own_process;
use autojit::{Array, lazy, numpy as np};

struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes on to the system's allocator unchanged; counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(now, Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the pointer came from `System.alloc` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const ELEMENTS: usize = 50_000;
const STEPS: usize = 100;

/// The most bytes that are held at once while `f` runs, beyond those before.
pub(crate) fn peak_of<T>(f: impl FnOnce() -> T) -> (usize, T) {
    let before = NOW.load(Relaxed);
    PEAK.store(before, Relaxed);
    let result = f();
    (PEAK.load(Relaxed) - before, result)
}

#[test]
fn intermediate_results_are_freed_after_their_last_use() {
    in_own_process!();
    let bytes = 8 * ELEMENTS;
    let data = np::full([ELEMENTS], 1.0, ..);
    let chain = |x: &Array, held: &mut Vec<Array>| {
        let mut y = lazy::array(x);
        for _ in 0..STEPS {
            y = np::sqrt(&y + 3.0);
            held.push(y.clone());
        }
        y
    };
    // Each step has an input and a result, and the walk itself takes some bytes for each node.
    let y = chain(&data, &mut Vec::new());
    let (peak, value) = peak_of(|| y.compute().unwrap());
    assert!(
        peak < 5 * bytes,
        "{peak} bytes at once, an array has {bytes}"
    );
    assert!((value.get(0).item::<f64>().unwrap() - 2.302_775_637_731_995).abs() < 1e-12);
    drop((y, value));

    // Folding frees as computing does.
    let y = chain(&data, &mut Vec::new());
    let (peak, folded) = peak_of(|| y.fold_constants());
    folded.unwrap();
    assert!(
        peak < 5 * bytes,
        "{peak} bytes at once, an array has {bytes}"
    );
    drop(y);

    // What the user holds stays: otherwise the figures above would mean nothing.
    let mut held = Vec::new();
    let y = chain(&data, &mut held);
    let (peak, _) = peak_of(|| y.compute().unwrap());
    assert!(peak > STEPS * bytes);
    drop((held, y));

    // After all that, only the input is left.
    assert!(NOW.load(Relaxed) < 3 * bytes);
}
