//! The functions that rows of the op table refer to: the rule for types, the reference meaning and the expansion of each op.
//!
//! [`Op`] itself (`op.rs`) is data and knows none of them; the paths of the table are looked up here.

use super::eval::{self, Tensor};
use super::expand::{self, Builder};
use super::infer::{self, Signature};
use super::node::ValueId;
use super::op::{
    Arity, ContractOp, ControlOp, FourierOp, IndexOp, JoinOp, LeafOp, LinalgOp, MapOp, Op,
    ReduceOp, ScanOp, SortOp, ViewOp,
};
use super::types::{ArrayType, Type};
use crate::error::{Error, Result};

macro_rules! define_rules {
    (elementwise { $($elementwise:tt)* } conversions { $($conversions:tt)* } classes { $($classes:tt)* } alone { $($alone:tt)* }) => {
        define_rules! {
            @classes { Map MapOp { $($elementwise)* $($conversions)* } $($classes)* }
            alone { $($alone)* }
        }
    };

    (@classes { $( $(#[$class_meta:meta])* $Class:ident $ClassOp:ident { $(
        $(#[$doc:meta])*
        $name:ident $shown:literal $Op:ident $({ $($attr:ident : $Attr:ty),* })?
            ($($x:ident),* $(; $rest:ident)?) : $infer:path $(=> $eval:path)? $(, or $expand:path)? $(, fails $fails:path)?;
    )* } )* }
    alone { $(
        $(#[$alone_doc:meta])*
        $alone_name:ident $alone_shown:literal $Alone:ident { $($alone_attr:ident : $AloneAttr:ty),* }
            ($($alone_x:ident),* $(; $alone_rest:ident)?) : $alone_infer:path => $alone_eval:path;
    )* }) => {
        $(
            impl $ClassOp {
                fn infer(&self, inputs: &[&Type]) -> Result<Signature> {
                    match self { $(
                        Self::$Op $({ $($attr),* })? => $infer($($($attr,)*)? inputs),
                    )* }
                }

                fn reference(&self, inputs: &[Tensor], result: &Type) -> Option<Result<Vec<Tensor>>> {
                    match self { $(
                        #[allow(unused_variables, reason = "a derived op may mean what its expansion means")]
                        Self::$Op $({ $($attr),* })? => define_rules!(
                            @reference inputs, result $(, $eval)? ; $($($attr),*)?
                        ),
                    )* }
                }

                #[allow(unused_variables, reason = "some classes have core ops alone")]
                fn expand(&self, builder: &mut Builder<'_>, inputs: &[ValueId]) -> Option<Result<ValueId>> {
                    match self { $(
                        #[allow(unused_variables, reason = "core ops use no attribute here")]
                        Self::$Op $({ $($attr),* })? => define_rules!(@expand builder, inputs $(, $expand)? ; $($($attr),*)?),
                    )* }
                }
            }
        )*

        impl Op {
            /// The rule for dtypes and shapes: what inputs are converted to, and the type of the result.
            ///
            /// # Errors
            /// The inputs do not fit the op; the message names their types.
            pub fn infer(&self, inputs: &[&Type]) -> Result<Signature> {
                self.check_arity(inputs.len())?;
                let inferred = match self {
                    $( Self::$Class(op) => op.infer(inputs), )*
                    $( Self::$Alone { $($alone_attr),* } => $alone_infer($($alone_attr,)* inputs), )*
                };
                let sized = inferred.and_then(|signature| {
                    let types = signature.result.arrays();
                    types.iter().try_for_each(ArrayType::check_size)?;
                    Ok(signature)
                });
                sized.map_err(|e| e.in_op(self.name()))
            }

            /// The reference meaning, on inputs that already have the dtypes of the signature; `None` for a derived op
            /// that has none of its own.
            pub(super) fn reference(&self, inputs: &[Tensor], result: &Type) -> Option<Result<Vec<Tensor>>> {
                let results = match self {
                    $( Self::$Class(op) => op.reference(inputs, result), )*
                    $( Self::$Alone { $($alone_attr),* } => Some($alone_eval($($alone_attr,)* inputs, result)), )*
                };
                results.map(|results| results.map_err(|e| e.in_op(self.error_name())))
            }

            /// Writes the op with others into a graph; `None` for a core op.
            pub fn expand(&self, builder: &mut Builder<'_>, inputs: &[ValueId]) -> Option<Result<ValueId>> {
                match self {
                    $( Self::$Class(op) => op.expand(builder, inputs), )*
                    $( Self::$Alone { .. } => None, )*
                }
            }
        }
    };

    (@reference $inputs:ident, $result:ident ; $($attr:ident),*) => { None };
    (@reference $inputs:ident, $result:ident, $eval:path ; $($attr:ident),*) => {
        Some($eval($($attr,)* $inputs, $result))
    };

    (@expand $builder:ident, $inputs:ident ; $($attr:ident),*) => { None };
    (@expand $builder:ident, $inputs:ident, $expand:path ; $($attr:ident),*) => {
        Some($expand($($attr,)* $builder, $inputs))
    };
}
crate::for_each_op!(define_rules);

impl Op {
    /// Checks the number of inputs.
    fn check_arity(&self, given: usize) -> Result<()> {
        let Arity { required, variadic } = self.arity();
        if given < required || (given > required && !variadic) {
            let least = if variadic { "at least " } else { "" };
            let error = Error::value(format!("expected {least}{required} inputs, got {given}"));
            return Err(error.in_op(self.name()));
        }
        Ok(())
    }
}
