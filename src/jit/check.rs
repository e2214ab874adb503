//! Checks that are asked for: two backends against each other, and results that are not finite numbers.
//!
//! Both find the *first node* that causes the difference and name its line. That takes the graph once more, node by node or with
//! every value as a result, so they are for finding mistakes and not for calls in a hurry.

use std::fmt;
use std::panic::Location;

use smallvec::SmallVec;

use super::{Args, Jit, Tree, library_of};
use crate::backends;
use autojit_ir::error::{Error, Result};
use autojit_ir::random::{Draw, Reserved};
use autojit_ir::transform::simplify;
use autojit_ir::{
    ArrayType, Class, DType, Graph, HostArray, LeafOp, Op, Scalar, SourceLine, Type, ValueId,
};
use autojit_library::backend::{Backend, Limits, Outputs};
use autojit_library::{self as library, Concrete};

/// What comparing two backends came to. Made by [`Jit::check_against`]; print it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Comparison {
    /// The backend that runs the function.
    pub backend: &'static str,
    /// The one that it was compared with.
    pub against: &'static str,
    /// How many arrays the results have.
    pub results: usize,
    /// How many values were computed on the way.
    pub nodes: usize,
    /// The largest difference of any two elements of results, relative to the largest element of their array.
    pub largest_difference: f64,
    /// The first node that differs by more than rounding explains: 1e-9 of the largest element of it and its inputs for
    /// double precision, 1e-4 for single, anything for integers.
    pub first_difference: Option<Difference>,
}

impl Comparison {
    /// Whether no value differs by more than rounding explains.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.first_difference.is_none()
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            backend,
            against,
            results,
            nodes,
            largest_difference,
            first_difference,
        } = self;
        match first_difference {
            None => write!(
                f,
                "{backend} and {against} agree: {results} results of {nodes} nodes, largest relative difference \
                 {largest_difference:.1e}"
            ),
            Some(difference) => write!(f, "{backend} and {against} differ first in {difference}"),
        }
    }
}

/// Where two backends differ.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Difference {
    /// The operation with its attributes.
    pub operation: String,
    /// The type of its result.
    pub ty: ArrayType,
    /// Its line in the user's source, where known.
    pub line: Option<SourceLine>,
    /// The first element that differs.
    pub position: Vec<usize>,
    /// That element by the backend, and by the one that it was compared with.
    pub elements: (Scalar, Scalar),
    /// Whether the difference shows only while values on the way are not kept: then it lies in how the backend puts
    /// nodes together, and this is the first *result* that differs.
    pub only_together: bool,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            operation,
            ty,
            position,
            elements: (got, expected),
            ..
        } = self;
        write!(
            f,
            "`{operation}` : {ty}, {got} instead of {expected} at {position:?}"
        )?;
        if self.only_together {
            f.write_str(", a result; all values on the way agree once they are kept, so what differs is how nodes are put together, or rounding that the function magnifies")?;
        }
        match &self.line {
            Some(line) => write!(f, ", at {line}"),
            None => Ok(()),
        }
    }
}

