//! The xla backend: a graph as one of XLA's programs, see `library/xla` for how it is written, compiled and run.
//!
//! Arrays of xla go in as they are and results stay there, so calls in a row pass nothing through main memory; arrays of
//! other libraries are copied there, and results back. A graph with calls of the user's functions is several programs,
//! see `stages.rs`. Declines programs of more instructions than XLA compiles in reasonable time, and without overflowing
//! its stack.

mod stages;

use std::sync::Arc;

use super::{Backend, CodeReport, Executable, Outputs, Support};
use crate::error::Result;
use crate::ir::{Graph, Op};
use crate::library::Concrete;
use crate::library::xla::{self, Program};

/// The backend.
pub(crate) struct Xla;

impl Backend for Xla {
    fn name(&self) -> &'static str {
        "xla"
    }

    fn spells(&self, op: &Op) -> bool {
        !op.has_expansion() || xla::is_spelled(op)
    }

    /// Compiling takes long, and declines nothing that could be written.
    fn support(&self, op: &Op, graph: &Graph) -> Result<Support> {
        let is_called = matches!(op, Op::Opaque { .. }) || xla::calls(graph)?.contains(op);
        Ok(if is_called {
            Support::Called
        } else if self.spells(op) {
            Support::Native
        } else {
            Support::Expanded
        })
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
        CodeReport {
            instructions: Some(self.0.instructions()),
            runtime_calls: Some(self.0.host_calls()),
            ..CodeReport::default()
        }
    }
}
