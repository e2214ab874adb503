//! Graph to text: the code of a TorchScript module in the form in which libtorch saves modules.
//!
//! Every op is lowered by [`crate::library::lower`], the same as eagerly; here its calls are written down
//! instead of being run. What is not native is expanded. One statement stands on each line, so the line that
//! libtorch names in an error is the op that failed.
//!
//! Random draws are further arguments, after those of the graph: they are drawn for each call.
//!
//! Constants, numbers too, are members of the module, not constants of its code: libtorch would merge `0.0` and
//! `-0.0`, and turn 0-d booleans into numbers that its functions refuse.
//!
//! Invariants: results never share memory with arguments or constants, so a view of one is cloned; and no line
//! works in place. Refuses what is neither native nor expands, with `is_unsupported`.

use std::fmt::Write as _;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::library::{
    Refusal, Torch, as_held, kind_number, lower, lowering, torch_argument, torch_functions,
};
use autojit_ir::error::{Error, Result};
use autojit_ir::{
    ArrayType, DType, Graph, HostArray, LeafOp, Literal, MapOp, Op, OperandType, Site, Type,
    ValueId, expansion, is_widened,
};
use autojit_library::backend::Lowering;

/// A module that is yet to be packed.
pub(super) struct Code {
    /// The class with its one method.
    pub(super) text: String,
    /// `self.c0` and so on.
    pub(super) constants: Vec<HostArray>,
    /// The draws that the last arguments are, `r0` and so on.
    pub(super) draws: Vec<Op>,
    /// From which line on which op of the user's is computed.
    pub(super) origins: Vec<Origin>,
    /// The number of calls of libtorch.
    pub(super) calls: usize,
}

/// The op that lines belong to.
#[derive(Clone)]
pub(super) struct Origin {
    line: u32,
    pub(super) op: &'static str,
    /// The type of its first input, as it is computed with.
    pub(super) ty: Option<ArrayType>,
    pub(super) location: Option<Site>,
}

impl Origin {
    /// The same, from another line on.
    pub(super) fn from(self, line: u32) -> Self {
        Self { line, ..self }
    }
}

impl Code {
    /// The op that a line belongs to.
    pub(super) fn origin(&self, line: u32) -> Option<&Origin> {
        let after = self.origins.partition_point(|origin| origin.line <= line);
        self.origins.get(after.checked_sub(1)?)
    }
}

/// The name of a tensor in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Input(u32),
    Constant(u32),
    Draw(u32),
    Local { number: u32, shares: bool },
}

impl Name {
    /// Whether its memory may be that of an argument or a constant.
    pub(super) fn shares(self) -> bool {
        match self {
            Self::Input(_) | Self::Constant(_) | Self::Draw(_) => true,
            Self::Local { shares, .. } => shares,
        }
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Input(i) => write!(f, "x{i}"),
            Self::Constant(i) => write!(f, "c{i}"),
            Self::Draw(i) => write!(f, "r{i}"),
            Self::Local { number, .. } => write!(f, "_{number}"),
        }
    }
}

/// Functions whose result may be a view of their first argument.
const VIEWS: [&str; 7] = [
    "reshape", "permute", "expand", "slice", "real", "imag", "diagonal",
];

/// The text so far.
pub(super) struct Writer {
    body: String,
    pub(super) line: u32,
    /// How many blocks are around the next statement.
    blocks: usize,
    locals: u32,
    calls: usize,
    constants: Vec<HostArray>,
    draws: Vec<Op>,
    literals: FxHashMap<Literal, u32>,
    /// The literals among the constants.
    known: FxHashMap<u32, Literal>,
    /// From which line on which op is computed.
    pub(super) origins: Vec<Origin>,
    /// The numbers of the iterations of the loops around what is written, the outermost first.
    pub(super) steps: Vec<Name>,
}

pub(super) type Names = SmallVec<[Name; 1]>;

/// A line of the user's, where it is known.
pub(super) type Place = Option<Site>;

impl Writer {
    pub(super) fn statement(&mut self, text: &str) {
        self.body.push_str("    ");
        for _ in 0..self.blocks {
            self.body.push_str("  ");
        }
        self.body.push_str(text);
        self.body.push('\n');
        self.line += 1;
    }

    /// Begins a block with its first line.
    pub(super) fn block(&mut self, head: &str) {
        self.statement(head);
        self.blocks += 1;
    }

