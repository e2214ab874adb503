//! Kernel -> CLIF: the loops around the elementwise ops.
//!
//! The function is `fn(pointers, parameters)`: one pointer per slot (and one to the failure record, if the
//! kernel can fail), then extents, strides and literals as [`super::kernel::Kernel`] orders them. An inner loop
//! whose slots move by single elements of one size runs on lanes of 128-bit vectors, several vectors at a time,
//! and finishes element by element; any other runs element by element.
//!
//! Sums of floating numbers keep several partial sums, none of which adds more than [`LONGEST_CHAIN`] elements in
//! a row, and add up such blocks with compensation (Neumaier 1974), so they are as accurate as NumPy's pairwise
//! sums.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{F32X4, F64X2, I8X16, I64};
use cranelift_codegen::ir::{ConstantData, FuncRef, InstBuilder, MemFlagsData, Value as Clif};
use cranelift_frontend::{FunctionBuilder, Variable};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::arithmetic::{Arithmetic, Element, Width, component, has_lanes, lane_bytes, memory};
use super::kernel::{Kernel, Numbered, Operation, ReduceOp, SHORT, Stride, Value};
use crate::error::{Error, Result};
use crate::ir::{DType, Literal, Op, Scalar};

/// Makes a runtime function callable by its symbol.
pub(super) type Import<'a> = dyn FnMut(&mut FunctionBuilder<'_>, &str) -> Result<FuncRef> + 'a;

/// Emits the body of a kernel into a function whose two parameters are pointers.
///
/// # Errors
/// A mistake of ours, such as a symbol that the runtime does not have.
pub(super) fn emit(
    kernel: &Kernel,
    builder: &mut FunctionBuilder<'_>,
    import: &mut Import<'_>,
) -> Result<()> {
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    let (pointers, parameters) = (
        builder.block_params(entry)[0],
        builder.block_params(entry)[1],
    );
    let failure = kernel.can_fail().then(|| {
        builder.ins().load(
            I64,
            constant_memory(),
            pointers,
            8 * kernel.slots.len() as i32,
        )
    });
    let arithmetic = Arithmetic {
        builder,
        import,
        failure,
    };
    let mut emitter = Emitter {
        kernel,
        a: arithmetic,
        parameters,
        strides: FxHashMap::default(),
        values: vec![None; kernel.dtypes.len()],
        totals: FxHashMap::default(),
    };
    let bases = (0..kernel.slots.len())
        .map(|i| {
            emitter
                .a
                .builder
                .ins()
                .load(I64, constant_memory(), pointers, 8 * i as i32)
        })
        .collect::<Vec<_>>();
    emitter.prepare();
    emitter.outer_loops(0, &bases)?;
    emitter.a.builder.ins().return_(&[]);
    emitter.a.builder.seal_all_blocks();
    Ok(())
}

/// Loads of what does not change while the kernel runs.
fn constant_memory() -> MemFlagsData {
    memory().with_readonly().with_can_move()
}

/// The most elements that a partial sum adds one after the other. NumPy's pairwise sum adds 16.
const LONGEST_CHAIN: i64 = 32;

struct Emitter<'a, 'b, 'c> {
    kernel: &'a Kernel,
    a: Arithmetic<'b, 'c>,
    parameters: Clif,
    /// Strides in bytes that are parameters, by slot and axis.
    strides: FxHashMap<(usize, usize), Clif>,
    /// Values that hold for a whole outer index: literals, results of reductions and of the outer part.
    values: Vec<Option<Element>>,
    /// The running totals of reductions: sum and compensation for floating sums.
    totals: FxHashMap<Value, Total>,
}

#[derive(Clone)]
struct Total {
    parts: SmallVec<[Variable; 2]>,
    compensation: SmallVec<[Variable; 2]>,
}

/// Which operations an inner loop runs, and on how many elements at a time.
struct Inner<'a> {
    operations: &'a [Numbered],
    width: Width,
    unroll: i64,
    reductions: Vec<(Value, ReduceOp)>,
}

impl Inner<'_> {
    /// The elements that the partial sums take together before they are added to the total.
    fn block(&self) -> i64 {
        (LONGEST_CHAIN * self.width.count() * self.unroll).min(SHORT as i64)
    }
}

impl<'a> Emitter<'a, '_, '_> {
    /// Whether an inner loop is so short that its partial sums are added to the total once.
    fn is_one_block(&self, inner: &Inner<'_>) -> bool {
        self.kernel.short && inner.block() == SHORT as i64
    }

