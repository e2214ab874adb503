//! Ops whose failure depends on values fail on every engine when they run, also where constants would show it before.

use autojit::Error;
use autojit::ir::{Graph, HostArray};
use autojit::run_graph;

use super::agreement::tested_backends;

type Kind = fn(&Error) -> bool;

/// Arguments as text, the graph, and what the error is.
const FAILURES: [(&[&str], &str, Kind); 12] = [
    (
        &["i64[2] 0 3"],
        "%1 = wrap_index axis=0 size=3 of=getitem %0",
        Error::is_index,
    ),
    (
        &["f64[3] 1 2 3", "i64[2] 0 3"],
        "%2 = take axis=0 %0 %1",
        Error::is_index,
    ),
    (
        &["f64[3] 1 2 3", "i32[2] 0 -4"],
        "%2 = take axis=0 %0 %1",
        Error::is_index,
    ),
    (
        &["f64[3] 1 2 3", "u8[1] 255"],
        "%2 = getitem key=(#) %0 %1",
        Error::is_index,
    ),
    (
        &["f64[2,3] 1 2 3 4 5 6", "i64[1] 2", "i64[1] 0"],
        "%3 = getitem key=(#,#) %0 %1 %2",
        Error::is_index,
    ),
    (
        &["f64[2,3] 1 2 3 4 5 6", "i64[1] 0", "i64[1] -4"],
        "%3 = getitem key=(#,#) %0 %1 %2",
        Error::is_index,
    ),
    (
        &["i64[3] 1 2 3", "i64[3] 1 -1 2"],
        "%2 = power %0 %1",
        Error::is_value,
    ),
    (
        &["i32[3] 0 2 3", "i32[] -1"],
        "%2 = power %0 %1",
        Error::is_value,
    ),
    (
        &["i64[3] 1 2 3", "i64[3] 1 -1 2"],
        "%2 = power %0 %1\n%3 = add %2 %0",
        Error::is_value,
    ),
    (
        &["i64[1,9] 1 2 3 4 5 6 7 8 9", "i64[9] 1 1 1 1 1 1 1 1 -1"],
        "%2 = power %0 %1\n%3 = sum axes=[1] keepdims=false %2",
        Error::is_value,
    ),
    (
        &["u8[2] 1 2", "i32[2] 1 -2"],
        "%2 = power %0 %1",
        Error::is_value,
    ),
    (
        &["f64[2,2] 1 2 NaN 4"],
        "%1 = svd full_matrices=false %0\n%2 = get index=1 %1",
        Error::is_linear_algebra,
    ),
];

fn parse(text: &str) -> HostArray {
    let (ty, data) = text.split_once(' ').unwrap();
    let data: Vec<_> = data.split(' ').map(|w| w.parse().unwrap()).collect();
    HostArray::from_scalars(&ty.parse().unwrap(), &data).unwrap()
}

#[test]
fn what_fails_fails_everywhere() {
    for (arguments, body, is_kind) in FAILURES {
        let inputs: Vec<HostArray> = arguments.iter().map(|a| parse(a)).collect();
        let last = body.lines().last().unwrap().split(' ').next().unwrap();
        let (mut variable, mut constant, mut leaves) =
            (String::new(), String::new(), String::new());
        for (i, array) in inputs.iter().enumerate() {
            let ty = array.ty();
            variable += &format!("%{i} = input index={i} ty={ty}\n");
            constant += &format!("constant {i} = {}\n", arguments[i]);
            leaves += &format!("%{i} = constant index={i} ty={ty}\n");
        }
        let variable: Graph = format!("{variable}{body}\nreturn {last}").parse().unwrap();
        let constant: Graph = format!("{constant}{leaves}{body}\nreturn {last}")
            .parse()
            .unwrap();
        assert!(is_kind(&variable.evaluate(&inputs).unwrap_err()), "{body}");
        for backend in tested_backends() {
            for (graph, inputs) in [(&variable, &*inputs), (&constant, &[][..])] {
                let error = run_graph(backend, graph, inputs).expect_err(body);
                assert!(is_kind(&error), "{backend}: {error} in\n{graph}");
                assert!(error.op().is_some(), "{backend} names no op: {error}");
            }
        }
    }
}

/// Indices are checked even where there is nothing to take.
#[test]
fn empty_results_of_wrong_indices_fail_too() {
    let text = "%x = input index=0 ty=f64[3,0]\n%i = input index=1 ty=i64[1]\n%r = take axis=0 %x %i\nreturn %r";
    let graph: Graph = text.parse().unwrap();
    let x = HostArray::from_scalars(&"f64[3,0]".parse().unwrap(), &[]).unwrap();
    for (index, fails) in [("i64[1] 2", false), ("i64[1] 3", true)] {
        let inputs = [x.clone(), parse(index)];
        assert_eq!(graph.evaluate(&inputs).is_err(), fails);
        for backend in tested_backends() {
            assert_eq!(
                run_graph(backend, &graph, &inputs).is_err(),
                fails,
                "{backend}"
            );
        }
    }
}
