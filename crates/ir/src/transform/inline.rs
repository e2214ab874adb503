//! Inlining: what one graph computes, as nodes of another.

use smallvec::SmallVec;

use crate::{Error, Graph, LeafOp, Node, Op, Result, Site, ValueId};

impl Graph {
    /// Adds what `source` computes from the given values, and gives its results. Dead nodes are left out; new nodes carry the
    /// lines of those that they stand for, or `location` where these have none.
    ///
    /// ```
    /// use autojit_ir::Graph;
    ///
    /// let square: Graph = "%x = input index=0 ty=f64[3]\n%y = multiply %x %x\nreturn %y".parse()?;
    /// let mut graph = Graph::new();
    /// let x = graph.add_input(square.input_types()[0].clone());
    /// let squared = graph.inline(&square, &[x], None)?;
    /// let fourth = graph.inline(&square, &squared, None)?;
    /// graph.set_outputs(fourth);
    /// assert_eq!(graph.nodes().len(), 3);
    /// # Ok::<(), autojit_ir::Error>(())
    /// ```
    ///
    /// # Errors
    /// The values do not have the types of the inputs of `source`.
    pub fn inline(
        &mut self,
        source: &Self,
        inputs: &[ValueId],
        location: Option<Site>,
    ) -> Result<Vec<ValueId>> {
        self.check_inlined(source, inputs)?;
        Ok(self.inline_live(source, inputs, location))
    }

    /// The same for a trace, which records nodes whether there are equal ones or not. The nodes are moved.
    ///
    /// # Errors
    /// As [`Graph::inline`].
    pub fn record_all(
        &mut self,
        source: Self,
        inputs: &[ValueId],
        location: Site,
    ) -> Result<Vec<ValueId>> {
        self.check_inlined(&source, inputs)?;
        let live = source.live();
        let (nodes, constants, outputs) = source.into_parts();
        self.reserve(nodes.len());
        let mut map: Vec<ValueId> = Vec::with_capacity(live.len());
        for (node, live) in nodes.into_iter().zip(live) {
            if !live {
                map.push(ValueId(u32::MAX));
                continue;
            }
            let Node {
                op,
                inputs: mut operands,
                ty,
                location: line,
            } = node;
            let line = line.unwrap_or(location);
            map.push(match op {
                Op::Leaf(LeafOp::Input { index, .. }) => inputs[index],
                Op::Leaf(LeafOp::Literal { .. }) => self.record_leaf(op),
                Op::Leaf(LeafOp::Constant { index, .. }) => {
                    self.record_constant(constants.arrays()[index].clone(), line)
                }
                op => {
                    for operand in &mut operands {
                        *operand = map[operand.index()];
                    }
                    self.record(op, operands, ty, Some(line))
                }
            });
        }
        Ok(outputs.iter().map(|output| map[output.index()]).collect())
    }

    /// The same as [`Graph::inline`], for inputs of the right types; those that no result depends on may be missing at the end.
    pub(super) fn inline_live(
        &mut self,
        source: &Self,
        inputs: &[ValueId],
        location: Option<Site>,
    ) -> Vec<ValueId> {
        let live = source.live();
        let mut map: Vec<ValueId> = Vec::with_capacity(live.len());
        for (node, live) in source.nodes().iter().zip(live) {
            if !live {
                map.push(ValueId(u32::MAX));
                continue;
            }
            map.push(match &node.op {
                Op::Leaf(LeafOp::Input { index, .. }) => inputs[*index],
                Op::Leaf(LeafOp::Literal { value }) => self.add_literal(value.value, value.dtype),
                Op::Leaf(LeafOp::Constant { index, .. }) => {
                    self.add_constant(source.constants()[*index].clone())
                }
                op => {
                    let inputs: SmallVec<[ValueId; 4]> =
                        node.inputs.iter().map(|input| map[input.index()]).collect();
                    let line = node.location.or(location);
                    self.insert(op.clone(), &inputs, node.ty.clone(), line)
                }
            });
        }
        let outputs = source.outputs().iter();
        outputs.map(|output| map[output.index()]).collect()
    }

    /// Adds the nodes of `source` for which `live` holds, with values of this graph in the place of its inputs and, by `given`, of
    /// some of its nodes, and gives its results. An input that no such node reads needs no value.
    #[doc(hidden)]
    pub fn inline_rest(
        &mut self,
        source: &Self,
        live: &[bool],
        inputs: &[ValueId],
        given: &[(ValueId, ValueId)],
    ) -> Vec<ValueId> {
        const NONE: ValueId = ValueId(u32::MAX);
        let mut map = vec![NONE; source.nodes().len()];
        for &(value, instead) in given {
            map[value.index()] = instead;
        }
        for value in source.values() {
            let node = &source[value];
            if !live[value.index()] || map[value.index()] != NONE {
                continue;
            }
            map[value.index()] = match &node.op {
                Op::Leaf(LeafOp::Input { index, .. }) => inputs[*index],
                Op::Leaf(LeafOp::Constant { index, .. }) => {
                    self.add_constant(source.constants()[*index].clone())
                }
                Op::Leaf(LeafOp::Literal { value }) => self.add_literal(value.value, value.dtype),
                op => {
                    let inputs: SmallVec<[ValueId; 4]> =
                        node.inputs.iter().map(|i| map[i.index()]).collect();
                    self.insert(op.clone(), &inputs, node.ty.clone(), node.location)
                }
            };
        }
        let outputs = source.outputs().iter();
        outputs.map(|output| map[output.index()]).collect()
    }

    /// Whether values of this graph can be the inputs of another.
    fn check_inlined(&self, source: &Self, inputs: &[ValueId]) -> Result<()> {
        let types = source.input_types();
        if inputs.len() != types.len() {
            return Err(Error::internal(format!(
                "a graph of {} inputs is inlined with {}",
                types.len(),
                inputs.len()
            )));
        }
        for (&input, ty) in inputs.iter().zip(types) {
            let given = self.ty(input)?;
            if given != ty {
                return Err(Error::internal(format!(
                    "a graph of {ty} is inlined with {given}"
                )));
            }
        }
        Ok(())
    }

    /// Makes an argument of each of these leaves, which stand for values from elsewhere, behind the arguments that there are.
    ///
    /// # Errors
    /// One of them is no leaf of this kind.
    pub fn close(&mut self, leaves: &[ValueId]) -> Result<()> {
        for &leaf in leaves {
            let ty = self.ty(leaf)?.clone();
            self.close_leaf(leaf, ty)?;
        }
        Ok(())
    }
}