    /// Ends the innermost block.
    pub(super) fn end(&mut self) {
        self.blocks = self.blocks.saturating_sub(1);
    }

    /// A name that nothing has yet.
    pub(super) fn local(&mut self, shares: bool) -> Name {
        self.locals += 1;
        Name::Local {
            number: self.locals - 1,
            shares,
        }
    }

    /// Fails if a condition holds. `number` is what is refused, and an expression like the condition.
    pub(super) fn refuse_if(&mut self, condition: &str, why: Refusal, number: &str) {
        let mut numbers = vec![number.to_owned()];
        numbers.extend(self.steps.iter().rev().map(ToString::to_string));
        let places = vec!["{}"; numbers.len()].join(" ");
        self.block(&format!("if {condition}:"));
        self.statement(&format!(
            "ops.prim.RaiseException(torch.format(\"{}{places};\", {}))",
            why.mark(),
            numbers.join(", ")
        ));
        self.end();
        self.block("else:");
        self.statement("pass");
        self.end();
    }

    pub(super) fn call<const N: usize>(
        &mut self,
        function: &str,
        arguments: &[String],
        views: bool,
    ) -> [Name; N] {
        let arguments = arguments.join(", ");
        let call = match function {
            "_cast" => format!("torch.to({arguments})"),
            "_sort" => {
                let (x, axis) = arguments.split_once(", ").unwrap_or((&arguments, "-1"));
                format!("torch.sort({x}, stable=True, dim={axis})")
            }
            _ => format!("torch.{function}({arguments})"),
        };
        let names: [Name; N] = std::array::from_fn(|_| self.local(views));
        self.calls += 1;
        let mut text = String::with_capacity(call.len() + 8);
        for (i, name) in names.iter().enumerate() {
            // Writing to a string does not fail.
            let _ = write!(text, "{}{name}", if i == 0 { "" } else { ", " });
        }
        text.push_str(" = ");
        text.push_str(&call);
        self.statement(&text);
        names
    }

    pub(super) fn constant(&mut self, array: &HostArray) -> Result<Name> {
        self.constants.push(as_held(array)?);
        Ok(Name::Constant(self.constants.len() as u32 - 1))
    }
}

/// The text of an argument.
macro_rules! argument_text {
    (tensor, $x:ident) => {
        $x.to_string()
    };
    (tensors, $x:ident) => {
        list($x.iter())
    };
    (ints, $x:ident) => {
        list($x.iter())
    };
    (int, $x:ident) => {
        $x.to_string()
    };
    (flag, $x:ident) => {
        String::from(if $x { "True" } else { "False" })
    };
    (option, $x:ident) => {
        format!(
            concat!(stringify!($x), "={}"),
            if $x { "True" } else { "False" }
        )
    };
    (text, $x:ident) => {
        format!(concat!(stringify!($x), "=\"{}\""), $x)
    };
    (dtype, $x:ident) => {
        kind_number($x).to_string()
    };
}

fn list<T: std::fmt::Display>(items: impl Iterator<Item = T>) -> String {
    let items: Vec<String> = items.map(|item| item.to_string()).collect();
    format!("[{}]", items.join(", "))
}

/// Whether the first argument's memory may be in the result, for functions that give views.
macro_rules! shares {
    ($x:ident : tensor $($rest:tt)*) => {
        $x.shares()
    };
    ($($rest:tt)*) => {
        false
    };
}

