//! The operations that a matrix product needs of an element type: a register tile and rows of dot products, real and complex.
//!
//! Complex numbers are pairs of lanes. Products with the real and with the imaginary part of one factor are summed apart,
//! so that the inner loops are those of real numbers; one exchange of neighbouring lanes at the end joins them.

use super::Layout;
#[cfg(target_arch = "x86_64")]
use super::blocks;
use super::packing::Packing;
#[cfg(target_arch = "x86_64")]
use super::vector::x86;
use super::vector::{Lane, Portable, Truth, Vector};

/// The operands of one register tile: some rows and columns of `c = a b`, with `b`'s rows contiguous.
#[derive(Clone, Copy)]
pub(super) struct Tile<T> {
    pub(super) k: usize,
    pub(super) a: *const T,
    pub(super) a_strides: [isize; 2],
    pub(super) b: *const T,
    pub(super) b_stride: isize,
    pub(super) c: *mut T,
    pub(super) c_strides: [isize; 2],
}

/// An element type of matrices, with its kernels.
pub(super) trait Element: Copy + 'static {
    /// The type of one lane.
    type Part: Lane;
    /// The vector for machines with AVX-512.
    #[cfg(target_arch = "x86_64")]
    type Wide: Vector<Lane = Self::Part>;
    /// The vector for machines with AVX2 and FMA.
    #[cfg(target_arch = "x86_64")]
    type Middle: Vector<Lane = Self::Part>;

    const ZERO: Self;
    const ONE: Self;
    /// Lanes of one element.
    const PARTS: usize;
    /// Vectors side by side in the widest tile: as many as leave the accumulators of four rows in registers.
    const COLUMNS: usize;
    /// Whether `gemm` multiplies this type.
    const FLOATING: bool;

    /// `sum + self * factor`; `fused` says whether fused multiply-add is an instruction here.
    fn multiply_add(self, factor: Self, sum: Self, fused: bool) -> Self;

    /// The sum of two elements.
    fn plus(self, other: Self) -> Self;

    /// Multiplies large matrices as `gemm` does, on one thread and without taking memory. `false`, and nothing done, where `gemm`
    /// has to.
    ///
    /// # Safety
    /// The operands must be as `layout` says.
    unsafe fn multiply_blocks(
        _layout: &Layout,
        _a: *const Self,
        _b: *const Self,
        _c: *mut Self,
        _packing: &mut Packing,
    ) -> bool {
        false
    }

    /// The inner product of two vectors, whose elements lie `strides` apart; if [`FLOATING`](Self::FLOATING), in the order of
    /// [`crate::sum`].
    ///
    /// # Safety
    /// Both must be readable for `k` elements.
    #[inline(always)]
    unsafe fn inner(x: *const Self, y: *const Self, k: usize, strides: [isize; 2]) -> Self {
        (0..k as isize).fold(Self::ZERO, |sum, i| {
            // SAFETY: the caller promises so many elements.
            let (x, y) = unsafe { (*x.offset(i * strides[0]), *y.offset(i * strides[1])) };
            x.multiply_add(y, sum, false)
        })
    }

    /// Computes `R` rows by `C` vectors of `c`, of the last vector only `last` lanes.
    ///
    /// # Safety
    /// The operands must be readable, and `c` writable, at every position of the tile; the machine must have `V`.
    unsafe fn tile<V: Vector<Lane = Self::Part>, const R: usize, const C: usize>(
        tile: &Tile<Self>,
        last: usize,
    );

    /// The factors of a row of `a` that a vector holds: for each element its parts, each in all lanes.
    ///
    /// # Safety
    /// The machine must have `V`, with lanes for `N` elements.
    unsafe fn factors<V: Vector<Lane = Self::Part>, const N: usize>(row: V) -> [[V; 2]; N];

    /// The same of a row in memory, whose elements lie so far apart.
    ///
    /// # Safety
    /// The row must be readable for `N` elements; the machine must have `V`.
    unsafe fn factors_at<V: Vector<Lane = Self::Part>, const N: usize>(
        row: *const Self,
        stride: isize,
    ) -> [[V; 2]; N];

    /// A row of `c`, of the factors of a row of `a` and the rows of `b`, which fill the vectors. Summed as in a [`tile`](Self::tile).
    ///
    /// # Safety
    /// The machine must have `V`.
    unsafe fn row<V: Vector<Lane = Self::Part>, const N: usize>(a: [[V; 2]; N], b: [V; N]) -> V;

    /// Dot products, without conjugation, of `R` vectors `stride` elements apart with `y`; all contiguous, of length `k`.
    ///
    /// # Safety
    /// All must be readable for `k` elements; the machine must have `V`.
    unsafe fn dots<V: Vector<Lane = Self::Part>, const R: usize>(
        k: usize,
        x: *const Self,
        stride: isize,
        y: *const Self,
    ) -> [Self; R];

    /// The same with each of two vectors `y`.
    ///
    /// # Safety
    /// As of [`dots`](Self::dots).
    #[inline(always)]
    unsafe fn dots_with_two<V: Vector<Lane = Self::Part>, const R: usize>(
        k: usize,
        x: *const Self,
        stride: isize,
        [first, second]: [*const Self; 2],
    ) -> [[Self; R]; 2] {
        // SAFETY: passed on from the caller.
        unsafe {
            [
                Self::dots::<V, R>(k, x, stride, first),
                Self::dots::<V, R>(k, x, stride, second),
            ]
        }
    }
}

