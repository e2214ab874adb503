//! `Program`: a graph compiled by XLA, and the constants that go with it.
//!
//! Buffers go in and come out; nothing passes through main memory, unless the program calls back into autojit. Then it
//! takes the number of its run too, by which the calls find each other (see [`super::host`]).

use std::sync::Arc;

use smallvec::SmallVec;
use xla::{HloModuleProto, PjRtBuffer, PjRtLoadedExecutable, XlaComputation};

use super::calls::{HostCall, Work};
use super::client::{client, failure, to_device};
use super::emit::{Code, emit};
use super::host::Started;
use super::module::{Extra, Purpose};
use autojit_ir::error::{Error, Result};
use autojit_ir::random::Reserved;
use autojit_ir::{ArrayType, Graph, HostArray, Op, Scalar};

/// How many instructions a program may have. XLA takes seconds to minutes for so many, for some programs in time that
/// grows with the square; and a few times as many overflow the stack of one of its threads, which ends the process.
const MOST_INSTRUCTIONS: usize = 30_000;

/// A compiled graph. Its memory is freed with it.
pub struct Program {
    code: Code,
    executable: PjRtLoadedExecutable,
    extras: Vec<Argument>,
    calls: Arc<[HostCall]>,
    outputs: Vec<ArrayType>,
}

/// The inputs that follow the arguments of the graph.
enum Argument {
    Constant(PjRtBuffer),
    Run,
}

/// XLA's form of a module.
///
/// # Errors
/// An internal error.
pub(super) fn parse(code: &Code) -> Result<HloModuleProto> {
    HloModuleProto::parse_and_return_unverified_module(code.text.as_bytes()).map_err(|e| {
        let why = code.attributed(failure(e));
        Error::internal(format!("XLA does not read the module: {why}"))
    })
}

impl Program {
    /// Compiles a graph.
    ///
    /// # Errors
    /// XLA does not run it (`is_unsupported`), or there is no memory for its constants.
    pub fn new(graph: &Graph) -> Result<Self> {
        let mut code = emit(graph, Purpose::Run)?;
        if code.instructions > MOST_INSTRUCTIONS {
            return Err(Error::unsupported(format!(
                "XLA takes minutes for programs of more than {MOST_INSTRUCTIONS} instructions, and this one has {}",
                code.instructions
            )));
        }
        let computation = XlaComputation::from_proto(&parse(&code)?);
        let executable = computation.compile(client()?);
        let executable = executable.map_err(|e| code.attributed(failure(e)))?;
        let extras = std::mem::take(&mut code.extras).into_iter();
        let extras = extras.map(|extra| match extra {
            Extra::Constant(array) => to_device(&array).map(Argument::Constant),
            Extra::Run => Ok(Argument::Run),
        });
        let outputs = graph.outputs().iter().map(|&v| graph.ty(v).cloned());
        Ok(Self {
            extras: extras.collect::<Result<_>>()?,
            calls: std::mem::take(&mut code.calls).into(),
            outputs: outputs.collect::<Result<_>>()?,
            executable,
            code,
        })
    }

    /// The types of the results.
    pub fn outputs(&self) -> &[ArrayType] {
        &self.outputs
    }

    /// The ops for which it calls back, random draws among them.
    pub fn called(&self) -> impl Iterator<Item = &Op> {
        self.calls.iter().filter_map(|call| match &call.work {
            Work::Op(op) => Some(op),
            Work::Positions(_) | Work::GoesOn { .. } => None,
        })
    }

    /// Runs it on buffers of the types of the graph's arguments; its random draws are new ones unless some are given.
    ///
    /// # Errors
    /// An op fails on these values, or there is not enough memory.
    pub(super) fn run(
        &self,
        inputs: &[&PjRtBuffer],
        draws: Option<&Arc<Reserved>>,
    ) -> Result<Vec<PjRtBuffer>> {
        if self.outputs.is_empty() {
            return Ok(Vec::new());
        }
        let run = (!self.calls.is_empty()).then(|| {
            let draws = draws.cloned();
            let draws = draws.unwrap_or_else(|| Arc::new(Reserved::new(self.called())));
            Started::new(&self.calls, draws)
        });
        let number = match &run {
            Some(run) => {
                let number = Scalar::Int(run.number());
                Some(to_device(&HostArray::scalar(
                    number,
                    super::calls::RUN_NUMBER,
                ))?)
            }
            None => None,
        };
        let mut arguments: SmallVec<[&PjRtBuffer; 8]> = inputs.into();
        for extra in &self.extras {
            arguments.push(match (extra, &number) {
                (Argument::Constant(buffer), _) | (Argument::Run, Some(buffer)) => buffer,
                (Argument::Run, None) => {
                    return Err(Error::internal("a program without calls asks for its run"));
                }
            });
        }
        let executed = self.executable.execute_b(&arguments);
        if let Some(error) = run.as_ref().and_then(Started::error) {
            return Err(error);
        }
        let mut results = executed.map_err(|e| self.code.attributed(failure(e)))?;
        // One list of results for each device.
        let results = results.pop().unwrap_or_default();
        if results.len() != self.outputs.len() {
            return Err(Error::internal("XLA gave another number of results"));
        }
        Ok(results)
    }

    /// How many instructions its text has.
    pub fn instructions(&self) -> usize {
        self.code.instructions
    }

    /// How many of them call back into autojit.
    pub fn host_calls(&self) -> usize {
        self.calls.len()
    }

    /// Its parts, and its text.
    pub fn describe(&self) -> String {
        format!(
            "XLA: {} instructions, {} calls of autojit\n{}",
            self.code.instructions,
            self.calls.len(),
            self.code.text
        )
    }
}

/// The text of the program that is run for a graph.
///
/// # Errors
/// XLA does not run it (`is_unsupported`).
pub fn text(graph: &Graph) -> Result<String> {
    Ok(emit(graph, Purpose::Run)?.text)
}

/// The ops for which the program of a graph calls back into autojit.
///
/// # Errors
/// XLA does not run it (`is_unsupported`).
pub fn calls(graph: &Graph) -> Result<Vec<Op>> {
    let calls = emit(graph, Purpose::Run)?.calls.into_iter();
    let ops = calls.filter_map(|call| match call.work {
        Work::Op(op) => Some(op),
        Work::Positions(_) | Work::GoesOn { .. } => None,
    });
    Ok(ops.collect())
}

/// The program for others to read, in StableHLO.
///
/// # Errors
/// It would call autojit (`is_unsupported`).
pub fn stablehlo(graph: &Graph) -> Result<String> {
    let proto = parse(&emit(graph, Purpose::Save)?)?;
    proto.to_stablehlo_string().map_err(failure)
}

/// The program for others to read, as a serialised `HloModuleProto`.
///
/// # Errors
/// It would call autojit (`is_unsupported`).
pub fn serialized(graph: &Graph) -> Result<Vec<u8>> {
    let proto = parse(&emit(graph, Purpose::Save)?)?;
    proto.to_bytes().map_err(failure)
}
