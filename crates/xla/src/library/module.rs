//! `Writer`: the text of a module of XLA's intermediate language, HLO, one instruction at a time.
//!
//! Text, because XLA reads all of its language from it, sorts, gathers and scatters with their inner computations
//! too, and because people can read it. Every instruction of HLO takes operands of equal shapes; what NumPy broadcasts
//! is broadcast here by an instruction of its own, which costs nothing as XLA fuses it.
//!
//! Invariants: a [`Value`] knows its type; inner computations are written once, by name; numbers are written with as
//! many digits as bring back their bits, zeros with their signs.

use std::fmt::Write as _;

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use super::calls::{HostCall, RUN_NUMBER};
use autojit_ir::error::{Error, Result};
use autojit_ir::{ArrayType, DType, HostArray, Literal, Scalar, Site};

/// The result of an instruction: its name and its type.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub(super) stem: &'static str,
    pub(super) number: u32,
    pub(super) ty: ArrayType,
    /// The number that all elements are known to be.
    pub(super) known: Option<Literal>,
    /// Whether it is complex with imaginary parts of zero, as real numbers become beside complex ones.
    pub(super) is_real: bool,
}

impl Value {
    /// The same, known to have imaginary parts of zero.
    pub(super) fn without_imaginary_parts(self) -> Self {
        Self {
            is_real: true,
            ..self
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.stem, self.number)
    }
}

/// XLA's name of a dtype.
pub(super) const fn type_name(dtype: DType) -> &'static str {
    match dtype {
        DType::Bool => "pred",
        DType::Int8 => "s8",
        DType::Uint8 => "u8",
        DType::Int16 => "s16",
        DType::Uint16 => "u16",
        DType::Int32 => "s32",
        DType::Uint32 => "u32",
        DType::Int64 => "s64",
        DType::Uint64 => "u64",
        DType::Float32 => "f32",
        DType::Float64 => "f64",
        DType::Complex64 => "c64",
        DType::Complex128 => "c128",
    }
}

/// A type as XLA writes it, in C order, such as `f64[3,4]{1,0}`.
pub(super) fn type_text(ty: &ArrayType) -> String {
    let mut text = format!("{}[{}]", type_name(ty.dtype), list(&ty.shape));
    if ty.ndim() > 0 {
        let order: SmallVec<[usize; 4]> = (0..ty.ndim()).rev().collect();
        let _ = write!(text, "{{{}}}", list(&order));
    }
    text
}

/// Numbers with commas between.
pub(super) fn list(numbers: &[usize]) -> String {
    let mut text = String::with_capacity(3 * numbers.len());
    for (i, n) in numbers.iter().enumerate() {
        let _ = write!(text, "{}{n}", if i == 0 { "" } else { "," });
    }
    text
}

/// A number as XLA reads it.
fn number(value: Scalar, dtype: DType) -> String {
    let real = |x: f64| match dtype.real() {
        _ if x.is_nan() => "nan".to_owned(),
        _ if x.is_infinite() => (if x > 0.0 { "inf" } else { "-inf" }).to_owned(),
        // With a point, as the sign of `-0` would get lost; in the fewest digits of its precision.
        DType::Float32 => format!("{:?}", x as f32),
        _ => format!("{x:?}"),
    };
    match value {
        Scalar::Bool(b) => b.to_string(),
        Scalar::Int(i) => i.to_string(),
        Scalar::Uint(i) => i.to_string(),
        Scalar::Float(x) => real(x),
        Scalar::Complex(z) => format!("({}, {})", real(z.re), real(z.im)),
    }
}

/// The elements from `at` on of an array of this shape, in nested braces.
fn nested(
    text: &mut String,
    shape: &[usize],
    elements: &mut impl Iterator<Item = Scalar>,
    dtype: DType,
) {
    let Some((&n, rest)) = shape.split_first() else {
        if let Some(element) = elements.next() {
            text.push_str(&number(element, dtype));
        }
        return;
    };
    text.push('{');
    for i in 0..n {
        text.push_str(if i == 0 { "" } else { ", " });
        nested(text, rest, elements, dtype);
    }
    text.push('}');
}

