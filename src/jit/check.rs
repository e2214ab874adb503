//! Checks that are asked for: two backends against each other, and results that are not finite numbers.
//!
//! Both find the *first node* that causes the difference and name its line. That takes the graph once more, node by node or with
//! every value as a result, so they are for finding mistakes and not for calls in a hurry.

mod compare;

use std::fmt;
use std::panic::Location;

use smallvec::SmallVec;

use super::{Args, Jit, Tree, library_of};
use crate::backends;
use autojit_ir::error::{Error, Result};
use autojit_ir::random::Draw;
use autojit_ir::{ArrayType, Class, Graph, HostArray, LeafOp, Op, Scalar, SourceLine, ValueId};
use autojit_library::backend::{Backend, Limits};
use autojit_library::{self as library, Concrete};
pub(super) use compare::compare;

/// The outcome of comparing two backends. Made by [`Jit::check_against`]; print it.
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
    /// Whether each operation agrees where both backends are given the same inputs: then the difference is rounding that
    /// the function magnifies, as ill-conditioned programs do.
    pub magnified: bool,
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
        if self.magnified {
            f.write_str(", though each operation agrees on the same inputs: rounding that the function magnifies")?;
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

/// The check of new code by `AUTOJIT_VERIFY`: that it gives for the first arguments what replay gives, but for rounding that
/// the function magnifies. Functions that draw random numbers are left out, as they would draw others after this, and
/// those that call registered functions, which may count their calls; what fails is left to the call to tell.
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
    let calls = |node: &autojit_ir::Node| node.op.any(&|op| matches!(op, Op::Opaque { .. }));
    let is_repeatable = !graph.nodes().iter().any(|node| draws(node) || calls(node));
    if backend.name() == replay.name() || !is_repeatable {
        return Ok(());
    }
    let line = |value: ValueId| graph[value].location.map(SourceLine::from);
    match compare(graph, line, [backend, replay], limits, arrays) {
        Ok(comparison)
            if comparison
                .first_difference
                .as_ref()
                .is_some_and(|d| !d.magnified) =>
        {
            Err(Error::failed_check(format!("AUTOJIT_VERIFY: {comparison}")))
        }
        _ => Ok(()),
    }
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

/// The special values in an array, in words.
fn not_finite(array: &HostArray) -> Option<String> {
    if matches!(array.dtype().class(), Class::Bool | Class::Integer) {
        return None;
    }
    let mut first = None;
    let (mut nans, mut infinities) = (0_usize, 0_usize);
    for (index, scalar) in array.scalars().enumerate() {
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
    use autojit_ir::{DType, MapOp, OperandType};
    use std::sync::Arc;

    use super::compare::{differences, largest_element};
    use super::*;
    use autojit_library::backend::{CodeReport, Executable, Lowering, Outputs};

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
