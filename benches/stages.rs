//! What the way to an optimised graph costs per node.
use autojit::{Array, autojit, lazy, numpy as np};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

struct Counting;
static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static COUNT: AtomicUsize = AtomicUsize::new(0);
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.load(Relaxed) + layout.size();
        NOW.store(now, Relaxed);
        COUNT.store(COUNT.load(Relaxed) + 1, Relaxed);
        if now > PEAK.load(Relaxed) {
            PEAK.store(now, Relaxed);
        }
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, p: *mut u8, layout: Layout) {
        NOW.store(NOW.load(Relaxed) - layout.size(), Relaxed);
        unsafe { System.dealloc(p, layout) }
    }
    unsafe fn realloc(&self, p: *mut u8, layout: Layout, new: usize) -> *mut u8 {
        let now = NOW.load(Relaxed) - layout.size() + new;
        NOW.store(now, Relaxed);
        COUNT.store(COUNT.load(Relaxed) + 1, Relaxed);
        if now > PEAK.load(Relaxed) {
            PEAK.store(now, Relaxed);
        }
        unsafe { System.realloc(p, layout, new) }
    }
}
#[global_allocator]
static COUNTING: Counting = Counting;

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
fn chain(n: usize) -> impl Fn(Array) -> Array {
    move |x| (0..n / 2).fold(x, |y, i| np::sin(&y * (1.0 + i as f64)))
}
fn dag(n: usize) -> impl Fn(Array) -> Array {
    move |x| {
        let mut last: Vec<Array> = (0..16).map(|i| &x * (i as f64 + 1.5)).collect();
        let mut state = 1u64;
        for _ in 0..n - 16 {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            let (a, b) = ((state >> 33) as usize % 16, (state >> 40) as usize % 16);
            let y = match state >> 60 & 3 {
                0 => &last[a] + &last[b],
                1 => &last[a] * &last[b],
                2 => &last[a] - &last[b],
                _ => np::sin(&last[a]),
            };
            last[(state >> 50) as usize % 16] = y;
        }
        last.into_iter().reduce(|a, b| a + b).unwrap()
    }
}

fn best<R>(reps: usize, mut f: impl FnMut() -> R) -> f64 {
    (0..reps)
        .map(|_| {
            let s = Instant::now();
            std::hint::black_box(f());
            s.elapsed().as_secs_f64()
        })
        .fold(f64::INFINITY, f64::min)
}

fn stages(name: &str, shape: &[usize], reps: usize, f: &dyn Fn(Array) -> Array) {
    let x = np::full(shape.iter().map(|&n| n as i64).collect::<Vec<_>>(), 1.0, ..);
    let v = lazy::variable(shape, autojit::DType::Float64);
    let nodes = f(v.clone()).as_lazy().unwrap().history_num_nodes();
    let before = COUNT.load(Relaxed);
    let y = f(v.clone());
    let allocs = COUNT.load(Relaxed) - before;
    let drop_time = {
        let s = Instant::now();
        drop(y);
        s.elapsed().as_secs_f64()
    };
    let trace_only = best(reps, || f(v.clone()));
    let jit = autojit(|x| f(x)).backend("replay");
    let (mut t, mut o) = (f64::INFINITY, f64::INFINITY);
    let base = NOW.load(Relaxed);
    PEAK.store(base, Relaxed);
    let how = jit.explain(&x);
    let peak = PEAK.load(Relaxed) - base;
    let how = how.unwrap();
    for _ in 0..reps {
        let how = jit.explain(&x).unwrap();
        t = t.min(how.trace_time().as_secs_f64());
        o = o.min(how.optimize_time().as_secs_f64());
    }
    let per = |s: f64| s * 1e9 / nodes as f64;
    println!(
        "{name:16} {nodes:8} nodes: lazy+drop {:6.1} (drop {:5.1}) trace+graph {:6.1} opt {:6.1} ns/node; total {:8.3} ms; {:.2} allocs, peak {:6.1} bytes/node, {} -> {}",
        per(trace_only),
        per(drop_time),
        per(t),
        per(o),
        (t + o) * 1e3,
        allocs as f64 / nodes as f64,
        peak as f64 / nodes as f64,
        how.traced_nodes(),
        how.optimized_nodes()
    );
}

fn main() {
    let only: Option<String> = std::env::args().nth(1).filter(|a| a != "--bench");
    let want = |n: &str| only.as_deref().is_none_or(|o| n.starts_with(o));
    if want("mgs50") {
        stages("mgs50", &[50, 50], 200, &gram_schmidt);
    }
    if want("mgs100") {
        stages("mgs100", &[100, 100], 50, &gram_schmidt);
    }
    for n in [1000, 10_000, 100_000, 1_000_000] {
        if want("chain") {
            stages("chain", &[3], 2_000_000 / n.max(20_000), &chain(n));
        }
        if want("dag") {
            stages("dag", &[3], 2_000_000 / n.max(20_000), &dag(n));
        }
    }
}
