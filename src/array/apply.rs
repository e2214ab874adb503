//! `Array::apply`: where an op finds out whether it runs or is written down, and in which library.

use std::panic::Location;
use std::sync::OnceLock;

use smallvec::SmallVec;

use super::{Array, Operand, Repr, Value};
use crate::like::Place;
use crate::nodes::{self, Input, LazyArray, LazyOperand, Recording, Traced};
use autojit_ir::error::{Error, Result};
use autojit_ir::{HostArray, Op, Site, Type, resolve_scalar, strong_dtype};
use autojit_library::{self as library, AnyLibrary, Concrete, Results};

/// The result of a function that users put in the place of an op, for lazy inputs.
type LazyReplacement = fn(&Op, &[Operand<'_>]) -> Result<Value>;

/// The same pattern as [`library::install`]: registered functions are known to the layer above this one.
static LAZY_REPLACEMENT: OnceLock<LazyReplacement> = OnceLock::new();

/// Installs what runs functions in the place of ops on lazy arrays, before the first of them is registered.
pub(crate) fn install_lazy_replacement(run: fn(&Op, &[Operand<'_>]) -> Result<Value>) {
    LAZY_REPLACEMENT.get_or_init(|| run);
}

/// Whether a function stands in the place of an op on lazy arrays, and what runs it.
#[inline]
fn lazy_replacement(op: &Op) -> Option<LazyReplacement> {
    let replaced = library::any_replacement() && library::replaced_lazily(op);
    replaced.then(|| LAZY_REPLACEMENT.get().copied()).flatten()
}

/// The arrays among inputs that belong to traces.
#[inline(always)]
fn traced<'i>(inputs: &'i [Operand<'_>]) -> impl Iterator<Item = &'i Traced> {
    inputs.iter().filter_map(|input| match input {
        Operand::Array(array) => match &array.0 {
            Repr::Traced(traced) => Some(traced),
            _ => None,
        },
        Operand::Scalar(_) => None,
    })
}

#[inline(always)]
fn input<'i>(operand: &'i Operand<'_>) -> Input<'i> {
    match operand {
        Operand::Array(array) => array.input(),
        Operand::Scalar(scalar) => Input::Scalar(scalar),
    }
}

impl Array {
    /// Runs or writes down an op with one result. This is where every function ends up, and what libraries that
    /// are made of other arrays need (see [`crate::Library`]); other code uses [`crate::numpy`].
    ///
    /// ```
    /// use autojit::Array;
    /// use autojit::ir::{MapOp, Op};
    ///
    /// let x = Array::apply(Op::Map(MapOp::Add), &[Array::from([1.0, 2.0]).into(), 1.0.into()]);
    /// assert_eq!(x.to_string(), "[2. 3.]");
    /// ```
    ///
    /// # Errors
    /// The inputs do not fit the op, or it fails.
    #[must_use]
    #[track_caller]
    pub fn apply(op: Op, inputs: &[Operand<'_>]) -> Self {
        let location = Location::caller();
        // The shortest way for what there is most of.
        if let Some(recording) = Recording::of_newest(traced(inputs))
            && !library::any_replacement()
        {
            let input = |index: usize| input(&inputs[index]);
            return match recording.record(op, inputs.len(), input, location.into()) {
                Ok(recorded) => Self(Repr::Traced(recording.traced(recorded))),
                Err(e) => Self::failed(e.at(location)),
            };
        }
        let name = op.name();
        Self::try_apply(op, inputs, location)
            .unwrap_or_else(|e| Self::failed(e.in_op(name).at(location)))
    }

    /// Runs or writes down an op with one result on behalf of a line of the user's.
    pub(crate) fn apply_at(
        op: Op,
        inputs: &[Operand<'_>],
        location: &'static Location<'static>,
    ) -> Self {
        let name = op.name();
        Self::try_apply(op, inputs, location)
            .unwrap_or_else(|e| Self::failed(e.in_op(name).at(location)))
    }

    pub(super) fn try_apply(
        op: Op,
        inputs: &[Operand<'_>],
        location: &'static Location<'static>,
    ) -> Result<Self> {
        match place(inputs)? {
            Place::Lazy => match lazy_replacement(&op) {
                Some(run) => run(&op, inputs)?.into_array(),
                None => write_down(op, inputs, location),
            },
            Place::Library(library) => {
                let mut results = apply_eagerly(library, &op, inputs)?;
                results
                    .pop()
                    .map(Self::from_concrete)
                    .ok_or_else(|| Error::internal(format!("{op} gave nothing")))
            }
        }
    }

    /// Runs an op with one result on borrowed arrays that have values; `None` if they are of several libraries,
    /// which [`Array::apply`] then says.
    #[track_caller]
    pub(crate) fn apply_borrowed(op: &Op, inputs: &[&Concrete]) -> Option<Self> {
        let library = inputs.first()?.library();
        let one = |input: &&Concrete| match input {
            Concrete::Ndarray(_) => library.name() == library::default_library().name(),
            Concrete::Foreign(array) => array.library().name() == library.name(),
        };
        if !inputs.iter().all(one) {
            return None;
        }
        let location = Location::caller();
        Some(match library::apply(library, op, inputs) {
            Ok(mut results) => match results.pop() {
                Some(array) => Self::from_concrete(array),
                None => Self::failed(Error::internal(format!("{op} gave nothing")).at(location)),
            },
            Err(error) => Self::failed(error.in_op(op.error_name()).at(location)),
        })
    }

    /// Runs or writes down an op with several results.
    #[track_caller]
    pub(crate) fn apply_many<const N: usize>(op: Op, inputs: &[Operand<'_>]) -> [Self; N] {
        let location = Location::caller();
        let name = op.name();
        Self::try_apply_many(op, inputs, location).unwrap_or_else(|e| {
            let failed = Self::failed(e.in_op(name).at(location));
            std::array::from_fn(|_| failed.clone())
        })
    }

    fn try_apply_many<const N: usize>(
        op: Op,
        inputs: &[Operand<'_>],
        location: &'static Location<'static>,
    ) -> Result<[Self; N]> {
        Self::try_apply_several(op, inputs, N, location)?
            .try_into()
            .map_err(|_| Error::internal("wrong number of results"))
    }

    /// Runs or writes down an op with one result or several.
    pub(crate) fn apply_opaque(
        op: Op,
        inputs: &[Operand<'_>],
        result: &Type,
        location: &'static Location<'static>,
    ) -> Result<Value> {
        match result {
            Type::Array(_) => Self::try_apply(op, inputs, location).map(Value::from),
            Type::Tuple(types) => {
                Self::try_apply_several(op, inputs, types.len(), location).map(Value::from)
            }
        }
    }

    fn try_apply_several(
        op: Op,
        inputs: &[Operand<'_>],
        count: usize,
        location: &'static Location<'static>,
    ) -> Result<Vec<Self>> {
        match place(inputs)? {
            Place::Lazy => match lazy_replacement(&op) {
                Some(run) => run(&op, inputs)?.into_arrays(),
                None => {
                    let tuple = write_down(op, inputs, location)?;
                    let get = |index| write_down(Op::Get { index }, &[(&tuple).into()], location);
                    (0..count).map(get).collect()
                }
            },
            Place::Library(library) => Ok(apply_eagerly(library, &op, inputs)?
                .into_iter()
                .map(Self::from_concrete)
                .collect()),
        }
    }
}

/// Writes down an op: in the record of the trace that one of the inputs belongs to, else as a node.
pub(crate) fn write_down(
    op: Op,
    inputs: &[Operand<'_>],
    location: impl Into<Site>,
) -> Result<Array> {
    let location = location.into();
    if let Some(recording) = Recording::of_newest(traced(inputs)) {
        let input = |index: usize| input(&inputs[index]);
        let recorded = recording.record(op, inputs.len(), input, location)?;
        return Ok(Array(Repr::Traced(recording.traced(recorded))));
    }
    // Arrays with values become leaves beside the lazy ones.
    let location = nodes::site_of(location);
    let operand = |operand: &Operand<'_>| match input(operand) {
        Input::Concrete(array) => Ok(LazyOperand::Node(LazyArray::from_concrete(
            array.clone(),
            location,
        ))),
        Input::Failed(error) => Err(error.clone()),
        Input::Node(node) => Ok(LazyOperand::Node(node.clone())),
        Input::Traced(traced) => Ok(LazyOperand::Node(traced.node().clone())),
        Input::Scalar(scalar) => Ok(LazyOperand::Scalar(*scalar)),
    };
    // A loop, as collecting costs more than what it collects.
    let mut operands = SmallVec::new();
    for input in inputs {
        operands.push(operand(input)?);
    }
    nodes::write(op, operands, location).map(Array::from_lazy)
}

/// Where an op with these inputs runs: lazily if any is lazy, else in the library of the arrays.
///
/// Arrays of two libraries can meet in a lazy op, which is computed in one that takes both.
#[inline]
fn place(inputs: &[Operand<'_>]) -> Result<Place> {
    let mut first: Option<&Concrete> = None;
    let (mut lazy, mut mixed) = (false, None);
    for input in inputs {
        let Operand::Array(array) = input else {
            continue;
        };
        match &array.0 {
            Repr::Failed(error) => return Err(error.clone()),
            Repr::Lazy(_) | Repr::Traced(_) => lazy = true,
            Repr::Concrete(array) => match (first, array) {
                (None, _) => first = Some(array),
                (Some(Concrete::Ndarray(_)), Concrete::Ndarray(_)) => {}
                (Some(x), y) if x.library().name() != y.library().name() => {
                    mixed = mixed.or(Some((x, y)));
                }
                _ => {}
            },
        }
    }
    match (lazy, first, mixed) {
        (true, ..) => Ok(Place::Lazy),
        (_, _, Some((x, y))) => Err(library::mixed(x.library(), y.library())),
        (_, Some(array), _) => Ok(Place::Library(array.library())),
        (_, None, _) => Ok(Place::Library(crate::like::innermost_library())),
    }
}

#[inline]
fn apply_eagerly(
    library: &'static dyn AnyLibrary,
    op: &Op,
    inputs: &[Operand<'_>],
) -> Result<Results> {
    let mut arrays: SmallVec<[&Concrete; 4]> = SmallVec::new();
    for input in inputs {
        if let Operand::Array(array) = input
            && let Repr::Concrete(array) = &array.0
        {
            arrays.push(array);
        }
    }
    if arrays.len() == inputs.len() {
        return library::apply(library, op, &arrays);
    }
    apply_with_scalars(library, op, inputs)
}

/// Gives the numbers among the inputs the dtypes that they take on beside the arrays.
fn apply_with_scalars(
    library: &'static dyn AnyLibrary,
    op: &Op,
    inputs: &[Operand<'_>],
) -> Result<Results> {
    fn concrete<'i>(input: &'i Operand<'_>) -> Option<&'i Concrete> {
        match input {
            Operand::Array(array) => match &array.0 {
                Repr::Concrete(array) => Some(array),
                _ => None,
            },
            Operand::Scalar(_) => None,
        }
    }
    let dtypes = inputs.iter().map(|x| concrete(x).map(Concrete::dtype));
    let strong = strong_dtype(op, dtypes);
    let mut numbers: SmallVec<[Concrete; 1]> = SmallVec::new();
    for input in inputs {
        if let Operand::Scalar(scalar) = input {
            let literal = resolve_scalar(op, strong, *scalar)?;
            numbers.push(library.from_host(HostArray::scalar(literal.value, literal.dtype))?);
        }
    }
    let mut next = numbers.iter();
    let mut arrays: SmallVec<[&Concrete; 4]> = SmallVec::new();
    for input in inputs {
        let array = match input {
            Operand::Array(_) => concrete(input),
            Operand::Scalar(_) => next.next(),
        };
        arrays.push(array.ok_or_else(|| Error::internal("a lazy array met an eager op"))?);
    }
    library::apply(library, op, &arrays)
}
