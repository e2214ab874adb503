//! Lazy arrays: computing, folding, sharing, walking; and what autoray's lazy arrays get wrong.

use autojit::{Array, DType, Operand, lazy, numpy as np};

/// Deep enough to overflow any stack if something recursed; shorter where nothing is optimised.
const CHAIN: usize = if cfg!(debug_assertions) {
    100_000
} else {
    1_000_000
};

fn values(x: &Array) -> Vec<f64> {
    x.compute().unwrap().to_vec::<f64>().unwrap()
}

fn num_nodes(x: &Array) -> usize {
    lazy::history([x]).unwrap().num_nodes()
}

fn leaf(data: &[f64]) -> Array {
    lazy::array(&Array::from(data))
}

#[test]
fn computing_a_concrete_array_gives_itself() {
    let x = Array::from([1.0, 2.0]);
    assert!(x.as_lazy().is_none());
    assert_eq!(values(&x), [1.0, 2.0]);
    assert_eq!(lazy::history([&x]).unwrap().num_nodes(), 0);
    x.fold_constants().unwrap();
}

#[test]
fn a_computed_node_holds_its_value_and_nothing_else() {
    let x = leaf(&[1.0, 4.0]);
    let root = np::sqrt(&x);
    let y: Array = &root + 1.0;
    let node = y.as_lazy().unwrap();
    assert_eq!((node.depth(), node.fn_name()), (2, Some("add")));
    assert!(matches!(
        node.args().as_slice(),
        [
            Operand::Array(_),
            Operand::Scalar(autojit::Scalar::Float(1.0))
        ]
    ));
    assert_eq!(node.deps().len(), 1);
    assert!(!node.is_computed());

    assert_eq!(values(&y), [2.0, 3.0]);
    assert!(node.is_computed() && root.as_lazy().unwrap().is_computed());
    assert_eq!((node.fn_name(), node.op()), (None, None));
    assert!(node.deps().is_empty() && node.args().is_empty());
    assert_eq!(num_nodes(&y), 1);
    // The value can be used further, and computed again.
    assert_eq!(values(&(&y * 2.0)), [4.0, 6.0]);
    assert_eq!(values(&y), [2.0, 3.0]);
}

#[test]
fn several_at_once_share_what_they_have_in_common() {
    let x = np::exp(leaf(&[0.0, 1.0]));
    let concrete = Array::from([7.0]);
    let results = lazy::compute([&x + 1, &x * 2, x.clone(), concrete]).unwrap();
    let e = 1f64.exp();
    let expected = [
        vec![2.0, e + 1.0],
        vec![2.0, e * 2.0],
        vec![1.0, e],
        vec![7.0],
    ];
    for (result, expected) in results.iter().zip(expected) {
        assert_eq!(result.to_vec::<f64>().unwrap(), expected);
    }
    assert!(x.as_lazy().unwrap().is_computed());
    assert!(lazy::compute([] as [Array; 0]).unwrap().is_empty());
}

#[test]
fn lazily_as_eagerly() {
    let functions: [fn(&Array, &Array) -> Array; 8] = [
        |x, y| np::matmul(x, y) + np::linalg::norm(x, ..),
        |x, y| np::where_(np::less(x, y), x, 2),
        |x, y| np::sum(x, np::axis(-1).where_(np::greater(y, 0))),
        |x, y| np::stack([x, y], -1).get(autojit::ix![.., 1..; -1, NewAxis]),
        |x, y| {
            let (u, s, vh) = np::linalg::svd(np::matmul(x, y), ..);
            np::matmul(&u * &s, vh)
        },
        |x, y| {
            let (q, r) = np::linalg::qr(x, ..);
            np::matmul(&q, &r) - y
        },
        |x, y| np::astype(np::mean(x, 0), DType::Complex128) * y,
        |x, y| np::einsum("ij,kj->ik", [x, y]) / (np::arange(3, ..) + 1),
    ];
    let x = np::reshape(np::sin(np::arange(9, ..)), [3, 3]);
    let y = np::reshape(np::cos(np::arange(9, ..)), [3, 3]);
    for f in functions {
        let eager = f(&x, &y).check().unwrap();
        let (lx, ly) = (lazy::array(&x), lazy::array(&y));
        // A concrete array meets a lazy one as a leaf.
        for traced in [f(&lx, &ly), f(&lx, &y), f(&x, &ly)] {
            assert!(traced.as_lazy().is_some());
            assert_eq!(traced.ty().unwrap(), eager.ty().unwrap());
            let computed = traced.compute().unwrap();
            assert_eq!(computed.ty().unwrap(), eager.ty().unwrap());
            assert_eq!(computed.to_string(), eager.to_string());
        }
    }
}

