//! Kernels that repeat: a loop of the program whose body is one kernel over one element.
//!
//! The numbers that are carried stay in registers, or on the stack, from one time to the next. Operands in memory that are the
//! same each time are read before the loop. So are literals, but where there are many: in registers they would be in the place
//! of what is carried, so each is then an operand in memory of the instruction that uses it.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{InstBuilder, Value as Clif};
use cranelift_frontend::Variable;
use rustc_hash::FxHashMap;

use super::arithmetic::{Element, Width, component};
use super::{Emitter, constant_memory};
use crate::kernel::{Operation, Repeats};
use autojit_ir::DType;
use autojit_ir::error::{Error, Result};

/// The most literals that are read before the loop, of the sixteen registers or so that processors have for numbers.
const LITERALS: usize = 4;

/// A number that is carried, or its real and imaginary parts.
#[derive(Clone, Copy)]
enum Carried {
    One(Variable),
    Pair(Variable, Variable),
}

impl Emitter<'_, '_, '_> {
    /// Emits all repetitions. Beyond its own the kernel has the parameters that [`Repeats`] names.
    ///
    /// # Errors
    /// An internal error.
    pub(super) fn repeat(&mut self, repeats: &Repeats, pointers: &[Clif]) -> Result<()> {
        let kernel = self.kernel;
        let word = kernel.parameter_words();
        let count = self.parameter(I64, word);
        let steps: Vec<Clif> = (0..repeats.steps)
            .map(|step| self.parameter(I64, word + 1 + step))
            .collect();
        let zero = self.a.builder.ins().iconst(I64, 0);
        let variable = |s: &mut Self, start| {
            let variable = s.a.builder.declare_var(I64);
            s.a.builder.def_var(variable, start);
            variable
        };
        let counter = variable(self, zero);
        let offsets: Vec<Variable> = steps.iter().map(|_| variable(self, zero)).collect();
        let (_, first_literal) = kernel.stride_words();
        let literals = (kernel.literals.len() > LITERALS).then(|| {
            // Cranelift moves what is the same each time before the loop, so the address moves: by nothing, which only those
            // know who call the kernel.
            let still = self.parameter(I64, word + 1 + repeats.steps);
            let variable = self.a.builder.declare_var(I64);
            self.a.builder.def_var(variable, self.parameters);
            (variable, still)
        });
        let mut read: FxHashMap<u16, Carried> = FxHashMap::default();
        let mut written: FxHashMap<u16, Carried> = FxHashMap::default();
        for &(from, to) in &repeats.carried {
            let first = self.load(from.into(), pointers[usize::from(from)], 0, Width::Scalar);
            let part = component(kernel.slots[usize::from(from)].dtype);
            let mut declare = |x| {
                let variable = self.a.builder.declare_var(part);
                self.a.builder.def_var(variable, x);
                variable
            };
            let carried = match first {
                Element::One(x) => Carried::One(declare(x)),
                Element::Pair(re, im) => Carried::Pair(declare(re), declare(im)),
            };
            read.insert(from, carried);
            written.insert(to, carried);
        }
        let mut same: FxHashMap<u16, Element> = FxHashMap::default();
        for (_, operation) in &kernel.before {
            if let Operation::Load { slot } = operation
                && repeats.moves[usize::from(*slot)].is_none()
                && !read.contains_key(slot)
                && !same.contains_key(slot)
            {
                let pointer = pointers[usize::from(*slot)];
                same.insert(*slot, self.load((*slot).into(), pointer, 0, Width::Scalar));
            }
        }
        let (head, exit) = (self.a.builder.create_block(), self.a.builder.create_block());
        self.a.builder.ins().jump(head, &[]);
        self.a.builder.switch_to_block(head);
        let address = |s: &mut Self, slot: u16| {
            let pointer = pointers[usize::from(slot)];
            match repeats.moves[usize::from(slot)] {
                None => pointer,
                Some(step) => {
                    let offset = s.a.builder.use_var(offsets[usize::from(step)]);
                    s.a.builder.ins().iadd(pointer, offset)
                }
            }
        };
        let mut next: Vec<(Carried, Element)> = Vec::new();
        let mut goes_on = None;
        for (value, operation) in &kernel.before {
            let element = match operation {
                Operation::Load { slot } => {
                    if let Some(&carried) = read.get(slot) {
                        self.carried(carried)
                    } else if let Some(&element) = same.get(slot) {
                        element
                    } else {
                        let address = address(self, *slot);
                        self.load((*slot).into(), address, 0, Width::Scalar)
                    }
                }
                Operation::Store { slot, value } => {
                    let element = self.outer_value(*value)?;
                    if repeats.condition == Some(*slot) {
                        goes_on = Some(element);
                    }
                    if let Some(&carried) = written.get(slot) {
                        next.push((carried, element));
                    } else {
                        let address = address(self, *slot);
                        self.store((*slot).into(), address, 0, element, Width::Scalar);
                    }
                    continue;
                }
                Operation::Literal { index } => {
                    let Some((variable, _)) = literals else {
                        continue;
                    };
                    let at = self.a.builder.use_var(variable);
                    self.literal(*index, at, first_literal)
                }
                Operation::Map { op, inputs, dtype } => self.outer_map(*op, inputs, *dtype)?,
                Operation::Reduce { .. } => {
                    return Err(Error::internal("a reduction in a kernel over one element"));
                }
            };
            self.values[usize::from(*value)] = Some(element);
        }
        for (carried, element) in next {
            match (carried, element) {
                (Carried::One(variable), Element::One(x)) => self.a.builder.def_var(variable, x),
                (Carried::Pair(first, second), Element::Pair(re, im)) => {
                    self.a.builder.def_var(first, re);
                    self.a.builder.def_var(second, im);
                }
                _ => return Err(Error::internal("a number is carried as another dtype")),
            }
        }
        for (&variable, &step) in offsets.iter().zip(&steps) {
            let offset = self.a.builder.use_var(variable);
            let offset = self.a.builder.ins().iadd(offset, step);
            self.a.builder.def_var(variable, offset);
        }
        if let Some((variable, still)) = literals {
            let at = self.a.builder.use_var(variable);
            let at = self.a.builder.ins().iadd(at, still);
            self.a.builder.def_var(variable, at);
        }
        let number = self.a.builder.use_var(counter);
        let number = self.a.builder.ins().iadd_imm_s(number, 1);
        self.a.builder.def_var(counter, number);
        let mut more = self
            .a
            .builder
            .ins()
            .icmp(IntCC::SignedLessThan, number, count);
        if repeats.condition.is_some() {
            let Some(Element::One(holds)) = goes_on else {
                return Err(Error::internal("a loop without its condition"));
            };
            let holds = self.a.builder.ins().icmp_imm_u(IntCC::NotEqual, holds, 0);
            more = self.a.builder.ins().band(more, holds);
        }
        self.a.builder.ins().brif(more, head, &[], exit, &[]);
        self.a.builder.switch_to_block(exit);
        for (_, to) in &repeats.carried {
            let element = self.carried(written[to]);
            let pointer = pointers[usize::from(*to)];
            self.store((*to).into(), pointer, 0, element, Width::Scalar);
        }
        Ok(())
    }

    /// A literal among the parameters at an address, where literals begin at a word.
    fn literal(&mut self, index: u16, parameters: Clif, first: usize) -> Element {
        let (before, rest) = self.kernel.literals.split_at(index.into());
        let words = |dtype: &DType| if dtype.is_complex() { 2 } else { 1 };
        let word = first + before.iter().map(words).sum::<usize>();
        let part = component(rest[0]);
        let mut load = |word: usize| {
            let offset = 8 * word as i32;
            let loads = self.a.builder.ins();
            loads.load(part, constant_memory(), parameters, offset)
        };
        let first = load(word);
        if rest[0].is_complex() {
            return Element::Pair(first, load(word + 1));
        }
        Element::One(first)
    }

    fn carried(&mut self, carried: Carried) -> Element {
        match carried {
            Carried::One(x) => Element::One(self.a.builder.use_var(x)),
            Carried::Pair(re, im) => {
                let re = self.a.builder.use_var(re);
                Element::Pair(re, self.a.builder.use_var(im))
            }
        }
    }
}