macro_rules! write_calls {
    (one { $($name:ident $text:literal ($($arg:ident : $kind:ident),*) => $run:expr;)* }
     several { $($many:ident $many_text:literal ($($many_arg:ident : $many_kind:ident),*) -> $count:literal => $many_run:expr;)* }) => {
        impl Torch for Writer {
            type Value = Name;

            fn share(&mut self, x: &Name) -> Name {
                *x
            }

            fn literal(&mut self, literal: Literal) -> Result<Name> {
                if let Some(&index) = self.literals.get(&literal) {
                    return Ok(Name::Constant(index));
                }
                let name = self.constant(&HostArray::scalar(literal.value, literal.dtype))?;
                if let Name::Constant(index) = name {
                    self.literals.insert(literal, index);
                    self.known.insert(index, literal);
                }
                Ok(name)
            }

            fn refuse_where(&mut self, condition: &Name, numbers: &Name, why: Refusal) -> Result<()> {
                let number = format!("torch.select(torch.masked_select({numbers}, {condition}), 0, 0)");
                let number = format!("int(torch.real({number}))");
                self.refuse_if(&format!("bool(torch.any({condition}))"), why, &number);
                Ok(())
            }

            fn known(&self, x: &Name) -> Option<Literal> {
                match x {
                    Name::Constant(index) => self.known.get(index).copied(),
                    _ => None,
                }
            }

            $(fn $name(&mut self, $($arg: torch_argument!($kind)),*) -> Result<Name> {
                let views = VIEWS.contains(&$text) && shares!($($arg : $kind),*);
                let [name] = self.call($text, &[$(argument_text!($kind, $arg)),*], views);
                Ok(name)
            })*
            $(fn $many(&mut self, $($many_arg: torch_argument!($many_kind)),*) -> Result<[Name; $count]> {
                Ok(self.call($many_text, &[$(argument_text!($many_kind, $many_arg)),*], false))
            })*
        }
    };
}
torch_functions!(write_calls);

const HEAD: &str = "class M(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
";

/// libtorch looks members of a module up one by one, so loading takes the square of their number.
const MOST_CONSTANTS: usize = 16_384;

/// Writes a graph as a module.
///
/// # Errors
/// An op is not supported, or there are too many constants (`is_unsupported`).
pub(super) fn emit(graph: &Graph) -> Result<Code> {
    let mut writer = Writer {
        body: String::new(),
        line: 0,
        blocks: 0,
        locals: 0,
        calls: 0,
        constants: Vec::new(),
        draws: Vec::new(),
        literals: FxHashMap::default(),
        known: FxHashMap::default(),
        origins: Vec::new(),
        steps: Vec::new(),
    };
    let inputs: Vec<Name> = (0..graph.input_types().len() as u32)
        .map(Name::Input)
        .collect();
    let outputs = write_graph(&mut writer, graph, &inputs, None)?;
    if writer.constants.len() > MOST_CONSTANTS {
        return Err(Error::unsupported(format!(
            "TorchScript takes at most {MOST_CONSTANTS} different constants, got {}",
            writer.constants.len()
        )));
    }
    let mut results = Vec::with_capacity(outputs.len());
    for output in outputs {
        results.push(if output.shares() {
            let [own] = writer.call("clone", &[output.to_string()], false);
            own
        } else {
            output
        });
    }
    writer.statement(&if results.is_empty() {
        "return annotate(List[Tensor], [])".to_owned()
    } else {
        format!("return {}", list(results.iter()))
    });
    let count = writer.constants.len();
    let mut text = String::with_capacity(writer.body.len() + 32 * count + 256);
    text.push_str(HEAD);
    for i in 0..count {
        let _ = writeln!(text, "  c{i} : Tensor");
    }
    text.push_str("  def forward(self: __torch__.M");
    let draws = (0..writer.draws.len() as u32).map(Name::Draw);
    for input in inputs.into_iter().chain(draws) {
        let _ = write!(text, ", {input}: Tensor");
    }
    text.push_str(") -> List[Tensor]:\n");
    for i in 0..count {
        let _ = writeln!(text, "    c{i} = self.c{i}");
    }
    let before = (HEAD.lines().count() + 2 * count + 1) as u32;
    for origin in &mut writer.origins {
        origin.line += before;
    }
    text.push_str(&writer.body);
    Ok(Code {
        text,
        constants: writer.constants,
        draws: writer.draws,
        origins: writer.origins,
        calls: writer.calls,
    })
}

