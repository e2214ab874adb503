//! Sums are as accurate as NumPy's pairwise ones, however the loop runs.
//!
//! NumPy adds 16 numbers in a row and then halves, so the error of `n` numbers of one sign is below
//! `(16 + 3 + log2(n / 128)) / 2` units in the last place; equal numbers come close to such bounds, because all
//! roundings go the same way.

use autojit::ir::{Graph, HostArray, Scalar};
use autojit::{ArrayType, DType, run_graph};

use super::agreement::tested_backends;
use super::values::Random;

/// Large sums by their text; `x` is the argument. Between them: lanes, elements one by one, calls in the loop,
/// several axes, strides, and more operations than are unrolled.
const SUMS: [(&str, &[usize], &str); 9] = [
    (
        "contiguous",
        &[100_000],
        "%s = sum axes=[0] keepdims=false %x",
    ),
    ("just short", &[256], "%s = sum axes=[0] keepdims=false %x"),
    ("just long", &[257], "%s = sum axes=[0] keepdims=false %x"),
    ("rows", &[3, 30_000], "%s = sum axes=[1] keepdims=false %x"),
    (
        "columns",
        &[30_000, 3],
        "%s = sum axes=[0] keepdims=false %x",
    ),
    (
        "axes",
        &[50, 2, 700],
        "%s = sum axes=[0,2] keepdims=false %x",
    ),
    (
        "all",
        &[200, 300],
        "%t = transpose perm=[1,0] %x\n%s = sum axes=[0,1] keepdims=false %t",
    ),
    (
        "calls",
        &[256],
        "%one = literal value=1.0:DTYPE\n%p = power %x %one\n%s = sum axes=[0] keepdims=false %p",
    ),
    (
        "masked",
        &[20_000],
        "%y = absolute %x\n%m = less_equal %y %x\n%s = sum_where axes=[0] keepdims=false %x %m",
    ),
];

#[test]
fn sums_are_as_accurate_as_numpys() {
    for dtype in [DType::Float32, DType::Float64] {
        let epsilon = if dtype == DType::Float32 {
            f64::from(f32::EPSILON)
        } else {
            f64::EPSILON
        };
        for (name, shape, body) in SUMS {
            let ty = ArrayType::new(dtype, shape);
            let body = body.replace(
                "DTYPE",
                if dtype == DType::Float32 {
                    "f32"
                } else {
                    "f64"
                },
            );
            let text = format!("%x = input index=0 ty={ty}\n{body}\nreturn %s");
            let graph: Graph = text.parse().unwrap();
            let mut random = Random::new(3);
            for equal in [false, true] {
                let mut number = || {
                    if equal {
                        3.987_654_321
                    } else {
                        1.5 + random.unit()
                    }
                };
                let scalars: Vec<Scalar> =
                    (0..ty.size()).map(|_| Scalar::Float(number())).collect();
                let inputs = [HostArray::from_scalars(&ty, &scalars).unwrap()];
                let expected = graph.evaluate(&inputs).unwrap()[0].to_scalars();
                let bound = 0.5 * (19.0 + (ty.size() as f64 / 128.0).log2().max(0.0)) * epsilon;
                for backend in tested_backends() {
                    let got = run_graph(backend, &graph, &inputs).unwrap()[0].to_scalars();
                    for (g, e) in got.iter().zip(&expected) {
                        let error = (g.to_f64() - e.to_f64()).abs() / e.to_f64();
                        assert!(
                            error <= bound,
                            "{backend}, {name} {ty}: {} ulps, NumPy's bound is {}",
                            error / epsilon,
                            bound / epsilon
                        );
                    }
                }
            }
        }
    }
}
