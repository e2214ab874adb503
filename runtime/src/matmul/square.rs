//! Products of two square matrices of a few orders that are known to the compiler, many of them one after the other: no loop within a
//! product, no mask that is not a constant.
//!
//! Each element is the sum that the tiles of the module above make of it, so the bits are the same; what is saved is all around them,
//! which for such orders takes several times as long. Where a row fills a vector, a product that the next one reads stays in
//! registers: it is stored, and not loaded again.

use super::MatrixProduct;
use super::element::{Element, Tile};
use super::tiles::tile_row;
use super::vector::{Lane, Vector};
use crate::kind::Kind;
#[cfg(target_arch = "x86_64")]
use crate::processor::{self, Level};
use num_complex::Complex;

/// Products one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sequence {
    pub(super) times: usize,
    /// How many bytes the operands of a product lie from those of the one before it: of those with odd numbers, then of those with
    /// even ones.
    pub(super) moves: [[isize; 3]; 2],
}

/// Which operand of a product is the result of the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carried {
    Nothing,
    Left,
    Right,
}

impl Sequence {
    /// The operand that is always the result of the product before, if one is: `distances` are how many bytes the result of the first
    /// product lies from its left and from its right operand.
    #[inline(always)]
    fn carried(&self, distances: [isize; 2]) -> Carried {
        let [odd, even] = self.moves;
        let follows = |operand: usize| {
            self.times > 1
                && odd[operand] == distances[operand]
                && (self.times < 3 || even[operand] == odd[2])
                && (self.times < 4 || odd[operand] == even[2])
        };
        if follows(0) {
            Carried::Left
        } else if follows(1) {
            Carried::Right
        } else {
            Carried::Nothing
        }
    }
}

impl MatrixProduct {
    /// Whether there is a routine for each of its products: square matrices, of an order that is known here, whose rows are
    /// contiguous.
    #[inline(always)]
    pub(super) fn is_small_square(&self) -> bool {
        self.m == self.n
            && self.k == self.n
            && matches!(self.n, 2 | 3 | 4 | 6 | 8)
            && self.b[1] == 1
            && self.c[1] == 1
    }

    /// Whether it is one product of such squares, but for the right one, whose rows have gaps: that of a matrix with a transposed one.
    #[inline(always)]
    pub(super) fn is_small_square_of_turned(&self) -> bool {
        self.m == self.n
            && self.k == self.n
            && matches!(self.n, 2 | 3 | 4 | 6 | 8)
            && self.b[1] != 1
            && self.a[0] != 1
            && self.c[1] == 1
            && self.batch.is_empty()
    }

    /// Its products as a sequence, if they are evenly spaced. Apart, as are the routines for it, from what computes one product, which
    /// would take longer.
    #[inline(never)]
    pub(super) fn as_sequence(&self) -> Option<Sequence> {
        // Axes of one product, and axes that continue one another, are no obstacle.
        let (mut times, mut moves) = (1, [0; 3]);
        for (axis, &length) in self.batch.iter().enumerate().rev() {
            let strides = [self.a_batch[axis], self.b_batch[axis], self.c_batch[axis]];
            if length == 1 {
                continue;
            }
            if times == 1 {
                moves = strides;
            } else if strides != moves.map(|elements| elements * times as isize) {
                return None;
            }
            times *= length;
        }
        let moves = moves.map(|elements| elements * self.kind.size() as isize);
        Some(Sequence {
            times,
            moves: [moves; 2],
        })
    }

    #[inline(always)]
    fn tile<T>(&self, a: *const T, b: *const T, c: *mut T) -> Tile<T> {
        Tile {
            k: self.n,
            a,
            a_strides: self.a,
            b,
            b_stride: self.b[0],
            c,
            c_strides: [self.c[0], 1],
        }
    }

