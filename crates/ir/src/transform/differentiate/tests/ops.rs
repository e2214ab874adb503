//! The rule of each op, alone, for real and complex numbers of both precisions.

use super::{Random, Tolerance, check, check_again, graph};
use crate::HostArray;

/// A body with `T` for the dtype and `R` for the real dtype of the same precision, and the types of its inputs.
type Case = (&'static [&'static str], &'static str);

const REAL: &[&str] = &["f32", "f64"];
const ALL: &[&str] = &["f32", "f64", "c64", "c128"];

fn run(dtypes: &[&str], cases: &[Case]) {
    let mut failures = Vec::new();
    for (number, (types, body)) in cases.iter().enumerate() {
        for dtype in dtypes {
            let real = match *dtype {
                "c64" => "f32",
                "c128" => "f64",
                real => real,
            };
            let long = match *dtype {
                "f32" => "float32",
                "f64" => "float64",
                "c64" => "complex64",
                _ => "complex128",
            };
            let filled = |text: &str| {
                let text = text.replace("LONG", long);
                text.replace("T[", &format!("{dtype}["))
                    .replace(":T", &format!(":{dtype}"))
                    .replace("R[", &format!("{real}["))
            };
            let types: Vec<String> = types.iter().map(|ty| filled(ty)).collect();
            let types: Vec<&str> = types.iter().map(String::as_str).collect();
            let graph = graph(&types, &filled(body));
            for seed in 0..2 {
                let mut random = Random::new(seed * 1000 + number as u64 + 1);
                let inputs: Vec<HostArray> = graph
                    .input_types()
                    .iter()
                    .map(|ty| random.array(ty))
                    .collect();
                let tolerance = Tolerance::of(&graph);
                failures.extend(check(&graph, &inputs, tolerance, &mut random).err());
                if seed == 0 && tolerance.differences.is_some() {
                    failures.extend(check_again(&graph, &inputs, &mut random).err());
                }
            }
        }
    }
    let count = failures.len();
    failures.truncate(5);
    assert!(
        failures.is_empty(),
        "{count} failures\n{}",
        failures.join("\n\n")
    );
}

/// Ops of one input, on numbers of magnitudes between 0.1 and 1.5.
fn unary(dtypes: &[&str], names: &[&str]) {
    for name in names {
        let body: &'static str = format!("%a = {name} %0\nreturn %a").leak();
        run(dtypes, &[(&["T[2,3]"], body)]);
    }
}

#[test]
fn elementwise_of_one() {
    unary(
        ALL,
        &[
            "negative",
            "absolute",
            "square",
            "sign",
            "reciprocal",
            "exp",
            "exp2",
            "expm1",
            "sin",
            "cos",
            "tan",
            "arctan",
            "sinh",
            "cosh",
            "tanh",
            "conj",
            "real",
            "imag",
            "arcsinh",
        ],
    );
    unary(
        &["c64", "c128"],
        &[
            "sqrt", "log", "log2", "log10", "log1p", "arcsin", "arccos", "arccosh", "arctanh",
        ],
    );
    unary(
        REAL,
        &["floor", "ceil", "trunc", "rint", "cbrt", "erf", "lgamma"],
    );
    // Within the domain of real functions.
    let inside = |name: &str, before: &str| -> Case {
        (
            &["T[2,3]"],
            format!("{before}%a = {name} %x\nreturn %a").leak(),
        )
    };
    let positive = "%x = absolute %0\n";
    let small = "%h = literal value=0.7:T\n%x = multiply %0 %h\n";
    let large = "%h = literal value=1.1:T\n%p = absolute %0\n%x = add %p %h\n";
    let cases: Vec<Case> = ["sqrt", "log", "log2", "log10", "log1p"]
        .map(|name| inside(name, positive))
        .into_iter()
        .chain(["arcsin", "arccos", "arctanh"].map(|name| inside(name, small)))
        .chain([inside("arccosh", large)])
        .collect();
    run(REAL, &cases);
}

