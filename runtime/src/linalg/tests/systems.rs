//! Systems, determinants and spectra: defining properties over many orders, and inputs that break algorithms.

use super::*;

/// Orders on both sides of every change of algorithm.
const ORDERS: [usize; 13] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 33, 70];

fn residual<T: Field>(a: &[T], x: &[T], b: &[T], n: usize, k: usize) -> f64 {
    distance(&multiply(a, x, n, n, k), b)
}

fn check_systems<T: Field>(tolerance: f64) {
    for n in ORDERS {
        let a = random::<T>(n * n, 17);
        for k in [0, 1, 3] {
            let b = random::<T>(n * k, 5);
            let x = solve(&a, &b, n, k).unwrap();
            let size = distance(&x, &vec![T::NULL; n * k]).max(1.0);
            let error = residual(&a, &x, &b, n, k) / size;
            assert!(error <= tolerance, "solve {n} {k}: {error:e}");
        }
        let inverse = inv(&a, n).unwrap();
        let size = distance(&inverse, &vec![T::NULL; n * n]).max(1.0);
        let error = residual(&a, &inverse, &identity(n), n, n) / size;
        assert!(error <= tolerance, "inv {n}: {error:e}");
        let mut positive = multiply(&a, &adjoint(&a, n, n), n, n, n);
        positive
            .iter_mut()
            .step_by(n + 1)
            .for_each(|x| *x += T::UNIT);
        let l = cholesky(&positive, n).unwrap();
        let error = distance(&multiply(&l, &adjoint(&l, n, n), n, n, n), &positive);
        assert!(error <= 10.0 * tolerance, "cholesky {n}: {error:e}");
        for (i, row) in l.chunks(n.max(1)).enumerate() {
            assert!(row[i + 1..].iter().all(|&x| x == T::NULL));
            assert!(row[i].parts().0 > 0.0 && row[i].parts().1 == 0.0);
        }
        // det(l) is the square root of det(l l^H).
        let (sign, logarithm) = slogdet(&positive, n).unwrap();
        let expected: f64 = (0..n).map(|i| 2.0 * l[i * (n + 1)].parts().0.ln()).sum();
        assert!(distance(&[sign], &[T::UNIT]) <= tolerance);
        assert!((logarithm.parts().0 - expected).abs() <= tolerance * expected.abs().max(1.0));
    }
}

#[test]
fn systems_of_all_orders() {
    check_systems::<f64>(1e-11);
    check_systems::<Complex<f64>>(1e-11);
    check_systems::<f32>(1e-3);
    check_systems::<Complex<f32>>(1e-3);
}

fn check_triangles<T: Field>(tolerance: f64) {
    for n in [0, 1, 2, 5, 8, 40] {
        // Small off the diagonal, because triangular matrices of random numbers are ill-conditioned.
        let mut a = random::<T>(n * n, 3);
        let small = T::from_parts(0.1, 0.0);
        a.iter_mut().for_each(|x| *x *= small);
        a.iter_mut()
            .step_by(n + 1)
            .for_each(|x| *x += T::from_parts(2.0, 0.5));
        for flags in 0..16 {
            let triangle = Triangle {
                lower: flags & 1 != 0,
                unit_diagonal: flags & 2 != 0,
                transposed: flags & 4 != 0,
                conjugated: flags & 8 != 0,
            };
            let mut used = vec![T::NULL; n * n];
            for i in 0..n {
                for j in 0..n {
                    let x = match (i == j, (j < i) == triangle.lower) {
                        (true, _) if triangle.unit_diagonal => T::UNIT,
                        (true, _) | (_, true) => a[i * n + j],
                        _ => T::NULL,
                    };
                    let x = if triangle.conjugated {
                        Scalar::conj(x)
                    } else {
                        x
                    };
                    used[if triangle.transposed {
                        j * n + i
                    } else {
                        i * n + j
                    }] = x;
                }
            }
            for k in [1, 3] {
                let b = random::<T>(n * k, 4);
                let x = solve_triangular(triangle, &a, &b, n, k).unwrap();
                let error = residual(&used, &x, &b, n, k);
                assert!(error <= tolerance, "{n} {k} {triangle:?}: {error:e}");
            }
        }
    }
}

#[test]
fn triangles_of_all_flags() {
    check_triangles::<f64>(1e-13);
    check_triangles::<Complex<f64>>(1e-13);
    check_triangles::<f32>(1e-5);
    check_triangles::<Complex<f32>>(1e-5);
}