    /// Loads literals and strides before all loops.
    fn prepare(&mut self) {
        let kernel = self.kernel;
        let mut word = kernel.outer_rank + kernel.inner_rank;
        for (i, slot) in kernel.slots.iter().enumerate() {
            for (axis, stride) in slot.strides.iter().enumerate() {
                if *stride == Stride::Parameter {
                    let stride = self.parameter(I64, word);
                    self.strides.insert((i, axis), stride);
                    word += 1;
                }
            }
        }
        let literals: Vec<Element> = kernel
            .literals
            .iter()
            .map(|&dtype| {
                let part = component(dtype);
                let first = self.parameter(part, word);
                word += 1;
                if !dtype.is_complex() {
                    return Element::One(first);
                }
                word += 1;
                Element::Pair(first, self.parameter(part, word - 1))
            })
            .collect();
        for operations in [&kernel.before, &kernel.outer, &kernel.after] {
            for (value, operation) in operations {
                if let Operation::Literal { index } = operation {
                    self.values[*value as usize] = Some(literals[*index as usize]);
                }
            }
        }
    }

    fn parameter(&mut self, ty: cranelift_codegen::ir::Type, word: usize) -> Clif {
        self.a
            .builder
            .ins()
            .load(ty, constant_memory(), self.parameters, 8 * word as i32)
    }

    fn extent(&mut self, axis: usize) -> Clif {
        self.parameter(I64, axis)
    }

    // ---- the outer loops ----

    fn outer_loops(&mut self, axis: usize, pointers: &[Clif]) -> Result<()> {
        if axis < self.kernel.outer_rank {
            let extent = self.extent(axis);
            let zero = self.a.builder.ins().iconst(I64, 0);
            return self.count(zero, extent, 1, |s, i| {
                let pointers = s.advance(pointers, axis, i);
                s.outer_loops(axis + 1, &pointers)
            });
        }
        let kernel = self.kernel;
        self.start_totals()?;
        if !kernel.before.is_empty() {
            let inner = self.plan(&kernel.before);
            self.inner_loops(axis, pointers, &inner)?;
        }
        self.finish_totals();
        self.outer_part(pointers)?;
        if !kernel.after.is_empty() {
            let inner = self.plan(&kernel.after);
            self.inner_loops(axis, pointers, &inner)?;
        }
        Ok(())
    }

    /// The operations that run once for each outer index.
    fn outer_part(&mut self, pointers: &[Clif]) -> Result<()> {
        for (value, operation) in &self.kernel.outer {
            let element = match operation {
                Operation::Load { slot } => {
                    self.load(*slot as usize, pointers[*slot as usize], 0, Width::Scalar)
                }
                Operation::Store { slot, value } => {
                    let element = self.outer_value(*value)?;
                    self.store(
                        *slot as usize,
                        pointers[*slot as usize],
                        0,
                        element,
                        Width::Scalar,
                    );
                    continue;
                }
                Operation::Literal { .. } => continue,
                Operation::Map { op, inputs, dtype } => {
                    let x = inputs
                        .iter()
                        .map(|&i| self.outer_value(i))
                        .collect::<Result<SmallVec<[_; 3]>>>()?;
                    let dtypes: SmallVec<[DType; 3]> = inputs
                        .iter()
                        .map(|&i| self.kernel.dtypes[i as usize])
                        .collect();
                    self.a.op(op, &x, &dtypes, *dtype, Width::Scalar)?
                }
                Operation::Reduce { .. } => {
                    return Err(Error::internal("a reduction is outside its loop"));
                }
            };
            self.values[*value as usize] = Some(element);
        }
        Ok(())
    }

    fn outer_value(&self, value: Value) -> Result<Element> {
        self.values[value as usize]
            .ok_or_else(|| Error::internal(format!("kernel value {value} is not there yet")))
    }

    // ---- reductions ----

    fn reductions(&self) -> Vec<(Value, ReduceOp)> {
        reductions(&self.kernel.before)
    }

