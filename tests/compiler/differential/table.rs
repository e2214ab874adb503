//! Every op of the table, by dtype, on every engine.

use autojit::ir::index::Slicing;
use autojit::ir::{ArrayType, Dims, Graph, HostArray, LeafOp, Op, Steps, ValueId, ViewOp};
use autojit::{CompiledGraph, DType, Result, run_graph};

use super::cases::{Case, cases};
use super::compare::{Tolerance, differences, flushed};
use super::values::{Random, Role, Set, array, seed};

/// How the op sees its arguments.
#[derive(Clone, Copy, Debug)]
enum Through {
    Nothing,
    /// A transpose that reverses the axes.
    Transpose,
    /// Every other element along each axis, beginning with the second.
    Slice,
    /// Each axis backwards.
    Reverse,
    /// A first axis of length one, stretched.
    Broadcast,
}

/// The dtypes of indices, in turn.
const INDICES: [DType; 8] = [
    DType::Int64,
    DType::Int32,
    DType::Uint8,
    DType::Uint64,
    DType::Int8,
    DType::Uint32,
    DType::Int16,
    DType::Uint16,
];

const VIEWS: [Through; 5] = [
    Through::Nothing,
    Through::Transpose,
    Through::Slice,
    Through::Reverse,
    Through::Broadcast,
];

impl Through {
    /// Adds an argument that shows itself with the given type.
    fn add(self, graph: &mut Graph, ty: &ArrayType) -> Result<ValueId> {
        let slice =
            |graph: &mut Graph, base: &[usize], start: &dyn Fn(usize) -> usize, step: isize| {
                let x = graph.add_input(ArrayType::new(ty.dtype, base));
                let sizes = &ty.shape;
                let slicing = Slicing {
                    starts: sizes
                        .iter()
                        .map(|&n| if n == 0 { 0 } else { start(n) })
                        .collect(),
                    steps: sizes.iter().map(|_| step).collect::<Steps>(),
                    sizes: sizes.clone(),
                };
                graph.push(
                    Op::View(ViewOp::Slice {
                        slicing: slicing.into(),
                    }),
                    &[x],
                    None,
                )
            };
        match self {
            Self::Nothing => Ok(graph.add_input(ty.clone())),
            Self::Transpose => {
                let base: Dims = ty.shape.iter().rev().copied().collect();
                let x = graph.add_input(ArrayType::new(ty.dtype, &base));
                let perm = (0..ty.ndim()).rev().collect();
                graph.push(Op::View(ViewOp::Transpose { perm }), &[x], None)
            }
            Self::Slice => {
                let base: Dims = ty.shape.iter().map(|n| 2 * n + 1).collect();
                slice(graph, &base, &|_| 1, 2)
            }
            Self::Reverse => slice(graph, &ty.shape, &|n| n - 1, -1),
            Self::Broadcast => {
                let mut base = ty.shape.clone();
                if let Some(first) = base.first_mut() {
                    *first = 1;
                }
                let x = graph.add_input(ArrayType::new(ty.dtype, &base));
                let shape = ty.shape.clone();
                graph.push(Op::View(ViewOp::BroadcastTo { shape }), &[x], None)
            }
        }
    }

    fn fits(self, case: &Case) -> bool {
        let ranks = || case.arguments.iter().map(|(_, shape)| shape.len());
        match self {
            Self::Nothing => true,
            Self::Transpose => ranks().any(|n| n > 1),
            Self::Slice | Self::Reverse | Self::Broadcast => ranks().any(|n| n > 0),
        }
    }
}

/// The dtypes of the numbers among the arguments: the same for all, and a few mixtures.
fn dtypes_of(first: DType, case: &Case) -> Vec<Vec<DType>> {
    let numbers = case.numbers();
    let mut all = vec![vec![first; numbers]];
    if numbers > 1 && case.mixed {
        for other in DType::ALL.into_iter().filter(|&d| d != first) {
            let mut mixture = vec![first; numbers];
            mixture[1] = other;
            all.push(mixture);
        }
    }
    all
}

struct Built {
    graph: Graph,
    roles: Vec<Role>,
    outputs: Vec<ValueId>,
    labels: Vec<String>,
    tolerances: Vec<Tolerance>,
}

