//! What a matrix product needs of an element type: a register tile and a dot product, for real and complex lanes.
//!
//! Everything here is `#[inline(always)]`, so that it is compiled with the vector instructions of the function that it
//! ends up in. `FMA` says whether fused multiply-add is an instruction there; without it `mul_add` would be a slow call.

use num_complex::Complex;

/// A number that occupies one lane of a vector register.
pub(super) trait Lane: Copy + 'static {
    const ZERO: Self;
    const ONE: Self;
    fn multiply_add<const FMA: bool>(self, factor: Self, sum: Self) -> Self;
    fn plus(self, other: Self) -> Self;
}

macro_rules! float_lane {
    ($($type:ty)*) => {$(
        impl Lane for $type {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            #[inline(always)]
            fn multiply_add<const FMA: bool>(self, factor: Self, sum: Self) -> Self {
                if FMA { self.mul_add(factor, sum) } else { self * factor + sum }
            }
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self + other
            }
        }
    )*};
}

macro_rules! integer_lane {
    ($($type:ty)*) => {$(
        impl Lane for $type {
            const ZERO: Self = 0;
            const ONE: Self = 1;
            #[inline(always)]
            fn multiply_add<const FMA: bool>(self, factor: Self, sum: Self) -> Self {
                sum.wrapping_add(self.wrapping_mul(factor))
            }
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
        }
    )*};
}

float_lane! { f32 f64 }
integer_lane! { u8 i32 i64 }

/// A bool as a byte: the sum is "any", the product is "and".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub(super) struct Truth(pub(super) u8);

impl Lane for Truth {
    const ZERO: Self = Truth(0);
    const ONE: Self = Truth(1);
    #[inline(always)]
    fn multiply_add<const FMA: bool>(self, factor: Self, sum: Self) -> Self {
        Truth(sum.0 | (self.0 & factor.0))
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        Truth(self.0 | other.0)
    }
}

/// The operands of one register tile: `c = a b` for a few rows and columns, with `b`'s rows contiguous.
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
    const ZERO: Self;
    /// Lanes of one element.
    const LANES: usize;
    /// Rows of a register tile: as many as leave the accumulators in registers.
    const ROWS: usize;
    /// Whether `gemm` multiplies this type.
    const FLOATING: bool;

    /// What scales nothing.
    const ONE: Self;

    /// `sum + self * factor`, for strided leftovers.
    fn multiply_add<const FMA: bool>(self, factor: Self, sum: Self) -> Self;

    /// The sum of two elements.
    fn plus(self, other: Self) -> Self;

    /// Computes `R` rows by `L` lanes of `c`.
    ///
    /// # Safety
    /// The operands must be readable, and `c` writable, at every position of the tile.
    unsafe fn tile<const FMA: bool, const R: usize, const L: usize>(tile: &Tile<Self>);

    /// The dot product of two contiguous vectors, without conjugation.
    ///
    /// # Safety
    /// Both must be readable for `k` elements.
    unsafe fn dot<const FMA: bool>(k: usize, x: *const Self, y: *const Self) -> Self;
}

/// Lanes of one running sum in a dot product, and how many such sums hide the latency of multiply-add.
const WIDTH: usize = 8;
const SUMS: usize = 4;

