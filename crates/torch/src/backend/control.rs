//! Loops and branches as those of TorchScript: `for`, `while` and `if`, with the graphs inside written where they stand.
//!
//! A carried value is a variable, which the body assigns anew at its end; elements of stacked results are put into a list,
//! which becomes one tensor after the loop. The condition of a `while_loop` is written once, as the beginning of an iteration.
//!
//! Invariant: all of the variables are assigned at once, from names of their own, as a body may exchange what it carries.

use autojit_ir::error::{Error, Result};
use autojit_ir::{ArrayType, Body, ControlOp, DType, HostArray, Type};

use super::emit::{Name, Names, Place, Writer, write_graph};
use crate::library::Refusal;

impl Writer {
    /// Writes a loop or a choice, gives the names of its results.
    ///
    /// # Errors
    /// An op inside is not supported.
    pub(super) fn control(
        &mut self,
        op: &ControlOp,
        inputs: &[&Name],
        types: &[&ArrayType],
        result: &Type,
        place: Place,
    ) -> Result<Names> {
        let inputs: Vec<Name> = inputs.iter().map(|&&name| name).collect();
        match op {
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
                self.scan(body, &shape, &inputs, result, place)
            }
            ControlOp::While {
                condition,
                body,
                carry,
                limit,
            } => self.repeat([condition, body], *carry, *limit, &inputs, place),
            ControlOp::Switch { branches } => {
                let missing = || Error::internal("a choice without an index");
                let (index, operands) = inputs.split_first().ok_or_else(missing)?;
                let is_bool = types.first().is_some_and(|ty| ty.dtype == DType::Bool);
                let number = self.variable();
                // A boolean is a number too: the first branch is that of `False`.
                let text = match is_bool {
                    true => format!("{number} = int(bool({index}))"),
                    false => format!("{number} = int({index})"),
                };
                self.statement(&text);
                let results: Names = result.arrays().iter().map(|_| self.variable()).collect();
                self.choose(number, 0, branches, operands, &results, place)?;
                Ok(results)
            }
        }
    }

    fn scan(
        &mut self,
        body: &Body,
        shape: &Shape,
        inputs: &[Name],
        result: &Type,
        place: Place,
    ) -> Result<Names> {
        let (init, rest) = inputs.split_at(shape.carry);
        let (xs, invariants) = rest.split_at(shape.xs);
        let stacked = &result.arrays()[shape.carry..];
        if shape.length == 0 {
            let mut results = Names::from_slice(init);
            for ty in stacked {
                let nothing = HostArray::from_scalars(ty, &[]);
                let wrong = || Error::internal("a result of no iterations has elements");
                results.push(self.constant(&nothing.ok_or_else(wrong)?)?);
            }
            return Ok(results);
        }
        let carried = self.variables(init);
        let lists: Names = stacked.iter().map(|_| self.variable()).collect();
        for list in &lists {
            self.statement(&format!("{list} = annotate(List[Tensor], [])"));
        }
        let (step, at) = (self.variable(), self.variable());
        self.block(&format!("for {step} in range({}):", shape.length));
        self.statement(&match shape.reverse {
            true => format!("{at} = torch.sub({}, {step})", shape.length - 1),
            false => format!("{at} = {step}"),
        });
        let mut arguments = carried.to_vec();
        for x in xs {
            let [row] = self.call(
                "select",
                &[x.to_string(), "0".into(), at.to_string()],
                x.shares(),
            );
            arguments.push(row);
        }
        arguments.extend(invariants);
        self.steps.push(step);
        let results = write_graph(self, body.graph()?, &arguments, place);
        self.steps.pop();
        let results = results?;
        let (next, elements) = results.split_at(shape.carry);
        for (list, element) in lists.iter().zip(elements) {
            let done = self.variable();
            self.statement(&format!("{done} = torch.append({list}, {element})"));
        }
        self.assign(&carried, next);
        self.end();
        let mut results = carried;
        for list in lists {
            if shape.reverse {
                self.statement(&format!("torch.reverse({list})"));
            }
            let [all] = self.call("stack", &[list.to_string(), "0".into()], false);
            results.push(all);
        }
        Ok(results)
    }

    fn repeat(
        &mut self,
        [condition, body]: [&Body; 2],
        carry: usize,
        limit: u64,
        inputs: &[Name],
        place: Place,
    ) -> Result<Names> {
        let carried = self.variables(&inputs[..carry]);
        let [step, before, goes_on, holds] = std::array::from_fn(|_| self.variable());
        self.statement(&format!("{step} = 0"));
        // An error in the condition belongs to the iteration that it follows.
        self.statement(&format!("{before} = 0"));
        self.statement(&format!("{goes_on} = True"));
        self.block(&format!("while {goes_on}:"));
        let mut arguments = carried.to_vec();
        arguments.extend(&inputs[carry..]);
        let origin = self.origins.last().cloned();
        self.steps.push(before);
        let condition = write_graph(self, condition.graph()?, &arguments, place);
        self.steps.pop();
        let condition = condition?;
        let condition = condition
            .first()
            .ok_or_else(|| Error::internal("a loop without a condition"))?;
        self.statement(&format!("{holds} = bool({condition})"));
        self.block(&format!("if {holds}:"));
        if i64::try_from(limit).is_ok() {
            self.origins
                .extend(origin.map(|origin| origin.from(self.line + 1)));
            let at_limit = format!("torch.ge({step}, {limit})");
            self.refuse_if(&at_limit, Refusal::Iterations { limit }, "0");
        }
        self.steps.push(step);
        let results = write_graph(self, body.graph()?, &arguments, place);
        self.steps.pop();
        self.assign(&carried, &results?);
        self.statement(&format!("{before} = {step}"));
        self.statement(&format!("{step} = torch.add({step}, 1)"));
        self.end();
        self.block("else:");
        self.statement("pass");
        self.end();
        self.statement(&format!("{goes_on} = {holds}"));
        self.end();
        Ok(carried)
    }

    /// Writes the branch whose number a variable holds, of those from `first` on; numbers out of range are those of the nearest branch.
    fn choose(
        &mut self,
        number: Name,
        first: usize,
        branches: &[Body],
        operands: &[Name],
        results: &[Name],
        place: Place,
    ) -> Result<()> {
        if let [branch] = branches {
            let given = write_graph(self, branch.graph()?, operands, place)?;
            for (result, given) in results.iter().zip(given) {
                self.statement(&format!("{result} = {given}"));
            }
            self.statement("pass");
            return Ok(());
        }
        let (below, others) = branches.split_at(branches.len() / 2);
        let middle = first + below.len();
        self.block(&format!("if torch.lt({number}, {middle}):"));
        self.choose(number, first, below, operands, results, place)?;
        self.end();
        self.block("else:");
        self.choose(number, middle, others, operands, results, place)?;
        self.end();
        Ok(())
    }

    /// A new variable, which may be another name of an argument.
    fn variable(&mut self) -> Name {
        self.local(true)
    }

    /// New variables that begin with these values.
    fn variables(&mut self, values: &[Name]) -> Names {
        let named = |value: &Name| {
            let variable = self.variable();
            self.statement(&format!("{variable} = {value}"));
            variable
        };
        values.iter().map(named).collect()
    }

    fn assign(&mut self, variables: &[Name], values: &[Name]) {
        let values = self.variables(values);
        for (variable, value) in variables.iter().zip(values) {
            self.statement(&format!("{variable} = {value}"));
        }
        self.statement("pass");
    }
}

/// The attributes of a `scan`.
struct Shape {
    carry: usize,
    xs: usize,
    length: usize,
    reverse: bool,
}
