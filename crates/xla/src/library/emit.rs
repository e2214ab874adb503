//! A graph as the text of an XLA module.
//!
//! Each op is lowered as [`super::lower`] decides: to instructions, as its expansion, or as a call back into autojit (see
//! [`super::host`]). Linear in nodes. Refuses functions of the user's, with `is_unsupported`: XLA
//! makes calls on threads of its own, on which such a function could wait for XLA forever. The backend cuts graphs there.

use smallvec::SmallVec;

use super::calls::{HostCall, Work};
use super::lower::{astype, lower, lowering};
use super::module::{Extra, Purpose, Value, Writer, instruction_in};
use autojit_ir::error::{Error, Result};
use autojit_ir::{
    DType, Graph, LeafOp, MapOp, Op, OperandType, Site, Type, ValueId, expansion, is_widened,
};
use autojit_library::backend::Lowering;

/// A module that is yet to be compiled.
pub(super) struct Code {
    /// The text.
    pub text: String,
    /// The inputs that follow the arguments of the graph.
    pub(super) extras: Vec<Extra>,
    pub(super) calls: Vec<HostCall>,
    /// From which instruction on which op of the user's is computed.
    origins: Vec<Origin>,
    /// The number of instructions.
    pub(super) instructions: usize,
}

/// The op that instructions belong to.
struct Origin {
    first: u32,
    op: &'static str,
    location: Option<Site>,
}

impl Code {
    /// Adds the op and the line of the user's to an error in which XLA names an instruction.
    pub(super) fn attributed(&self, error: Error) -> Error {
        let Some(number) = instruction_in(&error.to_string()) else {
            return error;
        };
        let after = self.origins.partition_point(|o| o.first <= number);
        let Some(origin) = after.checked_sub(1).and_then(|i| self.origins.get(i)) else {
            return error;
        };
        let error = error.in_op(origin.op);
        match origin.location {
            Some(location) => error.at(location),
            None => error,
        }
    }
}

pub(super) type Values = SmallVec<[Value; 2]>;

/// A line of the user's, where it is known.
pub(super) type Place = Option<Site>;

pub(super) struct Emitter {
    pub(super) writer: Writer,
    origins: Vec<Origin>,
    /// The line of the innermost loop or choice that is being written.
    pub(super) place: Place,
}

/// Writes a graph as a module.
///
/// # Errors
/// The graph calls a function of the user's, or autojit in a module that others are to read (`is_unsupported`).
pub(super) fn emit(graph: &Graph, purpose: Purpose) -> Result<Code> {
    let mut emitter = Emitter {
        writer: Writer::new(purpose),
        origins: Vec::new(),
        place: None,
    };
    let types = graph.input_types().iter();
    let inputs: Vec<Value> = types.map(|ty| emitter.writer.parameter(ty)).collect();
    let outputs = emitter.graph(graph, &inputs, None)?;
    let Emitter {
        mut writer,
        origins,
        ..
    } = emitter;
    Ok(Code {
        extras: std::mem::take(&mut writer.extras),
        calls: std::mem::take(&mut writer.calls),
        instructions: writer.len(),
        text: writer.finish(&outputs)?,
        origins,
    })
}

