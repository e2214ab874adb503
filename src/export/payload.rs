//! The payload of a file: plain lists, encoded by [postcard](https://postcard.jamesmunns.com/wire-format).
//!
//! Ops are a list of their text forms, each written once; nodes name them by number. So are the files and the lines
//! of the source. Arrays are their bytes, little endian, in C order.
//!
//! Types are not written: they are inferred when the file is read.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::Saved;
use crate::tree::{LoadedRecord, Structure, Token};
use autojit_ir::error::{Error, Result};
use autojit_ir::serial::check_exportable;
use autojit_ir::{ArrayType, DType, Graph, HostArray, MapOp, Op, ReduceOp, SourceLine, ValueId};

#[derive(Serialize, Deserialize)]
struct Payload {
    made_by: String,
    name: String,
    arguments: Vec<Step>,
    results: Vec<Step>,
    ops: Vec<String>,
    files: Vec<String>,
    lines: Vec<Line>,
    constants: Vec<Constant>,
    nodes: Vec<Node>,
    outputs: Vec<u32>,
}

/// A node of a graph.
#[derive(Serialize, Deserialize)]
struct Node {
    op: u32,
    inputs: Vec<u32>,
    /// Counted from 1; 0 is none.
    line: u32,
}

#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Hash)]
struct Line {
    file: u32,
    line: u32,
    column: u32,
}

#[derive(Serialize, Deserialize)]
struct Constant {
    ty: String,
    bytes: Vec<u8>,
}

/// A token of a structure.
#[derive(Serialize, Deserialize)]
pub(super) enum Step {
    Array,
    Tuple(u64),
    List(u64),
    Map(u64),
    Key(String),
    Some,
    None,
    Record {
        name: String,
        fields: Vec<String>,
        len: u64,
    },
    Bool(bool),
    Int(i128),
    Float(u64),
    Complex(u64, u64),
    Text(String),
}

/// Numbers for values, in the order in which they come.
struct Numbering<T>(FxHashMap<T, u32>, Vec<T>);

impl<T: Clone + Eq + std::hash::Hash> Numbering<T> {
    fn new() -> Self {
        Self(FxHashMap::default(), Vec::new())
    }

    fn of(&mut self, value: T) -> u32 {
        let next = self.1.len() as u32;
        *self.0.entry(value).or_insert_with_key(|value| {
            self.1.push(value.clone());
            next
        })
    }
}

/// Writes the payload.
pub(super) fn encode(saved: &Saved) -> Result<Vec<u8>> {
    let Saved { graph, .. } = saved;
    let mut ops = Numbering::new();
    let mut files = Numbering::new();
    let mut lines = Numbering::new();
    let mut nodes = Vec::with_capacity(graph.nodes().len());
    for (node, line) in graph.nodes().iter().zip(&saved.lines) {
        check_exportable(&node.op).map_err(|e| node.location.map_or(e.clone(), |l| e.at(l)))?;
        let line = line.as_ref().map_or(0, |source| {
            let file = files.of(source.file.to_string());
            let (line, column) = (source.line, source.column);
            lines.of(Line { file, line, column }) + 1
        });
        nodes.push(Node {
            op: ops.of(&node.op),
            inputs: node.inputs.iter().map(|input| input.0).collect(),
            line,
        });
    }
    let mut texts = Vec::with_capacity(ops.1.len());
    for op in ops.1 {
        let text = op.to_string();
        if text.parse::<Op>().ok().as_ref() != Some(op) {
            let why = format!("the operation `{text}` cannot be written so that it is read back");
            return Err(Error::unsupported(why));
        }
        texts.push(text);
    }
    let payload = Payload {
        made_by: saved.made_by.clone(),
        name: saved.name.clone(),
        arguments: steps(&saved.arguments),
        results: steps(&saved.results),
        ops: texts,
        files: files.1,
        lines: lines.1,
        constants: graph.constants().iter().map(Constant::new).collect(),
        nodes,
        outputs: graph.outputs().iter().map(|output| output.0).collect(),
    };
    postcard::to_allocvec(&payload).map_err(|e| Error::internal(format!("cannot encode: {e}")))
}

/// Reads the payload of a format.
pub(super) fn decode(format: u32, bytes: &[u8]) -> Result<Saved> {
    let damaged = |why: String| Error::file(format!("the file is damaged: {why}"));
    let (payload, rest) = postcard::take_from_bytes::<Payload>(bytes)
        .map_err(|_| damaged("its parts do not fit together".into()))?;
    if !rest.is_empty() {
        return Err(damaged("it has more than its parts".into()));
    }
    payload.check(format).map_err(|e| damaged(e.to_string()))
}

