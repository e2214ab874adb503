//! Batched matrix products of strided matrices of every element kind.
//!
//! A [`MatrixProduct`] says shapes and strides; [`MatrixProduct::run`] chooses one way for the whole batch (see `Way`) and
//! one set of vector instructions, then loops. Large floating-point products go to the crate `gemm` or, on one thread, to
//! its kernels (`blocks`); small ones, products with vectors and products of integers to the kernels of `element`.
//!
//! Inner products, of one row with one column, are sums of rounded products in the order of [`crate::sum`]. Others are summed in
//! unspecified order and may be fused, but every product enters: infinities and NaN propagate as in the sum of products.
//! Nothing of the old `c` is read. Shapes are not checked: that is the caller's business.

#![cfg_attr(
    not(target_arch = "x86_64"),
    allow(
        dead_code,
        unused_imports,
        reason = "small squares have routines of their own where vectors are those of x86"
    )
)]

#[cfg(target_arch = "x86_64")]
mod blocks;
#[cfg(target_arch = "x86_64")]
mod complex_kernels;
mod dots;
mod element;
mod packing;
mod short;
mod square;
#[cfg(test)]
mod tests;
mod tiles;
mod vector;

use crate::kind::Kind;
use crate::odometer::Odometer;
use dots::{dots, dots_of_columns};
use element::Element;
use num_complex::Complex;
use packing::Packing;
use short::short_rows;
use square::{square, square_of_turned};
use tiles::tiles;
use vector::{Portable, Truth, Vector};

/// Up to this many bytes of `b` our own tiles beat `gemm` on a machine with AVX-512, which `gemm` 0.19 does not use:
/// then `b` stays in the second-level cache (measured on Zen 5; twice the speed from order 10 to 64, 1.3 at 128).
const WIDE_RIGHT_SIDE: usize = 256 * 1024;
/// Up to this many multiplications they do so anywhere, because `gemm` packs and blocks.
const SMALL_PRODUCT: usize = 8192;
/// Up to this many elements of a matrix whose columns are contiguous, tiles beat `gemm` at a product with a vector.
const SMALL_MATRIX: usize = 4096;

/// `c = a b` for a batch of `m` by `k` and `k` by `n` matrices (`numpy.matmul`).
///
/// All strides are in elements. Those of `a` and `b` may be zero or negative; positions of `c` must be distinct.
/// Integers wrap; for bools the sum is "any" and the product "and", on bytes 0 and 1. With `k` = 0 the result is zero.
///
/// ```
/// use autojit_runtime::{abi::Kind, matmul::MatrixProduct};
/// let product = MatrixProduct {
///     kind: Kind::Float64,
///     batch: vec![],
///     m: 2, k: 2, n: 1,
///     a_batch: vec![], b_batch: vec![], c_batch: vec![],
///     a: [2, 1], b: [1, 1], c: [1, 1],
/// };
/// let (a, b, mut c) = ([1.0, 2.0, 3.0, 4.0], [10.0, 1.0], [0.0; 2]);
/// // SAFETY: the buffers hold the matrices that `product` describes.
/// unsafe { product.run(a.as_ptr().cast(), b.as_ptr().cast(), c.as_mut_ptr().cast()) };
/// assert_eq!(c, [12.0, 34.0]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MatrixProduct {
    /// Element type of all three.
    pub kind: Kind,
    /// Lengths of the batch axes.
    pub batch: Vec<usize>,
    /// Rows of `a` and `c`.
    pub m: usize,
    /// Columns of `a`, rows of `b`.
    pub k: usize,
    /// Columns of `b` and `c`.
    pub n: usize,
    /// Strides of `a` along the batch axes.
    pub a_batch: Vec<isize>,
    /// Strides of `b` along the batch axes.
    pub b_batch: Vec<isize>,
    /// Strides of `c` along the batch axes.
    pub c_batch: Vec<isize>,
    /// Row and column stride of `a`.
    pub a: [isize; 2],
    /// Row and column stride of `b`.
    pub b: [isize; 2],
    /// Row and column stride of `c`.
    pub c: [isize; 2],
}

