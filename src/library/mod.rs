//! Libraries: where arrays live, and how each op is spelled there.
//!
//! A [`Library`] spells core ops on its own arrays. Everything around that is the same for all and stands in
//! [`apply`]: converting inputs to the dtypes that inference asks for, and expanding what a library does not
//! spell. Not to be confused with a backend, which runs a whole graph (see [`crate::backends`]).

mod ndarray;

use smallvec::SmallVec;

use crate::error::{Error, Result};
use crate::ir::{ArrayType, Builder, Graph, HostArray, Op, Type};

/// An array of some library.
#[derive(Clone, Debug)]
pub(crate) enum Concrete {
    /// An array in main memory, of the ndarray library.
    Ndarray(HostArray),
}

/// The results of an op: one, except for decompositions.
pub(crate) type Results = SmallVec<[Concrete; 1]>;

/// What a library must be able to do.
pub(crate) trait Library: Send + Sync {
    /// The name by which users call it.
    fn name(&self) -> &'static str;

    /// Runs an op on arrays of this library whose dtypes are those of the op's signature.
    ///
    /// `None` means that the library has no spelling of its own for the op; it is then expanded.
    fn spell(&self, op: &Op, inputs: &[Concrete], result: &Type) -> Result<Option<Results>>;

    /// An array of this library with the given values.
    #[allow(clippy::wrong_self_convention, reason = "the library makes the array")]
    fn from_host(&self, array: HostArray) -> Result<Concrete>;

    /// The values of an array of this library.
    fn to_host(&self, array: &Concrete) -> Result<HostArray>;
}

impl Concrete {
    /// dtype and shape.
    pub(crate) fn ty(&self) -> ArrayType {
        match self {
            Self::Ndarray(array) => array.ty(),
        }
    }

    /// The library that it belongs to.
    pub(crate) fn library(&self) -> &'static dyn Library {
        match self {
            Self::Ndarray(_) => &ndarray::Ndarray,
        }
    }

    /// The values in main memory.
    pub(crate) fn to_host(&self) -> Result<HostArray> {
        self.library().to_host(self)
    }
}

/// The library of arrays that come from nowhere else: ndarray.
pub(crate) fn default_library() -> &'static dyn Library {
    &ndarray::Ndarray
}

/// Runs an op: infers its signature, converts the inputs, and expands it if the library does not spell it.
pub(crate) fn apply(library: &dyn Library, op: &Op, inputs: &[Concrete]) -> Result<Results> {
    let types: SmallVec<[Type; 4]> = inputs.iter().map(|x| Type::from(x.ty())).collect();
    let references: SmallVec<[&Type; 4]> = types.iter().collect();
    let signature = op.infer(&references)?;
    let mut converted: SmallVec<[Concrete; 4]> = SmallVec::with_capacity(inputs.len());
    for ((input, ty), operand) in inputs.iter().zip(&types).zip(&signature.operands) {
        match *operand {
            Some(dtype) if ty.array()?.dtype != dtype => {
                converted.push(spell_core(
                    library,
                    &Op::Astype { dtype },
                    std::slice::from_ref(input),
                )?);
            }
            _ => converted.push(input.clone()),
        }
    }
    match library
        .spell(op, &converted, &signature.result)
        .map_err(|e| e.in_op(op.name()))?
    {
        Some(results) => Ok(results),
        None => apply_expanded(library, op, &converted).map_err(|e| e.in_op(op.name())),
    }
}

/// Runs an op that must be spelled and has one result.
fn spell_core(library: &dyn Library, op: &Op, inputs: &[Concrete]) -> Result<Concrete> {
    apply(library, op, inputs)?
        .pop()
        .ok_or_else(|| Error::internal(format!("{op} gave no result")))
}

/// Runs the expansion of an op.
fn apply_expanded(library: &dyn Library, op: &Op, inputs: &[Concrete]) -> Result<Results> {
    if !op.has_expansion() {
        return Err(Error::unsupported(format!(
            "the library {} does not support {op}",
            library.name()
        )));
    }
    let mut graph = Graph::new();
    let values: Vec<_> = inputs.iter().map(|x| graph.add_input(x.ty())).collect();
    let output = Builder::new(&mut graph, None).push(op.clone(), &values)?;
    graph.set_outputs(vec![output]);
    Ok(run_graph(library, &graph, inputs)?.into())
}

/// Walks a graph with arrays of one library, forgetting each value after its last use.
pub(crate) fn run_graph(
    library: &dyn Library,
    graph: &Graph,
    inputs: &[Concrete],
) -> Result<Vec<Concrete>> {
    let mut last_use: Vec<u32> = vec![0; graph.nodes().len()];
    let live = graph.live();
    for value in graph.values().filter(|v| live[v.index()]) {
        for input in &graph[value].inputs {
            last_use[input.index()] = value.0;
        }
    }
    for output in graph.outputs() {
        last_use[output.index()] = u32::MAX;
    }
    let mut results: Vec<Option<Results>> = vec![None; graph.nodes().len()];
    for value in graph.values().filter(|v| live[v.index()]) {
        let node = &graph[value];
        let missing = || Error::internal(format!("{value} is used before it is computed"));
        let result =
            match &node.op {
                Op::Input { index, .. } => {
                    Results::from_iter([inputs.get(*index).cloned().ok_or_else(missing)?])
                }
                Op::Literal { value } => Results::from_iter([
                    library.from_host(HostArray::scalar(value.value, value.dtype))?
                ]),
                Op::Constant { index, .. } => {
                    Results::from_iter([library.from_host(graph.constants()[*index].clone())?])
                }
                Op::Get { index } => {
                    let tuple = results[node.inputs[0].index()]
                        .as_ref()
                        .ok_or_else(missing)?;
                    Results::from_iter([tuple.get(*index).cloned().ok_or_else(missing)?])
                }
                op => {
                    let arguments = node
                        .inputs
                        .iter()
                        .map(|i| {
                            results[i.index()]
                                .as_ref()
                                .and_then(|r| r.first())
                                .cloned()
                                .ok_or_else(missing)
                        })
                        .collect::<Result<SmallVec<[Concrete; 4]>>>()?;
                    let result = apply(library, op, &arguments);
                    result.map_err(|e| node.location.map_or(e.clone(), |l| e.at(l)))?
                }
            };
        results[value.index()] = Some(result);
        for input in &node.inputs {
            if last_use[input.index()] == value.0 {
                results[input.index()] = None;
            }
        }
    }
    let output =
        |v: &crate::ir::ValueId| results[v.index()].as_ref().and_then(|r| r.first()).cloned();
    graph
        .outputs()
        .iter()
        .map(|v| output(v).ok_or_else(|| Error::internal(format!("no result {v}"))))
        .collect()
}