    /// What a reduction starts from.
    fn identity(&mut self, op: ReduceOp, dtype: DType, width: Width) -> Element {
        let infinity = f64::INFINITY;
        let part = match (op, dtype.is_float() || dtype.is_complex()) {
            // Sums start at +0, as NumPy's do: the sum of negative zeros is +0.
            (ReduceOp::Sum | ReduceOp::Any, _) => self.a.number(0.0, dtype, width),
            (ReduceOp::Prod | ReduceOp::All, _) => self.a.number(1.0, dtype, width),
            (ReduceOp::Max, true) => self.a.number(-infinity, dtype, width),
            (ReduceOp::Min, true) => self.a.number(infinity, dtype, width),
            (ReduceOp::Max | ReduceOp::Min, false) => {
                let literal = extreme_integer(dtype, op == ReduceOp::Min);
                self.a.builder.ins().iconst(component(dtype), literal)
            }
        };
        if !dtype.is_complex() {
            return Element::One(part);
        }
        if op == ReduceOp::Prod {
            return Element::Pair(part, self.a.number(0.0, dtype, width));
        }
        Element::Pair(part, part)
    }

    fn start_totals(&mut self) -> Result<()> {
        let plan = self.plan(&self.kernel.before);
        let compensated = !self.is_one_block(&plan);
        for (value, op) in self.reductions() {
            let dtype = self.kernel.dtypes[value as usize];
            let identity = self.identity(op, dtype, Width::Scalar);
            let floating = dtype.is_float() || dtype.is_complex();
            let parts = self.define(identity);
            let compensation = if op == ReduceOp::Sum && floating && compensated {
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
    fn add_to_total(&mut self, value: Value, op: ReduceOp, block: Element) {
        let dtype = self.kernel.dtypes[value as usize];
        let Some(total) = self.totals.get(&value).cloned() else {
            return;
        };
        if op == ReduceOp::Prod {
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

    fn read(&mut self, variables: &[Variable]) -> Element {
        match *variables {
            [re, im] => Element::Pair(self.a.builder.use_var(re), self.a.builder.use_var(im)),
            _ => Element::One(self.a.builder.use_var(variables[0])),
        }
    }

    fn write(&mut self, variables: &[Variable], element: Element) {
        for (&variable, part) in variables.iter().zip(element.parts()) {
            self.a.builder.def_var(variable, part);
        }
    }

    /// The totals become values that the outer part can use.
    fn finish_totals(&mut self) {
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

    fn combine(
        &mut self,
        op: ReduceOp,
        x: Element,
        y: Element,
        dtype: DType,
        width: Width,
    ) -> Element {
        let op = match op {
            ReduceOp::Sum => Op::Add,
            ReduceOp::Prod => Op::Multiply,
            ReduceOp::Max => return self.a.extremum(x, y, dtype, true, width),
            ReduceOp::Min => return self.a.extremum(x, y, dtype, false, width),
            ReduceOp::Any => Op::LogicalOr,
            ReduceOp::All => Op::LogicalAnd,
        };
        // These ops cannot fail: they are plain arithmetic.
        self.a
            .op(&op, &[x, y], &[dtype, dtype], dtype, width)
            .unwrap_or(x)
    }

    /// The lanes combined into one element.
    fn combine_lanes(&mut self, op: ReduceOp, x: Element, dtype: DType, width: Width) -> Element {
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

    // ---- the inner loops ----

    /// Decides how many elements an inner loop takes at a time.
    fn plan(&self, operations: &'a [Numbered]) -> Inner<'a> {
        let width = self.lanes(operations).unwrap_or(Width::Scalar);
        let reductions = reductions(operations);
        let calls = operations
            .iter()
            .any(|(_, o)| matches!(o, Operation::Map { op, .. } if may_call(op)));
        let in_order = reductions.iter().any(|(_, op)| *op == ReduceOp::Prod);
        let unroll = if calls || in_order {
            1
        } else if operations.len() <= 8 {
            4
        } else if width != Width::Scalar || !reductions.is_empty() {
            2
        } else {
            1
        };
        Inner {
            operations,
            width,
            unroll,
            reductions,
        }
    }

    /// The lanes in which all operations can run, if they can.
    fn lanes(&self, operations: &[Numbered]) -> Option<Width> {
        let kernel = self.kernel;
        if kernel.inner_rank == 0 {
            return None;
        }
        let last = kernel.outer_rank + kernel.inner_rank - 1;
        let mut bytes = None;
        let mut agree = |dtype: DType| match (lane_bytes(dtype), bytes) {
            (None, _) => false,
            (Some(b), None) => {
                bytes = Some(b);
                true
            }
            (Some(b), Some(so_far)) => b == so_far,
        };
        for (number, operation) in operations {
            let dtypes = |values: &[Value]| -> SmallVec<[DType; 3]> {
                values.iter().map(|&v| kernel.dtypes[v as usize]).collect()
            };
            let (inputs, result) = match operation {
                Operation::Load { slot } | Operation::Store { slot, .. } => {
                    let slot = &kernel.slots[*slot as usize];
                    if slot.strides[last] == Stride::Parameter || !agree(slot.dtype) {
                        return None;
                    }
                    (SmallVec::new(), slot.dtype)
                }
                Operation::Literal { .. } => (SmallVec::new(), kernel.dtypes[*number as usize]),
                Operation::Reduce { input, .. } => {
                    (dtypes(&[*input]), kernel.dtypes[*number as usize])
                }
                Operation::Map { inputs, dtype, .. } => {
                    // A truth value from outside the loop is no mask.
                    let outside = |v: &Value| {
                        kernel.dtypes[*v as usize] == DType::Bool
                            && operations.iter().all(|(n, _)| n != v)
                    };
                    if inputs.iter().any(outside) {
                        return None;
                    }
                    (dtypes(inputs), *dtype)
                }
            };
            if !has_lanes(operation, &inputs, result) {
                return None;
            }
            // Inputs too: a mask made of numbers from outside the loop has their width.
            let numbers = inputs.iter().chain([&result]);
            if !numbers.filter(|d| **d != DType::Bool).all(|&d| agree(d)) {
                return None;
            }
        }
        bytes.map(|bytes| Width::Lanes { bytes })
    }

    fn inner_loops(&mut self, axis: usize, pointers: &[Clif], inner: &Inner<'a>) -> Result<()> {
        let last = self.kernel.outer_rank + self.kernel.inner_rank;
        if self.kernel.inner_rank == 0 {
            return self.block_of_elements(pointers, axis, None, inner);
        }
        if axis + 1 < last {
            let extent = self.extent(axis);
            let zero = self.a.builder.ins().iconst(I64, 0);
            return self.count(zero, extent, 1, |s, i| {
                let pointers = s.advance(pointers, axis, i);
                s.inner_loops(axis + 1, &pointers, inner)
            });
        }
        let extent = self.extent(axis);
        let zero = self.a.builder.ins().iconst(I64, 0);
        if self.is_one_block(inner) || inner.reductions.is_empty() {
            return self.block_of_elements(pointers, axis, Some((zero, extent)), inner);
        }
        let block = inner.block();
        self.count(zero, extent, block, |s, start| {
            let end = s.a.builder.ins().iadd_imm_s(start, block);
            let end = s.a.builder.ins().smin(end, extent);
            s.block_of_elements(pointers, axis, Some((start, end)), inner)
        })
    }

    /// The innermost loop over a range: several vectors, then one, then single elements.
    fn block_of_elements(
        &mut self,
        pointers: &[Clif],
        axis: usize,
        range: Option<(Clif, Clif)>,
        inner: &Inner<'a>,
    ) -> Result<()> {
        let Some((start, end)) = range else {
            // No inner axis: one element.
            let partial = self.partials(inner, Width::Scalar, 1);
            let zero = self.a.builder.ins().iconst(I64, 0);
            self.body(pointers, axis, zero, 0, Width::Scalar, inner, &partial)?;
            return self.flush(inner, &partial);
        };
        let (width, unroll) = (inner.width, inner.unroll);
        let partial = self.partials(inner, width, unroll);
        let mut position = start;
        if unroll > 1 {
            position = self.stepped(position, end, width.count() * unroll, |s, i| {
                for k in 0..unroll {
                    s.body(pointers, axis, i, k * width.count(), width, inner, &partial)?;
                }
                Ok(())
            })?;
        }
        position = self.stepped(position, end, width.count(), |s, i| {
            s.body(pointers, axis, i, 0, width, inner, &partial)
        })?;
        let partial = self.combine_partials(inner, &partial, width);
        if width != Width::Scalar {
            self.stepped(position, end, 1, |s, i| {
                s.body(pointers, axis, i, 0, Width::Scalar, inner, &partial)
            })?;
        }
        self.flush(inner, &partial)
    }

    /// Variables for the partial results of each reduction, one set per unrolled step.
    fn partials(&mut self, inner: &Inner<'_>, width: Width, unroll: i64) -> Partials {
        let mut partials = Partials::default();
        for &(value, op) in &inner.reductions {
            let dtype = self.kernel.dtypes[value as usize];
            let first = match (op, self.totals.get(&value).cloned()) {
                // Products go on from the total, in order: another unit would make NaN of complex infinities.
                (ReduceOp::Prod, Some(total)) => self.read(&total.parts),
                _ => self.identity(op, dtype, width),
            };
            let sets = (0..unroll).map(|_| self.define(first)).collect();
            partials.insert(value, sets);
        }
        partials
    }

    fn define(&mut self, element: Element) -> SmallVec<[Variable; 2]> {
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
    fn combine_partials(
        &mut self,
        inner: &Inner<'_>,
        partials: &Partials,
        width: Width,
    ) -> Partials {
        let mut combined = Partials::default();
        for &(value, op) in &inner.reductions {
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

    fn flush(&mut self, inner: &Inner<'_>, partials: &Partials) -> Result<()> {
        for &(value, op) in &inner.reductions {
            let block = self.read(&partials[&value][0]);
            self.add_to_total(value, op, block);
        }
        Ok(())
    }

    /// The operations for the elements at `index + ahead`.
    #[allow(
        clippy::too_many_arguments,
        reason = "one innermost step needs to know where and how"
    )]
    fn body(
        &mut self,
        pointers: &[Clif],
        axis: usize,
        index: Clif,
        ahead: i64,
        width: Width,
        inner: &Inner<'a>,
        partials: &Partials,
    ) -> Result<()> {
        let mut local: FxHashMap<Value, Element> = FxHashMap::default();
        for (number, operation) in inner.operations {
            let element = match operation {
                Operation::Load { slot } => {
                    let (address, offset) =
                        self.address(*slot as usize, pointers, axis, index, ahead);
                    let slot = *slot as usize;
                    if self.moves(slot, axis) {
                        self.load(slot, address, offset, width)
                    } else {
                        let scalar = self.load_once(slot, address);
                        self.a.splat(scalar, self.kernel.slots[slot].dtype, width)
                    }
                }
                Operation::Store { slot, value } => {
                    let element = self.inner_value(&local, *value, width)?;
                    let (address, offset) =
                        self.address(*slot as usize, pointers, axis, index, ahead);
                    self.store(*slot as usize, address, offset, element, width);
                    continue;
                }
                Operation::Literal { .. } => continue,
                Operation::Map { op, inputs, dtype } => {
                    let x = inputs
                        .iter()
                        .map(|&i| self.inner_value(&local, i, width))
                        .collect::<Result<SmallVec<[_; 3]>>>()?;
                    let dtypes: SmallVec<[DType; 3]> = inputs
                        .iter()
                        .map(|&i| self.kernel.dtypes[i as usize])
                        .collect();
                    self.a.op(op, &x, &dtypes, *dtype, width)?
                }
                Operation::Reduce { op, input } => {
                    let element = self.inner_value(&local, *input, width)?;
                    let sets = &partials[number];
                    let set = &sets[(ahead / width.count()) as usize % sets.len()];
                    let so_far = self.read(set);
                    let dtype = self.kernel.dtypes[*number as usize];
                    let combined = self.combine(*op, so_far, element, dtype, width);
                    self.write(set, combined);
                    continue;
                }
            };
            local.insert(*number, element);
        }
        Ok(())
    }

    /// A value of this step, or one from outside the loop in all lanes.
    fn inner_value(
        &mut self,
        local: &FxHashMap<Value, Element>,
        value: Value,
        width: Width,
    ) -> Result<Element> {
        if let Some(&element) = local.get(&value) {
            return Ok(element);
        }
        let element = self.outer_value(value)?;
        Ok(self
            .a
            .splat(element, self.kernel.dtypes[value as usize], width))
    }

    // ---- memory ----

    /// Whether a slot moves along the innermost axis.
    fn moves(&self, slot: usize, axis: usize) -> bool {
        self.kernel.slots[slot]
            .strides
            .get(axis)
            .is_some_and(|s| *s != Stride::Zero)
    }

    /// The pointers after moving to position `i` of an axis.
    fn advance(&mut self, pointers: &[Clif], axis: usize, i: Clif) -> Vec<Clif> {
        (0..pointers.len())
            .map(|slot| match self.kernel.slots[slot].strides[axis] {
                Stride::Zero => pointers[slot],
                Stride::Unit => {
                    let size = self.kernel.slots[slot].dtype.size() as i64;
                    let bytes = self.a.builder.ins().imul_imm_s(i, size);
                    self.a.builder.ins().iadd(pointers[slot], bytes)
                }
                Stride::Parameter => {
                    let bytes = self.a.builder.ins().imul(i, self.strides[&(slot, axis)]);
                    self.a.builder.ins().iadd(pointers[slot], bytes)
                }
            })
            .collect()
    }

    /// The address of a slot's element, and a constant offset from it.
    fn address(
        &mut self,
        slot: usize,
        pointers: &[Clif],
        axis: usize,
        index: Clif,
        ahead: i64,
    ) -> (Clif, i32) {
        let pointer = pointers[slot];
        let size = self.kernel.slots[slot].dtype.size() as i64;
        match self.kernel.slots[slot].strides.get(axis) {
            None | Some(Stride::Zero) => (pointer, 0),
            Some(Stride::Unit) => {
                let bytes = self
                    .a
                    .builder
                    .ins()
                    .ishl_imm_u(index, i64::from(size.trailing_zeros()));
                (
                    self.a.builder.ins().iadd(pointer, bytes),
                    (ahead * size) as i32,
                )
            }
            Some(Stride::Parameter) => {
                let index = self.a.builder.ins().iadd_imm_s(index, ahead);
                let bytes = self
                    .a
                    .builder
                    .ins()
                    .imul(index, self.strides[&(slot, axis)]);
                (self.a.builder.ins().iadd(pointer, bytes), 0)
            }
        }
    }

    /// A load that does not depend on the innermost index, so that it can leave the loop.
    fn load_once(&mut self, slot: usize, address: Clif) -> Element {
        let dtype = self.kernel.slots[slot].dtype;
        let part = component(dtype);
        let flags = if self.kernel.is_written(slot) {
            memory()
        } else {
            constant_memory()
        };
        let first = self.a.builder.ins().load(part, flags, address, 0);
        if !dtype.is_complex() {
            return Element::One(first);
        }
        Element::Pair(
            first,
            self.a
                .builder
                .ins()
                .load(part, flags, address, part.bytes() as i32),
        )
    }

    fn load(&mut self, slot: usize, address: Clif, offset: i32, width: Width) -> Element {
        let dtype = self.kernel.slots[slot].dtype;
        let ty = width.ty(dtype);
        let first = self.a.builder.ins().load(ty, memory(), address, offset);
        if !dtype.is_complex() {
            return Element::One(first);
        }
        let second = self
            .a
            .builder
            .ins()
            .load(ty, memory(), address, offset + ty.bytes() as i32);
        if width == Width::Scalar {
            return Element::Pair(first, second);
        }
        // Memory holds re im re im ..; lanes hold re re .. and im im ..
        let even = self.shuffle(first, second, EVEN);
        Element::Pair(even, self.shuffle(first, second, ODD))
    }

    fn store(&mut self, slot: usize, address: Clif, offset: i32, element: Element, width: Width) {
        let (first, second) = match element {
            Element::One(x) => {
                self.a.builder.ins().store(memory(), x, address, offset);
                return;
            }
            Element::Pair(re, im) if width == Width::Scalar => (re, im),
            Element::Pair(re, im) => (self.shuffle(re, im, LOW), self.shuffle(re, im, HIGH)),
        };
        let bytes = width.ty(self.kernel.slots[slot].dtype).bytes() as i32;
        self.a.builder.ins().store(memory(), first, address, offset);
        self.a
            .builder
            .ins()
            .store(memory(), second, address, offset + bytes);
    }

    /// Lanes picked from two vectors: `pattern` gives positions for two lanes and for four.
    fn shuffle(&mut self, x: Clif, y: Clif, pattern: (&[u8], &[u8])) -> Clif {
        let ty = self.a.builder.func.dfg.value_type(x);
        let lanes = if ty == F64X2 { pattern.0 } else { pattern.1 };
        debug_assert!(
            ty == F64X2 || ty == F32X4,
            "only floating lanes are shuffled"
        );
        let size = 16 / lanes.len() as u8;
        let bytes: Vec<u8> = lanes
            .iter()
            .flat_map(|&lane| (0..size).map(move |b| lane * size + b))
            .collect();
        let flags = MemFlagsData::new().with_endianness(cranelift_codegen::ir::Endianness::Little);
        let mask = self
            .a
            .builder
            .func
            .dfg
            .immediates
            .push(ConstantData::from(bytes));
        let (x, y) = (
            self.a.builder.ins().bitcast(I8X16, flags, x),
            self.a.builder.ins().bitcast(I8X16, flags, y),
        );
        let shuffled = self.a.builder.ins().shuffle(x, y, mask);
        self.a.builder.ins().bitcast(ty, flags, shuffled)
    }

    // ---- loops ----

    /// `for i in (start..end).step_by(step)`.
    fn count(
        &mut self,
        start: Clif,
        end: Clif,
        step: i64,
        body: impl FnOnce(&mut Self, Clif) -> Result<()>,
    ) -> Result<()> {
        let counter = self.a.builder.declare_var(I64);
        self.a.builder.def_var(counter, start);
        let (head, inside, exit) = (
            self.a.builder.create_block(),
            self.a.builder.create_block(),
            self.a.builder.create_block(),
        );
        self.a.builder.ins().jump(head, &[]);
        self.a.builder.switch_to_block(head);
        let i = self.a.builder.use_var(counter);
        let more = self.a.builder.ins().icmp(IntCC::SignedLessThan, i, end);
        self.a.builder.ins().brif(more, inside, &[], exit, &[]);
        self.a.builder.switch_to_block(inside);
        body(self, i)?;
        let next = self.a.builder.ins().iadd_imm_s(i, step);
        self.a.builder.def_var(counter, next);
        self.a.builder.ins().jump(head, &[]);
        self.a.builder.switch_to_block(exit);
        Ok(())
    }

    /// Whole steps only: `while i + step <= end`. Gives the position that is left.
    fn stepped(
        &mut self,
        start: Clif,
        end: Clif,
        step: i64,
        body: impl FnOnce(&mut Self, Clif) -> Result<()>,
    ) -> Result<Clif> {
        let limit = self.a.builder.ins().iadd_imm_s(end, 1 - step);
        let counter = self.a.builder.declare_var(I64);
        self.a.builder.def_var(counter, start);
        let (head, inside, exit) = (
            self.a.builder.create_block(),
            self.a.builder.create_block(),
            self.a.builder.create_block(),
        );
        self.a.builder.ins().jump(head, &[]);
        self.a.builder.switch_to_block(head);
        let i = self.a.builder.use_var(counter);
        let more = self.a.builder.ins().icmp(IntCC::SignedLessThan, i, limit);
        self.a.builder.ins().brif(more, inside, &[], exit, &[]);
        self.a.builder.switch_to_block(inside);
        body(self, i)?;
        let next = self.a.builder.ins().iadd_imm_s(i, step);
        self.a.builder.def_var(counter, next);
        self.a.builder.ins().jump(head, &[]);
        self.a.builder.switch_to_block(exit);
        Ok(self.a.builder.use_var(counter))
    }
}

/// The variables that hold the partial results of each reduction: one set per unrolled step.
type Partials = FxHashMap<Value, Vec<SmallVec<[Variable; 2]>>>;

const EVEN: (&[u8], &[u8]) = (&[0, 2], &[0, 2, 4, 6]);
const ODD: (&[u8], &[u8]) = (&[1, 3], &[1, 3, 5, 7]);
const LOW: (&[u8], &[u8]) = (&[0, 2], &[0, 4, 1, 5]);
const HIGH: (&[u8], &[u8]) = (&[1, 3], &[2, 6, 3, 7]);

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

fn reductions(operations: &[Numbered]) -> Vec<(Value, ReduceOp)> {
    let reduction = |(value, operation): &Numbered| match operation {
        Operation::Reduce { op, .. } => Some((*value, *op)),
        _ => None,
    };
    operations.iter().filter_map(reduction).collect()
}

/// Whether an op may be a call, which is not worth unrolling.
fn may_call(op: &Op) -> bool {
    !matches!(
        op,
        Op::Add
            | Op::Subtract
            | Op::Multiply
            | Op::Divide
            | Op::Negative
            | Op::Sqrt
            | Op::Where
            | Op::Maximum
            | Op::Minimum
            | Op::Equal
            | Op::NotEqual
            | Op::Less
            | Op::LessEqual
            | Op::Astype { .. }
            | Op::Real
            | Op::Imag
            | Op::Conj
            | Op::Absolute
            | Op::LogicalAnd
            | Op::LogicalOr
            | Op::LogicalNot
    )
}
