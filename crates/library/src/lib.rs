//! Libraries: where arrays live, and how each op runs there.
//!
//! An [`AnyLibrary`] runs core ops on its own arrays; users add theirs by implementing [`Library`]. Everything
//! around that is the same for all and stands in [`apply`]: functions that users put in an op's place,
//! converting inputs to the dtypes that inference asks for, and expanding what a library does not run. Not to
//! be confused with a backend, which runs a whole graph (see [`backend`]).

pub mod backend;
pub mod callback;
mod control;
pub mod environment;
mod foreign;
pub mod interrupt;
mod known;
pub mod list;
pub mod logging;
mod ndarray;
pub mod registered;
mod replacement;
pub mod runtime;

use autojit_runtime::random::Distribution as RuntimeDistribution;
use autojit_runtime::scatter::Mode;
use smallvec::SmallVec;

use autojit_ir::error::{Error, Result};
use autojit_ir::random::{Distribution, Reserved};
use autojit_ir::scatter::ScatterMode;
use autojit_ir::{
    ArrayType, DType, Graph, HostArray, LeafOp, MapOp, Op, OperandType, Type, ValueId, expansion,
    is_widened, plain_result,
};

pub use foreign::{ForeignArray, make};
pub use foreign::{Library, Spelled};
pub use replacement::{
    Hooks, LibraryFunction, any_replacement, call_opaque, check_types, install, replaced_lazily,
};

/// The runtime's name of a way to update.
pub fn scatter_mode(mode: ScatterMode) -> Mode {
    match mode {
        ScatterMode::Set => Mode::Set,
        ScatterMode::Add => Mode::Add,
        ScatterMode::Multiply => Mode::Multiply,
        ScatterMode::Min => Mode::Min,
        ScatterMode::Max => Mode::Max,
    }
}

/// The runtime's name of a distribution.
pub fn random_distribution(distribution: Distribution) -> RuntimeDistribution {
    match distribution {
        Distribution::Uniform => RuntimeDistribution::Uniform,
        Distribution::Normal => RuntimeDistribution::Normal,
        Distribution::Integers { low, span } => RuntimeDistribution::Integers { low, span },
    }
}

/// The numbers of a draw that is fixed, in main memory.
pub fn draw(op: &Op) -> Result<HostArray> {
    let missing = || Error::internal(format!("{op} drew nothing"));
    let result = op.infer(&[])?.result;
    run(default_library(), op, &[], &result)?
        .pop()
        .ok_or_else(missing)?
        .to_host()
}

/// An array of some library.
#[derive(Clone, Debug)]
pub enum Concrete {
    /// An array in main memory, of the ndarray library.
    Ndarray(HostArray),
    /// An array of a library that a user registered.
    Foreign(std::sync::Arc<ForeignArray>),
}

/// The results of an op: one, except for decompositions.
pub type Results = SmallVec<[Concrete; 1]>;

/// The interface of a library, whatever its arrays are. Libraries live as long as the program.
pub trait AnyLibrary: Send + Sync {
    /// The name by which users call it.
    fn name(&self) -> &'static str;

