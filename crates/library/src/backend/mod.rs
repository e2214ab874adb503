//! Backends: what runs a graph. Not to be confused with a library, which is where arrays live.
//!
//! A backend compiles a graph or says that it does not support it; what it compiles must give what the reference
//! interpreter gives. [`Replay`] supports everything, so every graph runs. What a backend does with an op is decided in
//! one place, [`Backend::lower`]: its compiler and the coverage table both follow that.

mod lowering;
mod replay;
mod support;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use autojit_ir::{Form, Graph, Op, OperandType, Result, Site};

use crate::Concrete;

pub use lowering::Lowering;
pub use replay::Replay;
pub use support::Support;

/// A way to run graphs.
pub trait Backend: Send + Sync {
    /// The name by which users choose it.
    fn name(&self) -> &'static str;

    /// How it lowers an op on operands with the dtypes of the op's signature.
    ///
    /// Implementations match exhaustively over classes and ops, so that the compiler names what a new op lacks.
    fn lower(&self, op: &Op, operands: &[OperandType<'_>]) -> Lowering;

    /// How graphs are to be written that it compiles.
    fn form(&self) -> Form {
        Form::Written
    }

    /// Compiles; an `Err` with `is_unsupported()` means that the backend does not support
    /// the graph; replay then takes over.
    fn compile(&self, graph: &Graph) -> Result<Arc<dyn Executable>>;

    /// Compiles within limits, if the backend knows them; others have their own.
    fn compile_within(&self, graph: &Graph, _limits: &Limits) -> Result<Arc<dyn Executable>> {
        self.compile(graph)
    }
}

/// The memory and the threads that compiled code may use; set by the methods of `Jit` with the same names.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes by which intermediate results may take more than in the order of the program.
    pub memory: Option<usize>,
    /// Threads of one call.
    pub threads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: None,
            threads: 1,
        }
    }
}

impl Limits {
    /// Sets the number of threads; one is the least.
    pub fn set_threads(&mut self, threads: usize) {
        self.threads = threads.max(1);
    }
}

/// A compiled graph.
pub trait Executable: Send + Sync {
    /// Runs it and appends the results. Inputs have the types of the graph's arguments; results never alias them.
    fn run(&self, inputs: &[&Concrete], outputs: &mut Outputs) -> Result<()>;

    /// Runs it as [`run`](Self::run) does, and may write results to the memory of arrays that are given up for that: those
    /// that nothing else shares, of the type of the result at the same position.
    fn run_into(
        &self,
        inputs: &[&Concrete],
        given: &mut Outputs,
        outputs: &mut Outputs,
    ) -> Result<()> {
        given.clear();
        self.run(inputs, outputs)
    }

    /// Runs it as [`run`](Self::run) does, and tells how long its steps took, in order; one that cannot look inside
    /// itself is one step.
    fn profile(&self, inputs: &[&Concrete], outputs: &mut Outputs) -> Result<Vec<StepTime>> {
        let start = Instant::now();
        self.run(inputs, outputs)?;
        Ok(vec![StepTime {
            step: "the whole program".into(),
            op: "all",
            location: None,
            time: start.elapsed(),
        }])
    }

    /// Whether a run takes tens of microseconds at most, whatever the values, and calls no code of a user's. `false` where that is
    /// not known.
    fn is_brief(&self) -> bool {
        false
    }

    /// Lines for `explain`.
    fn describe(&self) -> String;

    /// The machine code, kernel by kernel; empty if there is none, or it is not known.
    fn machine_code(&self) -> Vec<KernelCode> {
        Vec::new()
    }

    /// The sizes of the code.
    fn report(&self) -> CodeReport;
}

/// The machine code of a kernel.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KernelCode {
    /// A description of the kernel, with its number.
    pub name: String,
    /// Where it lies in memory: jumps are relative to that.
    pub address: u64,
    /// The instructions, for the processor that this program runs on.
    pub bytes: Vec<u8>,
    /// The code that Cranelift made them of, in its [text form](https://docs.rs/cranelift-codegen), before it optimised; `None` for
    /// kernels that it did not make.
    pub clif: Option<String>,
}

impl KernelCode {
    /// The machine code of a kernel.
    #[must_use]
    pub fn new(name: String, address: u64, bytes: Vec<u8>, clif: Option<String>) -> Self {
        Self {
            name,
            address,
            bytes,
            clif,
        }
    }
}

/// How long a step of compiled code took.
#[derive(Clone, Debug)]
pub struct StepTime {
    /// The name of the entry, such as `kernel 3`.
    pub step: Cow<'static, str>,
    /// The op that it is named by.
    pub op: &'static str,
    /// The line of that op.
    pub location: Option<Site>,
    /// The time it took.
    pub time: Duration,
}

/// The sizes of compiled code. `None` is what a backend does not have, or does not know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CodeReport {
    /// Operations that the backend was left with, after writing the graph in its own terms.
    pub instructions: Option<usize>,
    /// Distinct kernels: loops that machine code was made for, or found.
    pub kernels: Option<usize>,
    /// Entries of the tape that a call goes through.
    pub tape_entries: Option<usize>,
    /// Those of them that call the runtime or a user's function.
    pub runtime_calls: Option<usize>,
    /// Bytes of machine code.
    pub code_bytes: Option<usize>,
    /// Bytes that a call holds for intermediate results.
    pub workspace_bytes: Option<usize>,
    /// Bytes that a call holds at most, intermediate results and results, as planned before any run. Arguments and
    /// constants are not counted.
    pub planned_peak_bytes: Option<usize>,
}

impl CodeReport {
    /// The report of a backend that knows the number of its operations and nothing else.
    #[must_use]
    pub fn of_instructions(instructions: usize) -> Self {
        Self {
            instructions: Some(instructions),
            ..Self::default()
        }
    }
}

/// The results of a call; a few of them need no memory of their own.
pub type Outputs = SmallVec<[Concrete; 16]>;
