//! Trees of the standard library's types: what is taken apart comes together again, and prints readably.

use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;

use autojit::{Array, Error, Tree, tree_flatten, tree_map, tree_unflatten};
use num_complex::{Complex32, Complex64};

fn x(n: usize) -> Array {
    Array::from(vec![1.0; n])
}

fn sizes(arrays: &[Array]) -> Vec<usize> {
    arrays.iter().map(|a| a.ty().unwrap().size()).collect()
}

/// The structure, after checking that a rebuilt tree has the same one and the same arrays.
fn round_trip<T: Tree>(tree: &T) -> String {
    let (arrays, structure) = tree_flatten(tree).unwrap();
    assert_eq!(structure.array_count(), arrays.len());
    let again: T = tree_unflatten(arrays.clone(), &structure).unwrap();
    let (arrays_again, structure_again) = tree_flatten(&again).unwrap();
    assert_eq!(structure, structure_again);
    assert_eq!(sizes(&arrays), sizes(&arrays_again));
    structure.to_string()
}

#[test]
fn arrays_and_containers() {
    assert_eq!(round_trip(&x(1)), "*");
    assert_eq!(round_trip(&()), "()");
    assert_eq!(round_trip(&(x(1),)), "(*,)");
    assert_eq!(round_trip(&(x(1), (x(2), ()))), "(*, (*, ()))");
    assert_eq!(round_trip(&vec![x(1), x(2)]), "[*, *]");
    assert_eq!(round_trip(&Vec::<Array>::new()), "[]");
    assert_eq!(round_trip(&[x(1), x(2), x(3)]), "[*, *, *]");
    assert_eq!(round_trip(&(Some(x(1)), None::<Array>)), "(some(*), none)");
    assert_eq!(round_trip(&Box::new(x(1))), "*");
    assert_eq!(round_trip(&PhantomData::<str>), "()");
    let twelve = (x(1), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, x(2));
    assert_eq!(round_trip(&twelve), "(*, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, *)");
}

#[test]
fn static_values() {
    assert_eq!(
        round_trip(&(-3i64, 2i32, 7usize, u64::MAX, 255u8)),
        "(-3, 2, 7, 18446744073709551615, 255)"
    );
    assert_eq!(
        round_trip(&(1.5f64, -0.0f64, f64::NAN, f64::NEG_INFINITY, 0.1f32)),
        "(1.5, -0.0, NaN, -inf, 0.10000000149011612)"
    );
    assert_eq!(
        round_trip(&(true, "a", "b\n".to_owned())),
        r#"(true, "a", "b\n")"#
    );
    assert_eq!(
        round_trip(&(Complex64::new(1.0, -2.0), Complex32::new(0.5, 0.0))),
        "((1.0,-2.0), (0.5,0.0))"
    );
}

#[test]
fn static_floats_differ_by_their_bits() {
    let structure = |x: f64| tree_flatten(&x).unwrap().1;
    assert_ne!(structure(0.0), structure(-0.0));
    assert_eq!(structure(f64::NAN), structure(f64::NAN));
}

#[test]
fn maps_go_by_sorted_keys() {
    let forwards: HashMap<String, Array> = [("a", 1), ("b", 2), ("c", 3)]
        .map(|(k, n)| (k.to_owned(), x(n)))
        .into();
    let backwards: HashMap<String, Array> = [("c", 3), ("b", 2), ("a", 1)]
        .map(|(k, n)| (k.to_owned(), x(n)))
        .into();
    let tree: BTreeMap<String, Array> = forwards.clone().into_iter().collect();
    assert_eq!(round_trip(&forwards), r#"{"a": *, "b": *, "c": *}"#);
    assert_eq!(round_trip(&forwards), round_trip(&backwards));
    assert_eq!(round_trip(&forwards), round_trip(&tree));
    assert_eq!(sizes(&tree_flatten(&backwards).unwrap().0), [1, 2, 3]);
    let again: HashMap<String, Array> = {
        let (arrays, structure) = tree_flatten(&backwards).unwrap();
        tree_unflatten(arrays, &structure).unwrap()
    };
    assert_eq!(again["c"].ty().unwrap().size(), 3);
}

#[test]
fn map_applies_to_every_array_and_keeps_the_rest() {
    let tree = (vec![x(1), x(2)], 7i64, Some(x(3)));
    let (list, n, last) = tree_map(|a| a + 1.0, &tree).unwrap();
    assert_eq!(n, 7);
    assert_eq!(list[1].to_vec::<f64>().unwrap(), [2.0, 2.0]);
    assert_eq!(last.unwrap().to_vec::<f64>().unwrap(), [2.0; 3]);
}

#[test]
fn a_result_is_its_value_or_the_error_of_the_whole() {
    let good: Result<Array, Error> = Ok(x(2));
    assert_eq!(round_trip(&(good, 1i64)), "(*, 1)");
    let error = "f65".parse::<autojit::DType>().unwrap_err();
    let bad: (Array, Result<Array, Error>) = (x(1), Err(error.clone()));
    let found = tree_flatten(&bad).unwrap_err();
    let line = line!() - 1;
    assert_eq!(
        found.to_string(),
        format!("{error}, at {}:{line}:17", file!())
    );
}

#[test]
fn a_structure_of_another_type_is_an_error() {
    let (arrays, structure) = tree_flatten(&(x(1), 3i64)).unwrap();
    let wrong = |error: Error| {
        assert!(error.is_tree(), "{error:?}");
        let place = format!(", at {}", error.location().unwrap());
        error.to_string().replace(&place, "")
    };
    let error = tree_unflatten::<(Array, String)>(arrays.clone(), &structure);
    assert_eq!(
        wrong(error.unwrap_err()),
        "expected a static string, got a static integer"
    );
    let error = tree_unflatten::<Vec<Array>>(arrays.clone(), &structure);
    assert_eq!(
        wrong(error.unwrap_err()),
        "expected a list, got a tuple of 2"
    );
    let error = tree_unflatten::<(Array, i64, i64)>(arrays.clone(), &structure);
    assert_eq!(
        wrong(error.unwrap_err()),
        "expected a tuple of 3, got a tuple of 2"
    );
    let error = tree_unflatten::<(Array, i64)>([], &structure);
    assert_eq!(
        wrong(error.unwrap_err()),
        "there are fewer arrays than the structure takes"
    );
    let error = tree_unflatten::<(Array, i64)>([x(1), x(1)], &structure);
    assert!(wrong(error.unwrap_err()).contains("more than the type takes"));
    let (arrays, structure) = tree_flatten(&(x(1), 300i64)).unwrap();
    let error = tree_unflatten::<(Array, u8)>(arrays, &structure);
    assert_eq!(
        wrong(error.unwrap_err()),
        "the static integer 300 does not fit u8"
    );
    let (arrays, structure) = tree_flatten(&vec![x(1); 3]).unwrap();
    let error = tree_unflatten::<[Array; 2]>(arrays, &structure);
    assert_eq!(
        wrong(error.unwrap_err()),
        "expected a list of 2, got a list of 3"
    );
}
