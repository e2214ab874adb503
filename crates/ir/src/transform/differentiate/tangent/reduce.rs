//! Tangents of reductions, scans and sorts.
//!
//! Degenerate points: equal extrema share the derivative in equal parts; products are differentiated without division, so
//! zeros among the factors are no special case; equal elements are sorted as `sort` leaves them.

use super::super::writer::Writer;
use super::{Site, Tangent};
use crate::error::Result;
use crate::index::{IndexItem, IndexKey};
use crate::types::{ArrayType, Dims};
use crate::{IndexOp, MapOp, ReduceOp, ScanOp, SortOp, ValueId};

pub(super) fn tangent(w: &mut Writer, op: &ReduceOp, site: &Site<'_>) -> Result<Tangent> {
    let (x, Some(t)) = (site.x[0], site.t[0]) else {
        return Ok(None);
    };
    match op {
        ReduceOp::Sum { .. } => site.again(w, &[t]),
        ReduceOp::SumWhere { .. } => site.again(w, &[t, site.x[1]]),
        ReduceOp::Prod { axes, .. } => {
            let (x, t) = (at_end(w, x, axes)?, at_end(w, t, axes)?);
            let product = product(w, x, t)?;
            let shape = w.shape(site.out)?;
            product.map(|t| w.reshape(t, &shape)).transpose()
        }
        ReduceOp::Max { axes, keepdims } | ReduceOp::Min { axes, keepdims } => {
            let shape = kept_shape(&w.ty(x)?, axes);
            let extremum = w.reshape(site.out, &shape)?;
            let chosen = w.op(MapOp::Equal, &[x, extremum])?;
            let real = w.dtype(x)?.real();
            let ones = w.cast(chosen, real)?;
            let count = w.sum(ones, axes, *keepdims)?;
            let kept = w.keep(chosen, t)?;
            let sum = w.sum(kept, axes, *keepdims)?;
            w.div(sum, count).map(Some)
        }
        ReduceOp::Any { .. }
        | ReduceOp::All { .. }
        | ReduceOp::Argmax { .. }
        | ReduceOp::Argmin { .. } => Ok(None),
    }
}

/// The shape with the axes as ones.
fn kept_shape(ty: &ArrayType, axes: &[usize]) -> Dims {
    let mut shape = ty.shape.clone();
    axes.iter().for_each(|&a| shape[a] = 1);
    shape
}

/// With the axes as one at the end.
fn at_end(w: &mut Writer, x: ValueId, axes: &[usize]) -> Result<ValueId> {
    let shape = w.shape(x)?;
    let mut perm: Dims = (0..shape.len()).filter(|a| !axes.contains(a)).collect();
    let mut flat: Dims = perm.iter().map(|&a| shape[a]).collect();
    flat.push(axes.iter().map(|&a| shape[a]).product());
    perm.extend_from_slice(axes);
    let moved = w.transpose(x, &perm)?;
    w.reshape(moved, &flat)
}

/// The tangent of the product over the last axis, by halving: `(p, t) (q, s) = (p q, t q + p s)`.
fn product(w: &mut Writer, x: ValueId, t: ValueId) -> Result<Tangent> {
    let (mut p, mut t) = (x, t);
    let shape = w.shape(x)?;
    let axis = shape.len() - 1;
    let mut n = shape[axis];
    if n == 0 {
        return Ok(None);
    }
    while n > 1 {
        let half = n / 2;
        let mut halves = [p, t].map(|v| (v, v));
        for (first, second) in &mut halves {
            let whole = *first;
            *first = w.narrow(whole, axis, 0, half)?;
            *second = w.narrow(whole, axis, half, half)?;
        }
        let [(p1, p2), (t1, t2)] = halves;
        let (left, right) = (w.mul(t1, p2)?, w.mul(t2, p1)?);
        let (mut tangents, mut products) = (w.add(left, right)?, w.mul(p1, p2)?);
        if n % 2 == 1 {
            let rest = [w.narrow(p, axis, n - 1, 1)?, w.narrow(t, axis, n - 1, 1)?];
            products = w.concatenate(axis, &[products, rest[0]])?;
            tangents = w.concatenate(axis, &[tangents, rest[1]])?;
        }
        (p, t) = (products, tangents);
        n = half + n % 2;
    }
    Ok(Some(t))
}

pub(super) fn scan(w: &mut Writer, op: &ScanOp, site: &Site<'_>) -> Result<Tangent> {
    let (x, Some(t)) = (site.x[0], site.t[0]) else {
        return Ok(None);
    };
    match op {
        ScanOp::Cumsum { .. } => site.again(w, &[t]),
        ScanOp::Cumprod { axis } => products(w, x, t, *axis).map(Some),
    }
}

/// The tangents of the products up to each element, by doubling the number of factors.
///
/// Source: Hillis and Steele, "Data parallel algorithms" (1986).
fn products(w: &mut Writer, x: ValueId, t: ValueId, axis: usize) -> Result<ValueId> {
    let (mut p, mut t) = (x, t);
    let n = w.shape(x)?[axis];
    let mut distance = 1;
    while distance < n {
        let rest = n - distance;
        let before = w.narrow(p, axis, 0, rest)?;
        let before = w.pad(before, axis, [distance, 0], 1.0)?;
        let early = w.narrow(t, axis, 0, rest)?;
        let early = w.pad(early, axis, [distance, 0], 0.0)?;
        let (left, right) = (w.mul(early, p)?, w.mul(t, before)?);
        t = w.add(left, right)?;
        distance *= 2;
        if distance < n {
            p = w.mul(p, before)?;
        }
    }
    Ok(t)
}

pub(super) fn sort(w: &mut Writer, op: &SortOp, site: &Site<'_>) -> Result<Tangent> {
    let (x, Some(t)) = (site.x[0], site.t[0]) else {
        return Ok(None);
    };
    match op {
        SortOp::Sort { axis } => {
            let order = w.op(SortOp::Argsort { axis: *axis }, &[x])?;
            take_along(w, t, order, *axis).map(Some)
        }
        SortOp::Argsort { .. } => Ok(None),
    }
}

/// The elements at positions along an axis, as `numpy.take_along_axis` gives them.
fn take_along(w: &mut Writer, x: ValueId, order: ValueId, axis: usize) -> Result<ValueId> {
    let shape = w.shape(x)?;
    let mut inputs = vec![x];
    for (a, &n) in shape.iter().enumerate() {
        inputs.push(if a == axis {
            order
        } else {
            let positions = w.positions(n)?;
            let mut along = Dims::from_slice(&[n]);
            along.extend(std::iter::repeat_n(1, shape.len() - a - 1));
            w.reshape(positions, &along)?
        });
    }
    let key = IndexKey(vec![IndexItem::Array; shape.len()].into());
    w.op(IndexOp::Getitem { key }, &inputs)
}
