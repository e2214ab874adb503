//! The cost of the way to an optimised graph: time and memory for each node that is written down.
//!
//! ```text
//! cargo bench --bench stages [-- NAME]
//! ```
//!
//! `lazy` is tracing with a lazy variable, and dropping that; `trace` and `optimise` are what a compiled function does
//! when it meets new arguments, with replay as its backend. `peak` are the bytes in use at once during both. `on core`
//! is the time that all of it took on the core, replay's copy of the graph included: what counts for large programs on
//! a busy machine (Linux only).

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use autojit::{Array, DType, autojit, lazy, numpy as np};

/// Counts bytes; one thread allocates here, so plain loads and stores do.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn count(added: usize, removed: usize) {
    let now = NOW.load(Relaxed).wrapping_add(added).wrapping_sub(removed);
    NOW.store(now, Relaxed);
    if now > PEAK.load(Relaxed) {
        PEAK.store(now, Relaxed);
    }
}

// SAFETY: every call goes on to the system's allocator unchanged; counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: the pointer came from `System.alloc` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        // SAFETY: the pointer came from `System.alloc` with this layout, and the caller vouches for the size.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Modified Gram-Schmidt.
fn gram_schmidt(x: Array) -> Array {
    let mut rows: Vec<Array> = Vec::new();
    for j in 0..x.len().unwrap_or(0) as i64 {
        let mut row = x.get(j);
        for q in &rows {
            row = &row - np::tensordot(np::conj(q), &row, 1) * q;
        }
        let norm = np::linalg::norm(&row, ..);
        rows.push(row / norm);
    }
    np::stack(&rows, 0)
}

/// Each op uses the one before, and each second one a number of its own.
fn chain(n: usize) -> impl Fn(Array) -> Array {
    move |x| (0..n / 2).fold(x, |y, i| np::sin(&y * (1.0 + i as f64)))
}

/// Each op uses two of the last 16 results.
fn dag(n: usize) -> impl Fn(Array) -> Array {
    move |x| {
        let mut last: Vec<Array> = (0..16).map(|i| &x * (f64::from(i) + 1.5)).collect();
        for i in 0..n.saturating_sub(31) {
            let (x, y) = (&last[i % 16], &last[(i * 7 + 3) % 16]);
            last[(i * 5 + 1) % 16] = match i % 3 {
                0 => x + y,
                1 => x * y,
                _ => x - y,
            };
        }
        last.into_iter().reduce(|x, y| x + y).unwrap_or(x)
    }
}

/// Nanoseconds that this thread has spent on a core.
fn on_core() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let first = text.split_whitespace().next();
    first.and_then(|ns| ns.parse().ok()).unwrap_or(f64::NAN)
}

/// The shortest of several runs, in seconds.
fn best<R>(runs: usize, mut f: impl FnMut() -> R) -> f64 {
    let run = |_| {
        let start = Instant::now();
        drop(black_box(f()));
        start.elapsed().as_secs_f64()
    };
    (0..runs).map(run).fold(f64::INFINITY, f64::min)
}

fn measure(name: &str, shape: &[usize], runs: usize, f: &dyn Fn(Array) -> Array) {
    let variable = lazy::variable(shape, DType::Float64);
    let written = f(variable.clone());
    let nodes = written
        .as_lazy()
        .map_or(1, lazy::LazyArray::history_num_nodes);
    drop(written);
    let lazily = best(runs, || f(variable.clone()));

    let sizes: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
    let x = np::full(sizes, 1.0, ..);
    let jit = autojit(f).backend("replay");
    let before = NOW.load(Relaxed);
    PEAK.store(before, Relaxed);
    let (mut trace, mut optimize) = (f64::INFINITY, f64::INFINITY);
    let (mut optimized, mut core) = (0, f64::INFINITY);
    for _ in 0..runs {
        let start = on_core();
        let explanation = jit.explain(&x);
        let Ok(explanation) = explanation else { return };
        let report = explanation.report();
        trace = trace.min(report.trace_time.as_secs_f64());
        optimize = optimize.min(report.optimize_time.as_secs_f64());
        optimized = report.optimized_nodes;
        core = core.min((on_core() - start) / nodes as f64);
    }
    let peak = (PEAK.load(Relaxed) - before) as f64 / nodes as f64;
    let per_node = |seconds: f64| seconds * 1e9 / nodes as f64;
    println!(
        "{name:8} {nodes:9} {optimized:9} {:9.1} {:9.1} {:9.1} {core:9.1} {peak:9.0}",
        per_node(lazily),
        per_node(trace),
        per_node(optimize),
    );
}

fn main() {
    let only = std::env::args().skip(1).find(|a| a != "--bench");
    let wanted = |name: &str| only.as_deref().is_none_or(|only| name.starts_with(only));
    println!(
        "{:8} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "ns, bytes", "nodes", "optimised", "lazy", "trace", "optimise", "on core", "peak"
    );
    for n in [50, 100] {
        let name = format!("mgs{n}");
        if wanted(&name) {
            measure(&name, &[n, n], 10_000 / n, &gram_schmidt);
        }
    }
    for n in [1_000, 10_000, 100_000, 1_000_000] {
        let runs = (2_000_000 / n).clamp(3, 200);
        if wanted("chain") {
            measure("chain", &[3], runs, &chain(n));
        }
        if wanted("dag") {
            measure("dag", &[3], runs, &dag(n));
        }
    }
}