    /// Multiplies so many times, one product after the other. The operands of each lie so many bytes from those of the one before it:
    /// by the first of `moves` those of the second product, the fourth and so on, by the second those of the third, the fifth and so on.
    /// A product may read what those before it wrote.
    ///
    /// # Safety
    /// As for [`run`](Self::run) of each of the products, when those before it have been computed.
    pub unsafe fn run_times(&self, times: usize, operands: [*mut u8; 3], moves: [[isize; 3]; 2]) {
        let sequence = Sequence { times, moves };
        // SAFETY: passed on from the caller; the type is that of the kind.
        let is_done = unsafe {
            match self.kind {
                Kind::Float32 => self.squares::<f32>(sequence, operands),
                Kind::Float64 => self.squares::<f64>(sequence, operands),
                Kind::Complex64 => self.squares::<Complex<f32>>(sequence, operands),
                Kind::Complex128 => self.squares::<Complex<f64>>(sequence, operands),
                Kind::Bool | Kind::Uint8 | Kind::Int32 | Kind::Int64 => false,
            }
        };
        if is_done {
            return;
        }
        let mut at = operands;
        for number in 0..times {
            // SAFETY: passed on from the caller.
            unsafe { self.run(at[0], at[1], at[2]) };
            for (pointer, bytes) in at.iter_mut().zip(moves[number % 2]) {
                *pointer = pointer.wrapping_offset(bytes);
            }
        }
    }

    /// Computes a sequence of products of small squares; `false`, and nothing done, if they are not such.
    ///
    /// # Safety
    /// As for [`run_times`](Self::run_times), with elements of type `T`.
    unsafe fn squares<T: Element>(&self, sequence: Sequence, [a, b, c]: [*mut u8; 3]) -> bool {
        #[cfg(target_arch = "x86_64")]
        if self.batch.is_empty() && self.is_small_square() {
            let (a, b, c) = (a.cast(), b.cast(), c.cast());
            match processor::level() {
                // SAFETY: the processor has the features; the rest is the caller's promise.
                Level::Avx512 => unsafe { self.squares_avx512::<T>(sequence, a, b, c) },
                // SAFETY: the same.
                Level::Avx2 => unsafe { self.squares_avx2::<T>(sequence, a, b, c) },
                Level::Baseline => return false,
            }
            return true;
        }
        let _ = (sequence, a, b, c);
        false
    }

    /// # Safety
    /// As of [`squares`], on a machine with these instructions.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma")]
    #[inline(never)]
    pub(super) unsafe fn squares_avx512<T: Element>(
        &self,
        sequence: Sequence,
        a: *const T,
        b: *const T,
        c: *mut T,
    ) {
        // SAFETY: passed on from the caller.
        unsafe { squares::<T, T::Wide>(self, sequence, a, b, c) }
    }

    /// # Safety
    /// As of [`squares`], on a machine with these instructions.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    #[inline(never)]
    pub(super) unsafe fn squares_avx2<T: Element>(
        &self,
        sequence: Sequence,
        a: *const T,
        b: *const T,
        c: *mut T,
    ) {
        // SAFETY: passed on from the caller.
        unsafe { squares::<T, T::Middle>(self, sequence, a, b, c) }
    }
}

/// The products of a sequence, which is that of matrices as [`MatrixProduct::is_small_square`] wants them.
///
/// # Safety
/// As for [`MatrixProduct::run`] of each product, which may read what those before it wrote; on a machine that has `V`.
#[inline(always)]
pub(super) unsafe fn squares<T: Element, V: Vector<Lane = T::Part>>(
    product: &MatrixProduct,
    sequence: Sequence,
    a: *const T,
    b: *const T,
    c: *mut T,
) {
    let first = product.tile(a, b, c);
    // SAFETY: passed on from the caller; the order is that of the product.
    unsafe {
        match product.n {
            2 => of_order::<T, V, 2>(first, sequence),
            3 => of_order::<T, V, 3>(first, sequence),
            4 => of_order::<T, V, 4>(first, sequence),
            6 => of_order::<T, V, 6>(first, sequence),
            _ => of_order::<T, V, 8>(first, sequence),
        }
    }
}

/// The only product of a sequence, without what it takes to go on to the next one.
///
/// # Safety
/// As of [`squares`].
#[inline(always)]
pub(super) unsafe fn square<T: Element, V: Vector<Lane = T::Part>>(
    product: &MatrixProduct,
    a: *const T,
    b: *const T,
    c: *mut T,
) {
    let tile = product.tile(a, b, c);
    // SAFETY: passed on from the caller; the order is that of the product.
    unsafe {
        match product.n {
            2 => one::<T, V, 2>(tile),
            3 => one::<T, V, 3>(tile),
            4 => one::<T, V, 4>(tile),
            6 => one::<T, V, 6>(tile),
            _ => one::<T, V, 8>(tile),
        }
    }
}

