//! The figures of autoray's lazy graphs, exactly.
//!
//! Every number here was printed by autoray 0.11.0 for the same computation on NumPy; only the last test, of
//! shapes that autoray gets wrong, follows NumPy instead.

use std::collections::BTreeMap;

use autojit::lazy::{History, Statistic};
use autojit::{Array, DType, lazy, numpy as np};

/// Modified Gram-Schmidt on the rows of `x`: each call of NumPy is one node.
fn gram_schmidt(x: &Array) -> Array {
    let mut rows: Vec<Array> = Vec::new();
    for j in 0..x.ty().unwrap().shape[0] {
        let mut q = x.get(j as i64);
        for row in &rows {
            q = &q - np::tensordot(np::conj(row), &q, 1) * row;
        }
        rows.push(&q / np::linalg::norm(&q, ..));
    }
    np::stack(&rows, 0)
}

fn variable(shape: &[usize]) -> Array {
    lazy::variable(shape, DType::Float64)
}

fn traced(n: usize) -> Array {
    gram_schmidt(&variable(&[n, n]))
}

fn traced_with_sharing(n: usize) -> Array {
    lazy::shared_intermediates(|| traced(n))
}

fn history(x: &Array) -> History {
    lazy::history([x]).unwrap()
}

fn num_nodes(x: &Array) -> usize {
    history(x).num_nodes()
}

fn shape(x: &Array) -> Vec<usize> {
    x.ty().unwrap().shape.to_vec()
}

fn assert_stats(got: &BTreeMap<&'static str, usize>, expected: &[(&str, usize)]) {
    let expected: BTreeMap<&str, usize> = expected.iter().copied().collect();
    assert_eq!(*got, expected);
}

/// Some numbers that are far from singular, the same at each call.
fn numbers(shape: &[usize], seed: i64) -> Array {
    let size: usize = shape.iter().product();
    let x = np::arange(size as i64, ..) * 0.7 + seed as f64;
    np::reshape(np::sin(np::square(x)), shape)
}

#[test]
fn gram_schmidt_table() {
    // n, nodes, shared nodes, depth, max size, peak, peak without inputs, total size, shared total
    for [
        n,
        nodes,
        shared_nodes,
        depth,
        max,
        peak,
        peak_without,
        total,
        shared_total,
    ] in [
        [2, 12, 12, 10, 4, 10, 8, 25, 25],
        [3, 23, 22, 16, 9, 24, 18, 69, 66],
        [5, 57, 51, 28, 25, 70, 50, 265, 235],
        [10, 212, 176, 58, 100, 290, 200, 1805, 1445],
        [20, 822, 651, 118, 400, 1180, 800, 13210, 9790],
        [50, 5052, 3876, 298, 2500, 7450, 5000, 195_025, 136_225],
        [
            100, 20102, 15251, 598, 10000, 29900, 20000, 1_530_050, 1_044_950,
        ],
    ] {
        let y = traced(n);
        let node = y.as_lazy().unwrap();
        assert_eq!(node.history_num_nodes(), nodes, "n = {n}");
        assert_eq!(node.depth(), depth);
        assert_eq!(node.history_max_size(), max);
        assert_eq!(node.history_peak_size(true), peak);
        assert_eq!(node.history_peak_size(false), peak_without);
        assert_eq!(node.history_total_size(), total);
        assert_eq!(nodes, 2 * n * n + n + 2);
        assert_eq!(
            (depth, peak, peak_without),
            (6 * n - 2, 3 * n * n - n, 2 * n * n)
        );

        let y = traced_with_sharing(n);
        let node = y.as_lazy().unwrap();
        assert_eq!(node.history_num_nodes(), shared_nodes, "n = {n}");
        assert_eq!(node.history_total_size(), shared_total);
        assert_eq!(shared_nodes, (3 * n * n + 5 * n + 2) / 2);
        // Sharing changes neither what is largest nor the longest way.
        assert_eq!((node.depth(), node.history_max_size()), (depth, max));
    }
}

