//! Matrix products against the definition, for every kind, way, layout and special value.

#[cfg(target_arch = "x86_64")]
mod blocks;
mod routines;
mod stack;

use super::*;
#[cfg(target_arch = "x86_64")]
use crate::processor::{self, Level};
use std::fmt::Debug;

/// Element types with test values and a slow, exact-enough product.
trait Sample: Element + Debug + PartialEq {
    const KIND: Kind;
    fn value(seed: usize) -> Self;
    fn reference(terms: &[(Self, Self)]) -> Self;
    fn close(self, other: Self) -> bool;
}

fn small(seed: usize) -> i64 {
    (seed.wrapping_mul(2_654_435_761) >> 7) as i64 % 19 - 9
}

macro_rules! sample {
    ($($type:ty, $kind:ident, $value:expr;)*) => {$(
        impl Sample for $type {
            const KIND: Kind = Kind::$kind;
            fn value(seed: usize) -> Self {
                ($value)(small(seed))
            }
            fn reference(terms: &[(Self, Self)]) -> Self {
                terms.iter().fold(Self::ZERO, |sum, &(a, b)| a.multiply_add(b, sum, false))
            }
            fn close(self, other: Self) -> bool {
                self == other
            }
        }
    )*};
}

// Small integers: every order of summation is exact in every type.
sample! {
    Truth, Bool, |x| Truth(u8::from(x > 5));
    u8, Uint8, |x: i64| (x.unsigned_abs() as u8).wrapping_mul(23);
    i32, Int32, |x: i64| (x as i32).wrapping_mul(300_000_007);
    i64, Int64, |x: i64| x.wrapping_mul(3_000_000_000_000_000_007);
    f32, Float32, |x: i64| x as f32;
    f64, Float64, |x: i64| x as f64;
    Complex<f32>, Complex64, |x: i64| Complex::new(x as f32, (x * x % 7) as f32);
    Complex<f64>, Complex128, |x: i64| Complex::new(x as f64, (x * x % 7) as f64);
}

/// A buffer, where the first element lies in it, and the strides of rows and columns.
struct Operand {
    start: usize,
    strides: [isize; 2],
    size: usize,
}

const LAYOUTS: usize = 6;

/// Row-major, column-major, strided, reversed in one or both axes.
fn operand(layout: usize, rows: usize, columns: usize) -> Operand {
    let (r, c) = (rows as isize, columns as isize);
    let last = |n: usize| n.saturating_sub(1);
    match layout {
        0 => Operand {
            start: 0,
            strides: [c, 1],
            size: rows * columns,
        },
        1 => Operand {
            start: 0,
            strides: [1, r],
            size: rows * columns,
        },
        2 => Operand {
            start: 0,
            strides: [2 * c + 1, 2],
            size: rows * (2 * columns + 1),
        },
        3 => Operand {
            start: last(rows) * columns,
            strides: [-c, 1],
            size: rows * columns,
        },
        4 => Operand {
            start: last(rows) + last(columns) * rows,
            strides: [-1, -r],
            size: rows * columns,
        },
        _ => Operand {
            start: 1,
            strides: [c + 3, 1],
            size: rows * (columns + 3) + 1,
        },
    }
}

/// Broadcast along one axis, for inputs alone.
fn broadcast(layout: usize, rows: usize, columns: usize) -> Operand {
    match layout {
        6 => Operand {
            start: 0,
            strides: [0, 1],
            size: columns.max(1),
        },
        7 => Operand {
            start: 0,
            strides: [1, 0],
            size: rows.max(1),
        },
        _ => operand(layout, rows, columns),
    }
}

fn check<T: Sample>(m: usize, k: usize, n: usize, layouts: [usize; 3], garbage: T) {
    let (a, b, c) = (
        broadcast(layouts[0], m, k),
        broadcast(layouts[1], k, n),
        operand(layouts[2], m, n),
    );
    let left: Vec<T> = (0..a.size).map(T::value).collect();
    let right: Vec<T> = (0..b.size).map(|i| T::value(i + 1000)).collect();
    let product = MatrixProduct {
        kind: T::KIND,
        batch: vec![],
        m,
        k,
        n,
        a_batch: vec![],
        b_batch: vec![],
        c_batch: vec![],
        a: a.strides,
        b: b.strides,
        c: c.strides,
    };
    for instructions in [
        Instructions::Chosen,
        Instructions::Avx2,
        Instructions::Portable,
    ] {
        let mut result = vec![garbage; c.size];
        // Wrapping: an empty operand has no first element.
        let (x, y, z) = (
            left.as_ptr().wrapping_add(a.start),
            right.as_ptr().wrapping_add(b.start),
            result.as_mut_ptr().wrapping_add(c.start),
        );
        // SAFETY: `operand` and `broadcast` size the buffers for their strides.
        unsafe { instructions.run(&product, x, y, z) };
        let what = format!("{m}x{k}x{n} {layouts:?} {instructions:?}");
        compare(
            &what,
            [&a, &b, &c],
            [&left, &right, &result],
            [m, k, n],
            garbage,
        );
    }
}

