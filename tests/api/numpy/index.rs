//! Indexing: every kind of item, alone and together, and what is refused.

use autojit::index::{Ellipsis, NewAxis, step};
use autojit::{Array, DType, Index, autojit, ix, lazy, numpy as np};

/// `x[i, j] = 10 i + j`, of shape `[3, 4]`.
fn table() -> Array {
    np::arange(3, ..).reshape([3, 1]) * 10 + np::arange(4, ..)
}

fn selected(index: impl Into<Index>) -> (Vec<usize>, Vec<i64>) {
    let x = table().get(index);
    (x.shape().unwrap(), x.to_vec().unwrap())
}

#[test]
fn single_items_need_no_macro() {
    assert_eq!(selected(1), (vec![4], vec![10, 11, 12, 13]));
    assert_eq!(selected(-1), (vec![4], vec![20, 21, 22, 23]));
    assert_eq!(selected(2usize), selected(-1i64));
    assert_eq!(selected(1..).0, [2, 4]);
    assert_eq!(selected(..-1).0, [2, 4]);
    assert_eq!(selected(..).0, [3, 4]);
    assert_eq!(selected(0..=1).0, [2, 4]);
    assert_eq!(selected(..=-1).0, [3, 4]);
    assert_eq!(selected(NewAxis).0, [1, 3, 4]);
    assert_eq!(selected(Ellipsis).0, [3, 4]);
    assert_eq!(selected(step(.., -2)).1[..4], [20, 21, 22, 23]);
    assert_eq!(selected([0, -1]).1[4..], [20, 21, 22, 23]);
    assert_eq!(selected(vec![0i64, 0]).0, [2, 4]);
}

/// NumPy puts the axes of index arrays first where an ellipsis keeps them apart, even one that stands for no axis.
#[test]
fn an_ellipsis_for_no_axis_keeps_index_arrays_apart() {
    let x = np::arange(24, ..).reshape([2, 3, 4]);
    let select = |index: Index| {
        let part = x.get(index.clone());
        let traced = autojit(move |x: Array| x.get(index.clone()));
        assert_eq!(traced.call(&x).unwrap().to_string(), part.to_string());
        (part.shape().unwrap(), part.to_vec::<i64>().unwrap())
    };
    let apart = (vec![2, 2], vec![0, 12, 10, 22]);
    assert_eq!(select(ix![.., [0, 2], ..., [0, 2]]), apart);
    assert_eq!(
        select(ix![.., [0, 2], [0, 2]]),
        (vec![2, 2], vec![0, 10, 12, 22])
    );
    let mask = Array::from([true, false, true]);
    assert_eq!(select(ix![.., mask, ..., [0, 2]]), apart);
    let ending = (vec![2, 2, 1], vec![1, 13, 9, 21]);
    assert_eq!(select(ix![.., [0, 2], ..., 1, NewAxis]), ending);
    assert!(x.get(ix![[0], ..., [0], ..., [0]]).shape().is_err());
    assert!(x.get(ix![[0], [0], ..., [0], [0]]).shape().is_err());
}

#[test]
fn the_macro_takes_one_item_for_each_axis() {
    assert_eq!(selected(ix![]).0, [3, 4]);
    assert_eq!(selected(ix![1, 2]), (vec![], vec![12]));
    assert_eq!(selected(ix![-1, -1]), (vec![], vec![23]));
    assert_eq!(selected(ix![.., 0]), (vec![3], vec![0, 10, 20]));
    assert_eq!(
        selected(ix![1.., 1..-1]),
        (vec![2, 2], vec![11, 12, 21, 22])
    );
    assert_eq!(selected(ix![0, ..; -1]), (vec![4], vec![3, 2, 1, 0]));
    assert_eq!(selected(ix![0, 3..0; -2]), (vec![2], vec![3, 1]));
    assert_eq!(selected(ix![0, 10..2]), (vec![0], vec![]));
    assert_eq!(selected(ix![0, -100..100; 3,]), (vec![2], vec![0, 3]));
    assert_eq!(selected(ix![..., 3]), (vec![3], vec![3, 13, 23]));
    assert_eq!(
        selected(ix![1, ..., NewAxis]),
        (vec![4, 1], vec![10, 11, 12, 13])
    );
    let (i, j) = (1usize, Array::from([0i64, -1]));
    assert_eq!(selected(ix![i, &j]), (vec![2], vec![10, 13]));
    assert_eq!(selected(ix![&j, &j]), (vec![2], vec![0, 23]));
    assert_eq!(
        selected(ix![.., [0, 0]]),
        (vec![3, 2], vec![0, 0, 10, 10, 20, 20])
    );
    let column = Array::from([[0i64], [2]]);
    assert_eq!(selected(ix![&column, &j]), (vec![2, 2], vec![0, 3, 20, 23]));
}

