//! Products in blocks, by the kernels of gemm, beside those of gemm itself.

use super::*;

/// Products in blocks beside those of `gemm`, bit for bit: tiles that are cut, blocks of each axis, and copies or none.
#[test]
fn products_in_blocks_are_those_of_gemm() {
    if processor::level() < Level::Avx2 {
        return;
    }
    let sizes = [
        (30, 30, 30),
        (17, 19, 23),
        (65, 3, 66),
        (9, 700, 40),
        (150, 40, 9),
        (5, 30, 300),
        (70, 1100, 70),
        (1700, 8, 65),
        (17, 1100, 16),
    ];
    for (m, k, n) in sizes {
        for layouts in [
            [0, 0, 0],
            [1, 0, 0],
            [0, 1, 0],
            [1, 1, 0],
            [0, 0, 1],
            [2, 3, 4],
            [4, 2, 5],
            [3, 4, 3],
        ] {
            check_blocks::<f64>(m, k, n, layouts, |x, i| x + 1.0 / (i + 3) as f64);
            check_blocks::<f32>(m, k, n, layouts, |x, i| x + 1.0 / (i + 3) as f32);
            // Kernels of the other crate are optimised in tests, and those of complex numbers are not.
            if m * k * n > 300_000 {
                continue;
            }
            check_blocks::<Complex<f64>>(m, k, n, layouts, |x, i| {
                x + Complex::new(1.0 / (i + 3) as f64, 1.0 / (i % 7 + 2) as f64)
            });
            check_blocks::<Complex<f32>>(m, k, n, layouts, |x, i| {
                x + Complex::new(1.0 / (i + 3) as f32, 1.0 / (i % 7 + 2) as f32)
            });
        }
    }
}

/// An infinity makes NaN of some parts and not of others, as in `gemm`.
#[test]
fn infinities_in_blocks_are_those_of_gemm() {
    if processor::level() < Level::Avx2 {
        return;
    }
    for m in [15, 16] {
        check_blocks::<Complex<f64>>(m, 40, 18, [0, 0, 0], |x, i| match i % 97 {
            0 => Complex::new(f64::INFINITY, 1.0),
            _ => x,
        });
    }
}

fn check_blocks<T: Sample>(
    m: usize,
    k: usize,
    n: usize,
    layouts: [usize; 3],
    fraction: impl Fn(T, usize) -> T,
) {
    let (x, y, z) = (
        operand(layouts[0], m, k),
        operand(layouts[1], k, n),
        operand(layouts[2], m, n),
    );
    let fill = |n: usize, from: usize| -> Vec<T> {
        (0..n)
            .map(|i| fraction(T::value(i + from), i + from))
            .collect()
    };
    let (left, right) = (fill(x.size, 1), fill(y.size, 77));
    let layout = Layout {
        m,
        k,
        n,
        a: x.strides,
        b: y.strides,
        c: z.strides,
        transposed: false,
    };
    let (a, b) = (left[x.start..].as_ptr(), right[y.start..].as_ptr());
    let mut of_gemm = vec![T::ONE; z.size];
    // SAFETY: `operand` sizes the buffers for the strides.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            of_gemm.as_mut_ptr().add(z.start),
            z.strides[1],
            z.strides[0],
            false,
            a,
            x.strides[1],
            x.strides[0],
            b,
            y.strides[1],
            y.strides[0],
            T::ZERO,
            T::ONE,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
    let mut ours = vec![T::ONE; z.size];
    // SAFETY: as above.
    let done = unsafe {
        let c = ours.as_mut_ptr().add(z.start);
        T::multiply_blocks(&layout, a, b, c, &mut Packing::default())
    };
    let what = format!("{m}x{k}x{n} {layouts:?}");
    assert!(done, "{what}");
    let differs = (0..z.size).find(|&i| !same_bytes(ours[i], of_gemm[i]));
    assert_eq!(differs, None, "{what}");
}
