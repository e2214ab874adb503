//! Structures in any format of serde's: what [`Structure`] looks like there.
//!
//! Files of exported functions have a form of their own (`payload.rs`), which is shorter and keeps source lines.

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::{Serialize, Serializer};

use super::payload::{self, Step};
use crate::tree::Structure;
use autojit_ir::serial::Format;

/// The tokens of a structure.
#[derive(serde::Serialize, serde::Deserialize)]
struct StructureForm {
    format: Format<1>,
    tokens: Vec<Step>,
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

/// The bytes must hold exactly one tree.
impl<'de> Deserialize<'de> for Structure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let StructureForm { tokens, .. } = StructureForm::deserialize(deserializer)?;
        payload::structure(tokens).map_err(D::Error::custom)
    }
}