#[test]
fn a_variable_has_no_value() {
    let x = lazy::variable(&[2], DType::Float64);
    let line = line!() - 1;
    let y: Array = np::sin(&x) + 1.0;
    for error in [y.compute().unwrap_err(), x.compute().unwrap_err()] {
        assert!(error.is_unbound_variable());
        let at = error.location().unwrap();
        assert_eq!((at.file(), at.line()), (file!(), line));
        let text = error.to_string();
        assert!(
            text.starts_with("the variable f64[2] has no value, at tests/api/lazy/behaviour.rs:")
        );
    }
    assert!(
        lazy::variable(&[usize::MAX, 2], DType::Bool)
            .check()
            .unwrap_err()
            .is_shape()
    );
}

#[test]
fn a_failure_while_computing_names_the_line_of_the_operation() {
    let x = leaf(&[1.0, 2.0, 3.0]);
    let before = np::exp(&x);
    let (taken, line) = (np::take(&before, Array::from([0i64, 3]), 0), line!());
    let after: Array = &taken * 2.0;
    let error = after.compute().unwrap_err();
    assert!(error.is_index(), "{error}");
    let at = error.location().unwrap();
    assert_eq!((at.file(), at.line()), (file!(), line));
    // What came before is known, what failed is as it was, and fails again.
    assert!(before.as_lazy().unwrap().is_computed());
    assert!(!taken.as_lazy().unwrap().is_computed());
    assert_eq!(after.compute().unwrap_err().to_string(), error.to_string());
}

#[test]
fn a_wrong_shape_is_refused_when_it_is_written_down() {
    let (x, y) = (
        lazy::variable(&[3], DType::Float64),
        lazy::variable(&[4], DType::Float64),
    );
    let (sum, line) = (&x + &y, line!());
    let error = np::exp(sum).compute().unwrap_err();
    assert!(error.is_shape());
    let at = error.location().unwrap();
    assert_eq!((at.file(), at.line()), (file!(), line));
    let text = error.to_string();
    assert!(
        text.starts_with("cannot broadcast f64[3] with f64[4] in add, at "),
        "{text}"
    );
    assert!(lazy::history([&x + &y]).is_err());
    assert!(lazy::compute([&x + &y]).is_err());
    assert!((&x + &y).fold_constants().is_err());
}

#[test]
fn folding_leaves_what_depends_on_variables() {
    let (x, y) = (leaf(&[1.0, 2.0]), leaf(&[3.0, 4.0]));
    let variable = lazy::variable(&[2], DType::Float64);
    let constant: Array = np::exp(&x) * 2.0;
    let given: Array = &y + 1.0;
    let root = &constant * &given + np::sin(&variable);
    root.compute_constants([&given]).unwrap();
    let computed = |x: &Array| x.as_lazy().unwrap().is_computed();
    assert!(computed(&constant) && !computed(&given) && !computed(&root));
    // constant, y, given, product, variable, sine, root
    assert_eq!(num_nodes(&root), 7);
    root.fold_constants().unwrap();
    assert!(computed(&given) && !computed(&root));
    // product, variable, sine, root
    assert_eq!(num_nodes(&root), 4);

    let both = [np::exp(&y), np::exp(&y) + &variable];
    lazy::compute_constants(&both, [&variable]).unwrap();
    assert!(computed(&both[0]) && !computed(&both[1]));
    let concrete = Array::from([1.0]);
    let error = lazy::compute_constants(&both, [&concrete]).unwrap_err();
    assert!(error.is_value());
    assert!(
        error
            .to_string()
            .starts_with("expected a lazy array as a variable, got f64[1]")
    );
}

