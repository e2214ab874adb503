//! Graphs that call functions of the user's, cut at the calls: programs of XLA's, and the calls between them.
//!
//! XLA makes calls back from inside of a program on threads of its own, of which there are few. A function of the user's
//! may itself run something with XLA, and would wait there for a thread that never comes. So it is called on the thread
//! of the caller, while no program runs, and its failures are plain errors.
//!
//! Stage by stage: what needs no result of a function is the first program; the functions that only need values of that
//! come after it; then the program of what needs their results too, and so on. Linear in nodes.
//!
//! Invariants: every value that a part reads was written by one before it, or is an argument or a constant; the random
//! draws of all programs are numbered together, once a call.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use crate::library::{self as xla, Program};
use autojit_ir::error::{Error, Result};
use autojit_ir::random::Reserved;
use autojit_ir::{Graph, HostArray, LeafOp, Op, OpaqueFunction, Site, Type, ValueId};
use autojit_library::{self as library, AnyLibrary, Concrete, Results};

use autojit_library::backend::{CodeReport, Executable, Outputs};

/// The compiled parts, in order.
pub(super) struct Stages {
    parts: Vec<Part>,
    /// Constants that functions take.
    constants: Vec<(Slot, Concrete)>,
    /// Where the arguments are put that anything reads.
    arguments: Vec<(usize, Slot)>,
    outputs: Vec<Slot>,
    slots: usize,
}

/// Where a value is held while the parts run.
type Slot = usize;

struct Part {
    work: Work,
    inputs: Vec<Slot>,
    outputs: Vec<Slot>,
}

enum Work {
    Program(Program),
    Call(Call),
}

/// A call of a user's function.
struct Call {
    function: OpaqueFunction,
    result: Arc<Type>,
    location: Option<Site>,
}

/// Whether a graph calls functions of the user's.
pub(super) fn has_calls(graph: &Graph) -> bool {
    let is_call = |op: &Op| matches!(op, Op::Opaque { .. });
    graph.nodes().iter().any(|node| is_call(&node.op))
}

impl Stages {
    /// Compiles a graph.
    ///
    /// # Errors
    /// XLA does not run one of the programs (`is_unsupported`), or there is no memory for its constants.
    pub(super) fn new(graph: &Graph) -> Result<Self> {
        Cut::new(graph).compile()
    }

    fn programs(&self) -> impl Iterator<Item = &Program> {
        self.parts.iter().filter_map(|part| match &part.work {
            Work::Program(program) => Some(program),
            Work::Call(_) => None,
        })
    }
}

impl Executable for Stages {
    fn run(&self, inputs: &[&Concrete], outputs: &mut Outputs) -> Result<()> {
        let missing = || Error::internal("a value is used before it is computed");
        let library = library::common(inputs.iter().copied());
        let stays = library.name() == xla::XLA.name();
        let draws = Arc::new(Reserved::new(self.programs().flat_map(Program::called)));
        let mut held: Vec<Option<Concrete>> = vec![None; self.slots];
        for (slot, constant) in &self.constants {
            held[*slot] = Some(constant.clone());
        }
        for &(index, slot) in &self.arguments {
            held[slot] = Some((*inputs.get(index).ok_or_else(missing)?).clone());
        }
        for part in &self.parts {
            let of_xla = stays || matches!(part.work, Work::Program(_));
            if of_xla {
                // Once, however many parts read it.
                for &slot in &part.inputs {
                    let value = held[slot].as_ref().ok_or_else(missing)?;
                    held[slot] = Some(value.moved_to(&xla::XLA)?);
                }
            }
            let read = part.inputs.iter().map(|&slot| held[slot].as_ref());
            let read: Option<SmallVec<[&Concrete; 8]>> = read.collect();
            let read = read.ok_or_else(missing)?;
            let results: Results = match &part.work {
                Work::Program(program) => xla::run_part(program, &read, Some(&draws))?.into(),
                Work::Call(call) => call.run(&read, stays)?,
            };
            drop(read);
            for (&slot, result) in part.outputs.iter().zip(results) {
                held[slot] = Some(result);
            }
        }
        for &slot in &self.outputs {
            let output = held[slot].as_ref().ok_or_else(missing)?;
            outputs.push(output.moved_to(if stays {
                &xla::XLA
            } else {
                library::default_library()
            })?);
        }
        Ok(())
    }

