//! Square roots and logarithms of matrices.
//!
//! Both apply a function to eigenvalues. Where eigenvectors are dependent, as those of `[[1, 1], [0, 1]]`, that is not accurate,
//! which shows when the inverse function does not give the matrix back; there a Newton iteration takes its place. It runs
//! on the identity where it is not needed, so that it cannot fail there.

use super::{eig, expm, inv, slogdet, solve};
use crate::numpy::special::{beside, cast, constant};
use crate::numpy::{
    absolute, add, attempt, axis, divide, exp, expand_dims, eye, imag, less_equal, logical_and,
    matmul, max, multiply, real, replaceable, subtract, to_array, where_,
};
use crate::{Array, DType, Error, Operand, Result};
use autojit_ir::{ArrayType, MapOp, Op};

/// Iterations of Newton's method: it is quadratic, and scaled while it is not near.
const ITERATIONS: usize = 14;
/// The same for a matrix that is nearer to the identity.
const FEWER: usize = 8;
/// Square roots before the logarithm of what is left is integrated.
const ROOTS: i32 = 6;
/// Points of the integral.
const POINTS: usize = 12;

/// The principal square roots of `[.., n, n]`: the matrices `y` with `y y = x` whose eigenvalues have no negative real part.
///
/// Real matrices have real roots here, so that the dtype does not depend on values: NaN where there is no real one. Make the
/// matrix complex to get the others.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let x = Array::from([[1.0, 3.0], [1.0, 4.0]]);
/// let root = np::linalg::sqrtm(&x);
/// assert!(np::allclose(np::matmul(&root, &root), x, ..).item::<bool>()?);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// The matrices are not square; when it runs, an element is not finite, or a matrix is singular and has no root.
///
/// Source: `scipy.linalg.sqrtm`; the iteration is the product form of Denman's and Beavers's, Higham, "Functions of Matrices"
/// (2008), 6.3.
#[track_caller]
pub fn sqrtm<'a>(x: impl Into<Operand<'a>>) -> Array {
    let x = to_array(x.into());
    replaceable!("linalg.sqrtm", [&x]);
    let matrices = attempt!("sqrtm", Matrices::new(x));
    let Some(values) = matrices.of_eigenvalues(MapOp::Sqrt) else {
        return matrices.x;
    };
    let fits = matrices.gives_back(&matmul(&values, &values), matrices.precise());
    let iterated = root(&matrices.unless(&fits), matrices.n, ITERATIONS);
    let result = where_(&fits, values, iterated);
    let back = matmul(&result, &result);
    matrices.result(result, &back)
}

/// The principal logarithms of `[.., n, n]`: the matrices `y` with `expm(y) = x` whose eigenvalues have imaginary parts between
/// minus pi and pi.
///
/// Real matrices have real logarithms here, so that the dtype does not depend on values: NaN where there is no real one.
/// Make the matrix complex to get the others.
///
/// ```
/// use autojit::{Array, numpy as np};
///
/// let x = Array::from([[1.0, 3.0], [1.0, 4.0]]);
/// assert!(np::allclose(np::linalg::expm(np::linalg::logm(&x)), x, ..).item::<bool>()?);
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// The matrices are not square; when it runs, an element is not finite, or a matrix is singular.
///
/// Source: `scipy.linalg.logm`; the iteration is inverse scaling and squaring, Higham, "Functions of Matrices" (2008), 11.5, with
/// the logarithm near the identity by Gauss-Legendre quadrature.
#[track_caller]
pub fn logm<'a>(x: impl Into<Operand<'a>>) -> Array {
    let x = to_array(x.into());
    replaceable!("linalg.logm", [&x]);
    let matrices = attempt!("logm", Matrices::new(x));
    let Some(values) = matrices.of_eigenvalues(MapOp::Log) else {
        return matrices.x;
    };
    let fits = matrices.gives_back(&expm(&values), matrices.precise());
    let iterated = logarithm(&matrices.unless(&fits), matrices.n);
    let result = where_(&fits, values, iterated);
    let back = expm(&result);
    matrices.result(result, &back)
}

/// Square matrices, as they are and as complex ones.
struct Matrices {
    x: Array,
    complex: Array,
    n: usize,
    dtype: DType,
}

impl Matrices {
    #[track_caller]
    fn new(x: Array) -> Result<Self> {
        let ArrayType { dtype, shape } = x.ty()?;
        let n = match shape[..] {
            [.., m, n] if m == n => n,
            _ => {
                let ty = x.ty()?;
                return Err(Error::shape(format!("expected square matrices, got {ty}")));
            }
        };
        let dtype = dtype.floating();
        let x = cast(x.into(), dtype);
        let complex = cast((&x).into(), dtype.promote(DType::Complex64));
        Ok(Self {
            x,
            complex,
            n,
            dtype,
        })
    }