/// One graph with cases of an op for a dtype, through some views; `None` if the op does not take it. A case comes with
/// mixtures of dtypes too if that is wanted.
fn build(
    name: &str,
    dtype: DType,
    views: &[Through],
    is_wanted: impl Fn(usize) -> bool,
    with_mixtures: impl Fn(usize) -> bool,
) -> Option<Built> {
    let mut built = Built {
        graph: Graph::new(),
        roles: vec![],
        outputs: vec![],
        labels: vec![],
        tolerances: vec![],
    };
    for (number, case) in cases(name, dtype).iter().enumerate() {
        let mut mixtures = dtypes_of(dtype, case);
        if !is_wanted(number) {
            continue;
        }
        if !with_mixtures(number) {
            mixtures.truncate(1);
        }
        for dtypes in mixtures {
            for &view in views {
                if !view.fits(case) {
                    continue;
                }
                let mut numbers = dtypes.iter();
                let mut types = Vec::new();
                for (role, shape) in &case.arguments {
                    let dtype = match role {
                        Role::Truth => DType::Bool,
                        Role::Index(_) => INDICES[number % INDICES.len()],
                        _ => *numbers.next()?,
                    };
                    types.push(ArrayType::new(dtype, shape));
                }
                let accepted: Vec<autojit::ir::Type> =
                    types.iter().cloned().map(Into::into).collect();
                let arity = case.op.arity();
                let is_leaf = arity.required == 0 && !arity.variadic;
                match case.op.infer(&accepted.iter().collect::<Vec<_>>()) {
                    _ if is_leaf => {}
                    Ok(_) => {}
                    Err(e) if e.is_dtype() => continue,
                    Err(e) => panic!("{name}: {e}"),
                }
                let values: Vec<ValueId> = types
                    .iter()
                    .map(|ty| view.add(&mut built.graph, ty).unwrap())
                    .collect();
                built
                    .roles
                    .extend(case.arguments.iter().map(|(role, _)| *role));
                let mut results = case.finish(&mut built.graph, &values).unwrap();
                let promoted = dtypes.iter().copied().reduce(DType::promote);
                if let Some(promoted) = promoted.filter(|&p| p != dtype) {
                    let tolerance = cases(name, promoted)[number].tolerance;
                    results.iter_mut().for_each(|r| r.1 = tolerance);
                }
                for (value, tolerance) in results {
                    built.outputs.push(value);
                    built.tolerances.push(tolerance);
                    let types: Vec<String> = types.iter().map(ToString::to_string).collect();
                    built
                        .labels
                        .push(format!("{} {} through {view:?}", case.op, types.join(" ")));
                }
            }
        }
    }
    built.graph.set_outputs(built.outputs.clone());
    (!built.outputs.is_empty()).then_some(built)
}

/// The elements that an elementwise op was given, where no view stands between.
fn arguments(built: &Built, output: usize, wrong: &str, inputs: &[HostArray]) -> String {
    let node = &built.graph[built.outputs[output]];
    let index = wrong
        .split(' ')
        .nth(1)
        .and_then(|i| i.parse::<usize>().ok());
    let (Some(index), true) = (index, node.op.is_elementwise()) else {
        return String::new();
    };
    let element = |v: &ValueId| match &built.graph[*v].op {
        Op::Leaf(LeafOp::Input { index: i, .. }) if !inputs.is_empty() => {
            inputs[*i].to_scalars().get(index).map(ToString::to_string)
        }
        _ => None,
    };
    let elements: Option<Vec<String>> = node.inputs.iter().map(element).collect();
    elements.map_or_else(String::new, |e| format!(" for {}", e.join(" and ")))
}

/// The graph with its arguments as constants: folding must give what running gives, and views of constants and
/// literals run as they are.
fn constant(graph: &Graph, inputs: &[HostArray]) -> Graph {
    let mut constant = Graph::new();
    let mut map: Vec<ValueId> = Vec::new();
    for node in graph.nodes() {
        let arguments: Vec<ValueId> = node.inputs.iter().map(|i| map[i.index()]).collect();
        map.push(match &node.op {
            Op::Leaf(LeafOp::Input { index, .. }) => constant.add_constant(inputs[*index].clone()),
            Op::Leaf(LeafOp::Constant { index, .. }) => {
                constant.add_constant(graph.constants()[*index].clone())
            }
            Op::Leaf(LeafOp::Literal { value }) => constant.add_literal(value.value, value.dtype),
            op => constant.push(op.clone(), &arguments, None).unwrap(),
        });
    }
    constant.set_outputs(graph.outputs().iter().map(|o| map[o.index()]).collect());
    constant
}

fn check(name: &str, dtype: DType, failures: &mut Vec<String>) -> bool {
    // What is written with int64 meets views in the tests of that.
    let views = if dtype.is_stored() {
        &VIEWS[..1]
    } else {
        &VIEWS
    };
    let Some(built) = build(name, dtype, views, |_| true, |_| true) else {
        return false;
    };
    built.graph.verify().unwrap();
    let backends = autojit::backends().into_iter().filter(|&b| b != "xla");
    let compiled: Vec<_> = backends
        .map(|backend| (backend, CompiledGraph::new(backend, &built.graph)))
        .collect();
    for set in [Set::Ordinary, Set::Special] {
        let inputs = inputs(&built, set);
        let expected = built.graph.evaluate(&inputs);
        let folded = constant(&built.graph, &inputs);
        for (backend, compiled) in &compiled {
            let called = compiled.as_ref().map_err(Clone::clone);
            let mut runs = vec![(
                called.and_then(|compiled| compiled.run(&inputs)),
                inputs.as_slice(),
            )];
            if set == Set::Special {
                runs.push((run_graph(backend, &folded, &[]), &[]));
            }
            for (got, inputs) in runs {
                let mut all = differences(backend, &got, &expected, &built.tolerances);
                if *backend == "torch" && set == Set::Special && got.is_ok() {
                    all.retain(|(output, _)| !is_beyond_torch(name, &built.labels[*output]));
                }
                report(backend, set, &built, &all, inputs, failures);
            }
        }
    }
    // Of the dtypes that are only stored one is enough for an op, each for a few.
    let stored: Vec<DType> = DType::ALL.into_iter().filter(|d| d.is_stored()).collect();
    let is_next = stored[name.len() % stored.len()] == dtype;
    if autojit::backends().contains(&"xla") && (!dtype.is_stored() || is_next) {
        check_xla(name, dtype, failures);
    }
    true
}