/// Writes the live nodes of a graph, and gives the names of its results.
///
/// Nodes of expansions belong to the line of what is expanded, `outer`.
pub(super) fn write_graph(
    writer: &mut Writer,
    graph: &Graph,
    inputs: &[Name],
    outer: Place,
) -> Result<Vec<Name>> {
    let missing = || Error::internal("a value is used before it is written");
    let live = graph.live();
    let mut values: Vec<Names> = vec![Names::new(); graph.nodes().len()];
    for value in graph.values().filter(|v| live[v.index()]) {
        let node = &graph[value];
        let names = match &node.op {
            Op::Leaf(LeafOp::Input { index, .. }) => Names::from_iter(inputs.get(*index).copied()),
            Op::Leaf(LeafOp::Literal { value }) => Names::from_iter([writer.literal(*value)?]),
            Op::Leaf(LeafOp::Constant { index, .. }) => {
                let array = graph.constants().get(*index).ok_or_else(missing)?;
                Names::from_iter([writer.constant(array)?])
            }
            Op::Random { .. } => {
                writer.draws.push(node.op.clone());
                Names::from_iter([Name::Draw(writer.draws.len() as u32 - 1)])
            }
            Op::Get { index } => {
                let tuple = &values[node.inputs[0].index()];
                Names::from_iter(tuple.get(*index).copied())
            }
            op => {
                let location = node.location.or(outer);
                writer.origins.push(Origin {
                    line: writer.line + 1,
                    op: op.error_name(),
                    ty: first_type(graph, &node.inputs),
                    location,
                });
                let mut arguments: SmallVec<[Name; 4]> = SmallVec::new();
                let mut types: SmallVec<[&ArrayType; 4]> = SmallVec::new();
                for input in &node.inputs {
                    let name = values[input.index()].first().copied();
                    arguments.push(name.ok_or_else(missing)?);
                    types.push(graph.ty(*input)?);
                }
                let located = |e: Error| location.map_or(e.clone(), |l| e.clone().at(l));
                write_op(writer, op, &arguments, &types, &node.ty, location).map_err(located)?
            }
        };
        values[value.index()] = names;
    }
    let output = |v: &ValueId| values[v.index()].first().copied().ok_or_else(missing);
    graph.outputs().iter().map(output).collect()
}

/// Ops whose errors name it compute with floating numbers.
fn first_type(graph: &Graph, inputs: &[ValueId]) -> Option<ArrayType> {
    let ty = graph.ty(*inputs.first()?).ok()?;
    Some(ty.with_dtype(ty.dtype.floating()))
}

/// Writes one op: its inputs converted, and the op itself or its expansion.
fn write_op(
    writer: &mut Writer,
    op: &Op,
    inputs: &[Name],
    types: &[&ArrayType],
    result: &Type,
    location: Place,
) -> Result<Names> {
    let as_types: SmallVec<[Type; 4]> = types.iter().map(|&ty| ty.clone().into()).collect();
    let signature = op.infer(&as_types.iter().collect::<SmallVec<[&Type; 4]>>())?;
    let mut converted: SmallVec<[Name; 4]> = SmallVec::new();
    let mut converted_types: SmallVec<[ArrayType; 4]> = SmallVec::new();
    for ((&input, &ty), operand) in inputs.iter().zip(types).zip(&signature.operands) {
        let dtype = operand.unwrap_or(ty.dtype);
        converted.push(convert(writer, input, ty, dtype, location)?);
        converted_types.push(ty.with_dtype(dtype));
    }
    let names: SmallVec<[&Name; 4]> = converted.iter().collect();
    let references: SmallVec<[&ArrayType; 4]> = converted_types.iter().collect();
    let operands: SmallVec<[OperandType<'_>; 4]> = references.iter().map(|&ty| ty.into()).collect();
    match lowering(op, &operands) {
        Lowering::Native if let Op::Control(op) = op => {
            writer.control(op, &names, &references, result, location)
        }
        Lowering::Native => lower(writer, op, &names, &references, result),
        Lowering::Expand => {
            let graph = expansion(op, &operands)?;
            Ok(write_graph(writer, &graph, &converted, location)?.into())
        }
        Lowering::Call => Err(Error::internal("a TorchScript module does not call back")),
        Lowering::Unsupported(why) => Err(why),
    }
}

fn convert(
    writer: &mut Writer,
    x: Name,
    ty: &ArrayType,
    dtype: DType,
    location: Place,
) -> Result<Name> {
    if ty.dtype == dtype {
        return Ok(x);
    }
    if let Some(known) = writer.known(&x) {
        return writer.literal(Literal::new(known.value, dtype));
    }
    let result = ty.with_dtype(dtype).into();
    let op = Op::Map(MapOp::Astype { dtype });
    let names = if is_widened(&op, [ty.dtype].into_iter()) {
        write_op(writer, &op, &[x], &[ty], &result, location)?
    } else {
        lower(writer, &op, &[&x], &[ty], &result)?
    };
    let name = names.first().copied();
    name.ok_or_else(|| Error::internal("a conversion has no result"))
}
