//! `OpaqueFunction`: a function of the user's inside a graph, of which only the types are known.
//!
//! Two are equal only if they are one and the same, so nodes that call them are shared only when the very same
//! call was written down. Graphs with opaque functions have no text that can be read back.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::attribute::Attribute;
use super::graph::Graph;
use super::host::HostArray;
use super::types::{ArrayType, Type};
use crate::error::{Error, Result};

type Rule = dyn Fn(&[ArrayType]) -> Result<Type> + Send + Sync;
type Reference = dyn Fn(&[HostArray]) -> Result<Vec<HostArray>> + Send + Sync;

/// A function that graphs call without looking inside.
#[derive(Clone)]
pub struct OpaqueFunction(Arc<Inner>);

struct Inner {
    name: &'static str,
    rule: Box<Rule>,
    reference: Box<Reference>,
    implementation: Box<dyn Any + Send + Sync>,
    custom: Option<Custom>,
}

/// What is known of a function that is a graph with a pullback of its own.
struct Custom {
    body: Graph,
    pullback: Graph,
    implement: Implement,
}

/// Gives what those who run graphs know a function by that is a graph.
pub type Implement = Arc<dyn Fn(&Graph) -> Box<dyn Any + Send + Sync> + Send + Sync>;

impl OpaqueFunction {
    /// A function from the rule for its types, what it means for arrays in main memory, and what those who run
    /// graphs know it by.
    pub fn new(
        name: &'static str,
        rule: Box<Rule>,
        reference: Box<Reference>,
        implementation: Box<dyn Any + Send + Sync>,
    ) -> Self {
        Self(Arc::new(Inner {
            name,
            rule,
            reference,
            implementation,
            custom: None,
        }))
    }

    /// A function that is a graph, and gives the tuple of its results, with a pullback of its own: a graph of the arguments
    /// and then a cotangent for each result, which gives a gradient for each argument, of its type.
    ///
    /// # Errors
    /// The pullback does not have these types.
    pub fn with_pullback(
        name: &'static str,
        body: Graph,
        pullback: Graph,
        implement: Implement,
    ) -> Result<Self> {
        let types = |graph: &Graph| -> Result<Vec<ArrayType>> {
            let outputs = graph.outputs().iter();
            outputs.map(|&output| graph.ty(output).cloned()).collect()
        };
        let arguments = body.input_types().to_vec();
        let results = types(&body)?;
        let cotangents = [arguments.as_slice(), &results].concat();
        if pullback.input_types() != cotangents || types(&pullback)? != arguments {
            return Err(Error::internal(format!(
                "the pullback of `{name}` does not have the types of the function"
            )));
        }
        let rule = move |inputs: &[ArrayType]| {
            if inputs != arguments {
                return Err(Error::internal("a function was called with other types"));
            }
            Ok(Type::Tuple(results.clone().into()))
        };
        let reference = {
            let body = body.clone();
            move |inputs: &[HostArray]| body.evaluate(inputs)
        };
        Ok(Self(Arc::new(Inner {
            name,
            rule: Box::new(rule),
            reference: Box::new(reference),
            implementation: implement(&body),
            custom: Some(Custom {
                body,
                pullback,
                implement,
            }),
        })))
    }

    /// The graph that it is, if it is one.
    #[must_use]
    pub fn body(&self) -> Option<&Graph> {
        self.0.custom.as_ref().map(|custom| &custom.body)
    }

    /// The graph of its pullback, if it has one of its own.
    #[must_use]
    pub fn pullback(&self) -> Option<&Graph> {
        self.0.custom.as_ref().map(|custom| &custom.pullback)
    }

    /// The same function with another graph and pullback.
    ///
    /// # Errors
    /// It is no graph, or the two do not fit.
    pub(crate) fn map_graphs(
        &self,
        map: impl FnOnce(&Graph, &Graph) -> Result<(Graph, Graph)>,
    ) -> Result<Self> {
        let Some(custom) = &self.0.custom else {
            return Err(Error::internal(format!("`{}` is no graph", self.name())));
        };
        let (body, pullback) = map(&custom.body, &custom.pullback)?;
        Self::with_pullback(self.name(), body, pullback, Arc::clone(&custom.implement))
    }

    /// The name that the user gave it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    /// The type of its result for arrays of these types.
    ///
    /// # Errors
    /// They do not fit the function.
    pub fn infer(&self, inputs: &[ArrayType]) -> Result<Type> {
        (self.0.rule)(inputs)
    }

    /// Runs it on arrays in main memory.
    ///
    /// # Errors
    /// The function failed.
    pub fn call(&self, inputs: &[HostArray]) -> Result<Vec<HostArray>> {
        (self.0.reference)(inputs)
    }

    /// The data by which backends run it.
    pub fn implementation(&self) -> &(dyn Any + Send + Sync) {
        &*self.0.implementation
    }
}

impl PartialEq for OpaqueFunction {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for OpaqueFunction {}

impl Hash for OpaqueFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).addr().hash(state);
    }
}

impl fmt::Debug for OpaqueFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Prints the name; there is no way back.
impl Attribute for OpaqueFunction {
    fn print(&self) -> String {
        self.name().split_whitespace().collect::<Vec<_>>().join("_")
    }

    fn parse(text: &str) -> Result<Self> {
        Err(Error::parse(format!(
            "the function `{text}` cannot be read from text"
        )))
    }
}