    /// Runs an op on arrays of this library whose dtypes are those of the op's signature.
    ///
    /// `None` means that the library has nothing of its own for the op; it is then expanded.
    fn run(&'static self, op: &Op, inputs: &[&Concrete], result: &Type) -> Result<Option<Results>>;

    /// An array of this library with the given values, on its default device or the one that is named.
    #[allow(clippy::wrong_self_convention, reason = "the library makes the array")]
    fn from_host_on(&'static self, array: HostArray, device: Option<&str>) -> Result<Concrete>;

    /// The values of an array of this library.
    fn to_host(&self, array: &Concrete) -> Result<HostArray>;

    /// Where the array lives, such as `"cpu"`.
    fn device(&self, array: &Concrete) -> String;

    /// Whether its arrays are no more than their values, so that they survive the way to main memory and back.
    fn round_trips(&self) -> bool;

    /// The Rust type of its arrays.
    fn array_type_id(&self) -> std::any::TypeId;

    /// dtype and shape of a value, if it is one of the library's arrays.
    fn type_of(&self, value: &dyn std::any::Any) -> Option<ArrayType>;

    /// An array of this library with the given values.
    #[allow(clippy::wrong_self_convention, reason = "the library makes the array")]
    fn from_host(&'static self, array: HostArray) -> Result<Concrete> {
        self.from_host_on(array, None)
    }
}

impl Concrete {
    /// dtype and shape.
    pub fn ty(&self) -> ArrayType {
        match self {
            Self::Ndarray(array) => array.ty(),
            Self::Foreign(array) => array.ty().clone(),
        }
    }

    /// The dtype alone.
    #[inline]
    pub fn dtype(&self) -> DType {
        match self {
            Self::Ndarray(array) => array.dtype(),
            Self::Foreign(array) => array.ty().dtype,
        }
    }

    /// The shape, without a copy.
    #[inline]
    pub fn shape(&self) -> &[usize] {
        match self {
            Self::Ndarray(array) => array.shape(),
            Self::Foreign(array) => &array.ty().shape,
        }
    }

    /// The library that it belongs to.
    #[inline]
    pub fn library(&self) -> &'static dyn AnyLibrary {
        match self {
            Self::Ndarray(_) => &ndarray::Ndarray,
            Self::Foreign(array) => array.library(),
        }
    }

    /// The values in main memory.
    pub fn to_host(&self) -> Result<HostArray> {
        match self {
            Self::Ndarray(array) => Ok(array.clone()),
            Self::Foreign(_) => self.library().to_host(self),
        }
    }

    /// The array itself if it lives in this library, else one there with the same values.
    ///
    /// # Errors
    /// The array is more than its values, which would get lost.
    pub fn moved_to(&self, library: &'static dyn AnyLibrary) -> Result<Self> {
        let own = self.library();
        if own.name() == library.name() {
            return Ok(self.clone());
        }
        if !own.round_trips() {
            return Err(mixed(library, own));
        }
        library.from_host(self.to_host()?)
    }
}

/// The error for arrays of two libraries in one call.
pub fn mixed(x: &dyn AnyLibrary, y: &dyn AnyLibrary) -> Error {
    Error::mixed_libraries(format!(
        "arrays of the libraries {} and {} cannot be mixed, convert one of them with to(..)",
        x.name(),
        y.name()
    ))
}

/// The library of arrays that come from nowhere else: ndarray.
pub fn default_library() -> &'static dyn AnyLibrary {
    &ndarray::Ndarray
}

/// The library of arrays that meet outside of a direct call, in a graph: the first that is not ndarray, else
/// ndarray; the default if there are none.
pub fn common<'a>(arrays: impl IntoIterator<Item = &'a Concrete>) -> &'static dyn AnyLibrary {
    let mut libraries = arrays.into_iter().filter_map(|array| match array {
        Concrete::Ndarray(_) => None,
        Concrete::Foreign(array) => Some(array.library()),
    });
    libraries.next().unwrap_or(default_library())
}

/// Checks the rule for arrays of several libraries, which is one in all modes: what meets as arguments, of an operation or of a
/// compiled function, is of one library. Only the constants of a graph, which are in main memory, go along with any.
///
/// # Errors
/// There are arrays of two libraries.
#[inline]
pub fn check_together<'a>(arrays: impl IntoIterator<Item = &'a Concrete>) -> Result<()> {
    let mut arrays = arrays.into_iter();
    let Some(first) = arrays.next() else {
        return Ok(());
    };
    for array in arrays {
        let same = match (first, array) {
            (Concrete::Ndarray(_), Concrete::Ndarray(_)) => true,
            _ => first.library().name() == array.library().name(),
        };
        if !same {
            return Err(mixed(first.library(), array.library()));
        }
    }
    Ok(())
}

