//! One program by every backend, compared with the reference interpreter.

use autojit::ir::{Graph, HostArray, MapOp, Op};
use autojit::run_graph;

use super::compare::{differences, flushed};
use super::program::{Numbers, decode};

/// The backends that tests go through: all of them, but where the environment asks for native code of another processor, only
/// those that it concerns.
pub(crate) fn tested_backends() -> Vec<&'static str> {
    let forced = ["AUTOJIT_TARGET", "AUTOJIT_PROCESSOR"];
    let is_forced = forced.iter().any(|name| std::env::var_os(name).is_some());
    let mut backends = autojit::backends();
    backends.retain(|&backend| !is_forced || !matches!(backend, "torch" | "xla"));
    backends
}

/// Whether a backend does not support a graph: XLA does no bitwise logic on integers that are made shorter.
pub(crate) fn refuses(backend: &str, graph: &Graph) -> bool {
    let is_bitwise = |op: &Op| {
        matches!(
            op,
            Op::Map(MapOp::BitwiseAnd | MapOp::BitwiseOr | MapOp::BitwiseXor | MapOp::Invert)
        )
    };
    let mut nodes = graph.nodes().iter().zip(graph.live());
    backend == "xla"
        && nodes.any(|(node, live)| {
            let ty = node.ty.array();
            live && is_bitwise(&node.op)
                && ty.is_ok_and(|ty| ty.dtype.is_stored() && ty.dtype.size() < 8)
        })
}

/// The same graph with every array that its results depend on as a result.
fn with_all_results(graph: &Graph) -> Graph {
    let mut all = graph.clone();
    let live = graph.values().zip(graph.live());
    let arrays = live.filter(|&(value, live)| live && graph.ty(value).is_ok());
    all.set_outputs(arrays.map(|(value, _)| value).collect());
    all
}

/// Whether a complex number on the way, or an argument, is not finite.
///
/// libtorch adds complex numbers by a product with one, which makes NaN of infinite parts. As a result that is within the
/// tolerance; but a later op may order by it, or look at one part.
fn has_unbounded_complex(graph: &Graph, inputs: &[HostArray]) -> bool {
    let all = with_all_results(graph).evaluate(inputs);
    let unbounded = |array: &HostArray| {
        let scalars = array.to_scalars();
        array.dtype().is_complex() && scalars.iter().any(|s| !s.to_complex().is_finite())
    };
    inputs.iter().any(unbounded) || all.is_ok_and(|all| all.iter().any(unbounded))
}

/// The fault, with the program in the form of a file test.
pub(crate) fn check(numbers: &Numbers) -> Result<(), String> {
    let program = decode(numbers);
    program.graph.verify().map_err(|e| e.to_string())?;
    let expected = program.graph.evaluate(&program.inputs);
    let flushed: Vec<HostArray> = program.inputs.iter().map(flushed).collect();
    for backend in tested_backends() {
        // These take longer to compile than all else together: a quarter of the programs is for them too.
        if matches!(backend, "torch" | "xla") && !numbers.seed.is_multiple_of(4) {
            continue;
        }
        if backend == "torch" && has_unbounded_complex(&program.graph, &program.inputs) {
            continue;
        }
        let (inputs, expected) = if backend == "xla" {
            (&flushed, &program.graph.evaluate(&flushed))
        } else {
            (&program.inputs, &expected)
        };
        let mut got = run_graph(backend, &program.graph, inputs);
        if refuses(backend, &program.graph)
            && got.as_ref().is_err_and(autojit::Error::is_unsupported)
        {
            continue;
        }
        if expected.is_err() && got.is_ok() {
            // What nothing needs is not computed, so it cannot fail: with all values as results nothing is left out.
            got = run_graph(backend, &with_all_results(&program.graph), inputs);
        }
        if let Some((output, wrong)) =
            differences(backend, &got, expected, &program.tolerances).first()
        {
            let mut text = format!("{backend}, result {output}: {wrong}\n{}", program.graph);
            for input in &program.inputs {
                let scalars: Vec<String> =
                    input.to_scalars().iter().map(ToString::to_string).collect();
                text += &format!(";! in {} {}\n", input.ty(), scalars.join(" "));
            }
            return Err(text);
        }
    }
    Ok(())
}