/// The instructions to test; a machine that has AVX-512 does not choose the others by itself.
#[derive(Clone, Copy, Debug)]
enum Instructions {
    Chosen,
    Avx2,
    Portable,
}

impl Instructions {
    /// # Safety
    /// As for [`MatrixProduct::run`].
    unsafe fn run<T: Sample>(self, product: &MatrixProduct, a: *const T, b: *const T, c: *mut T) {
        let empty = product.m == 0 || product.n == 0;
        // SAFETY: passed on from the caller; features are tested for.
        unsafe {
            match self {
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx2 if !empty && processor::level() >= Level::Avx2 => {
                    product.run_avx2(1, a, b, c);
                }
                Instructions::Portable if !empty => {
                    product.run_elements::<T, Portable<T::Part, false>>(1, a, b, c);
                }
                _ => product.run(a.cast(), b.cast(), c.cast()),
            }
        }
    }

    /// # Safety
    /// As for [`MatrixProduct::run_times`].
    unsafe fn run_times<T: Sample>(
        self,
        product: &MatrixProduct,
        times: usize,
        [a, b, c]: [*mut T; 3],
        moves: [[isize; 3]; 2],
    ) {
        // SAFETY: passed on from the caller; features are tested for.
        unsafe {
            match self {
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx2
                    if T::FLOATING
                        && processor::level() >= Level::Avx2
                        && product.is_small_square() =>
                {
                    let sequence = square::Sequence { times, moves };
                    product.squares_avx2(sequence, a.cast_const(), b.cast_const(), c);
                }
                Instructions::Portable => {
                    let mut at = [a, b, c];
                    for number in 0..times {
                        self.run(product, at[0], at[1], at[2]);
                        for (pointer, bytes) in at.iter_mut().zip(moves[number % 2]) {
                            *pointer = pointer.wrapping_byte_offset(bytes);
                        }
                    }
                }
                _ => product.run_times(times, [a.cast(), b.cast(), c.cast()], moves),
            }
        }
    }
}

/// Every element against the definition, and everything between the elements against `garbage`.
fn compare<T: Sample>(
    what: &str,
    [a, b, c]: [&Operand; 3],
    [left, right, result]: [&[T]; 3],
    [m, k, n]: [usize; 3],
    garbage: T,
) {
    let at = |operand: &Operand, row: usize, column: usize| {
        (operand.start as isize
            + row as isize * operand.strides[0]
            + column as isize * operand.strides[1]) as usize
    };
    let mut written = vec![false; c.size];
    for i in 0..m {
        for j in 0..n {
            let terms: Vec<_> = (0..k)
                .map(|p| (left[at(a, i, p)], right[at(b, p, j)]))
                .collect();
            let (got, want) = (result[at(c, i, j)], T::reference(&terms));
            assert!(got.close(want), "{what} [{i},{j}]: {got:?} {want:?}");
            written[at(c, i, j)] = true;
        }
    }
    for (position, written) in written.into_iter().enumerate() {
        assert!(
            written || same_bytes(result[position], garbage),
            "{what} wrote outside"
        );
    }
}

/// Equal, or both NaN in print.
fn same_bytes<T: Debug>(x: T, y: T) -> bool {
    format!("{x:?}") == format!("{y:?}")
}

fn check_all<T: Sample>(garbage: T) {
    let sizes = [
        (1, 1, 1),
        (1, 7, 1),
        (1, 100, 1),
        (3, 5, 1),
        (1, 5, 3),
        (70, 67, 1),
        (1, 67, 70),
        (2, 2, 2),
        (3, 3, 3),
        (4, 4, 4),
        (6, 6, 6),
        (5, 3, 7),
        (7, 9, 11),
        (8, 8, 8),
        (17, 19, 23),
        (3, 0, 4),
        (0, 3, 4),
        (4, 3, 0),
        (6, 1, 6),
    ];
    for (m, k, n) in sizes {
        for a in 0..8 {
            for b in 0..8 {
                check::<T>(m, k, n, [a, b, 0], garbage);
            }
        }
        for c in 1..LAYOUTS {
            check::<T>(m, k, n, [c, c, c], garbage);
            check::<T>(m, k, n, [0, 1, c], garbage);
            check::<T>(m, k, n, [1, 0, c], garbage);
        }
    }
}

