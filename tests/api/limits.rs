//! Arguments that ask for much: loops around nothing, lists and arrays as long as a number says, deep nesting, many
//! operands, many different calls. What cannot be done is an error, and what is nothing takes no time.

use std::time::{Duration, Instant};

use autojit::numpy as np;
use autojit::{
    Array, DType, Tree, Value, autojit, backends, call, dispatch, lazy, tree_flatten,
    tree_unflatten,
};
use np::linalg;

use crate::process::in_own_process;

/// A hang takes longer than this, and nothing else does on any machine.
const LONG: Duration = Duration::from_secs(30);

#[track_caller]
fn soon<T>(what: &str, f: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = f();
    let time = start.elapsed();
    assert!(time < LONG, "{what} took {time:?}");
    result
}

const HUGE: i64 = 1 << 32;

/// The shape of a result in every mode, soon.
#[track_caller]
fn around_nothing(name: &str, shape: &[i64], f: fn(&Array) -> Array, expected: &[usize]) {
    let x = np::zeros(shape, DType::Float64);
    let check = |mode: &str, y: Array| {
        assert_eq!(
            y.check().unwrap().shape().unwrap(),
            expected,
            "{name}, {mode}"
        );
    };
    soon(name, || {
        check("eager", f(&x));
        check("lazy", f(&lazy::array(&x)).compute().unwrap());
        for backend in backends()
            .into_iter()
            .filter(|&b| b != "torch" && b != "xla")
        {
            let jit = autojit(|x: Array| f(&x)).backend(backend);
            check(backend, jit.call(&x).unwrap());
        }
    });
}

#[test]
fn loops_around_nothing_take_no_time() {
    let (n, few) = (HUGE as usize, [HUGE, 0]);
    around_nothing("exp", &few, |x| np::exp(x), &[n, 0]);
    around_nothing("chain", &few, |x| np::exp(x) * 2.0 + x, &[n, 0]);
    around_nothing("astype", &few, |x| x.astype(DType::Int32), &[n, 0]);
    around_nothing("transposed", &few, |x| np::exp(x.t()), &[0, n]);
    around_nothing("copy", &few, |x| np::reshape(x.t(), [0, HUGE]), &[0, n]);
    around_nothing(
        "where",
        &few,
        |x| np::where_(np::less(x, 1.0), x, 0.0),
        &[n, 0],
    );
    around_nothing("sort", &few, |x| np::sort(x, 0), &[n, 0]);
    around_nothing("argsort", &few, |x| np::argsort(x, ..), &[n, 0]);
    around_nothing("cumsum", &few, |x| np::cumsum(x, 0), &[n, 0]);
    around_nothing(
        "concatenate",
        &few,
        |x| np::concatenate([x, x], Some(1)),
        &[n, 0],
    );
    around_nothing("stack", &few, |x| np::stack([x, x], Some(1)), &[n, 2, 0]);
    around_nothing(
        "take",
        &few,
        |x| np::take(x, Array::from([1_i64, 0]), 0),
        &[2, 0],
    );
    around_nothing("matmul", &few, |x| np::matmul(x.t(), x), &[0, 0]);
    around_nothing("tensordot", &few, |x| np::tensordot(x, x, 2), &[]);
    around_nothing("flip", &few, |x| np::flip(x, ..) + 1.0, &[n, 0]);
    let cube = [1 << 36, 0, 3];
    let n = 1 << 36;
    around_nothing("sin", &cube, |x| np::sin(x), &[n, 0, 3]);
    around_nothing("sum", &cube, |x| np::sum(x, ..), &[]);
    around_nothing("prod", &cube, |x| np::prod(x, ..), &[]);
    around_nothing("sum 0 1", &cube, |x| np::sum(x, [0, 1]), &[3]);
    around_nothing("sum 0", &cube, |x| np::sum(x, 0), &[0, 3]);
    around_nothing(
        "sum of sines",
        &cube,
        |x| np::sum(np::sin(x) * 2.0, ..),
        &[],
    );
    around_nothing("any", &cube, |x| np::any(x, ..), &[]);
    around_nothing("all", &cube, |x| np::all(x, [0, 1]), &[3]);
    around_nothing("argmax", &[0, 1 << 36, 3], |x| np::argmax(x, 2), &[0, n]);
    around_nothing("mean", &[1 << 36, 3, 0], |x| np::mean(x, 1), &[n, 0]);
    around_nothing(
        "fft",
        &[1 << 36, 0, 3],
        |x| np::real(np::fft::fft(x, ..)),
        &[n, 0, 3],
    );
    let matrices = [1 << 36, 0, 0];
    around_nothing("svdvals", &matrices, |x| linalg::svdvals(x), &[n, 0]);
    around_nothing("lu", &matrices, |x| linalg::lu(x).2, &[n, 0, 0]);
    around_nothing("qr", &matrices, |x| linalg::qr(x, ..).0, &[n, 0, 0]);
    around_nothing("inv", &matrices, |x| linalg::inv(x), &[n, 0, 0]);
    around_nothing(
        "cholesky",
        &matrices,
        |x| linalg::cholesky(x, ..),
        &[n, 0, 0],
    );
    around_nothing("solve", &matrices, |x| linalg::solve(x, x), &[n, 0, 0]);
    around_nothing("expm", &matrices, |x| linalg::expm(x), &[n, 0, 0]);
    around_nothing("eigh", &matrices, |x| linalg::eigh(x, ..).0, &[n, 0]);
}

