//! `Along`: the one axis that a function works along.

use std::ops::RangeFull;

use super::integers::one_axis;
use crate::Result;
use autojit_ir::ArrayType;

/// One axis, the last by default; `None` works on the flattened array, where a function allows that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Along(pub(crate) Option<i64>);

impl Default for Along {
    fn default() -> Self {
        Self(Some(-1))
    }
}

impl From<RangeFull> for Along {
    fn from(_: RangeFull) -> Self {
        Self::default()
    }
}

impl From<i64> for Along {
    fn from(axis: i64) -> Self {
        Self(Some(axis))
    }
}

impl From<i32> for Along {
    fn from(axis: i32) -> Self {
        Self(Some(axis.into()))
    }
}

impl From<Option<i64>> for Along {
    fn from(axis: Option<i64>) -> Self {
        Self(axis)
    }
}

impl Along {
    /// The axis of an array that is not flattened, counted from the front; `None` is the last.
    pub(crate) fn resolve(self, ty: &ArrayType) -> Result<usize> {
        one_axis(self.0.unwrap_or(-1), ty)
    }
}