// The result buffers start as NaN or noise: nothing of them may leak into the results.
#[test]
fn floats_agree_with_the_definition() {
    check_all::<f32>(f32::NAN);
    check_all::<f64>(f64::NAN);
}

#[test]
fn complex_numbers_agree_with_the_definition() {
    check_all::<Complex<f32>>(Complex::new(f32::NAN, f32::NAN));
    check_all::<Complex<f64>>(Complex::new(f64::NAN, f64::NAN));
}

#[test]
fn integers_wrap_and_bools_are_any_of_and() {
    check_all::<u8>(77);
    check_all::<i32>(77);
    check_all::<i64>(77);
    check_all::<Truth>(Truth(1));
}

#[test]
fn infinity_times_zero_is_nan_in_every_way() {
    // Sizes that go by dots, tiles and gemm; column-major and row-major.
    for size in [1, 2, 3, 8, 9, 20, 70] {
        for (n, a_strides) in [
            (1, [size, 1]),
            (1, [1, size]),
            (size, [size, 1]),
            (size, [1, size]),
        ] {
            let (m, k) = (size as usize, size as usize);
            let product = MatrixProduct {
                kind: Kind::Float64,
                batch: vec![],
                m,
                k,
                n: n as usize,
                a_batch: vec![],
                b_batch: vec![],
                c_batch: vec![],
                a: a_strides,
                b: [n, 1],
                c: [n, 1],
            };
            // Infinity in the last column of a, zeros in b: every element of c is NaN.
            let mut a = vec![1.0; m * k];
            for row in 0..m {
                a[row * a_strides[0] as usize + (k - 1) * a_strides[1] as usize] = f64::INFINITY;
            }
            let mut b = vec![0.0; k * n as usize];
            let mut c = vec![7.0_f64; m * n as usize];
            // SAFETY: the sizes are those of the product.
            unsafe { product.run(a.as_ptr().cast(), b.as_ptr().cast(), c.as_mut_ptr().cast()) };
            assert!(c.iter().all(|x| x.is_nan()), "{product:?}: {c:?}");
            b.fill(1.0);
            // SAFETY: as above.
            unsafe { product.run(a.as_ptr().cast(), b.as_ptr().cast(), c.as_mut_ptr().cast()) };
            assert!(c.iter().all(|&x| x == f64::INFINITY), "{product:?}: {c:?}");
        }
    }
}

#[test]
fn batches_broadcast() {
    let (a, b): (Vec<f64>, Vec<f64>) = (
        (0..12).map(f64::from).collect(),
        (0..8).map(f64::from).collect(),
    );
    let mut c = vec![f64::NAN; 3 * 2 * 4];
    let product = MatrixProduct {
        kind: Kind::Float64,
        batch: vec![3, 2],
        m: 2,
        k: 2,
        n: 2,
        a_batch: vec![4, 0],
        b_batch: vec![0, 4],
        c_batch: vec![8, 4],
        a: [2, 1],
        b: [2, 1],
        c: [2, 1],
    };
    // SAFETY: three matrices in a, two in b, six in c.
    unsafe { product.run(a.as_ptr().cast(), b.as_ptr().cast(), c.as_mut_ptr().cast()) };
    for (outer, inner) in [(0, 0), (1, 1), (2, 0)] {
        for i in 0..2 {
            for j in 0..2 {
                let want: f64 = (0..2)
                    .map(|p| a[outer * 4 + i * 2 + p] * b[inner * 4 + p * 2 + j])
                    .sum();
                assert_eq!(c[outer * 8 + inner * 4 + i * 2 + j], want);
            }
        }
    }
    let empty = MatrixProduct {
        batch: vec![0, 2],
        ..product
    };
    // SAFETY: nothing is touched.
    unsafe { empty.run(std::ptr::null(), std::ptr::null(), std::ptr::null_mut()) };
}

