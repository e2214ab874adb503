//! How a backend lowers an op.

use autojit_ir::{Error, Op};

use super::Support;

/// How a backend lowers an op on operands of some types.
#[derive(Clone, Debug)]
pub enum Lowering {
    /// As an operation, or a few, of its own.
    Native,
    /// As its [expansion](autojit_ir::expansion): written with core ops. The op must have one.
    Expand,
    /// As a call back into autojit, on copies of the program's arrays.
    Call,
    /// Not at all, for this reason.
    Unsupported(Error),
}

impl Lowering {
    /// Not at all: the backend cannot run this op.
    #[must_use]
    pub fn unsupported(backend: &str, op: &Op) -> Self {
        let op = op.name();
        Self::Unsupported(Error::unsupported(format!(
            "the backend {backend} does not support {op}"
        )))
    }
}

impl From<Lowering> for Support {
    fn from(lowering: Lowering) -> Self {
        match lowering {
            Lowering::Native => Self::Native,
            Lowering::Expand => Self::Expanded,
            Lowering::Call => Self::Called,
            Lowering::Unsupported(why) => Self::Declined(why),
        }
    }
}