/// The only product, with a copy of the right operand whose rows are contiguous.
///
/// # Safety
/// As of [`squares`], but that rows of the right operand may have gaps.
#[inline(always)]
pub(super) unsafe fn square_of_turned<T: Element, V: Vector<Lane = T::Part>>(
    product: &MatrixProduct,
    a: *const T,
    b: *const T,
    c: *mut T,
) {
    let tile = product.tile(a, b, c);
    // SAFETY: passed on from the caller; the order is that of the product.
    unsafe {
        match product.n {
            2 => one_of_turned::<T, V, 2>(tile, product.b),
            3 => one_of_turned::<T, V, 3>(tile, product.b),
            4 => one_of_turned::<T, V, 4>(tile, product.b),
            6 => one_of_turned::<T, V, 6>(tile, product.b),
            _ => one_of_turned::<T, V, 8>(tile, product.b),
        }
    }
}

/// # Safety
/// As of [`square_of_turned`], with squares of order `N`.
#[inline(always)]
unsafe fn one_of_turned<T: Element, V: Vector<Lane = T::Part>, const N: usize>(
    tile: Tile<T>,
    strides: [isize; 2],
) {
    let mut right = [[T::ZERO; N]; N];
    for (p, row) in right.iter_mut().enumerate() {
        for (j, x) in row.iter_mut().enumerate() {
            // SAFETY: an element of the right operand.
            *x = unsafe {
                *tile
                    .b
                    .offset(p as isize * strides[0] + j as isize * strides[1])
            };
        }
    }
    let tile = Tile {
        b: right.as_ptr().cast(),
        b_stride: N as isize,
        ..tile
    };
    // SAFETY: passed on from the caller; the copy is as the tile says.
    unsafe { one::<T, V, N>(tile) };
}

/// Chooses vectors that a row fills, if there are such.
///
/// # Safety
/// The operands must be as the tiles of the sequence say, for `N` rows and columns; the machine must have `V`.
#[inline(always)]
unsafe fn of_order<T: Element, V: Vector<Lane = T::Part>, const N: usize>(
    first: Tile<T>,
    sequence: Sequence,
) {
    // SAFETY: passed on from the caller.
    unsafe {
        if const { N <= 4 && N * T::PARTS == V::LANES } {
            rows::<T, V, N>(first, sequence);
        } else if const { N <= 4 && N * T::PARTS == V::Half::LANES } {
            rows::<T, V::Half, N>(first, sequence);
        } else if const { N <= 4 && N * T::PARTS == <V::Half as Vector>::Half::LANES } {
            rows::<T, <V::Half as Vector>::Half, N>(first, sequence);
        } else if const { N * T::PARTS == V::Half::LANES } {
            tiles::<T, V::Half, N>(first, sequence);
        } else {
            tiles::<T, V, N>(first, sequence);
        }
    }
}

impl<T> Tile<T> {
    /// The rows from one on.
    #[inline(always)]
    fn below(self, row: usize) -> Self {
        let row = row as isize;
        // Wrapping, as rows may be any distance apart; what is used lies inside.
        Tile {
            a: self.a.wrapping_offset(row * self.a_strides[0]),
            c: self.c.wrapping_offset(row * self.c_strides[0]),
            ..self
        }
    }

    /// How many bytes the result lies from the left and from the right operand.
    #[inline(always)]
    fn distances(&self) -> [isize; 2] {
        [self.a, self.b].map(|from| self.c.addr().wrapping_sub(from.addr()) as isize)
    }

    /// The tile of the next product.
    #[inline(always)]
    fn next(self, [a, b, c]: [isize; 3]) -> Self {
        // Wrapping, as there is none after the last.
        Tile {
            a: self.a.wrapping_byte_offset(a),
            b: self.b.wrapping_byte_offset(b),
            c: self.c.wrapping_byte_offset(c),
            ..self
        }
    }
}

