//! Cost and gain of vector code, as ratios within one process.
//!
//! ```text
//! RUSTFLAGS=-Ctarget-cpu=native cargo test --release -p autojit-engine --lib simd::tests::measure -- --ignored --nocapture --test-threads 1
//! ```

use std::hint::black_box;
use std::time::Instant;

use crate::codegen::target::{self, Entry};
use crate::codegen::{KernelFunction, Pages, clif};
use crate::kernel::{Fold, Kernel, Operation, Slot, Stride};
use autojit_ir::{DType, MapOp};

/// The shortest of many runs, in nanoseconds.
fn shortest(mut run: impl FnMut()) -> f64 {
    let start = Instant::now();
    run();
    let once = start.elapsed().as_nanos().max(20) as f64;
    let inside = (20_000.0 / once).clamp(1.0, 1000.0) as usize;
    let rounds = (60_000_000.0 / (once * inside as f64)).clamp(5.0, 2000.0) as usize;
    let mut best = f64::INFINITY;
    for _ in 0..rounds {
        let start = Instant::now();
        for _ in 0..inside {
            run();
        }
        best = best.min(start.elapsed().as_nanos() as f64 / inside as f64);
    }
    best
}

fn slot(dtype: DType, strides: &[Stride]) -> Slot {
    Slot {
        dtype,
        strides: strides.iter().copied().collect(),
    }
}

fn map(op: MapOp, inputs: &[u16], dtype: DType) -> Operation {
    Operation::Map {
        op,
        inputs: inputs.iter().copied().collect(),
        dtype,
    }
}

/// `a * b + c * d - e`.
pub(in crate::codegen::simd) fn arithmetic() -> Kernel {
    use MapOp::{Add, Multiply, Subtract};
    let f = DType::Float64;
    let mut after: Vec<(u16, Operation)> =
        (0..5).map(|i| (i, Operation::Load { slot: i })).collect();
    after.extend([
        (5, map(Multiply, &[0, 1], f)),
        (6, map(Multiply, &[2, 3], f)),
        (7, map(Add, &[5, 6], f)),
        (8, map(Subtract, &[7, 4], f)),
        (8, Operation::Store { slot: 5, value: 8 }),
    ]);
    Kernel {
        inner_rank: 1,
        slots: (0..6).map(|_| slot(f, &[Stride::Unit])).collect(),
        after,
        dtypes: vec![f; 9],
        ..Kernel::default()
    }
}

/// For each row: `row -= sum(q * row) * q`.
pub(in crate::codegen::simd) fn gram_schmidt(dtype: DType) -> Kernel {
    use MapOp::{Multiply, Subtract};
    let row = [Stride::Parameter, Stride::Unit];
    Kernel {
        outer_rank: 1,
        inner_rank: 1,
        slots: vec![
            slot(dtype, &[Stride::Zero, Stride::Unit]),
            slot(dtype, &row),
            slot(dtype, &row),
        ],
        before: vec![
            (0, Operation::Load { slot: 0 }),
            (1, Operation::Load { slot: 1 }),
            (2, map(Multiply, &[0, 1], dtype)),
            (
                3,
                Operation::Reduce {
                    op: Fold::Sum,
                    input: 2,
                },
            ),
        ],
        after: vec![
            (4, Operation::Load { slot: 0 }),
            (5, map(Multiply, &[3, 4], dtype)),
            (6, Operation::Load { slot: 1 }),
            (7, map(Subtract, &[6, 5], dtype)),
            (7, Operation::Store { slot: 2, value: 7 }),
        ],
        dtypes: vec![dtype; 8],
        short: true,
        row_rank: 1,
        ..Kernel::default()
    }
}

/// The sum over the first of two axes.
pub(in crate::codegen::simd) fn sum_rows() -> Kernel {
    let f = DType::Float64;
    Kernel {
        outer_rank: 1,
        inner_rank: 1,
        slots: vec![
            slot(f, &[Stride::Unit, Stride::Parameter]),
            slot(f, &[Stride::Unit, Stride::Zero]),
        ],
        before: vec![
            (0, Operation::Load { slot: 0 }),
            (
                1,
                Operation::Reduce {
                    op: Fold::Sum,
                    input: 0,
                },
            ),
        ],
        outer: vec![(1, Operation::Store { slot: 1, value: 1 })],
        dtypes: vec![f; 2],
        row_rank: 1,
        ..Kernel::default()
    }
}

/// The sum of one row.
pub(in crate::codegen::simd) fn sum() -> Kernel {
    let mut kernel = sum_rows();
    kernel.outer_rank = 0;
    kernel.slots[0].strides = [Stride::Unit].into_iter().collect();
    kernel.slots[1].strides = [Stride::Zero].into_iter().collect();
    kernel
}

/// A kernel by both emitters.
struct Both {
    wide: KernelFunction,
    cranelift: KernelFunction,
    _pages: Pages,
    _module: Vec<clif::Compiled>,
}

fn target() -> Entry {
    target::chosen()
        .unwrap()
        .expect("this machine has a target")
}