impl<A: Tree, R: Tree, F: Fn(A) -> R> Jit<A, R, F> {
    /// Runs the function on its backend and on another with the same arguments, and compares. If results differ, every
    /// value on the way is compared, and the first node that differs is named with its line.
    ///
    /// Random numbers are drawn once, for both. Nothing is kept.
    ///
    /// ```
    /// use autojit::{Array, autojit, numpy as np};
    ///
    /// let f = autojit(|x: Array| np::sum(np::exp(-&x * &x), ..));
    /// let comparison = f.check_against("replay", Array::from([0.5, 1.5, 2.5]))?;
    /// assert!(comparison.agrees(), "{comparison}");
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Jit::call`]; and one of the backends declines the graph (`is_unsupported`).
    #[track_caller]
    pub fn check_against<X: Args<A>>(&self, backend: &str, args: X) -> Result<Comparison> {
        let location = Location::caller();
        let compared = backends::find(backend).and_then(|against| {
            let wanted = self.wanted()?;
            let replay = backends::find("replay")?;
            self.build_only(
                Some(replay),
                &args,
                location,
                "to compare backends",
                |query, built| {
                    let library = library_of(query.arrays).name();
                    let own = wanted.unwrap_or_else(|| backends::preferred(library));
                    let line =
                        |value: ValueId| built.code.graph[value].location.map(SourceLine::from);
                    compare(
                        &built.code.graph,
                        line,
                        [own, against],
                        &self.limits,
                        query.arrays,
                    )
                },
            )?
        });
        compared.map_err(|e| e.at(location))
    }
}

/// Compares two backends on a graph.
pub(super) fn compare(
    graph: &Graph,
    line: impl Fn(ValueId) -> Option<SourceLine>,
    [backend, against]: [&'static dyn Backend; 2],
    limits: &Limits,
    arrays: &[&Concrete],
) -> Result<Comparison> {
    let graph = &with_fixed_draws(graph);
    let run = |backend: &'static dyn Backend, graph: &Graph| -> Result<Vec<HostArray>> {
        let optimized =
            simplify::optimize(graph.clone(), backend.form(), &simplify::Options::default())?;
        let choice = backends::choose(backend, true, &optimized.graph, limits)?;
        let mut outputs = Outputs::new();
        choice.executable.run(arrays, &mut outputs)?;
        outputs.iter().map(Concrete::to_host).collect()
    };
    let difference = |value: ValueId, (position, elements), only_together| {
        let node = &graph[value];
        Ok::<_, Error>(Difference {
            operation: node.op.to_string(),
            ty: graph.ty(value)?.clone(),
            line: line(value),
            position,
            elements,
            only_together,
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
            let mut pairs = values.iter().zip(got.iter().zip(&expected));
            let first = pairs.find_map(|(&value, (x, y))| {
                // A difference of large numbers is rounded as they are.
                let inputs = graph[value]
                    .inputs
                    .iter()
                    .map(|input| scales[input.index()]);
                let scale = inputs.fold(scales[value.index()], f64::max);
                Some((value, differences(x, y, scale).1?))
            });
            Some(match first {
                Some((value, elements)) => difference(value, elements, false)?,
                None => difference(result, elements, true)?,
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

/// What `AUTOJIT_VERIFY` asks of new code: that it gives for the first arguments what replay gives. Functions that draw
/// random numbers are left out, as they would draw others after this; and what fails is left to the call to tell.
///
/// # Errors
/// The two differ.
pub(super) fn check_first_run(
    graph: &Graph,
    backend: &'static dyn Backend,
    limits: &Limits,
    arrays: &[&Concrete],
) -> Result<()> {
    let replay = backends::find("replay")?;
    let draws = |node: &autojit_ir::Node| {
        matches!(
            &node.op,
            Op::Random {
                draw: Draw::Call(_),
                ..
            }
        )
    };
    if backend.name() == replay.name() || graph.nodes().iter().any(draws) {
        return Ok(());
    }
    let line = |value: ValueId| graph[value].location.map(SourceLine::from);
    match compare(graph, line, [backend, replay], limits, arrays) {
        Ok(comparison) if !comparison.agrees() => {
            Err(Error::failed_check(format!("AUTOJIT_VERIFY: {comparison}")))
        }
        _ => Ok(()),
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

fn largest_element(array: &HostArray) -> f64 {
    let sizes = array
        .to_scalars()
        .into_iter()
        .map(|x| x.to_complex().norm());
    sizes.filter(|size| size.is_finite()).fold(0.0, f64::max)
}

/// The largest difference of two arrays of one type, relative to `scale`, and the first elements that differ by more than
/// rounding.
fn differences(x: &HostArray, y: &HostArray, scale: f64) -> (f64, Option<Elements>) {
    let dtype = y.dtype();
    let allowed = match (dtype, dtype.class()) {
        (_, Class::Bool | Class::Integer) => 0.0,
        (DType::Float32 | DType::Complex64, _) => 1e-4,
        _ => 1e-9,
    };
    let (xs, ys) = (x.to_scalars(), y.to_scalars());
    let (mut largest, mut first) = (0.0_f64, None);
    for (index, pair) in xs.into_iter().zip(ys).enumerate() {
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
    if let (Scalar::Int(x), Scalar::Int(y)) = (x, y) {
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

/// The place of an element in C order.
fn position(index: usize, shape: &[usize]) -> Vec<usize> {
    let mut rest = index;
    let mut position: Vec<usize> = shape
        .iter()
        .rev()
        .map(|&n| {
            let at = rest % n.max(1);
            rest /= n.max(1);
            at
        })
        .collect();
    position.reverse();
    position
}

/// Finds out why results are not finite numbers: an error that names the first node that made a NaN or an infinity out of
/// finite numbers. `Ok` if all results are finite.
pub(super) fn check_finite(
    results: &[Concrete],
    graph: &Graph,
    line: impl Fn(ValueId) -> Option<SourceLine>,
    arrays: &[&Concrete],
) -> Result<()> {
    let mut bad = None;
    for (index, result) in results.iter().enumerate() {
        if let Some(found) = not_finite(&result.to_host()?) {
            bad = Some((index, found));
            break;
        }
    }
    let Some((index, found)) = bad else {
        return Ok(());
    };
    for (index, array) in arrays.iter().enumerate() {
        if let Some(found) = not_finite(&array.to_host()?) {
            return Err(Error::failed_check(format!(
                "array {index} of the arguments has {found}"
            )));
        }
    }
    let library = library_of(arrays);
    let moved = arrays.iter().map(|array| array.moved_to(library));
    let moved = moved.collect::<Result<SmallVec<[Concrete; 8]>>>()?;
    let moved: SmallVec<[&Concrete; 8]> = moved.iter().collect();
    let mut culprit = None;
    // The first one comes before all that it spoils, so the walk may end there; it ends as if it had failed.
    let walk = library::observe_graph(library, graph, &moved, |value, results| {
        for result in results {
            if let Some(found) = not_finite(&result.to_host()?) {
                culprit = Some((value, found));
                return Err(Error::failed_check("found"));
            }
        }
        Ok(())
    });
    match (culprit, walk) {
        (Some((value, found)), _) => {
            let node = &graph[value];
            let what = match &node.op {
                Op::Leaf(LeafOp::Literal { .. } | LeafOp::Constant { .. }) => {
                    format!("a constant of the function has {found}")
                }
                op => format!(
                    "`{op}` made {found} of finite numbers, in a result {}",
                    node.ty
                ),
            };
            let error = Error::failed_check(what);
            // Node by node the line is known as well as in the whole.
            Err(match (node.location, line(value)) {
                (Some(location), _) => error.at(location),
                (None, Some(line)) => error.at_foreign_line(&line),
                (None, None) => error,
            })
        }
        (None, Err(error)) => Err(error),
        (None, Ok(_)) => Err(Error::failed_check(format!(
            "result {index} has {found}, and has none if the function runs node by node: either it draws random numbers, \
             or its backend is wrong; see check_against"
        ))),
    }
}

/// What is not a finite number in an array, in words.
fn not_finite(array: &HostArray) -> Option<String> {
    if matches!(array.dtype().class(), Class::Bool | Class::Integer) {
        return None;
    }
    let mut first = None;
    let (mut nans, mut infinities) = (0_usize, 0_usize);
    for (index, scalar) in array.to_scalars().into_iter().enumerate() {
        let z = scalar.to_complex();
        match () {
            () if z.re.is_nan() || z.im.is_nan() => nans += 1,
            () if !z.re.is_finite() || !z.im.is_finite() => infinities += 1,
            () => continue,
        }
        first.get_or_insert(index);
    }
    let several = |n: usize, one: &str, many: &str| match n {
        0 => None,
        1 => Some(one.to_owned()),
        n => Some(format!("{n} {many}")),
    };
    let parts = [
        several(nans, "a NaN", "NaNs"),
        several(infinities, "an infinity", "infinities"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let place = position(first?, array.shape());
    let at = if place.is_empty() {
        String::new()
    } else {
        format!(" (first at {place:?})")
    };
    Some(format!("{}{at}", parts.join(" and ")))
}

#[cfg(test)]
mod tests {
    use autojit_ir::{MapOp, OperandType};
    use std::sync::Arc;

    use super::*;
    use autojit_library::backend::{CodeReport, Executable, Lowering};

    /// Replay, with `sinh` for `cosh`; if told so, only while there is one result.
    struct Wrong {
        only_alone: bool,
    }

    impl Backend for Wrong {
        fn name(&self) -> &'static str {
            "wrong"
        }

        fn lower(&self, _op: &Op, _operands: &[OperandType<'_>]) -> Lowering {
            Lowering::Native
        }

        fn compile(&self, graph: &Graph) -> Result<Arc<dyn Executable>> {
            let is_wrong = !self.only_alone || graph.outputs().len() == 1;
            let graph = graph.map_ops(|op| match op {
                Op::Map(MapOp::Cosh) if is_wrong => Op::Map(MapOp::Sinh),
                op => op.clone(),
            });
            Ok(Arc::new(Run(graph)))
        }
    }

    struct Run(Graph);

    impl Executable for Run {
        fn run(&self, inputs: &[&Concrete], outputs: &mut Outputs) -> Result<()> {
            let library = library::common(inputs.iter().copied());
            outputs.extend(library::run_graph(library, &self.0, inputs)?);
            Ok(())
        }

        fn describe(&self) -> String {
            String::new()
        }

        fn report(&self) -> CodeReport {
            CodeReport::default()
        }
    }

    const GRAPH: &str = "\
%0 = input index=0 ty=f64[2]
%1 = exp %0
%2 = cosh %1
%3 = sum axes=[0] keepdims=false %2
return %3
";

    fn compared(backend: &'static Wrong) -> Comparison {
        let graph: Graph = GRAPH.parse().unwrap();
        let line = |value: ValueId| {
            Some(SourceLine {
                file: "model.rs".into(),
                line: value.0,
                column: 1,
            })
        };
        let ty = ArrayType::new(DType::Float64, &[2]);
        let x = HostArray::from_scalars(&ty, &[Scalar::Float(0.0), Scalar::Float(0.5)]).unwrap();
        let against = backends::find("replay").unwrap();
        compare(
            &graph,
            line,
            [backend, against],
            &Limits::default(),
            &[&Concrete::Ndarray(x)],
        )
        .unwrap()
    }

    #[test]
    fn the_first_node_that_differs_is_named_with_its_line() {
        static WRONG: Wrong = Wrong { only_alone: false };
        let text = compared(&WRONG).to_string();
        assert!(
            text.starts_with("wrong and replay differ first in `cosh` : f64[2], 1.175201193643801"),
            "{text}"
        );
        assert!(text.ends_with("at [0], at model.rs:2:1"), "{text}");
    }

    #[test]
    fn a_first_run_that_differs_is_an_error() {
        static WRONG: Wrong = Wrong { only_alone: false };
        let x = HostArray::scalar(Scalar::Float(0.5), DType::Float64);
        let check = |op: &str| {
            let text = format!("%0 = input index=0 ty=f64[]\n%1 = {op} %0\nreturn %1");
            let (graph, limits) = (text.parse().unwrap(), Limits::default());
            check_first_run(&graph, &WRONG, &limits, &[&Concrete::Ndarray(x.clone())])
        };
        check("exp").unwrap();
        let error = check("cosh").unwrap_err();
        assert!(error.is_failed_check());
        let text = error.to_string();
        assert!(
            text.starts_with("AUTOJIT_VERIFY: wrong and replay differ first in `cosh`"),
            "{text}"
        );
    }

    #[test]
    fn what_differs_only_as_a_whole_is_told_apart() {
        static WRONG: Wrong = Wrong { only_alone: true };
        let text = compared(&WRONG).to_string();
        assert!(
            text.contains("differ first in `sum axes=[0] keepdims=false` : f64[]"),
            "{text}"
        );
        assert!(
            text.contains("rounding that the function magnifies, at model.rs:3:1"),
            "{text}"
        );
    }

    #[test]
    fn rounding_is_no_difference_and_anything_is_for_integers() {
        let array = |dtype, values: &[f64]| {
            let scalars: Vec<Scalar> = values
                .iter()
                .map(|&x| Scalar::Float(x).cast(dtype))
                .collect();
            HostArray::from_scalars(&ArrayType::new(dtype, &[values.len()]), &scalars).unwrap()
        };
        let differ = |dtype, x: &[f64], y: &[f64]| {
            differences(
                &array(dtype, x),
                &array(dtype, y),
                largest_element(&array(dtype, y)),
            )
            .1
            .is_some()
        };
        let (nan, infinity) = (f64::NAN, f64::INFINITY);
        assert!(!differ(DType::Float64, &[1.0, 1e-12], &[1.0 + 1e-12, 0.0]));
        assert!(differ(DType::Float64, &[1.0], &[1.0 + 1e-6]));
        assert!(!differ(DType::Float32, &[1.0], &[1.0 + 1e-6]));
        assert!(!differ(
            DType::Float64,
            &[nan, infinity, 0.0],
            &[nan, infinity, -0.0]
        ));
        assert!(differ(DType::Float64, &[nan], &[1.0]));
        assert!(differ(DType::Float64, &[infinity], &[-infinity]));
        assert!(differ(
            DType::Int64,
            &[9007199254740992.0],
            &[9007199254740990.0]
        ));
        assert!(differ(DType::Bool, &[0.0], &[1.0]));
        assert_eq!(position(5, &[2, 3]), [1, 2]);
    }
}