/// Products by tiles.
///
/// # Safety
/// As of [`of_order`].
#[inline(always)]
unsafe fn tiles<T: Element, V: Vector<Lane = T::Part>, const N: usize>(
    mut tile: Tile<T>,
    sequence: Sequence,
) {
    let [mut this, mut other] = sequence.moves;
    let carries = sequence.carried(tile.distances()) != Carried::Nothing;
    for _ in 0..sequence.times {
        // SAFETY: passed on from the caller.
        unsafe {
            // All rows at once, if their sums fit into registers, load the right factor once; but a chain waits longer for them.
            if const { N > 4 && T::PARTS == 1 && N <= V::LANES } && !carries {
                tile_row::<T, V, N>(Tile { k: N, ..tile }, N);
            } else {
                one::<T, V, N>(tile);
            }
        }
        tile = tile.next(this);
        std::mem::swap(&mut this, &mut other);
    }
}

/// One product by tiles.
///
/// # Safety
/// As of [`of_order`].
#[inline(always)]
unsafe fn one<T: Element, V: Vector<Lane = T::Part>, const N: usize>(mut tile: Tile<T>) {
    tile.k = N;
    // SAFETY: passed on from the caller; the rows are divided as for products of any shape.
    unsafe {
        let mut row = 0;
        while row + 4 <= N {
            tile_row::<T, V, 4>(tile.below(row), N);
            row += 4;
        }
        if row + 2 <= N {
            tile_row::<T, V, 2>(tile.below(row), N);
            row += 2;
        }
        if row < N {
            tile_row::<T, V, 1>(tile.below(row), N);
        }
    }
}

/// Products of matrices whose rows fill a vector each.
///
/// # Safety
/// As of [`of_order`], with rows of as many lanes as `V` has.
#[inline(always)]
unsafe fn rows<T: Element, V: Vector<Lane = T::Part>, const N: usize>(
    first: Tile<T>,
    sequence: Sequence,
) {
    let mut carried = sequence.carried(first.distances());
    if (carried == Carried::Left && first.a_strides != first.c_strides)
        || (carried == Carried::Right && first.b_stride != first.c_strides[0])
    {
        carried = Carried::Nothing;
    }
    // SAFETY: passed on from the caller; what is carried has the layout of the result.
    unsafe {
        match carried {
            Carried::Nothing => products::<T, V, N, false, false>(first, sequence),
            Carried::Left => products::<T, V, N, true, false>(first, sequence),
            Carried::Right => products::<T, V, N, false, true>(first, sequence),
        }
    }
}

/// The same; the left or the right operand of all but the first is the result of the one before if told.
///
/// # Safety
/// As of [`rows`]; what is said must be so.
#[inline(always)]
unsafe fn products<
    T: Element,
    V: Vector<Lane = T::Part>,
    const N: usize,
    const LEFT: bool,
    const RIGHT: bool,
>(
    mut tile: Tile<T>,
    sequence: Sequence,
) {
    let [mut this, mut other] = sequence.moves;
    // SAFETY: passed on from the caller: every row has as many lanes as the vector.
    unsafe {
        let row_of = |from: *const T| V::load(from.cast(), V::LANES);
        let mut result = [V::splat(T::Part::ZERO); N];
        if LEFT || RIGHT {
            let (from, stride) = match LEFT {
                true => (tile.a, tile.a_strides[0]),
                false => (tile.b, tile.b_stride),
            };
            for (row, result) in result.iter_mut().enumerate() {
                *result = row_of(from.offset(row as isize * stride));
            }
        }
        for _ in 0..sequence.times {
            let mut b = result;
            if !RIGHT {
                for (p, b) in b.iter_mut().enumerate() {
                    *b = row_of(tile.b.offset(p as isize * tile.b_stride));
                }
            }
            for (row, result) in result.iter_mut().enumerate() {
                *result = if LEFT {
                    T::row(T::factors(*result), b)
                } else {
                    let a = tile.a.offset(row as isize * tile.a_strides[0]);
                    T::row(T::factors_at(a, tile.a_strides[1]), b)
                };
                let c = tile.c.offset(row as isize * tile.c_strides[0]);
                result.store(c.cast(), V::LANES);
            }
            tile = tile.next(this);
            std::mem::swap(&mut this, &mut other);
        }
    }
}
