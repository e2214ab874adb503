//! Graphs in any format of serde's, and the number that such a form carries.

mod format;

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::Error as _;
use serde::{Serialize, Serializer};

use crate::random::Draw;
use crate::{Error, Graph, Op, Result};

pub use format::Format;

/// Whether the text of an op means the same in another program.
///
/// # Errors
/// It is a registered function, or random numbers that each call draws anew.
pub fn check_exportable(op: &Op) -> Result<()> {
    match op {
        Op::Opaque { function } => Err(Error::unsupported(format!(
            "the registered function {} cannot be exported: it exists in this program alone",
            function.name()
        ))),
        Op::Random {
            draw: Draw::Call(_),
            ..
        } => Err(Error::unsupported(
            "random numbers that each call draws anew cannot be exported: make them an argument",
        )),
        op => {
            let bodies = op.bodies();
            let mut graphs = bodies.iter().map(|body| body.graph());
            graphs.try_for_each(|graph| {
                let mut nodes = graph?.nodes().iter();
                nodes.try_for_each(|node| check_exportable(&node.op))
            })
        }
    }
}

/// A graph, as its text.
#[derive(serde::Serialize, serde::Deserialize)]
struct GraphForm<'a> {
    format: Format<1>,
    text: Cow<'a, str>,
}

/// Written as `{"format": 1, "text": ..}` with the text form of the graph, constants among it. Source lines are not
/// written. What means nothing in another program, registered functions and random numbers that each call draws anew, is
/// an error.
///
/// ```
/// use autojit_ir::Graph;
///
/// let graph: Graph = "%0 = input index=0 ty=f64[2]\nreturn %0".parse()?;
/// let text = serde_json::to_string(&graph).unwrap();
/// assert_eq!(text, r#"{"format":1,"text":"%0 = input index=0 ty=f64[2]\nreturn %0\n"}"#);
/// assert_eq!(serde_json::from_str::<Graph>(&text).unwrap().to_string(), graph.to_string());
/// # Ok::<(), autojit_ir::Error>(())
/// ```
impl Serialize for Graph {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        for node in self.nodes() {
            check_exportable(&node.op).map_err(S::Error::custom)?;
        }
        let text = self.to_string().into();
        let format = Format;
        GraphForm { format, text }.serialize(serializer)
    }
}

/// Nothing that is read is trusted: every type is inferred again.
impl<'de> Deserialize<'de> for Graph {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let GraphForm { text, .. } = GraphForm::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}