#[test]
fn elementwise_of_two() {
    let shapes: [&'static [&'static str]; 5] = [
        &["T[2,3]", "T[2,3]"],
        &["T[2,1]", "T[3]"],
        &["T[]", "T[2,3]"],
        &["R[2,3]", "T[3]"],
        &["T[2,3]", "R[1,1]"],
    ];
    let body = |name: &str| -> &'static str { format!("%a = {name} %0 %1\nreturn %a").leak() };
    for types in shapes {
        for name in [
            "add", "subtract", "multiply", "divide", "maximum", "minimum",
        ] {
            run(ALL, &[(types, body(name))]);
        }
        run(&["c64", "c128"], &[(types, body("power"))]);
        for name in [
            "arctan2",
            "hypot",
            "copysign",
            "remainder",
            "fmod",
            "floor_divide",
        ] {
            run(REAL, &[(types, body(name))]);
        }
        run(
            REAL,
            &[(types, "%p = absolute %0\n%a = power %p %1\nreturn %a")],
        );
    }
    for p in ["0.0", "1.0", "2.0", "3.0", "-1.0", "-2.0", "4.0"] {
        let body = format!("%p = literal value={p}:T\n%a = power %0 %p\nreturn %a");
        run(ALL, &[(&["T[4]"], body.leak())]);
    }
    run(
        ALL,
        &[
            (
                &["T[2,3]", "T[3]"],
                "%c = less %0 %1\n%a = where %c %0 %1\nreturn %a",
            ),
            (
                &["bool[2,1]", "T[3]", "R[]"],
                "%a = where %0 %1 %2\nreturn %a",
            ),
            (
                &["T[3]", "i64[3]"],
                "%a = multiply %0 %1\n%b = power %0 %1\nreturn %a %b",
            ),
            (
                &["T[3]"],
                "%a = multiply %0 %0\n%b = divide %0 %0\n%c = maximum %0 %0\nreturn %a %b %c",
            ),
            (
                &["f64[3]"],
                "%a = astype dtype=LONG %0\n%b = multiply %a %a\nreturn %b",
            ),
            (&["c128[3]"], "%a = astype dtype=LONG %0\nreturn %a"),
        ],
    );
}

#[test]
fn reductions_and_scans() {
    run(
        ALL,
        &[
            (
                &["T[2,3]"],
                "%a = sum axes=[0,1] keepdims=false %0\n%b = sum axes=[1] keepdims=true %0\nreturn %a %b",
            ),
            (
                &["T[2,3]", "bool[3]"],
                "%a = sum_where axes=[1] keepdims=false %0 %1\nreturn %a",
            ),
            (
                &["T[2,3]"],
                "%a = prod axes=[0,1] keepdims=false %0\n%b = prod axes=[0] keepdims=true %0\nreturn %a %b",
            ),
            (
                &["T[2,7,2]"],
                "%a = prod axes=[0,2] keepdims=false %0\n%b = prod axes=[1] keepdims=false %0\nreturn %a %b",
            ),
            (
                &["T[2,3]"],
                "%a = max axes=[0,1] keepdims=false %0\n%b = max axes=[1] keepdims=true %0\nreturn %a %b",
            ),
            (
                &["T[2,3]"],
                "%a = min axes=[0] keepdims=false %0\n%b = argmin axis=1 keepdims=false %0\nreturn %a %b",
            ),
            (
                &["T[2,5]"],
                "%a = cumsum axis=0 %0\n%b = cumsum axis=1 %0\nreturn %a %b",
            ),
            (
                &["T[2,5]"],
                "%a = cumprod axis=0 %0\n%b = cumprod axis=1 %0\nreturn %a %b",
            ),
            (
                &["T[9]"],
                "%a = cumprod axis=0 %0\n%b = cumprod axis=0 %a\nreturn %b",
            ),
            (
                &["T[1]"],
                "%a = cumprod axis=0 %0\n%b = prod axes=[0] keepdims=false %0\nreturn %a %b",
            ),
            (
                &["T[2,4,3]"],
                "%a = sort axis=1 %0\n%b = sort axis=2 %0\n%c = argsort axis=0 %0\nreturn %a %b %c",
            ),
            (
                &["T[0,3]"],
                "%a = sum axes=[0] keepdims=false %0\n%b = prod axes=[0] keepdims=false %0\n%c = cumsum axis=0 %0\nreturn %a %b %c",
            ),
        ],
    );
}

