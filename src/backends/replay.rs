//! `replay`: runs a graph node by node in the library of the arrays. It never declines.

use std::sync::Arc;

use super::{Backend, Executable};
use crate::error::Result;
use crate::ir::Graph;
use crate::library::{self, Concrete};

/// The backend.
pub(crate) struct Replay;

impl Backend for Replay {
    fn name(&self) -> &'static str {
        "replay"
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
    /// In the library of the first array; others are converted.
    fn run(&self, inputs: &[Concrete]) -> Result<Vec<Concrete>> {
        let library = inputs
            .first()
            .map_or_else(library::default_library, Concrete::library);
        if inputs.iter().all(|x| x.library().name() == library.name()) {
            return library::run_graph(library, &self.graph, inputs);
        }
        let converted = inputs
            .iter()
            .map(|x| library.from_host(x.to_host()?))
            .collect::<Result<Vec<_>>>()?;
        library::run_graph(library, &self.graph, &converted)
    }

    fn describe(&self) -> String {
        let live = self.graph.live().into_iter().filter(|&live| live).count();
        format!("interpreted node by node: {live} nodes")
    }
}
