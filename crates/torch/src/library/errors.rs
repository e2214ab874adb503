//! Errors of libtorch as ours: without its stack, and of the kind that its sentence is about.

use tch::TchError;

use autojit_ir::ArrayType;
use autojit_ir::error::Error;

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
