//! The ndarray library: arrays in main memory.

use super::{Concrete, Library, Results};
use crate::error::{Error, Result};
use crate::ir::{HostArray, Op, Type};

/// The library.
pub(super) struct Ndarray;

impl Library for Ndarray {
    fn name(&self) -> &'static str {
        "ndarray"
    }

    fn spell(&self, op: &Op, _inputs: &[Concrete], _result: &Type) -> Result<Option<Results>> {
        Err(Error::unsupported(format!("{op} is not written yet")))
    }

    fn from_host(&self, array: HostArray) -> Result<Concrete> {
        Ok(Concrete::Ndarray(array))
    }

    fn to_host(&self, array: &Concrete) -> Result<HostArray> {
        match array {
            Concrete::Ndarray(array) => Ok(array.clone()),
        }
    }
}