    /// A function of the eigenvalues with the eigenvectors; `None` if there are none.
    #[track_caller]
    fn of_eigenvalues(&self, function: MapOp) -> Option<Array> {
        if self.n == 0 {
            return None;
        }
        let (w, v) = eig(&self.x);
        let scaled = multiply(
            &v,
            expand_dims(Array::apply(Op::Map(function), &[w.into()]), -2),
        );
        Some(matmul(scaled, inv(v)))
    }

    /// How far a result may be off, relative to the largest element.
    fn precise(&self) -> f64 {
        self.dtype.epsilon() * 100.0 * self.n as f64
    }

    /// For each matrix, whether this is nearly the same one.
    #[track_caller]
    fn gives_back(&self, back: &Array, tolerance: f64) -> Array {
        let allowed = multiply(size(&self.complex), tolerance);
        less_equal(size(&subtract(back, &self.complex)), allowed)
    }

    /// The matrices, but the identity where a condition holds.
    #[track_caller]
    fn unless(&self, condition: &Array) -> Array {
        where_(condition, identity(&self.complex, self.n), &self.complex)
    }

    /// The result in the dtype that it is to have, NaN where it is none.
    #[track_caller]
    fn result(&self, result: Array, back: &Array) -> Array {
        let loose = self.precise().sqrt();
        let fits = self.gives_back(back, loose);
        if self.dtype.is_complex() {
            return where_(fits, result, f64::NAN);
        }
        let allowed = multiply(size(&result), loose);
        let is_real = less_equal(size(&imag(&result)), allowed);
        where_(logical_and(fits, is_real), real(result), f64::NAN)
    }
}

/// The largest element of each matrix.
#[track_caller]
fn size(x: &Array) -> Array {
    max(absolute(x), axis([-2, -1]).keepdims())
}

#[track_caller]
fn identity(beside_it: &Array, n: usize) -> Array {
    match beside_it.ty() {
        Ok(ty) => eye(n as i64, beside(beside_it).dtype(ty.dtype)),
        Err(error) => Array::failed(error),
    }
}

/// Square roots by a Newton iteration that is scaled by determinants at first.
#[track_caller]
fn root(x: &Array, n: usize, iterations: usize) -> Array {
    let one = identity(x, n);
    let (mut root, mut rest) = (x.clone(), x.clone());
    for iteration in 0..iterations {
        let inverse = inv(&rest);
        // Near the identity the scale is one, and its rounding does harm.
        let (rest_scaled, inverse, scale) = if iteration + FEWER < iterations {
            let (_, logarithm) = slogdet(&rest);
            let scale = exp(multiply(logarithm, -0.5 / n as f64));
            let scale = expand_dims(scale, [-2, -1]);
            let square = multiply(&scale, &scale);
            let inverse = divide(inverse, &square);
            (multiply(&rest, square), inverse, scale)
        } else {
            (rest, inverse, constant(1.0, DType::Float32, x))
        };
        let half = multiply(scale, 0.5);
        root = multiply(matmul(&root, add(&one, &inverse)), half);
        let mean = multiply(add(rest_scaled, inverse), 0.5);
        rest = multiply(add(&one, mean), 0.5);
    }
    root
}

/// Logarithms: of a root that is near the identity, where the integral of `e (1 + t e)^-1` over `t` from 0 to 1 has few points.
#[track_caller]
fn logarithm(x: &Array, n: usize) -> Array {
    let one = identity(x, n);
    let mut near = root(x, n, ITERATIONS);
    for _ in 1..ROOTS {
        near = root(&near, n, FEWER);
    }
    let rest = subtract(near, &one);
    let mut total: Option<Array> = None;
    for (point, weight) in gauss_legendre() {
        let term = solve(add(&one, multiply(&rest, point)), &rest);
        let term = multiply(term, weight);
        total = Some(match total {
            Some(total) => add(total, term),
            None => term,
        });
    }
    let lost = || Error::internal("an integral without points");
    let total = attempt!("logm", total.ok_or_else(lost));
    multiply(total, 2f64.powi(ROOTS))
}

/// Points and weights of Gauss-Legendre quadrature from 0 to 1, by Newton's method on the Legendre polynomial.
fn gauss_legendre() -> Vec<(f64, f64)> {
    let n = POINTS as f64;
    let point = |i: usize| {
        let mut x = (std::f64::consts::PI * (i as f64 + 0.75) / (n + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..10 {
            let (mut last, mut before) = (x, 1.0);
            for k in 2..=POINTS {
                let k = k as f64;
                let next = ((2.0 * k - 1.0) * x * last - (k - 1.0) * before) / k;
                before = std::mem::replace(&mut last, next);
            }
            slope = n * (x * last - before) / (x * x - 1.0);
            x -= last / slope;
        }
        let weight = 2.0 / ((1.0 - x * x) * slope * slope);
        (0.5 * (x + 1.0), 0.5 * weight)
    };
    (0..POINTS).map(point).collect()
}
