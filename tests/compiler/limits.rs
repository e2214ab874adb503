//! The limits of compiled code on the machine: threads and memory.
#![cfg(feature = "cranelift")]

use autojit::{Array, Result, autojit, numpy as np};

/// The bits of a result.
fn bits(x: &Array) -> Result<Vec<u64>> {
    let re = np::real(x).to_vec::<f64>()?;
    let im = np::imag(x).to_vec::<f64>()?;
    Ok(re.iter().chain(&im).map(|x| x.to_bits()).collect())
}

/// Compares threads with one, and says how many loops were divided.
fn compare(f: impl Fn(Array) -> Array + Copy, x: &Array) -> Result<usize> {
    let wanted = bits(&autojit(f).backend("cranelift").call(x)?)?;
    let mut divided = 0;
    for threads in [2, 3, 7] {
        let g = autojit(f).backend("cranelift").threads(threads);
        assert_eq!(bits(&g.call(x)?)?, wanted, "{threads} threads");
        let text = g.explain(x)?.to_string();
        let line = text.lines().find(|l| l.contains("loops divided among"));
        let count = line.and_then(|l| l.split_whitespace().next()?.parse().ok());
        divided = count.unwrap_or_else(|| panic!("no count in {text}"));
    }
    Ok(divided)
}

fn numbers(n: i64) -> Array {
    np::sin(np::arange(n, ..)) * 3.0 + 0.1
}

#[test]
fn elementwise_loops_are_divided() -> Result<()> {
    for n in [100_000, 100_001, 99_937] {
        let divided = compare(|x| np::exp(&x * &x) - &x / 3.0, &numbers(n))?;
        assert!(divided > 0);
    }
    Ok(())
}

#[test]
fn rows_are_divided_and_their_sums_are_not() -> Result<()> {
    let x = np::reshape(numbers(300 * 700), [300, 700]);
    let softmax = |x: Array| {
        let e = np::exp(&x - np::max(&x, np::axis(-1).keepdims()));
        &e / np::sum(&e, np::axis(-1).keepdims())
    };
    assert!(compare(softmax, &x)? > 0);
    // One long sum stays with one thread.
    assert_eq!(compare(|x| np::sum(x, ..), &x)?, 0);
    Ok(())
}

#[test]
fn strided_and_transposed_operands() -> Result<()> {
    let x = np::reshape(numbers(400 * 400), [400, 400]);
    assert!(compare(|x| x.t() * 2.0 + &x, &x)? > 0);
    Ok(())
}

#[test]
fn short_loops_stay_whole() -> Result<()> {
    assert_eq!(compare(|x| np::exp(&x) + 1.0, &numbers(1000))?, 0);
    Ok(())
}

#[test]
fn products_have_the_same_bits() -> Result<()> {
    for n in [150, 257, 400] {
        let x = np::reshape(numbers(n * n), [n, n]);
        compare(|x| np::matmul(&x, x.t()), &x)?;
    }
    let batch = np::reshape(numbers(40 * 64 * 64), [40, 64, 64]);
    compare(|x| np::matmul(&x, &x), &batch)?;
    Ok(())
}

#[test]
fn failures_are_those_of_one_thread() {
    let x = np::arange(200_000, ..);
    let f = |x: Array| np::take(np::arange(1000, ..), x + 1, ..);
    let failure = |threads| {
        let f = autojit(f).backend("cranelift").threads(threads);
        f.call(&x).unwrap_err().to_string()
    };
    assert_eq!(failure(4), failure(1));
}

#[test]
fn no_memory_beyond_the_order_of_the_program() -> Result<()> {
    let f = |x: Array| {
        let mut sum = np::zeros_like(&x, ..);
        for i in 0..200 {
            // A product in between, so that the two loops are not one.
            sum += np::matmul(np::exp(&x * i), &x);
        }
        sum
    };
    let x = np::full([16, 16], 0.5, ..);
    let workspace = |limit| -> Result<usize> {
        let f = autojit(f).backend("cranelift").memory_limit(limit);
        Ok(f.compile(&x)?.code.workspace_bytes.unwrap())
    };
    let (frugal, generous) = (workspace(0)?, workspace(1 << 24)?);
    let array = 16 * 16 * 8;
    assert!(frugal <= 4 * array, "{frugal} bytes");
    assert!(generous > 100 * array, "{generous} bytes");
    let results = [0, 1 << 24].map(|limit| autojit(f).memory_limit(limit).call(&x));
    let [frugal, generous] = results;
    assert_eq!(bits(&frugal?)?, bits(&generous?)?);
    Ok(())
}

/// Loops that can fail are not joined, so that each of these is a kernel of its own: enough of them for two threads.
#[test]
fn many_kernels_compile_at_once() -> Result<()> {
    let x = np::arange(12, ..) + 1;
    let f = |x: Array| -> Vec<Array> {
        let power = |pattern: i64| {
            let power = np::power(&x + pattern, &x);
            (0..4).fold(power, |y, bit| match pattern >> bit & 1 {
                0 => y * 3,
                _ => y + &x,
            })
        };
        (0..16).map(power).collect()
    };
    let compiled = autojit(f).backend("cranelift");
    let text = compiled.explain(&x)?.to_string();
    // On every processor: our own emitter leaves loops that may fail to Cranelift.
    assert_eq!(text.matches("by Cranelift (").count(), 16, "{text}");
    for (got, wanted) in compiled.call(&x)?.iter().zip(f(x.clone())) {
        assert_eq!(got.to_vec::<i64>()?, wanted.to_vec::<i64>()?);
    }
    Ok(())
}