/// Shapes that are not square need no square.
#[test]
fn tall_matrices_are_decomposed() {
    let x = np::ones([200_000_i64, 2], DType::Float64) + np::eye(200_000, np::columns(2));
    let y = np::ones([200_000], DType::Float64);
    assert!(linalg::svdvals(&x).check().is_ok());
    assert!(linalg::svd(&x, np::full_matrices(false)).1.check().is_ok());
    assert!(linalg::qr(&x, ..).1.check().is_ok());
    assert!(linalg::lstsq(&x, &y, ..).0.check().is_ok());
    assert!(
        np::fft::fft(np::zeros([0, 1_i64 << 40], DType::Float64), ..)
            .check()
            .is_ok()
    );
}

/// The reduction of nothing is what it was with axes of ordinary length.
#[test]
fn reductions_of_nothing_give_their_neutral_elements() {
    for backend in backends() {
        let f = autojit(|x: Array| {
            vec![
                np::sum(&x, ..) + 1.0,
                np::prod(&x, 1),
                np::astype(np::any(&x, ..), DType::Float64),
                np::astype(np::all(&x, 1), DType::Float64),
                np::concatenate([np::sum(&x, 1), Array::from([5.0])], Some(0)),
            ]
        });
        let results = f
            .backend(backend)
            .call(np::zeros([2, 0], DType::Float64))
            .unwrap();
        let results: Vec<Vec<f64>> = results
            .iter()
            .map(|x| np::ravel(x).to_vec().unwrap())
            .collect();
        assert_eq!(
            results,
            [
                vec![1.0],
                vec![1.0, 1.0],
                vec![0.0],
                vec![1.0, 1.0],
                vec![0.0, 0.0, 5.0]
            ],
            "{backend}"
        );
    }
}

#[track_caller]
fn refused(what: &str, f: impl FnOnce() -> autojit::Result<()>) {
    let error = soon(what, f).unwrap_err();
    let location = error.location().map(autojit::ir::Site::file);
    assert_eq!(location, Some(file!()), "{what}: {error}");
}

pub(super) fn first(list: Vec<Array>) -> autojit::Result<()> {
    list.into_iter()
        .next()
        .map_or(Ok(()), |x| x.check().map(drop))
}

#[test]
fn lists_as_long_as_a_number_says_are_refused() {
    let two = Array::from([1.0, 2.0]);
    let none = np::zeros([0], DType::Float64);
    refused("repeat", || {
        np::repeat(&two, [5, HUGE], ..).check().map(drop)
    });
    refused("repeat", || {
        np::repeat(&two, [i64::MAX; 2], ..).check().map(drop)
    });
    refused("repeat", || {
        np::repeat(&two, 1_i64 << 40, ..).check().map(drop)
    });
    refused("array_split", || first(np::array_split(&two, HUGE, ..)));
    refused("array_split", || {
        first(np::array_split(&two, 1_i64 << 61, ..))
    });
    refused("split", || first(np::split(&none, 1_i64 << 33, ..)));
    refused("pad", || {
        np::pad(
            Array::from([1.0]),
            1_i64 << 40,
            np::arranging::Padding::Wrap,
        )
        .check()
        .map(drop)
    });
    refused("pad", || {
        np::pad(Array::from([1.0]), 1_i64 << 40, ..)
            .check()
            .map(drop)
    });
    refused("rows", || {
        np::zeros([1_i64 << 40, 0], DType::Float64).rows().map(drop)
    });
    refused("tile", || np::tile(&two, 1_i64 << 40).check().map(drop));
    refused("arange", || np::arange(1_i64 << 40, ..).check().map(drop));
    refused("eye", || np::eye(1 << 30, ..).check().map(drop));
    refused("vander", || np::vander(&two, 1_i64 << 40).check().map(drop));
    let vander = soon("vander", || np::vander(&none, 1_i64 << 31));
    assert_eq!(vander.shape().unwrap(), [0, 1 << 31]);
    let vander = np::vander(
        Array::from([2.0, 3.0]),
        np::calculus::Powers {
            columns: Some(4),
            increasing: true,
        },
    );
    assert_eq!(
        np::ravel(vander).to_vec::<f64>().unwrap(),
        [1.0, 2.0, 4.0, 8.0, 1.0, 3.0, 9.0, 27.0]
    );
}