#[test]
fn views_joins_and_positions() {
    run(
        ALL,
        &[
            (
                &["T[2,3]"],
                "%a = reshape shape=[3,2] %0\n%b = transpose perm=[1,0] %0\nreturn %a %b",
            ),
            (&["T[2,3,4]"], "%a = transpose perm=[1,2,0] %0\nreturn %a"),
            (&["T[2,1]"], "%a = broadcast_to shape=[3,2,4] %0\nreturn %a"),
            (
                &["T[5,7]"],
                "%a = slice slicing=[1:2*2,6:-3*3] %0\n%b = slice slicing=[0:1*5,2:1*1] %0\n%c = slice slicing=[4:-1*5,0:6*2] %0\nreturn %a %b %c",
            ),
            (
                &["T[5,7]"],
                "%a = slice slicing=[0:1*0,0:1*7] %0\nreturn %a",
            ),
            (
                &["T[4,5]", "i64[2,2]"],
                "%a = getitem key=(1,::-2,None) %0\n%b = getitem key=(:,#) %0 %1\n%c = getitem key=(#,3) %0 %1\nreturn %a %b %c",
            ),
            (
                &["T[4,5]", "i64[2,1]", "i32[3]"],
                "%a = getitem key=(#,#) %0 %1 %2\n%b = getitem key=(#,None,#) %0 %1 %2\nreturn %a %b",
            ),
            (
                &["T[4,5]", "i64[2,2]"],
                "%a = take axis=1 %0 %1\n%b = take axis=0 %0 %1\nreturn %a %b",
            ),
            (
                &["T[2,3]", "R[2,1]"],
                "%a = concatenate axis=1 %0 %1 %0\n%b = stack axis=1 %0 %0\nreturn %a %b",
            ),
            (
                &["T[2,3]", "R[2,3]"],
                "%a = concatenate axis=0 %0 %1\n%b = stack axis=2 %0 %1\nreturn %a %b",
            ),
        ],
    );
    for mode in ["set", "add", "multiply", "min", "max"] {
        let slices = format!(
            "%a = scatter key=(::2,1) mode={mode} %0 %1\n%b = scatter key=(1,:) mode={mode} %0 %2\nreturn %a %b"
        );
        let arrays = format!(
            "%a = scatter key=(#,0) mode={mode} %0 %1 %2\n%b = scatter key=(:,#) mode={mode} %0 %1 %2\nreturn %a %b"
        );
        let flat = format!("%a = scatter_flat mode={mode} %0 %1 %2\nreturn %a");
        run(
            ALL,
            &[
                (&["T[4,3]", "T[2]", "T[]"], slices.leak()),
                (&["T[4,3]", "T[5]", "i64[5]"], arrays.leak()),
                (&["T[4,3]", "T[2,3]", "i64[2,3]"], flat.leak()),
            ],
        );
    }
}

