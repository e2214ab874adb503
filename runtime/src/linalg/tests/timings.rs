//! How kernels by hand compare with faer: `cargo test --release -p autojit-runtime timings -- --ignored --nocapture`.

use super::super::{cholesky as llt, elimination::factorised, field::guarded, lu::Large};
use super::*;
use faer::Par;
use std::hint::black_box;
use std::time::Instant;

/// Nanoseconds per call, the best of some rounds.
fn time(mut f: impl FnMut()) -> f64 {
    let mut calls = 1;
    let mut best = f64::INFINITY;
    for _ in 0..15 {
        let start = Instant::now();
        for _ in 0..calls {
            f();
        }
        let elapsed = start.elapsed().as_nanos() as f64;
        best = best.min(elapsed / f64::from(calls));
        if elapsed < 2e6 {
            calls = (calls * 4).min(1 << 20);
        }
    }
    best
}

fn compare<T: Field>(name: &str) {
    println!(
        "{name}: ns by hand, ns by faer, ratio; factor + solve 1, factor + solve n, cholesky; whole det, inv, eigh, eig, svd, expm"
    );
    for n in [1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 24, 32, 48, 64, 96, 128] {
        let mut a = random::<T>(n * n, 3);
        let mut positive = multiply(&a, &adjoint(&a, n, n), n, n, n);
        for matrix in [&mut a, &mut positive] {
            matrix
                .iter_mut()
                .step_by(n + 1)
                .for_each(|x| *x += T::from_parts(3.0, 0.0));
        }
        let mut line = format!("{n:4}");
        for k in [1, n] {
            let b = random::<T>(n * k, 4);
            let mut x = b.clone();
            let hand = time(|| {
                x.copy_from_slice(&b);
                factorised(black_box(&a), n, |factors| factors.solve(&mut x, k));
            });
            let faer = time(|| {
                x.copy_from_slice(&b);
                guarded(|| {
                    Large::factorise(black_box(&a), n, n).solve(&mut x, k, Par::Seq);
                    Ok(())
                })
                .unwrap();
            });
            line += &format!(" | {hand:8.0} {faer:8.0} {:5.2}", faer / hand);
        }
        let mut l = vec![T::NULL; n * n];
        let hand = time(|| {
            if n <= 8 {
                llt::cholesky_into(black_box(&positive), n, &mut l).unwrap();
            } else {
                assert!(llt::by_hand(black_box(&positive), &mut l, n));
            }
        });
        let faer = time(|| {
            guarded(|| {
                assert!(llt::large(black_box(&positive), n, &mut l));
                Ok(())
            })
            .unwrap();
        });
        line += &format!(" | {hand:8.0} {faer:8.0} {:5.2}", faer / hand);
        for whole in [
            time(|| {
                let _ = black_box(det(black_box(&a), n));
            }),
            time(|| {
                let _ = black_box(inv(black_box(&a), n));
            }),
            time(|| {
                let _ = black_box(eigh(black_box(&a), n));
            }),
            time(|| {
                let _ = black_box(eig(black_box(&a), n));
            }),
            time(|| {
                let _ = black_box(svd(black_box(&a), n, n, false));
            }),
            time(|| {
                let _ = black_box(expm(black_box(&a), n));
            }),
        ] {
            line += &format!(" {whole:8.0}");
        }
        println!("{line}");
    }
}

#[test]
#[ignore = "a measurement"]
fn timings() {
    compare::<f64>("f64");
    compare::<Complex<f64>>("c128");
    compare::<f32>("f32");
}