/// Runs an op: by the function that a user put in its place, if there is one, else as the library does.
pub fn apply(library: &'static dyn AnyLibrary, op: &Op, inputs: &[&Concrete]) -> Result<Results> {
    if any_replacement()
        && let Some(results) = replacement::replaced(library, op, inputs)
    {
        return results;
    }
    apply_own(library, op, inputs)
}

/// Runs an op: infers its signature, converts the inputs, and expands it if the library does not run it.
fn apply_own(library: &'static dyn AnyLibrary, op: &Op, inputs: &[&Concrete]) -> Result<Results> {
    if let Some(result) = plain(op, inputs) {
        return run(library, op, inputs, &result);
    }
    // Loops where an iterator would do: collecting costs more than what it collects.
    let mut types: SmallVec<[Type; 4]> = SmallVec::new();
    for input in inputs {
        types.push(input.ty().into());
    }
    let mut references: SmallVec<[&Type; 4]> = SmallVec::new();
    for ty in &types {
        references.push(ty);
    }
    let signature = op.infer(&references)?;
    let converts = |(ty, operand): (&Type, &Option<autojit_ir::DType>)| {
        operand.is_some_and(|dtype| ty.array().is_ok_and(|ty| ty.dtype != dtype))
    };
    if !types.iter().zip(&signature.operands).any(converts) {
        return run(library, op, inputs, &signature.result);
    }
    let mut converted: SmallVec<[Concrete; 4]> = SmallVec::with_capacity(inputs.len());
    for ((input, ty), operand) in inputs.iter().zip(&types).zip(&signature.operands) {
        match *operand {
            Some(dtype) if ty.array()?.dtype != dtype => {
                converted.push(run_core(
                    library,
                    &Op::Map(MapOp::Astype { dtype }),
                    &[input],
                )?);
            }
            _ => converted.push((*input).clone()),
        }
    }
    let converted: SmallVec<[&Concrete; 4]> = converted.iter().collect();
    run(library, op, &converted, &signature.result)
}

/// The type of the result in the commonest case, where all inputs have one type that needs no conversion, or no axes.
#[inline]
fn plain(op: &Op, inputs: &[&Concrete]) -> Option<Type> {
    let (first, others) = inputs.split_first()?;
    let (dtype, mut shape) = (first.dtype(), first.shape());
    for other in others {
        let other_shape = other.shape();
        if other.dtype() != dtype {
            return None;
        }
        if other_shape != shape && !other_shape.is_empty() {
            if !shape.is_empty() {
                return None;
            }
            shape = other_shape;
        }
    }
    plain_result(op, inputs.len(), dtype, shape).map(Type::Array)
}

/// Runs an op on inputs with the dtypes of its signature.
#[inline]
fn run(
    library: &'static dyn AnyLibrary,
    op: &Op,
    inputs: &[&Concrete],
    result: &Type,
) -> Result<Results> {
    if let Op::Opaque { function } = op {
        return call_opaque(library, function, inputs, result);
    }
    if let Op::Control(op) = op {
        let name = op.name();
        return control::run(library, op, inputs, result).map_err(|e| e.in_op(name));
    }
    let named = |e: Error| e.in_op(op.error_name());
    if is_widened(op, inputs.iter().map(|x| x.dtype())) {
        return run_expansion(library, op, inputs).map_err(named);
    }
    match library.run(op, inputs, result).map_err(named)? {
        Some(results) => Ok(results),
        None => apply_expanded(library, op, inputs, result).map_err(named),
    }
}

/// Runs an op that has one result.
fn run_core(library: &'static dyn AnyLibrary, op: &Op, inputs: &[&Concrete]) -> Result<Concrete> {
    apply(library, op, inputs)?
        .pop()
        .ok_or_else(|| Error::internal(format!("{op} gave no result")))
}

