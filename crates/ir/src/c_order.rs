//! The elements of an array of any strides in C order, at the speed of memory.
//!
//! Axes that lie one behind the other are one. What is left is copied in rows, where the last axis is contiguous, or in
//! square tiles of the last axis and the axis that lies closest in memory, so that the cache lines that were fetched for one
//! row serve the next ones. Source: blocked transposition, as in Lam, Rothberg and Wolf (1991).

use ndarray::{ArrayView2, ArrayViewD, ArrayViewMut2, ArrayViewMutD, Axis, Ix2, s};

/// The side of a tile: two of the widest elements fit into the first cache.
const TILE: usize = 32;

/// Planes of fewer elements are not worth looking at one by one.
const SMALL: usize = 256;

/// Whether elements of a shape lie in C order without gaps. An axis of one element may have any stride; without any element all may.
#[inline]
pub(crate) fn is_dense(shape: &[usize], strides: &[isize]) -> bool {
    let (mut is_dense, mut expected) = (true, 1_isize);
    for (&n, &stride) in shape.iter().zip(strides).rev() {
        if n == 0 {
            return true;
        }
        is_dense &= n == 1 || stride == expected;
        expected = expected.wrapping_mul(n as isize);
    }
    is_dense
}

/// Appends the elements of an array in C order. The caller has reserved room for them, and said so if there is none.
pub(crate) fn extend<T: Copy>(out: &mut Vec<T>, array: &ArrayViewD<'_, T>) {
    if let Some(elements) = array.as_slice() {
        out.extend_from_slice(elements);
        return;
    }
    let array = merged(array.view());
    let Some(last) = array.ndim().checked_sub(1) else {
        out.extend(array.iter().copied());
        return;
    };
    if array.strides()[last] == 1 {
        for row in array.rows() {
            out.extend_from_slice(row.to_slice().unwrap_or_default());
        }
        return;
    }
    let distance = |axis: usize| array.strides()[axis].unsigned_abs();
    let closest = (0..last)
        .filter(|&axis| distance(axis) < distance(last) && distance(axis) > 0)
        .min_by_key(|&axis| distance(axis));
    match (closest, array.first()) {
        (Some(closest), Some(&first))
            if array.len_of(Axis(closest)) * array.len_of(Axis(last)) >= SMALL =>
        {
            let begin = out.len();
            out.resize(begin + array.len(), first);
            let target = ArrayViewMutD::from_shape(array.raw_dim(), &mut out[begin..])
                .expect("there is an element for each position");
            let others = (0..last).filter(|&axis| axis != closest);
            let order: Vec<usize> = others.chain([closest, last]).collect();
            copy_planes(
                array.permuted_axes(order.as_slice()),
                target.permuted_axes(order.as_slice()),
            );
        }
        _ => out.extend(array.iter().copied()),
    }
}

/// The same elements in the same order, with as few axes as can be.
fn merged<T>(mut array: ArrayViewD<'_, T>) -> ArrayViewD<'_, T> {
    for axis in (1..array.ndim()).rev() {
        array.merge_axes(Axis(axis - 1), Axis(axis));
    }
    for axis in (0..array.ndim()).rev() {
        if array.len_of(Axis(axis)) == 1 {
            array.index_axis_inplace(Axis(axis), 0);
        }
    }
    array
}

/// Copies what the last two axes span, for each position along the others.
fn copy_planes<T: Copy>(from: ArrayViewD<'_, T>, to: ArrayViewMutD<'_, T>) {
    if from.ndim() > 2 {
        let mut to = to;
        for (from, to) in from.outer_iter().zip(to.outer_iter_mut()) {
            copy_planes(from, to);
        }
    } else if let (Ok(from), Ok(to)) = (
        from.into_dimensionality::<Ix2>(),
        to.into_dimensionality::<Ix2>(),
    ) {
        copy_plane(&from, to);
    }
}

fn copy_plane<T: Copy>(from: &ArrayView2<'_, T>, mut to: ArrayViewMut2<'_, T>) {
    let (rows, columns) = from.dim();
    for row in (0..rows).step_by(TILE) {
        for column in (0..columns).step_by(TILE) {
            let (row_end, column_end) = ((row + TILE).min(rows), (column + TILE).min(columns));
            let tile = s![row..row_end, column..column_end];
            let (from, mut to) = (from.slice(tile), to.slice_mut(tile));
            for (mut to, from) in to.rows_mut().into_iter().zip(from.rows()) {
                to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, IxDyn};

    use super::*;

    #[track_caller]
    fn check(array: &ArrayViewD<'_, u32>) {
        let mut got = Vec::new();
        extend(&mut got, array);
        assert_eq!(
            got,
            array.iter().copied().collect::<Vec<_>>(),
            "{:?} {:?}",
            array.shape(),
            array.strides()
        );
    }

    #[test]
    fn views_of_all_kinds_come_in_c_order() {
        for shape in [
            vec![],
            vec![0],
            vec![1],
            vec![7],
            vec![40, 50],
            vec![3, 40, 50],
            vec![40, 2, 50],
            vec![2, 3, 4, 5],
            vec![1, 33, 1, 65],
            vec![2; 12],
            vec![4, 0, 3],
        ] {
            let count: usize = shape.iter().product();
            let elements = (0..count as u32).collect();
            let array = ArrayD::from_shape_vec(IxDyn(&shape), elements).unwrap();
            let n = shape.len();
            check(&array.view());
            for turn in 0..n {
                let order: Vec<usize> = (0..n).map(|axis| (axis + turn) % n).collect();
                let turned = array.view().permuted_axes(order.as_slice());
                check(&turned);
                let back: Vec<usize> = order.into_iter().rev().collect();
                check(&array.view().permuted_axes(back.as_slice()));
                for axis in 0..n {
                    let mut part = turned.clone();
                    part.invert_axis(Axis(axis));
                    check(&part);
                    if part.len_of(Axis(axis)) > 3 {
                        part.slice_axis_inplace(Axis(axis), ndarray::Slice::from(1..).step_by(2));
                        check(&part);
                    }
                }
            }
            let mut wide = vec![20];
            wide.extend(&shape);
            check(&array.broadcast(wide.as_slice()).unwrap());
            check(&array.broadcast(wide.as_slice()).unwrap().reversed_axes());
        }
    }
}
