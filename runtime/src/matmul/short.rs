//! Products of a matrix with a vector of a few numbers: a row fits into one vector register, and four of them are summed together.
//!
//! Each element is the sum that the rows of the module above make of it, so the bits are the same; what is saved is the choice of a way
//! and the loops along a row, which for so few numbers take longer than the sums.

use super::MatrixProduct;
use super::element::Element;
use super::vector::{Lane, Vector};

impl MatrixProduct {
    /// Whether it is one product of a matrix with a vector, both of real numbers without gaps, whose rows fit into a `V`.
    #[inline(always)]
    pub(super) fn has_short_rows<T: Element, V: Vector<Lane = T::Part>>(&self) -> bool {
        T::PARTS == 1
            && self.n == 1
            && self.m > 1
            && (1..=V::LANES).contains(&self.k)
            && self.a[1] == 1
            && self.b[0] == 1
            && self.batch.is_empty()
    }
}

/// The product, by vectors of half as many lanes where these are enough.
///
/// # Safety
/// As for [`MatrixProduct::run`], with such a product; the machine must have `V`.
#[inline(always)]
pub(super) unsafe fn short_rows<T: Element, V: Vector<Lane = T::Part>>(
    product: &MatrixProduct,
    a: *const T,
    b: *const T,
    c: *mut T,
) {
    // SAFETY: passed on from the caller.
    unsafe {
        if product.k <= V::Half::LANES {
            rows::<T, V::Half, true>(product, a.cast(), b.cast(), c.cast());
        } else {
            rows::<T, V, false>(product, a.cast(), b.cast(), c.cast());
        }
    }
}

/// `HALF` says that the rows of the module above are vectors of more lanes.
///
/// # Safety
/// As of [`short_rows`], with rows that fit into a `V`.
#[inline(always)]
unsafe fn rows<T: Element, V: Vector<Lane = T::Part>, const HALF: bool>(
    product: &MatrixProduct,
    a: *const T::Part,
    b: *const T::Part,
    c: *mut T::Part,
) {
    let MatrixProduct { m, k, .. } = *product;
    // SAFETY: rows of `a`, the vector, and elements of `c`; the machine has `V`.
    unsafe {
        let zero = V::splat(T::Part::ZERO);
        let factor = V::load(b, k);
        let mut row = 0;
        while row < m {
            let rest = m - row;
            let mut products = [zero; 4];
            for (i, product_of_row) in products.iter_mut().enumerate() {
                // The last row again, where there are no four.
                let at = (row + i).min(m - 1) as isize * product.a[0];
                *product_of_row = V::load(a.offset(at), k).multiply_add(factor, zero);
                // Zeros beyond the row, or sums of nothing in steps of four: of zeros that are all negative they make a positive one.
                if HALF || rest < 4 {
                    *product_of_row = product_of_row.plus(zero);
                }
            }
            for (i, sum) in V::sums(products).into_iter().enumerate().take(rest) {
                c.offset((row + i) as isize * product.c[0]).write(sum);
            }
            row += 4;
        }
    }
}
