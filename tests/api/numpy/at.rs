//! Functional updates `x.at(..)` in every mode, against a loop over the selected positions.

use autojit::index::Item;
use autojit::numpy as np;
use autojit::{Array, DType, Index, autojit, call, ix, lazy};

fn iota(shape: &[usize]) -> Array {
    let count = shape.iter().product::<usize>() as i64;
    let shape: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
    np::arange(count, DType::Float64).reshape(shape)
}

fn flat(x: &Array) -> Vec<f64> {
    x.ravel().to_vec::<f64>().unwrap()
}

/// The expected result of an update: one element after the other.
fn expected(x: &Array, key: &Index, values: &Array, f: fn(f64, f64) -> f64) -> Vec<f64> {
    let count = x.size().unwrap() as i64;
    let shape: Vec<i64> = x.shape().unwrap().iter().map(|&n| n as i64).collect();
    let positions = np::arange(count, ..).reshape(shape).get(key.clone());
    let part: Vec<i64> = positions
        .shape()
        .unwrap()
        .iter()
        .map(|&n| n as i64)
        .collect();
    let values = flat(&np::broadcast_to(values, part));
    let mut out = flat(x);
    for (position, value) in positions
        .ravel()
        .to_vec::<i64>()
        .unwrap()
        .into_iter()
        .zip(values)
    {
        out[position as usize] = f(out[position as usize], value);
    }
    out
}

fn keys() -> Vec<(Vec<usize>, Index)> {
    let i = Array::from([2i64, 0, -1, 0]);
    let column = Array::from([[0i64], [2], [2]]);
    let bytes = Array::from([1u8, 1]);
    let mask = Array::from([true, false, true]);
    let none = np::zeros([0], DType::Int64);
    vec![
        (vec![5], ix![1]),
        (vec![5], ix![..]),
        (vec![5], ix![1..-1]),
        (vec![5], ix![..; -2]),
        (vec![5], ix![3..3]),
        (vec![3], i.clone().into()),
        (vec![3], none.into()),
        (vec![3, 4], ix![.., -1]),
        (vec![3, 4], ix![..; -1, 1..; 2]),
        (vec![3, 4], ix![1, NewAxis, ...]),
        (vec![3, 4], ix![&i, 1..3]),
        (vec![2, 3, 4], ix![.., [0, 2], ..., [0, 2]]),
        (vec![2, 3, 4], ix![.., [0, 2], ..., 1, NewAxis]),
        (vec![3, 4], ix![.., &i]),
        (vec![3, 4], ix![&column, &i]),
        (vec![3, 4], ix![&mask, ..]),
        (vec![3, 4], ix![&mask, 1]),
        (vec![3, 4, 5], ix![&column, .., &i]),
        (vec![3, 4, 5], ix![.., &column, &i]),
        (vec![3, 4, 5], ix![1, &i, ..; -1]),
        (vec![3, 4, 5], ix![1, .., &i]),
        (vec![3, 4, 5], ix![NewAxis, &bytes, ..2, NewAxis, 0]),
        (vec![3, 4, 5], ix![..., &bytes]),
        (vec![0, 4], ix![.., 2]),
        (vec![], Index::from_iter(Vec::<Item>::new())),
        (vec![], ix![NewAxis, ...]),
    ]
}

#[test]
fn updates_agree_with_a_loop_in_every_mode() {
    type Update = fn(&Array, Index, &Array) -> Array;
    type Combine = fn(f64, f64) -> f64;
    let updates: [(&str, Update, Combine); 5] = [
        ("set", |x, i, v| x.at(i).set(v), |_, v| v),
        ("add", |x, i, v| x.at(i).add(v), |x, v| x + v),
        ("multiply", |x, i, v| x.at(i).multiply(v), |x, v| x * v),
        ("min", |x, i, v| x.at(i).min(v), f64::min),
        ("max", |x, i, v| x.at(i).max(v), f64::max),
    ];
    for (shape, key) in keys() {
        let x = iota(&shape);
        let part = x.get(key.clone()).shape().unwrap();
        let values = np::subtract(np::multiply(iota(&part), 1.5), 4.0);
        let trailing = part.last().map_or(Array::from(7.5), |&n| iota(&[n]));
        for values in [values, Array::from(-3.0), trailing] {
            for (name, update, f) in updates {
                let expected = expected(&x, &key, &values, f);
                let what = format!("{name} {shape:?} {key:?} {values}");
                let eager = update(&x, key.clone(), &values);
                assert_eq!(eager.shape().unwrap(), shape, "{what}");
                assert_eq!(flat(&eager), expected, "{what}");
                let node = update(&lazy::array(&x), key.clone(), &values);
                assert_eq!(flat(&node.compute().unwrap()), expected, "lazy {what}");
                for backend in autojit::backends() {
                    let key = key.clone();
                    let f = autojit(move |(x, v): (Array, Array)| update(&x, key.clone(), &v))
                        .backend(backend);
                    let got = f.call((x.clone(), values.clone())).unwrap();
                    assert_eq!(flat(&got), expected, "{backend} {what}");
                }
            }
        }
    }
}