#[test]
fn singular_matrices() {
    for n in [1, 2, 3, 5, 8, 9, 40] {
        let ones = vec![1.0; n * n];
        let zeros = vec![Complex::new(0.0_f32, 0.0); n * n];
        if n > 1 {
            assert_eq!(solve(&ones, &vec![1.0; n], n, 1), Err(Failure::Singular));
            assert_eq!(inv(&ones, n), Err(Failure::Singular));
            assert_eq!(det(&ones, n), Ok(0.0));
            assert_eq!(slogdet(&ones, n), Ok((0.0, f64::NEG_INFINITY)));
        }
        assert_eq!(inv(&zeros, n), Err(Failure::Singular));
        assert_eq!(
            slogdet(&zeros, n),
            Ok((Complex::new(0.0, 0.0), f32::NEG_INFINITY))
        );
        let lower = Triangle {
            lower: true,
            ..Triangle::default()
        };
        let zero = vec![0.0; n * n];
        let one = vec![1.0; n];
        assert_eq!(
            solve_triangular(lower, &zero, &one, n, 1),
            Err(Failure::Singular)
        );
        assert_eq!(cholesky(&zero, n), Err(Failure::NotPositiveDefinite), "{n}");
        assert_eq!(
            cholesky(&vec![f64::NAN; n * n], n),
            Err(Failure::NotPositiveDefinite)
        );
        // LAPACK passes over zero pivots, so the factors stay finite.
        let (p, l, u) = lu(&ones, n, n).unwrap();
        let product = multiply(&p, &multiply(&l, &u, n, n, n), n, n, n);
        assert_eq!(distance(&product, &ones), 0.0);
    }
    assert_eq!(det::<f64>(&[], 0), Ok(1.0));
    assert_eq!(slogdet::<f64>(&[], 0), Ok((1.0, 0.0)));
}

#[test]
fn factors_of_rectangular_matrices() {
    for (m, n) in [(0, 3), (3, 0), (4, 2), (2, 4), (70, 40), (40, 70), (50, 50)] {
        let a = random::<Complex<f64>>(m * n, 23);
        let (p, l, u) = lu(&a, m, n).unwrap();
        let size = m.min(n);
        let product = multiply(&p, &multiply(&l, &u, m, size, n), m, m, n);
        assert!(distance(&product, &a) <= 1e-12, "{m}x{n}");
        let modulus = |x: &Complex<f64>| x.re.abs() + x.im.abs();
        assert!(
            l.iter().all(|x| modulus(x) <= 2.0),
            "{m}x{n}: pivots are large"
        );
    }
}

#[test]
fn determinants_outside_the_range_of_their_factors() {
    let diagonal = |values: &[f64]| {
        let n = values.len();
        let mut a = vec![0.0; n * n];
        for (i, &x) in values.iter().enumerate() {
            a[i * (n + 1)] = x;
        }
        a
    };
    let a = diagonal(&[1e200, -1e200, 1e-200, 1e-200]);
    assert!((det(&a, 4).unwrap() + 1.0).abs() < 1e-12);
    assert_eq!(det(&diagonal(&[1e200, 1e200]), 2), Ok(f64::INFINITY));
    assert_eq!(det(&diagonal(&[-1e200, 1e-200, 1e-200]), 3), Ok(-1e-200));
    assert!(det(&diagonal(&[1.0, f64::NAN]), 2).unwrap().is_nan());
    let (sign, logarithm) = slogdet(&[0.0_f64, 2.0, -3.0, 0.0], 2).unwrap();
    assert!(sign == 1.0 && (logarithm - 6.0_f64.ln()).abs() < 1e-15);
}

fn check_spectra<T: Field>(tolerance: f64) {
    for n in ORDERS {
        let a = random::<T>(n * n, 29);
        let (values, vectors) = eigh(&a, n).unwrap();
        let mut full = vec![T::NULL; n * n];
        for i in 0..n {
            for j in 0..n {
                full[i * n + j] = match j.cmp(&i) {
                    std::cmp::Ordering::Less => a[i * n + j],
                    std::cmp::Ordering::Equal => T::from_parts(a[i * n + i].parts().0, 0.0),
                    std::cmp::Ordering::Greater => Scalar::conj(a[j * n + i]),
                };
            }
        }
        let values: Vec<f64> = values.iter().map(|x| x.parts().0).collect();
        assert!(values.windows(2).all(|pair| pair[0] <= pair[1]));
        let scaled: Vec<T> = (0..n * n)
            .map(|k| vectors[k] * T::from_parts(values[k % n], 0.0))
            .collect();
        let error = residual(&full, &vectors, &scaled, n, n);
        assert!(error <= tolerance, "eigh {n}: {error:e}");
        let gram = multiply(&adjoint(&vectors, n, n), &vectors, n, n, n);
        assert!(distance(&gram, &identity(n)) <= tolerance);
        for (x, y) in eigvalsh(&a, n).unwrap().iter().zip(&values) {
            assert!((x.parts().0 - y).abs() <= tolerance);
        }
        check_eigenvectors(&a, n, tolerance);
    }
}