#[test]
fn neighbouring_indices_do_not_merge() {
    // In autoray both indices hash alike and the difference is zero.
    let x = leaf(&[1.0, 2.0, 5.0]);
    let y = lazy::shared_intermediates(|| x.get(-1) - x.get(-2));
    assert_eq!(num_nodes(&y), 4);
    assert_eq!(values(&y), [3.0]);
    // The same position in two spellings is one.
    let y = lazy::shared_intermediates(|| x.get(-1) - x.get(2));
    assert_eq!(num_nodes(&y), 3);
    assert_eq!(values(&y), [0.0]);
}

#[test]
fn numbers_merge_only_if_nothing_tells_them_apart() {
    let x = lazy::array(&Array::from([1i64, 2]));
    let (int, float): (Array, Array) = lazy::shared_intermediates(|| (&x * 2, &x * 2.0));
    assert_eq!(int.ty().unwrap().dtype, DType::Int64);
    assert_eq!(float.ty().unwrap().dtype, DType::Float64);
    assert_eq!(
        float.compute().unwrap().to_vec::<f64>().unwrap(),
        [2.0, 4.0]
    );
    assert_eq!(int.compute().unwrap().to_vec::<i64>().unwrap(), [2, 4]);

    let x = leaf(&[1.0]);
    let (plus, minus): (Array, Array) = lazy::shared_intermediates(|| (&x / 0.0, &x / -0.0));
    assert_eq!(values(&plus), [f64::INFINITY]);
    assert_eq!(values(&minus), [f64::NEG_INFINITY]);
}

#[test]
fn numbers_that_are_not_finite() {
    let x = leaf(&[1.0, -2.0]);
    let y: Array = &x * f64::INFINITY;
    let shown = y.as_lazy().unwrap().show_with_args().to_string();
    assert!(shown.starts_with("   0 mul(#, inf) → [2]\n"), "{shown}");
    assert_eq!(values(&y), [f64::INFINITY, f64::NEG_INFINITY]);
    assert!(values(&(&x + f64::NAN)).iter().all(|v| v.is_nan()));
    assert_eq!(values(&np::maximum(&x, f64::NEG_INFINITY)), [1.0, -2.0]);
}

#[test]
fn an_array_read_in_twice_is_shared() {
    let data = Array::from([1.0, 2.0]);
    let twice = || lazy::array(&data) + lazy::array(&data);
    assert_eq!(num_nodes(&twice()), 3);
    assert_eq!(num_nodes(&lazy::shared_intermediates(twice)), 2);
    // Captured arrays too.
    let x = lazy::variable(&[2], DType::Float64);
    let captured = || np::sin(&x + &data) * np::sin(&x + &data);
    assert_eq!(num_nodes(&captured()), 8);
    assert_eq!(num_nodes(&lazy::shared_intermediates(captured)), 5);
}

#[test]
fn sharing_survives_computing_inside_the_scope() {
    let x = leaf(&[0.0, 1.0]);
    let (first, second) = lazy::shared_intermediates(|| {
        let first = np::exp(&x);
        first.compute().unwrap();
        (first, np::exp(&x))
    });
    assert!(first.as_lazy().unwrap().is_same(second.as_lazy().unwrap()));
    assert_eq!(values(&second), [1.0, 1f64.exp()]);
}

