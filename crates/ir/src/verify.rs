//! The verifier: what must hold of every graph, checked after passes when asked for and in tests.
//!
//! [`Graph::verify`] holds of every graph; [`Graph::verify_shared`] of every graph but a trace, in which equal nodes stay
//! apart until the optimiser shares them.
//!
//! A failure is a mistake of autojit's own, and its message shows the neighbourhood.

use super::{Graph, LeafOp, Op, Type, ValueId};
use crate::error::{Error, Result};

impl Graph {
    /// Checks that
    /// 1. the inputs of a node come before it,
    /// 2. every type is what inference gives,
    /// 3. arguments and constants that are named exist with the type that is named,
    /// 4. results are arrays that exist.
    ///
    /// # Errors
    /// One of these does not hold.
    pub fn verify(&self) -> Result<()> {
        for value in self.values() {
            let node = &self[value];
            let fail = |why: &str| {
                Err(Error::internal(format!(
                    "{why}\n{}",
                    self.neighbourhood(value)
                )))
            };
            if node.inputs.iter().any(|&input| input >= value) {
                return fail("an input does not come before its user");
            }
            match &node.op {
                Op::Leaf(LeafOp::Input { index, ty })
                    if self.input_types().get(*index) != Some(ty) =>
                {
                    return fail("an argument that does not exist");
                }
                Op::Leaf(LeafOp::Constant { index, ty })
                    if self
                        .constants()
                        .get(*index)
                        .map(super::HostArray::ty)
                        .as_ref()
                        != Some(ty) =>
                {
                    return fail("a constant that does not exist");
                }
                _ => {}
            }
            for body in node.op.bodies() {
                body.graph()?.verify()?;
            }
            let types: Vec<&Type> = node.inputs.iter().map(|&i| &*self[i].ty).collect();
            match node.op.infer(&types) {
                Ok(signature) if signature.result == *node.ty => {}
                Ok(signature) => return fail(&format!("the type should be {}", signature.result)),
                Err(error) => return fail(&error.to_string()),
            }
        }
        self.check_outputs().map_err(Error::internal)
    }

    /// Checks that each result is an array of the graph; a tuple is none.
    ///
    /// # Errors
    /// One is not (`is_value`).
    pub fn check_outputs(&self) -> Result<()> {
        for &output in self.outputs() {
            match self.nodes().get(output.index()).map(|node| &*node.ty) {
                Some(Type::Array(_)) => {}
                Some(tuple) => {
                    return Err(Error::value(format!(
                        "expected arrays as the results of a graph, got {output} of type {tuple}"
                    )));
                }
                None => {
                    return Err(Error::value(format!(
                        "the result {output} is not a value of the graph"
                    )));
                }
            }
        }
        Ok(())
    }

    /// Checks in addition that equal nodes are one node, which holds of every graph but a trace.
    ///
    /// # Errors
    /// As [`Graph::verify`], or a node equals an earlier one.
    pub fn verify_shared(&self) -> Result<()> {
        self.verify()?;
        let mut seen = rustc_hash::FxHashSet::default();
        for value in self.values() {
            let node = &self[value];
            if !seen.insert((&node.op, &node.inputs)) {
                let neighbourhood = self.neighbourhood(value);
                return Err(Error::internal(format!(
                    "an equal node came before\n{neighbourhood}"
                )));
            }
        }
        Ok(())
    }

    /// A node with its inputs, as text.
    fn neighbourhood(&self, value: ValueId) -> String {
        let line = |v: ValueId| {
            let node = &self.nodes()[v.index()];
            let inputs: Vec<String> = node.inputs.iter().map(ToString::to_string).collect();
            let at = node
                .location
                .map_or_else(String::new, |l| format!(", at {l}"));
            format!("  {v} = {} {} : {}{at}", node.op, inputs.join(" "), node.ty)
        };
        let inputs = self[value]
            .inputs
            .iter()
            .filter(|&&i| i < value)
            .map(|&i| line(i));
        inputs.chain([line(value)]).collect::<Vec<_>>().join("\n")
    }
}
