//! Running totals of reductions: where they start, how partial sums are added to them, what is stored at the end.

use cranelift_codegen::ir::InstBuilder;
use cranelift_codegen::ir::condcodes::FloatCC;
use cranelift_frontend::Variable;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::arithmetic::{Element, Width, component};
use super::{Emitter, Inner, Total, reductions};
use crate::codegen::strip::Phase;
use crate::kernel::{Fold, Value};
use autojit_ir::error::Result;
use autojit_ir::{DType, Literal, MapOp, Scalar};

impl<'a> Emitter<'a, '_, '_> {
    pub(super) fn reductions(&self) -> Vec<(Value, Fold)> {
        reductions(&self.kernel.before)
    }

    /// The value that a reduction starts from.
    pub(super) fn identity(&mut self, op: Fold, dtype: DType, width: Width) -> Element {
        let infinity = f64::INFINITY;
        let part = match (op, dtype.is_float() || dtype.is_complex()) {
            // Sums start at +0, as NumPy's do: the sum of negative zeros is +0.
            (Fold::Sum | Fold::Any, _) => self.a.number(0.0, dtype, width),
            (Fold::Prod | Fold::All, _) => self.a.number(1.0, dtype, width),
            (Fold::Max, true) => self.a.number(-infinity, dtype, width),
            (Fold::Min, true) => self.a.number(infinity, dtype, width),
            (Fold::Max | Fold::Min, false) => {
                let literal = extreme_integer(dtype, op == Fold::Min);
                self.a.builder.ins().iconst(component(dtype), literal)
            }
        };
        if !dtype.is_complex() {
            return Element::One(part);
        }
        if op == Fold::Prod {
            return Element::Pair(part, self.a.number(0.0, dtype, width));
        }
        Element::Pair(part, part)
    }

    pub(super) fn start_totals(&mut self, before: &'a [Phase]) -> Result<()> {
        let compensated = !self.kernel.short && before.iter().any(|phase| !phase.is_empty());
        for (value, op) in self.reductions() {
            let dtype = self.kernel.dtypes[value as usize];
            let identity = self.identity(op, dtype, Width::Scalar);
            let floating = dtype.is_float() || dtype.is_complex();
            let parts = self.define(identity);
            let compensation = if op == Fold::Sum && floating && compensated {
                let zero = self.a.number(0.0, dtype, Width::Scalar);
                self.define(identity.map(|_| zero))
            } else {
                SmallVec::new()
            };
            self.totals.insert(
                value,
                Total {
                    parts,
                    compensation,
                },
            );
        }
        Ok(())
    }

    /// Adds the result of a block to the running total.
    pub(super) fn add_to_total(&mut self, value: Value, op: Fold, block: Element) {
        let dtype = self.kernel.dtypes[value as usize];
        let Some(total) = self.totals.get(&value).cloned() else {
            return;
        };
        if op == Fold::Prod {
            return self.write(&total.parts, block);
        }
        let so_far = self.read(&total.parts);
        if total.compensation.is_empty() {
            let combined = self.combine(op, so_far, block, dtype, Width::Scalar);
            self.write(&total.parts, combined);
            return;
        }
        for ((&sum, &compensation), x) in total
            .parts
            .iter()
            .zip(&total.compensation)
            .zip(block.parts())
        {
            let b = &mut *self.a.builder;
            let (a, c) = (b.use_var(sum), b.use_var(compensation));
            // The rounding error of a + x, exactly (Knuth's two-sum).
            let s = b.ins().fadd(a, x);
            let x_part = b.ins().fsub(s, a);
            let a_part = b.ins().fsub(s, x_part);
            let x_error = b.ins().fsub(x, x_part);
            let a_error = b.ins().fsub(a, a_part);
            let error = b.ins().fadd(a_error, x_error);
            let c = b.ins().fadd(c, error);
            b.def_var(sum, s);
            b.def_var(compensation, c);
        }
    }

    pub(super) fn read(&mut self, variables: &[Variable]) -> Element {
        match *variables {
            [re, im] => Element::Pair(self.a.builder.use_var(re), self.a.builder.use_var(im)),
            _ => Element::One(self.a.builder.use_var(variables[0])),
        }
    }

    pub(super) fn write(&mut self, variables: &[Variable], element: Element) {
        for (&variable, part) in variables.iter().zip(element.parts()) {
            self.a.builder.def_var(variable, part);
        }
    }

    /// The totals become values that the outer part can use.
    pub(super) fn finish_totals(&mut self) {
        for (value, _) in self.reductions() {
            let Some(total) = self.totals.get(&value).cloned() else {
                continue;
            };
            let sum = self.read(&total.parts);
            let result = if total.compensation.is_empty() {
                sum
            } else {
                let compensation = self.read(&total.compensation);
                sum.zip(compensation, |s, c| {
                    // An infinite sum has no error to add: its compensation is NaN.
                    let b = &mut *self.a.builder;
                    let corrected = b.ins().fadd(s, c);
                    let zero = if b.func.dfg.value_type(c) == component(DType::Float64) {
                        b.ins().f64const(0.0)
                    } else {
                        b.ins().f32const(0.0)
                    };
                    let useful = b.ins().fcmp(FloatCC::OrderedNotEqual, c, zero);
                    b.ins().select(useful, corrected, s)
                })
            };
            self.values[value as usize] = Some(result);
        }
    }