#[test]
fn traced_index_arrays_and_their_errors() {
    for backend in autojit::backends() {
        let f =
            autojit(|(x, i, v): (Array, Array, Array)| x.at(ix![.., &i]).add(&v)).backend(backend);
        let x = iota(&[2, 3]);
        let got = f.call((x.clone(), Array::from([0i64, -1, 0]), Array::from(1.0)));
        assert_eq!(flat(&got.unwrap()), [2.0, 1.0, 3.0, 5.0, 4.0, 6.0]);
        let error = f
            .call((x, Array::from([0i64, 3, 0]), Array::from(1.0)))
            .unwrap_err();
        assert!(error.is_index(), "{error}");
        assert!(
            error
                .to_string()
                .contains("index 3 is out of range for axis 1 with size 3")
        );
        assert_eq!(error.location().unwrap().file(), file!());
    }
}

#[test]
fn all_dtypes_and_conversions() {
    for dtype in DType::ALL {
        let x = np::ones(3, dtype);
        let y = x.at([0, 0]).add(np::ones(2, dtype));
        assert_eq!(y.dtype().unwrap(), dtype);
        let expected = np::astype(Array::from([3i64, 1, 1]), dtype);
        assert_eq!(y.to_string(), expected.to_string());
    }
    let integers = Array::from([1i64, 2]);
    assert_eq!(integers.at(0).set(true).to_vec::<i64>().unwrap(), [1, 2]);
    assert!(integers.at(0).set(1.5).check().unwrap_err().is_dtype());
    let single = Array::from([1f32, 2.0])
        .at(0)
        .set(np::divide(Array::from(1.0), 10.0));
    assert_eq!(single.to_vec::<f32>().unwrap(), [0.1, 2.0]);
    let bytes = Array::from([1u8, 2]);
    assert!(bytes.at(0).set(300).check().unwrap_err().is_overflow());
    let complex = Array::from([num_complex::Complex64::new(0.0, 1.0)]);
    assert_eq!(complex.at(..).multiply(&complex).to_string(), "[-1.+0.j]");
    assert!(Array::from([1.0]).at(0).set(&complex).check().is_err());
    let nan = Array::from([1.0, f64::NAN])
        .at(..)
        .min(Array::from([f64::NAN, 0.0]));
    assert!(nan.to_vec::<f64>().unwrap().iter().all(|x| x.is_nan()));
}

#[test]
fn the_array_itself_stays_and_views_are_read() {
    let x = iota(&[3, 3]);
    let y = x.t().at(ix![0, ..]).set(9.0);
    assert_eq!(flat(&y), [9.0, 9.0, 9.0, 1.0, 4.0, 7.0, 2.0, 5.0, 8.0]);
    assert_eq!(flat(&x), flat(&iota(&[3, 3])));
    assert_eq!(x.at(1).get().to_string(), x.get(1).to_string());
    // An update of an update, and the array from before, in one compiled function.
    let f = autojit(|x: Array| {
        let y = x.at(0).set(1.0);
        let z = y.at(..).add(&x);
        (np::add(&y, x.at(2).set(5.0)), z, x)
    });
    let (a, b, c) = f.call(iota(&[3])).unwrap();
    assert_eq!(flat(&a), [1.0, 2.0, 7.0]);
    assert_eq!(flat(&b), [1.0, 2.0, 4.0]);
    assert_eq!(flat(&c), [0.0, 1.0, 2.0]);
}

