//! Products of small matrices by register tiles: four rows, or two or one, by as many columns as one or two vectors have.

use super::Layout;
use super::element::{Element, Tile};
use super::packing::Packing;
use super::vector::Vector;

/// A product by register tiles, a few rows at a time.
///
/// # Safety
/// The operands must be as `layout` says.
#[inline(always)]
pub(super) unsafe fn tiles<T: Element, V: Vector<Lane = T::Part>>(
    layout: &Layout,
    a: *const T,
    mut b: *const T,
    c: *mut T,
    packing: &mut Packing,
) {
    let Layout { m, k, n, .. } = *layout;
    let mut b_stride = layout.b[0];
    if layout.b[1] != 1 && n > 1 {
        let packed = packing.room::<T>(k * n);
        for p in 0..k {
            for j in 0..n {
                let from = p as isize * layout.b[0] + j as isize * layout.b[1];
                // SAFETY: an element of `b`, and room for as many as it has.
                unsafe { packed.add(p * n + j).write(*b.offset(from)) };
            }
        }
        (b, b_stride) = (packed, n as isize);
    }
    let mut row = 0;
    while row < m {
        // SAFETY: the rows from `row`, as many as remain.
        unsafe {
            let a = a.offset(row as isize * layout.a[0]);
            let c = c.offset(row as isize * layout.c[0]);
            let tile = Tile {
                k,
                a,
                a_strides: layout.a,
                b,
                b_stride,
                c,
                c_strides: layout.c,
            };
            if row + 4 <= m {
                tile_row::<T, V, 4>(tile, n);
                row += 4;
            } else if row + 2 <= m {
                tile_row::<T, V, 2>(tile, n);
                row += 2;
            } else {
                tile_row::<T, V, 1>(tile, n);
                row += 1;
            }
        }
    }
}

/// All columns of `R` rows: whole tiles, then what remains.
///
/// # Safety
/// The operands of `tile` must be as it says for `R` rows and `n` columns; the machine must have `V`.
#[inline(always)]
pub(super) unsafe fn tile_row<T: Element, V: Vector<Lane = T::Part>, const R: usize>(
    mut tile: Tile<T>,
    n: usize,
) {
    let mut lanes = n * T::PARTS;
    while lanes > 0 {
        let vectors = if T::COLUMNS == 2 && lanes > V::LANES {
            2
        } else {
            1
        };
        let taken = lanes.min(vectors * V::LANES);
        let last = taken - (vectors - 1) * V::LANES;
        // SAFETY: `taken` lanes remain. The literal lets the compiler drop masks from whole tiles.
        unsafe {
            match (vectors, last == V::LANES) {
                (2, true) => T::tile::<V, R, 2>(&tile, V::LANES),
                (2, false) => T::tile::<V, R, 2>(&tile, last),
                (_, true) => T::tile::<V, R, 1>(&tile, V::LANES),
                (_, false) => T::tile::<V, R, 1>(&tile, last),
            }
        }
        lanes -= taken;
        let columns = (taken / T::PARTS) as isize;
        // Wrapping, because after the last tile these may point beyond the buffers.
        tile.b = tile.b.wrapping_offset(columns);
        tile.c = tile.c.wrapping_offset(columns * tile.c_strides[1]);
    }
}
