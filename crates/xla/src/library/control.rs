//! Loops and branches as XLA's `while` and `conditional`, whose computations are written from the graphs inside.
//!
//! The state of a loop is a tuple: the number of the iteration, what is carried, what is stacked, and all that stays the same.
//! XLA changes the stacked results where they lie.
//!
//! A call back into autojit that fails inside of a loop cannot end it (see [`super::host`]). Its loop runs on, on zeros: so the
//! condition of a `while_loop` with calls inside is a call itself, which ends the loop then, as it ends one that reached its limit.

use smallvec::SmallVec;

use super::calls::{HostCall, STEP_NUMBER, Work};
use super::emit::{Emitter, Place, Values};
use super::inner::Root;
use super::instructions::Compare;
use super::lower::astype;
use super::module::{Outside, Purpose, Value, Writer, list, names};
use autojit_ir::error::Result;
use autojit_ir::{ArrayType, Body, ControlOp, DType, Type};

impl Emitter {
    /// Writes a loop or a choice.
    ///
    /// # Errors
    /// XLA does not run an op inside (`is_unsupported`).
    pub(super) fn control(
        &mut self,
        op: &ControlOp,
        inputs: &[&Value],
        result: &Type,
        place: Place,
    ) -> Result<Values> {
        let (name, around) = (self.writer.op, self.place);
        self.place = place.or(around);
        let results = match op {
            ControlOp::Scan {
                body,
                carry,
                xs,
                length,
                reverse,
            } => {
                let shape = Shape {
                    carry: *carry,
                    xs: *xs,
                    length: *length,
                    reverse: *reverse,
                };
                self.scan(body, &shape, inputs, result)?
            }
            ControlOp::While {
                condition,
                body,
                carry,
                limit,
            } => self.repeat([condition, body], *carry, *limit, inputs, name)?,
            ControlOp::Switch { branches } => self.switch(branches, inputs, result)?,
        };
        self.place = around;
        Ok(results)
    }

    fn scan(
        &mut self,
        body: &Body,
        shape: &Shape,
        inputs: &[&Value],
        result: &Type,
    ) -> Result<Values> {
        let (carried, rest) = inputs.split_at(shape.carry);
        let stacked = &result.arrays()[shape.carry..];
        let w = &mut self.writer;
        let nothing = |ty: &ArrayType| w.literal(0, ty.dtype, &ty.shape);
        let empty: Vec<Value> = stacked.iter().map(nothing).collect();
        if shape.length == 0 {
            return Ok(carried.iter().map(|&x| x.clone()).chain(empty).collect());
        }
        let start = self.writer.literal(0, STEP_NUMBER, &[]);
        let mut state: Vec<Value> = vec![start];
        state.extend(carried.iter().map(|&x| x.clone()));
        state.extend(empty);
        state.extend(rest.iter().map(|&x| x.clone()));
        let types = types(&state);

        let w = &mut self.writer;
        let elements = w.begin(&types, Vec::new());
        let (before, same) = elements.split_at(1 + shape.carry + stacked.len());
        let (before, rows) = before.split_at(1 + shape.carry);
        let step = &before[0];
        w.provide(Outside::Step(w.loops), step);
        let at = if shape.reverse {
            let last = w.like(step, shape.length as i64 - 1);
            w.binary("subtract", &last, step)
        } else {
            step.clone()
        };
        let mut arguments = before[1..].to_vec();
        arguments.extend(same[..shape.xs].iter().map(|x| w.row(x, &at)));
        arguments.extend_from_slice(&same[shape.xs..]);
        let results = self.inside(body, &arguments)?;
        let (carried, given) = results.split_at(shape.carry);
        let w = &mut self.writer;
        let mut next = vec![w.following(step)];
        next.extend_from_slice(carried);
        let rows = rows.iter().zip(given);
        next.extend(rows.map(|(all, row)| w.with_row(all, row, &at)));
        next.extend_from_slice(same);
        let body = w.end()?;

        let elements = w.begin(&types, body.captured.clone());
        let length = w.like(&elements[0], shape.length as i64);
        let goes_on = w.compare(Compare::Less, &elements[0], &length);
        let condition = w.end()?;

        let captured = condition.captured.clone();
        let body = w.seal("body", body, &types, &captured, Root::State(next))?;
        let root = Root::Value(goes_on);
        let condition = w.seal("condition", condition, &types, &captured, root)?;
        state.extend(captured.into_iter().map(|(_, outer)| outer));
        Ok(w.repeat(&state, &condition, &body, result.arrays().len()))
    }

