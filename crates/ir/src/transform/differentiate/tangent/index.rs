//! Tangents of elements at positions that are data.
//!
//! Where several values of `scatter` meet at one position: of `set` the last one counts; extrema that are equal share;
//! a product is differentiated by each factor, zeros among them or not.

use super::super::writer::Writer;
use super::{Site, Tangent};
use crate::error::Result;
use crate::scatter::ScatterMode;
use crate::{IndexOp, MapOp, Op, ValueId};

pub(super) fn tangent(w: &mut Writer, op: &IndexOp, site: &Site<'_>) -> Result<Tangent> {
    match op {
        IndexOp::Getitem { .. } | IndexOp::Take { .. } => {
            let Some(t) = site.t[0] else { return Ok(None) };
            let mut inputs = site.x.to_vec();
            inputs[0] = t;
            site.again(w, &inputs)
        }
        IndexOp::Scatter { mode, .. } | IndexOp::ScatterFlat { mode } => {
            let places = Places {
                op: op.clone(),
                arrays: site.x[2..].to_vec(),
            };
            scatter(w, *mode, &places, site)
        }
    }
}

/// The positions of a scatter.
struct Places {
    op: IndexOp,
    arrays: Vec<ValueId>,
}

impl Places {
    /// Combines values with the elements at the positions.
    fn put(
        &self,
        w: &mut Writer,
        x: ValueId,
        values: ValueId,
        mode: ScatterMode,
    ) -> Result<ValueId> {
        let op = match &self.op {
            IndexOp::Scatter { key, .. } => IndexOp::Scatter {
                key: key.clone(),
                mode,
            },
            IndexOp::ScatterFlat { .. } | IndexOp::Getitem { .. } | IndexOp::Take { .. } => {
                IndexOp::ScatterFlat { mode }
            }
        };
        let mut inputs = vec![x, values];
        inputs.extend_from_slice(&self.arrays);
        w.op(op, &inputs)
    }

    /// The elements at the positions.
    fn get(&self, w: &mut Writer, x: ValueId) -> Result<ValueId> {
        let (op, x) = match &self.op {
            IndexOp::Scatter { key, .. } => (IndexOp::Getitem { key: key.clone() }, x),
            IndexOp::ScatterFlat { .. } | IndexOp::Getitem { .. } | IndexOp::Take { .. } => {
                let size = w.ty(x)?.size();
                (IndexOp::Take { axis: 0 }, w.reshape(x, &[size])?)
            }
        };
        let mut inputs = vec![x];
        inputs.extend_from_slice(&self.arrays);
        w.op(Op::Index(op), &inputs)
    }
}

fn scatter(w: &mut Writer, mode: ScatterMode, places: &Places, site: &Site<'_>) -> Result<Tangent> {
    let (x, values) = (site.x[0], site.x[1]);
    let (s, t) = (site.t[0], site.t[1]);
    if s.is_none() && t.is_none() {
        return Ok(None);
    }
    let or_zeros = |w: &mut Writer, t: Tangent, like: ValueId| match t {
        Some(t) => Ok(t),
        None => {
            let ty = w.ty(like)?;
            w.zeros(&ty)
        }
    };
    match mode {
        ScatterMode::Add | ScatterMode::Set => {
            if let (ScatterMode::Add, Some(s), None) = (mode, s, t) {
                return Ok(Some(s));
            }
            let (s, t) = (or_zeros(w, s, x)?, or_zeros(w, t, values)?);
            places.put(w, s, t, mode).map(Some)
        }
        ScatterMode::Multiply => {
            let by_x = match s {
                Some(s) => Some(places.put(w, s, values, mode)?),
                None => None,
            };
            let by_values = match t {
                Some(t) => Some(by_factors(w, places, [x, values], t)?),
                None => None,
            };
            w.total([by_x, by_values])
        }
        ScatterMode::Min | ScatterMode::Max => {
            let out = site.out;
            let chosen = w.op(MapOp::Equal, &[x, out])?;
            let best = places.get(w, out)?;
            let also = w.op(MapOp::Equal, &[values, best])?;
            let real = w.dtype(x)?.real();
            let (own, others) = (w.cast(chosen, real)?, w.cast(also, real)?);
            let count = places.put(w, own, others, ScatterMode::Add)?;
            let (s, t) = (or_zeros(w, s, x)?, or_zeros(w, t, values)?);
            let (s, t) = (w.keep(chosen, s)?, w.keep(also, t)?);
            let sum = places.put(w, s, t, ScatterMode::Add)?;
            w.div(sum, count).map(Some)
        }
    }
}

/// The product of an element and all values at its position, differentiated by the values. The others' product is the
/// product of all that are not zero without the own value, and zero if another one is zero.
fn by_factors(
    w: &mut Writer,
    places: &Places,
    [x, values]: [ValueId; 2],
    t: ValueId,
) -> Result<ValueId> {
    let is_zero = w.is_zero(values)?;
    let safe = w.nonzero(values)?;
    let products = places.put(w, x, safe, ScatterMode::Multiply)?;
    let real = w.dtype(x)?.real();
    let own = w.cast(is_zero, real)?;
    let ty = w.ty(x)?.with_dtype(real);
    let none = w.zeros(&ty)?;
    let zeros = places.put(w, none, own, ScatterMode::Add)?;
    let (products, zeros) = (places.get(w, products)?, places.get(w, zeros)?);
    let others = w.div(products, safe)?;
    let others_zero = w.op(MapOp::Greater, &[zeros, own])?;
    let slope = w.drop(others_zero, others)?;
    let change = w.mul(t, slope)?;
    let ty = w.ty(x)?;
    let nothing = w.zeros(&ty)?;
    places.put(w, nothing, change, ScatterMode::Add)
}
