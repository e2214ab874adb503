//! Points at which functions have no derivative, or a rule could divide by zero: what is given there, one by one.

use num_complex::Complex64;

use super::{Random, Tolerance, array, check, check_again, gradient, graph};
use crate::{Graph, HostArray};

fn real(graph: &Graph, inputs: &[HostArray]) -> Vec<f64> {
    gradient(graph, inputs).iter().map(|z| z.re).collect()
}

/// The gradient of an op of real vectors.
fn of(op: &str, inputs: &[&[f64]]) -> Vec<f64> {
    let types: Vec<String> = inputs.iter().map(|x| format!("f64[{}]", x.len())).collect();
    let types: Vec<&str> = types.iter().map(String::as_str).collect();
    let names: Vec<String> = (0..inputs.len()).map(|i| format!("%{i}")).collect();
    let graph = graph(&types, &format!("%a = {op} {}\nreturn %a", names.join(" ")));
    let pairs = types.iter().zip(inputs);
    let arrays: Vec<HostArray> = pairs.map(|(ty, x)| array(ty, x)).collect();
    real(&graph, &arrays)
}

fn close(got: &[f64], expected: &[f64]) {
    assert_eq!(got.len(), expected.len());
    for (a, b) in got.iter().zip(expected) {
        assert!((a - b).abs() < 1e-12 || a == b, "{got:?}, not {expected:?}");
    }
}

#[test]
fn moduli_and_norms_have_no_gradient_at_zero() {
    close(&of("absolute", &[&[0.0, -0.0, 2.0]]), &[0.0, 0.0, 1.0]);
    close(&of("hypot", &[&[0.0, 3.0], &[0.0, 4.0]]), &[0.0, 0.6]);
    for order in ["None", "2", "3", "1.5", "0.5", "1", "0", "-1"] {
        for axes in ["[0]", "None"] {
            let op = format!("norm order={order} axes={axes} keepdims=false");
            close(&of(&op, &[&[0.0, 0.0, 0.0]]), &[0.0; 3]);
        }
    }
    // Of order 3 and 1/2, by an element that is zero.
    close(
        &of("norm order=3 axes=[0] keepdims=false", &[&[0.0, 2.0]]),
        &[0.0, 1.0],
    );
    close(
        &of("norm order=0.5 axes=[0] keepdims=false", &[&[0.0, 2.0]]),
        &[0.0, 1.0],
    );
    let complex = graph(&["c128[2]"], "%a = absolute %0\nreturn %a");
    let got = gradient(&complex, &[array("c128[2]", &[0.0, -3.0])]);
    assert_eq!(got, [Complex64::new(0.0, 0.0), Complex64::new(-1.0, 0.0)]);
}

#[test]
fn ties_share() {
    close(
        &of("maximum", &[&[1.0, 2.0, 0.0], &[1.0, 0.0, 2.0]]),
        &[0.5, 1.0, 0.0],
    );
    close(
        &of("minimum", &[&[1.0, 2.0, 0.0], &[1.0, 0.0, 2.0]]),
        &[0.5, 0.0, 1.0],
    );
    let third = 1.0 / 3.0;
    close(
        &of("max axes=[0] keepdims=false", &[&[2.0, 1.0, 2.0, 2.0]]),
        &[third, 0.0, third, third],
    );
    close(
        &of(
            "norm order=inf axes=[0] keepdims=false",
            &[&[2.0, -2.0, 1.0]],
        ),
        &[0.5, -0.5, 0.0],
    );
    let update = graph(
        &["f64[2]", "f64[3]", "i64[3]"],
        "%a = scatter_flat mode=max %0 %1 %2\nreturn %a",
    );
    let inputs = [
        array("f64[2]", &[1.0, 5.0]),
        array("f64[3]", &[1.0, 1.0, 2.0]),
        array("i64[3]", &[0.0, 0.0, 1.0]),
    ];
    close(&real(&update, &inputs), &[third, 1.0]);
}