/// The instructions of one computation.
#[derive(Default)]
pub(super) struct Computation {
    pub(super) text: String,
    /// The number of each instruction, and where it begins.
    starts: Vec<(u32, usize)>,
    literals: FxHashMap<(Literal, SmallVec<[usize; 4]>), Value>,
    parameters: usize,
    /// The elements of its argument, if that is a tuple, without what is captured.
    pub(super) elements: usize,
    /// The values that it takes from the computation around it.
    pub(super) captured: Vec<(Outside, Value)>,
    /// The values that it took so far, as its own.
    pub(super) known: FxHashMap<Outside, Value>,
}

/// An argument of a module beyond those of the graph.
#[derive(Clone, Debug)]
pub(super) enum Extra {
    /// A constant that is too large for the text.
    Constant(HostArray),
    /// The number of the run, see [`super::host`].
    Run,
}

/// A value that computations inside of others take from the outermost one, or from a loop around them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Outside {
    /// A further argument of the module, by its place among them.
    Extra(usize),
    /// The number of the iteration of a loop, by how many loops are around that.
    Step(usize),
}

/// The purpose of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To be run here: large constants are arguments, and calls come back to autojit.
    Run,
    /// To be read by others: everything is in it.
    Save,
}

/// A module that is being written.
pub(super) struct Writer {
    pub(super) purpose: Purpose,
    /// Inner computations, each before those that use it.
    pub(super) regions: String,
    known_regions: FxHashSet<String>,
    /// The outermost computation, and those inside of it that are being written, each in the one before.
    pub(super) open: Vec<Computation>,
    /// The number of the next instruction.
    next: u32,
    /// The place of the number of the run among the further arguments.
    run: Option<usize>,
    /// How many loops are around what is being written.
    pub(super) loops: usize,
    pub(super) extras: Vec<Extra>,
    pub(super) calls: Vec<HostCall>,
    /// The op of the user's that is being written.
    pub(super) op: &'static str,
    pub(super) location: Option<Site>,
}

impl Writer {
    pub(super) fn new(purpose: Purpose) -> Self {
        Self {
            purpose,
            regions: String::new(),
            known_regions: FxHashSet::default(),
            open: vec![Computation::default()],
            next: 0,
            run: None,
            loops: 0,
            extras: Vec::new(),
            calls: Vec::new(),
            op: "",
            location: None,
        }
    }

    /// The innermost computation that is being written.
    fn level(&self) -> usize {
        self.open.len() - 1
    }

    /// Writes an instruction; the type text may be that of a tuple.
    fn line(
        &mut self,
        level: usize,
        stem: &'static str,
        ty: &str,
        rest: std::fmt::Arguments<'_>,
    ) -> u32 {
        let number = self.next;
        self.next += 1;
        let body = &mut self.open[level];
        body.starts.push((number, body.text.len()));
        // Writing to a string does not fail.
        let _ = writeln!(body.text, "  {stem}.{number} = {ty} {rest}");
        number
    }

    fn value(&mut self, stem: &'static str, ty: ArrayType, rest: std::fmt::Arguments<'_>) -> Value {
        self.value_at(self.level(), stem, ty, rest)
    }

    fn value_at(
        &mut self,
        level: usize,
        stem: &'static str,
        ty: ArrayType,
        rest: std::fmt::Arguments<'_>,
    ) -> Value {
        let number = self.line(level, stem, &type_text(&ty), rest);
        Value {
            stem,
            number,
            ty,
            known: None,
            is_real: false,
        }
    }

    /// A name for another inner computation.
    pub(super) fn new_region(&mut self, stem: &str) -> String {
        let name = format!("{stem}_{}", self.known_regions.len());
        self.known_regions.insert(name.clone());
        name
    }