#[test]
fn threads_trace_with_sharing_at_the_same_time() {
    let x = Array::from([1.0, 2.0]);
    let trace = |k: i64| {
        let _scope = lazy::share_intermediates();
        let mut y = lazy::array(&x);
        for i in 0..200 {
            y = (&y + k) * 0.5 + (&y + k) * 0.25 - i;
        }
        y
    };
    let traced: Vec<Array> = std::thread::scope(|s| {
        let threads: Vec<_> = (0..8).map(|k| s.spawn(move || trace(k))).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    for (k, y) in (0..).zip(&traced) {
        assert_eq!(num_nodes(y), 1 + 200 * 5);
        let mut expected = [1.0, 2.0];
        for i in 0..200 {
            expected = expected.map(|v| (v + k as f64) * 0.5 + (v + k as f64) * 0.25 - i as f64);
        }
        assert_eq!(values(y), expected);
    }
}

#[test]
fn two_threads_compute_one_graph() {
    for round in 0..20 {
        let mut y = leaf(&[1.0, round as f64]);
        let mut expected = [1.0, round as f64];
        let mut nodes = vec![y.clone()];
        for _ in 0..300 {
            y = np::cos(&y) + &y * 0.5;
            expected = expected.map(|v| v.cos() + v * 0.5);
            nodes.push(y.clone());
        }
        // One thread begins in the middle, and nobody else holds the graph.
        let middle = nodes.swap_remove(150);
        drop(nodes);
        let compute = |x: Array| move || x.compute().unwrap().to_vec::<f64>().unwrap();
        let results = std::thread::scope(|s| {
            let threads = [
                s.spawn(compute(y.clone())),
                s.spawn(compute(middle)),
                s.spawn(compute(y.clone())),
                s.spawn(compute(&y * 1.0)),
            ];
            threads.map(|t| t.join().unwrap())
        });
        for result in [&results[0], &results[2], &results[3]] {
            for (got, expected) in result.iter().zip(expected) {
                assert!((got - expected).abs() <= 1e-12 * expected.abs());
            }
        }
        assert_eq!(results[0], results[2]);
    }
}

#[test]
fn tuples_are_taken_apart_one_by_one() {
    let x = lazy::array(&Array::from([[2.0, 0.0], [0.0, 3.0]]));
    let (u, s, vh) = np::linalg::svd(&x, ..);
    assert_eq!(values(&s), [3.0, 2.0]);
    // The decomposition is known now, the other factors are only taken out.
    assert_eq!(num_nodes(&u), 2);
    assert_eq!(values(&np::matmul(&u * &s, &vh)), [2.0, 0.0, 0.0, 3.0]);
    let (q, r) = np::linalg::qr(&x, ..);
    assert_eq!(num_nodes(&lazy::compute([np::matmul(q, r)]).unwrap()[0]), 0);
}

/// Long chains in a thread whose stack would not hold a frame for each node.
fn on_a_small_stack(f: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(256 * 1024);
    thread.spawn(f).unwrap().join().unwrap();
}

fn chain(x: &Array) -> Array {
    let mut y = x.clone();
    for _ in 0..CHAIN {
        y += 1.0;
    }
    y
}

#[test]
fn a_long_chain_needs_no_recursion() {
    on_a_small_stack(|| {
        let x = leaf(&[0.0, 1.0]);
        let y = chain(&x);
        let node = y.as_lazy().unwrap();
        assert_eq!(node.depth(), CHAIN);
        let history = lazy::history([&y]).unwrap();
        assert_eq!(history.num_nodes(), CHAIN + 1);
        assert_eq!(history.total_size(), 2 * (CHAIN + 1));
        assert_eq!(history.peak_size(true), 4);
        assert_eq!(history.fn_frequencies()["add"], CHAIN);
        drop(history);
        assert_eq!(node.descend().len(), CHAIN + 1);
        let first = node.show().max_lines(3).to_string();
        assert_eq!(first, "   0 add[2]\n   1 ╰─add[2]\n   2   ╰─add[2]\n");
        assert_eq!(values(&y), [CHAIN as f64, CHAIN as f64 + 1.0]);
    });
}

#[test]
fn a_long_chain_is_dropped_and_folded_without_recursion() {
    on_a_small_stack(|| {
        drop(chain(&lazy::variable(&[], DType::Float64)));
        let y = chain(&leaf(&[1.0]));
        y.compute_constants([&y]).unwrap();
        assert_eq!(num_nodes(&y), 2);
        drop(lazy::shared_intermediates(|| chain(&leaf(&[1.0]))));
    });
}
