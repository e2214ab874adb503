//! Indexing and stacking as slices, gathers and joins.

use super::{Builder, Expanded};
use crate::error::{Error, Result};
use crate::index::{IndexItem, IndexKey, advanced_position};
use crate::types::{DType, Dims};
use crate::{IndexOp, IndexedBy, JoinOp, MapOp, Op, ValueId, ViewOp};

pub(crate) fn getitem(key: &IndexKey, b: &mut Builder<'_>, x: &[ValueId]) -> Expanded {
    let (x, arrays) = (x[0], &x[1..]);
    let ty = b.ty(x)?;
    let slicing = key.slicing(&ty)?;
    let whole = slicing.sizes == ty.shape && slicing.steps.iter().all(|&s| s == 1);
    let sliced = if whole {
        x
    } else {
        b.push(
            Op::View(ViewOp::Slice {
                slicing: slicing.clone().into(),
            }),
            &[x],
        )?
    };
    let basic = b.reshape(sliced, &key.basic_shape(&slicing))?;
    if arrays.is_empty() {
        return Ok(basic);
    }

    // Positions of the indexed axes, in `basic` and in `x`.
    let mut axes = Dims::new();
    let mut original = Dims::new();
    let (mut basic_axis, mut x_axis) = (0, 0);
    for item in &key.0 {
        if *item == IndexItem::Array {
            axes.push(basic_axis);
            original.push(x_axis);
        }
        basic_axis += usize::from(!matches!(item, IndexItem::Int(_)));
        x_axis += usize::from(*item != IndexItem::NewAxis);
    }
    let basic_ty = b.ty(basic)?;
    let sizes: Dims = axes.iter().map(|&a| basic_ty.shape[a]).collect();

    let at = advanced_position(key).unwrap_or(0);
    if let ([array], [axis]) = (arrays, axes.as_slice()) {
        // The slices are taken where the axis is, and only moved if single positions stand apart from it.
        let taken = b.push(Op::Index(IndexOp::Take { axis: *axis }), &[basic, *array])?;
        let (common, ndim) = (b.ty(*array)?.ndim(), b.ty(taken)?.ndim());
        let moved = *axis..*axis + common;
        let others: Dims = (0..ndim).filter(|a| !moved.contains(a)).collect();
        let perm = others[..at].iter().copied().chain(moved);
        return b.transpose(taken, perm.chain(others[at..].iter().copied()).collect());
    }

    // One flat index over all indexed axes, which come to the front.
    let mut flat = None;
    for ((&array, &size), &axis) in arrays.iter().zip(&sizes).zip(&original) {
        let of = IndexedBy::Getitem;
        let wrapped = b.push(Op::Map(MapOp::WrapIndex { axis, size, of }), &[array])?;
        flat = Some(match flat {
            None => wrapped,
            Some(so_far) => {
                let size = b.literal(size as i64, DType::Int64);
                let scaled = b.push(Op::Map(MapOp::Multiply), &[so_far, size])?;
                b.push(Op::Map(MapOp::Add), &[scaled, wrapped])?
            }
        });
    }
    let flat = flat.ok_or_else(|| Error::internal("no index array"))?;
    let common = b.ty(flat)?.ndim();
    let mut perm = axes.clone();
    perm.extend((0..basic_ty.ndim()).filter(|a| !axes.contains(a)));
    let moved = b.transpose(basic, perm)?;
    let mut shape = Dims::from_slice(&[sizes.iter().product()]);
    shape.extend_from_slice(&b.ty(moved)?.shape[axes.len()..]);
    let rows = b.reshape(moved, &shape)?;
    let taken = b.push(Op::Index(IndexOp::Take { axis: 0 }), &[rows, flat])?;

    // The axes of the indices go where the indexed axes stood.
    let rest = b.ty(taken)?.ndim() - common;
    let perm = (0..at)
        .map(|i| common + i)
        .chain(0..common)
        .chain((at..rest).map(|i| common + i));
    b.transpose(taken, perm.collect())
}

pub(crate) fn stack(axis: &usize, b: &mut Builder<'_>, x: &[ValueId]) -> Expanded {
    let mut shape = b.ty(x[0])?.shape;
    shape.insert(*axis, 1);
    let expanded = x
        .iter()
        .map(|&v| b.reshape(v, &shape))
        .collect::<Result<Vec<_>>>()?;
    b.push(Op::Join(JoinOp::Concatenate { axis: *axis }), &expanded)
}
