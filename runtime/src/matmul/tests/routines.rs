//! Routines for small matrices and for sequences of them, beside the ways that any product can go, bit for bit.

use super::*;

/// A check of fractions, and their bits, of each type.
macro_rules! each_floating_type {
    ($check:ident) => {
        $check::<f64>(|x, i| x / (i + 3) as f64, |x| [x.to_bits(), 0]);
        $check::<f32>(|x, i| x / (i + 3) as f32, |x| [x.to_bits().into(), 0]);
        $check::<Complex<f64>>(
            |x, i| x / (i + 3) as f64,
            |x| [x.re.to_bits(), x.im.to_bits()],
        );
        $check::<Complex<f32>>(
            |x, i| x / (i + 3) as f32,
            |x| [x.re.to_bits().into(), x.im.to_bits().into()],
        );
    };
}

/// The product of two squares of an order.
pub(super) fn squares(
    kind: Kind,
    n: usize,
    a: [isize; 2],
    b: [isize; 2],
    c: [isize; 2],
) -> MatrixProduct {
    MatrixProduct {
        kind,
        batch: vec![],
        m: n,
        k: n,
        n,
        a_batch: vec![],
        b_batch: vec![],
        c_batch: vec![],
        a,
        b,
        c,
    }
}

/// Small squares one by one, which have routines of their own, and in a batch that has none.
fn check_squares<T: Sample>(fill: impl Fn(T, usize) -> T, bits: impl Fn(T) -> [u64; 2]) {
    for n in 1..=9 {
        let (row, count) = (n as isize, n * n);
        let filled = |seed: usize| -> Vec<T> {
            let values = (0..count).map(|i| fill(T::value(i + seed), i));
            values.collect()
        };
        let (a, b) = (filled(1), filled(50));
        let layouts = [[row, 1], [1, row]];
        for (strides, right) in layouts.into_iter().flat_map(|a| layouts.map(|b| (a, b))) {
            let one = squares(T::KIND, n, strides, right, [row, 1]);
            // Axes that do not continue one another.
            let [each, all] = [[0, 0, count as isize], [0, 0, 3 * count as isize]];
            let batch = one.repeated(2, each).repeated(2, all);
            assert!(batch.as_sequence().is_none());
            let alike = one.repeated(2, each).repeated(1, all);
            assert!(alike.as_sequence().is_some());
            let has_routine = matches!(n, 2 | 3 | 4 | 6 | 8);
            assert_eq!(alike.is_small_square(), has_routine && right[1] == 1);
            let is_turned = has_routine && right[1] != 1 && strides[0] != 1;
            assert_eq!(one.is_small_square_of_turned(), is_turned);
            for instructions in [Instructions::Chosen, Instructions::Avx2] {
                let (mut x, mut y) = (vec![T::ZERO; count], vec![T::ONE; 5 * count]);
                // SAFETY: the buffers hold two matrices, and room for their product.
                unsafe {
                    instructions.run(&one, a.as_ptr(), b.as_ptr(), x.as_mut_ptr());
                    instructions.run(&batch, a.as_ptr(), b.as_ptr(), y.as_mut_ptr());
                }
                let same = x.iter().zip(&y).all(|(&x, &y)| bits(x) == bits(y));
                assert!(
                    same,
                    "{instructions:?} {n} {strides:?} {right:?}: {x:?} {y:?}"
                );
            }
        }
    }
}

#[test]
fn small_squares_have_the_bits_of_batches() {
    each_floating_type!(check_squares);
}

/// Matrices with short rows and a vector, one by one, which has a routine of its own, and in a batch that has none.
fn check_short_rows<T: Sample>(
    fill: impl Fn(usize) -> T,
    vector: impl Fn(usize) -> T,
    bits: impl Fn(T) -> u64,
) {
    for (m, k) in (1..=11).flat_map(|m| (1..=17).map(move |k| (m, k))) {
        let one = by_vector(T::KIND, m, k);
        // Of matrices that are apart, lest they are multiplied together.
        let batch = one.repeated(1, [(m * k) as isize, 0, 0]);
        for seed in 0..3 {
            let a: Vec<T> = (0..m * k).map(|i| fill(7 * i + seed)).collect();
            let b: Vec<T> = (0..k).map(|i| vector(5 * i + 2 * seed)).collect();
            for instructions in [Instructions::Chosen, Instructions::Avx2] {
                let (mut x, mut y) = (vec![T::ONE; m], vec![T::ZERO; m]);
                // SAFETY: the buffers hold a matrix, a vector, and room for their product.
                unsafe {
                    instructions.run(&one, a.as_ptr(), b.as_ptr(), x.as_mut_ptr());
                    instructions.run(&batch, a.as_ptr(), b.as_ptr(), y.as_mut_ptr());
                }
                let same = x.iter().zip(&y).all(|(&x, &y)| bits(x) == bits(y));
                assert!(same, "{instructions:?} {m} {k} {seed}: {x:?} {y:?}");
            }
        }
    }
}

