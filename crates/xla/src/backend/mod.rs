//! The xla backend: a graph as one of XLA's programs, see `library/xla` for how it is written, compiled and run.
//!
//! Arrays of xla go in as they are and results stay there, so calls in a row pass nothing through main memory; arrays of
//! other libraries are copied there, and results back. A graph with calls of the user's functions is several programs,
//! see `stages.rs`. Does not support programs of more instructions than XLA compiles in reasonable time, and without overflowing
//! its stack.

mod stages;

use std::sync::Arc;

use crate::library::{self as xla, Program};
use autojit_ir::error::Result;
use autojit_ir::{Graph, Op, OperandType};
use autojit_library::Concrete;
use autojit_library::backend::{Backend, CodeReport, Executable, Lowering, Outputs};

/// The backend.
pub struct Xla;

impl Backend for Xla {
    fn name(&self) -> &'static str {
        "xla"
    }

    fn lower(&self, op: &Op, operands: &[OperandType<'_>]) -> Lowering {
        xla::lowering(op, operands)
    }

    fn compile(&self, graph: &Graph) -> Result<Arc<dyn Executable>> {
        if stages::has_calls(graph) {
            return Ok(Arc::new(stages::Stages::new(graph)?));
        }
        Ok(Arc::new(Compiled(Program::new(graph)?)))
    }
}

struct Compiled(Program);

impl Executable for Compiled {
    fn run(&self, inputs: &[&Concrete], outputs: &mut Outputs) -> Result<()> {
        outputs.extend(xla::run(&self.0, inputs)?);
        Ok(())
    }

    fn describe(&self) -> String {
        self.0.describe()
    }

    fn report(&self) -> CodeReport {
        let mut report = CodeReport::of_instructions(self.0.instructions());
        report.runtime_calls = Some(self.0.host_calls());
        report
    }
}