impl MatrixProduct {
    /// How many multiplications of elements it takes.
    #[must_use]
    pub fn multiplications(&self) -> usize {
        let lengths = self.batch.iter().chain([&self.m, &self.k, &self.n]);
        lengths.fold(1, |product, &n| product.saturating_mul(n))
    }

    /// This product `count` times, with the operands and the result this many elements apart.
    #[must_use]
    pub fn repeated(&self, count: usize, [a, b, c]: [isize; 3]) -> Self {
        let mut repeated = self.clone();
        repeated.batch.insert(0, count);
        repeated.a_batch.insert(0, a);
        repeated.b_batch.insert(0, b);
        repeated.c_batch.insert(0, c);
        repeated
    }

    /// The same product of a matrix and a vector from the last row to the first, and how many bytes later its operands begin: what of a
    /// matrix is in the first cache after one product is what the other one reads first. `None` if it would have other
    /// bits, or if the matrix is so small or so large that it would gain nothing.
    #[must_use]
    pub fn backwards(&self) -> Option<(Self, [isize; 3])> {
        let is_real = matches!(self.kind, Kind::Float32 | Kind::Float64);
        let is_plain = self.batch.is_empty() && self.n == 1 && self.a[1] == 1 && self.b[0] == 1;
        // Rows that are not in groups of four are summed otherwise.
        let size = self.kind.size() as isize;
        let bytes = self
            .m
            .saturating_mul(self.k)
            .saturating_mul(self.kind.size());
        if !is_real || !is_plain || !self.m.is_multiple_of(4) || !SECOND_CACHE.contains(&bytes) {
            return None;
        }
        let last = self.m as isize - 1;
        let moves = [last * self.a[0] * size, 0, last * self.c[0] * size];
        let mut backwards = self.clone();
        backwards.a[0] = -self.a[0];
        backwards.c[0] = -self.c[0];
        Some((backwards, moves))
    }
}

/// Bytes of matrices that are in the second cache when they are read again, but not in the first.
const SECOND_CACHE: std::ops::Range<usize> = 32 * 1024..512 * 1024;

/// Operands that go to another thread.
#[derive(Clone, Copy)]
struct Pointers([*mut u8; 3]);

// SAFETY: they are used for the parts of one product, which do not overlap, while its caller waits.
unsafe impl Send for Pointers {}

/// How each product of the batch is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Nothing to sum.
    Zero,
    /// The crate `gemm`.
    Gemm,
    /// Both are vectors: the sum of products in the defined order.
    Inner,
    /// `b` is a vector: dot products with the rows of `a`.
    Dots,
    /// Register tiles over contiguous rows of `b`, packed first where they are not contiguous.
    Tiles,
}

/// One product of the batch: shape and strides, possibly of the transposed problem `c^T = b^T a^T`.
#[derive(Clone, Copy, Debug)]
struct Layout {
    m: usize,
    k: usize,
    n: usize,
    a: [isize; 2],
    b: [isize; 2],
    c: [isize; 2],
    /// Whether the operands have changed places.
    transposed: bool,
}

impl Layout {
    fn transpose(self) -> Self {
        let swap = |[row, column]: [isize; 2]| [column, row];
        Layout {
            m: self.n,
            k: self.k,
            n: self.m,
            a: swap(self.b),
            b: swap(self.a),
            c: swap(self.c),
            transposed: !self.transposed,
        }
    }

    /// Chooses the way, and the orientation in which it runs along contiguous memory.
    fn choose<T: Element, V: Vector>(mut self) -> (Way, Self) {
        if self.k == 0 {
            return (Way::Zero, self);
        }
        if self.m == 1 && self.n == 1 && T::FLOATING {
            return (Way::Inner, self);
        }
        if self.m == 1 && self.n != 1 {
            self = self.transpose();
        }
        if self.n == 1 {
            let columns_contiguous = self.m > 1 && self.a[0] == 1 && self.a[1] != 1;
            return if !columns_contiguous {
                (Way::Dots, self)
            } else if T::FLOATING && self.m * self.k > SMALL_MATRIX {
                (Way::Gemm, self)
            } else {
                (Way::Tiles, self.transpose())
            };
        }
        let ready = |layout: Self| (layout.b[1] == 1, layout.c[1] == 1);
        let transposed = self.transpose();
        let tiled = if ready(transposed) > ready(self) {
            transposed
        } else {
            self
        };
        let right_side = tiled
            .k
            .saturating_mul(tiled.n)
            .saturating_mul(size_of::<T>());
        let wide = V::LANES * size_of::<V::Lane>() >= 64 && right_side <= WIDE_RIGHT_SIDE;
        let small = self.m.saturating_mul(self.n).saturating_mul(self.k) <= SMALL_PRODUCT;
        if wide || small || !T::FLOATING {
            (Way::Tiles, tiled)
        } else {
            (Way::Gemm, self)
        }
    }
}