macro_rules! real_element {
    ($($type:ty, $floating:literal;)*) => {$(
        impl Element for $type {
            const ZERO: Self = <$type as Lane>::ZERO;
            const LANES: usize = 1;
            const ONE: Self = <$type as Lane>::ONE;
            const ROWS: usize = 4;
            const FLOATING: bool = $floating;

            #[inline(always)]
            fn multiply_add<const FMA: bool>(self, factor: Self, sum: Self) -> Self {
                Lane::multiply_add::<FMA>(self, factor, sum)
            }

            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                Lane::plus(self, other)
            }

            #[inline(always)]
            unsafe fn tile<const FMA: bool, const R: usize, const L: usize>(tile: &Tile<Self>) {
                let mut sums = [[<$type as Lane>::ZERO; L]; R];
                for p in 0..tile.k as isize {
                    // SAFETY: row `p` of the tile's `b` has `L` elements.
                    let b: [Self; L] = unsafe { tile.b.offset(p * tile.b_stride).cast::<[Self; L]>().read() };
                    for (row, sums) in sums.iter_mut().enumerate() {
                        let offset = row as isize * tile.a_strides[0] + p * tile.a_strides[1];
                        // SAFETY: row `row`, column `p` of the tile's `a`.
                        let a = unsafe { *tile.a.offset(offset) };
                        for lane in 0..L {
                            sums[lane] = Lane::multiply_add::<FMA>(a, b[lane], sums[lane]);
                        }
                    }
                }
                for (row, sums) in sums.iter().enumerate() {
                    // SAFETY: row `row` of the tile's `c`, of `L` elements.
                    unsafe {
                        let c = tile.c.offset(row as isize * tile.c_strides[0]);
                        if tile.c_strides[1] == 1 {
                            c.cast::<[Self; L]>().write(*sums);
                        } else {
                            for (column, &sum) in sums.iter().enumerate() {
                                *c.offset(column as isize * tile.c_strides[1]) = sum;
                            }
                        }
                    }
                }
            }

            #[inline(always)]
            unsafe fn dot<const FMA: bool>(k: usize, x: *const Self, y: *const Self) -> Self {
                let zero = <$type as Lane>::ZERO;
                let sum = <$type as Lane>::plus;
                let mut sums = [[zero; WIDTH]; SUMS];
                let mut done = 0;
                // SAFETY: every load below ends at or before element `k`.
                unsafe {
                    if k >= WIDTH * SUMS {
                        while done + WIDTH * SUMS <= k {
                            for (row, sums) in sums.iter_mut().enumerate() {
                                let a: [Self; WIDTH] = x.add(done + row * WIDTH).cast::<[Self; WIDTH]>().read();
                                let b: [Self; WIDTH] = y.add(done + row * WIDTH).cast::<[Self; WIDTH]>().read();
                                for lane in 0..WIDTH {
                                    sums[lane] = Lane::multiply_add::<FMA>(a[lane], b[lane], sums[lane]);
                                }
                            }
                            done += WIDTH * SUMS;
                        }
                        for lane in 0..WIDTH {
                            let [a, b, c, d] = [sums[0][lane], sums[1][lane], sums[2][lane], sums[3][lane]];
                            sums[0][lane] = sum(sum(a, b), sum(c, d));
                        }
                    }
                    let mut sums = sums[0];
                    while done + WIDTH <= k {
                        let a: [Self; WIDTH] = x.add(done).cast::<[Self; WIDTH]>().read();
                        let b: [Self; WIDTH] = y.add(done).cast::<[Self; WIDTH]>().read();
                        for lane in 0..WIDTH {
                            sums[lane] = Lane::multiply_add::<FMA>(a[lane], b[lane], sums[lane]);
                        }
                        done += WIDTH;
                    }
                    let even = sum(sum(sums[0], sums[4]), sum(sums[2], sums[6]));
                    let odd = sum(sum(sums[1], sums[5]), sum(sums[3], sums[7]));
                    let mut total = sum(even, odd);
                    while done < k {
                        total = Lane::multiply_add::<FMA>(*x.add(done), *y.add(done), total);
                        done += 1;
                    }
                    total
                }
            }
        }
    )*};
}

real_element! {
    f32, true;
    f64, true;
    u8, false;
    i32, false;
    i64, false;
    Truth, false;
}