/// One row of `C` vectors, of the last only `last` lanes.
///
/// # Safety
/// The row must be readable so far; the machine must have `V`.
#[inline(always)]
unsafe fn load_row<V: Vector, const C: usize>(from: *const V::Lane, last: usize) -> [V; C] {
    // SAFETY: passed on from the caller.
    unsafe {
        let mut row = [V::splat(V::Lane::ZERO); C];
        for (column, vector) in row.iter_mut().enumerate() {
            let lanes = if column + 1 == C { last } else { V::LANES };
            *vector = V::load(from.add(column * V::LANES), lanes);
        }
        row
    }
}

/// The accumulator of one row of a dot product, joined from those of `steps` (1, 2 or 4) steps.
///
/// # Safety
/// The machine must have `V`.
#[inline(always)]
unsafe fn join_steps<V: Vector, const R: usize>(sums: &[[V; R]; 4], row: usize, steps: usize) -> V {
    // SAFETY: passed on from the caller.
    unsafe {
        match steps {
            1 => sums[0][row],
            2 => sums[0][row].plus(sums[1][row]),
            _ => sums[0][row]
                .plus(sums[1][row])
                .plus(sums[2][row].plus(sums[3][row])),
        }
    }
}

/// The sum of the lanes of each row.
///
/// # Safety
/// The machine must have `V`.
#[inline(always)]
unsafe fn sums_of_rows<V: Vector, const R: usize>(rows: [V; R]) -> [V::Lane; R] {
    let mut results = [V::Lane::ZERO; R];
    let mut row = 0;
    // SAFETY: passed on from the caller.
    unsafe {
        while row + 4 <= R {
            let sums = V::sums([rows[row], rows[row + 1], rows[row + 2], rows[row + 3]]);
            results[row..row + 4].copy_from_slice(&sums);
            row += 4;
        }
        while row < R {
            let [even, odd] = rows[row].sum_by_parity();
            results[row] = even.plus(odd);
            row += 1;
        }
    }
    results
}

/// Writes such a row to lanes `stride` apart.
///
/// # Safety
/// The row must be writable so far; the machine must have `V`.
#[inline(always)]
unsafe fn store_row<V: Vector, const C: usize>(
    row: [V; C],
    last: usize,
    to: *mut V::Lane,
    stride: isize,
) {
    for (column, vector) in row.into_iter().enumerate() {
        let lanes = if column + 1 == C { last } else { V::LANES };
        // SAFETY: passed on from the caller; the buffer holds the widest vector.
        unsafe {
            if stride == 1 {
                vector.store(to.add(column * V::LANES), lanes);
            } else {
                let mut buffer = [V::Lane::ZERO; 16];
                vector.store(buffer.as_mut_ptr(), V::LANES);
                for (lane, &value) in buffer.iter().enumerate().take(lanes) {
                    *to.offset((column * V::LANES + lane) as isize * stride) = value;
                }
            }
        }
    }
}