impl MatrixProduct {
    /// Multiplies.
    ///
    /// # Safety
    /// Every position that the shapes and strides reach must be readable from `a` and `b`, and writable in `c`, as an
    /// aligned element of `kind`; `c` must not overlap `a` or `b`. `batch` and its strides must be of equal length.
    pub unsafe fn run(&self, a: *const u8, b: *const u8, c: *mut u8) {
        // SAFETY: passed on from the caller.
        unsafe { self.run_on(1, a, b, c) };
    }

    /// Multiplies on up to `threads` threads of rayon's pool; the result has the same bits for any number of them.
    ///
    /// A batch is divided along its first axis, and a single product within the crate `gemm`, if it goes there.
    ///
    /// # Safety
    /// As for [`run`](Self::run).
    pub unsafe fn run_threaded(&self, threads: usize, a: *const u8, b: *const u8, c: *mut u8) {
        let count = self.batch.first().copied().unwrap_or(1);
        if threads < 2 || count < threads {
            // SAFETY: passed on from the caller.
            return unsafe { self.run_on(threads.max(1), a, b, c) };
        }
        let size = self.kind.size() as isize;
        let pointers = Pointers([a.cast_mut(), b.cast_mut(), c]);
        rayon::in_place_scope(|scope| {
            for part in 0..threads {
                let (start, end) = (part * count / threads, (part + 1) * count / threads);
                let mut product = self.clone();
                product.batch[0] = end - start;
                let moves = [self.a_batch[0], self.b_batch[0], self.c_batch[0]];
                let at = |operand: usize| {
                    let bytes = start as isize * moves[operand] * size;
                    pointers.0[operand].wrapping_offset(bytes)
                };
                let part = Pointers([at(0), at(1), at(2)]);
                scope.spawn(move |_| {
                    // The whole may go to another thread, its field may not.
                    let part = part;
                    let Pointers([a, b, c]) = part;
                    // SAFETY: these products of the batch are the caller's, and positions of `c` are distinct.
                    unsafe { product.run_on(1, a, b, c) };
                });
            }
        });
    }

    /// # Safety
    /// As for [`run`](Self::run).
    unsafe fn run_on(&self, threads: usize, a: *const u8, b: *const u8, c: *mut u8) {
        if self.m == 0 || self.n == 0 || self.batch.contains(&0) {
            return;
        }
        // SAFETY: passed on from the caller; the type is that of the kind.
        unsafe {
            match self.kind {
                Kind::Bool => self.dispatch::<Truth>(threads, a.cast(), b.cast(), c.cast()),
                Kind::Uint8 => self.dispatch::<u8>(threads, a.cast(), b.cast(), c.cast()),
                Kind::Int32 => self.dispatch::<i32>(threads, a.cast(), b.cast(), c.cast()),
                Kind::Int64 => self.dispatch::<i64>(threads, a.cast(), b.cast(), c.cast()),
                Kind::Float32 => self.dispatch::<f32>(threads, a.cast(), b.cast(), c.cast()),
                Kind::Float64 => self.dispatch::<f64>(threads, a.cast(), b.cast(), c.cast()),
                Kind::Complex64 => {
                    self.dispatch::<Complex<f32>>(threads, a.cast(), b.cast(), c.cast());
                }
                Kind::Complex128 => {
                    self.dispatch::<Complex<f64>>(threads, a.cast(), b.cast(), c.cast());
                }
            }
        }
    }

