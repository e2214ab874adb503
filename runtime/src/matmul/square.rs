//! Products of two square matrices of a few orders that are known to the compiler: no loop, no mask that is not a constant.
//!
//! They are the tiles of the module above, so the bits are the same; what is saved is all around them, which for such orders
//! takes several times as long.

use super::element::{Element, Tile};
use super::vector::Vector;
use super::{MatrixProduct, tile_row};

impl MatrixProduct {
    /// Whether [`square`] has a routine for it: one product of square matrices, of an order that it knows, whose rows are contiguous.
    #[inline(always)]
    pub(super) fn is_small_square(&self) -> bool {
        self.m == self.n
            && self.k == self.n
            && matches!(self.n, 2 | 3 | 4 | 6 | 8)
            && self.b[1] == 1
            && self.c[1] == 1
            && self.batch.is_empty()
    }
}

/// The product of matrices for which [`MatrixProduct::is_small_square`].
///
/// # Safety
/// As for [`MatrixProduct::run`], on a machine that has `V`.
#[inline(always)]
pub(super) unsafe fn square<T: Element, V: Vector<Lane = T::Part>>(
    product: &MatrixProduct,
    a: *const T,
    b: *const T,
    c: *mut T,
) {
    let tile = Tile {
        k: product.n,
        a,
        a_strides: product.a,
        b,
        b_stride: product.b[0],
        c,
        c_strides: [product.c[0], 1],
    };
    // SAFETY: passed on from the caller; the order is that of the product.
    unsafe {
        match product.n {
            2 => of_order::<T, V, 2>(tile),
            3 => of_order::<T, V, 3>(tile),
            4 => of_order::<T, V, 4>(tile),
            6 => of_order::<T, V, 6>(tile),
            _ => of_order::<T, V, 8>(tile),
        }
    }
}

/// # Safety
/// The operands must be as `tile` says, for `N` rows and columns; the machine must have `V`.
#[inline(always)]
unsafe fn of_order<T: Element, V: Vector<Lane = T::Part>, const N: usize>(mut tile: Tile<T>) {
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
}