#[test]
fn short_rows_have_the_bits_of_batches() {
    let quotient = |i: usize| (i as f64 - 20.0) / (i + 3) as f64;
    let single = |i: usize| quotient(i) as f32;
    check_short_rows::<f64>(quotient, quotient, f64::to_bits);
    check_short_rows::<f32>(single, single, |x| x.to_bits().into());
    // Products that are too small for a number, all negative or most of them.
    let tiny = |i: usize| if i % 70 == 3 { -1e-200 } else { 1e-200 };
    check_short_rows::<f64>(tiny, |_| -1e-200, f64::to_bits);
    let tiny = |i: usize| if i % 70 == 3 { -1e-30 } else { 1e-30 };
    check_short_rows::<f32>(tiny, |_| -1e-30, |x| x.to_bits().into());
}

/// Where the operands of the first product are, as numbers of matrices, and how they move.
const SEQUENCES: &[([isize; 3], [[isize; 3]; 2])] = &[
    // Each apart; one factor again and again.
    ([0, 8, 16], [[1, 1, 1]; 2]),
    ([7, 8, 23], [[-1, 0, -1]; 2]),
    // The left factor is the result before, in two buffers or in as many as there are products.
    ([17, 0, 16], [[-1, 1, 1], [1, 1, -1]]),
    ([0, 16, 1], [[1, 1, 1]; 2]),
    // The right one.
    ([0, 17, 16], [[1, -1, 1], [1, 1, -1]]),
    ([16, 0, 1], [[0, 1, 1]; 2]),
    // Both.
    ([17, 17, 16], [[-1, -1, 1], [1, 1, -1]]),
    // Only the second and the third product, or the second and the fourth.
    ([17, 0, 16], [[-1, 1, 2], [0, 1, 1]]),
    ([17, 0, 16], [[-1, 1, 1], [1, 1, 3]]),
];

/// Products one after the other, which may need those before, beside each alone.
fn check_sequences<T: Sample>(fill: impl Fn(T, usize) -> T, bits: impl Fn(T) -> [u64; 2]) {
    // A row more than the matrix has, so that a result may have a layout of its own.
    for (n, apart) in [
        (2, 2),
        (2, 3),
        (3, 3),
        (4, 4),
        (4, 5),
        (5, 5),
        (6, 6),
        (8, 8),
    ] {
        let (row, size) = (apart as isize, n * apart);
        let one = squares(T::KIND, n, [n as isize, 1], [n as isize, 1], [row, 1]);
        let memory: Vec<T> = (0..26 * size).map(|i| fill(T::value(i), i % 7)).collect();
        for (case, &(first, moves)) in SEQUENCES.iter().enumerate() {
            for (times, instructions) in [1, 2, 3, 6].into_iter().flat_map(|times| {
                [
                    Instructions::Chosen,
                    Instructions::Avx2,
                    Instructions::Portable,
                ]
                .map(|i| (times, i))
            }) {
                let (mut all, mut each) = (memory.clone(), memory.clone());
                let bytes = moves.map(|m| m.map(|m| m * size as isize * size_of::<T>() as isize));
                let (all_at, each_at) = (all.as_mut_ptr(), each.as_mut_ptr());
                let mut at = first;
                // SAFETY: there are as many matrices as the operands reach, and results are apart from the factors of their product.
                unsafe {
                    let [a, b, c] = first.map(|at| all_at.offset(at * size as isize));
                    instructions.run_times(&one, times, [a, b, c], bytes);
                    for number in 0..times {
                        let [a, b, c] = at.map(|at| each_at.offset(at * size as isize));
                        instructions.run(&one, a, b, c);
                        for (at, moves) in at.iter_mut().zip(moves[number % 2]) {
                            *at += moves;
                        }
                    }
                }
                let same = all.iter().zip(&each).all(|(&x, &y)| bits(x) == bits(y));
                assert!(
                    same,
                    "{instructions:?} {n} {apart}: {times} of sequence {case}"
                );
            }
        }
    }
}

#[test]
fn products_one_after_the_other_are_those_of_each_alone() {
    each_floating_type!(check_sequences);
    check_sequences::<i64>(|x, _| x, |x| [x as u64, 0]);
}