#[test]
fn powers_at_zero() {
    // By the base: y x^(y - 1), 0 where y is 0.
    let base = &[0.0, 0.0, 0.0, 0.0, 2.0];
    let exponent = &[0.0, 1.0, 2.0, 3.0, 0.0];
    close(&of("power", &[base, exponent]), &[0.0, 1.0, 0.0, 0.0, 0.0]);
    // By the exponent: 0 where the base is 0.
    let by_exponent = graph(&["f64[2]", "f64[2]"], "%a = power %1 %0\nreturn %a");
    let inputs = [array("f64[2]", &[2.0, 0.0]), array("f64[2]", &[0.0, 0.0])];
    close(&real(&by_exponent, &inputs), &[0.0, 0.0]);
    for (p, slope) in [
        ("0.0", 0.0),
        ("1.0", 1.0),
        ("2.0", 0.0),
        ("0.5", f64::INFINITY),
    ] {
        let body = format!("%p = literal value={p}:f64\n%a = power %0 %p\nreturn %a");
        close(
            &real(&graph(&["f64[1]"], &body), &[array("f64[1]", &[0.0])]),
            &[slope],
        );
    }
}

#[test]
fn products_with_zeros() {
    let op = "prod axes=[0] keepdims=false";
    close(&of(op, &[&[0.0, 2.0, 3.0]]), &[6.0, 0.0, 0.0]);
    close(&of(op, &[&[0.0, 2.0, 0.0]]), &[0.0, 0.0, 0.0]);
    close(
        &of("cumprod axis=0", &[&[2.0, 0.0, 3.0, 0.0, 5.0]]),
        &[1.0, 8.0, 0.0, 0.0, 0.0],
    );
    let update = graph(
        &["f64[3]", "f64[1]", "i64[3]"],
        "%a = scatter_flat mode=multiply %1 %0 %2\nreturn %a",
    );
    let inputs = |values: &[f64]| {
        [
            array("f64[3]", values),
            array("f64[1]", &[7.0]),
            array("i64[3]", &[0.0, 0.0, 0.0]),
        ]
    };
    close(&real(&update, &inputs(&[0.0, 2.0, 3.0])), &[42.0, 0.0, 0.0]);
    close(&real(&update, &inputs(&[0.0, 2.0, 0.0])), &[0.0, 0.0, 0.0]);
}

#[test]
fn the_last_value_of_a_position_counts() {
    let update = graph(
        &["f64[3]", "f64[2]", "i64[3]"],
        "%a = scatter_flat mode=set %1 %0 %2\nreturn %a",
    );
    let inputs = [
        array("f64[3]", &[1.0, 2.0, 3.0]),
        array("f64[2]", &[7.0, 8.0]),
        array("i64[3]", &[1.0, 0.0, 1.0]),
    ];
    close(&real(&update, &inputs), &[0.0, 1.0, 1.0]);
}

#[test]
fn where_guards() {
    // sqrt(where(x > 0, x, 1)), left out where x is not positive.
    let guarded = graph(
        &["f64[3]"],
        "%z = literal value=0.0:f64\n%o = literal value=1.0:f64\n%p = greater %0 %z\n%x = where %p %0 %o\n%r = sqrt %x\n%a = where %p %r %z\nreturn %a",
    );
    close(
        &real(&guarded, &[array("f64[3]", &[0.0, -1.0, 4.0])]),
        &[0.0, 0.0, 0.25],
    );
    // What is guarded only behind a function gets 0 times infinity, as everywhere.
    let late = graph(
        &["f64[2]"],
        "%z = literal value=0.0:f64\n%p = greater %0 %z\n%r = sqrt %0\n%a = where %p %r %z\nreturn %a",
    );
    let got = real(&late, &[array("f64[2]", &[0.0, 4.0])]);
    assert!(got[0].is_nan() && got[1] == 0.25, "{got:?}");
}

/// Sum of the elements of a function of a matrix, with respect to it.
fn of_matrix(ty: &str, body: &str, matrix: &[f64]) -> Vec<f64> {
    real(&graph(&[ty], body), &[array(ty, matrix)])
}

