//! Results against NumPy and SciPy; `tests/data/linear_algebra.txt` is made by the script beside it.

use super::distance;
use crate::linalg::*;
use num_complex::Complex;
use std::collections::BTreeMap;

/// One case of the file.
struct Case {
    function: String,
    dimensions: Vec<usize>,
    arrays: Vec<Vec<f64>>,
}

fn cases(kind: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut wanted = false;
    for line in include_str!("../../../tests/data/linear_algebra.txt").lines() {
        if let Some(header) = line.strip_prefix("case ") {
            let words: Vec<&str> = header.split(' ').collect();
            wanted = words[1] == kind;
            if wanted {
                cases.push(Case {
                    function: words[0].to_string(),
                    dimensions: words[2..].iter().map(|x| x.parse().unwrap()).collect(),
                    arrays: Vec::new(),
                });
            }
        } else if wanted {
            let bits = |text| f64::from_bits(u64::from_str_radix(text, 16).unwrap());
            let array = line.split_whitespace().map(bits).collect();
            cases.last_mut().unwrap().arrays.push(array);
        }
    }
    cases
}

/// Runs all cases of a type and tells how many there were of each function.
fn check<T: Field>(
    kind: &str,
    parts: usize,
    tolerance: f64,
    except: &[&str],
) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for case in cases(kind) {
        if except.contains(&case.function.as_str()) {
            continue;
        }
        *counts.entry(case.function.clone()).or_default() += 1;
        let arrays: Vec<Vec<T>> = case
            .arrays
            .iter()
            .map(|array| {
                array
                    .chunks(parts)
                    .map(|x| T::from_parts(x[0], x.get(1).copied().unwrap_or(0.0)))
                    .collect()
            })
            .collect();
        let reals = |values: &[T::Magnitude]| -> Vec<T> {
            values
                .iter()
                .map(|x| T::from_parts(x.parts().0, 0.0))
                .collect()
        };
        let d = &case.dimensions;
        let a = &arrays[0];
        let results: Vec<Vec<T>> = match case.function.as_str() {
            "solve" => vec![solve(a, &arrays[1], d[0], d[1]).unwrap()],
            "inv" => vec![inv(a, d[0]).unwrap()],
            "det" => vec![vec![det(a, d[0]).unwrap()]],
            "slogdet" => {
                let (sign, logarithm) = slogdet(a, d[0]).unwrap();
                vec![vec![sign], reals(&[logarithm])]
            }
            "cholesky" => vec![cholesky(a, d[0]).unwrap()],
            "eigvalsh" => vec![reals(&eigvalsh(a, d[0]).unwrap())],
            "eigvals" => {
                // In NumPy's order: the nearest one left for each expected one.
                let mut found = eigvals(a, d[0]).unwrap();
                let ordered = arrays[1]
                    .iter()
                    .map(|&want| {
                        let far = |x: &T::Complex| {
                            let ((a, b), (c, d)) = (x.parts(), want.parts());
                            (a - c).hypot(b - d)
                        };
                        let best = (0..found.len())
                            .min_by(|&i, &j| far(&found[i]).total_cmp(&far(&found[j])))
                            .unwrap();
                        let (re, im) = found.swap_remove(best).parts();
                        T::from_parts(re, im)
                    })
                    .collect();
                vec![ordered]
            }
            "expm" => vec![expm(a, d[0]).unwrap()],
            "solve_triangular" => {
                let triangle = Triangle {
                    lower: d[2] == 1,
                    unit_diagonal: d[4] == 1,
                    transposed: d[3] != 0,
                    conjugated: d[3] == 2,
                };
                vec![solve_triangular(triangle, a, &arrays[1], d[0], d[1]).unwrap()]
            }
            "lu" => {
                let (p, l, u) = lu(a, d[0], d[1]).unwrap();
                vec![p, l, u]
            }
            "svdvals" => vec![reals(&svdvals(a, d[0], d[1]).unwrap())],
            "qr" => {
                let (q, r) = qr(a, d[0], d[1], true).unwrap();
                vec![q, r]
            }
            "lstsq" => {
                let found = lstsq(a, &arrays[1], [d[0], d[1], d[2]], None).unwrap();
                vec![
                    found.x,
                    reals(&found.residuals),
                    vec![T::from_parts(found.rank as f64, 0.0)],
                    reals(&found.singular_values),
                ]
            }
            other => panic!("{other} is not a function of the file"),
        };
        let expected = &arrays[arrays.len() - results.len()..];
        for (position, (result, expected)) in results.iter().zip(expected).enumerate() {
            let scale = expected.iter().fold(1.0, |scale: f64, x| {
                let (re, im) = x.parts();
                scale.max(re.abs()).max(im.abs())
            });
            let error = distance(result, expected) / scale;
            assert!(
                error <= tolerance,
                "{} {kind} {d:?}: result {position} is off by {error:e}\n{result:?}\n{expected:?}",
                case.function
            );
        }
    }
    counts
}

#[test]
fn double_precision_agrees_with_numpy_and_scipy() {
    let counts = check::<f64>("f64", 1, 1e-12, &[]);
    assert_eq!((counts.len(), counts["expm"]), (12, 16));
    let counts = check::<Complex<f64>>("c128", 2, 1e-12, &[]);
    assert_eq!((counts.len(), counts["solve_triangular"]), (13, 12));
}

#[test]
fn single_precision_agrees_with_numpy_and_scipy() {
    // Rank-deficient in double precision is not so after rounding.
    check::<f32>("f64", 1, 2e-4, &["lstsq"]);
    check::<Complex<f32>>("c128", 2, 2e-4, &["lstsq"]);
}