#[test]
fn products() {
    let shapes: [&'static [&'static str]; 14] = [
        &["T[3]", "T[3]"],
        &["T[2,3]", "T[3]"],
        &["T[3]", "T[3,2]"],
        &["T[2,3]", "T[3,4]"],
        &["T[2,1]", "T[1,4]"],
        &["T[1,3]", "T[3,1]"],
        &["T[5,2,3]", "T[3,4]"],
        &["T[2,3]", "T[5,3,4]"],
        &["T[5,2,3]", "T[5,3,4]"],
        &["T[5,1,2,3]", "T[2,3,4]"],
        &["T[5,2,3]", "T[3]"],
        &["T[3]", "T[5,3,4]"],
        &["T[6,5,2,3]", "R[3,4]"],
        &["R[1,2,3]", "T[5,3,2]"],
    ];
    for types in shapes {
        run(ALL, &[(types, "%a = matmul %0 %1\nreturn %a")]);
    }
    run(
        ALL,
        &[
            (
                &["T[2,3,4]", "T[4,3,5]"],
                "%a = tensordot x_axes=[2,1] y_axes=[0,1] %0 %1\nreturn %a",
            ),
            (
                &["T[2,3,4]", "T[5,4,2]"],
                "%a = tensordot x_axes=[0,2] y_axes=[2,1] %0 %1\nreturn %a",
            ),
            (
                &["T[2,3]", "T[3,2]"],
                "%a = tensordot x_axes=[0,1] y_axes=[1,0] %0 %1\nreturn %a",
            ),
            (
                &["T[2]", "T[3]"],
                "%a = tensordot x_axes=[] y_axes=[] %0 %1\nreturn %a",
            ),
            (
                &["T[3]", "R[3]"],
                "%a = tensordot x_axes=[0] y_axes=[0] %0 %1\nreturn %a",
            ),
            (
                &["T[2,3]"],
                "%a = einsum subscripts=ij->ji %0\n%b = einsum subscripts=ij->i %0\n%c = einsum subscripts=ij-> %0\nreturn %a %b %c",
            ),
            (
                &["T[3,3]"],
                "%a = einsum subscripts=ii->i %0\n%b = einsum subscripts=ii-> %0\nreturn %a %b",
            ),
            (
                &["T[2,3,2]"],
                "%a = einsum subscripts=iji->ij %0\n%b = einsum subscripts=iji->j %0\nreturn %a %b",
            ),
            (&["T[2,2,2]"], "%a = einsum subscripts=iii->i %0\nreturn %a"),
            (
                &["T[2,3]", "T[3,4]"],
                "%a = einsum subscripts=ij,jk->ik %0 %1\n%b = einsum subscripts=ij,jk->k %0 %1\n%c = einsum subscripts=ij,kl->jl %0 %1\nreturn %a %b",
            ),
            (
                &["T[2,3]", "T[2,3]"],
                "%a = einsum subscripts=ij,ij->ij %0 %1\n%b = einsum subscripts=ij,ij-> %0 %1\n%c = einsum subscripts=ij,ij->j %0 %1\nreturn %a %b %c",
            ),
            (
                &["T[3,3]", "T[3]"],
                "%a = einsum subscripts=ii,i->i %0 %1\n%b = einsum subscripts=ij,j->i %0 %1\n%c = einsum subscripts=ii,j->j %0 %1\nreturn %a %b %c",
            ),
            (
                &["T[1,3]", "T[2,3]"],
                "%a = einsum subscripts=ij,ij->ij %0 %1\n%b = einsum subscripts=ij,ij->j %0 %1\nreturn %a %b",
            ),
            (
                &["T[2,3]", "T[3,4]", "T[4,5]"],
                "%a = einsum subscripts=ij,jk,kl->il %0 %1 %2\n%b = einsum subscripts=ij,jk,kl->j %0 %1 %2\nreturn %a %b",
            ),
            (
                &["T[2,2]", "T[2,2]", "R[2,2]", "T[2]"],
                "%a = einsum subscripts=ij,jk,kl,i->il %0 %1 %2 %3\n%b = einsum subscripts=ij,jk,ki,i-> %0 %1 %2 %3\nreturn %a %b",
            ),
            (
                &["T[1,3]", "T[2,3]", "T[2,1]"],
                "%a = einsum subscripts=ij,ij,ij->ij %0 %1 %2\nreturn %a",
            ),
        ],
    );
}

#[test]
fn norms() {
    for order in [
        "None", "1", "2", "3", "0.5", "-1", "-2", "1.5", "inf", "-inf", "0",
    ] {
        let body = format!(
            "%a = norm order={order} axes=[1] keepdims=false %0\n%b = norm order={order} axes=[0] keepdims=true %0\nreturn %a %b"
        );
        run(ALL, &[(&["T[3,4]"], body.leak())]);
    }
    for order in ["None", "fro", "nuc", "1", "-1", "2", "-2", "inf", "-inf"] {
        let body = format!(
            "%a = norm order={order} axes=[0,1] keepdims=false %0\n%b = norm order={order} axes=[1,0] keepdims=true %0\nreturn %a %b"
        );
        run(ALL, &[(&["T[3,4]"], body.leak())]);
        let body = format!("%a = norm order={order} axes=[2,0] keepdims=false %0\nreturn %a");
        run(ALL, &[(&["T[3,2,3]"], body.leak())]);
    }
    run(
        ALL,
        &[(
            &["T[3,2,2]"],
            "%a = norm order=None axes=None keepdims=false %0\nreturn %a",
        )],
    );
}

