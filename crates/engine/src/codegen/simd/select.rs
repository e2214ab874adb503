//! Kernel -> vector kernel: which instructions each op takes.
//!
//! The meaning of ops is in `autojit_ir::semantics`, by primitives that `ops.rs` selects instructions for. What has none falls
//! back to Cranelift, for a reason in words.

mod ops;

use super::super::Fallback;
use super::ir::{
    Binary, Block, Element, Kind, MaskLogic, Predicate, Reduction, Register, Unary, Uniform,
    VectorKernel, VectorOp,
};
use crate::codegen::strip::Phase;
use crate::kernel::{Fold, Kernel, Numbered, Operation};
use autojit_ir::DType;

/// The type of the lanes of a dtype's parts.
pub(super) fn kind(dtype: DType) -> Result<Kind, Fallback> {
    Ok(match dtype {
        DType::Bool => Kind::Mask,
        DType::Uint8 => return Err("uint8 has no lanes"),
        DType::Int8 => return Err("int8 has no lanes"),
        DType::Int16 => return Err("int16 has no lanes"),
        DType::Uint16 => return Err("uint16 has no lanes"),
        DType::Uint32 => return Err("uint32 has no lanes"),
        DType::Int32 => Kind::I32,
        // Moved and converted from and to int64, which keeps the bits.
        DType::Int64 | DType::Uint64 => Kind::I64,
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
    before: &[Phase],
    after: &[Phase],
    is_uniform: &dyn Fn(usize) -> bool,
    calls_outside: bool,
    masks_are_vectors: bool,
) -> Result<VectorKernel, Fallback> {
    let mut selector = Selector {
        kernel,
        out: VectorKernel::default(),
        values: vec![None; kernel.dtypes.len()],
        block: Block::default(),
        calls: false,
    };
    selector.literals()?;
    selector.out.before = selector.phases(before, is_uniform)?;
    selector.calls = calls_outside;
    selector.operations(&kernel.outer, None)?;
    selector.out.outer = std::mem::take(&mut selector.block);
    selector.calls = false;
    selector.out.after = selector.phases(after, is_uniform)?;
    selector.out.finish(masks_are_vectors);
    Ok(selector.out)
}

struct Selector<'a> {
    kernel: &'a Kernel,
    out: VectorKernel,
    values: Vec<Option<Element>>,
    block: Block,
    /// Whether functions may be called for one element.
    calls: bool,
}

const INCOMPLETE: Fallback = "a value is used before it is there";

impl Selector<'_> {
    fn register(&mut self, kind: Kind) -> Register {
        self.out.kinds.push(kind);
        self.out.uniforms.push(None);
        self.out.kinds.len() as Register - 1
    }

    fn uniform(&mut self, source: Uniform, kind: Kind) -> Register {
        let known = (0..self.out.kinds.len())
            .find(|&r| self.out.uniforms[r] == Some(source) && self.out.kinds[r] == kind);
        if let Some(known) = known {
            return known as Register;
        }
        let register = self.register(kind);
        self.out.uniforms[register as usize] = Some(source);
        register
    }

    fn constant(&mut self, number: f64, kind: Kind) -> Register {
        self.uniform(Uniform::Constant(bits(number, kind)), kind)
    }

    fn element(&mut self, dtype: DType) -> Result<Element, Fallback> {
        let kind = kind(dtype)?;
        let first = self.register(kind);
        Ok(if dtype.is_complex() {
            Element::Pair(first, self.register(kind))
        } else {
            Element::One(first)
        })
    }

    fn value(&self, value: u16) -> Result<Element, Fallback> {
        self.values[value as usize].ok_or(INCOMPLETE)
    }

    /// Literals hold everywhere.
    fn literals(&mut self) -> Result<(), Fallback> {
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

    fn phases(
        &mut self,
        phases: &[Phase],
        is_uniform: &dyn Fn(usize) -> bool,
    ) -> Result<Vec<Block>, Fallback> {
        let mut blocks = Vec::with_capacity(phases.len());
        for phase in phases {
            self.operations(&phase.operations, Some(is_uniform))?;
            self.block.calls = phase.calls.clone();
            blocks.push(std::mem::take(&mut self.block));
        }
        Ok(blocks)
    }

    fn push(&mut self, instruction: VectorOp) {
        self.block.instructions.push(instruction);
    }

    fn operations(
        &mut self,
        operations: &[Numbered],
        is_uniform: Option<&dyn Fn(usize) -> bool>,
    ) -> Result<(), Fallback> {
        for (number, operation) in operations {
            let element = match operation {
                Operation::Literal { .. } => continue,
                Operation::Load { slot } => {
                    let dtype = self.kernel.slots[*slot as usize].dtype;
                    if is_uniform.is_some_and(|f| f(*slot as usize)) {
                        self.uniform_slot(*slot, dtype)?
                    } else {
                        let to = self.element(dtype)?;
                        self.push(VectorOp::Load { slot: *slot, to });
                        to
                    }
                }
                Operation::Store { slot, value } => {
                    let from = self.value(*value)?;
                    self.push(VectorOp::Store { slot: *slot, from });
                    continue;
                }
                Operation::Reduce { op, input } => {
                    let from = self.value(*input)?;
                    let dtype = self.kernel.dtypes[*number as usize];
                    let result = self.element(dtype)?;
                    if dtype.is_complex() && matches!(op, Fold::Max | Fold::Min) {
                        return Err("complex numbers are compared one by one");
                    }
                    let kind = kind(dtype)?;
                    let op = match (op, kind) {
                        (Fold::Max, Kind::Mask) => Fold::Any,
                        (Fold::Min, Kind::Mask) => Fold::All,
                        (op, _) => *op,
                    };
                    let is_logical = matches!(op, Fold::Any | Fold::All);
                    if is_logical != (kind == Kind::Mask) {
                        return Err("this reduction has no instructions for its dtype");
                    }
                    let reduction = self.out.reductions.len();
                    self.out.reductions.push(Reduction { op, kind, result });
                    self.push(VectorOp::Reduce { reduction, from });
                    result
                }
                Operation::Map { op, inputs, dtype } => {
                    let x = inputs
                        .iter()
                        .map(|&i| self.value(i))
                        .collect::<Result<smallvec::SmallVec<[Element; 3]>, Fallback>>()?;
                    let dtypes: smallvec::SmallVec<[DType; 3]> = inputs
                        .iter()
                        .map(|&i| self.kernel.dtypes[i as usize])
                        .collect();
                    self.map(*op, &x, &dtypes, *dtype)?
                }
            };
            self.values[*number as usize] = Some(element);
        }
        Ok(())
    }

    fn uniform_slot(&mut self, slot: u16, dtype: DType) -> Result<Element, Fallback> {
        let kind = kind(dtype)?;
        let mut part = |part| self.uniform(Uniform::Slot { slot, part }, kind);
        Ok(if dtype.is_complex() {
            Element::Pair(part(0), part(1))
        } else {
            Element::One(part(0))
        })
    }

    // ---- instructions ----

    fn double(&mut self, op: Binary, a: Register, b: Register) -> Register {
        let to = self.register(self.out.kind(a));
        // Uniform operands may be read from memory as the second one.
        let is_uniform = |r: Register| self.out.uniforms[r as usize].is_some();
        let (a, b) = if op.commutes() && is_uniform(a) && !is_uniform(b) {
            (b, a)
        } else {
            (a, b)
        };
        self.push(VectorOp::Binary { op, to, a, b });
        to
    }

    fn single(&mut self, op: Unary, from: Register) -> Register {
        let to = self.register(self.out.kind(from));
        self.push(VectorOp::Unary { op, to, from });
        to
    }

    fn comparison(&mut self, predicate: Predicate, a: Register, b: Register) -> Register {
        let to = self.register(Kind::Mask);
        self.push(VectorOp::Compare {
            predicate,
            to,
            a,
            b,
        });
        to
    }

    fn masks(&mut self, op: MaskLogic, a: Register, b: Register) -> Register {
        let to = self.register(Kind::Mask);
        self.push(VectorOp::Logic { op, to, a, b });
        to
    }

    fn opposite(&mut self, from: Register) -> Register {
        let to = self.register(Kind::Mask);
        self.push(VectorOp::Not { to, from });
        to
    }

    fn choice(&mut self, mask: Register, a: Register, b: Register) -> Register {
        if self.out.kind(a) == Kind::Mask {
            let (chosen, rest) = (
                self.masks(MaskLogic::And, mask, a),
                self.masks(MaskLogic::AndNot, mask, b),
            );
            return self.masks(MaskLogic::Or, chosen, rest);
        }
        let to = self.register(self.out.kind(a));
        self.push(VectorOp::Select { to, mask, a, b });
        to
    }

    fn conversion(&mut self, from: Register, to: Kind) -> Register {
        let kind = self.out.kind(from);
        if kind == to {
            return from;
        }
        match (kind, to) {
            (Kind::Mask, _) => {
                let (one, zero) = (self.constant(1.0, to), self.constant(0.0, to));
                self.choice(from, one, zero)
            }
            (_, Kind::Mask) => {
                let zero = self.constant(0.0, kind);
                self.comparison(Predicate::NotEqual, from, zero)
            }
            _ => {
                let register = self.register(to);
                self.push(VectorOp::Convert { to: register, from });
                register
            }
        }
    }

    /// `x` with its sign bit changed.
    fn negated(&mut self, x: Register) -> Register {
        let kind = self.out.kind(x);
        if kind.is_float() {
            let sign = self.constant(-0.0, kind);
            self.double(Binary::Xor, x, sign)
        } else {
            let zero = self.constant(0.0, kind);
            self.double(Binary::Subtract, zero, x)
        }
    }

    fn magnitude(&mut self, x: Register) -> Register {
        let kind = self.out.kind(x);
        let sign = self.constant(-0.0, kind);
        // The second operand without the bits of the first.
        let to = self.register(kind);
        self.push(VectorOp::Binary {
            op: Binary::AndNot,
            to,
            a: sign,
            b: x,
        });
        to
    }
}