/// The expected result of a chain of updates: each in turn, eagerly.
#[test]
fn updates_one_after_the_other_are_those_of_arrays() {
    type Step = fn(Array, i64, &Array) -> Array;
    let steps: [(&str, Step); 8] = [
        ("rows", |x, t, v| x.at(t).set(v)),
        ("rows of itself", |x, t, _| x.at(t).set(x.get(t - 1) * 0.5)),
        ("the array read later", |x, t, v| {
            x.at(t).set(v).at(ix![.., 1]).add(np::sum(&x, 1))
        }),
        ("columns", |x, t, _| x.at(ix![.., t % 4]).multiply(1.5)),
        ("steps", |x, t, v| x.at(ix![t..; 2, ..; -1]).add(v)),
        ("boxes", |x, t, _| x.at(ix![1..-1, 1..-1]).min(t as f64)),
        ("most of it", |x, t, _| {
            let around = x.get(ix![..-2, 1..-1]) + x.get(ix![2.., 1..-1]);
            x.at(ix![1..-1, 1..-1]).set(around * (0.25 * t as f64))
        }),
        ("an element", |x, t, _| x.at(ix![t, 2]).max(3.25)),
    ];
    let (x, v) = (iota(&[7, 4]), np::subtract(iota(&[4]), 2.5));
    for (name, step) in steps {
        let run = |mut x: Array, v: &Array| {
            let mut all = np::sum(&x, ..);
            for t in 1..6 {
                x = step(x, t, v);
                all = all * 0.5 + x.get(ix![t, 1]);
            }
            (x, all)
        };
        let (expected, total) = run(x.clone(), &v);
        for backend in autojit::backends() {
            let f = autojit(|(x, v): (Array, Array)| run(x, &v)).backend(backend);
            let (got, all) = f.call((&x, &v)).unwrap();
            assert_eq!(flat(&got), flat(&expected), "{name} by {backend}");
            let (got, expected) = (all.item::<f64>().unwrap(), total.item::<f64>().unwrap());
            assert!((got - expected).abs() < 1e-9, "{name} by {backend}");
        }
        assert_eq!(flat(&x), flat(&iota(&[7, 4])), "{name}");
    }
}

#[cfg(feature = "cranelift")]
#[test]
fn updates_in_a_loop_take_the_memory_of_one_array() {
    let n = 200;
    let f = autojit(|(x, v): (Array, Array)| {
        let (mut x, mut seen) = (x, np::zeros(3, ..));
        for t in 1..n {
            x = x.at(t).set(&v * x.get(t - 1));
            // The reader of each array comes behind the next update otherwise.
            seen = np::cos(np::sin(seen + x.get(t)));
        }
        (x, seen)
    });
    let report = f
        .backend("cranelift")
        .compile((iota(&[n as usize, 3]), iota(&[3])));
    if let Some(bytes) = report.unwrap().code.workspace_bytes {
        let array = n as usize * 3 * 8;
        assert!(bytes < 3 * array, "{bytes} for arrays of {array}");
    }
}

#[test]
fn mistakes_are_named() {
    let x = iota(&[2, 3]);
    let refused = |y: Array, part: &str| {
        let error = y.check().unwrap_err();
        let text = error.to_string();
        assert!(text.contains(part) && !text.contains("wrap"), "{text}");
        assert_eq!(error.location().unwrap().file(), file!());
    };
    refused(
        x.at(2).set(0.0),
        "index 2 is out of range for axis 0 of f64[2,3]",
    );
    refused(x.at(ix![0, 0, 0]).set(0.0), "too many indices");
    refused(x.at([5]).set(0.0), "index 5 is out of range for axis 0");
    refused(
        x.at(0).set(Array::from([1.0, 2.0])),
        "cannot broadcast the values f64[2]",
    );
    refused(
        x.at(0).add(iota(&[2, 3])),
        "cannot broadcast the values f64[2,3]",
    );
    refused(x.at(Array::from([0.5])).set(0.0), "integer indices");
    refused(x.at(ix![..; 0]).set(0.0), "step of a slice");
    let by_name: Array = call!("scatter", &x, 0, 5.0, mode = "add")
        .unwrap()
        .try_into()
        .unwrap();
    assert_eq!(flat(&by_name), [5.0, 6.0, 7.0, 3.0, 4.0, 5.0]);
    assert!(call!("scatter", &x, 0, 5.0, mode = "subtract").is_err());
}

#[test]
fn positions_of_a_text_graph_are_checked() {
    let op = autojit::ir::Op::parse("scatter_flat", &[("mode", "set")]).unwrap();
    for position in [-1i64, 3] {
        let inputs = [
            iota(&[3]).into(),
            Array::from([1.0]).into(),
            Array::from([position]).into(),
        ];
        let error = Array::apply(op.clone(), &inputs).check().unwrap_err();
        assert!(
            error.is_index() && error.to_string().contains("for 3 elements"),
            "{error}"
        );
    }
}