    /// The type of a further argument.
    pub(super) fn extra_type(&self, outside: Outside) -> ArrayType {
        let extra = match outside {
            Outside::Extra(index) => self.extras.get(index),
            Outside::Step(_) => None,
        };
        match extra {
            Some(Extra::Constant(array)) => array.ty(),
            Some(Extra::Run) | None => ArrayType::scalar(RUN_NUMBER),
        }
    }

    /// How many instructions there are so far, those of inner computations among them.
    pub(super) fn len(&self) -> usize {
        self.next as usize
    }

    /// An instruction with operands, and attributes such as `, dimensions={0}`.
    pub(super) fn op(
        &mut self,
        opcode: &'static str,
        ty: ArrayType,
        operands: &[&Value],
        attributes: &str,
    ) -> Value {
        let operands = names(operands);
        self.value(opcode, ty, format_args!("{opcode}({operands}){attributes}"))
    }

    /// An instruction with several results.
    pub(super) fn tuple_op(
        &mut self,
        opcode: &'static str,
        types: &[ArrayType],
        operands: &[&Value],
        attributes: &str,
    ) -> SmallVec<[Value; 2]> {
        let tuple = self.tuple_line(opcode, types, &names(operands), attributes);
        let parts = types.iter().enumerate();
        let part = |(i, ty): (usize, &ArrayType)| self.part(self.level(), &tuple, i, ty);
        parts.map(part).collect()
    }

    /// An instruction whose result is a tuple; the name of it.
    pub(super) fn tuple_line(
        &mut self,
        opcode: &'static str,
        types: &[ArrayType],
        operands: &str,
        attributes: &str,
    ) -> String {
        let ty = tuple_text(types.iter());
        let rest = format_args!("{opcode}({operands}){attributes}");
        let number = self.line(self.level(), opcode, &ty, rest);
        format!("{opcode}.{number}")
    }

    /// An element of a tuple.
    pub(super) fn part(
        &mut self,
        level: usize,
        tuple: &str,
        index: usize,
        ty: &ArrayType,
    ) -> Value {
        let rest = format_args!("get-tuple-element({tuple}), index={index}");
        self.value_at(level, "get", ty.clone(), rest)
    }

    /// The next argument of the computation.
    pub(super) fn parameter(&mut self, ty: &ArrayType) -> Value {
        self.parameter_at(self.level(), ty)
    }

    pub(super) fn parameter_at(&mut self, level: usize, ty: &ArrayType) -> Value {
        let index = self.open[level].parameters;
        self.open[level].parameters += 1;
        self.value_at(level, "x", ty.clone(), format_args!("parameter({index})"))
    }

    /// An array of one number, written once for each shape.
    pub(super) fn literal(
        &mut self,
        value: impl Into<Scalar>,
        dtype: DType,
        shape: &[usize],
    ) -> Value {
        let literal = Literal::new(value, dtype);
        let key = (literal, SmallVec::from_slice(shape));
        let level = self.level();
        if let Some(value) = self.open[level].literals.get(&key) {
            return value.clone();
        }
        let mut value = if shape.is_empty() {
            let text = number(literal.value, dtype);
            self.value(
                "constant",
                ArrayType::scalar(dtype),
                format_args!("constant({text})"),
            )
        } else {
            let scalar = self.literal(literal.value, dtype, &[]);
            self.op(
                "broadcast",
                ArrayType::new(dtype, shape),
                &[&scalar],
                ", dimensions={}",
            )
        };
        value.known = Some(literal);
        self.open[level].literals.insert(key, value.clone());
        value
    }

    /// An array of numbers: in the text if it is small, else an argument.
    pub(super) fn constant(&mut self, array: &HostArray) -> Value {
        /// XLA computes with constants while it compiles, which takes long for large ones.
        const SMALL: usize = 32;
        let ty = array.ty();
        if ty.size() > SMALL && self.purpose == Purpose::Run {
            self.extras.push(Extra::Constant(array.clone()));
            return self.outside(Outside::Extra(self.extras.len() - 1));
        }
        let scalars = array.to_scalars();
        if scalars.is_empty() {
            return self.literal(0, ty.dtype, &ty.shape);
        }
        let mut text = String::new();
        nested(&mut text, &ty.shape, &mut scalars.into_iter(), ty.dtype);
        self.value("constant", ty, format_args!("constant({text})"))
    }

