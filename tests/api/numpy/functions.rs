//! The functions, operators and methods: their values, their options, and what they refuse.

use autojit::numpy::{self as np, axis, columns, full_matrices, keepdims, num, offset, ord};
use autojit::{Array, DType, lazy};
use num_complex::Complex64;

fn matrix() -> Array {
    Array::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
}

/// Shape and elements of a `float64` array.
fn values(x: &Array) -> (Vec<usize>, Vec<f64>) {
    (x.shape().unwrap(), x.to_vec::<f64>().unwrap())
}

#[test]
fn optional_arguments_are_written_the_same_way_everywhere() {
    let x = matrix();
    assert_eq!(values(&np::sum(&x, ..)), (vec![], vec![21.0]));
    assert_eq!(values(&np::sum(&x, 0)), (vec![3], vec![5.0, 7.0, 9.0]));
    assert_eq!(values(&np::sum(&x, [0, -1])), (vec![], vec![21.0]));
    assert_eq!(values(&np::sum(&x, ())), values(&x));
    assert_eq!(
        values(&np::sum(&x, axis(-1).keepdims())),
        (vec![2, 1], vec![6.0, 15.0])
    );
    assert_eq!(values(&np::max(&x, keepdims())), (vec![1, 1], vec![6.0]));
    let odd = np::equal(np::remainder(&x, 2), 1);
    assert_eq!(
        values(&np::sum(&x, axis(0).where_(&odd))),
        (vec![3], vec![1.0, 5.0, 3.0])
    );
    assert_eq!(
        values(&np::linalg::norm(&x, ord(1).axis(0))),
        (vec![3], vec![5.0, 7.0, 9.0])
    );
    assert_eq!(
        np::linalg::norm(&x, "fro").item::<f64>().unwrap(),
        91f64.sqrt()
    );
    assert_eq!(values(&np::transpose(&x, [1, 0])), values(&x.t()));
    assert_eq!(
        np::zeros([2, 0], DType::Int32).dtype().unwrap(),
        DType::Int32
    );
    assert_eq!(
        np::eye(2, columns(3).k(1)).to_vec::<f64>().unwrap(),
        [0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    );
    assert_eq!(
        np::linspace(0, 1, num(3)).to_vec::<f64>().unwrap(),
        [0.0, 0.5, 1.0]
    );
    let (u, s, vh) = np::linalg::svd(&x, ..);
    let shapes = [u, s, vh].map(|a| a.shape().unwrap());
    assert_eq!(shapes, [vec![2, 2], vec![2], vec![2, 3]]);
    let (_, _, vh) = np::linalg::svd(&x, full_matrices(true));
    assert_eq!(vh.shape().unwrap(), [3, 3]);
}

#[test]
fn axes_of_products_are_numbers_or_pairs_of_lists() {
    let x = np::reshape(np::arange(24, ..), [2, 3, 4]);
    let y = np::reshape(np::arange(24, ..), [3, 4, 2]);
    let whole = np::tensordot(&x, &y, 2).to_vec::<i64>().unwrap();
    for other in [
        np::tensordot(&x, &y, ..),
        np::tensordot(&x, &y, ([1, 2], [0, 1])),
        np::tensordot(&x, &y, (vec![-2i64, -1], &[0usize, 1][..])),
        np::einsum("ijk,jkl", [&x, &y]),
        np::einsum("ijk, jkl -> il", [&x, &y]),
    ] {
        assert_eq!(other.to_vec::<i64>().unwrap(), whole);
    }
    let outer = np::tensordot(&x, &y, ((), ()));
    assert_eq!(outer.shape().unwrap(), [2, 3, 4, 3, 4, 2]);
    assert!(np::tensordot(&x, &y, 4).check().unwrap_err().is_shape());
    assert!(np::tensordot(&x, &y, -1).check().unwrap_err().is_shape());
    let twice = np::tensordot(&x, &y, ([1, 1], [0, 1])).check();
    assert!(twice.unwrap_err().is_value());
    let uneven = np::tensordot(&x, &y, ([1], [0, 1])).check();
    assert!(uneven.unwrap_err().is_shape());
}

#[test]
fn operators_take_numbers_on_either_side() {
    let x = Array::from([1.0f32, 2.0]);
    let y = 1.0 - &x * 2 + 3.0 / &x - (&x % 2i64);
    assert_eq!(y.to_vec::<f32>().unwrap(), [1.0, -1.5]);
    assert_eq!((2 * &x).sum(..).item::<f32>().unwrap(), 6.0);
    assert_eq!((-&x).to_vec::<f32>().unwrap(), [-1.0, -2.0]);
    let z = Complex64::i() * &x;
    assert_eq!(z.dtype().unwrap(), DType::Complex64);
    let mut total = x.clone();
    total += &x;
    total *= 2;
    total -= 1.0;
    assert_eq!(total.to_vec::<f32>().unwrap(), [3.0, 7.0]);
    assert_eq!(x.to_vec::<f32>().unwrap(), [1.0, 2.0]);
    let i = Array::from([7i32, -7]);
    assert_eq!((&i % 3).to_vec::<i32>().unwrap(), [1, 2]);
    assert_eq!(i.floor_divide(2).to_vec::<i32>().unwrap(), [3, -4]);
    assert_eq!((&i / 2).to_vec::<f64>().unwrap(), [3.5, -3.5]);
    assert_eq!(i.less(0).to_vec::<bool>().unwrap(), [false, true]);
    assert_eq!(i.pow(2).to_vec::<i32>().unwrap(), [49, 49]);
}

#[test]
fn means_and_deviations() {
    let x = matrix();
    assert_eq!(values(&np::mean(&x, 1)), (vec![2], vec![2.0, 5.0]));
    assert_eq!(
        np::mean(Array::from([1u8, 2]), ..).item::<f64>().unwrap(),
        1.5
    );
    let flags = Array::from([true, false, false, false]);
    assert_eq!(np::mean(flags, ..).item::<f64>().unwrap(), 0.25);
    let single = Array::from([1.0f32, 2.0]);
    assert_eq!(np::mean(single, ..).item::<f32>().unwrap(), 1.5);
    assert!(
        np::mean(np::zeros(0, ..), ..)
            .item::<f64>()
            .unwrap()
            .is_nan()
    );
    let z = Array::from([Complex64::new(0.0, 1.0), Complex64::new(0.0, -1.0)]);
    assert_eq!(np::var(&z, ..).item::<f64>().unwrap(), 1.0);
    assert_eq!(np::var(&z, np::ddof(1)).item::<f64>().unwrap(), 2.0);
    assert_eq!(
        np::std(&x, axis(0).ddof(1)).to_vec::<f64>().unwrap()[0],
        4.5f64.sqrt()
    );
}

#[test]
fn positions_of_extremes() {
    let x = Array::from([[3.0, 1.0], [f64::NAN, 1.0]]);
    assert_eq!(np::argmax(&x, ..).item::<i64>().unwrap(), 2);
    assert_eq!(np::argmin(&x, 1).to_vec::<i64>().unwrap(), [1, 0]);
    let kept = np::argmin(&x, keepdims());
    assert_eq!(kept.shape().unwrap(), [1, 1]);
    assert!(np::argmax(&x, [0, 1]).check().unwrap_err().is_value());
    assert!(
        np::argmax(np::zeros([2, 0], ..), ..)
            .check()
            .unwrap_err()
            .is_value()
    );
}

#[test]
fn shapes_change_as_in_numpy() {
    let x = np::reshape(np::arange(24, ..), [2, 3, -1]);
    assert_eq!(x.shape().unwrap(), [2, 3, 4]);
    let shape = |x: Array| x.shape().unwrap();
    assert_eq!(shape(np::moveaxis(&x, 0, -1)), [3, 4, 2]);
    assert_eq!(shape(np::moveaxis(&x, [0, 1], [-1, -2])), [4, 3, 2]);
    assert_eq!(shape(np::swapaxes(&x, 0, 2)), [4, 3, 2]);
    assert_eq!(shape(np::expand_dims(&x, [0, -1])), [1, 2, 3, 4, 1]);
    assert_eq!(shape(np::squeeze(np::ones([1, 3, 1], ..), ..)), [3]);
    assert_eq!(shape(np::squeeze(np::ones([1, 3, 1], ..), -1)), [1, 3]);
    assert_eq!(shape(np::stack([&x, &x], -1)), [2, 3, 4, 2]);
    assert_eq!(shape(np::concatenate([&x, &x], 1)), [2, 6, 4]);
    assert_eq!(
        shape(np::concatenate(vec![x.clone(), x.clone()], None)),
        [48]
    );
    assert_eq!(shape(np::diagonal(&x, offset(1).axes(0, 2))), [3, 2]);
    assert_eq!(shape(np::trace(&x, ..)), [4]);
    assert_eq!(
        np::diag(Array::from([1i64, 2]), -1)
            .to_vec::<i64>()
            .unwrap(),
        [0, 0, 0, 1, 0, 0, 0, 2, 0]
    );
    let infinite = np::diag(Array::from([f64::INFINITY, f64::NAN]), 1);
    let values = infinite.to_vec::<f64>().unwrap();
    assert_eq!(values.iter().filter(|x| **x == 0.0).count(), 7);

    for refused in [
        np::reshape(&x, [5, 5]),
        np::reshape(&x, [-1, -1]),
        np::reshape(&x, [-2, 12]),
        np::reshape(&x, [0, -1]),
        np::reshape(&x, [i64::MAX, i64::MAX]),
        np::transpose(&x, [0, 1]),
        np::transpose(&x, [0, 0, 1]),
        np::squeeze(&x, 0),
        np::squeeze(&x, 3),
        np::expand_dims(&x, [0, 0]),
        np::expand_dims(&x, 4),
        np::broadcast_to(&x, [3, 3, 4]),
        np::broadcast_to(&x, [i64::MAX, 2, 3, 4]),
        np::stack(Vec::<Array>::new(), 0),
        np::stack([&x], 5),
        np::concatenate([&x], 3),
        np::flip(&x, 3),
        np::take(&x, 2, 0),
        np::diagonal(Array::from([1.0]), ..),
        np::diagonal(&x, offset(0).axes(1, 1)),
        np::diag(&x, ..),
        np::diag(Array::from([1.0]), i64::MIN),
        np::einsum("ij,jk", [&x]),
    ] {
        refused.check().unwrap_err();
    }
}

#[test]
fn sizes_that_cannot_be_had_are_errors() {
    for refused in [
        np::zeros(-1, ..),
        np::zeros([1i64 << 40, 1i64 << 40], ..),
        np::zeros([0, i64::MAX, i64::MAX], ..),
        np::ones(i64::MAX, DType::Bool),
        np::full([1i64 << 45], 1.0, ..),
        np::eye(1 << 40, ..),
        np::arange(i64::MAX, ..),
        np::arange((i64::MIN, i64::MAX, 1), ..),
        np::arange((0, 1, 0), ..),
        np::arange((0.0, 1.0, 0.0), ..),
        np::arange((0.0, f64::INFINITY, 1.0), ..),
        np::arange((0.0, f64::NAN, 1.0), ..),
        np::linspace(0.0, 1.0, -1),
        np::linspace(0.0, 1.0, i64::MAX),
    ] {
        assert!(refused.check().unwrap_err().is_value());
    }
    assert_eq!(
        np::arange((5, 0, -2), ..).to_vec::<i64>().unwrap(),
        [5, 3, 1]
    );
    assert_eq!(
        np::arange((0, 5, -1), ..).to_vec::<i64>().unwrap(),
        [0i64; 0]
    );
    assert_eq!(
        np::arange((i64::MAX - 2, i64::MAX, 3), ..)
            .to_vec::<i64>()
            .unwrap(),
        [i64::MAX - 2]
    );
}

#[test]
fn errors_name_both_types_and_the_line() {
    let (x, y) = (matrix(), Array::from([1.0, 2.0]));
    let line = line!() + 1;
    let error = np::exp(&x + &y).sum(..).check().unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with(
            "cannot broadcast f64[2,3] with f64[2] in add, at tests/api/numpy/functions.rs:"
        ),
        "{text}"
    );
    assert_eq!(error.location().unwrap().line(), line);

    // Compositions and early checks name the caller's line, too.
    let before = line!();
    let failed = [
        np::mean(&x, 2),
        np::dot(&x, &x),
        np::trace(&y, ..),
        np::reshape(&x, 7),
    ];
    let after = line!();
    for array in failed {
        let error = array.check().unwrap_err();
        assert!(error.to_string().contains("f64["), "{error}");
        let line = error.location().unwrap().line();
        assert!(before < line && line < after, "{error}");
        assert_eq!(
            error.location().unwrap().file(),
            "tests/api/numpy/functions.rs"
        );
    }
}

#[test]
fn a_lazy_call_writes_one_node_where_there_is_an_op() {
    let x = lazy::array(&matrix());
    let nodes = |y: Array| y.as_lazy().unwrap().history_num_nodes() - 1;
    assert_eq!(nodes(np::tensordot(&x, matrix(), ([1], [1]))) - 1, 1);
    assert_eq!(nodes(np::linalg::norm(&x, ord("nuc").axis([0, 1]))), 1);
    assert_eq!(nodes(np::einsum("ij,ij", [&x, &x])), 1);
    assert_eq!(nodes(np::stack([&x, &x], 0)), 1);
    assert_eq!(nodes(np::flip(&x, ..)), 1);
    assert_eq!(nodes(np::take(&x, -1, 1)), 1);
    assert_eq!(nodes(np::expand_dims(&x, 0)), 1);
    assert_eq!(nodes(np::dot(&x, x.t())), 2);
    assert_eq!(nodes(x.get(0)), 1);
    assert_eq!(
        nodes(np::sum(&x, axis(0).where_(lazy::array(&Array::from(true))))),
        2
    );
    assert_eq!(nodes(&x * 2.0 + 1), 2);
    assert_eq!(nodes(np::mean(&x, ..)), 2);
}
