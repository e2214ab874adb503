//! `OpaqueFunction`: a function of the user's inside a graph, of which only the types are known.
//!
//! Two are equal only if they are one and the same, so nodes that call them are shared only when the very same
//! call was written down. Graphs with opaque functions have no text that can be read back.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::attribute::Attribute;
use super::host::HostArray;
use super::types::{ArrayType, Type};
use crate::error::{Error, Result};

type Rule = dyn Fn(&[ArrayType]) -> Result<Type> + Send + Sync;
type Batches = dyn Fn(&[bool], usize) -> Result<OpaqueFunction> + Send + Sync;
type Reference = dyn Fn(&[HostArray]) -> Result<Vec<HostArray>> + Send + Sync;

/// A function that graphs call without looking inside.
#[derive(Clone)]
pub struct OpaqueFunction(Arc<Inner>);

struct Inner {
    name: &'static str,
    rule: Box<Rule>,
    reference: Box<Reference>,
    implementation: Box<dyn Any + Send + Sync>,
    /// Gives the function of a batch of its arguments.
    batches: Option<Box<Batches>>,
    /// Further facts, which a layer above knows.
    custom: Option<Box<dyn Any + Send + Sync>>,
}

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
            batches: None,
            custom: None,
        }))
    }

    /// A function that has a rule for batches: of a flag for each argument, whether it has the examples along a new first axis,
    /// and the number of examples, it gives the function whose results have the examples along their first axis.
    pub fn with_batches(
        name: &'static str,
        rule: Box<Rule>,
        reference: Box<Reference>,
        implementation: Box<dyn Any + Send + Sync>,
        batches: Box<Batches>,
    ) -> Self {
        Self(Arc::new(Inner {
            name,
            rule,
            reference,
            implementation,
            batches: Some(batches),
            custom: None,
        }))
    }

    /// A function of which a layer above knows more.
    pub(crate) fn with_custom(
        name: &'static str,
        rule: Box<Rule>,
        reference: Box<Reference>,
        implementation: Box<dyn Any + Send + Sync>,
        custom: Box<dyn Any + Send + Sync>,
    ) -> Self {
        Self(Arc::new(Inner {
            name,
            rule,
            reference,
            implementation,
            batches: None,
            custom: Some(custom),
        }))
    }

    /// The facts that a layer above knows.
    pub(crate) fn custom(&self) -> Option<&(dyn Any + Send + Sync)> {
        self.0.custom.as_deref()
    }

    /// The function of a batch of its arguments, if it has a rule for that: see [`OpaqueFunction::with_batches`].
    ///
    /// # Errors
    /// The rule failed.
    pub fn batched(&self, flags: &[bool], size: usize) -> Option<Result<Self>> {
        self.0.batches.as_ref().map(|batches| batches(flags, size))
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