#[derive(Tree)]
struct Link {
    x: Array,
    next: Option<Box<Link>>,
}

fn links(count: usize) -> Link {
    let mut chain = Link {
        x: Array::from(1.0),
        next: None,
    };
    for _ in 1..count {
        chain = Link {
            x: Array::from(1.0),
            next: Some(Box::new(chain)),
        };
    }
    chain
}

/// Frees a chain link by link.
fn unlink(mut chain: Link) {
    while let Some(next) = chain.next.take() {
        chain = *next;
    }
}

#[test]
fn deep_trees_are_refused() {
    let chain = links(20_000);
    let error = tree_flatten(&chain).map(drop).unwrap_err();
    assert!(error.is_tree(), "{error}");
    let f = autojit(|chain: Link| chain.x.clone());
    assert!(f.call(&chain).unwrap_err().is_tree());
    unlink(chain);
    let chain = links(200);
    let (arrays, structure) = tree_flatten(&chain).unwrap();
    assert_eq!(arrays.len(), 200);
    assert!(structure.to_string().len() > 200);
    unlink(tree_unflatten(arrays, &structure).unwrap());
    unlink(chain);
}

#[test]
fn arrays_have_at_most_128_axes() {
    let axes = vec![1_i64; 20_000];
    let x = Array::from([1.0]);
    for many in [
        np::reshape(&x, axes.clone()),
        np::zeros(axes.clone(), DType::Float64),
        np::broadcast_to(&x, axes.clone()),
        np::ones(vec![1_i64; 129], DType::Float64),
        np::tensordot(
            np::ones(vec![1_i64; 80], DType::Float64),
            np::ones(vec![1_i64; 80], DType::Float64),
            0,
        ),
        np::tile(&x, axes.clone()),
        Array::from(ndarray::ArrayD::from_elem(vec![1; 20_000], 1.0)),
    ] {
        let text = format!("{many:?} {many}");
        assert!(text.contains("128 axes"), "{text}");
        assert!(many.check().is_err());
    }
    let most = np::ones(vec![1_i64; 128], DType::Float64);
    assert_eq!(most.ndim().unwrap(), 128);
    assert!(np::expand_dims(&most, 0).check().is_err());
    assert!(format!("{most:?} {most}").len() > 128);
}

#[test]
fn deep_lists_are_refused() {
    let mut list = Value::from(0);
    for _ in 0..20_000 {
        list = Value::List(vec![list]);
    }
    let mut args = [Value::from(Array::from([1.0, 2.0])), list];
    for name in ["getitem", "add", "concatenate"] {
        let error = dispatch::call(name, &args, &[]).unwrap_err();
        assert!(error.to_string().contains("deep"), "{error}");
        assert_eq!(error.location().unwrap().file(), file!());
    }
    // Taken apart from the outside in: a list inside of a list is freed by a call inside of a call.
    let mut list = std::mem::replace(&mut args[1], Value::None);
    while let Value::List(mut items) = list {
        list = items.pop().unwrap();
    }
}

#[test]
fn functions_compile_on_threads_with_a_small_stack() {
    // The thread-local memory of libtorch and what it loads takes 40 kB of the stack of each thread.
    let small = std::thread::Builder::new().stack_size(128 << 10);
    let run = || {
        let f = autojit(|x: Array| np::sum(np::exp(&x) * 2.0 + np::sort(&x, ..), ..));
        f.call(Array::from([0.0, 0.0]))
            .and_then(|x| x.item::<f64>())
    };
    assert_eq!(small.spawn(run).unwrap().join().unwrap().unwrap(), 4.0);
}

