//! `Body`: a graph inside of an op, such as what a loop does in each iteration.
//!
//! Ops come before graphs, so here a body is what ops need to know of one: its types, its text, and whether it equals
//! another. `nested.rs` makes bodies of graphs and gives the graphs back.
//!
//! Invariants: two bodies are equal only if they compute the same by the same nodes; bodies are nested no deeper than
//! [`DEEPEST`], so that going through them may be recursive. The text of a body has no white space: a space is written as
//! `~`, the end of a line as `|`.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use smallvec::SmallVec;

use super::attribute::Attribute;
use super::types::ArrayType;
use crate::error::{Error, Result};

/// How deep bodies may be nested.
pub(crate) const DEEPEST: usize = 32;

/// A graph inside of an op.
#[derive(Clone)]
pub struct Body(Arc<Inner>);

struct Inner {
    inputs: Vec<ArrayType>,
    outputs: Vec<ArrayType>,
    /// Of what it computes, whatever the source lines.
    hash: u64,
    /// The levels of bodies in it, itself among them.
    depth: usize,
    contents: Box<dyn Contents>,
}

/// The contents of a body, which a layer above knows.
pub(crate) trait Contents: Any + Send + Sync {
    /// Whether it computes the same by the same nodes.
    fn equals(&self, other: &dyn Contents) -> bool;

    /// The text form, with white space.
    fn text(&self) -> String;

    /// The number of nodes, those of bodies inside among them.
    fn nodes(&self) -> usize;

    fn as_any(&self) -> &dyn Any;
}

impl Body {
    /// A body with these types.
    ///
    /// # Errors
    /// It is nested too deep (`is_unsupported`).
    pub(crate) fn from_contents(
        inputs: Vec<ArrayType>,
        outputs: Vec<ArrayType>,
        hash: u64,
        depth: usize,
        contents: Box<dyn Contents>,
    ) -> Result<Self> {
        check_depth(depth)?;
        Ok(Self(Arc::new(Inner {
            inputs,
            outputs,
            hash,
            depth,
            contents,
        })))
    }

    /// The types that it takes.
    #[must_use]
    pub fn input_types(&self) -> &[ArrayType] {
        &self.0.inputs
    }

    /// The types that it gives.
    #[must_use]
    pub fn output_types(&self) -> &[ArrayType] {
        &self.0.outputs
    }

    /// The levels of bodies in it, itself among them.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.0.depth
    }

    /// The number of nodes, those of bodies inside among them.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.0.contents.nodes()
    }

    pub(crate) fn contents(&self) -> &dyn Any {
        self.0.contents.as_any()
    }

    /// The text that was read for a body, as long as it is no graph yet.
    pub(crate) fn unread(&self) -> Option<&str> {
        self.contents()
            .downcast_ref::<Unread>()
            .map(|unread| unread.0.as_str())
    }
}

fn check_depth(depth: usize) -> Result<()> {
    if depth > DEEPEST {
        return Err(Error::unsupported(format!(
            "loops and branches are nested {depth} deep, of at most {DEEPEST} levels"
        )));
    }
    Ok(())
}

impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        let same = Arc::ptr_eq(&self.0, &other.0);
        same || self.0.hash == other.0.hash && self.0.contents.equals(&*other.0.contents)
    }
}

impl Eq for Body {}

impl Hash for Body {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash.hash(state);
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.print())
    }
}

/// A text that is to become a graph.
struct Unread(String);

impl Contents for Unread {
    fn equals(&self, other: &dyn Contents) -> bool {
        let other = other.as_any().downcast_ref::<Self>();
        other.is_some_and(|other| other.0 == self.0)
    }

    fn text(&self) -> String {
        self.0.clone()
    }

    fn nodes(&self) -> usize {
        0
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Printed as `{%0~=~input~index=0~ty=f64[]|return~%0|}`. What is read is a text until the graph around it is put together.
impl Attribute for Body {
    fn print(&self) -> String {
        let text = self.0.contents.text();
        let text = text.replace(' ', "~").replace('\n', "|");
        format!("{{{text}}}")
    }

    fn parse(text: &str) -> Result<Self> {
        match bodies(text)?.as_slice() {
            [body] => read(body),
            _ => Err(not_a_body(text)),
        }
    }
}

/// The bodies of a choice, one after the other.
pub type Bodies = SmallVec<[Body; 2]>;

impl Attribute for Bodies {
    fn print(&self) -> String {
        self.iter().map(Attribute::print).collect()
    }

    fn parse(text: &str) -> Result<Self> {
        bodies(text)?.into_iter().map(read).collect()
    }
}

fn not_a_body(text: &str) -> Error {
    let start: String = text.chars().take(20).collect();
    Error::parse(format!("`{start}` does not begin a graph in braces"))
}

/// The texts between the outermost braces.
fn bodies(text: &str) -> Result<Vec<&str>> {
    let mut found = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (at, c) in text.char_indices() {
        match c {
            '{' => {
                depth += 1;
                check_depth(depth)?;
                if depth == 1 {
                    start = at + 1;
                }
            }
            '}' if depth == 0 => return Err(not_a_body(text)),
            '}' => {
                depth -= 1;
                if depth == 0 {
                    found.push(&text[start..at]);
                }
            }
            _ if depth == 0 => return Err(not_a_body(text)),
            _ => {}
        }
    }
    match depth {
        0 => Ok(found),
        _ => Err(not_a_body(text)),
    }
}

/// The text between braces, with its spaces and lines; further braces stay as they are.
fn read(encoded: &str) -> Result<Body> {
    let mut depth = 0_usize;
    let decoded = encoded.chars().map(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        match c {
            '~' if depth == 0 => ' ',
            '|' if depth == 0 => '\n',
            c => c,
        }
    });
    let unread = Unread(decoded.collect());
    Body::from_contents(Vec::new(), Vec::new(), 0, 1, Box::new(unread))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_are_matched() {
        assert_eq!(bodies("{a{b}}{c}").unwrap(), ["a{b}", "c"]);
        for text in ["{", "}", "a", "{a}b", "{{a}", "{a}}"] {
            assert!(bodies(text).unwrap_err().is_parse(), "{text}");
        }
        let deep = "{".repeat(100_000);
        assert!(bodies(&deep).unwrap_err().is_unsupported());
    }

    #[test]
    fn only_the_outer_level_is_decoded() {
        let body = <Body as Attribute>::parse("{a~b|{c~d}}").unwrap();
        assert_eq!(body.unread(), Some("a b\n{c~d}"));
    }
}
