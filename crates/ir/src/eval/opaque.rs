//! Functions of the user's, which know what they mean.

use super::Tensor;
use crate::error::Result;
use crate::opaque::OpaqueFunction;
use crate::types::Type;

/// Runs the function on arrays in main memory.
pub(crate) fn opaque(
    function: &OpaqueFunction,
    inputs: &[Tensor],
    _result: &Type,
) -> Result<Vec<Tensor>> {
    let inputs = inputs.iter().map(Tensor::to_host);
    let results = function.call(&inputs.collect::<Result<Vec<_>>>()?)?;
    Ok(results.iter().map(Tensor::from).collect())
}