#[test]
fn fourier() {
    for norm in ["backward", "ortho", "forward"] {
        for (n, axis) in [(4, 1), (3, 1), (5, 1), (2, 0), (6, 0), (1, 1)] {
            let attributes = format!("n={n} axis={axis} norm={norm}");
            let body = format!(
                "%a = fft {attributes} %0\n%b = ifft {attributes} %0\n%c = irfft {attributes} %0\nreturn %a %b %c"
            );
            run(ALL, &[(&["T[3,4]"], body.leak())]);
            let body = format!("%a = rfft {attributes} %0\nreturn %a");
            run(REAL, &[(&["T[3,4]"], body.leak())]);
        }
    }
}

#[test]
fn systems() {
    run(
        ALL,
        &[
            (&["T[2,3,3]"], "%a = inv %0\n%b = det %0\nreturn %a %b"),
            (&["T[3,3]"], "%a = inv %0\n%b = det %0\nreturn %a %b"),
            (
                &["T[2,2,2]"],
                "%a = det %0\n%t = slogdet %0\n%b = get index=0 %t\n%c = get index=1 %t\nreturn %a %b %c",
            ),
            (
                &["T[5,5]"],
                "%a = det %0\n%t = slogdet %0\n%b = get index=0 %t\n%c = get index=1 %t\nreturn %a %b %c",
            ),
            (
                &["T[2,4,4]"],
                "%a = det %0\n%t = slogdet %0\n%b = get index=0 %t\n%c = get index=1 %t\nreturn %a %b %c",
            ),
            (&["T[1,1]"], "%a = det %0\n%b = inv %0\nreturn %a %b"),
            (&["T[3,3]"], "%a = expm %0\nreturn %a"),
            (&["T[2,2,2]"], "%a = expm %0\nreturn %a"),
            (&["T[3,3]", "T[3]"], "%a = solve %0 %1\nreturn %a"),
            (&["T[3,3]", "R[3,2]"], "%a = solve %0 %1\nreturn %a"),
            (&["T[2,3,3]", "T[3]"], "%a = solve %0 %1\nreturn %a"),
            (&["R[3,3]", "T[2,3,2]"], "%a = solve %0 %1\nreturn %a"),
            (&["T[2,3,3]", "T[3,2]"], "%a = solve %0 %1\nreturn %a"),
            (
                &["T[3,3]", "T[3]"],
                "%a = solve_triangular lower=true unit_diagonal=false %0 %1\n%b = solve_triangular lower=false unit_diagonal=true %0 %1\nreturn %a %b",
            ),
            (
                &["T[2,3,3]", "T[3,2]"],
                "%a = solve_triangular lower=false unit_diagonal=false %0 %1\n%b = solve_triangular lower=true unit_diagonal=true %0 %1\nreturn %a %b",
            ),
            (
                &["T[3,3]"],
                "%a = pinv rcond=1e-15 hermitian=false %0\nreturn %a",
            ),
            (
                &["T[4,2]"],
                "%a = pinv rcond=1e-15 hermitian=false %0\n%b = pinv rcond=0.5 hermitian=false %0\nreturn %a %b",
            ),
            (
                &["T[2,4]"],
                "%a = pinv rcond=1e-15 hermitian=false %0\n%b = pinv rcond=0.5 hermitian=false %0\nreturn %a %b",
            ),
            (
                &["T[2,3,2]"],
                "%a = pinv rcond=None hermitian=false %0\nreturn %a",
            ),
            (
                &["T[3,3]"],
                "%c = conj %0\n%t = transpose perm=[1,0] %c\n%h = add %0 %t\n%a = pinv rcond=1e-15 hermitian=true %h\n%b = pinv rcond=0.5 hermitian=true %h\nreturn %a %b",
            ),
            (
                &["T[4,3]", "T[4]"],
                "%t = lstsq rcond=None %0 %1\n%a = get index=0 %t\n%b = get index=1 %t\n%c = get index=3 %t\nreturn %a %b %c",
            ),
            (
                &["T[4,2]", "T[4,3]"],
                "%t = lstsq rcond=1e-9 %0 %1\n%a = get index=0 %t\n%b = get index=1 %t\nreturn %a %b",
            ),
            (
                &["T[2,4]", "T[2,3]"],
                "%t = lstsq rcond=-1.0 %0 %1\n%a = get index=0 %t\nreturn %a",
            ),
        ],
    );
}

