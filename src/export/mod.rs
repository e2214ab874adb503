//! Files of exported functions: a graph, what its arguments and results look like, and the lines it came from.
//!
//! A file is a header (`container.rs`: what it is, its version, its length, a checksum) and a payload (`payload.rs`).
//! Ops stand in it in their text form, so a new op needs nothing here. What values look like in other formats of serde's
//! stands in `forms.rs`, with the number of each form in a field (`format.rs`).
//!
//! Invariants: nothing that is read is trusted. The header finds accidents; the payload is then checked as if there
//! were no header: no size in it decides how much memory is taken, every op is read by its own parser, every type is
//! inferred again, and a structure must be exactly one tree. What is wrong is an `Err` with `is_file`, never a panic.
//! A tree that would not be read is not written: both directions share [`Saved::check`].

pub(crate) mod container;
mod forms;
mod payload;

use crate::tree::Structure;
use autojit_ir::error::{Error, Result};
use autojit_ir::{Graph, SourceLine};

/// The contents of a file.
#[derive(Clone, Debug)]
pub(crate) struct Saved {
    /// The name of the function.
    pub(crate) name: String,
    /// The version of autojit that wrote it.
    pub(crate) made_by: String,
    /// The arguments, without their arrays.
    pub(crate) arguments: Structure,
    /// The results, without their arrays.
    pub(crate) results: Structure,
    /// One argument for each array of the arguments, one result for each array of the results.
    pub(crate) graph: Graph,
    /// The line of each node, where known.
    pub(crate) lines: Vec<Option<SourceLine>>,
}

impl Saved {
    /// Checks what holds of every function that is read: what does not hold it is refused when it is made.
    ///
    /// # Errors
    /// The arguments or results are nested too deeply, or are others than those of the graph; a result is not an array.
    pub(crate) fn check(&self) -> Result<()> {
        let Self {
            arguments, results, ..
        } = self;
        self.graph.check_outputs()?;
        arguments.check().map_err(|e| e.in_op("the arguments"))?;
        results.check().map_err(|e| e.in_op("the results"))?;
        let expected = (arguments.array_count(), results.array_count());
        if expected != (self.graph.input_types().len(), self.graph.outputs().len()) {
            return Err(Error::value(
                "the graph has other arguments or results than the function",
            ));
        }
        Ok(())
    }

    /// The bytes of a file, which [`Saved::from_bytes`] reads.
    ///
    /// # Errors
    /// As [`Saved::check`]; and the graph has something that means nothing elsewhere (`is_unsupported`).
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        self.check()?;
        Ok(container::wrap(&payload::encode(self)?))
    }

    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// They are damaged, cut off, foreign, or newer than this (`is_file`).
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (format, payload) = container::unwrap(bytes)?;
        payload::decode(format, payload)
    }
}
