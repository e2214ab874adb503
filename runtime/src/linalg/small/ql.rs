//! The implicit QL iteration on real tridiagonal matrices, one in each lane.
//!
//! For the eigenvalue at each position in turn, all lanes make sweeps until in all of them the element beside it is negligible.
//! A lane sweeps from the first negligible element on, its end; until it is reached, and where a lane is done, nothing is written.

use super::number::Number;
use super::{ELEMENTS, NEGLIGIBLE, ORDER};
use crate::math::wide::Lanes;

/// More sweeps than an eigenvalue of any matrix needs; two or three are usual.
const SWEEPS: usize = 60;
/// The square of half of the distance from one to the next number.
const ROUNDING: f64 = (f64::EPSILON / 2.0) * (f64::EPSILON / 2.0);

/// Where in each lane the block that begins at `first` ends, from the squares of the elements beside the diagonal.
#[inline(always)]
fn ends<V: Lanes>(d: &[V; ORDER], squares: impl Squares<V>, first: usize, n: usize) -> V {
    let mut end = d[0].of((n - 1) as f64);
    for i in (first..n - 1).rev() {
        let bound = (d[i] * d[i + 1]).abs() * d[0].of(ROUNDING);
        let negligible = squares.at(i).le(bound.at_least(d[0].of(NEGLIGIBLE)));
        end = d[0].of(i as f64).where_or(negligible, end);
    }
    end
}

/// Squares that are stored, or of what is stored. (A closure would lack the instructions.)
trait Squares<V> {
    fn at(&self, i: usize) -> V;
}

struct Stored<'a, V>(&'a [V; ORDER]);
struct Roots<'a, V>(&'a [V; ORDER]);

impl<V: Lanes> Squares<V> for Stored<'_, V> {
    #[inline(always)]
    fn at(&self, i: usize) -> V {
        self.0[i]
    }
}

impl<V: Lanes> Squares<V> for Roots<'_, V> {
    #[inline(always)]
    fn at(&self, i: usize) -> V {
        self.0[i] * self.0[i]
    }
}

/// The shift of a sweep: the eigenvalue of two neighbours on the diagonal, and of the element beside them, that is nearer to the first.
#[inline(always)]
fn shift<V: Lanes>(first: V, second: V, beside: V) -> V {
    let ratio = (second - first) / (beside + beside);
    let shifted = ratio + ratio.mul_add(ratio, ratio.of(1.0)).sqrt().copysign(ratio);
    first - beside / shifted
}

/// Eigenvalues in the place of the diagonal, in no order, by the form without square roots of Pal, Walker and Kahan (`sterf` of
/// LAPACK). Returns whether all were found.
#[inline(always)]
pub(super) fn values<V: Lanes>(d: &mut [V; ORDER], e: &mut [V; ORDER], n: usize) -> bool {
    let lane = d[0];
    let (zero, one) = (lane.of(0.0), lane.of(1.0));
    for e in &mut e[..n - 1] {
        *e = *e * *e;
    }
    for first in 0..n - 1 {
        let position = lane.of(first as f64);
        let mut sweeps = 0;
        loop {
            let end = ends(d, Stored(e), first, n);
            let active = position.lt(end);
            if !lane.any(active) {
                break;
            }
            sweeps += 1;
            if sweeps > SWEEPS {
                return false;
            }
            let root = e[first].sqrt();
            let shift = shift(d[first], d[first + 1], root);
            let (mut c, mut s, mut gamma, mut p) = (one, zero, zero, zero);
            for i in (first..n - 1).rev() {
                let at = lane.of(i as f64);
                let inside = at.lt(end);
                if !lane.any(inside) {
                    continue;
                }
                let start = (at + one).eq(end);
                let here = d[i + 1] - shift;
                gamma = here.where_or(start, gamma);
                p = (here * here).where_or(start, p);
                c = one.where_or(start, c);
                s = zero.where_or(start, s);
                let square = e[i];
                let r = p + square;
                e[i + 1] = (s * r).where_or(inside, e[i + 1]);
                let before = c;
                c = p / r;
                s = square / r;
                let last = gamma;
                gamma = c * (d[i] - shift) - s * last;
                d[i + 1] = (last + (d[i] - gamma)).where_or(inside, d[i + 1]);
                p = (before * square).where_or(c.eq(zero), gamma * gamma / c);
            }
            e[first] = (s * p).where_or(active, e[first]);
            d[first] = (shift + gamma).where_or(active, d[first]);
        }
    }
    true
}

/// Eigenvalues in the place of the diagonal, in no order, with the rotations of the matrix applied to the columns of `z`
/// (`steqr` of LAPACK). Returns whether all were found.
#[inline(always)]
pub(super) fn with_vectors<V: Lanes, N: Number<V>>(
    d: &mut [V; ORDER],
    e: &mut [V; ORDER],
    z: &mut [N; ELEMENTS],
    n: usize,
) -> bool {
    let lane = d[0];
    let (zero, one) = (lane.of(0.0), lane.of(1.0));
    for first in 0..n - 1 {
        let position = lane.of(first as f64);
        let mut sweeps = 0;
        loop {
            let end = ends(d, Roots(e), first, n);
            let active = position.lt(end);
            if !lane.any(active) {
                break;
            }
            sweeps += 1;
            if sweeps > SWEEPS {
                return false;
            }
            let shift = shift(d[first], d[first + 1], e[first]);
            let (mut c, mut s, mut g, mut p) = (one, one, zero, zero);
            for i in (first..n - 1).rev() {
                let at = lane.of(i as f64);
                let inside = at.lt(end);
                if !lane.any(inside) {
                    continue;
                }
                let start = (at + one).eq(end);
                g = (d[i + 1] - shift).where_or(start, g);
                c = one.where_or(start, c);
                s = one.where_or(start, s);
                p = zero.where_or(start, p);
                let (f, b) = (s * e[i], c * e[i]);
                let square = f.mul_add(f, g * g);
                // Then the element is zero already, and any rotation will do.
                let vanished = square.lt(lane.of(NEGLIGIBLE));
                let r = zero.where_or(vanished, square.sqrt());
                let below = zero.where_or(start, r);
                e[i + 1] = below.where_or(inside, e[i + 1]);
                let identity = vanished | !inside;
                s = zero.where_or(identity, f / r);
                c = one.where_or(identity, g / r);
                g = d[i + 1] - p;
                let twice = c * b;
                let r = s.mul_add(d[i] - g, twice + twice);
                p = s * r;
                d[i + 1] = (g + p).where_or(inside, d[i + 1]);
                g = c * r - b;
                let (left, right) = z.split_at_mut((i + 1) * n);
                for (x, y) in left[i * n..].iter_mut().zip(&mut right[..n]) {
                    let (low, high) = (*x, *y);
                    *y = high.blend(c, low, s);
                    *x = low.blend(c, high, -s);
                }
            }
            d[first] = (d[first] - p).where_or(active, d[first]);
            e[first] = g.where_or(active, e[first]);
        }
    }
    true
}