    fn describe(&self) -> String {
        let mut text = format!(
            "XLA: {} programs, and {} calls of functions between them\n",
            self.programs().count(),
            self.parts.len() - self.programs().count()
        );
        for part in &self.parts {
            text += &match &part.work {
                Work::Program(program) => program.describe(),
                Work::Call(call) => format!("a call of {}\n", call.function.name()),
            };
        }
        text
    }

    fn report(&self) -> CodeReport {
        let calls = self.parts.len() - self.programs().count();
        let calls_back: usize = self.programs().map(Program::host_calls).sum();
        let mut report =
            CodeReport::of_instructions(self.programs().map(Program::instructions).sum());
        report.runtime_calls = Some(calls_back + calls);
        report
    }
}

impl Call {
    /// With arrays of xla if they are the caller's, else in main memory: there the function is bound to the library
    /// whose arrays the caller has (`jit/trace.rs`).
    fn run(&self, inputs: &[&Concrete], of_xla: bool) -> Result<Results> {
        let call = || {
            if of_xla {
                return library::call_opaque(&xla::XLA, &self.function, inputs, &self.result);
            }
            let hosts: Vec<HostArray> =
                inputs.iter().map(|x| x.to_host()).collect::<Result<_>>()?;
            let results = self.function.call(&hosts)?;
            let results: Results = results.into_iter().map(Concrete::Ndarray).collect();
            library::check_types(&results, self.result.arrays())?;
            Ok(results)
        };
        call().map_err(|e: Error| {
            let e = e.in_op(self.function.name());
            self.location.map_or(e.clone(), |location| e.at(location))
        })
    }
}

/// A graph, and which part computes what.
struct Cut<'g> {
    graph: &'g Graph,
    live: Vec<bool>,
    /// Of a result of a function, the stage after whose program it is called.
    stages: Vec<usize>,
}

/// Slots for values, by the node that makes them and which of its results they are.
type Slots = FxHashMap<(ValueId, usize), Slot>;

impl<'g> Cut<'g> {
    fn new(graph: &'g Graph) -> Self {
        let mut cut = Self {
            graph,
            live: graph.live(),
            stages: Vec::with_capacity(graph.nodes().len()),
        };
        for value in graph.values() {
            let is_called = cut.is_called(value);
            let inputs = graph[value].inputs.iter();
            let after =
                |&i: &ValueId| cut.stages[i.index()] + usize::from(!is_called && cut.is_called(i));
            let stage = inputs.map(after).max().unwrap_or(0);
            cut.stages.push(stage);
        }
        cut
    }

    /// Whether a function of the user's gives it.
    fn is_called(&self, value: ValueId) -> bool {
        let node = &self.graph[value];
        let made_by = match node.op {
            Op::Get { .. } => &self.graph[node.inputs[0]].op,
            ref op => op,
        };
        matches!(made_by, Op::Opaque { .. })
    }

    /// Whether a program computes it.
    fn is_computed(&self, value: ValueId) -> bool {
        !self.graph[value].op.is_leaf() && !self.is_called(value)
    }

    fn slot(&self, slots: &mut Slots, value: ValueId) -> Slot {
        let node = &self.graph[value];
        let key = if let Op::Get { index } = node.op
            && self.is_called(value)
        {
            (node.inputs[0], index)
        } else {
            (value, 0)
        };
        slot(slots, key)
    }