#[test]
fn repeated_values_of_decompositions() {
    let identity = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    // The trace, by eigenvalues.
    let trace = "%w = eigvalsh %0\n%a = sum axes=[0] keepdims=false %w\nreturn %a";
    close(&of_matrix("f64[3,3]", trace, &identity), &identity);
    // A projector on all eigenvectors is constant.
    let projector = "%e = eigh %0\n%v = get index=1 %e\n%t = transpose perm=[1,0] %v\n%a = matmul %v %t\nreturn %a";
    close(&of_matrix("f64[3,3]", projector, &identity), &[0.0; 9]);
    // The nuclear norm of an orthogonal matrix: the gradient is u vh.
    let turn = [0.0, 1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 1.0];
    let nuclear = "%a = norm order=nuc axes=[0,1] keepdims=false %0\nreturn %a";
    close(&of_matrix("f64[3,3]", nuclear, &turn), &turn);
    // The polar factor u vh of the identity: what turns it passes, what stretches it does not.
    let polar = graph(
        &["f64[2,2]", "f64[2,2]"],
        "%t = svd full_matrices=false %0\n%u = get index=0 %t\n%v = get index=2 %t\n%p = matmul %u %v\n%m = multiply %p %1\n%a = sum axes=[0,1] keepdims=false %m\nreturn %a",
    );
    let inputs = [
        array("f64[2,2]", &[1.0, 0.0, 0.0, 1.0]),
        array("f64[2,2]", &[3.0, 1.0, -5.0, 2.0]),
    ];
    close(&real(&polar, &inputs), &[0.0, 3.0, -3.0, 0.0]);
    // Of a rotation, whose singular values are equal up to rounding: q skew(q^T m).
    let (c, d) = (0.3f64.cos(), 0.3f64.sin());
    let m = [3.0, 1.0, -5.0, 2.0];
    let skew = ((c * m[1] + d * m[3]) - (c * m[2] - d * m[0])) / 2.0;
    let inputs = [array("f64[2,2]", &[c, -d, d, c]), array("f64[2,2]", &m)];
    close(
        &real(&polar, &inputs),
        &[d * skew, c * skew, -c * skew, d * skew],
    );
    // Rank one: the zero singular values give nothing.
    let rank_one = [1.0, 2.0, 2.0, 4.0];
    let largest = "%a = norm order=2 axes=[0,1] keepdims=false %0\nreturn %a";
    close(
        &of_matrix("f64[2,2]", largest, &rank_one),
        &[0.2, 0.4, 0.4, 0.8],
    );
}

