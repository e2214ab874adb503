//! Arguments that are compared and not traced, beside those that are.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::tree::{Leaves, PyTree};

/// The arguments that are any hashable objects.
#[derive(Clone, Debug, Default)]
pub(crate) struct Statics {
    pub(crate) names: Vec<String>,
    pub(crate) positions: Vec<usize>,
}

impl Statics {
    /// The arguments of a call as a tree: a tuple of those by position, and then the keywords.
    pub(crate) fn tree(
        &self,
        args: &Bound<'_, PyTuple>,
        keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<PyTree> {
        let keywords = keywords.filter(|keywords| !keywords.is_empty());
        let mut tree = PyTree::default();
        tree.begin_tuple(args.len() + usize::from(keywords.is_some()));
        for (at, arg) in args.iter_borrowed().enumerate() {
            if self.positions.contains(&at) {
                tree.add_static(&arg)?;
            } else {
                tree.add_argument(&arg, at)?;
            }
        }
        if let Some(keywords) = keywords {
            let is_static = |name: &str| self.names.iter().any(|n| n == name);
            tree.add_keywords(keywords, Leaves::Arrays, &is_static)?;
        }
        Ok(tree)
    }
}
