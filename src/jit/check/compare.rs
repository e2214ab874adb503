//! Comparing two backends on a graph: results first, then every value on the way, then single operations.

use smallvec::SmallVec;

use super::{Comparison, Difference, position};
use crate::backends;
use autojit_ir::error::{Error, Result};
use autojit_ir::random::Reserved;
use autojit_ir::transform::simplify;
use autojit_ir::{Class, DType, Graph, HostArray, LeafOp, Op, Scalar, SourceLine, Type, ValueId};
use autojit_library::Concrete;
use autojit_library::backend::{Backend, Limits, Outputs};

/// Compares two backends on a graph.
pub(in crate::jit) fn compare(
    graph: &Graph,
    line: impl Fn(ValueId) -> Option<SourceLine>,
    [backend, against]: [&'static dyn Backend; 2],
    limits: &Limits,
    arrays: &[&Concrete],
) -> Result<Comparison> {
    let graph = &with_fixed_draws(graph);
    let run = |backend, graph: &Graph| run_once(backend, graph, limits, arrays);
    let difference = |value: ValueId, (position, elements), only_together, magnified| {
        let node = &graph[value];
        Ok::<_, Error>(Difference {
            operation: node.op.summary(),
            ty: graph.ty(value)?.clone(),
            line: line(value),
            position,
            elements,
            only_together,
            magnified,
        })
    };
    let (got, expected) = (run(backend, graph)?, run(against, graph)?);
    let mut largest_difference = 0.0_f64;
    let mut first_result = None;
    for ((x, y), &value) in got.iter().zip(&expected).zip(graph.outputs()) {
        let (largest, first) = differences(x, y, largest_element(y));
        largest_difference = largest_difference.max(largest);
        first_result = first_result.or(first.map(|first| (value, first)));
    }
    let live = graph.live();
    let is_value = |v: &ValueId| {
        live[v.index()] && !graph[*v].op.is_leaf() && matches!(*graph[*v].ty, Type::Array(_))
    };
    let values: Vec<ValueId> = graph.values().filter(is_value).collect();
    let first_difference = match first_result {
        None => None,
        Some((result, elements)) => {
            let mut kept = graph.clone();
            kept.set_outputs(values.clone());
            let (got, expected) = (run(backend, &kept)?, run(against, &kept)?);
            let scales = scales(graph, arrays, &values, &expected)?;
            let mut differing = None;
            let mut confirmed = None;
            for (&value, (x, y)) in values.iter().zip(got.iter().zip(&expected)) {
                // A difference of large numbers is rounded as they are.
                let inputs = graph[value]
                    .inputs
                    .iter()
                    .map(|input| scales[input.index()]);
                let scale = inputs.fold(scales[value.index()], f64::max);
                let Some(elements) = differences(x, y, scale).1 else {
                    continue;
                };
                differing = differing.or(Some((value, elements.clone())));
                let alone = Alone::new(graph, value, arrays, &values, &expected)?;
                if alone.differs([backend, against], limits, scale)? {
                    confirmed = Some((value, elements));
                    break;
                }
            }
            Some(match (confirmed, differing) {
                (Some((value, elements)), _) => difference(value, elements, false, false)?,
                (None, Some((value, elements))) => difference(value, elements, false, true)?,
                (None, None) => difference(result, elements, true, false)?,
            })
        }
    };
    Ok(Comparison {
        backend: backend.name(),
        against: against.name(),
        results: graph.outputs().len(),
        nodes: values.len(),
        largest_difference,
        first_difference,
    })
}

/// Optimises, compiles and runs a graph on a backend.
fn run_once(
    backend: &'static dyn Backend,
    graph: &Graph,
    limits: &Limits,
    arrays: &[&Concrete],
) -> Result<Vec<HostArray>> {
    let optimized =
        simplify::optimize(graph.clone(), backend.form(), &simplify::Options::default())?;
    let choice = backends::choose(backend, true, &optimized.graph, limits)?;
    let mut outputs = Outputs::new();
    choice.executable.run(arrays, &mut outputs)?;
    outputs.iter().map(Concrete::to_host).collect()
}

/// One operation, with the inputs that it had.
struct Alone {
    graph: Graph,
    inputs: Vec<Concrete>,
}

impl Alone {
    /// `values` are those that are known, with `computed` as their elements.
    fn new(
        graph: &Graph,
        value: ValueId,
        arrays: &[&Concrete],
        values: &[ValueId],
        computed: &[HostArray],
    ) -> Result<Self> {
        let mut alone = Self {
            graph: Graph::new(),
            inputs: Vec::new(),
        };
        let known = |value: ValueId| match &graph[value].op {
            Op::Leaf(LeafOp::Input { index, .. }) => arrays.get(*index).map(|&x| x.clone()),
            Op::Leaf(LeafOp::Constant { index, .. }) => {
                let constant = graph.constants().get(*index);
                constant.cloned().map(Concrete::Ndarray)
            }
            _ => {
                let at = values.binary_search(&value).ok();
                at.map(|at| Concrete::Ndarray(computed[at].clone()))
            }
        };
        let output = alone.add(graph, value, &known)?;
        alone.graph.set_outputs(vec![output]);
        Ok(alone)
    }

    /// Adds an operation. Tuples are not known, so what gives one comes along.
    fn add(
        &mut self,
        graph: &Graph,
        value: ValueId,
        known: &impl Fn(ValueId) -> Option<Concrete>,
    ) -> Result<ValueId> {
        let node = &graph[value];
        let mut inputs: SmallVec<[ValueId; 4]> = SmallVec::new();
        for &input in &node.inputs {
            inputs.push(match (&graph[input].op, &*graph[input].ty) {
                (Op::Leaf(LeafOp::Literal { value }), _) => {
                    self.graph.add_literal(value.value, value.dtype)
                }
                (_, Type::Tuple(_)) => self.add(graph, input, known)?,
                (_, Type::Array(ty)) => {
                    let lost = || Error::internal("an input of a compared value was lost");
                    self.inputs.push(known(input).ok_or_else(lost)?);
                    self.graph.add_input(ty.clone())
                }
            });
        }
        self.graph.push(node.op.clone(), &inputs, node.location)
    }

    /// Whether two backends differ on it.
    fn differs(
        &self,
        backends: [&'static dyn Backend; 2],
        limits: &Limits,
        scale: f64,
    ) -> Result<bool> {
        let inputs: SmallVec<[&Concrete; 8]> = self.inputs.iter().collect();
        let [x, y] = backends.map(|backend| run_once(backend, &self.graph, limits, &inputs));
        let (x, y) = (x?, y?);
        Ok(x.iter()
            .zip(&y)
            .any(|(x, y)| differences(x, y, scale).1.is_some()))
    }
}

/// The graph with the draws of one call: both backends must see the same numbers.
fn with_fixed_draws(graph: &Graph) -> Graph {
    let draws = Reserved::new(graph.nodes().iter().map(|node| &node.op));
    if !graph
        .nodes()
        .iter()
        .any(|node| draws.fixed(&node.op).is_some())
    {
        return graph.clone();
    }
    // Nodes keep their numbers, because lines are known by them.
    graph.map_ops(|op| draws.fixed(op).unwrap_or_else(|| op.clone()))
}

type Elements = (Vec<usize>, (Scalar, Scalar));

/// The largest finite element of each value; 0 of what is not known.
fn scales(
    graph: &Graph,
    arrays: &[&Concrete],
    values: &[ValueId],
    computed: &[HostArray],
) -> Result<Vec<f64>> {
    let mut scales = vec![0.0; graph.nodes().len()];
    for (&value, array) in values.iter().zip(computed) {
        scales[value.index()] = largest_element(array);
    }
    for value in graph.values() {
        scales[value.index()] = match &graph[value].op {
            Op::Leaf(LeafOp::Input { index, .. }) => match arrays.get(*index) {
                Some(array) => largest_element(&array.to_host()?),
                None => 0.0,
            },
            Op::Leaf(LeafOp::Constant { index, .. }) => largest_element(&graph.constants()[*index]),
            Op::Leaf(LeafOp::Literal { value }) => value.value.to_complex().norm(),
            _ => continue,
        };
    }
    Ok(scales)
}

pub(super) fn largest_element(array: &HostArray) -> f64 {
    let sizes = array.scalars().map(|x| x.to_complex().norm());
    sizes.filter(|size| size.is_finite()).fold(0.0, f64::max)
}

/// The largest difference of two arrays of one type, relative to `scale`, and the first elements that differ by more than
/// rounding.
pub(super) fn differences(x: &HostArray, y: &HostArray, scale: f64) -> (f64, Option<Elements>) {
    let dtype = y.dtype();
    let allowed = match (dtype, dtype.class()) {
        (_, Class::Bool | Class::Integer) => 0.0,
        (DType::Float32 | DType::Complex64, _) => 1e-4,
        _ => 1e-9,
    };
    let (mut largest, mut first) = (0.0_f64, None);
    for (index, pair) in x.scalars().zip(y.scalars()).enumerate() {
        let difference = distance(pair.0, pair.1, scale);
        largest = largest.max(difference);
        if difference > allowed && first.is_none() {
            first = Some((position(index, y.shape()), pair));
        }
    }
    (largest, first)
}

/// How far two elements are apart, relative to the largest element; without end if only one of them is a number.
fn distance(x: Scalar, y: Scalar, scale: f64) -> f64 {
    if x == y {
        return 0.0;
    }
    if let (Some(x), Some(y)) = (x.to_integer(), y.to_integer()) {
        // Beyond 2^53 floats do not distinguish integers.
        return (x.abs_diff(y) as f64) / scale.max(1.0);
    }
    let (x, y) = (x.to_complex(), y.to_complex());
    let part = |x: f64, y: f64| match () {
        // Signs of zeros and bits of NaNs are left to other tests.
        () if x == y || (x.is_nan() && y.is_nan()) => 0.0,
        () if !x.is_finite() || !y.is_finite() => f64::INFINITY,
        () => (x - y).abs() / scale.max(f64::MIN_POSITIVE),
    };
    part(x.re, y.re).max(part(x.im, y.im))
}
