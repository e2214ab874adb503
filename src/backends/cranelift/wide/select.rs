//! Kernel -> vector program: which instructions each op takes.
//!
//! The semantics are those of `arithmetic/`, which are those of the reference interpreter. What has no instructions here
//! is refused, in words, and Cranelift makes the kernel.

use super::Refusal;
use super::instructions::{Binary, Kind, MaskLogic, Predicate, Rounding, Unary};
use super::program::{Element, Instruction, Program, Reduction, Register, Section, Uniform};
use crate::backends::cranelift::kernel::{Kernel, Numbered, Operation, ReduceOp};
use crate::backends::cranelift::link;
use crate::backends::cranelift::stage::{self, Stage};
use crate::ir::{Class, DType, Op};

/// What the lanes of a dtype's parts are.
pub(super) fn kind(dtype: DType) -> Result<Kind, Refusal> {
    Ok(match dtype {
        DType::Bool => Kind::Mask,
        DType::Uint8 => return Err("uint8 has no lanes"),
        DType::Int32 => Kind::I32,
        DType::Int64 => Kind::I64,
        DType::Float32 | DType::Complex64 => Kind::F32,
        DType::Float64 | DType::Complex128 => Kind::F64,
    })
}

/// Bits of a number in a lane of this kind, 32-bit ones twice.
pub(super) fn bits(number: f64, kind: Kind) -> u64 {
    let twice = |bits: u32| u64::from(bits) << 32 | u64::from(bits);
    match kind {
        Kind::F64 => number.to_bits(),
        Kind::F32 => twice((number as f32).to_bits()),
        Kind::I64 => number as i64 as u64,
        Kind::I32 => twice(number as i32 as u32),
        Kind::Mask => u64::from(number != 0.0),
    }
}

/// Selects the instructions of a kernel. `is_uniform` tells for a slot whether its loads in the inner loops are the same
/// for a whole run of the innermost loop.
///
/// # Errors
/// An op or a dtype has no instructions here.
pub(super) fn select(
    kernel: &Kernel,
    before: &[Stage],
    after: &[Stage],
    is_uniform: &dyn Fn(usize) -> bool,
    calls_outside: bool,
) -> Result<Program, Refusal> {
    let mut selector = Selector {
        kernel,
        program: Program::default(),
        values: vec![None; kernel.dtypes.len()],
        section: Section::default(),
        calls: false,
    };
    selector.literals()?;
    selector.program.before = selector.stages(before, is_uniform)?;
    selector.calls = calls_outside;
    selector.operations(&kernel.outer, None)?;
    selector.program.outer = std::mem::take(&mut selector.section);
    selector.calls = false;
    selector.program.after = selector.stages(after, is_uniform)?;
    selector.program.finish();
    Ok(selector.program)
}

struct Selector<'a> {
    kernel: &'a Kernel,
    program: Program,
    values: Vec<Option<Element>>,
    section: Section,
    /// Whether functions may be called for one element.
    calls: bool,
}

const INCOMPLETE: Refusal = "a value is used before it is there";

