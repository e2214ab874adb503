//! libtorch's functions, run at once through `tch`.
//!
//! Only the variants that return a `Result` are called: the others panic. Gradients are recorded as they are for
//! any call of libtorch, if a tensor asks for them.

use tch::Tensor;

use super::errors::failure;
use super::functions::{Refusal, Torch, kind, torch_argument, torch_functions};
use autojit_ir::error::Result;
use autojit_ir::{HostArray, Literal};

/// Runs each function at once.
pub(super) struct Eager;

macro_rules! run {
    (one { $($name:ident $text:literal ($($arg:ident : $kind:ident),*) => $run:expr;)* }
     several { $($many:ident $many_text:literal ($($many_arg:ident : $many_kind:ident),*) -> $count:literal => $many_run:expr;)* }) => {
        impl Torch for Eager {
            type Value = Tensor;

            fn share(&mut self, x: &Tensor) -> Tensor {
                x.shallow_clone()
            }

            fn literal(&mut self, literal: Literal) -> Result<Tensor> {
                super::convert::to_tensor(&HostArray::scalar(literal.value, literal.dtype))
            }

            fn refuse_where(
                &mut self,
                condition: &Tensor,
                numbers: &Tensor,
                why: Refusal,
            ) -> Result<()> {
                let any = condition.f_any().and_then(|any| any.f_int64_value(&[]));
                if any.map_err(failure)? == 0 {
                    return Ok(());
                }
                let refused = numbers.f_masked_select(condition);
                let number = refused.and_then(|x| x.f_real()?.f_int64_value(&[0]));
                Err(why.error(number.map_err(failure)?))
            }

            $(fn $name(&mut self, $($arg: torch_argument!($kind)),*) -> Result<Tensor> {
                ($run).map_err(failure)
            })*
            $(fn $many(&mut self, $($many_arg: torch_argument!($many_kind)),*) -> Result<[Tensor; $count]> {
                ($many_run).map_err(failure)
            })*
        }
    };
}
torch_functions!(run);