/// XLA takes long to compile many small kernels, each of which is one here, and views and conversions are kernels of
/// their own there. So cases come without views, 24 of an op in float64 and 8 in each other dtype if it has more, spread
/// over all of them and not the same ones for every dtype; mixtures of dtypes come in one. Subnormal numbers are zeros
/// to it.
fn check_xla(name: &str, dtype: DType, failures: &mut Vec<String>) {
    let count = cases(name, dtype).len();
    let most = if dtype == DType::Float64 { 24 } else { 8 };
    let step = count.div_ceil(most).max(1);
    let place = DType::ALL.iter().position(|&d| d == dtype).unwrap_or(0);
    let is_wanted = |number: usize| number % step == place % step;
    let first = (0..count).find(|&n| is_wanted(n));
    let with_mixtures = |number| Some(number) == first;
    let Some(built) = build(name, dtype, &[Through::Nothing], is_wanted, with_mixtures) else {
        return;
    };
    let compiled = CompiledGraph::new("xla", &built.graph);
    if super::agreement::refuses("xla", &built.graph) {
        assert!(
            compiled.is_err_and(|e| e.is_unsupported()),
            "{name} of {dtype}"
        );
        return;
    }
    for set in [Set::Ordinary, Set::Special] {
        let inputs: Vec<HostArray> = inputs(&built, set).iter().map(flushed).collect();
        let got = compiled.as_ref().map_err(Clone::clone);
        let got = got.and_then(|compiled| compiled.run(&inputs));
        let expected = built.graph.evaluate(&inputs);
        let all = differences("xla", &got, &expected, &built.tolerances);
        report("xla", set, &built, &all, &inputs, failures);
    }
}

fn inputs(built: &Built, set: Set) -> Vec<HostArray> {
    let mut random = Random::new(seed());
    let types = built.graph.input_types().iter().zip(&built.roles);
    types
        .map(|(ty, &role)| array(&mut random, ty, role, set))
        .collect()
}

fn report(
    backend: &str,
    set: Set,
    built: &Built,
    all: &[(usize, String)],
    inputs: &[HostArray],
    failures: &mut Vec<String>,
) {
    let Some((output, wrong)) = all.first() else {
        return;
    };
    let (label, count) = (&built.labels[*output], all.len());
    let arguments = arguments(built, *output, wrong, inputs);
    failures.push(format!(
        "{backend}, {set:?}: {label}: {wrong}{arguments}; {count} results differ"
    ));
}

/// Special values for which libtorch is known to give something else than NumPy; `label` names the types.
fn is_beyond_torch(op: &str, label: &str) -> bool {
    let is_complex = label.contains("c64") || label.contains("c128");
    match op {
        // NaN where the quotient has more digits than the dtype.
        "fmod" | "remainder" | "floor_divide" => true,
        // Powers of infinity; real parts that underflow.
        "power" | "arccos" => is_complex,
        _ => false,
    }
}

/// Runs all dtypes of some ops, so that the tests run side by side.
fn check_ops(part: usize, parts: usize) {
    let only = std::env::var("AUTOJIT_OP").ok();
    let mut failures = Vec::new();
    for &name in Op::NAMES.iter().skip(part).step_by(parts) {
        if only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        // A function of the user has no row of its own; the tests of registration run such. Loops and branches have graphs:
        // `control.rs`.
        if ["opaque", "scan", "while_loop", "switch"].contains(&name) {
            continue;
        }
        let mut taken = false;
        for dtype in DType::ALL {
            taken |= check(name, dtype, &mut failures);
        }
        assert!(taken, "{name} takes no dtype");
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn every_op_agrees_with_the_reference_0() {
    check_ops(0, 4);
}

#[test]
fn every_op_agrees_with_the_reference_1() {
    check_ops(1, 4);
}

#[test]
fn every_op_agrees_with_the_reference_2() {
    check_ops(2, 4);
}

#[test]
fn every_op_agrees_with_the_reference_3() {
    check_ops(3, 4);
}