impl Payload {
    fn check(self, format: u32) -> Result<Saved> {
        let constants = self.constants.iter().map(Constant::read);
        let constants = constants.collect::<Result<Vec<_>>>()?;
        let ops = self.ops.iter().map(|text| text.parse::<Op>());
        let ops = ops.collect::<Result<Vec<_>>>()?;
        let files: Vec<Arc<str>> = self.files.into_iter().map(Into::into).collect();
        let missing = |what: &str| Error::value(format!("it names a {what} that is not there"));

        let mut graph = Graph::new();
        let mut lines: Vec<Option<SourceLine>> = Vec::new();
        // Equal nodes become one, so numbers may change.
        let mut values: Vec<ValueId> = Vec::new();
        let value = |values: &[ValueId], number: &u32| {
            let value = values.get(*number as usize).copied();
            value.ok_or_else(|| missing("value"))
        };
        for node in &self.nodes {
            let op = ops
                .get(node.op as usize)
                .ok_or_else(|| missing("operation"))?;
            let inputs = node.inputs.iter().map(|input| value(&values, input));
            let mut inputs = inputs.collect::<Result<SmallVec<[ValueId; 4]>>>()?;
            if format == 1 {
                sum_as_int64(&mut graph, op, &mut inputs)?;
            }
            let new = graph.push_parsed(op.clone(), &inputs, &constants)?;
            values.push(new);
            while lines.len() < graph.nodes().len() {
                lines.push(match node.line.checked_sub(1) {
                    None => None,
                    Some(number) => {
                        let line = self.lines.get(number as usize);
                        let line = line.ok_or_else(|| missing("source line"))?;
                        let file = files.get(line.file as usize);
                        Some(SourceLine {
                            file: file.ok_or_else(|| missing("source file"))?.clone(),
                            line: line.line,
                            column: line.column,
                        })
                    }
                });
            }
        }
        let outputs = self.outputs.iter().map(|output| value(&values, output));
        graph.set_outputs(outputs.collect::<Result<Vec<ValueId>>>()?);

        let saved = Saved {
            name: self.name,
            made_by: self.made_by,
            arguments: structure(self.arguments)?,
            results: structure(self.results)?,
            graph,
            lines,
        };
        saved.check()?;
        Ok(saved)
    }
}

/// What files of format 1 mean by totals: of unsigned integers, too, they are of `int64`.
fn sum_as_int64(graph: &mut Graph, op: &Op, inputs: &mut [ValueId]) -> Result<()> {
    let is_total = match op {
        Op::Reduce(op) => matches!(
            op,
            ReduceOp::Sum { .. } | ReduceOp::Prod { .. } | ReduceOp::SumWhere { .. }
        ),
        op => matches!(op, Op::Scan(_)),
    };
    if let (true, Some(x)) = (is_total, inputs.first_mut())
        && graph.ty(*x)?.dtype.is_unsigned()
    {
        let dtype = DType::Int64;
        *x = graph.push(Op::Map(MapOp::Astype { dtype }), &[*x], None)?;
    }
    Ok(())
}

/// The tokens of a structure.
pub(super) fn steps(structure: &Structure) -> Vec<Step> {
    structure.tokens().iter().map(Step::new).collect()
}

/// The structure of tokens that were read.
pub(super) fn structure(steps: Vec<Step>) -> Result<Structure> {
    let tokens = steps.into_iter().map(Step::into_token);
    let tokens = tokens.collect::<Option<Vec<_>>>();
    let too_large = || Error::value("a structure has more members than memory has bytes");
    Structure::checked(tokens.ok_or_else(too_large)?)
}

impl Step {
    fn new(token: &Token<'_>) -> Self {
        match token {
            Token::Array => Self::Array,
            Token::Tuple(n) => Self::Tuple(*n as u64),
            Token::List(n) => Self::List(*n as u64),
            Token::Map(n) => Self::Map(*n as u64),
            Token::Key(key) => Self::Key(key.to_string()),
            Token::Some => Self::Some,
            Token::None => Self::None,
            Token::Record(record) => Self::Record {
                name: record.name.into(),
                fields: record.fields.iter().map(ToString::to_string).collect(),
                len: record.len as u64,
            },
            Token::LoadedRecord(record) => Self::Record {
                name: record.name.clone(),
                fields: record.fields.clone(),
                len: record.len as u64,
            },
            Token::Bool(b) => Self::Bool(*b),
            Token::Int(i) => Self::Int(*i),
            Token::Float(bits) => Self::Float(*bits),
            Token::Complex(re, im) => Self::Complex(*re, *im),
            Token::Text(text) => Self::Text(text.to_string()),
            Token::StaticText(text) => Self::Text((*text).to_owned()),
        }
    }

    /// `None` if a number is too large for this machine.
    fn into_token(self) -> Option<Token<'static>> {
        Some(match self {
            Self::Array => Token::Array,
            Self::Tuple(n) => Token::Tuple(n.try_into().ok()?),
            Self::List(n) => Token::List(n.try_into().ok()?),
            Self::Map(n) => Token::Map(n.try_into().ok()?),
            Self::Key(key) => Token::Key(key.into()),
            Self::Some => Token::Some,
            Self::None => Token::None,
            Self::Record { name, fields, len } => Token::LoadedRecord(Arc::new(LoadedRecord {
                name,
                fields,
                len: len.try_into().ok()?,
            })),
            Self::Bool(b) => Token::Bool(b),
            Self::Int(i) => Token::Int(i),
            Self::Float(bits) => Token::Float(bits),
            Self::Complex(re, im) => Token::Complex(re, im),
            Self::Text(text) => Token::Text(text.into()),
        })
    }
}

impl Constant {
    fn new(array: &HostArray) -> Self {
        Self {
            ty: array.ty().to_string(),
            bytes: array.to_bytes(),
        }
    }

    fn read(&self) -> Result<HostArray> {
        let ty: ArrayType = self.ty.parse()?;
        HostArray::from_bytes(&ty, &self.bytes)
            .map_err(|e| Error::value(format!("its constant {e}")))
    }
}
