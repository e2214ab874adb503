//! The cost of dispatch: the time of a call less the time that the library itself takes.
//!
//! A registered library whose ops do nothing shows the whole way of a call: arguments in, library found, types
//! inferred, result wrapped. For ndarray the library's own call is that of the ndarray crate on the same arrays.
//!
//! ```text
//! cargo bench --bench dispatch
//! ```
//!
//! Measured 2026-11 on a shared Zen 5 core, in nanoseconds, the library's own call taken off:
//!
//! | call | typed | by name |
//! |---|---|---|
//! | ndarray, `add` of 8 elements | 0 (own: 171) | 38 |
//! | ndarray, `sum` of 8 elements | 62 (own: 67) | 142 |
//! | idle library, one argument | 80 | 111 |
//! | idle library, two arguments | 82 | 136 |
//!
//! The aim is 30 and 150. By name it is met; typed, `add` meets it. The rest of `sum` is the array of its options and
//! the moves of arrays, which hold ndarray's shape and strides in place (a clone of the argument alone is about 15);
//! the rest of the idle library is the result: its allocation, its type and the check of that type against what
//! inference says, none of which the library's own call does.
//!
//! They came down from 61, 143, 116 and 146 (by name 164, 219, 166 and 223): no signature where all inputs have
//! one type that needs no conversion (`ir/infer/plain.rs`), no copies of arrays in calls by name, and options that move
//! as a pointer.

use std::hint::black_box;
use std::time::Instant;

use autojit::dispatch::Arguments;
use autojit::ir::{HostArray, MapOp, Op};
use autojit::{Array, ArrayType, DType, Library, Result, Spelled, call, numpy as np};
use ndarray::{ArcArray, ArrayD, IxDyn};

/// An array with a type and nothing else.
#[derive(Clone, Copy)]
struct Nothing;

struct Idle;

impl Library for Idle {
    type Array = Nothing;

    fn name(&self) -> &'static str {
        "idle"
    }

    fn array_type(&self, _: &Nothing) -> ArrayType {
        ArrayType::new(DType::Float64, &[8])
    }

    fn from_host(&self, _: &HostArray) -> Result<Nothing> {
        Ok(Nothing)
    }

    fn to_host(&self, _: &Nothing) -> Result<HostArray> {
        HostArray::try_from(&np::zeros(8, ..))
    }

    #[inline(never)]
    fn call(&self, _: &Op, inputs: &[&Nothing]) -> Result<Spelled<Nothing>> {
        Ok(inputs.first().map(|&&x| x).into())
    }
}

/// Nanoseconds of one run: the least of many rounds, as whatever disturbs only adds.
fn nanoseconds<R>(mut run: impl FnMut() -> R) -> f64 {
    const RUNS: u32 = 2_000;
    let round = |_| {
        let start = Instant::now();
        for _ in 0..RUNS {
            black_box(run());
        }
        start.elapsed().as_nanos() as f64 / f64::from(RUNS)
    };
    (0..200).map(round).fold(f64::INFINITY, f64::min)
}

fn row(what: &str, time: f64, own: f64) {
    println!("{what:44} {time:8.1} {own:8.1} {:8.1}", time - own);
}

fn main() -> Result<()> {
    autojit::register_library(Idle)?;
    println!("{:44} {:>8} {:>8} {:>8}", "ns", "call", "own", "dispatch");
    let (x, y) = (Array::from_foreign(Nothing), Array::from_foreign(Nothing));
    let (one, two) = ([&Nothing], [&Nothing, &Nothing]);
    let own_one = nanoseconds(|| Idle.call(black_box(&Op::Map(MapOp::Negative)), black_box(&one)));
    let own_two = nanoseconds(|| Idle.call(black_box(&Op::Map(MapOp::Add)), black_box(&two)));
    row(
        "idle: np::negative(&x)",
        nanoseconds(|| np::negative(black_box(&x))),
        own_one,
    );
    row(
        "idle: np::add(&x, &y)",
        nanoseconds(|| np::add(black_box(&x), black_box(&y))),
        own_two,
    );
    row(
        "idle: call!(\"negative\", &x)",
        nanoseconds(|| call!("negative", black_box(&x))),
        own_one,
    );
    row(
        "idle: call!(\"add\", &x, &y)",
        nanoseconds(|| call!("add", black_box(&x), black_box(&y))),
        own_two,
    );

    let numbers = ArrayD::from_elem(IxDyn(&[8]), 1.5).into_shared();
    let own = nanoseconds(|| -> ArcArray<f64, IxDyn> {
        (black_box(&numbers) + black_box(&numbers)).into_shared()
    });
    let a = Array::from(numbers.clone());
    row(
        "ndarray, 8 elements: np::add(&a, &a)",
        nanoseconds(|| np::add(black_box(&a), black_box(&a))),
        own,
    );
    row(
        "ndarray, 8 elements: call!(\"add\", &a, &a)",
        nanoseconds(|| call!("add", black_box(&a), black_box(&a))),
        own,
    );
    // The library's own call gives a number; ours an array, so the array that it takes is the library's too.
    let own = nanoseconds(|| -> ArcArray<f64, IxDyn> {
        ndarray::arr0(black_box(&numbers).sum())
            .into_dyn()
            .into_shared()
    });
    row(
        "ndarray, 8 elements: np::sum(&a, ..)",
        nanoseconds(|| np::sum(black_box(&a), ..)),
        own,
    );
    row(
        "ndarray, 8 elements: call!(\"sum\", &a)",
        nanoseconds(|| call!("sum", black_box(&a))),
        own,
    );

    // Once anything is registered, ops look for functions in their place.
    autojit::register_function("idle", "exp", |args: &Arguments| args.array(0))?;
    row(
        "idle, others replaced: np::negative(&x)",
        nanoseconds(|| np::negative(black_box(&x))),
        own_one,
    );
    row(
        "idle, replaced: np::exp(&x)",
        nanoseconds(|| np::exp(black_box(&x))),
        own_one,
    );
    Ok(())
}