#[test]
fn gram_schmidt_frequencies_and_sizes_in() {
    let y = traced(5);
    let node = y.as_lazy().unwrap();
    let mut frequencies = [
        ("stack", 1),
        ("truediv", 5),
        ("norm", 5),
        ("sub", 10),
        ("mul", 10),
        ("getitem", 5),
        ("None", 1),
        ("tensordot", 10),
        ("conjugate", 10),
    ];
    assert_stats(&node.history_fn_frequencies(), &frequencies);
    assert_stats(&node.history_stats("count".parse().unwrap()), &frequencies);
    assert_stats(
        &node.history_stats(Statistic::SizeIn),
        &[
            ("stack", 25),
            ("truediv", 30),
            ("norm", 25),
            ("sub", 100),
            ("mul", 60),
            ("getitem", 125),
            ("None", 0),
            ("tensordot", 100),
            ("conjugate", 50),
        ],
    );
    assert_stats(
        &node.history_stats("sizeout".parse().unwrap()),
        &[
            ("stack", 25),
            ("truediv", 25),
            ("norm", 5),
            ("sub", 50),
            ("mul", 50),
            ("getitem", 25),
            ("None", 25),
            ("tensordot", 10),
            ("conjugate", 50),
        ],
    );
    let deep = node.history_stats_by(|n| (n.depth() > 20).then_some(1));
    assert_eq!(
        deep.values().sum::<usize>(),
        node.ascend().iter().filter(|n| n.depth() > 20).count()
    );

    frequencies[8] = ("conjugate", 4);
    let shared = traced_with_sharing(5);
    assert_stats(&history(&shared).fn_frequencies(), &frequencies);
}

#[test]
fn gram_schmidt_footprint() {
    let two = traced(2);
    let two = two.as_lazy().unwrap();
    assert_eq!(
        two.history_size_footprint(true),
        [
            4, 6, 7, 9, 8, 6, 8, 10, 6, 7, 5, 7, 6, 8, 6, 4, 5, 7, 6, 4, 8, 6, 4
        ]
    );
    assert_eq!(
        two.history_size_footprint(false),
        [
            0, 2, 3, 5, 4, 2, 4, 6, 7, 5, 7, 6, 8, 6, 4, 5, 7, 6, 4, 8, 6, 4
        ]
    );
    let five = traced(5);
    let five = five.as_lazy().unwrap();
    assert_eq!(five.history_size_footprint(true).len(), 113);
    assert_eq!(
        five.history_size_footprint(true),
        [
            25, 30, 31, 36, 35, 30, 35, 40, 41, 36, 41, 40, 45, 40, 35, 36, 41, 40, 35, 40, 45, 50,
            51, 46, 51, 50, 55, 50, 45, 46, 41, 46, 45, 50, 45, 40, 41, 46, 45, 40, 45, 50, 55, 60,
            61, 56, 61, 60, 65, 60, 55, 56, 51, 56, 55, 60, 55, 50, 51, 46, 51, 50, 55, 50, 45, 46,
            51, 50, 45, 50, 55, 60, 65, 70, 45, 46, 41, 46, 45, 50, 45, 40, 41, 36, 41, 40, 45, 40,
            35, 36, 31, 36, 35, 40, 35, 30, 31, 26, 31, 30, 35, 30, 25, 26, 31, 30, 25, 50, 45, 40,
            35, 30, 25
        ]
    );
    assert_eq!(
        five.history_size_footprint(false),
        [
            0, 5, 6, 11, 10, 5, 10, 15, 16, 11, 16, 15, 20, 15, 10, 11, 16, 15, 10, 15, 20, 25, 26,
            21, 26, 25, 30, 25, 20, 21, 16, 21, 20, 25, 20, 15, 16, 21, 20, 15, 20, 25, 30, 35, 36,
            31, 36, 35, 40, 35, 30, 31, 26, 31, 30, 35, 30, 25, 26, 21, 26, 25, 30, 25, 20, 21, 26,
            25, 20, 25, 30, 35, 40, 45, 46, 41, 46, 45, 50, 45, 40, 41, 36, 41, 40, 45, 40, 35, 36,
            31, 36, 35, 40, 35, 30, 31, 26, 31, 30, 35, 30, 25, 26, 31, 30, 25, 50, 45, 40, 35, 30,
            25
        ]
    );
}

#[test]
fn gram_schmidt_value() {
    let x = lazy::array(&Array::from([[3.0, 4.0], [1.0, 2.0]]));
    let q = gram_schmidt(&x).compute().unwrap();
    let q = q.to_ndarray::<f64>().unwrap();
    for (got, expected) in q.iter().zip([0.6, 0.8, -0.8, 0.6]) {
        assert!((got - expected).abs() < 1e-15, "{q}");
    }
}

