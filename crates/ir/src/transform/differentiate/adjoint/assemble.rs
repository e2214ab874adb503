//! Sums of cotangents that are zero but in a box: the cotangents of slices.
//!
//! An array that is taken apart by many slices gets one join of the cotangents of its parts rather than a sum of as many
//! arrays of its size: the work is that of the parts, as long as they do not overlap.

use std::collections::BTreeMap;

use super::super::writer::Writer;
use crate::ValueId;
use crate::error::Result;
use crate::types::Dims;

/// A cotangent that is zero outside of the box that begins at `starts`.
pub(in super::super) struct Part {
    pub(super) starts: Dims,
    pub(super) ct: ValueId,
}

/// The sum of parts of an array of a shape.
///
/// # Errors
/// A part does not fit: an internal error.
pub(in super::super) fn assemble(
    w: &mut Writer,
    parts: Vec<Part>,
    shape: &[usize],
) -> Result<Option<ValueId>> {
    along(w, parts, shape, 0)
}

/// Boxes side by side along an axis.
struct Layer {
    end: usize,
    parts: Vec<ValueId>,
}

fn along(
    w: &mut Writer,
    parts: Vec<Part>,
    shape: &[usize],
    axis: usize,
) -> Result<Option<ValueId>> {
    let Some(&length) = shape.get(axis) else {
        return w.total(parts.into_iter().map(|part| Some(part.ct)));
    };
    let mut groups: BTreeMap<(usize, usize), Vec<Part>> = BTreeMap::new();
    for part in parts {
        let size = w.graph.ty(part.ct)?.shape[axis];
        let interval = (part.starts[axis], size);
        groups.entry(interval).or_default().push(part);
    }
    let mut layers: Vec<Layer> = Vec::new();
    for ((start, size), parts) in groups {
        let Some(value) = along(w, parts, shape, axis + 1)? else {
            continue;
        };
        let index = layers.iter().position(|layer| layer.end <= start);
        let index = index.unwrap_or_else(|| {
            layers.push(Layer {
                end: 0,
                parts: Vec::new(),
            });
            layers.len() - 1
        });
        let layer = &mut layers[index];
        if layer.end < start {
            layer.parts.push(gap(w, value, axis, start - layer.end)?);
        }
        layer.parts.push(value);
        layer.end = start + size;
    }
    let mut sums = Vec::with_capacity(layers.len());
    for mut layer in layers {
        if layer.end < length {
            let rest = gap(w, layer.parts[0], axis, length - layer.end)?;
            layer.parts.push(rest);
        }
        sums.push(Some(w.concatenate(axis, &layer.parts)?));
    }
    w.total(sums)
}

/// Zeros beside a part.
fn gap(w: &mut Writer, beside: ValueId, axis: usize, size: usize) -> Result<ValueId> {
    let mut ty = w.ty(beside)?;
    ty.shape[axis] = size;
    w.zeros(&ty)
}