#[test]
fn masks_select_where_they_are_true() {
    let x = table();
    let big = x.greater(12);
    assert_eq!(x.get(&big).to_vec::<i64>().unwrap(), [13, 20, 21, 22, 23]);
    let rows = Array::from([true, false, true]);
    assert_eq!(selected(ix![&rows, 1]), (vec![2], vec![1, 21]));
    let columns = Array::from([false, true, true, false]);
    assert_eq!(selected(ix![..., &columns]).0, [3, 2]);
    assert_eq!(selected(Array::from([false; 3])).0, [0, 4]);
    assert!(x.get(&columns).check().unwrap_err().is_index());
    // One without elements fits an axis of any length, but the other axes must be right.
    let none = |shape: [usize; 2]| np::zeros(shape, DType::Bool);
    assert_eq!(x.get(np::zeros(0, DType::Bool)).shape().unwrap(), [0, 4]);
    for shape in [[0, 4], [3, 0], [0, 0]] {
        assert_eq!(x.get(none(shape)).shape().unwrap(), [0]);
    }
    assert!(x.get(none([0, 5])).check().unwrap_err().is_index());
    assert!(x.get(none([2, 0])).check().unwrap_err().is_index());
    assert!(x.get(ix![.., &rows]).check().unwrap_err().is_index());
    // A known mask selects from a lazy array, too; a lazy mask cannot.
    let lazy_x = lazy::array(&x);
    let chosen = lazy_x.get(&big).compute().unwrap();
    assert_eq!(chosen.to_vec::<i64>().unwrap(), [13, 20, 21, 22, 23]);
    let error = lazy_x.get(lazy_x.greater(12)).check().unwrap_err();
    assert!(
        error.is_unsupported() && error.to_string().contains("lazy"),
        "{error}"
    );
}

#[test]
fn wrong_indices_are_errors_with_the_line() {
    let x = table();
    let line = line!() + 1;
    let error = x.get(3).check().unwrap_err();
    assert!(error.is_index());
    assert_eq!(error.location().unwrap().line(), line);
    assert!(error.to_string().contains("i64[3,4]"), "{error}");
    for (wrong, what) in [
        (x.get(-4), "index"),
        (x.get(usize::MAX), "index"),
        (x.get(ix![0, 0, 0]), "index"),
        (x.get(ix![..., ...]), "index"),
        (x.get([3]), "index"),
        (x.get(ix![.., [0, -5]]), "index"),
        (x.get(step(.., 0)), "value"),
        (x.get(ix![[0, 1], [0, 1, 2]]), "shape"),
        (x.get(Array::from([0.5])), "dtype"),
        (Array::from(1.0).get(0), "index"),
    ] {
        let error = wrong.check().unwrap_err();
        let is = match what {
            "index" => error.is_index(),
            "value" => error.is_value(),
            "shape" => error.is_shape(),
            _ => error.is_dtype(),
        };
        assert!(is, "{what}: {error}");
    }
}

#[test]
fn arrays_have_rows() {
    let x = table();
    assert_eq!(x.len().unwrap(), 3);
    let rows = x.rows().unwrap();
    assert_eq!(rows[2].to_vec::<i64>().unwrap(), [20, 21, 22, 23]);
    assert!(Array::from(1.0).len().unwrap_err().is_shape());
    assert!(Array::from(1.0).rows().unwrap_err().is_shape());
}
