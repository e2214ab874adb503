//! `replay`: runs a graph node by node in the library of the arrays. It supports every op.

use std::sync::Arc;
use std::time::Instant;

use smallvec::SmallVec;

use super::{Backend, CodeReport, Executable, Lowering, Outputs, StepTime};
use crate::Concrete;
use autojit_ir::error::Result;
use autojit_ir::{Graph, Node, Op, OperandType};

/// The backend.
pub struct Replay;

impl Backend for Replay {
    fn name(&self) -> &'static str {
        "replay"
    }

    /// Libraries are given every op, and expand it only where they lack it.
    fn lower(&self, _op: &Op, _operands: &[OperandType<'_>]) -> Lowering {
        Lowering::Native
    }

    fn compile(&self, graph: &Graph) -> Result<Arc<dyn Executable>> {
        Ok(Arc::new(Replayed {
            graph: graph.clone(),
        }))
    }
}

struct Replayed {
    graph: Graph,
}

impl Executable for Replayed {
    /// In the library of the first array that is not of ndarray; others are converted.
    fn run(&self, inputs: &[&Concrete], outputs: &mut Outputs) -> Result<()> {
        let library = crate::common(inputs.iter().copied());
        let inputs = inputs.iter().map(|x| x.moved_to(library));
        let inputs = inputs.collect::<Result<SmallVec<[Concrete; 4]>>>()?;
        let references: SmallVec<[&Concrete; 4]> = inputs.iter().collect();
        outputs.extend(crate::run_graph(library, &self.graph, &references)?);
        Ok(())
    }

    /// A step is a node.
    fn profile(&self, inputs: &[&Concrete], outputs: &mut Outputs) -> Result<Vec<StepTime>> {
        let library = crate::common(inputs.iter().copied());
        let inputs = inputs.iter().map(|x| x.moved_to(library));
        let inputs = inputs.collect::<Result<SmallVec<[Concrete; 4]>>>()?;
        let references: SmallVec<[&Concrete; 4]> = inputs.iter().collect();
        let mut times = Vec::new();
        let mut before = Instant::now();
        let results = crate::observe_graph(library, &self.graph, &references, |value, _| {
            let now = Instant::now();
            let node = &self.graph[value];
            if !node.op.is_leaf() {
                times.push(StepTime {
                    step: node.op.name().into(),
                    op: node.op.name(),
                    location: node.location,
                    time: now - before,
                });
            }
            before = now;
            Ok(())
        })?;
        outputs.extend(results);
        Ok(times)
    }

    fn describe(&self) -> String {
        let live = self.graph.live().into_iter().filter(|&live| live).count();
        format!("interpreted node by node: {live} nodes")
    }

    fn report(&self) -> CodeReport {
        let is_run = |&(node, live): &(&Node, bool)| live && !node.op.is_leaf();
        let nodes = self.graph.nodes().iter().zip(self.graph.live());
        CodeReport {
            instructions: Some(nodes.filter(is_run).count()),
            ..CodeReport::default()
        }
    }
}