    fn repeat(
        &mut self,
        [condition, body]: [&Body; 2],
        carry: usize,
        limit: u64,
        inputs: &[&Value],
        name: &'static str,
    ) -> Result<Values> {
        let start = self.writer.literal(0, STEP_NUMBER, &[]);
        let mut state: Vec<Value> = vec![start];
        state.extend(inputs.iter().map(|&x| x.clone()));
        let types = types(&state);
        let calls = self.writer.calls.len();

        let w = &mut self.writer;
        let elements = w.begin(&types, Vec::new());
        w.provide(Outside::Step(w.loops), &elements[0]);
        let results = self.inside(body, &elements[1..])?;
        let w = &mut self.writer;
        let mut next = vec![w.following(&elements[0])];
        next.extend(results);
        next.extend_from_slice(&elements[1 + carry..]);
        let body = w.end()?;

        let elements = w.begin(&types, body.captured.clone());
        let (one, zero) = (w.like(&elements[0], 1), w.like(&elements[0], 0));
        let before = w.binary("subtract", &elements[0], &one);
        let before = w.binary("maximum", &before, &zero);
        w.provide(Outside::Step(w.loops), &before);
        let holds = self.inside(condition, &elements[1..])?;
        let holds = holds.first().ok_or_else(Writer::missing)?;
        let w = &mut self.writer;
        let is_limited = i64::try_from(limit).is_ok();
        let goes_on = match w.purpose {
            Purpose::Run if is_limited || w.calls.len() > calls => {
                let call = HostCall {
                    work: Work::GoesOn { limit },
                    inputs: [holds.ty.clone(), elements[0].ty.clone()].into(),
                    result: holds.ty.clone().into(),
                    op: name,
                    location: self.place,
                    steps: w.loops,
                };
                w.host_call(call, &[holds, &elements[0]]).swap_remove(0)
            }
            Purpose::Save if is_limited => {
                let limit = w.like(&elements[0], limit as i64);
                let within = w.compare(Compare::Less, &elements[0], &limit);
                w.binary("and", holds, &within)
            }
            Purpose::Run | Purpose::Save => holds.clone(),
        };
        let condition = w.end()?;

        let captured = condition.captured.clone();
        let body = w.seal("body", body, &types, &captured, Root::State(next))?;
        let root = Root::Value(goes_on);
        let condition = w.seal("condition", condition, &types, &captured, root)?;
        state.extend(captured.into_iter().map(|(_, outer)| outer));
        Ok(w.repeat(&state, &condition, &body, carry))
    }

    fn switch(&mut self, branches: &[Body], inputs: &[&Value], result: &Type) -> Result<Values> {
        let (&index, operands) = inputs.split_first().ok_or_else(Writer::missing)?;
        let operands: Vec<Value> = operands.iter().map(|&x| x.clone()).collect();
        if let [only] = branches {
            return Ok(self.graph(only.graph()?, &operands, None)?.into());
        }
        let types = types(&operands);
        let mut written: Vec<(String, String)> = Vec::with_capacity(branches.len());
        for branch in branches {
            let elements = self.writer.begin(&types, Vec::new());
            let results = self.graph(branch.graph()?, &elements, None)?;
            let w = &mut self.writer;
            let branch = w.end()?;
            let captured = branch.captured.clone();
            let root = Root::Tuple(results);
            let name = w.seal("branch", branch, &types, &captured, root)?;
            let mut given = operands.clone();
            given.extend(captured.into_iter().map(|(_, outer)| outer));
            written.push((name, w.tuple(&given)));
        }
        let w = &mut self.writer;
        // XLA takes the last branch for any index out of range.
        let wide = astype(w, index, DType::Int64);
        let (first, last) = (w.like(&wide, 0), w.like(&wide, branches.len() as i64 - 1));
        let near = w.op("clamp", wide.ty.clone(), &[&first, &wide, &last], "");
        let near = w.convert(&near, DType::Int32);
        let (names, tuples): (Vec<String>, Vec<String>) = written.into_iter().unzip();
        let operands = format!("{near}, {}", tuples.join(", "));
        let attributes = format!(", branch_computations={{{}}}", names.join(", "));
        let types = result.arrays();
        let tuple = w.tuple_line("conditional", types, &operands, &attributes);
        Ok(w.parts(&tuple, types.iter().enumerate()))
    }