    /// Chooses the vector instructions of this machine.
    ///
    /// # Safety
    /// As for [`run`](Self::run), with elements of type `T` and nothing empty but perhaps `k`.
    unsafe fn dispatch<T: Element>(&self, threads: usize, a: *const T, b: *const T, c: *mut T) {
        #[cfg(target_arch = "x86_64")]
        {
            use crate::processor::{self, Level};
            match processor::level() {
                // SAFETY: the processor has the features; the rest is the caller's promise.
                Level::Avx512 => return unsafe { self.run_avx512(threads, a, b, c) },
                // SAFETY: the same.
                Level::Avx2 => return unsafe { self.run_avx2(threads, a, b, c) },
                Level::Baseline => {}
            }
        }
        // Elsewhere fused multiply-add is certain on 64-bit ARM only.
        // SAFETY: passed on from the caller.
        unsafe {
            if cfg!(target_arch = "aarch64") {
                self.run_elements::<T, Portable<T::Part, true>>(threads, a, b, c);
            } else {
                self.run_elements::<T, Portable<T::Part, false>>(threads, a, b, c);
            }
        }
    }

    /// The loop over the batch.
    ///
    /// # Safety
    /// As for [`dispatch`](Self::dispatch), on a machine that has `V`.
    #[inline(always)]
    unsafe fn run_elements<T: Element, V: Vector<Lane = T::Part>>(
        &self,
        threads: usize,
        a: *const T,
        b: *const T,
        c: *mut T,
    ) {
        let layout = Layout {
            m: self.m,
            k: self.k,
            n: self.n,
            a: self.a,
            b: self.b,
            c: self.c,
            transposed: false,
        };
        let (way, layout) = layout.choose::<T, V>();
        if let (Way::Dots, [count]) = (way, &self.batch[..]) {
            let (mut left, mut right) = ((a, self.a_batch[0]), (b, self.b_batch[0]));
            if layout.transposed {
                std::mem::swap(&mut left, &mut right);
            }
            let contiguous = layout.k == 1 || (layout.a[1] == 1 && layout.b[0] == 1);
            if left.1 == 0 && contiguous {
                // SAFETY: passed on from the caller.
                unsafe {
                    dots_of_columns::<T, V>(&layout, *count, left.0, right, (c, self.c_batch[0]));
                }
                return;
            }
        }
        let mut packing = Packing::default();
        if self.batch.is_empty() {
            // SAFETY: passed on from the caller.
            return unsafe { single::<T, V>(way, &layout, threads, [a, b], c, &mut packing) };
        }
        let mut odometer = Odometer::new(self.batch.len());
        loop {
            let [a_offset, b_offset, c_offset] = odometer.offsets;
            // SAFETY: the offsets are those of a position in the batch.
            unsafe {
                let operands = [a.offset(a_offset), b.offset(b_offset)];
                let c = c.offset(c_offset);
                single::<T, V>(way, &layout, threads, operands, c, &mut packing);
            }
            if !odometer.advance(&self.batch, [&self.a_batch, &self.b_batch, &self.c_batch]) {
                return;
            }
        }
    }
}

