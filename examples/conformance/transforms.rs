//! Runs what a transformation makes of the function of a case.

use autojit::{Array, Result, vmap_axes};

use crate::execute::call_all;
use crate::json::{Case, Transform};

/// Transforms the function of a case, and calls it.
pub(crate) fn evaluate(case: &Case, transform: &Transform, inputs: &[Array]) -> Result<Vec<Array>> {
    match transform {
        Transform::Batch { in_axes, out_axis } => {
            let f = |inputs: Vec<Array>| call_all(case, &inputs);
            vmap_axes(f, in_axes.clone(), *out_axis)(inputs.to_vec())?
        }
        _ => Err(autojit::Error::unsupported("derivatives")),
    }
}
