//! A call of compiled code takes memory for its results, and for nothing else.
//!
//! The allocator counts what the thread of the test asks for; that of the harness says after a minute that a test still runs.
#![cfg(feature = "cranelift")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use autojit::contract::{Execute, Label, Network, Options, plan};
use autojit::{Array, DType, autojit, fori_loop, numpy as np};

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes on to the system's allocator unchanged; counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `System.alloc` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocations<R>(f: impl FnOnce() -> R) -> usize {
    let before = COUNT.get();
    let result = f();
    let count = COUNT.get() - before;
    drop(result);
    count
}

#[test]
fn a_call_takes_memory_for_its_results_only() {
    let (x, y, z) = (
        Array::from([1.0, 2.0, 3.0]),
        Array::from([4.0, 5.0, 6.0]),
        Array::from([7.0, 8.0, 9.0]),
    );

    let sum = autojit(|(x, y, z): (Array, Array, Array)| x * y + np::exp(z));
    let call = || sum.call((&x, &y, &z)).unwrap();
    call();
    assert_eq!(allocations(call), 1);

    let several = autojit(|(x, y, z): (Array, Array, Array)| (&x + &y, &y * &z, np::sum(x, ..), z));
    let call = || several.call((&x, &y, &z)).unwrap();
    call();
    assert_eq!(allocations(call), 4);

    // A large result is not asked for twice.
    let large = np::ones(20_000, DType::Float64);
    let shift = autojit(|x: Array| x + 1.0);
    let call = || shift.call(&large).unwrap();
    call();
    assert_eq!(allocations(call), 1);

    // However many axes it has.
    let axes = np::ones(vec![2_usize; 9], DType::Float64);
    let call = || shift.call(&axes).unwrap();
    call();
    assert_eq!(allocations(call), 1);

    // A workspace, a static argument, and arguments of two kinds in turn.
    let long = autojit(|(x, n): (Array, i64)| (0..n).fold(x, |y, _| np::sum(&y, ..) * &y));
    let call = |n: i64| long.call((&x, n)).unwrap();
    for n in [5, 6] {
        call(n);
    }
    for n in [5, 6, 5, 5, 6] {
        assert_eq!(allocations(|| call(n)), 1, "{n}");
    }
}

/// So does the contraction of a network, of many arguments: lists of them and copies that products make of their factors have room
/// that a thread keeps.
#[test]
fn a_contraction_takes_memory_for_its_result_only() {
    contraction_takes_memory_for_its_result(DType::Float64, 16, 6);
    contraction_takes_memory_for_its_result(DType::Complex64, 16, 6);
    // Factors of 300 x 300, or half of that, are multiplied in blocks on every processor, by kernels that want this of it.
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("fma") {
        contraction_takes_memory_for_its_result(DType::Float64, 16, 300);
        contraction_takes_memory_for_its_result(DType::Float32, 16, 300);
        contraction_takes_memory_for_its_result(DType::Complex128, 4, 140);
    }
}

/// The inner product of two matrix product states: so many sites with these bonds, and bonds of 3 between both.
fn contraction_takes_memory_for_its_result(dtype: DType, sites: u32, bond: u64) {
    let leg = 3;
    let mut inputs = Vec::new();
    let mut sizes = Vec::new();
    for state in 0..2 {
        for site in 0..sites {
            let bonds = [site, site + 1].map(|at| 100 * (state + 1) + at);
            let inner = bonds
                .into_iter()
                .filter(|at| !(at % 100).is_multiple_of(sites));
            inputs.push(inner.chain([site]).collect::<Vec<Label>>());
        }
    }
    for &label in inputs.iter().flatten() {
        sizes.push((label, if label < 100 { leg } else { bond }));
    }
    let network = Network::new(inputs, vec![], sizes).unwrap();
    let found = plan(&network, &Options::default()).unwrap();
    let tensor = |labels: &Vec<Label>| {
        let shape = labels.iter().filter_map(|&label| network.size(label));
        let shape: Vec<usize> = shape.map(|n| n as usize).collect();
        np::ones(shape, dtype)
    };
    let operands: Vec<Array> = network.operands().iter().map(tensor).collect();
    let contraction = autojit(|x: Vec<Array>| found.contract(&x).unwrap());
    let call = || contraction.call(&operands[..]).unwrap();
    call();
    assert_eq!(allocations(call), 1, "{dtype}, bonds of {bond}");
}

/// So does a contraction in slices, however many there are: what a slice needs is there from the one before. Their tensors have many axes
/// in different orders.
#[test]
fn a_contraction_in_slices_takes_memory_for_its_result_only() {
    const AXES: u64 = 17;
    let order = |step: u64| (0..AXES).map(move |at| (at * step % AXES) as Label);
    let inputs = [1, 5, 3]
        .map(|step| order(step).collect::<Vec<Label>>())
        .to_vec();
    let sizes = (0..AXES as Label).map(|label| (label, 2));
    let network = Network::new(inputs, vec![], sizes).unwrap();
    let tensor = |_: &Vec<Label>| np::ones(vec![2_usize; AXES as usize], DType::Float64);
    let operands: Vec<Array> = network.operands().iter().map(tensor).collect();
    for largest in [15, 13, 11] {
        let options = Options {
            largest: Some(f64::from(1 << largest)),
            ..Options::default()
        };
        let found = plan(&network, &options).unwrap();
        assert!(found.cost().slices() >= f64::from(1 << (AXES as u32 - largest)));
        let contraction = autojit(|x: Vec<Array>| found.contract(&x).unwrap());
        let call = || contraction.call(&operands[..]).unwrap();
        call();
        assert_eq!(allocations(call), 1, "{} slices", found.cost().slices());
    }
}

/// So do loops in loops, of many arrays from outside: the lists of their addresses have room that a thread keeps.
#[test]
fn a_loop_in_a_loop_takes_memory_for_its_result_only() {
    let arrays: Vec<Array> = (0..40)
        .map(|k| np::full([2, 3], f64::from(k), ..))
        .collect();
    let nested = autojit(|arrays: Vec<Array>| {
        let inner = |_, x: Array| {
            let sum = arrays.iter().fold(x, |sum, y| sum * 0.5 + np::sin(y));
            np::matmul(sum, np::ones([3, 3], ..))
        };
        let outer = |_, x: Array| fori_loop(0, 4, inner, x).unwrap();
        fori_loop(0, 7, outer, np::zeros([2, 3], ..)).unwrap()
    });
    let call = || nested.call(&arrays[..]).unwrap();
    call();
    assert_eq!(allocations(call), 1);
}
