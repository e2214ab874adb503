//! Toy libraries for the tests of dispatch.
#![allow(dead_code, reason = "each test file uses some of them")]

use std::sync::Once;

use autojit::ir::{HostArray, MapOp, Op, ReduceOp, ViewOp};
use autojit::{Array, ArrayType, Library, Result, Spelled, register_library};

/// An array in a box: the library spells elementwise ops, sums and shapes, and the values come back whole.
#[derive(Clone, Debug)]
pub(crate) struct Boxed(pub(crate) Array);

pub(crate) struct BoxedLibrary;

impl Library for BoxedLibrary {
    type Array = Boxed;

    fn name(&self) -> &'static str {
        "boxed"
    }

    fn array_type(&self, x: &Boxed) -> ArrayType {
        x.0.ty().unwrap()
    }

    fn from_host(&self, array: &HostArray) -> Result<Boxed> {
        Ok(Boxed(array.clone().into()))
    }

    fn to_host(&self, x: &Boxed) -> Result<HostArray> {
        HostArray::try_from(&x.0)
    }

    fn call(&self, op: &Op, inputs: &[&Boxed]) -> Result<Spelled<Boxed>> {
        let spelled = op.is_elementwise()
            || matches!(
                op,
                Op::Reduce(ReduceOp::Sum { .. }) | Op::View(ViewOp::Reshape { .. })
            );
        if !spelled {
            return Ok(Spelled::Unknown);
        }
        let inputs: Vec<_> = inputs.iter().map(|x| (&x.0).into()).collect();
        Ok(Boxed(Array::apply(op.clone(), &inputs).check()?).into())
    }

    fn round_trips(&self) -> bool {
        true
    }
}

/// A value with a mark that main memory cannot hold. Ops keep the mark of the first argument.
#[derive(Clone, Debug)]
pub(crate) struct Marked(pub(crate) Array, pub(crate) i64);

pub(crate) struct Tagged(pub(crate) &'static str);

impl Library for Tagged {
    type Array = Marked;

    fn name(&self) -> &'static str {
        self.0
    }

    fn array_type(&self, x: &Marked) -> ArrayType {
        x.0.ty().unwrap()
    }

    fn from_host(&self, array: &HostArray) -> Result<Marked> {
        Ok(Marked(array.clone().into(), 0))
    }

    fn to_host(&self, x: &Marked) -> Result<HostArray> {
        HostArray::try_from(&x.0)
    }

    fn call(&self, op: &Op, inputs: &[&Marked]) -> Result<Spelled<Marked>> {
        if !matches!(
            op,
            Op::Map(MapOp::Add | MapOp::Multiply | MapOp::Negative)
                | Op::View(ViewOp::BroadcastTo { .. })
        ) {
            return Ok(Spelled::Unknown);
        }
        let arrays: Vec<_> = inputs.iter().map(|x| (&x.0).into()).collect();
        let marks = inputs.iter().map(|x| x.1).max().unwrap_or(0);
        Ok(Marked(Array::apply(op.clone(), &arrays).check()?, marks).into())
    }

    fn device(&self, x: &Marked) -> String {
        format!("gpu:{}", x.1)
    }

    fn from_host_on(&self, array: &HostArray, device: &str) -> Result<Marked> {
        let mark = device
            .strip_prefix("gpu:")
            .and_then(|mark| mark.parse().ok());
        Ok(Marked(array.clone().into(), mark.unwrap_or(0)))
    }
}

/// Registers both, once.
pub(crate) fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        register_library(BoxedLibrary).unwrap();
        register_library(Tagged("tagged")).unwrap();
    });
}