#[test]
fn decompositions() {
    for shape in ["3,3", "4,2", "2,4", "2,3,2", "2,2,3"] {
        for mode in ["reduced", "complete"] {
            let types: &'static [&'static str] = vec![&*format!("T[{shape}]").leak()].leak();
            let body = format!(
                "%t = qr mode={mode} %0\n%a = get index=0 %t\n%b = get index=1 %t\nreturn %a %b"
            );
            // A basis of the rest is not unique, and differences of it are those of another one.
            if mode == "complete" && !["3,3", "2,4", "2,2,3"].contains(&shape) {
                continue;
            }
            run(ALL, &[(types, body.leak())]);
        }
        let types: &'static [&'static str] = vec![&*format!("T[{shape}]").leak()].leak();
        let body = "%t = lu %0\n%p = get index=0 %t\n%a = get index=1 %t\n%b = get index=2 %t\nreturn %p %a %b";
        run(ALL, &[(types, body)]);
        run(ALL, &[(types, "%s = svdvals %0\nreturn %s")]);
        for full in ["false", "true"] {
            let body = format!("%t = svd full_matrices={full} %0\n%s = get index=1 %t\nreturn %s");
            run(ALL, &[(types, body.leak())]);
        }
        // Without the phases of the vectors: |u|^2 and |vh|^2, of real numbers the vectors themselves.
        let body = "%t = svd full_matrices=false %0\n%u = get index=0 %t\n%s = get index=1 %t\n%v = get index=2 %t\n%a = absolute %u\n%b = absolute %v\nreturn %a %s %b";
        run(ALL, &[(types, body)]);
        let body = "%t = svd full_matrices=false %0\n%u = get index=0 %t\n%v = get index=2 %t\n%a = matmul %u %v\nreturn %a";
        run(ALL, &[(types, body)]);
        run(
            REAL,
            &[(
                types,
                "%t = svd full_matrices=false %0\n%u = get index=0 %t\n%v = get index=2 %t\nreturn %u %v",
            )],
        );
    }
    let hermitian = "%t = transpose perm=[1,0] %0\n%h = conj %t\n%m = add %0 %h\n";
    let cases = [
        "%e = eigh %m\n%w = get index=0 %e\n%v = get index=1 %e\n%a = absolute %v\nreturn %w %a",
        "%w = eigvalsh %m\nreturn %w",
        "%e = eigh %m\n%w = get index=0 %e\nreturn %w",
        "%p = matmul %0 %h\n%i = literal value=0.5:T\n%c = add %p %m\n%e = eigh %c\n%w = get index=0 %e\n%v = get index=1 %e\n%f = exp %w\n%b = multiply %v %f\n%x = transpose perm=[1,0] %v\n%y = conj %x\n%r = matmul %b %y\nreturn %r",
    ];
    for case in cases {
        let body: &'static str = format!("{hermitian}{case}").leak();
        run(ALL, &[(&["T[3,3]"], body)]);
    }
    run(
        ALL,
        &[
            (
                &["T[3,4]"],
                "%t = transpose perm=[1,0] %0\n%h = conj %t\n%m = matmul %0 %h\n%l = cholesky %m\nreturn %l",
            ),
            (
                &["T[2,2,4]"],
                "%t = transpose perm=[0,2,1] %0\n%h = conj %t\n%m = matmul %0 %h\n%l = cholesky %m\nreturn %l",
            ),
            (
                &["T[3,3]"],
                "%w = eigvals %0\n%e = exp %w\n%a = sum axes=[0] keepdims=false %e\nreturn %a",
            ),
            (
                &["T[2,3,3]"],
                "%e = eig %0\n%w = get index=0 %e\n%v = get index=1 %e\n%f = exp %w\n%c = absolute %v\n%d = multiply %c %c\n%u = transpose perm=[0,2,1] %d\n%g = reshape shape=[2,3,1] %f\n%r = multiply %u %g\n%s = sum axes=[1] keepdims=false %r\nreturn %s",
            ),
        ],
    );
}