fn check_eigenvectors<T: Field>(original: &[T], n: usize, tolerance: f64) {
    let (values, vectors) = eig(original, n).unwrap();
    let a: Vec<T::Complex> = original
        .iter()
        .map(|x| {
            let (re, im) = x.parts();
            T::Complex::from_parts(re, im)
        })
        .collect();
    let scaled: Vec<T::Complex> = (0..n * n).map(|k| vectors[k] * values[k % n]).collect();
    let error = residual(&a, &vectors, &scaled, n, n);
    assert!(error <= tolerance, "eig {n}: {error:e}");
    for j in 0..n {
        let norm: f64 = (0..n)
            .map(|i| {
                let (re, im) = vectors[i * n + j].parts();
                re * re + im * im
            })
            .sum();
        assert!((norm - 1.0).abs() <= tolerance, "eig {n}: norm {norm}");
    }
    // The order may differ without vectors; power sums do not.
    let alone = eigvals(original, n).unwrap();
    let sums = |values: &[T::Complex]| {
        let mut sums = [T::Complex::NULL; 2];
        for &x in values {
            sums = [sums[0] + x, sums[1] + x * x];
        }
        sums
    };
    let error = distance(&sums(&alone), &sums(&values));
    assert!(error <= 10.0 * tolerance, "eigvals {n}: {error:e}");
}

#[test]
fn spectra_of_all_orders() {
    check_spectra::<f64>(1e-11);
    // Large enough for faer's divide and conquer.
    let (n, a) = (130, random::<f64>(130 * 130, 2));
    check_eigenvectors(&a, n, 1e-11);
    let (values, vectors) = eigh(&a, n).unwrap();
    let gram = multiply(&adjoint(&vectors, n, n), &vectors, n, n, n);
    assert!(distance(&gram, &identity(n)) <= 1e-12);
    assert!(distance(&values, &eigvalsh(&a, n).unwrap()) <= 1e-12);
    check_spectra::<Complex<f64>>(1e-11);
    check_spectra::<f32>(1e-3);
    check_spectra::<Complex<f32>>(1e-3);
}

#[test]
fn spectra_of_awkward_matrices() {
    for n in [2, 5, 40] {
        for scale in [1.0_f64, 1e-300, 1e300] {
            // A Jordan block, whose only eigenvector is the first unit vector; a rotation; zero; one.
            let mut jordan = vec![0.0_f64; n * n];
            jordan
                .iter_mut()
                .skip(1)
                .step_by(n + 1)
                .for_each(|x| *x = scale);
            let (values, vectors) = eig(&jordan, n).unwrap();
            for j in 0..n {
                assert!(values[j].norm() <= 1e-10 * scale);
                assert!(
                    (vectors[j].norm() - 1.0).abs() < 1e-6,
                    "{n} {scale} {vectors:?}"
                );
            }
            let mut cycle = jordan.clone();
            cycle[(n - 1) * n] = scale;
            for x in eigvals(&cycle, n).unwrap() {
                assert!((x.norm() / scale - 1.0).abs() < 1e-12);
            }
        }
        check_eigenvectors(&vec![0.0; n * n], n, 1e-14);
        check_eigenvectors(&identity::<f32>(n), n, 1e-5);
        check_eigenvectors(&vec![Complex::new(1.0, 1.0); n * n], n, 1e-10);
        let (values, _) = eigh(&vec![1e-310_f64; n * n], n).unwrap();
        assert!((values[n - 1] / (n as f64 * 1e-310) - 1.0).abs() < 1e-6);
    }
    // Tiny elements beside large ones, with and without phases.
    for tiny in [1e-15, 1e-160, 1e-300, 5e-324] {
        let z = Complex::new(tiny, tiny);
        let (o, one) = (Complex::new(0.0, 0.0), Complex::new(1.0, 0.0));
        for a in [
            vec![o, o, o, z, o, o, o, z, one],
            vec![one, o, o, z, one, o, z, z, -one],
        ] {
            let (values, vectors) = eigh(&a, 3).unwrap();
            let gram = multiply(&adjoint(&vectors, 3, 3), &vectors, 3, 3, 3);
            assert!(distance(&gram, &identity(3)) < 1e-14, "{tiny} {vectors:?}");
            assert!(values.windows(2).all(|pair| pair[0] <= pair[1]));
        }
    }
    // Eigenvalues of a real matrix are exactly conjugate.
    let values = eigvals(&[0.0_f64, -1.0, 1.0, 0.0], 2).unwrap();
    assert_eq!(values[0], values[1].conj());
    assert_eq!(values[0].im.abs(), 1.0);
}