impl Emitter {
    /// Writes the live nodes of a graph, and gives its results.
    ///
    /// Nodes of expansions belong to the line of what is expanded, `outer`; errors name the op itself, as elsewhere.
    pub(super) fn graph(
        &mut self,
        graph: &Graph,
        inputs: &[Value],
        outer: Option<Place>,
    ) -> Result<Vec<Value>> {
        let missing = || Error::internal("a value is used before it is written");
        let live = graph.live();
        let mut values: Vec<Values> = vec![Values::new(); graph.nodes().len()];
        for value in graph.values().filter(|v| live[v.index()]) {
            let node = &graph[value];
            let written = match &node.op {
                Op::Leaf(LeafOp::Input { index, .. }) => {
                    Values::from_iter(inputs.get(*index).cloned())
                }
                Op::Leaf(LeafOp::Literal { value }) => {
                    Values::from_iter([self.writer.literal(value.value, value.dtype, &[])])
                }
                Op::Leaf(LeafOp::Constant { index, .. }) => {
                    let array = graph.constants().get(*index).ok_or_else(missing)?;
                    Values::from_iter([self.writer.constant(array)])
                }
                Op::Get { index } => {
                    let tuple = &values[node.inputs[0].index()];
                    Values::from_iter(tuple.get(*index).cloned())
                }
                op => {
                    let location = outer.unwrap_or(node.location).or(self.place);
                    let name = op.error_name();
                    self.origins.push(Origin {
                        first: self.writer.len() as u32,
                        op: name,
                        location,
                    });
                    (self.writer.op, self.writer.location) = (name, location);
                    let mut arguments: SmallVec<[Value; 4]> = SmallVec::new();
                    for input in &node.inputs {
                        let argument = values[input.index()].first().cloned();
                        arguments.push(argument.ok_or_else(missing)?);
                    }
                    let located = |e: Error| {
                        let e = e.in_op(name);
                        location.map_or(e.clone(), |l| e.at(l))
                    };
                    self.op(op, &arguments, &node.ty, location)
                        .map_err(located)?
                }
            };
            values[value.index()] = written;
        }
        let output = |v: &ValueId| values[v.index()].first().cloned().ok_or_else(missing);
        graph.outputs().iter().map(output).collect()
    }

    /// Writes one op: its inputs converted, and the op itself, its expansion or a call.
    fn op(&mut self, op: &Op, inputs: &[Value], result: &Type, outer: Place) -> Result<Values> {
        if let Op::Opaque { .. } = op {
            return Err(Error::unsupported(
                "a graph that calls functions of the user's is several programs for XLA, not one",
            ));
        }
        let types: SmallVec<[Type; 4]> = inputs.iter().map(|x| x.ty.clone().into()).collect();
        let signature = op.infer(&types.iter().collect::<SmallVec<[&Type; 4]>>())?;
        let operands = inputs.iter().zip(&signature.operands);
        let converted: SmallVec<[Value; 4]> = operands
            .map(|(x, operand)| self.converted(x, operand.unwrap_or(x.ty.dtype), outer))
            .collect::<Result<_>>()?;
        let references: SmallVec<[&Value; 4]> = converted.iter().collect();
        let operands = converted.iter().map(|x| OperandType {
            ty: &x.ty,
            known: x.known,
        });
        let operands: SmallVec<[OperandType<'_>; 4]> = operands.collect();
        match lowering(op, &operands, self.writer.purpose) {
            Lowering::Native if let Op::Control(op) = op => {
                self.control(op, &references, result, outer)
            }
            Lowering::Native => lower(&mut self.writer, op, &references, result),
            Lowering::Expand => {
                let graph = expansion(op, &operands)?;
                let arguments = converted.iter().zip(&operands);
                let arguments = arguments.filter(|(_, operand)| operand.as_literal().is_none());
                let arguments: Vec<Value> = arguments.map(|(x, _)| x.clone()).collect();
                Ok(self.graph(&graph, &arguments, Some(outer))?.into())
            }
            Lowering::Call => self.call(op, &references, result),
            Lowering::Unsupported(why) => Err(why),
        }
    }

    /// The same values in another dtype.
    fn converted(&mut self, x: &Value, dtype: DType, outer: Place) -> Result<Value> {
        let op = Op::Map(MapOp::Astype { dtype });
        if !is_widened(&op, [x.ty.dtype].into_iter()) {
            return Ok(astype(&mut self.writer, x, dtype));
        }
        let ty = x.ty.with_dtype(dtype).into();
        let converted = self.op(&op, std::slice::from_ref(x), &ty, outer)?;
        let missing = || Error::internal("a conversion gave nothing");
        converted.into_iter().next().ok_or_else(missing)
    }

    fn call(&mut self, op: &Op, inputs: &[&Value], result: &Type) -> Result<Values> {
        if self.writer.purpose == Purpose::Save {
            return Err(Error::unsupported(
                "XLA has no instruction for it, and a program that calls autojit runs nowhere else",
            ));
        }
        let call = HostCall {
            work: Work::Op(op.clone()),
            inputs: inputs.iter().map(|x| x.ty.clone()).collect(),
            result: result.clone(),
            op: self.writer.op,
            location: self.writer.location,
            steps: self.writer.loops,
        };
        Ok(self.writer.host_call(call, inputs))
    }
}
