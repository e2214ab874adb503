//! Computations inside of others: the bodies of loops, their conditions, branches.
//!
//! Such a computation has one argument, a tuple. In XLA it sees nothing else, so what it needs of the module's own
//! arguments, such as large constants and the number of the run, and the numbers of the iterations around it, are further elements
//! of that tuple. They are found while the computation is written, and handed on from level to level.
//!
//! Invariant: a computation is sealed with the elements that it captured in the order of the tuple that it is given.

use std::fmt::Write as _;

use super::module::{Computation, Outside, Value, Writer, tuple_text, unopened};
use autojit_ir::ArrayType;
use autojit_ir::error::Result;

/// The name of the argument.
const STATE: &str = "state";

/// The results of a computation.
pub(super) enum Root {
    /// One value.
    Value(Value),
    /// A tuple of these.
    Tuple(Vec<Value>),
    /// A tuple like its argument: these, and what it captured as it is.
    State(Vec<Value>),
}

/// A value that a computation takes from around it: its kind, and the value there.
pub(super) type Captured = Vec<(Outside, Value)>;

impl Writer {
    /// Opens a computation whose argument is a tuple of these and of what is captured; gives the former.
    pub(super) fn begin(&mut self, elements: &[ArrayType], captured: Captured) -> Vec<Value> {
        let computation = Computation::of_tuple(elements.len(), captured);
        self.open.push(computation);
        let level = self.open.len() - 1;
        let elements = elements.iter().enumerate();
        elements
            .map(|(i, ty)| self.part(level, STATE, i, ty))
            .collect()
    }

    /// Says what the computation that is being written knows without capturing it.
    pub(super) fn provide(&mut self, outside: Outside, value: &Value) {
        if let Some(open) = self.open.last_mut() {
            open.known.insert(outside, value.clone());
        }
    }

    /// Closes the computation that is being written.
    ///
    /// # Errors
    /// An internal error if there is none.
    pub(super) fn end(&mut self) -> Result<Computation> {
        self.open.pop().ok_or_else(unopened)
    }

    /// Puts a computation into the module, for an argument of these elements and what is captured; gives its name.
    ///
    /// # Errors
    /// An internal error.
    pub(super) fn seal(
        &mut self,
        stem: &str,
        computation: Computation,
        elements: &[ArrayType],
        captured: &Captured,
        root: Root,
    ) -> Result<String> {
        self.open.push(computation);
        let level = self.open.len() - 1;
        self.open[level].captured.clone_from(captured);
        let root = match root {
            Root::State(mut values) => {
                for (outside, _) in captured {
                    values.push(self.outside(*outside));
                }
                Root::Tuple(values)
            }
            root => root,
        };
        let mut computation = self.end()?;
        match root {
            Root::Value(value) => computation.close(&[value]),
            Root::Tuple(values) | Root::State(values) => computation.root_tuple(&values),
        }
        let name = self.new_region(stem);
        let types = elements.iter().chain(captured.iter().map(|(_, v)| &v.ty));
        // Writing to a string does not fail.
        let _ = write!(
            self.regions,
            "{name} {{\n  {STATE} = {} parameter(0)\n{}}}\n\n",
            tuple_text(types),
            computation.text
        );
        Ok(name)
    }

    /// The value of something from outside in the computation that is being written.
    pub(super) fn outside(&mut self, outside: Outside) -> Value {
        self.outside_at(self.open.len() - 1, outside)
    }

    fn outside_at(&mut self, level: usize, outside: Outside) -> Value {
        if let Some(known) = self.open[level].known.get(&outside) {
            return known.clone();
        }
        let value = if level == 0 {
            let ty = self.extra_type(outside);
            self.parameter_at(0, &ty)
        } else {
            let captured = &self.open[level].captured;
            let place = captured.iter().position(|(known, _)| *known == outside);
            let place = place.unwrap_or_else(|| {
                let outer = self.outside_at(level - 1, outside);
                let captured = &mut self.open[level].captured;
                captured.push((outside, outer));
                captured.len() - 1
            });
            let ty = self.open[level].captured[place].1.ty.clone();
            let index = self.open[level].elements + place;
            self.part(level, STATE, index, &ty)
        };
        self.open[level].known.insert(outside, value.clone());
        value
    }
}
