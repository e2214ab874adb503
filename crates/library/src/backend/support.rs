//! The support of an op by a backend.

use std::fmt;

use autojit_ir::Error;

/// The support of an op on arguments of some types by a backend.
#[derive(Clone, Debug)]
pub enum Support {
    /// It has the op.
    Native,
    /// It runs the op written with others, which it has.
    Expanded,
    /// Its program calls back into autojit for the op, on copies of its arrays.
    Called,
    /// It does not support the op, for this reason; replay takes over graphs with it.
    Declined(Error),
}

impl fmt::Display for Support {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Native => "native",
            Self::Expanded => "expanded",
            Self::Called => "called",
            Self::Declined(_) => "unsupported",
        })
    }
}