#[test]
fn nothing_that_is_not_finite_hangs_or_panics() {
    for n in [1, 2, 3, 8, 9, 40] {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for position in [0, n * n - 1] {
                let mut a = random::<f64>(n * n, 8);
                a[position] = bad;
                let failed = Failure::NoConvergence;
                assert_eq!(eigh(&a, n), Err(failed));
                assert_eq!(eigvals(&a, n), Err(failed));
                assert_eq!(svdvals(&a, n, n), Err(failed));
                assert_eq!(lstsq(&a, &a, [n, n, n], None), Err(failed));
                assert!(expm(&a, n).unwrap().iter().all(|x| x.is_nan()));
                // Direct methods answer with something, or find a zero pivot.
                let b = vec![1.0; n];
                for result in [solve(&a, &b, n, 1), inv(&a, n), cholesky(&a, n)] {
                    assert!(result.is_ok() || result != Err(failed));
                }
                if bad.is_nan() {
                    assert!(det(&a, n).unwrap().is_nan());
                    assert!(slogdet(&a, n).unwrap().1.is_nan());
                }
                let z: Vec<_> = a.iter().map(|&x| Complex::new(1.0, x)).collect();
                assert_eq!(eig(&z, n), Err(failed));
                assert!(det(&z, n).is_ok() && lu(&z, n, n).is_ok());
                let triangle = Triangle::default();
                assert!(solve_triangular(triangle, &a, &b, n, 1).is_ok());
                // The upper triangle is not read.
                if n > 1 && position == 0 {
                    let mut upper = identity::<f64>(n);
                    upper[1] = bad;
                    assert_eq!(eigvalsh(&upper, n), Ok(vec![1.0; n]));
                    assert_eq!(cholesky(&upper, n), Ok(identity(n)));
                }
            }
        }
    }
}

#[test]
fn least_squares_of_nothing_and_of_low_rank() {
    let found = lstsq::<f64>(&[], &[1.0, 2.0], [2, 0, 1], None).unwrap();
    assert_eq!((found.x.len(), found.rank), (0, 0));
    assert_eq!(found.residuals, [5.0]);
    let found = lstsq::<f64>(&[], &[], [0, 2, 1], None).unwrap();
    assert_eq!((found.x, found.rank), (vec![0.0; 2], 0));
    // The cutoff is relative to the largest singular value.
    let a = [2.0, 0.0, 0.0, 1e-3];
    let rank = |rcond| lstsq(&a, &[1.0, 1.0], [2, 2, 1], rcond).unwrap().rank;
    assert_eq!([rank(None), rank(Some(-1.0)), rank(Some(0.01))], [2, 2, 1]);
}

#[test]
fn exponentials() {
    // Nilpotent, rotation, large and huge arguments.
    assert_eq!(expm(&[0.0, 3.0, 0.0, 0.0], 2), Ok(vec![1.0, 3.0, 0.0, 1.0]));
    let angle = 40.0_f64;
    let rotation = expm(&[0.0, -angle, angle, 0.0], 2).unwrap();
    let (sin, cos) = angle.sin_cos();
    assert!(distance(&rotation, &[cos, -sin, sin, cos]) < 1e-12);
    assert_eq!(expm(&[0.0; 9], 3), Ok(identity(3)));
    let decayed = expm(&[-1e300_f64, 0.0, 0.0, -1e300], 2).unwrap();
    assert!(decayed.iter().all(|x| x.abs() < 1e-300));
    assert!(expm(&[1e300, 0.0, 0.0, 1e300], 2).unwrap()[0] > 1e300);
    assert_eq!(expm::<f32>(&[], 0), Ok(vec![]));
    assert_eq!(expm(&[1.0_f32], 1), Ok(vec![std::f32::consts::E]));
}