    fn live(&self) -> impl Iterator<Item = ValueId> + '_ {
        self.graph.values().filter(|v| self.live[v.index()])
    }

    fn compile(&self) -> Result<Stages> {
        let count = self.live().map(|v| self.stages[v.index()] + 1).max();
        let mut members: Vec<Vec<ValueId>> = vec![Vec::new(); count.unwrap_or(0)];
        let mut calls = members.clone();
        let mut results = members.clone();
        let mut seen: FxHashSet<ValueId> = FxHashSet::default();
        for value in self.live() {
            let stage = self.stages[value.index()];
            let node = &self.graph[value];
            if self.is_computed(value) {
                members[stage].push(value);
            } else if matches!(node.op, Op::Opaque { .. }) {
                calls[stage].push(value);
            }
            for &input in &node.inputs {
                let made = self.stages[input.index()];
                let leaves = self.is_called(value) || made != stage;
                if self.is_computed(input) && leaves && seen.insert(input) {
                    results[made].push(input);
                }
            }
        }
        for &output in self.graph.outputs() {
            // What is handed out is never an argument or a constant itself, so the first program copies those.
            if !self.is_called(output) && seen.insert(output) {
                results[self.stages[output.index()]].push(output);
            }
        }
        let mut slots = Slots::default();
        let mut parts = Vec::new();
        for ((members, results), calls) in members.iter().zip(&results).zip(&calls) {
            if !results.is_empty() {
                parts.push(self.program(members, results, &mut slots)?);
            }
            for &call in calls {
                parts.extend(self.call(call, &mut slots));
            }
        }
        let outputs = self.graph.outputs().iter();
        let outputs = outputs.map(|&v| self.slot(&mut slots, v)).collect();
        let mut stages = Stages {
            parts,
            constants: Vec::new(),
            arguments: Vec::new(),
            outputs,
            slots: slots.len(),
        };
        for (&(value, _), &slot) in &slots {
            let Op::Leaf(leaf) = &self.graph[value].op else {
                continue;
            };
            match leaf {
                LeafOp::Input { index, .. } => stages.arguments.push((*index, slot)),
                LeafOp::Literal { value } => {
                    let array = HostArray::scalar(value.value, value.dtype);
                    stages.constants.push((slot, Concrete::Ndarray(array)));
                }
                LeafOp::Constant { index, .. } => {
                    let array = self.graph.constants()[*index].clone();
                    stages.constants.push((slot, Concrete::Ndarray(array)));
                }
            }
        }
        Ok(stages)
    }

    fn program(&self, members: &[ValueId], results: &[ValueId], slots: &mut Slots) -> Result<Part> {
        let mut part = Graph::new();
        let mut known: FxHashMap<ValueId, ValueId> = FxHashMap::default();
        let mut inputs: Vec<Slot> = Vec::new();
        let mut import = |part: &mut Graph, known: &mut FxHashMap<_, _>, value: ValueId| {
            if let Some(&found) = known.get(&value) {
                return Ok(found);
            }
            let new = match &self.graph[value].op {
                Op::Leaf(LeafOp::Literal { value }) => part.add_literal(value.value, value.dtype),
                Op::Leaf(LeafOp::Constant { index, .. }) => {
                    part.add_constant(self.graph.constants()[*index].clone())
                }
                Op::Leaf(LeafOp::Input { .. })
                | Op::Map(_)
                | Op::Reduce(_)
                | Op::Scan(_)
                | Op::Sort(_)
                | Op::Contract(_)
                | Op::View(_)
                | Op::Index(_)
                | Op::Join(_)
                | Op::Linalg(_)
                | Op::Fourier(_)
                | Op::Control(_)
                | Op::Get { .. }
                | Op::Random { .. }
                | Op::Opaque { .. } => {
                    inputs.push(self.slot(slots, value));
                    part.add_input(self.graph.ty(value)?.clone())
                }
            };
            known.insert(value, new);
            Ok::<ValueId, Error>(new)
        };
        for &value in members {
            let node = &self.graph[value];
            let mut operands: SmallVec<[ValueId; 4]> = SmallVec::new();
            for &input in &node.inputs {
                operands.push(import(&mut part, &mut known, input)?);
            }
            let new = part.insert(node.op.clone(), &operands, node.ty.clone(), node.location);
            known.insert(value, new);
        }
        let mut outputs = Vec::with_capacity(results.len());
        for &result in results {
            outputs.push(import(&mut part, &mut known, result)?);
        }
        part.set_outputs(outputs);
        Ok(Part {
            work: Work::Program(Program::new(&part)?),
            inputs,
            outputs: results.iter().map(|&v| self.slot(slots, v)).collect(),
        })
    }

    fn call(&self, value: ValueId, slots: &mut Slots) -> Option<Part> {
        let node = &self.graph[value];
        let Op::Opaque { function } = &node.op else {
            return None;
        };
        let outputs = 0..node.ty.arrays().len();
        let outputs = outputs.map(|i| slot(slots, (value, i))).collect();
        Some(Part {
            work: Work::Call(Call {
                function: function.clone(),
                result: Arc::clone(&node.ty),
                location: node.location,
            }),
            inputs: node.inputs.iter().map(|&v| self.slot(slots, v)).collect(),
            outputs,
        })
    }
}

fn slot(slots: &mut Slots, key: (ValueId, usize)) -> Slot {
    let next = slots.len();
    *slots.entry(key).or_insert(next)
}
