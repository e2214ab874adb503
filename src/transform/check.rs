//! `check_grads`: derivatives against differences.

use std::panic::Location;

use autojit_ir::error::{Error, Result};
use autojit_ir::transform::differentiate;
use autojit_ir::{ArrayType, Class, DType, HostArray, Scalar};
use num_complex::Complex64;

use super::flat::{Flat, place};
use super::reverse::smooth;
use super::trace::{apply, trace};
use crate::array::{Array, Repr};
use crate::tree::{Tree, array_paths};

/// Compares the derivatives of a function at a point with differences of its values: forward mode with central differences in a
/// direction, and reverse mode with forward mode.
///
/// The direction is random but always the same. Values are compared to about half of the digits of their dtype, so a function
/// must be smooth near the point; integers among the results are not looked at.
///
/// ```
/// use autojit::{Array, check_grads, numpy as np};
///
/// check_grads(|x: Array| np::sin(&x) * np::exp(&x), Array::from([0.3, 0.7]))?;
/// // Its gradient is zero, but it jumps.
/// assert!(check_grads(|x: Array| np::floor(&x), Array::from([1.0])).unwrap_err().is_failed_check());
/// # Ok::<(), autojit::Error>(())
/// ```
///
/// # Errors
/// They differ (`is_failed_check`); an array has no value; as [`vjp`](super::vjp) and [`jvp`](super::jvp).
///
/// Source: `jax.test_util.check_grads`.
#[track_caller]
pub fn check_grads<A: Tree, R: Tree, F: Fn(A) -> R>(f: F, args: A) -> Result<()> {
    let location = Location::caller();
    check(&f, &args, location).map_err(|e| e.at(location))
}

fn check<A: Tree, R: Tree>(
    f: &impl Fn(A) -> R,
    args: &A,
    location: &'static Location<'static>,
) -> Result<()> {
    let args = Flat::of(args)?;
    args.check_differentiable("check_grads")?;
    let function = trace(f, &args.structure, &args.types, location)?;
    let types = function.output_types()?;
    let outputs = smooth(&types);
    let wrt: Vec<usize> = (0..args.types.len()).collect();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let directions: Vec<Numbers> = args.types.iter().map(|ty| random.numbers(ty)).collect();
    let cotangents: Vec<Numbers> = outputs
        .iter()
        .map(|&output| random.numbers(&types[output]))
        .collect();

    let point = args
        .arrays
        .iter()
        .map(Numbers::of)
        .collect::<Result<Vec<_>>>()?;
    let arrays = |numbers: &[Numbers]| {
        numbers
            .iter()
            .map(Numbers::array)
            .collect::<Result<Vec<_>>>()
    };
    let run = |graph: &autojit_ir::Graph, given: Vec<Array>, more: Vec<Array>| {
        let inputs = [given, function.captured.clone(), more].concat();
        let results = apply(graph, &inputs, location)?;
        results.iter().map(Numbers::of).collect::<Result<Vec<_>>>()
    };

    let forward = differentiate::jvp(&function.graph, &wrt, &outputs)?;
    let found = run(&forward, arrays(&point)?, arrays(&directions)?)?;
    let tangents = &found[types.len()..];
    let is_single = |ty: &ArrayType| ty.dtype.real() == DType::Float32;
    let single = args.types.iter().chain(&types).any(is_single);
    let (step, tolerance) = if single { (4e-3, 2e-2) } else { (1e-5, 1e-6) };
    let moved = |sign: f64| {
        let pairs = point.iter().zip(&directions);
        let moved: Vec<Numbers> = pairs.map(|(x, v)| x.plus(v, sign * step)).collect();
        run(&function.graph, arrays(&moved)?, Vec::new())
    };
    let (above, below) = (moved(1.0)?, moved(-1.0)?);
    let paths = array_paths(function.output.tokens());
    for (tangent, &output) in tangents.iter().zip(&outputs) {
        let difference = above[output].plus(&below[output], -1.0);
        let expected: Vec<Complex64> = difference.values.iter().map(|x| x / (2.0 * step)).collect();
        let largest = expected.iter().map(|x| x.norm()).fold(1.0, f64::max);
        let pairs = tangent.values.iter().zip(&expected).enumerate();
        for (i, (got, expected)) in pairs {
            // A NaN is not within any tolerance.
            let agrees = (got - expected).norm() <= tolerance * largest;
            if !agrees {
                return Err(Error::failed_check(format!(
                    "the derivative of element {i} of {} is {}, differences give {}",
                    place("the result", &paths[output]),
                    shown(*got),
                    shown(*expected),
                )));
            }
        }
    }

    let reverse = differentiate::vjp(&function.graph, &wrt, &outputs)?;
    let found = run(&reverse, arrays(&point)?, arrays(&cotangents)?)?;
    let gradients = &found[types.len()..];
    let forwards: f64 = cotangents
        .iter()
        .zip(tangents)
        .map(|(u, t)| u.inner(t))
        .sum();
    let backwards: f64 = gradients
        .iter()
        .zip(&directions)
        .map(|(g, v)| g.inner(v))
        .sum();
    let size: f64 = cotangents
        .iter()
        .zip(tangents)
        .map(|(u, t)| u.size() * t.size())
        .sum();
    let agree = (forwards - backwards).abs() <= tolerance * size.max(1.0);
    if !agree {
        return Err(Error::failed_check(format!(
            "the derivative in a direction is {forwards} in forward mode and {backwards} in reverse mode"
        )));
    }
    Ok(())
}