/// The product of a matrix in C order and a vector.
fn by_vector(kind: Kind, m: usize, k: usize) -> MatrixProduct {
    MatrixProduct {
        kind,
        batch: vec![],
        m,
        k,
        n: 1,
        a_batch: vec![],
        b_batch: vec![],
        c_batch: vec![],
        a: [k as isize, 1],
        b: [1, 1],
        c: [1, 1],
    }
}

/// Products of one matrix with many vectors, and the same one by one, bit for bit.
fn check_columns<T: Sample>(fraction: impl Fn(T, usize) -> T, bits: impl Fn(T) -> [u64; 2]) {
    for (m, k, count) in [
        (1, 5, 3),
        (4, 4, 2),
        (7, 3, 5),
        (8, 9, 1),
        (13, 33, 4),
        (21, 64, 7),
    ] {
        let fill = |n: usize, from: usize| -> Vec<T> {
            (0..n)
                .map(|i| fraction(T::value(i + from), i + from))
                .collect()
        };
        let (a, b) = (fill(m * k, 1), fill(count * k, 77));
        let one = by_vector(T::KIND, m, k);
        let mut expected = vec![T::ZERO; m * count];
        for column in 0..count {
            let (b, c) = (&b[column * k..], &mut expected[column * m..]);
            // SAFETY: the buffers hold a matrix, a vector from there on, and room for the product.
            unsafe { one.run(a.as_ptr().cast(), b.as_ptr().cast(), c.as_mut_ptr().cast()) };
        }
        for backwards in [false, true] {
            let steps = [k as isize, m as isize].map(|s| if backwards { -s } else { s });
            let all = one.repeated(count, [0, steps[0], steps[1]]);
            let first = if backwards { count - 1 } else { 0 };
            let mut c = vec![T::ZERO; m * count];
            // SAFETY: as above, from the first or the last vector on.
            unsafe {
                let (b, c) = (b.as_ptr().add(first * k), c.as_mut_ptr().add(first * m));
                all.run(a.as_ptr().cast(), b.cast(), c.cast());
            }
            let same = c.iter().zip(&expected).all(|(&x, &y)| bits(x) == bits(y));
            assert!(same, "{m} x {k}, {count} columns, backwards: {backwards}");
        }
    }
}

#[test]
fn columns_are_multiplied_together_as_one_by_one() {
    check_columns::<f64>(|x, i| x + 1.0 / (i + 3) as f64, |x| [x.to_bits(), 0]);
    check_columns::<f32>(|x, i| x + 1.0 / (i + 3) as f32, |x| [x.to_bits().into(), 0]);
    check_columns::<Complex<f64>>(
        |x, i| x / (i + 3) as f64,
        |x| [x.re.to_bits(), x.im.to_bits()],
    );
    check_columns::<Complex<f32>>(
        |x, i| x / (i + 3) as f32,
        |x| [x.re.to_bits().into(), x.im.to_bits().into()],
    );
    check_columns::<i64>(|x, _| x, |x| [x.cast_unsigned(), 0]);
}

#[test]
fn the_last_row_may_come_first() {
    let (m, k) = (100, 67);
    let fill = |n: usize| -> Vec<f64> { (0..n).map(|i| 1.0 / (i % 91 + 3) as f64).collect() };
    let (a, b) = (fill(m * k), fill(k));
    let product = by_vector(Kind::Float64, m, k);
    let (backwards, [first, _, last]) = product.backwards().unwrap();
    assert_eq!([first, last], [99 * 67 * 8, 99 * 8]);
    let (mut x, mut y) = (vec![0.0_f64; m], vec![0.0_f64; m]);
    // SAFETY: the buffers hold a matrix, a vector and room for the product, and the last rows begin so much later.
    unsafe {
        product.run(a.as_ptr().cast(), b.as_ptr().cast(), x.as_mut_ptr().cast());
        let (a, y) = (
            a.as_ptr().byte_offset(first),
            y.as_mut_ptr().byte_offset(last),
        );
        backwards.run(a.cast(), b.as_ptr().cast(), y.cast());
    }
    assert!(x.iter().zip(&y).all(|(x, y)| x.to_bits() == y.to_bits()));
    let with = |change: &dyn Fn(&mut MatrixProduct)| {
        let mut product = product.clone();
        change(&mut product);
        product.backwards()
    };
    assert!(with(&|p| p.m = 98).is_none());
    assert!(with(&|p| p.k = 2).is_none());
    assert!(with(&|p| p.n = 2).is_none());
    assert!(with(&|p| p.kind = Kind::Int64).is_none());
}
