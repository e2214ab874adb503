//! Calls of registered functions with lazy arrays: such a node keeps the name and the arguments without their arrays.

use std::panic::Location;
use std::sync::Arc;

use super::batches::{BatchRule, with_batches};
use super::call::Call;
use super::opaque::opaque;
use super::{Arguments, Rule};
use crate::{Array, Operand, Value};
use autojit_ir::error::Result;
use autojit_ir::{ArrayType, Op};
use autojit_library::{AnyLibrary, Concrete};

/// Writes down a call with lazy arrays.
pub(crate) fn trace(
    name: &'static str,
    arguments: &Arguments,
    (rule, batches): (Rule, Option<BatchRule>),
    location: &'static Location<'static>,
) -> Result<Value> {
    let arrays: Vec<Operand> = arguments.arrays().into_iter().map(Into::into).collect();
    let call = Arc::new(Call {
        name,
        template: arguments.with_arrays(|| Some(Array::from(false).into())),
        rule,
        location,
    });
    let function = match batches {
        Some(batches) => with_batches(call, batches),
        None => {
            let typed = Arc::clone(&call);
            let run = move |library: &'static dyn AnyLibrary, inputs: &[&Concrete]| {
                let arrays = inputs.iter().map(|&x| Array::from_concrete(x.clone()));
                call.run(library, arrays)
            };
            opaque(name, move |inputs| typed.types(inputs), run, None)
        }
    };
    let types: Vec<ArrayType> = arrays.iter().map(Operand::ty).collect::<Result<_>>()?;
    let op = Op::Opaque {
        function: function.clone(),
    };
    let result = function.infer(&types).map_err(|e| e.in_op(name))?;
    Array::apply_opaque(op, &arrays, &result, location)
}
