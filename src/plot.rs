//! Pictures of lazy arrays; the pictures themselves are those of the crate `autojit-plot`.

pub use autojit_plot::{ColorBy, Drawing, FunctionsStyle, Plot};
use autojit_plot::{Item, Origin, Statistic};

use crate::nodes::{History, LazyArray, State};

impl From<&History> for Drawing {
    fn from(history: &History) -> Self {
        let mut items: Vec<Item> = Vec::with_capacity(history.num_nodes());
        let mut used = vec![false; history.num_nodes()];
        for step in history.steps() {
            let mut inside = Vec::new();
            let (function, origin, operation) = match &*step.node.state() {
                State::Variable => ("variable", Origin::Variable, "variable".to_owned()),
                State::Value(_) => ("constant", Origin::Constant, "constant".to_owned()),
                State::Pending { op, .. } => {
                    inside = Item::inside(op);
                    (op.shown_name(), Origin::Computed, op.summary())
                }
            };
            for &input in &step.inputs {
                used[input as usize] = true;
            }
            items.push(Item {
                function,
                origin,
                ty: step.node.ty().to_string(),
                size: step.node.size(),
                inputs: step.inputs.clone(),
                operation,
                line: Some(step.node.location().into()),
                is_result: false,
                inside,
            });
        }
        for (item, used) in items.iter_mut().zip(used) {
            item.is_result = !used;
        }
        Self::new(items)
    }
}

macro_rules! plots {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $ty:ty)?) => $picture:ident;)*) => {
        /// Pictures; each of them is a picture of all nodes of the history.
        impl History {
            $($(#[$doc])* pub fn $name(&self $(, $argument: $ty)?) -> Plot {
                Drawing::from(self).$picture($($argument)?)
            })*
        }

        /// Pictures of the computation that leads to this node.
        impl LazyArray {
            $($(#[$doc])* pub fn $name(&self $(, $argument: $ty)?) -> Plot {
                History::of(std::slice::from_ref(self)).$name($($argument)?)
            })*
        }
    };
}

plots! {
    /// The picture that says most at once: the circuit. In a terminal use [`LazyArray::show`].
    plot() => circuit;
    /// One lane for each array that is alive, one column for each step.
    plot_circuit() => circuit;
    /// The graph in layers, inputs above users.
    plot_graph() => graph;
    /// How many elements are held after each step.
    plot_history_size_footprint() => size_footprint;
    /// The functions in the order in which they run.
    plot_history_functions(style: FunctionsStyle) => functions;
    /// A statistic for each function, added up.
    plot_history_stats(statistic: Statistic) => stats;
}
