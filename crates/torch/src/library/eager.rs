//! libtorch's functions, run at once through `tch`.
//!
//! Only the variants that return a `Result` are called: the others panic. Gradients are recorded as they are for
//! any call of libtorch, if a tensor asks for them.

use tch::{Kind, TchError, Tensor};

use super::functions::{Refusal, Torch, kind, torch_argument, torch_functions};
use autojit_ir::error::{Error, Result};
use autojit_ir::{ArrayType, HostArray, Literal};

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

/// Our error for one of libtorch's, without its stack.
pub fn failure(error: TchError) -> Error {
    let text = match error {
        TchError::Torch(text) => text,
        other => other.to_string(),
    };
    classify(first_line(&text))
}

/// The sentence that says what is wrong.
pub(super) fn first_line(text: &str) -> &str {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty());
    line.unwrap_or("it failed without a message")
}

/// The kind of error that a sentence of libtorch's is about.
pub fn classify(line: &str) -> Error {
    if line.starts_with("linalg.") || line.starts_with("torch.linalg.") {
        return Error::linear_algebra(format!("libtorch: {line}"));
    }
    if line.contains("not implemented for") {
        return Error::unsupported(format!("libtorch: {line}"));
    }
    Error::value(format!("libtorch: {line}"))
}

/// The error of an op of linear algebra in the words of autojit's own; `ty` is the type of its first input.
pub fn explained(error: Error, ty: &ArrayType) -> Error {
    if !error.is_linear_algebra() {
        return error;
    }
    let text = error.to_string();
    Error::linear_algebra(if text.contains("positive-definite") {
        format!("a matrix of {ty} is not positive definite")
    } else if text.contains("singular") {
        format!("a matrix of {ty} is singular")
    } else {
        format!("the iteration did not converge for {ty}, expected finite elements")
    })
}

/// The dtype of a tensor, or none for undefined tensors too.
pub(super) fn kind_of(tensor: &Tensor) -> Option<Kind> {
    if !tensor.defined() {
        return None;
    }
    tensor.f_kind().ok()
}