fn shown(x: Complex64) -> String {
    if x.im == 0.0 {
        x.re.to_string()
    } else {
        x.to_string()
    }
}

/// An array in the widest precision.
#[derive(Clone)]
struct Numbers {
    ty: ArrayType,
    values: Vec<Complex64>,
}

impl Numbers {
    fn of(array: &Array) -> Result<Self> {
        let host = match &array.compute()?.0 {
            Repr::Concrete(array) => array.to_host()?,
            Repr::Failed(error) => return Err(error.clone()),
            Repr::Lazy(_) | Repr::Traced(_) => {
                return Err(Error::value(
                    "check_grads needs arrays with values, got a lazy one",
                ));
            }
        };
        Ok(Self {
            ty: host.ty(),
            values: host.to_scalars().iter().map(|x| x.to_complex()).collect(),
        })
    }

    fn array(&self) -> Result<Array> {
        let scalar = |x: &Complex64| match self.ty.dtype.class() {
            Class::Complex => Scalar::Complex(*x),
            _ => Scalar::Float(x.re),
        };
        let scalars: Vec<Scalar> = self
            .values
            .iter()
            .map(|x| scalar(x).cast(self.ty.dtype))
            .collect();
        let host = HostArray::from_scalars(&self.ty, &scalars);
        let host = host.ok_or_else(|| Error::internal("numbers of another shape"))?;
        Ok(Array::from_host(host))
    }

    fn plus(&self, other: &Self, factor: f64) -> Self {
        let pairs = self.values.iter().zip(&other.values);
        Self {
            ty: self.ty.clone(),
            values: pairs.map(|(x, y)| x + y * factor).collect(),
        }
    }

    /// `Re sum(conj(self) * other)`.
    fn inner(&self, other: &Self) -> f64 {
        let pairs = self.values.iter().zip(&other.values);
        pairs.map(|(x, y)| (x.conj() * y).re).sum()
    }

    fn size(&self) -> f64 {
        self.values
            .iter()
            .map(Complex64::norm_sqr)
            .sum::<f64>()
            .sqrt()
    }
}

/// Marsaglia's xorshift, from a fixed seed.
struct Random(u64);

impl Random {
    /// Uniform in -1..1.
    fn unit(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    fn numbers(&mut self, ty: &ArrayType) -> Numbers {
        let mut number = || {
            let re = self.unit();
            let im = if ty.dtype.is_complex() {
                self.unit()
            } else {
                0.0
            };
            Complex64::new(re, im)
        };
        Numbers {
            ty: ty.clone(),
            values: (0..ty.size()).map(|_| number()).collect(),
        }
    }
}