#[test]
fn complete_decompositions_of_all_shapes() {
    for (m, n) in [(0, 2), (2, 0), (3, 1), (1, 3), (6, 4), (100, 70), (70, 100)] {
        let a = random::<Complex<f64>>(m * n, 31);
        let (q, r) = qr(&a, m, n, true).unwrap();
        assert!(distance(&multiply(&q, &r, m, m, n), &a) < 1e-12, "{m}x{n}");
        let gram = multiply(&adjoint(&q, m, m), &q, m, m, m);
        assert!(distance(&gram, &identity(m)) < 1e-12, "{m}x{n}");
        let (_, reduced) = qr(&a, m, n, false).unwrap();
        assert_eq!(distance(&r[..reduced.len()], &reduced), 0.0);
        assert!(r[reduced.len()..].iter().all(|x| x.norm() == 0.0));
    }
    let (q, r) = qr(&[f64::NAN; 3], 3, 1, true).unwrap();
    assert!(q.iter().all(|x| x.is_nan()) && r[0].is_nan() && r[1..] == [0.0, 0.0]);
}

#[test]
fn batches_of_systems() {
    let (batch, n, k) = (3, 4, 2);
    let (a, b) = (
        random::<f64>(batch * n * n, 1),
        random::<f64>(batch * n * k, 2),
    );
    let (mut x, mut signs, mut logarithms) = (
        vec![f64::NAN; batch * n * k],
        vec![f64::NAN; batch],
        vec![f64::NAN; batch],
    );
    let (mut values, mut vectors) = (
        vec![Complex::new(f64::NAN, 0.0); batch * n],
        vec![Complex::new(f64::NAN, 0.0); batch * n * n],
    );
    let (mut residuals, mut ranks, mut s) = (
        vec![f64::NAN; batch * k],
        vec![-1_i32; batch],
        vec![f64::NAN; batch * n],
    );
    let kind = Kind::Float64;
    let (a_in, b_in) = (a.as_ptr().cast(), b.as_ptr().cast());
    // SAFETY: the buffers have the sizes that the functions ask for.
    unsafe {
        let (signs, logarithms) = (signs.as_mut_ptr().cast(), logarithms.as_mut_ptr().cast());
        slogdet_batched(kind, batch, n, a_in, signs, logarithms).unwrap();
        let (values, vectors) = (values.as_mut_ptr().cast(), vectors.as_mut_ptr().cast());
        eig_batched(kind, batch, n, a_in, values, vectors).unwrap();
        let x = x.as_mut_ptr().cast();
        let (residuals, ranks, s) = (
            residuals.as_mut_ptr().cast(),
            ranks.as_mut_ptr().cast(),
            s.as_mut_ptr().cast(),
        );
        lstsq_batched(
            kind, None, batch, n, n, k, a_in, b_in, x, residuals, ranks, s,
        )
        .unwrap();
        solve_batched(kind, batch, n, k, a_in, b_in, x).unwrap();
    }
    for item in 0..batch {
        let (a, b) = (&a[item * n * n..][..n * n], &b[item * n * k..][..n * k]);
        assert_eq!(x[item * n * k..][..n * k], solve(a, b, n, k).unwrap());
        assert_eq!((signs[item], logarithms[item]), slogdet(a, n).unwrap());
        let (single, columns) = eig(a, n).unwrap();
        assert_eq!(values[item * n..][..n], single);
        assert_eq!(vectors[item * n * n..][..n * n], columns);
        let found = lstsq(a, b, [n, n, k], None).unwrap();
        assert_eq!(residuals[item * k..][..k], found.residuals);
        assert_eq!(
            (ranks[item], &s[item * n..][..n]),
            (4, found.singular_values.as_slice())
        );
    }
    let mut ones = [f64::NAN; 2];
    // SAFETY: nothing is read; one number is written for each of two empty matrices.
    unsafe {
        let null = std::ptr::null();
        assert_eq!(
            det_batched(kind, 2, 0, null, ones.as_mut_ptr().cast()),
            Ok(())
        );
        let unsupported = Failure::UnsupportedKind(Kind::Bool);
        assert_eq!(
            det_batched(Kind::Bool, 1, 1, null, std::ptr::null_mut()),
            Err(unsupported)
        );
    }
    assert_eq!(ones, [1.0, 1.0]);
}