/// Complex numbers as pairs of lanes. Products with the real and with the imaginary part of one factor are summed apart,
/// so that the inner loops are those of real numbers; one exchange of neighbours at the end joins them.
macro_rules! complex_element {
    ($($type:ty)*) => {$(
        impl Element for Complex<$type> {
            const ZERO: Self = Complex::new(0.0, 0.0);
            const LANES: usize = 2;
            const ONE: Self = Complex::new(1.0, 0.0);
            const ROWS: usize = 2;
            const FLOATING: bool = true;

            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self + other
            }

            #[inline(always)]
            fn multiply_add<const FMA: bool>(self, factor: Self, sum: Self) -> Self {
                let re = Lane::multiply_add::<FMA>(self.re, factor.re, sum.re);
                let im = Lane::multiply_add::<FMA>(self.re, factor.im, sum.im);
                Complex::new(
                    Lane::multiply_add::<FMA>(-self.im, factor.im, re),
                    Lane::multiply_add::<FMA>(self.im, factor.re, im),
                )
            }

            #[inline(always)]
            unsafe fn tile<const FMA: bool, const R: usize, const L: usize>(tile: &Tile<Self>) {
                let mut by_real = [[0.0; L]; R];
                let mut by_imaginary = [[0.0; L]; R];
                for p in 0..tile.k as isize {
                    // SAFETY: row `p` of the tile's `b` has `L` lanes.
                    let b: [$type; L] = unsafe { tile.b.offset(p * tile.b_stride).cast::<[$type; L]>().read() };
                    for row in 0..R {
                        let offset = row as isize * tile.a_strides[0] + p * tile.a_strides[1];
                        // SAFETY: row `row`, column `p` of the tile's `a`.
                        let a = unsafe { *tile.a.offset(offset) };
                        for lane in 0..L {
                            by_real[row][lane] = Lane::multiply_add::<FMA>(a.re, b[lane], by_real[row][lane]);
                            by_imaginary[row][lane] = Lane::multiply_add::<FMA>(a.im, b[lane], by_imaginary[row][lane]);
                        }
                    }
                }
                for row in 0..R {
                    let mut joined = [0.0; L];
                    for lane in (0..L).step_by(2) {
                        joined[lane] = by_real[row][lane] - by_imaginary[row][lane + 1];
                        joined[lane + 1] = by_real[row][lane + 1] + by_imaginary[row][lane];
                    }
                    // SAFETY: row `row` of the tile's `c`, of `L` lanes.
                    unsafe {
                        let c = tile.c.offset(row as isize * tile.c_strides[0]);
                        if tile.c_strides[1] == 1 {
                            c.cast::<[$type; L]>().write(joined);
                        } else {
                            for (column, pair) in joined.chunks_exact(2).enumerate() {
                                *c.offset(column as isize * tile.c_strides[1]) = Complex::new(pair[0], pair[1]);
                            }
                        }
                    }
                }
            }

            #[inline(always)]
            unsafe fn dot<const FMA: bool>(k: usize, x: *const Self, y: *const Self) -> Self {
                // Four complex numbers to a row of lanes.
                const STEP: usize = WIDTH / 2;
                let mut straight = [[0.0; WIDTH]; 2];
                let mut crossed = [[0.0; WIDTH]; 2];
                let mut done = 0;
                // SAFETY: every load below ends at or before element `k`.
                unsafe {
                    while done + 2 * STEP <= k {
                        for row in 0..2 {
                            let a: [$type; WIDTH] = x.add(done + row * STEP).cast::<[$type; WIDTH]>().read();
                            let b: [$type; WIDTH] = y.add(done + row * STEP).cast::<[$type; WIDTH]>().read();
                            let swapped = [b[1], b[0], b[3], b[2], b[5], b[4], b[7], b[6]];
                            for lane in 0..WIDTH {
                                straight[row][lane] =
                                    Lane::multiply_add::<FMA>(a[lane], b[lane], straight[row][lane]);
                                crossed[row][lane] =
                                    Lane::multiply_add::<FMA>(a[lane], swapped[lane], crossed[row][lane]);
                            }
                        }
                        done += 2 * STEP;
                    }
                    let s = |lane: usize| straight[0][lane] + straight[1][lane];
                    let c = |lane: usize| crossed[0][lane] + crossed[1][lane];
                    let mut total = Complex::new(
                        ((s(0) + s(4)) + (s(2) + s(6))) - ((s(1) + s(5)) + (s(3) + s(7))),
                        ((c(0) + c(4)) + (c(2) + c(6))) + ((c(1) + c(5)) + (c(3) + c(7))),
                    );
                    while done < k {
                        total = Element::multiply_add::<FMA>(*x.add(done), *y.add(done), total);
                        done += 1;
                    }
                    total
                }
            }
        }
    )*};
}

complex_element! { f32 f64 }
