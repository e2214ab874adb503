//! The torch backend: graph -> text of a TorchScript module -> archive -> libtorch's interpreter.
//!
//! ```text
//! emit     each op lowered as in the torch library, written down           (emit.rs)
//! pack     the text and the constants as a file of libtorch's              (archive.rs)
//! run      by libtorch, without profiling or gradients                     (here)
//! ```
//!
//! Arrays of torch go in as they are; arrays in main memory are lent for the call, and results are copied back. So
//! are the numbers of random draws, which the runtime makes for each call: they are the same on every backend.
//! Everything is linear in nodes. Does not support registered functions, which a module has no way to call, and
//! more constants than libtorch loads in reasonable time.

mod archive;
mod control;
mod emit;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use smallvec::SmallVec;
use tch::jit::{CModule, IValue};
use tch::{TchError, Tensor};

use crate::library::{self as torch, Borrowed, Refusal, settings};
use autojit_ir::error::{Error, Result};
use autojit_ir::random::Reserved;
use autojit_ir::{ArrayType, Graph, Op, OperandType};
use autojit_library::backend::{Backend, CodeReport, Executable, Lowering, Outputs};
use autojit_library::{self as library, Concrete};
use emit::Code;

/// The backend.
pub struct TorchScript;

impl Backend for TorchScript {
    fn name(&self) -> &'static str {
        "torch"
    }

    fn lower(&self, op: &Op, operands: &[OperandType<'_>]) -> Lowering {
        torch::lowering(op, operands)
    }

    fn compile(&self, graph: &Graph) -> Result<Arc<dyn Executable>> {
        let code = emit::emit(graph)?;
        let archive = archive::pack(&code.text, &code.constants)?;
        let load = || CModule::load_data(&mut archive.as_slice());
        let module = settings::with_stack_for(code.calls, load)?.map_err(|e| {
            let why = summary(&e);
            Error::internal(format!("libtorch does not take the module: {why}"))
        })?;
        let outputs = graph.outputs().iter();
        let outputs = outputs.map(|&v| graph.ty(v).cloned());
        Ok(Arc::new(Script {
            module: Some(module),
            code,
            outputs: outputs.collect::<Result<_>>()?,
            has_run: AtomicBool::new(false),
        }))
    }
}

/// The text of a module for a graph.
///
/// # Errors
/// An op is not supported.
pub fn source(graph: &Graph) -> Result<String> {
    Ok(emit::emit(graph)?.text)
}

/// The file of a module for a graph, as `torch.jit.load` reads it.
///
/// # Errors
/// An op is not supported, or the constants are too large.
pub fn archive(graph: &Graph) -> Result<Vec<u8>> {
    let code = emit::emit(graph)?;
    archive::pack(&code.text, &code.constants)
}

/// A loaded module.
struct Script {
    /// There until it is dropped.
    module: Option<CModule>,
    code: Code,
    outputs: Vec<ArrayType>,
    /// Whether the module has chosen its executor.
    has_run: AtomicBool,
}

impl Script {
    fn forward(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let Some(module) = &self.module else {
            return Err(Error::internal("a module was run after its end"));
        };
        let run = || {
            let inputs: Vec<IValue> = inputs.into_iter().map(IValue::Tensor).collect();
            match settings::without_gradients(|| module.forward_is(&inputs)) {
                Ok(IValue::TensorList(tensors)) => Ok(tensors),
                // An empty list has no type.
                Ok(IValue::GenericList(list)) if list.is_empty() => Ok(Vec::new()),
                Ok(other) => Err(Error::internal(format!("the module gave {other:?}"))),
                Err(error) => Err(self.failure(&error)),
            }
        };
        if self.has_run.load(Ordering::Acquire) {
            return run();
        }
        let first = || settings::with_stack_for(self.code.calls, run);
        let results = settings::without_profiling(first)???;
        self.has_run.store(true, Ordering::Release);
        Ok(results)
    }

    /// Our error for one of libtorch's, with the op and the line of the user's that it is about.
    fn failure(&self, error: &TchError) -> Error {
        let text = error.to_string();
        let error = Refusal::find(&text).unwrap_or_else(|| torch::classify(&summary(error)));
        let place = text.split("__torch__.py\", line ").nth(1);
        let digits = place.and_then(|p| p.split(|c: char| !c.is_ascii_digit()).next());
        let Some(origin) = digits
            .and_then(|digits| digits.parse().ok())
            .and_then(|line| self.code.origin(line))
        else {
            return error;
        };
        let error = match &origin.ty {
            Some(ty) => torch::explained(error, ty),
            None => error,
        };
        let error = error.in_op(origin.op);
        match origin.location {
            Some(location) => error.at(location),
            None => error,
        }
    }
}

/// The sentence in which libtorch says what is wrong, without stacks and code.
fn summary(error: &TchError) -> String {
    let text = match error {
        TchError::Torch(text) => text.clone(),
        other => other.to_string(),
    };
    let said = text.lines().rev().find_map(|line| {
        let line = line.trim();
        ["RuntimeError: ", "torch.jit.Error: ", "LinAlgError: "]
            .iter()
            .find_map(|kind| Some(line.split_once(kind)?.1.to_owned()))
    });
    said.unwrap_or_else(|| text.lines().next().unwrap_or_default().trim().to_owned())
}

impl Drop for Script {
    fn drop(&mut self) {
        let module = self.module.take();
        // Where no thread can be started, it is dropped by the closure all the same, here.
        let _ = settings::with_stack_for(self.code.calls, || drop(module));
    }
}

impl Executable for Script {
    /// Results are torch's arrays if an argument is one, else in main memory.
    fn run(&self, inputs: &[&Concrete], outputs: &mut Outputs) -> Result<()> {
        let mut lent: SmallVec<[Borrowed; 4]> = SmallVec::new();
        let mut arguments: Vec<Tensor> = Vec::with_capacity(inputs.len());
        let mut in_torch = false;
        for input in inputs {
            let tensor = match torch::tensor(input) {
                Some(tensor) => {
                    in_torch = true;
                    tensor.shallow_clone()
                }
                None => {
                    // Lives until after the results are there, none of which shares its memory.
                    lent.push(Borrowed::new(&input.to_host()?)?);
                    match lent.last() {
                        Some(array) => array.tensor().shallow_clone(),
                        None => return Err(Error::internal("an argument got lost")),
                    }
                }
            };
            arguments.push(tensor);
        }
        let draws = Reserved::new(&self.code.draws);
        for op in &self.code.draws {
            let numbers = library::draw(draws.fixed(op).as_ref().unwrap_or(op))?;
            let numbers = Borrowed::new(&numbers)?;
            arguments.push(numbers.tensor().shallow_clone());
            lent.push(numbers);
        }
        let tensors = self.forward(arguments)?;
        if tensors.len() != self.outputs.len() {
            return Err(Error::internal("the module gave another number of results"));
        }
        for (tensor, ty) in tensors.into_iter().zip(&self.outputs) {
            outputs.push(if in_torch {
                torch::from_tensor(tensor, ty.clone())
            } else {
                Concrete::Ndarray(torch::to_host(&tensor, ty)?)
            });
        }
        Ok(())
    }

    fn describe(&self) -> String {
        format!(
            "TorchScript: {} calls, {} constants\n{}",
            self.code.calls,
            self.code.constants.len(),
            self.code.text
        )
    }

    fn report(&self) -> CodeReport {
        CodeReport::of_instructions(self.code.calls)
    }
}
