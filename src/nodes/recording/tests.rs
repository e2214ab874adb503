//! What traces write down, and what they refuse.

use std::panic::Location;

use super::*;
use crate::array::{Array, Repr};
use crate::{DType, lazy, numpy as np};

fn here() -> Site {
    Location::caller().into()
}

/// A trace with one argument of two numbers.
fn begin() -> (Arc<Recording>, Array) {
    let recording = Recording::new();
    let argument = recording.argument(ArrayType::new(DType::Float64, &[2]), here());
    (recording, Array(Repr::Traced(argument)))
}

fn finish(recording: Arc<Recording>, results: Vec<Array>) -> Result<Graph> {
    let values = recording.values_of(results.iter().map(Array::input), here())?;
    drop(results);
    recording.finish(values)
}

#[test]
fn ops_are_recorded_as_they_are_written() {
    let (recording, x) = begin();
    let y = np::sin(&x) + np::sin(&x) * 2;
    let text = finish(recording, vec![y]).unwrap().to_string();
    assert_eq!(
        text,
        "%0 = input index=0 ty=f64[2]
%1 = sin %0 : f64[2]
%2 = sin %0 : f64[2]
%3 = literal value=2.0:f64
%4 = multiply %2 %3 : f64[2]
%5 = add %1 %4 : f64[2]
return %5
"
    );
}

#[test]
fn what_is_read_in_is_read_in_once() {
    let (recording, x) = begin();
    let captured = Array::from([1.0, 2.0]);
    let lazily = np::exp(lazy::array(&Array::from([3.0, 4.0])));
    let y = &x + &captured + &captured + &lazily + np::sin(&lazily);
    let graph = finish(recording, vec![y, captured, lazily]).unwrap();
    let count = |name: &str| {
        let nodes = graph.nodes().iter();
        nodes.filter(|node| node.op.name() == name).count()
    };
    assert_eq!((count("constant"), count("exp"), count("add")), (2, 1, 4));
    assert_eq!(graph.outputs().len(), 3);
}

#[test]
fn the_rest_of_a_computed_tuple_is_a_constant() {
    let (recording, x) = begin();
    let (u, s, _) = np::linalg::svd(lazy::array(&Array::from([[2.0, 0.0], [0.0, 3.0]])), ..);
    u.compute().unwrap();
    let y: Array = &x + &s;
    assert_eq!(
        finish(recording, vec![y, s]).unwrap().to_string(),
        "constant 0 = f64[2] 3.0 2.0
%0 = input index=0 ty=f64[2]
%1 = constant index=0 ty=f64[2]
%2 = add %0 %1 : f64[2]
return %2 %1
"
    );
}

#[test]
fn free_variables_are_refused_if_a_result_depends_on_them() {
    let ((recording, x), (_outer, foreign)) = (begin(), begin());
    let free = lazy::variable(&[2], DType::Float64);
    let unused = &x + &free + &foreign;
    assert_eq!(unused.shape().unwrap(), [2]);
    assert!(finish(recording, vec![x]).is_ok());

    for free in [free, foreign] {
        let (recording, x) = begin();
        let error = finish(recording, vec![x * np::sin(&free)]).unwrap_err();
        assert!(error.is_unbound_variable());
        let text = error.to_string();
        assert!(
            text.starts_with("the variable f64[2] is not an argument"),
            "{text}"
        );
    }
}

#[test]
fn a_traced_array_has_a_history() {
    let (recording, x) = begin();
    let y = np::sin(&x) * 2 + np::sin(&x);
    let node = y.as_lazy().unwrap();
    assert_eq!((node.depth(), node.history_num_nodes()), (3, 5));
    // The same values are the same nodes, also when they come back.
    assert!(x.as_lazy().unwrap().is_same(&node.ascend()[0]));
    let again = Array::from_lazy(node.ascend()[0].clone()) - &x;
    let error = y.compute().unwrap_err();
    assert!(error.is_unbound_variable(), "{error}");
    drop((x, y));
    let graph = finish(recording, vec![again]).unwrap();
    let last = &graph.nodes()[graph.outputs()[0].index()];
    assert_eq!(
        (last.op.name(), last.inputs[0]),
        ("subtract", last.inputs[1])
    );
}

#[test]
fn sharing_scopes_work_in_traces() {
    let (_recording, x) = begin();
    let twice = || (np::sin(&x), np::sin(&x));
    let same = |(a, b): (Array, Array)| a.as_lazy().unwrap().is_same(b.as_lazy().unwrap());
    assert!(!same(twice()));
    assert!(same(lazy::shared_intermediates(twice)));
    assert!(!same(twice()));
}

#[test]
fn an_array_that_leaves_its_trace_stays_what_it_is() {
    let (recording, x) = begin();
    let escaped = np::sin(&x);
    let graph = finish(recording, vec![x.clone()]).unwrap();
    assert_eq!(graph.nodes().len(), 2);
    let later = escaped + x;
    assert_eq!(later.to_string(), "lazy f64[2]");
    assert_eq!(later.as_lazy().unwrap().history_num_nodes(), 3);
}