/// Functions of values and vectors count how a direction splits equal values: they have rules of their own.
#[test]
fn pseudoinverses_at_equal_values() {
    let columns = [0.6, 0.0, 0.8, 0.0, 0.0, 1.0];
    let rows = [0.6, 0.8, 0.0, 0.0, 0.0, 1.0];
    let twice = [2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 2.0];
    // Two equal values that count, and one that does not.
    let cut = [2.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.1, 0.0];
    let mirror = [2.0, 0.0, 0.0, 0.0, -2.0, 0.0, 0.0, 0.0, 2.0];
    let apart = [2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, -0.1];
    let of = |ty: &str, rcond: &str, hermitian: bool| {
        let symmetric = "%c = conj %0\n%t = transpose perm=[1,0] %c\n%s = add %0 %t\n%k = literal value=0.5:f64\n%m = multiply %s %k";
        let (given, matrix) = if hermitian {
            (symmetric, "%m")
        } else {
            ("", "%0")
        };
        graph(
            &[ty],
            &format!("{given}\n%a = pinv rcond={rcond} hermitian={hermitian} {matrix}\nreturn %a"),
        )
    };
    let cases: [(&str, &[f64], &str, bool); 9] = [
        ("[3,2]", &columns, "1e-15", false),
        ("[2,3]", &rows, "1e-15", false),
        ("[3,3]", &twice, "None", false),
        ("[3,2]", &columns, "0.1", false),
        ("[2,3]", &rows, "0.1", false),
        ("[3,3]", &cut, "0.1", false),
        ("[3,3]", &mirror, "1e-15", true),
        ("[3,3]", &mirror, "0.1", true),
        ("[3,3]", &apart, "0.1", true),
    ];
    for (shape, numbers, rcond, hermitian) in cases {
        for dtype in ["f64", "c128"] {
            let ty = format!("{dtype}{shape}");
            let graph = of(&ty, rcond, hermitian);
            let inputs = [array(&ty, numbers)];
            let tolerance = Tolerance {
                modes: 1e-9,
                differences: Some(1e-6),
            };
            let mut random = Random::new(11);
            check(&graph, &inputs, tolerance, &mut random).unwrap();
            // Without a decomposition in the rule, derivatives of derivatives are right there too.
            if rcond != "0.1" {
                check_again(&graph, &inputs, &mut random).unwrap();
            }
        }
    }
    // Of rank one, along directions that keep the rank.
    let outer = graph(
        &["f64[3,1]", "f64[1,2]"],
        "%m = matmul %0 %1\n%a = pinv rcond=3e-15 hermitian=false %m\nreturn %a",
    );
    let inputs = [
        array("f64[3,1]", &[1.0, -2.0, 0.5]),
        array("f64[1,2]", &[0.5, 2.0]),
    ];
    let tolerance = Tolerance {
        modes: 1e-9,
        differences: Some(1e-6),
    };
    check(&outer, &inputs, tolerance, &mut Random::new(12)).unwrap();
    // Least squares, whose derivative has the pseudoinverse in it.
    let least = graph(
        &["f64[3,2]", "f64[3]"],
        "%t = lstsq rcond=None %0 %1\n%a = get index=0 %t\nreturn %a",
    );
    let inputs = [
        array("f64[3,2]", &columns),
        array("f64[3]", &[1.0, 2.0, 3.0]),
    ];
    check(&least, &inputs, tolerance, &mut Random::new(13)).unwrap();
    check_again(&least, &inputs, &mut Random::new(14)).unwrap();
}

#[test]
fn determinants_of_singular_matrices() {
    let det = "%a = det %0\nreturn %a";
    close(
        &of_matrix("f64[2,2]", det, &[1.0, 2.0, 2.0, 4.0]),
        &[4.0, -2.0, -2.0, 1.0],
    );
    let rank_two = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
    close(
        &of_matrix("f64[3,3]", det, &rank_two),
        &[-3.0, 6.0, -3.0, 6.0, -12.0, 6.0, -3.0, 6.0, -3.0],
    );
    close(&of_matrix("f64[3,3]", det, &[0.0; 9]), &[0.0; 9]);
}

#[test]
fn integers_have_zero_gradients_of_their_type() {
    let graph = graph(
        &["i64[2]", "f64[2]", "bool[2]"],
        "%a = multiply %0 %1\n%b = where %2 %a %1\nreturn %b %0",
    );
    let derivative = super::vjp(&graph, &[0, 1, 2], &[0, 1]).unwrap();
    let types: Vec<String> = super::output_types(&derivative)[2..]
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(types, ["i64[2]", "f64[2]", "bool[2]"]);
}

#[test]
fn digamma_over_its_range() {
    // Source: Abramowitz and Stegun, table 6.1, and the reflection formula.
    let euler = 0.577_215_664_901_532_9;
    let half = -euler - 2.0 * std::f64::consts::LN_2;
    let got = of("lgamma", &[&[1.0, 2.0, 0.5, -0.5, 10.0, 1e6]]);
    let expected = [
        -euler,
        1.0 - euler,
        half,
        half + 2.0,
        2.251_752_589_066_721,
        13.815_510_057_964_191,
    ];
    for (a, b) in got.iter().zip(&expected) {
        assert!(
            (a - b).abs() < 1e-13 * b.abs().max(1.0),
            "{got:?}, not {expected:?}"
        );
    }
}