    /// The argument that is the number of the run.
    pub(super) fn run_number(&mut self) -> Value {
        let index = *self.run.get_or_insert_with(|| {
            self.extras.push(Extra::Run);
            self.extras.len() - 1
        });
        self.outside(Outside::Extra(index))
    }

    /// The name of an inner computation; `write` gives its result, or the parts of it.
    pub(super) fn region(
        &mut self,
        name: &str,
        parameters: &[ArrayType],
        write: impl FnOnce(&mut Self, &[Value]) -> Result<SmallVec<[Value; 2]>>,
    ) -> Result<String> {
        if self.known_regions.contains(name) {
            return Ok(name.to_owned());
        }
        self.open.push(Computation::default());
        let arguments: Vec<Value> = parameters.iter().map(|ty| self.parameter(ty)).collect();
        let written = write(self, &arguments);
        let body = self.open.pop();
        let (mut body, results) = (body.ok_or_else(unopened)?, written?);
        body.close(&results);
        let _ = write!(self.regions, "{name} {{\n{}}}\n\n", body.text);
        self.known_regions.insert(name.to_owned());
        Ok(name.to_owned())
    }

    /// The text of the module, whose results are a tuple.
    ///
    /// # Errors
    /// An internal error if an inner computation is not closed.
    pub(super) fn finish(self, results: &[Value]) -> Result<String> {
        let Self { regions, open, .. } = self;
        let [mut body] = <[Computation; 1]>::try_from(open).map_err(|_| unopened())?;
        body.root_tuple(results);
        Ok(format!(
            "HloModule autojit\n\n{regions}ENTRY main {{\n{}}}\n",
            body.text
        ))
    }
}

impl Computation {
    /// One whose argument is a tuple of so many elements and what is captured.
    pub(super) fn of_tuple(elements: usize, captured: Vec<(Outside, Value)>) -> Self {
        Self {
            elements,
            captured,
            ..Self::default()
        }
    }

    /// Marks the result.
    pub(super) fn close(&mut self, results: &[Value]) {
        if let [single] = results
            && let Ok(i) = self.starts.binary_search_by_key(&single.number, |s| s.0)
        {
            self.text.insert_str(self.starts[i].1 + 2, "ROOT ");
            return;
        }
        self.root_tuple(results);
    }

    pub(super) fn root_tuple(&mut self, results: &[Value]) {
        let ty = tuple_text(results.iter().map(|v| &v.ty));
        let names = names(&results.iter().collect::<SmallVec<[&Value; 4]>>());
        let _ = writeln!(self.text, "  ROOT results = {ty} tuple({names})");
    }
}

/// The error for computations that are not closed as they were opened.
pub(super) fn unopened() -> Error {
    Error::internal("an inner computation is closed that is not open")
}

/// The type of a tuple.
pub(super) fn tuple_text<'t>(types: impl Iterator<Item = &'t ArrayType>) -> String {
    let types: Vec<String> = types.map(type_text).collect();
    format!("({})", types.join(", "))
}

/// Operands with commas between.
pub(super) fn names(values: &[&Value]) -> String {
    let mut text = String::with_capacity(14 * values.len());
    for (i, value) in values.iter().enumerate() {
        let _ = write!(text, "{}{value}", if i == 0 { "" } else { ", " });
    }
    text
}

/// The number of the instruction that a message of XLA's names, as `%add.12` or `add.12`.
pub(super) fn instruction_in(message: &str) -> Option<u32> {
    message
        .split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')))
        .find_map(|word| {
            let (stem, number) = word.rsplit_once('.')?;
            if stem.is_empty() || stem.chars().all(|c| c.is_ascii_digit()) {
                return None;
            }
            number.parse().ok()
        })
}
