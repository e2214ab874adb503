use autojit::{Array, autojit, numpy as np};
fn mgs(x: Array) -> Array {
    let n = x.shape().unwrap()[0];
    let mut q: Vec<Array> = vec![];
    for j in 0..n as i64 {
        let mut v = x.get(j);
        for u in &q {
            let r = np::tensordot(np::conj(u), &v, 1);
            v = &v - r * u;
        }
        let norm = np::linalg::norm(&v, ..);
        q.push(v / norm);
    }
    np::stack(&q, 0)
}
fn main() {
    let n: usize = std::env::args().nth(1).map_or(3, |s| s.parse().unwrap());
    let data: Vec<f64> = (0..n * n).map(|i| ((i * 7919 % 1013) as f64 / 1013.0) - 0.4).collect();
    let x = Array::from(ndarray::Array2::from_shape_vec((n, n), data).unwrap());
    let jit = autojit(mgs).strict(true);
    let t = std::time::Instant::now();
    let q = jit.call(&x).unwrap();
    println!("first call {:?}", t.elapsed());
    let qt = np::transpose(&q, ..);
    let e = np::max(np::abs(np::matmul(&q, &qt) - np::eye(n as i64, ..)), ..);
    println!("err {e}");
    if n < 6 { println!("{}", jit.explain(&x).unwrap()); }
    let mut best = f64::MAX;
    for _ in 0..200 { let t = std::time::Instant::now(); for _ in 0..20 { std::hint::black_box(jit.call(&x).unwrap()); } best = best.min(t.elapsed().as_secs_f64() / 20.0); }
    println!("call {:.2} us", best * 1e6);
}