/// Runs what an op is written with.
fn run_expansion(
    library: &'static dyn AnyLibrary,
    op: &Op,
    inputs: &[&Concrete],
) -> Result<Results> {
    let types: SmallVec<[ArrayType; 4]> = inputs.iter().map(|x| x.ty()).collect();
    let operands: SmallVec<[OperandType<'_>; 4]> = types.iter().map(Into::into).collect();
    let graph = expansion(op, &operands)?;
    Ok(run_graph(library, &graph, inputs)?.into())
}

/// Runs the expansion of an op; without one, in main memory if the library's arrays survive that.
fn apply_expanded(
    library: &'static dyn AnyLibrary,
    op: &Op,
    inputs: &[&Concrete],
    result: &Type,
) -> Result<Results> {
    if op.has_expansion() {
        return run_expansion(library, op, inputs);
    }
    if !library.round_trips() {
        return Err(Error::unsupported(format!(
            "the library {} does not support {op}",
            library.name()
        )));
    }
    let host = |x: &&Concrete| x.to_host().map(Concrete::Ndarray);
    let hosts = inputs
        .iter()
        .map(host)
        .collect::<Result<SmallVec<[_; 4]>>>()?;
    let hosts: SmallVec<[&Concrete; 4]> = hosts.iter().collect();
    run(default_library(), op, &hosts, result)?
        .into_iter()
        .map(|x| library.from_host(x.to_host()?))
        .collect()
}

/// Walks a graph with arrays of one library, forgetting each value after its last use.
pub fn run_graph(
    library: &'static dyn AnyLibrary,
    graph: &Graph,
    inputs: &[&Concrete],
) -> Result<Vec<Concrete>> {
    observe_graph(library, graph, inputs, |_, _| Ok(()))
}

/// The same, showing each value as soon as it is there.
///
/// # Errors
/// An op failed, or the observer says so.
pub fn observe_graph(
    library: &'static dyn AnyLibrary,
    graph: &Graph,
    inputs: &[&Concrete],
    mut observe: impl FnMut(ValueId, &[Concrete]) -> Result<()>,
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
    let draws = Reserved::new(graph.nodes().iter().map(|node| &node.op));
    for value in graph.values().filter(|v| live[v.index()]) {
        let node = &graph[value];
        let missing = || Error::internal(format!("{value} is used before it is computed"));
        let result = match &node.op {
            Op::Leaf(LeafOp::Input { index, .. }) => {
                let input = inputs.get(*index).ok_or_else(missing)?;
                Results::from_iter([(*input).clone()])
            }
            Op::Leaf(LeafOp::Literal { value }) => {
                let scalar = HostArray::scalar(value.value, value.dtype);
                Results::from_iter([library.from_host(scalar)?])
            }
            Op::Leaf(LeafOp::Constant { index, .. }) => {
                Results::from_iter([library.from_host(graph.constants()[*index].clone())?])
            }
            Op::Get { index } => {
                let tuple = results[node.inputs[0].index()]
                    .as_ref()
                    .ok_or_else(missing)?;
                Results::from_iter([tuple.get(*index).cloned().ok_or_else(missing)?])
            }
            op => {
                let argument = |i: &ValueId| {
                    let result = results[i.index()].as_ref();
                    result.and_then(|r| r.first()).ok_or_else(missing)
                };
                let arguments = node.inputs.iter().map(argument);
                let arguments = arguments.collect::<Result<SmallVec<[&Concrete; 4]>>>()?;
                let fixed = draws.fixed(op);
                let result = apply(library, fixed.as_ref().unwrap_or(op), &arguments);
                result.map_err(|e| node.location.map_or(e.clone(), |l| e.at(l)))?
            }
        };
        observe(value, &result)?;
        results[value.index()] = Some(result);
        for input in &node.inputs {
            if last_use[input.index()] == value.0 {
                results[input.index()] = None;
            }
        }
    }
    let output = |v: &ValueId| results[v.index()].as_ref().and_then(|r| r.first()).cloned();
    graph
        .outputs()
        .iter()
        .map(|v| output(v).ok_or_else(|| Error::internal(format!("no result {v}"))))
        .collect()
}
