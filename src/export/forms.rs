//! Graphs and structures in any format of serde's: what [`Graph`] and [`Structure`] look like there.
//!
//! Files of exported functions have a form of their own (`payload.rs`), which is shorter and keeps source lines.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::Error as _;
use serde::{Serialize, Serializer};

use super::Format;
use super::payload::{self, Step};
use crate::ir::Graph;
use crate::tree::Structure;

/// A graph, as its text.
#[derive(serde::Serialize, serde::Deserialize)]
struct GraphForm<'a> {
    format: Format<1>,
    text: Cow<'a, str>,
}

/// The tokens of a structure.
#[derive(serde::Serialize, serde::Deserialize)]
struct StructureForm {
    format: Format<1>,
    tokens: Vec<Step>,
}

/// Written as `{"format": 1, "text": ..}` with the text form of the graph, constants among it. Source lines are not
/// written. What means nothing in another program, registered functions and random numbers that each call draws anew, is
/// an error.
///
/// ```
/// use autojit::ir::Graph;
///
/// let graph: Graph = "%0 = input index=0 ty=f64[2]\nreturn %0".parse()?;
/// let text = serde_json::to_string(&graph).unwrap();
/// assert_eq!(text, r#"{"format":1,"text":"%0 = input index=0 ty=f64[2]\nreturn %0\n"}"#);
/// assert_eq!(serde_json::from_str::<Graph>(&text).unwrap().to_string(), graph.to_string());
/// # Ok::<(), autojit::Error>(())
/// ```
impl Serialize for Graph {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        for node in self.nodes() {
            payload::check_op(&node.op).map_err(S::Error::custom)?;
        }
        let text = self.to_string().into();
        let format = Format;
        GraphForm { format, text }.serialize(serializer)
    }
}

/// Nothing that is read is trusted: every type is inferred again.
impl<'de> Deserialize<'de> for Graph {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let GraphForm { text, .. } = GraphForm::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// Written as `{"format": 1, "tokens": [..]}`, the tokens in the order of a walk, such as `{"Tuple": 2}`, `"Array"`,
/// `{"Int": 3}`; floats are their bits. Static texts are read as texts.
impl Serialize for Structure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tokens = payload::steps(self);
        let format = Format;
        StructureForm { format, tokens }.serialize(serializer)
    }
}

/// What is read must be exactly one tree.
impl<'de> Deserialize<'de> for Structure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let StructureForm { tokens, .. } = StructureForm::deserialize(deserializer)?;
        payload::structure(tokens).map_err(D::Error::custom)
    }
}
