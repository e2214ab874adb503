//! The text form of graphs: printed for people, parsed for tests, and the same both ways.
//!
//! ```text
//! constant 0 = f64[2] 1.0 2.0
//! %0 = input index=0 ty=f64[3,2]
//! %1 = constant index=0 ty=f64[2]
//! %2 = add %0 %1 : f64[3,2]
//! return %2
//! ```
//!
//! Everything after `;` is a comment. Names after `%` are any words; the printer numbers them. Parsing infers
//! every type again and compares it with the one written, if one is written.

use std::fmt;
use std::str::FromStr;

use rustc_hash::FxHashMap;

use super::{ArrayType, Attribute, Graph, HostArray, LeafOp, Op, Scalar, ValueId};
use crate::error::{Error, Result};

/// A constant of more elements is shortened where people read it.
const SHOWN: usize = 8;

/// The length that is left at each end then.
const EDGE: usize = 3;

/// A graph for people to read, see [`Graph::shortened`].
struct Shortened<'g>(&'g Graph);

impl Graph {
    /// The text form with the middle of large constants left out, one line for each line of the whole: for people, as it
    /// is not read back.
    pub fn shortened(&self) -> impl fmt::Display + '_ {
        Shortened(self)
    }
}

impl fmt::Display for Shortened<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, constant) in self.0.constants().iter().enumerate() {
            let size = constant.ty().size();
            write!(f, "constant {i} = {}", constant.ty())?;
            for (position, scalar) in constant.scalars().enumerate() {
                match position {
                    EDGE if size > SHOWN => f.write_str(" ..")?,
                    _ if size > SHOWN && (EDGE..size - EDGE).contains(&position) => {}
                    _ => write!(f, " {scalar}")?,
                }
            }
            if size > SHOWN {
                write!(f, "  ; {size} elements")?;
            }
            writeln!(f)?;
        }
        self.0.write_nodes(f)
    }
}

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, constant) in self.constants().iter().enumerate() {
            write!(f, "constant {i} = {}", constant.ty())?;
            for scalar in constant.scalars() {
                write!(f, " {scalar}")?;
            }
            writeln!(f)?;
        }
        self.write_nodes(f)
    }
}

impl Graph {
    fn write_nodes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for value in self.values() {
            let node = &self[value];
            write!(f, "{value} = {}", node.op)?;
            for input in &node.inputs {
                write!(f, " {input}")?;
            }
            if !node.op.is_leaf() {
                write!(f, " : {}", node.ty)?;
            }
            writeln!(f)?;
        }
        f.write_str("return")?;
        for output in self.outputs() {
            write!(f, " {output}")?;
        }
        writeln!(f)
    }
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Graph {
    type Err = Error;

    /// # Errors
    /// The text is not a graph; the message names the line.
    fn from_str(text: &str) -> Result<Self> {
        let mut parser = Parser::default();
        for (number, line) in text.lines().enumerate() {
            let line = line.split(';').next().unwrap_or("").trim();
            if !line.is_empty() {
                parser
                    .line(line)
                    .map_err(|e| Error::parse(format!("line {}: {e}", number + 1)))?;
            }
        }
        if !parser.returned {
            return Err(Error::parse("expected a line `return %name ..` at the end"));
        }
        Ok(parser.graph)
    }
}

/// Reads what [`Op`] prints: its name and its attributes, as in `sum axes=[0] keepdims=false`.
impl FromStr for Op {
    type Err = Error;

    /// # Errors
    /// No op has this name, or an attribute is missing or malformed.
    fn from_str(text: &str) -> Result<Self> {
        let mut words = text.split_whitespace();
        parse_op(words.next().unwrap_or(""), words)
    }
}

fn parse_op<'t>(name: &str, attributes: impl IntoIterator<Item = &'t str>) -> Result<Op> {
    let attributes = attributes.into_iter().map(|word| {
        word.split_once('=')
            .ok_or_else(|| Error::parse(format!("expected an attribute `name=..`, got `{word}`")))
    });
    Op::parse(name, &attributes.collect::<Result<Vec<_>>>()?)?.map_bodies(super::Body::resolved)
}

impl Graph {
    /// Adds a node that was read from a text or a file: nothing of it is trusted.
    ///
    /// # Errors
    /// The inputs do not fit the op, an argument is out of order, or there is no such constant.
    pub fn push_parsed(
        &mut self,
        op: Op,
        inputs: &[ValueId],
        constants: &[HostArray],
    ) -> Result<ValueId> {
        match op {
            Op::Leaf(LeafOp::Input { .. } | LeafOp::Literal { .. } | LeafOp::Constant { .. })
                if !inputs.is_empty() =>
            {
                Err(Error::parse(format!("{} takes no inputs", op.name())))
            }
            Op::Leaf(LeafOp::Input { index, ty }) => self.add_input_node(index, &ty),
            Op::Leaf(LeafOp::Literal { value }) => Ok(self.add_literal(value.value, value.dtype)),
            Op::Leaf(LeafOp::Constant { index, ty }) => match constants.get(index) {
                Some(array) if array.ty() == ty => Ok(self.add_constant(array.clone())),
                _ => Err(Error::parse(format!(
                    "there is no constant {index} of type {}",
                    ty.print()
                ))),
            },
            op => self.push(op, inputs, None),
        }
    }
}