/// What floating numbers have in addition.
macro_rules! blocks {
    ($multiply:ident) => {
        #[inline(always)]
        unsafe fn inner(x: *const Self, y: *const Self, k: usize, strides: [isize; 2]) -> Self {
            // SAFETY: passed on from the caller.
            unsafe { crate::sum::dot(x, y, k, strides) }
        }

        #[cfg(target_arch = "x86_64")]
        unsafe fn multiply_blocks(
            layout: &Layout,
            a: *const Self,
            b: *const Self,
            c: *mut Self,
            packing: &mut Packing,
        ) -> bool {
            // SAFETY: passed on from the caller.
            unsafe { blocks::$multiply(layout, a, b, c, packing) }
        }
    };
}

// Where `blocks!` is in scope.
mod complex;

macro_rules! real_element {
    ($($type:ty, $one:expr, $floating:literal, $wide:ty, $middle:ty $(, $multiply:ident)?;)*) => {$(
        impl Element for $type {
            type Part = Self;
            #[cfg(target_arch = "x86_64")]
            type Wide = $wide;
            #[cfg(target_arch = "x86_64")]
            type Middle = $middle;

            const ZERO: Self = <$type as Lane>::ZERO;
            const ONE: Self = $one;
            const PARTS: usize = 1;
            const COLUMNS: usize = if $floating { 2 } else { 1 };
            const FLOATING: bool = $floating;

            $(blocks!($multiply);)?

            #[inline(always)]
            fn multiply_add(self, factor: Self, sum: Self, fused: bool) -> Self {
                if fused {
                    Lane::multiply_add::<true>(self, factor, sum)
                } else {
                    Lane::multiply_add::<false>(self, factor, sum)
                }
            }

            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                Lane::plus(self, other)
            }

            #[inline(always)]
            unsafe fn tile<V: Vector<Lane = Self>, const R: usize, const C: usize>(tile: &Tile<Self>, last: usize) {
                // SAFETY: every position is one of the tile's, and the machine has V.
                unsafe {
                    let mut sums = [[V::splat(<$type as Lane>::ZERO); C]; R];
                    for p in 0..tile.k as isize {
                        let b = load_row::<V, C>(tile.b.offset(p * tile.b_stride), last);
                        for (row, sums) in sums.iter_mut().enumerate() {
                            let offset = row as isize * tile.a_strides[0] + p * tile.a_strides[1];
                            let a = V::splat(*tile.a.offset(offset));
                            for (sum, b) in sums.iter_mut().zip(b) {
                                *sum = a.multiply_add(b, *sum);
                            }
                        }
                    }
                    for (row, sums) in sums.iter().enumerate() {
                        store_row(*sums, last, tile.c.offset(row as isize * tile.c_strides[0]), tile.c_strides[1]);
                    }
                }
            }

            #[inline(always)]
            unsafe fn factors<V: Vector<Lane = Self>, const N: usize>(row: V) -> [[V; 2]; N] {
                let mut factors = [[row; 2]; N];
                for (lane, [factor, _]) in factors.iter_mut().enumerate() {
                    // SAFETY: the caller promises the machine, and so many lanes.
                    *factor = unsafe { row.repeat(lane) };
                }
                factors
            }

            #[inline(always)]
            unsafe fn factors_at<V: Vector<Lane = Self>, const N: usize>(row: *const Self, stride: isize) -> [[V; 2]; N] {
                // SAFETY: the caller promises the machine, and so many elements.
                unsafe {
                    let mut factors = [[V::splat(<$type as Lane>::ZERO); 2]; N];
                    for (p, [factor, _]) in factors.iter_mut().enumerate() {
                        *factor = V::splat(*row.offset(p as isize * stride));
                    }
                    factors
                }
            }

            #[inline(always)]
            unsafe fn row<V: Vector<Lane = Self>, const N: usize>(a: [[V; 2]; N], b: [V; N]) -> V {
                // SAFETY: the caller promises the machine.
                unsafe {
                    let mut sum = V::splat(<$type as Lane>::ZERO);
                    for p in 0..N {
                        sum = a[p][0].multiply_add(b[p], sum);
                    }
                    sum
                }
            }

            #[inline(always)]
            unsafe fn dots<V: Vector<Lane = Self>, const R: usize>(
                k: usize,
                x: *const Self,
                stride: isize,
                y: *const Self,
            ) -> [Self; R] {
                // SAFETY: every load ends at or before element `k`, and the machine has V.
                unsafe {
                    // Four accumulators in all hide much of the latency of multiply-add, and eight all of it.
                    let mut sums = [[V::splat(<$type as Lane>::ZERO); R]; 4];
                    let steps = if R < 4 { 4 / R } else { 1 };
                    let mut done = 0;
                    while done + steps * V::LANES <= k {
                        for step in 0..steps {
                            let y = V::load(y.add(done + step * V::LANES), V::LANES);
                            for (row, sum) in sums[step].iter_mut().enumerate() {
                                let x = x.offset(row as isize * stride).add(done + step * V::LANES);
                                *sum = V::load(x, V::LANES).multiply_add(y, *sum);
                            }
                        }
                        done += steps * V::LANES;
                    }
                    while done < k {
                        let lanes = (k - done).min(V::LANES);
                        let y = V::load(y.add(done), lanes);
                        for (row, sum) in sums[0].iter_mut().enumerate() {
                            *sum = V::load(x.offset(row as isize * stride).add(done), lanes).multiply_add(y, *sum);
                        }
                        done += lanes;
                    }
                    let mut joined = sums[0];
                    for (row, joined) in joined.iter_mut().enumerate() {
                        *joined = join_steps(&sums, row, steps);
                    }
                    sums_of_rows(joined)
                }
            }

            #[inline(always)]
            unsafe fn dots_with_two<V: Vector<Lane = Self>, const R: usize>(
                k: usize,
                x: *const Self,
                stride: isize,
                y: [*const Self; 2],
            ) -> [[Self; R]; 2] {
                // SAFETY: every load ends at or before element `k`, and the machine has V.
                unsafe {
                    let mut sums = [[V::splat(<$type as Lane>::ZERO); R]; 2];
                    let mut done = 0;
                    while done + V::LANES <= k {
                        let y = [V::load(y[0].add(done), V::LANES), V::load(y[1].add(done), V::LANES)];
                        for row in 0..R {
                            let x = V::load(x.offset(row as isize * stride).add(done), V::LANES);
                            sums[0][row] = x.multiply_add(y[0], sums[0][row]);
                            sums[1][row] = x.multiply_add(y[1], sums[1][row]);
                        }
                        done += V::LANES;
                    }
                    if done < k {
                        let lanes = k - done;
                        let y = [V::load(y[0].add(done), lanes), V::load(y[1].add(done), lanes)];
                        for row in 0..R {
                            let x = V::load(x.offset(row as isize * stride).add(done), lanes);
                            sums[0][row] = x.multiply_add(y[0], sums[0][row]);
                            sums[1][row] = x.multiply_add(y[1], sums[1][row]);
                        }
                    }
                    let [first, second] = sums;
                    [sums_of_rows(first), sums_of_rows(second)]
                }
            }
        }
    )*};
}

real_element! {
    f32, 1.0, true, x86::__m512, x86::__m256, float32;
    f64, 1.0, true, x86::__m512d, x86::__m256d, float64;
    u8, 1, false, Portable<u8, true>, Portable<u8, true>;
    i32, 1, false, Portable<i32, true>, Portable<i32, true>;
    i64, 1, false, Portable<i64, true>, Portable<i64, true>;
    Truth, Truth(1), false, Portable<Truth, true>, Portable<Truth, true>;
}