#[test]
fn gram_schmidt_shown() {
    let y = traced(2);
    let y = y.as_lazy().unwrap();
    assert_eq!(
        y.show().to_string(),
        "   0 stack[2, 2]
   1 ├─truediv[2]
   2 │ ├─getitem[2]
   3 │ │ ╰─←[2, 2]
   4 │ ╰─norm[]
   5 │   ╰─ ... [getitem[2] from line 2]
   6 ╰─truediv[2]
   7   ├─sub[2]
   8   │ ├─getitem[2]
   9   │ │ ╰─ ... [←[2, 2] from line 3]
  10   │ ╰─mul[2]
  11   │   ├─ ... [truediv[2] from line 1]
  12   │   ╰─tensordot[]
  13   │     ├─ ... [getitem[2] from line 8]
  14   │     ╰─conjugate[2]
  15   │       ╰─ ... [truediv[2] from line 1]
  16   ╰─norm[]
  17     ╰─ ... [sub[2] from line 7]
"
    );
    let y = traced(3);
    let y = y.as_lazy().unwrap();
    let whole = y.show_with_args().to_string();
    assert_eq!(
        whole,
        "   0 stack((#, #, #), 0) → [3, 3]
   1 ├─truediv(#, #) → [3]
   2 │ ├─getitem(#, (0, :)) → [3]
   3 │ │ ╰─←[3, 3]
   4 │ ╰─norm(#, ord=None, axis=None, keepdims=False) → []
   5 │   ╰─ ... [getitem(#, (0, :)) → [3] from line 2]
   6 ├─truediv(#, #) → [3]
   7 │ ├─sub(#, #) → [3]
   8 │ │ ├─getitem(#, (1, :)) → [3]
   9 │ │ │ ╰─ ... [←[3, 3] from line 3]
  10 │ │ ╰─mul(#, #) → [3]
  11 │ │   ├─ ... [truediv(#, #) → [3] from line 1]
  12 │ │   ╰─tensordot(#, #, ((0,), (0,))) → []
  13 │ │     ├─ ... [getitem(#, (1, :)) → [3] from line 8]
  14 │ │     ╰─conjugate(#) → [3]
  15 │ │       ╰─ ... [truediv(#, #) → [3] from line 1]
  16 │ ╰─norm(#, ord=None, axis=None, keepdims=False) → []
  17 │   ╰─ ... [sub(#, #) → [3] from line 7]
  18 ╰─truediv(#, #) → [3]
  19   ├─sub(#, #) → [3]
  20   │ ├─sub(#, #) → [3]
  21   │ │ ├─getitem(#, (2, :)) → [3]
  22   │ │ │ ╰─ ... [←[3, 3] from line 3]
  23   │ │ ╰─mul(#, #) → [3]
  24   │ │   ├─ ... [truediv(#, #) → [3] from line 1]
  25   │ │   ╰─tensordot(#, #, ((0,), (0,))) → []
  26   │ │     ├─ ... [getitem(#, (2, :)) → [3] from line 21]
  27   │ │     ╰─conjugate(#) → [3]
  28   │ │       ╰─ ... [truediv(#, #) → [3] from line 1]
  29   │ ╰─mul(#, #) → [3]
  30   │   ├─ ... [truediv(#, #) → [3] from line 6]
  31   │   ╰─tensordot(#, #, ((0,), (0,))) → []
  32   │     ├─ ... [sub(#, #) → [3] from line 20]
  33   │     ╰─conjugate(#) → [3]
  34   │       ╰─ ... [truediv(#, #) → [3] from line 6]
  35   ╰─norm(#, ord=None, axis=None, keepdims=False) → []
  36     ╰─ ... [sub(#, #) → [3] from line 19]
"
    );
    let first_lines: String = whole.lines().take(5).map(|l| format!("{l}\n")).collect();
    assert_eq!(y.show_with_args().max_lines(5).to_string(), first_lines);
    assert_eq!(
        y.show().max_depth(1).to_string(),
        "   0 stack[3, 3]
   1 ├─truediv[3]
   2 ├─truediv[3]
   3 ╰─truediv[3]
"
    );
    let norm = np::linalg::norm(variable(&[3]), 2);
    assert_eq!(
        norm.as_lazy().unwrap().show_with_args().to_string(),
        "   0 norm(#, ord=2, axis=None, keepdims=False) → []
   1 ╰─←[3]
"
    );
}

#[test]
fn partial_evaluation() {
    let [la, lb, lc, ld] = [1, 2, 3, 4].map(|seed| lazy::array(&numbers(&[10, 10], seed)));
    let lab = np::tanh(np::matmul(&la, &lb));
    let lcd = np::matmul(&lc, &ld);
    let ls = &lab + &lcd;
    let ld2 = np::absolute(&lab / &lcd);
    let lf = np::sum(np::einsum("ab,ba->a", [&ls, &ld2]), ..);
    let node = lf.as_lazy().unwrap();
    assert_eq!(node.history_num_nodes(), 12);
    assert_eq!(node.history_max_size(), 100);
    assert_eq!(node.history_peak_size(true), 500);
    assert_eq!(node.history_total_size(), 1011);
    assert_eq!(node.depth(), 6);
    assert_stats(
        &node.history_fn_frequencies(),
        &[
            ("None", 4),
            ("tanh", 1),
            ("matmul", 2),
            ("add", 1),
            ("absolute", 1),
            ("truediv", 1),
            ("einsum", 1),
            ("sum", 1),
        ],
    );
    assert_eq!(
        node.history_size_footprint(true),
        [
            400, 500, 400, 300, 400, 300, 400, 300, 200, 300, 400, 300, 400, 300, 200, 210, 110,
            10, 11, 1
        ]
    );
    assert_eq!(
        node.history_size_footprint(false),
        [
            0, 100, 200, 100, 200, 300, 400, 300, 400, 300, 200, 210, 110, 10, 11, 1
        ]
    );

    lf.compute_constants([&lc, &ld]).unwrap();
    assert_eq!(node.history_num_nodes(), 9);
    assert!(!node.history_fn_frequencies().contains_key("tanh"));
    assert_eq!(
        node.history_size_footprint(true),
        [
            300, 400, 300, 200, 300, 400, 300, 400, 300, 200, 210, 110, 10, 11, 1
        ]
    );
    assert_eq!(
        node.show_with_args().to_string(),
        "   0 sum(#) → []
   1 ╰─einsum('ab,ba->a', #, #) → [10]
   2   ├─add(#, #) → [10, 10]
   3   │ ├─matmul(#, #) → [10, 10]
   4   │ │ ├─←[10, 10]
   5   │ │ ╰─←[10, 10]
   6   │ ╰─←[10, 10]
   7   ╰─absolute(#) → [10, 10]
   8     ╰─truediv(#, #) → [10, 10]
   9       ├─ ... [matmul(#, #) → [10, 10] from line 3]
  10       ╰─ ... [←[10, 10] from line 6]
"
    );
    let [a, b, c, d] = [1, 2, 3, 4].map(|seed| numbers(&[10, 10], seed));
    let (ab, cd) = (np::tanh(np::matmul(&a, &b)), np::matmul(&c, &d));
    let f = np::sum(
        np::einsum("ab,ba->a", [&ab + &cd, np::absolute(&ab / &cd)]),
        ..,
    );
    let [got, expected] = [lf.compute().unwrap(), f].map(|x| x.to_ndarray::<f64>().unwrap());
    assert_eq!(got, expected);
}

#[test]
fn sharing_a_repeated_term() {
    let (la, lb) = (variable(&[3, 3]), variable(&[3, 3]));
    let term = || np::tanh(np::matmul(&la, &lb));
    assert_eq!(num_nodes(&(term() + term())), 7);
    assert_eq!(
        num_nodes(&lazy::shared_intermediates(|| term() + term())),
        5
    );
    let sharing = lazy::share_intermediates();
    let shared = term() + term();
    drop(sharing);
    assert_eq!(num_nodes(&shared), 5);
    assert_eq!(num_nodes(&(term() + term())), 7);
}

#[test]
fn views_of_views_are_one() {
    let x = variable(&[2, 3, 4, 5, 6]);
    let once = np::transpose(&x, [1, 0, 3, 2, 4]);
    let twice = np::transpose(&once, [1, 0, 3, 2, 4]);
    assert_eq!((num_nodes(&once), num_nodes(&twice)), (2, 2));
    assert_eq!(shape(&twice), shape(&x));

    let data = numbers(&[2, 3, 4, 5, 6], 0);
    let turned = |x: &Array| np::transpose(np::transpose(x, [1, 0, 3, 2, 4]), [4, 2, 0, 1, 3]);
    let (lazily, eagerly) = (turned(&lazy::array(&data)), turned(&data));
    assert_eq!(num_nodes(&lazily), 2);
    assert_eq!(
        lazily.compute().unwrap().to_ndarray::<f64>().unwrap(),
        eagerly.to_ndarray::<f64>().unwrap()
    );

    let flat = np::reshape(&x, [6, 120]);
    let folded = np::reshape(&flat, [12, 60]);
    assert_eq!((num_nodes(&flat), num_nodes(&folded)), (2, 2));
    assert_eq!(shape(&folded), [12, 60]);
}

#[test]
fn a_mask_is_a_dependency() {
    let (x, mask) = (variable(&[4, 5]), lazy::variable(&[4, 5], DType::Bool));
    let sum = np::sum(&x, np::axis(0).where_(&mask));
    assert_eq!(num_nodes(&sum), 3);
    assert_eq!(shape(&sum), [5]);
}

#[test]
fn outputs_of_svd() {
    let (u, s, vh) = np::linalg::svd(variable(&[4, 5]), ..);
    for output in [&u, &s, &vh] {
        assert_eq!(num_nodes(output), 3);
    }
    assert_eq!(lazy::history([&u, &s, &vh]).unwrap().num_nodes(), 5);
    assert_eq!(
        u.as_lazy().unwrap().show_with_args().to_string(),
        "   0 getitem(#, 0) → [4, 4]
   1 ╰─svd(#) → [3]
   2   ╰─←[4, 5]
"
    );
}

#[test]
fn other_shapes() {
    // Traced and computed, because a traced shape may be wrong.
    let check = |shapes: &[&[usize]], expected: &[&[usize]], f: &dyn Fn(&[Array]) -> Vec<Array>| {
        let eager: Vec<Array> = (1..).zip(shapes).map(|(i, s)| numbers(s, i)).collect();
        let variables: Vec<Array> = shapes.iter().map(|s| variable(s)).collect();
        let leaves: Vec<Array> = eager.iter().map(lazy::array).collect();
        let computed = lazy::compute(f(&leaves)).unwrap();
        for results in [f(&variables), f(&leaves), f(&eager), computed] {
            let shapes: Vec<Vec<usize>> = results.iter().map(shape).collect();
            assert_eq!(shapes, expected);
        }
    };
    check(&[&[4, 5]], &[&[4, 4], &[4], &[4, 5]], &|x| {
        let (u, s, vh) = np::linalg::svd(&x[0], ..);
        vec![u, s, vh]
    });
    check(&[&[2, 6, 5]], &[&[2, 6, 5], &[2, 5, 5]], &|x| {
        let (q, r) = np::linalg::qr(&x[0], ..);
        vec![q, r]
    });
    check(&[&[2, 3, 4, 5], &[4, 5], &[6, 2, 3]], &[&[6, 5]], &|x| {
        vec![np::einsum("abcd,cd,fab->fd", x)]
    });
    check(&[&[7, 3, 4, 5], &[5, 6, 3, 2]], &[&[7, 4, 6, 2]], &|x| {
        vec![np::tensordot(
            &x[0],
            &x[1],
            [(1, 3), (2, 0)].map(<[i32; 2]>::from),
        )]
    });
    check(&[&[2, 2], &[2, 2], &[2, 2]], &[&[2, 2, 3]], &|x| {
        vec![np::stack(x, -1)]
    });
    check(&[&[3, 4]], &[&[3], &[3]], &|x| {
        vec![np::diagonal(&x[0], 1), np::diag(&x[0], 1)]
    });
    check(&[&[2, 3, 4]], &[&[4]], &|x| vec![np::trace(&x[0], ..)]);
    check(&[&[2, 2, 3, 4], &[1, 2, 4, 5]], &[&[2, 2, 3, 5]], &|x| {
        vec![np::matmul(&x[0], &x[1])]
    });
}