    pub(super) fn combine(
        &mut self,
        op: Fold,
        x: Element,
        y: Element,
        dtype: DType,
        width: Width,
    ) -> Element {
        let op = match op {
            Fold::Sum => MapOp::Add,
            Fold::Prod => MapOp::Multiply,
            // NaN stays, and zeros are ordered by sign, so that partial results may be combined in any order.
            Fold::Max if dtype.is_float() => {
                return x.zip(y, |x, y| self.a.builder.ins().fmax(x, y));
            }
            Fold::Min if dtype.is_float() => {
                return x.zip(y, |x, y| self.a.builder.ins().fmin(x, y));
            }
            Fold::Max => MapOp::Maximum,
            Fold::Min => MapOp::Minimum,
            Fold::Any => MapOp::LogicalOr,
            Fold::All => MapOp::LogicalAnd,
        };
        // These ops cannot fail: they are plain arithmetic.
        self.a
            .op(op, &[x, y], &[dtype, dtype], dtype, width)
            .unwrap_or(x)
    }

    /// The lanes combined into one element.
    pub(super) fn combine_lanes(
        &mut self,
        op: Fold,
        x: Element,
        dtype: DType,
        width: Width,
    ) -> Element {
        let mut lanes: Vec<Element> = (0..width.count())
            .map(|i| x.map(|v| self.a.builder.ins().extractlane(v, i as u8)))
            .collect();
        while lanes.len() > 1 {
            let half = lanes.len() / 2;
            lanes = (0..half)
                .map(|i| self.combine(op, lanes[i], lanes[i + half], dtype, Width::Scalar))
                .collect();
        }
        lanes[0]
    }

    /// Variables for the partial results of each reduction, one set per unrolled step.
    pub(super) fn partials(&mut self, inner: &Inner<'_>, width: Width, unroll: i64) -> Partials {
        let mut partials = Partials::default();
        for &(value, op) in &inner.reductions {
            if self.is_in_lanes(value, op) {
                continue;
            }
            let dtype = self.kernel.dtypes[value as usize];
            let first = match (op, self.totals.get(&value).cloned()) {
                // Products go on from the total, in order: another unit would make NaN of complex infinities.
                (Fold::Prod, Some(total)) => self.read(&total.parts),
                _ => self.identity(op, dtype, width),
            };
            let sets = (0..unroll).map(|_| self.define(first)).collect();
            partials.insert(value, sets);
        }
        partials
    }

    pub(super) fn define(&mut self, element: Element) -> SmallVec<[Variable; 2]> {
        let builder = &mut *self.a.builder;
        let define = |x| {
            let ty = builder.func.dfg.value_type(x);
            let variable = builder.declare_var(ty);
            builder.def_var(variable, x);
            variable
        };
        element.parts().into_iter().map(define).collect()
    }

    /// All partial results of a reduction combined into one element.
    pub(super) fn combine_partials(
        &mut self,
        inner: &Inner<'_>,
        partials: &Partials,
        width: Width,
    ) -> Partials {
        let mut combined = Partials::default();
        for &(value, op) in &inner.reductions {
            if self.is_in_lanes(value, op) {
                continue;
            }
            let dtype = self.kernel.dtypes[value as usize];
            let mut elements: Vec<Element> =
                partials[&value].iter().map(|set| self.read(set)).collect();
            while elements.len() > 1 {
                let half = elements.len() / 2;
                elements = (0..half)
                    .map(|i| self.combine(op, elements[i], elements[i + half], dtype, width))
                    .collect();
            }
            let mut element = elements[0];
            if width != Width::Scalar {
                element = self.combine_lanes(op, element, dtype, width);
            }
            let set = self.define(element);
            combined.insert(value, vec![set]);
        }
        combined
    }

    pub(super) fn flush(&mut self, inner: &Inner<'_>, partials: &Partials) {
        for &(value, op) in &inner.reductions {
            if let Some(sets) = partials.get(&value) {
                let block = self.read(&sets[0]);
                self.add_to_total(value, op, block);
            }
        }
    }
}

/// The variables that hold the partial results of each reduction: one set per unrolled step.
pub(super) type Partials = FxHashMap<Value, Vec<SmallVec<[Variable; 2]>>>;

fn extreme_integer(dtype: DType, largest: bool) -> i64 {
    let literal = |i: i64| match Literal::new(i, dtype).value {
        Scalar::Int(i) => i,
        other => other.to_i64(),
    };
    match (dtype, largest) {
        (DType::Bool | DType::Uint8, false) => 0,
        (DType::Bool, true) => 1,
        (DType::Uint8, true) => literal(255),
        (DType::Int32, true) => i64::from(i32::MAX),
        (DType::Int32, false) => i64::from(i32::MIN),
        (_, true) => i64::MAX,
        (_, false) => i64::MIN,
    }
}