    /// The results of a graph in one iteration of a loop.
    fn inside(&mut self, body: &Body, arguments: &[Value]) -> Result<Vec<Value>> {
        self.writer.loops += 1;
        let results = self.graph(body.graph()?, arguments, None);
        self.writer.loops -= 1;
        results
    }
}

/// The attributes of a `scan`.
struct Shape {
    carry: usize,
    xs: usize,
    length: usize,
    reverse: bool,
}

fn types(values: &[Value]) -> Vec<ArrayType> {
    values.iter().map(|value| value.ty.clone()).collect()
}

impl Writer {
    fn following(&mut self, step: &Value) -> Value {
        let one = self.like(step, 1);
        self.binary("add", step, &one)
    }

    /// An element along the first axis.
    fn row(&mut self, all: &Value, at: &Value) -> Value {
        let shape = all.ty.shape[1..].to_vec();
        if all.ty.size() == 0 {
            return self.literal(0, all.ty.dtype, &shape);
        }
        let zero = self.like(at, 0);
        let mut operands: SmallVec<[&Value; 4]> = SmallVec::from_iter([all, at]);
        operands.extend(shape.iter().map(|_| &zero));
        let mut sizes = all.ty.shape.clone();
        sizes[0] = 1;
        let attributes = format!(", dynamic_slice_sizes={{{}}}", list(&sizes));
        let ty = ArrayType::new(all.ty.dtype, &sizes);
        let row = self.op("dynamic-slice", ty, &operands, &attributes);
        self.reshape(&row, &shape)
    }

    /// The same with another element along the first axis.
    fn with_row(&mut self, all: &Value, row: &Value, at: &Value) -> Value {
        if all.ty.size() == 0 {
            return all.clone();
        }
        let mut sizes = all.ty.shape.clone();
        sizes[0] = 1;
        let row = self.reshape(row, &sizes);
        let zero = self.like(at, 0);
        let mut operands: SmallVec<[&Value; 4]> = SmallVec::from_iter([all, &row, at]);
        operands.extend(sizes[1..].iter().map(|_| &zero));
        self.op("dynamic-update-slice", all.ty.clone(), &operands, "")
    }

    /// The name of a tuple.
    fn tuple(&mut self, values: &[Value]) -> String {
        let operands: SmallVec<[&Value; 8]> = values.iter().collect();
        self.tuple_line("tuple", &types(values), &names(&operands), "")
    }

    /// So many elements of the state after a loop, without the number of the iteration.
    fn repeat(&mut self, state: &[Value], condition: &str, body: &str, count: usize) -> Values {
        let tuple = self.tuple(state);
        let types = types(state);
        let attributes = format!(", condition={condition}, body={body}");
        let tuple = self.tuple_line("while", &types, &tuple, &attributes);
        self.parts(&tuple, types.iter().enumerate().skip(1).take(count))
    }

    fn parts<'t>(
        &mut self,
        tuple: &str,
        wanted: impl Iterator<Item = (usize, &'t ArrayType)>,
    ) -> Values {
        let level = self.open.len() - 1;
        wanted
            .map(|(i, ty)| self.part(level, tuple, i, ty))
            .collect()
    }
}
