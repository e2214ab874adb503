//! The xla library: arrays that live with XLA, and the programs that run on them.
//!
//! ```text
//! emit     a graph, op by op                                (emit.rs, control.rs, lower/)
//! write    the text of a module                             (module.rs, instructions.rs, inner.rs)
//! compile  by XLA, once                                     (program.rs)
//! run      on buffers, with calls back where XLA has not    (program.rs, host.rs)
//! ```
//!
//! Buffers are never changed once they are there, so arrays share them freely. An op by itself is a small program that
//! is kept (`eager.rs`); what would be a call back into autojit is done in main memory.
//!
//! There is one device, the CPU. Refuses: functions of the user's inside programs; `backends/xla` cuts graphs at them.

mod axes;
mod calls;
mod client;
mod control;
mod custom_call;
mod eager;
mod emit;
mod floats;
mod host;
mod inner;
mod instructions;
mod lower;
mod module;
mod program;

use std::any::{Any, TypeId};
use std::sync::Arc;

use smallvec::SmallVec;
use xla::PjRtBuffer;

use autojit_ir::error::{Error, Result};
use autojit_ir::random::Reserved;
use autojit_ir::{ArrayType, HostArray, Op, OperandType, Type};
use autojit_library::backend::Lowering;
use autojit_library::{AnyLibrary, Concrete, Results, make, mixed};
pub use program::{Program, calls, serialized, stablehlo, text};

/// The library.
pub struct XlaLibrary;

/// The one there is.
pub static XLA: XlaLibrary = XlaLibrary;

/// A buffer inside an array.
pub struct XlaArray(PjRtBuffer);

/// The array of a buffer that is known to be of this type.
fn from_buffer(buffer: PjRtBuffer, ty: ArrayType) -> Concrete {
    make(&XLA, ty, XlaArray(buffer))
}

/// The buffer inside an array of this library.
fn buffer(array: &Concrete) -> Option<&PjRtBuffer> {
    match array {
        Concrete::Ndarray(_) => None,
        Concrete::Foreign(array) => array.value::<XlaArray>().map(|array| &array.0),
    }
}

/// How a program lowers an op.
pub fn lowering(op: &Op, operands: &[OperandType<'_>]) -> Lowering {
    lower::lowering(op, operands, module::Purpose::Run)
}

/// Runs a program on arrays of any library: its own as they are, others copied.
///
/// The results are arrays of this library if an argument is one, else in main memory.
///
/// # Errors
/// An op fails on these values, or XLA itself does.
pub fn run(program: &Program, inputs: &[&Concrete]) -> Result<Vec<Concrete>> {
    run_part(program, inputs, None)
}

/// The same, with the random draws of a whole of which the program is a part.
///
/// # Errors
/// As [`run`].
pub fn run_part(
    program: &Program,
    inputs: &[&Concrete],
    draws: Option<&Arc<Reserved>>,
) -> Result<Vec<Concrete>> {
    let mut copied: Vec<PjRtBuffer> = Vec::new();
    for input in inputs.iter().filter(|x| buffer(x).is_none()) {
        copied.push(client::to_device(&input.to_host()?)?);
    }
    let stays = copied.len() < inputs.len();
    let mut copied = copied.iter();
    let arguments = inputs.iter().map(|x| buffer(x).or_else(|| copied.next()));
    let arguments: Option<SmallVec<[&PjRtBuffer; 8]>> = arguments.collect();
    let arguments = arguments.ok_or_else(|| Error::internal("an argument got lost"))?;
    let results = program
        .run(&arguments, draws)?
        .into_iter()
        .zip(program.outputs());
    let results = results.map(|(result, ty)| {
        if stays {
            return Ok(from_buffer(result, ty.clone()));
        }
        client::to_host(&result, ty).map(Concrete::Ndarray)
    });
    results.collect()
}

impl AnyLibrary for XlaLibrary {
    fn name(&self) -> &'static str {
        "xla"
    }

    fn run(&'static self, op: &Op, inputs: &[&Concrete], result: &Type) -> Result<Option<Results>> {
        let mut buffers: SmallVec<[&PjRtBuffer; 4]> = SmallVec::new();
        let mut types: SmallVec<[ArrayType; 2]> = SmallVec::new();
        for input in inputs {
            let own = buffer(input).ok_or_else(|| mixed(self, input.library()))?;
            buffers.push(own);
            types.push(input.ty());
        }
        let Some(program) = eager::program(op, types)? else {
            return Ok(None);
        };
        let results = program
            .run(&buffers, None)?
            .into_iter()
            .zip(result.arrays());
        Ok(Some(
            results.map(|(x, ty)| from_buffer(x, ty.clone())).collect(),
        ))
    }

    fn from_host_on(&'static self, array: HostArray, device: Option<&str>) -> Result<Concrete> {
        if let Some(device) = device
            && device != "cpu"
            && device != "cpu:0"
        {
            return Err(Error::value(format!(
                "the library xla has no device {device}"
            )));
        }
        Ok(from_buffer(client::to_device(&array)?, array.ty()))
    }

    fn to_host(&self, array: &Concrete) -> Result<HostArray> {
        match buffer(array) {
            Some(buffer) => client::to_host(buffer, &array.ty()),
            None => Err(mixed(self, array.library())),
        }
    }

    fn device(&self, _array: &Concrete) -> String {
        "cpu".into()
    }

    fn round_trips(&self) -> bool {
        true
    }

    fn array_type_id(&self) -> TypeId {
        TypeId::of::<XlaArray>()
    }

    fn type_of(&self, _value: &dyn Any) -> Option<ArrayType> {
        // Buffers are not handed out, so there is none to ask about.
        None
    }
}

#[cfg(test)]
mod tests {
    use super::client::tests::transfers;
    use super::*;
    use autojit_ir::{DType, Graph, Scalar};

    #[test]
    fn calls_in_a_row_pass_nothing_through_main_memory() {
        let text = "constant 0 = f64[40] ".to_owned()
            + &["0.5"; 40].join(" ")
            + "\n%x = input index=0 ty=f64[40]\n%c = constant index=0 ty=f64[40]
               %y = multiply %x %c\n%z = sin %y\nreturn %z %y";
        let graph: Graph = text.parse().unwrap();
        let program = Program::new(&graph).unwrap();
        let ones = vec![Scalar::Float(1.0); 40];
        let ones = HostArray::from_scalars(&ArrayType::new(DType::Float64, &[40]), &ones).unwrap();
        let mut x = XLA.from_host_on(ones, None).unwrap();
        let before = transfers();
        for _ in 0..10 {
            let mut results = run(&program, &[&x]).unwrap();
            x = results.swap_remove(1);
        }
        assert_eq!(transfers(), before);
        let last = x.to_host().unwrap().to_scalars();
        assert_eq!(last, [Scalar::Float(0.5f64.powi(10)); 40]);
        assert_eq!(transfers(), before + 1);
    }
}