/// The ways of one level of vector instructions. Each is a function of its own: without optimisation one for all would take more than
/// a megabyte of the stack.
#[cfg(target_arch = "x86_64")]
macro_rules! level {
    ($features:literal, $vector:ident, $run:ident, $squares:ident: $($way:ident),* by $elements:ident) => {
        impl MatrixProduct {
            /// # Safety
            /// As for [`dispatch`](Self::dispatch), on a machine with these instructions.
            #[target_feature(enable = $features)]
            unsafe fn $run<T: Element>(&self, threads: usize, a: *const T, b: *const T, c: *mut T) {
                // SAFETY: passed on from the caller.
                unsafe {
                    if T::FLOATING && self.is_small_square() {
                        if self.batch.is_empty() {
                            return $run::square(self, a, b, c);
                        }
                        if let Some(sequence) = self.as_sequence() {
                            return self.$squares(sequence, a, b, c);
                        }
                    }
                    if T::FLOATING && self.has_short_rows::<T, T::$vector>() {
                        return $run::short_rows(self, a, b, c);
                    }
                    if T::FLOATING && self.is_small_square_of_turned() {
                        return $run::square_of_turned(self, a, b, c);
                    }
                    self.$elements(threads, a, b, c);
                }
            }

            /// # Safety
            /// As for [`dispatch`](Self::dispatch), on a machine with these instructions.
            #[target_feature(enable = $features)]
            #[inline(never)]
            unsafe fn $elements<T: Element>(&self, threads: usize, a: *const T, b: *const T, c: *mut T) {
                // SAFETY: passed on from the caller.
                unsafe { self.run_elements::<T, T::$vector>(threads, a, b, c) };
            }
        }

        mod $run {
            use super::{Element, MatrixProduct};
            $(
                /// # Safety
                /// As of the function of this name, on a machine with these instructions.
                #[target_feature(enable = $features)]
                #[inline(never)]
                pub(super) unsafe fn $way<T: Element>(product: &MatrixProduct, a: *const T, b: *const T, c: *mut T) {
                    // SAFETY: passed on from the caller.
                    unsafe { super::$way::<T, T::$vector>(product, a, b, c) };
                }
            )*
        }
    };
}

#[cfg(target_arch = "x86_64")]
level! {
    "avx512f,avx512dq,avx2,fma", Wide, run_avx512, squares_avx512: square, short_rows, square_of_turned by elements_avx512
}
#[cfg(target_arch = "x86_64")]
level! {
    "avx2,fma", Middle, run_avx2, squares_avx2: square, short_rows, square_of_turned by elements_avx2
}

/// One product, whose operands change places where `layout` says so.
///
/// # Safety
/// The operands must be as `layout` says; the machine must have `V`.
#[inline(always)]
unsafe fn single<T: Element, V: Vector<Lane = T::Part>>(
    way: Way,
    layout: &Layout,
    threads: usize,
    [mut left, mut right]: [*const T; 2],
    c: *mut T,
    packing: &mut Packing,
) {
    if layout.transposed {
        std::mem::swap(&mut left, &mut right);
    }
    // SAFETY: passed on from the caller.
    unsafe {
        match way {
            Way::Zero => zero(layout, c),
            Way::Gemm => gemm(layout, threads, left, right, c, packing),
            Way::Inner => {
                c.write(T::inner(left, right, layout.k, [layout.a[1], layout.b[0]]));
            }
            Way::Dots => dots::<T, V>(layout, left, right, c, packing),
            Way::Tiles => tiles::<T, V>(layout, left, right, c, packing),
        }
    }
}

/// # Safety
/// `c` must be writable as `layout` says.
unsafe fn zero<T: Element>(layout: &Layout, c: *mut T) {
    for row in 0..layout.m as isize {
        for column in 0..layout.n as isize {
            // SAFETY: a position of `c`.
            unsafe { *c.offset(row * layout.c[0] + column * layout.c[1]) = T::ZERO };
        }
    }
}

/// # Safety
/// The operands must be as `layout` says, `T` one of the types that `gemm` knows.
unsafe fn gemm<T: Element>(
    layout: &Layout,
    threads: usize,
    a: *const T,
    b: *const T,
    c: *mut T,
    packing: &mut Packing,
) {
    // SAFETY: passed on from the caller.
    if threads < 2 && unsafe { T::multiply_blocks(layout, a, b, c, packing) } {
        return;
    }
    let parallelism = match threads {
        0 | 1 => gemm::Parallelism::None,
        _ => gemm::Parallelism::Rayon(threads),
    };
    // `alpha` scales the old `c`, which is not read.
    let (alpha, beta) = (T::ZERO, T::ONE);
    // SAFETY: passed on from the caller; `choose` sends only floating-point types here.
    unsafe {
        gemm::gemm(
            layout.m,
            layout.n,
            layout.k,
            c,
            layout.c[1],
            layout.c[0],
            false,
            a,
            layout.a[1],
            layout.a[0],
            b,
            layout.b[1],
            layout.b[0],
            alpha,
            beta,
            false,
            false,
            false,
            parallelism,
        );
    }
}
