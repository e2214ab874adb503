//! Every op of the table has a rule: the graphs of the filetests, which have all of them, against their examples.

use std::fs;
use std::path::Path;

use super::batch;
use crate::{ArrayType, Graph, HostArray, Op, Scalar};

/// The graphs of the filetests that run, each with the arguments of its first case.
fn programs() -> Vec<(String, Graph, Vec<HostArray>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/filetests/run");
    let files = fs::read_dir(&folder).unwrap();
    let mut programs: Vec<_> = files
        .map(|file| {
            let path = file.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let graph: Graph = text.parse().unwrap();
            let count = graph.input_types().len();
            let lines = text.lines().filter_map(|line| line.strip_prefix(";! in "));
            let inputs: Vec<HostArray> = lines.take(count).map(array).collect();
            (path.display().to_string(), graph, inputs)
        })
        .collect();
    programs.sort_by(|a, b| a.0.cmp(&b.0));
    programs
}

/// An array as filetests have it: its type, and its elements in C order.
fn array(text: &str) -> HostArray {
    let mut words = text.split_whitespace();
    let ty: ArrayType = words.next().unwrap().parse().unwrap();
    let scalars: Vec<Scalar> = words
        .map(|word| word.parse::<Scalar>().unwrap().cast(ty.dtype))
        .collect();
    HostArray::from_scalars(&ty, &scalars).unwrap_or_else(|| panic!("{text}"))
}

fn repeated(array: &HostArray, count: usize) -> HostArray {
    let mut ty = array.ty();
    ty.shape.insert(0, count);
    HostArray::from_scalars(&ty, &array.to_scalars().repeat(count)).unwrap()
}

fn close(a: Scalar, b: Scalar) -> bool {
    let (a, b) = (a.to_complex(), b.to_complex());
    let part = |x: f64, y: f64| {
        x == y || (x.is_nan() && y.is_nan()) || (x - y).abs() <= 1e-5 * (1.0 + b.norm())
    };
    part(a.re, b.re) && part(a.im, b.im) || !a.is_finite() && !b.is_finite()
}

#[test]
fn all_ops_have_rules() {
    const SIZE: usize = 2;
    let mut checked = 0;
    for (name, graph, inputs) in programs() {
        assert_eq!(inputs.len(), graph.input_types().len(), "{name}");
        // All arguments differ, or every other one.
        for step in [1, 2] {
            let flags: Vec<bool> = (0..inputs.len()).map(|i| i % step == 0).collect();
            let (batched, depends) =
                batch(&graph, &flags, SIZE).unwrap_or_else(|e| panic!("{name}: {e}"));
            batched.verify().unwrap_or_else(|e| panic!("{name}: {e}"));
            let is_drawn = graph
                .nodes()
                .iter()
                .any(|n| matches!(n.op, Op::Random { .. }));
            if is_drawn {
                continue;
            }
            let given = inputs.iter().zip(&flags);
            let given = given.map(|(input, &differs)| match differs {
                true => repeated(input, SIZE),
                false => input.clone(),
            });
            let got = batched.evaluate(&given.collect::<Vec<_>>());
            let (got, expected) = match (got, graph.evaluate(&inputs)) {
                (Ok(got), Ok(expected)) => (got, expected),
                (Err(_), Err(_)) => continue,
                (got, expected) => panic!("{name}: a batch gives {got:?}, not {expected:?}"),
            };
            for ((got, expected), depends) in got.iter().zip(&expected).zip(depends) {
                let expected = match depends {
                    true => repeated(expected, SIZE),
                    false => expected.clone(),
                };
                assert_eq!(got.ty(), expected.ty(), "{name}");
                let (got, expected) = (got.to_scalars(), expected.to_scalars());
                for (i, (&a, &b)) in got.iter().zip(&expected).enumerate() {
                    assert!(
                        close(a, b),
                        "{name}: element {i} is {a}, not {b}\n{batched}"
                    );
                }
                checked += 1;
            }
        }
    }
    assert!(checked > 300, "{checked}");
}

#[test]
fn draws_differ_between_examples() {
    let text = "%0 = random draw=3:0 distribution=uniform ty=f64[4]\nreturn %0";
    let graph: Graph = text.parse().unwrap();
    let (batched, depends) = batch(&graph, &[], 3).unwrap();
    assert_eq!(depends, [true]);
    let mut drawn = batched.evaluate(&[]).unwrap()[0].to_scalars();
    assert_eq!(drawn.len(), 12);
    drawn.sort_by(|a, b| a.to_f64().total_cmp(&b.to_f64()));
    drawn.dedup();
    assert_eq!(drawn.len(), 12);
}

/// A position outside of an example is an error, and not an element of the next one.
#[test]
fn positions_outside_of_an_example_are_errors() {
    let text =
        "%x = input index=0 ty=f64[3]\n%v = input index=1 ty=f64[1]\n%p = input index=2 ty=i64[1]
%y = scatter_flat mode=set %x %v %p\nreturn %y";
    let graph: Graph = text.parse().unwrap();
    let (batched, _) = batch(&graph, &[true, true, true], 3).unwrap();
    let (x, v) = (array("f64[3,3] 0 0 0 0 0 0 0 0 0"), array("f64[3,1] 1 2 3"));
    let run = |p: &str| batched.evaluate(&[x.clone(), v.clone(), array(p)]);
    let found = run("i64[3,1] 0 2 1").unwrap()[0].to_scalars();
    let found: Vec<f64> = found.iter().map(|s| s.to_f64()).collect();
    assert_eq!(found, [1.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 3.0, 0.0]);
    for outside in ["i64[3,1] 3 0 0", "i64[3,1] 0 -1 0", "i64[3,1] 0 0 9"] {
        assert!(run(outside).unwrap_err().is_index());
    }
}

#[test]
fn flags_are_for_all_inputs() {
    let graph: Graph = "%x = input index=0 ty=f64[3]\nreturn %x".parse().unwrap();
    assert!(batch(&graph, &[], 3).unwrap_err().is_value());
    let huge = batch(&graph, &[true], usize::MAX / 8).unwrap_err();
    assert!(huge.is_value(), "{huge}");
}
