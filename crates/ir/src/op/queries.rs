//! Questions about any op: its names, how many inputs it takes, the graphs inside of it, how it is printed.

use std::fmt;

use smallvec::{SmallVec, smallvec};

use super::{Arity, ControlOp, IndexOp, MapOp, Op};
use crate::body::Body;
use crate::error::Result;
use crate::modes::IndexedBy;
use crate::types::DType;

impl MapOp {
    /// Whether it is a function of elements alone, without attributes: all but conversions and checks.
    #[must_use]
    pub fn is_elementwise(self) -> bool {
        !matches!(
            self,
            Self::Astype { .. } | Self::WrapIndex { .. } | Self::StopGradient
        )
    }

    /// Whether this op can be written with others.
    #[must_use]
    pub fn has_expansion(self) -> bool {
        self.row().expands
    }

    /// Whether it may fail on some values, if its result has this dtype.
    #[inline]
    #[must_use]
    pub fn can_fail(self, dtype: DType) -> bool {
        self.row().fails.iter().any(|fails| fails(dtype))
    }
}

impl Op {
    /// NumPy's name, as the text form spells it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.row().name
    }

    /// The name in errors: of what users call, which checks of indices and flat positions are parts of.
    #[must_use]
    pub fn error_name(&self) -> &'static str {
        match self {
            Self::Opaque { function } => function.name(),
            Self::Map(MapOp::WrapIndex { of, .. }) => of.name(),
            Self::Index(IndexOp::ScatterFlat { .. }) => IndexedBy::Scatter.name(),
            Self::Leaf(_)
            | Self::Map(_)
            | Self::Reduce(_)
            | Self::Scan(_)
            | Self::Sort(_)
            | Self::Contract(_)
            | Self::View(_)
            | Self::Index(_)
            | Self::Join(_)
            | Self::Linalg(_)
            | Self::Fourier(_)
            | Self::Control(_)
            | Self::Get { .. }
            | Self::Random { .. } => self.name(),
        }
    }

    /// The short name that statistics print: autoray's.
    #[must_use]
    pub fn shown_name(&self) -> &'static str {
        match self {
            Self::Opaque { function } => function.name(),
            _ => self.row().shown,
        }
    }

    /// The graphs inside of it.
    #[must_use]
    pub fn bodies(&self) -> SmallVec<[&Body; 2]> {
        let Self::Control(op) = self else {
            return SmallVec::new();
        };
        match op {
            ControlOp::Scan { body, .. } => smallvec![body],
            ControlOp::While {
                condition, body, ..
            } => smallvec![condition, body],
            ControlOp::Switch { branches } => branches.iter().collect(),
        }
    }

    /// The same op with other bodies.
    ///
    /// # Errors
    /// Those of the closure.
    pub fn map_bodies(&self, mut map: impl FnMut(&Body) -> Result<Body>) -> Result<Self> {
        let Self::Control(op) = self else {
            return Ok(self.clone());
        };
        Ok(Self::Control(match op {
            ControlOp::Scan {
                body,
                carry,
                xs,
                length,
                reverse,
            } => ControlOp::Scan {
                body: map(body)?,
                carry: *carry,
                xs: *xs,
                length: *length,
                reverse: *reverse,
            },
            ControlOp::While {
                condition,
                body,
                carry,
                limit,
            } => ControlOp::While {
                condition: map(condition)?,
                body: map(body)?,
                carry: *carry,
                limit: *limit,
            },
            ControlOp::Switch { branches } => ControlOp::Switch {
                branches: branches.iter().map(map).collect::<Result<_>>()?,
            },
        }))
    }

    /// How many inputs it takes.
    #[must_use]
    pub fn arity(&self) -> Arity {
        self.row().arity
    }

    /// Whether it is a function of elements alone, with broadcasting.
    #[must_use]
    pub fn is_elementwise(&self) -> bool {
        matches!(self, Self::Map(op) if op.is_elementwise())
    }

    /// Whether this op can be written with others.
    #[must_use]
    pub fn has_expansion(&self) -> bool {
        self.row().expands
    }

    /// Input, literal or constant: a node without inputs.
    #[must_use]
    pub fn is_leaf(&self) -> bool {
        matches!(self, Self::Leaf(_))
    }
}

/// Prints the name and the attributes, as in `sum axes=[0] keepdims=false`.
impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        for (name, text) in self.attributes() {
            write!(f, " {name}={text}")?;
        }
        Ok(())
    }
}

impl Op {
    /// The name and the attributes for people to read: of graphs inside, how many nodes they have.
    #[must_use]
    pub fn summary(&self) -> String {
        let Self::Control(op) = self else {
            return self.to_string();
        };
        let mut bodies = self.bodies().into_iter().map(Body::nodes);
        let mut next = || format!("{{{} nodes}}", bodies.next().unwrap_or(0));
        let name = self.name();
        match op {
            ControlOp::Scan {
                length, reverse, ..
            } => {
                let order = if *reverse { " reverse" } else { "" };
                format!("{name} length={length}{order} body={}", next())
            }
            ControlOp::While { limit, .. } => {
                let limit = match *limit {
                    u64::MAX => String::new(),
                    limit => format!(" limit={limit}"),
                };
                format!("{name}{limit} condition={} body={}", next(), next())
            }
            ControlOp::Switch { branches } => {
                let branches: Vec<String> = branches.iter().map(|_| next()).collect();
                format!("{name} branches={}", branches.join(","))
            }
        }
    }
}