fn both(kernel: &Kernel) -> Both {
    let code = (target().emit)(kernel).unwrap();
    let (pages, offsets) = Pages::new(&[&code]).unwrap();
    // SAFETY: the emitter writes functions of this type.
    let wide =
        unsafe { std::mem::transmute::<*const u8, KernelFunction>(pages.address(offsets[0])) };
    let module = clif::compile(&[kernel]).unwrap();
    Both {
        wide,
        cranelift: module[0].function,
        _pages: pages,
        _module: module,
    }
}

/// Times both on buffers of so many numbers; nanoseconds a run.
fn times(both: &Both, sizes: &[usize], parameters: &[i64]) -> (f64, f64) {
    let mut buffers: Vec<Vec<f64>> = sizes.iter().map(|&n| vec![1e-9; n + 16]).collect();
    let pointers: Vec<*mut u8> = buffers
        .iter_mut()
        .map(|b| {
            let start = b.as_ptr().align_offset(64);
            b[start..].as_mut_ptr().cast()
        })
        .collect();
    let run = |function: KernelFunction| {
        // SAFETY: the buffers are as large as the caller of `times` says that the kernel reaches.
        shortest(|| unsafe { function(black_box(pointers.as_ptr()), parameters.as_ptr()) })
    };
    (run(both.wide), run(both.cranelift))
}

/// As rustc compiles it for the processors that the crate is built for.
#[inline(never)]
fn arithmetic_in_rust(x: [&[f64]; 5], to: &mut [f64]) {
    for (i, to) in to.iter_mut().enumerate() {
        *to = x[0][i] * x[1][i] + x[2][i] * x[3][i] - x[4][i];
    }
}

#[test]
#[ignore = "a measurement"]
fn measure() {
    let kernels = [
        ("arithmetic", arithmetic()),
        ("dot and axpy", gram_schmidt(DType::Float64)),
        ("sum over the first axis", sum_rows()),
    ];
    for (name, kernel) in &kernels {
        let wide_time = shortest(|| {
            black_box((target().emit)(black_box(kernel)).unwrap());
        });
        let start = Instant::now();
        for _ in 0..5 {
            black_box(clif::compile(&[kernel]).unwrap());
        }
        let cranelift = start.elapsed().as_nanos() as f64 / 5.0;
        println!("compile {name}: {wide_time:.0} ns, Cranelift {cranelift:.0} ns");
    }
    let arithmetic = both(&arithmetic());
    for n in [100usize, 1000, 10_000, 100_000, 1_000_000, 10_000_000] {
        let (wide, cranelift) = times(&arithmetic, &[n; 6], &[n as i64]);
        let inputs: Vec<Vec<f64>> = (0..5).map(|_| vec![1e-9; n]).collect();
        let mut output = vec![0.0; n];
        let slices: [&[f64]; 5] = std::array::from_fn(|i| &inputs[i][..n]);
        let rust = shortest(|| {
            arithmetic_in_rust(black_box(slices), black_box(&mut output));
        });
        println!(
            "arithmetic {n}: {wide:.0} ns, of Cranelift {:.2}, of rustc {:.2}",
            wide / cranelift,
            wide / rust
        );
    }
    for (dtype, numbers) in [(DType::Float64, 1), (DType::Complex128, 2)] {
        for n in [3usize, 6, 16, 48, 50, 64, 100, 128] {
            let rows = 50;
            let mut kernel = gram_schmidt(dtype);
            let general = both(&kernel);
            kernel.specialise(n);
            let fixed = both(&kernel);
            let padded = (n * numbers).next_multiple_of(8);
            let stride = (padded * 8) as i64;
            let parameters = [rows as i64, n as i64, stride, stride];
            let sizes = [padded, padded * rows, padded * rows];
            let (wide, cranelift) = times(&general, &sizes, &parameters);
            let (special, _) = times(&fixed, &sizes, &parameters);
            println!(
                "dot and axpy {dtype} {n}: a row {:.1} ns, for all lengths {:.1} ns, Cranelift {:.1} ns",
                special / rows as f64,
                wide / rows as f64,
                cranelift / rows as f64
            );
        }
    }
    let sum_rows = both(&sum_rows());
    for (rows, columns) in [(100usize, 100usize), (1000, 1000), (6, 10_000), (10_000, 6)] {
        let parameters = [columns as i64, rows as i64, columns as i64 * 8];
        let (wide, cranelift) = times(&sum_rows, &[rows * columns, columns], &parameters);
        println!(
            "sum over the first axis {rows}x{columns}: {wide:.0} ns, of Cranelift {:.2}",
            wide / cranelift
        );
    }
    let sum = both(&sum());
    for n in [10usize, 100, 1000, 10_000, 1_000_000] {
        let (wide, cranelift) = times(&sum, &[n, 1], &[n as i64]);
        println!(
            "sum {n}: {wide:.0} ns, of Cranelift {:.2}",
            wide / cranelift
        );
    }
}