#[test]
fn einsum_orders_many_operands_soon() {
    let name = |i: usize| char::from_u32(0x4e00 + i as u32).unwrap();
    let chain = |n: usize| {
        let operands: Vec<String> = (0..n)
            .map(|i| [name(i), name(i + 1)].iter().collect())
            .collect();
        format!("{}->{}{}", operands.join(","), name(0), name(n))
    };
    let x = np::eye(2, ..);
    for n in [50, 1000] {
        let operands = vec![&x; n];
        let y = soon("einsum", || np::einsum(&chain(n), operands));
        assert_eq!(np::ravel(&y).to_vec::<f64>().unwrap(), [1.0, 0.0, 0.0, 1.0]);
    }
    // Without an arrow.
    let subscripts = chain(500);
    let (subscripts, _) = subscripts.split_once("->").unwrap();
    let y = soon("einsum", || np::einsum(subscripts, vec![&x; 500]));
    assert_eq!(y.shape().unwrap(), [2, 2]);
}

#[test]
fn multi_dot_takes_the_cheapest_order_soon() {
    let x = np::eye(3, ..);
    let y = soon("multi_dot", || linalg::multi_dot(vec![&x; 300]));
    assert_eq!(
        np::ravel(&y).to_vec::<f64>().unwrap(),
        np::ravel(&x).to_vec::<f64>().unwrap()
    );
    let sizes = [30, 35, 15, 5, 10, 20, 25];
    let matrices: Vec<Array> = sizes
        .windows(2)
        .map(|s| np::ones([s[0], s[1]], DType::Float64))
        .collect();
    let lazily: Vec<Array> = matrices.iter().map(lazy::array).collect();
    let product = linalg::multi_dot(&lazily);
    // ((1 (2 3)) ((4 5) 6)), as in the textbook.
    let shapes = product.as_lazy().unwrap().show().to_string();
    assert!(
        shapes.contains("[35, 5]") && shapes.contains("[5, 20]"),
        "{shapes}"
    );
    assert_eq!(product.compute().unwrap().shape().unwrap(), [30, 25]);
}

#[test]
fn text_is_linear_in_nodes() {
    let texts = |n: usize| {
        let x = lazy::variable(&[3], DType::Float64);
        let mut y = x.clone();
        for _ in 0..n {
            y = np::sin(&y) + 1.0;
        }
        let node = y.as_lazy().unwrap();
        let show = soon("show", || node.show().to_string());
        let with_args = soon("show", || node.show_with_args().to_string());
        let debug = format!("{y:?} {node:?}");
        [show.len(), with_args.len(), debug.len()]
    };
    let (small, large) = (texts(10_000), texts(20_000));
    for (small, large) in small.into_iter().zip(large) {
        assert!(
            large <= 2 * small + small / 4 + 100,
            "{small} and {large} bytes"
        );
    }
    let explained = |n: usize| {
        let f = autojit(move |x: Array| (0..n).fold(x, |y, _| np::sin(&y) + 1.0));
        let f = f.backend("replay");
        let explanation = soon("explain", || {
            f.explain(Array::from([1.0])).unwrap().to_string()
        });
        explanation.len()
    };
    let (small, large) = (explained(1000), explained(2000));
    assert!(large <= 2 * small + small / 4, "{small} and {large} bytes");
}

fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    pages.unwrap_or(0) * 4096
}

#[test]
fn plans_of_transforms_are_bounded() {
    in_own_process!();
    let run = |n: usize| {
        let x = np::ones([n as i64], DType::Float64);
        assert!(np::fft::fft(&x, ..).check().is_ok());
    };
    // Without a bound they would hold about 180 MB.
    let lengths = (0..40).map(|i| (64 + i) << 12);
    lengths.clone().take(4).for_each(run);
    let before = resident();
    lengths.for_each(run);
    let grown = resident().saturating_sub(before);
    assert!(grown < 100 << 20, "{grown} bytes");
}

#[test]
fn signatures_are_bounded() {
    let f = autojit(|(x, n): (Array, i64)| x + n);
    let f = f.backend("replay");
    let x = Array::from([1.0]);
    for n in 0..3000_i64 {
        let y = f.call((&x, n)).unwrap();
        assert_eq!(y.to_vec::<f64>().unwrap(), [1.0 + n as f64]);
        // Used again and again, so it stays.
        assert!(f.call((&x, 0_i64)).is_ok());
        if n % 5 == 0 {
            (1..6_i64).for_each(|other| drop(f.call((&x, other))));
        }
    }
    assert!((512..=1100).contains(&f.compiled()), "{}", f.compiled());
    assert!(f.dropped() >= 1900, "{}", f.dropped());
    assert_eq!(f.misses(), 3000);
}

#[test]
fn calls_by_name_are_bounded_too() {
    assert!(call!("vander", np::zeros([0], DType::Float64), 1_i64 << 31).is_ok());
}