#[derive(Default)]
struct Parser {
    graph: Graph,
    names: FxHashMap<String, ValueId>,
    constants: Vec<HostArray>,
    returned: bool,
}

impl Parser {
    fn line(&mut self, line: &str) -> Result<()> {
        if self.returned {
            return Err(Error::parse("nothing may follow `return`"));
        }
        if let Some(outputs) = line.strip_prefix("return") {
            let outputs = outputs
                .split_whitespace()
                .map(|name| self.value(name))
                .collect::<Result<_>>()?;
            self.graph.set_outputs(outputs);
            self.returned = true;
            return Ok(());
        }
        let (name, definition) = line
            .split_once(" = ")
            .ok_or_else(|| Error::parse(format!("expected `name = ..`, got `{line}`")))?;
        if let Some(index) = name.strip_prefix("constant ") {
            return self.constant(index, definition);
        }
        let (definition, ty) = match definition.split_once(" : ") {
            Some((definition, ty)) => (definition, Some(ty.trim())),
            None => (definition, None),
        };
        let value = self.node(definition)?;
        let inferred = self.graph[value].ty.to_string();
        if ty.is_some_and(|ty| ty != inferred) {
            return Err(Error::parse(format!(
                "the type is {inferred}, not {}",
                ty.unwrap_or_default()
            )));
        }
        if self.names.insert(name.trim().to_owned(), value).is_some() {
            return Err(Error::parse(format!("`{name}` is defined twice")));
        }
        Ok(())
    }

    fn constant(&mut self, index: &str, definition: &str) -> Result<()> {
        if index.trim().parse() != Ok(self.constants.len()) {
            return Err(Error::parse(format!(
                "expected constant {}, got {index}",
                self.constants.len()
            )));
        }
        let mut words = definition.split_whitespace();
        let ty: ArrayType = words.next().unwrap_or("").parse()?;
        let data = words.map(str::parse).collect::<Result<Vec<Scalar>>>()?;
        let array = HostArray::from_scalars(&ty, &data).ok_or_else(|| {
            Error::parse(format!(
                "{ty} needs {} elements, got {}",
                ty.size(),
                data.len()
            ))
        })?;
        self.constants.push(array);
        Ok(())
    }

    fn node(&mut self, definition: &str) -> Result<ValueId> {
        let is_input = |word: &&str| word.starts_with('%') || !word.contains('=');
        let mut words = definition.split_whitespace();
        let name = words.next().unwrap_or("");
        let (inputs, attributes): (Vec<&str>, Vec<&str>) = words.partition(is_input);
        let inputs = inputs.into_iter().map(|name| self.value(name));
        let inputs = inputs.collect::<Result<Vec<_>>>()?;
        let op = parse_op(name, attributes)?;
        self.graph.push_parsed(op, &inputs, &self.constants)
    }

    fn value(&self, name: &str) -> Result<ValueId> {
        self.names
            .get(name)
            .copied()
            .ok_or_else(|| Error::parse(format!("`{name}` is not defined")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
constant 0 = f64[2] 1.0 -0.0
%0 = input index=0 ty=f64[3,2]
%1 = constant index=0 ty=f64[2]
%2 = add %0 %1 : f64[3,2]
%3 = literal value=2.5:f64
%4 = multiply %2 %3 : f64[3,2]
%5 = sum axes=[0] keepdims=false %4 : f64[2]
%6 = getitem key=(1,:) %0 : f64[2]
%7 = svd full_matrices=false %0 : (f64[3,2], f64[2], f64[2,2])
%8 = get index=1 %7 : f64[2]
return %5 %6 %8
";

    #[test]
    fn text_round_trips() {
        let graph: Graph = TEXT.parse().unwrap();
        assert_eq!(graph.to_string(), TEXT);
        graph.verify_shared().unwrap();
    }

    #[test]
    fn wrong_texts_are_refused_with_their_line() {
        for (text, expected) in [
            ("%0 = sinn %1\nreturn", "line 1: `%1` is not defined"),
            (
                "%0 = input index=0 ty=f64[2]\n%1 = sinn %0\nreturn",
                "line 2: no op is called `sinn`",
            ),
            (
                "%0 = input index=0 ty=f64[2]\n%1 = sum %0\nreturn",
                "line 2: `sum` needs the attribute `axes=`",
            ),
            (
                "%0 = input index=0 ty=f64[2]\n%1 = sin %0 : f32[2]\nreturn",
                "line 2: the type is f64[2], not f32[2]",
            ),
            (
                "%0 = input index=0 ty=f64[2]",
                "expected a line `return %name ..` at the end",
            ),
        ] {
            assert_eq!(text.parse::<Graph>().unwrap_err().to_string(), expected);
        }
    }
}