impl Selector<'_> {
    fn register(&mut self, kind: Kind) -> Register {
        self.program.kinds.push(kind);
        self.program.uniforms.push(None);
        self.program.kinds.len() as Register - 1
    }

    fn uniform(&mut self, source: Uniform, kind: Kind) -> Register {
        let known = (0..self.program.kinds.len())
            .find(|&r| self.program.uniforms[r] == Some(source) && self.program.kinds[r] == kind);
        if let Some(known) = known {
            return known as Register;
        }
        let register = self.register(kind);
        self.program.uniforms[register as usize] = Some(source);
        register
    }

    fn number(&mut self, number: f64, kind: Kind) -> Register {
        self.uniform(Uniform::Constant(bits(number, kind)), kind)
    }

    fn element(&mut self, dtype: DType) -> Result<Element, Refusal> {
        let kind = kind(dtype)?;
        let first = self.register(kind);
        Ok(if dtype.is_complex() {
            Element::Pair(first, self.register(kind))
        } else {
            Element::One(first)
        })
    }

    fn value(&self, value: u16) -> Result<Element, Refusal> {
        self.values[value as usize].ok_or(INCOMPLETE)
    }

    /// Literals hold everywhere.
    fn literals(&mut self) -> Result<(), Refusal> {
        let kernel = self.kernel;
        let mut word = kernel.stride_words().1 as u16;
        let mut elements = Vec::with_capacity(kernel.literals.len());
        for &dtype in &kernel.literals {
            // Kernels keep the literals of ops that were folded away, of any dtype.
            let kind = kind(dtype).unwrap_or(Kind::I64);
            let first = self.uniform(Uniform::Parameter(word), kind);
            word += 1;
            elements.push(if dtype.is_complex() {
                word += 1;
                Element::Pair(first, self.uniform(Uniform::Parameter(word - 1), kind))
            } else {
                Element::One(first)
            });
        }
        for operations in [&kernel.before, &kernel.outer, &kernel.after] {
            for (value, operation) in operations {
                if let Operation::Literal { index } = operation {
                    kind(kernel.literals[*index as usize])?;
                    self.values[*value as usize] = Some(elements[*index as usize]);
                }
            }
        }
        Ok(())
    }

    fn stages(
        &mut self,
        stages: &[Stage],
        is_uniform: &dyn Fn(usize) -> bool,
    ) -> Result<Vec<Section>, Refusal> {
        let mut sections = Vec::with_capacity(stages.len());
        for stage in stages {
            self.operations(&stage.operations, Some(is_uniform))?;
            self.section.calls = stage.calls.clone();
            sections.push(std::mem::take(&mut self.section));
        }
        Ok(sections)
    }

    fn push(&mut self, instruction: Instruction) {
        self.section.instructions.push(instruction);
    }

    fn operations(
        &mut self,
        operations: &[Numbered],
        is_uniform: Option<&dyn Fn(usize) -> bool>,
    ) -> Result<(), Refusal> {
        for (number, operation) in operations {
            let element = match operation {
                Operation::Literal { .. } => continue,
                Operation::Load { slot } => {
                    let dtype = self.kernel.slots[*slot as usize].dtype;
                    if is_uniform.is_some_and(|f| f(*slot as usize)) {
                        self.uniform_slot(*slot, dtype)?
                    } else {
                        let to = self.element(dtype)?;
                        self.push(Instruction::Load { slot: *slot, to });
                        to
                    }
                }
                Operation::Store { slot, value } => {
                    let from = self.value(*value)?;
                    self.push(Instruction::Store { slot: *slot, from });
                    continue;
                }
                Operation::Reduce { op, input } => {
                    let from = self.value(*input)?;
                    let dtype = self.kernel.dtypes[*number as usize];
                    let result = self.element(dtype)?;
                    if dtype.is_complex() && matches!(op, ReduceOp::Max | ReduceOp::Min) {
                        return Err("complex numbers are compared one by one");
                    }
                    let kind = kind(dtype)?;
                    let op = match (op, kind) {
                        (ReduceOp::Max, Kind::Mask) => ReduceOp::Any,
                        (ReduceOp::Min, Kind::Mask) => ReduceOp::All,
                        (op, _) => *op,
                    };
                    let is_logical = matches!(op, ReduceOp::Any | ReduceOp::All);
                    if is_logical != (kind == Kind::Mask) {
                        return Err("this reduction has no instructions for its dtype");
                    }
                    let reduction = self.program.reductions.len();
                    self.program.reductions.push(Reduction { op, kind, result });
                    self.push(Instruction::Reduce { reduction, from });
                    result
                }
                Operation::Map { op, inputs, dtype } => {
                    let x = inputs
                        .iter()
                        .map(|&i| self.value(i))
                        .collect::<Result<smallvec::SmallVec<[Element; 3]>, Refusal>>()?;
                    let dtypes: smallvec::SmallVec<[DType; 3]> = inputs
                        .iter()
                        .map(|&i| self.kernel.dtypes[i as usize])
                        .collect();
                    self.map(op, &x, &dtypes, *dtype)?
                }
            };
            self.values[*number as usize] = Some(element);
        }
        Ok(())
    }

    fn uniform_slot(&mut self, slot: u16, dtype: DType) -> Result<Element, Refusal> {
        let kind = kind(dtype)?;
        let mut part = |part| self.uniform(Uniform::Slot { slot, part }, kind);
        Ok(if dtype.is_complex() {
            Element::Pair(part(0), part(1))
        } else {
            Element::One(part(0))
        })
    }

    // ---- instructions ----

    fn binary(&mut self, op: Binary, a: Register, b: Register) -> Register {
        let to = self.register(self.program.kind(a));
        // Uniform operands may be read from memory as the second one.
        let is_uniform = |r: Register| self.program.uniforms[r as usize].is_some();
        let (a, b) = if op.commutes() && is_uniform(a) && !is_uniform(b) {
            (b, a)
        } else {
            (a, b)
        };
        self.push(Instruction::Binary { op, to, a, b });
        to
    }

    fn unary(&mut self, op: Unary, from: Register) -> Register {
        let to = self.register(self.program.kind(from));
        self.push(Instruction::Unary { op, to, from });
        to
    }

    fn compare(&mut self, predicate: Predicate, a: Register, b: Register) -> Register {
        let to = self.register(Kind::Mask);
        self.push(Instruction::Compare {
            predicate,
            to,
            a,
            b,
        });
        to
    }

    fn logic(&mut self, op: MaskLogic, a: Register, b: Register) -> Register {
        let to = self.register(Kind::Mask);
        self.push(Instruction::Logic { op, to, a, b });
        to
    }

    fn not(&mut self, from: Register) -> Register {
        let to = self.register(Kind::Mask);
        self.push(Instruction::Not { to, from });
        to
    }

    fn select(&mut self, mask: Register, a: Register, b: Register) -> Register {
        if self.program.kind(a) == Kind::Mask {
            let (chosen, rest) = (
                self.logic(MaskLogic::And, mask, a),
                self.logic(MaskLogic::AndNot, mask, b),
            );
            return self.logic(MaskLogic::Or, chosen, rest);
        }
        let to = self.register(self.program.kind(a));
        self.push(Instruction::Select { to, mask, a, b });
        to
    }

    fn convert(&mut self, from: Register, to: Kind) -> Register {
        let kind = self.program.kind(from);
        if kind == to {
            return from;
        }
        match (kind, to) {
            (Kind::Mask, _) => {
                let (one, zero) = (self.number(1.0, to), self.number(0.0, to));
                self.select(from, one, zero)
            }
            (_, Kind::Mask) => {
                let zero = self.number(0.0, kind);
                self.compare(Predicate::NotEqual, from, zero)
            }
            _ => {
                let register = self.register(to);
                self.push(Instruction::Convert { to: register, from });
                register
            }
        }
    }

    /// `x` with its sign bit changed.
    fn negated(&mut self, x: Register) -> Register {
        let kind = self.program.kind(x);
        if kind.is_float() {
            let sign = self.number(-0.0, kind);
            self.binary(Binary::Xor, x, sign)
        } else {
            let zero = self.number(0.0, kind);
            self.binary(Binary::Subtract, zero, x)
        }
    }

    fn magnitude(&mut self, x: Register) -> Register {
        let kind = self.program.kind(x);
        let sign = self.number(-0.0, kind);
        // The second operand without the bits of the first.
        let to = self.register(kind);
        self.push(Instruction::Binary {
            op: Binary::AndNot,
            to,
            a: sign,
            b: x,
        });
        to
    }

    // ---- ops ----

    fn zip(&mut self, op: Binary, x: Element, y: Element) -> Element {
        match (x, y) {
            (Element::Pair(a, b), Element::Pair(c, d)) => {
                Element::Pair(self.binary(op, a, c), self.binary(op, b, d))
            }
            (x, y) => Element::One(self.binary(op, x.first(), y.first())),
        }
    }

    fn each(&mut self, x: Element, f: impl Fn(&mut Self, Register) -> Register) -> Element {
        match x {
            Element::One(x) => Element::One(f(self, x)),
            Element::Pair(re, im) => {
                let re = f(self, re);
                Element::Pair(re, f(self, im))
            }
        }
    }

    fn map(
        &mut self,
        op: &Op,
        x: &[Element],
        dtypes: &[DType],
        result: DType,
    ) -> Result<Element, Refusal> {
        const NO_INSTRUCTIONS: Refusal = "an op has no instructions";
        let (Some(&first), Some(&dtype)) = (x.first(), dtypes.last()) else {
            return Err(NO_INSTRUCTIONS);
        };
        for dtype in dtypes.iter().chain([&result]) {
            kind(*dtype)?;
        }
        let class = dtype.class();
        let one = first.first();
        let second = x.get(1).copied().unwrap_or(first);
        let two = second.first();
        let is_number = class >= Class::Integer;
        let is_real = matches!(class, Class::Integer | Class::Float);
        Ok(match op {
            Op::Astype { .. } => self.astype(first, dtypes[0], result)?,
            Op::Where => match (x[1], x[2]) {
                (Element::Pair(a, b), Element::Pair(c, d)) => {
                    Element::Pair(self.select(one, a, c), self.select(one, b, d))
                }
                (a, b) => Element::One(self.select(one, a.first(), b.first())),
            },
            Op::Negative if is_number => self.each(first, Self::negated),
            Op::Conj => match first {
                Element::Pair(re, im) => Element::Pair(re, self.negated(im)),
                same @ Element::One(_) => same,
            },
            Op::Real => Element::One(one),
            Op::Imag => match first {
                Element::Pair(_, im) => Element::One(im),
                Element::One(_) => Element::One(self.number(0.0, kind(result)?)),
            },
            Op::Absolute => match class {
                Class::Complex => return Err("the modulus of complex numbers is a function call"),
                Class::Float => Element::One(self.magnitude(one)),
                Class::Integer => Element::One(self.unary(Unary::Absolute, one)),
                Class::Bool => first,
            },
            Op::Sign if is_real => Element::One(self.sign(one)),
            Op::Sqrt if class == Class::Float => Element::One(self.unary(Unary::SquareRoot, one)),
            Op::Add if is_number => self.zip(Binary::Add, first, second),
            Op::Add | Op::LogicalOr => Element::One(self.logic(MaskLogic::Or, one, two)),
            Op::Multiply if class == Class::Bool => {
                Element::One(self.logic(MaskLogic::And, one, two))
            }
            Op::LogicalAnd => Element::One(self.logic(MaskLogic::And, one, two)),
            Op::LogicalNot => Element::One(self.not(one)),
            Op::Subtract if is_number => self.zip(Binary::Subtract, first, second),
            Op::Multiply => self.multiply(first, second),
            Op::Divide if class == Class::Float => {
                Element::One(self.binary(Binary::Divide, one, two))
            }
            Op::Divide if class == Class::Complex => self.divide(first, second),
            Op::Maximum | Op::Minimum if class != Class::Complex => {
                Element::One(self.extremum(*op == Op::Maximum, one, two))
            }
            Op::Equal | Op::NotEqual => {
                let equal = self.equal(first, second);
                Element::One(if *op == Op::Equal {
                    equal
                } else {
                    self.not(equal)
                })
            }
            Op::Less | Op::LessEqual => Element::One(self.ordered(op, first, second)),
            Op::Floor | Op::Ceil | Op::Trunc if class < Class::Float => first,
            Op::Floor if class == Class::Float => Element::One(self.rounded(Rounding::Down, one)),
            Op::Ceil if class == Class::Float => Element::One(self.rounded(Rounding::Up, one)),
            Op::Trunc if class == Class::Float => {
                Element::One(self.rounded(Rounding::TowardsZero, one))
            }
            Op::Rint if class >= Class::Float => {
                self.each(first, |s, x| s.rounded(Rounding::NearestEven, x))
            }
            Op::Copysign => {
                let magnitude = self.magnitude(one);
                let sign = self.number(-0.0, self.program.kind(one));
                let sign = self.binary(Binary::And, two, sign);
                Element::One(self.binary(Binary::Or, magnitude, sign))
            }
            Op::Invert if class == Class::Bool => Element::One(self.not(one)),
            Op::Invert => {
                let ones = self.number(-1.0, self.program.kind(one));
                Element::One(self.binary(Binary::Xor, one, ones))
            }
            Op::BitwiseAnd | Op::BitwiseOr | Op::BitwiseXor => {
                let (logic, binary) = match op {
                    Op::BitwiseAnd => (MaskLogic::And, Binary::And),
                    Op::BitwiseOr => (MaskLogic::Or, Binary::Or),
                    _ => (MaskLogic::Xor, Binary::Xor),
                };
                Element::One(if class == Class::Bool {
                    self.logic(logic, one, two)
                } else {
                    self.binary(binary, one, two)
                })
            }
            _ => {
                let function = stage::wide(op, dtype).filter(|_| self.calls);
                let function = function.and_then(|symbol| link::runtime_function(&symbol));
                let function = function.ok_or(NO_INSTRUCTIONS)?;
                let to = self.register(kind(result)?);
                let from = x.iter().map(|e| e.first()).collect();
                self.push(Instruction::Call { function, to, from });
                Element::One(to)
            }
        })
    }

    fn rounded(&mut self, rounding: Rounding, x: Register) -> Register {
        self.unary(Unary::Round(rounding), x)
    }

    fn multiply(&mut self, x: Element, y: Element) -> Element {
        let (Element::Pair(a, b), Element::Pair(c, d)) = (x, y) else {
            return self.zip(Binary::Multiply, x, y);
        };
        let (ac, bd) = (
            self.binary(Binary::Multiply, a, c),
            self.binary(Binary::Multiply, b, d),
        );
        let re = self.binary(Binary::Subtract, ac, bd);
        let (ad, bc) = (
            self.binary(Binary::Multiply, a, d),
            self.binary(Binary::Multiply, b, c),
        );
        Element::Pair(re, self.binary(Binary::Add, ad, bc))
    }

    /// The same steps as the runtime's division, with both of its branches by selection: the larger part of the
    /// divisor divides the smaller one.
    fn divide(&mut self, x: Element, y: Element) -> Element {
        let (Element::Pair(a, b), Element::Pair(c, d)) = (x, y) else {
            return self.zip(Binary::Divide, x, y);
        };
        let kind = self.program.kind(a);
        let (c_size, d_size) = (self.magnitude(c), self.magnitude(d));
        let real_is_larger = self.compare(Predicate::LessEqual, d_size, c_size);
        let (large, small) = (
            self.select(real_is_larger, c, d),
            self.select(real_is_larger, d, c),
        );
        let (p, q) = (
            self.select(real_is_larger, a, b),
            self.select(real_is_larger, b, a),
        );
        let ratio = self.binary(Binary::Divide, small, large);
        let part = self.binary(Binary::Multiply, small, ratio);
        let divisor = self.binary(Binary::Add, large, part);
        let one = self.number(1.0, kind);
        let scale = self.binary(Binary::Divide, one, divisor);
        let q_part = self.binary(Binary::Multiply, q, ratio);
        let re = self.binary(Binary::Add, p, q_part);
        let re = self.binary(Binary::Multiply, re, scale);
        let p_part = self.binary(Binary::Multiply, p, ratio);
        // b - a * ratio, or b * ratio - a.
        let (minuend, subtrahend) = (
            self.select(real_is_larger, q, p_part),
            self.select(real_is_larger, p_part, q),
        );
        let im = self.binary(Binary::Subtract, minuend, subtrahend);
        let im = self.binary(Binary::Multiply, im, scale);
        // By zero.
        let zero = self.number(0.0, kind);
        let both = self.binary(Binary::Or, c_size, d_size);
        let by_zero = self.compare(Predicate::Equal, both, zero);
        let (re_limit, im_limit) = (
            self.binary(Binary::Divide, a, zero),
            self.binary(Binary::Divide, b, zero),
        );
        Element::Pair(
            self.select(by_zero, re_limit, re),
            self.select(by_zero, im_limit, im),
        )
    }

    fn sign(&mut self, x: Register) -> Register {
        let kind = self.program.kind(x);
        let (zero, one, minus_one) = (
            self.number(0.0, kind),
            self.number(1.0, kind),
            self.number(-1.0, kind),
        );
        let above = self.compare(Predicate::Less, zero, x);
        let below = self.compare(Predicate::Less, x, zero);
        let rest = if kind.is_float() {
            let equal = self.compare(Predicate::Equal, x, zero);
            // What is left is NaN.
            self.select(equal, zero, x)
        } else {
            zero
        };
        let rest = self.select(below, minus_one, rest);
        self.select(above, one, rest)
    }

    /// The first operand where it wins, ties, or is NaN.
    fn extremum(&mut self, largest: bool, x: Register, y: Register) -> Register {
        let kind = self.program.kind(x);
        if kind == Kind::Mask {
            let op = if largest {
                MaskLogic::Or
            } else {
                MaskLogic::And
            };
            return self.logic(op, x, y);
        }
        if !kind.is_float() {
            let op = if largest {
                Binary::Maximum
            } else {
                Binary::Minimum
            };
            return self.binary(op, x, y);
        }
        let (low, high) = if largest { (y, x) } else { (x, y) };
        let loses = self.compare(Predicate::NotLessEqual, low, high);
        let counts = self.compare(Predicate::Ordered, x, x);
        let take_second = self.logic(MaskLogic::And, loses, counts);
        self.select(take_second, y, x)
    }

    fn equal(&mut self, x: Element, y: Element) -> Register {
        let (a, b) = (x.first(), y.first());
        if self.program.kind(a) == Kind::Mask {
            return self.logic(MaskLogic::NotXor, a, b);
        }
        let equal = self.compare(Predicate::Equal, a, b);
        let (Element::Pair(_, c), Element::Pair(_, d)) = (x, y) else {
            return equal;
        };
        let too = self.compare(Predicate::Equal, c, d);
        self.logic(MaskLogic::And, equal, too)
    }

    /// Complex numbers compare by real, then imaginary part; a NaN makes it false.
    fn ordered(&mut self, op: &Op, x: Element, y: Element) -> Register {
        let predicate = if *op == Op::Less {
            Predicate::Less
        } else {
            Predicate::LessEqual
        };
        let (a, c) = (x.first(), y.first());
        if self.program.kind(a) == Kind::Mask {
            // Not the first and the second, or their opposite.
            return if *op == Op::Less {
                self.logic(MaskLogic::AndNot, a, c)
            } else {
                let above = self.logic(MaskLogic::AndNot, c, a);
                self.not(above)
            };
        }
        let (Element::Pair(_, b), Element::Pair(_, d)) = (x, y) else {
            return self.compare(predicate, a, c);
        };
        let equal = self.compare(Predicate::Equal, a, c);
        let below = self.compare(predicate, b, d);
        let tie = self.logic(MaskLogic::And, equal, below);
        let less = self.compare(Predicate::Less, a, c);
        let counts = self.compare(Predicate::Ordered, b, d);
        let strict = self.logic(MaskLogic::And, less, counts);
        self.logic(MaskLogic::Or, strict, tie)
    }

    fn astype(&mut self, x: Element, from: DType, to: DType) -> Result<Element, Refusal> {
        if from == to {
            return Ok(x);
        }
        let target = kind(to)?;
        if to == DType::Bool {
            let mut truth = self.convert(x.first(), Kind::Mask);
            if let Element::Pair(_, im) = x {
                let im = self.convert(im, Kind::Mask);
                truth = self.logic(MaskLogic::Or, truth, im);
            }
            return Ok(Element::One(truth));
        }
        let re = self.convert(x.first(), target);
        Ok(match (to.is_complex(), x) {
            (true, Element::Pair(_, im)) => Element::Pair(re, self.convert(im, target)),
            (true, Element::One(_)) => Element::Pair(re, self.number(0.0, target)),
            (false, _) => Element::One(re),
        })
    }
}
