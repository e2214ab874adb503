//! Derivatives against each other and against differences, by the reference interpreter.
//!
//! A graph passes if
//! - `Re sum(conj(ct) J t) = Re sum(conj(J^H ct) t)` for random directions: reverse mode is the transposed of forward mode;
//! - `J t` is the central difference of the graph along `t`;
//! - both graphs verify, and give the results of the graph itself.

mod cost;
mod degenerate;
mod ops;
mod random_graphs;
mod table;

use num_complex::Complex64;

use super::{jvp, vjp};
use crate::{ArrayType, Class, DType, Graph, HostArray, Scalar};

/// Numbers without a pattern (xorshift), from a seed that is fixed.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..4 {
            random.next();
        }
        random
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// Between -1 and 1, away from zero.
    fn real(&mut self) -> f64 {
        let size = 0.1 + 0.9 * (self.next() % (1 << 30)) as f64 / f64::from(1 << 30);
        if self.next().is_multiple_of(2) {
            size
        } else {
            -size
        }
    }

    pub(super) fn array(&mut self, ty: &ArrayType) -> HostArray {
        let mut scalar = || match ty.dtype.class() {
            Class::Bool => Scalar::Bool(self.next().is_multiple_of(2)),
            Class::Integer => Scalar::Int((self.next() % 3) as i64),
            Class::Float => Scalar::Float(self.real()),
            Class::Complex => Scalar::Complex(Complex64::new(self.real(), self.real())),
        };
        let data: Vec<Scalar> = (0..ty.size()).map(|_| scalar()).collect();
        HostArray::from_scalars(ty, &data).unwrap()
    }
}

pub(super) fn numbers(array: &HostArray) -> Vec<Complex64> {
    let scalars = array.to_scalars();
    scalars.iter().map(|x| x.to_complex()).collect()
}

/// `Re sum(conj(x) y)`.
fn inner(x: &[HostArray], y: &[HostArray]) -> f64 {
    let sum = |(x, y): (&HostArray, &HostArray)| -> f64 {
        let pairs = numbers(x).into_iter().zip(numbers(y));
        pairs.map(|(x, y)| (x.conj() * y).re).sum()
    };
    x.iter().zip(y).map(sum).sum()
}

fn moved(x: &HostArray, t: &HostArray, by: f64) -> HostArray {
    let elements = numbers(x).into_iter().zip(numbers(t));
    let data: Vec<Scalar> = elements.map(|(x, t)| Scalar::Complex(x + t * by)).collect();
    HostArray::from_scalars(&x.ty(), &data).unwrap()
}

fn smooth<'a>(types: impl IntoIterator<Item = &'a ArrayType>) -> Vec<usize> {
    let types = types.into_iter().enumerate();
    let smooth = types.filter(|(_, ty)| ty.dtype.class() >= Class::Float);
    smooth.map(|(i, _)| i).collect()
}

pub(super) fn output_types(graph: &Graph) -> Vec<ArrayType> {
    let outputs = graph.outputs().iter();
    outputs.map(|&v| graph.ty(v).unwrap().clone()).collect()
}

/// How close derivatives are to be.
#[derive(Clone, Copy)]
pub(super) struct Tolerance {
    /// Of forward and reverse mode.
    pub(super) modes: f64,
    /// Of forward mode and differences; `None` if there are none.
    pub(super) differences: Option<f64>,
}

impl Tolerance {
    /// For the precision of a graph.
    pub(super) fn of(graph: &Graph) -> Self {
        let mut types = graph.nodes().iter().flat_map(|node| node.ty.arrays());
        if types.any(|ty| ty.dtype.real() == DType::Float32) {
            return Self {
                modes: 2e-4,
                differences: None,
            };
        }
        Self {
            modes: 1e-9,
            differences: Some(2e-6),
        }
    }
}

/// Checks the derivatives of a graph at a point.
///
/// # Errors
/// One is wrong; the message shows the graph.
pub(super) fn check(
    graph: &Graph,
    inputs: &[HostArray],
    tolerance: Tolerance,
    random: &mut Random,
) -> Result<(), String> {
    let fail = |why: String| Err(format!("{why}\n{graph}\nat {inputs:?}"));
    let types = output_types(graph);
    let (wrt, outputs) = (smooth(graph.input_types()), smooth(&types));
    let results = match graph.evaluate(inputs) {
        Ok(results) => results,
        Err(error) => return fail(error.to_string()),
    };
    let mut direction = |ty: &ArrayType| random.array(ty);
    let t: Vec<HostArray> = wrt
        .iter()
        .map(|&i| direction(&graph.input_types()[i]))
        .collect();
    let ct: Vec<HostArray> = outputs.iter().map(|&i| direction(&types[i])).collect();
    let run = |derivative: crate::Result<Graph>, directions: &[HostArray]| {
        let derivative = derivative.map_err(|e| e.to_string())?;
        derivative.verify().map_err(|e| e.to_string())?;
        let mut all = inputs.to_vec();
        all.extend_from_slice(directions);
        let given = derivative.evaluate(&all);
        let mut given = given.map_err(|e| format!("{e}\nof {derivative}"))?;
        let derivatives = given.split_off(results.len());
        Ok::<_, String>((given, derivatives))
    };
    let forward = match run(jvp(graph, &wrt, &outputs), &t) {
        Ok(forward) => forward,
        Err(why) => return fail(format!("forward: {why}")),
    };
    let reverse = match run(vjp(graph, &wrt, &outputs), &ct) {
        Ok(reverse) => reverse,
        Err(why) => return fail(format!("reverse: {why}")),
    };
    for (i, expected) in results.iter().enumerate() {
        let size = numbers(expected)
            .iter()
            .fold(1.0, |m: f64, z| m.max(z.norm()));
        for (name, given) in [("forward", &forward.0[i]), ("reverse", &reverse.0[i])] {
            let pairs = numbers(given).into_iter().zip(numbers(expected));
            let mut far = pairs.filter(|(a, b)| (a - b).norm() > tolerance.modes * size);
            if let Some((a, b)) = far.next() {
                return fail(format!("{name} mode gives {a} as result {i}, not {b}"));
            }
        }
    }
    for (&i, gradient) in wrt.iter().zip(&reverse.1) {
        if gradient.ty() != graph.input_types()[i] {
            return fail(format!("the gradient by argument {i} is {}", gradient.ty()));
        }
    }
    for (&i, tangent) in outputs.iter().zip(&forward.1) {
        if tangent.ty() != types[i] {
            return fail(format!("the tangent of result {i} is {}", tangent.ty()));
        }
    }
    let (along, back) = (inner(&ct, &forward.1), inner(&reverse.1, &t));
    let squares = |x: &[HostArray]| inner(x, x).sqrt();
    let size = squares(&ct) * squares(&forward.1) + squares(&t) * squares(&reverse.1);
    // A NaN is not within any tolerance.
    let agree = (along - back).abs() <= tolerance.modes * (1.0 + size);
    if !agree {
        return fail(format!("forward mode gives {along}, reverse mode {back}"));
    }
    let Some(bound) = tolerance.differences else {
        return Ok(());
    };
    let step = 1e-5;
    let at = |by: f64| {
        let mut point = inputs.to_vec();
        for (&i, t) in wrt.iter().zip(&t) {
            point[i] = moved(&inputs[i], t, by);
        }
        graph.evaluate(&point)
    };
    let (Ok(after), Ok(before)) = (at(step), at(-step)) else {
        return fail("the neighbourhood fails".into());
    };
    for (&i, tangent) in outputs.iter().zip(&forward.1) {
        let size = numbers(tangent)
            .iter()
            .fold(1.0, |m: f64, z| m.max(z.norm()));
        let differences = numbers(&after[i]).into_iter().zip(numbers(&before[i]));
        let differences = differences.map(|(a, b)| (a - b) / (2.0 * step));
        for (k, (t, d)) in numbers(tangent).into_iter().zip(differences).enumerate() {
            let agree = (t - d).norm() <= bound * size;
            if !agree {
                return fail(format!(
                    "the tangent {t} of result {i}[{k}] is {d} by differences"
                ));
            }
        }
    }
    Ok(())
}

/// Checks the derivatives of the gradients of a graph at a point: second derivatives.
///
/// # Errors
/// One is wrong; the message shows the graph of the gradients.
pub(super) fn check_again(
    graph: &Graph,
    inputs: &[HostArray],
    random: &mut Random,
) -> Result<(), String> {
    let types = output_types(graph);
    let (wrt, outputs) = (smooth(graph.input_types()), smooth(&types));
    let gradients = vjp(graph, &wrt, &outputs).map_err(|e| e.to_string())?;
    let mut all = inputs.to_vec();
    all.extend(outputs.iter().map(|&i| random.array(&types[i])));
    let tolerance = Tolerance {
        modes: 1e-7,
        differences: Some(1e-4),
    };
    check(&gradients, &all, tolerance, random)
}

/// Reads a graph of some inputs: lines of the text form, in which `%0`, `%1`, .. are the inputs.
pub(super) fn graph(types: &[&str], body: &str) -> Graph {
    let inputs = types.iter().enumerate();
    let inputs = inputs.map(|(i, ty)| format!("%{i} = input index={i} ty={ty}\n"));
    let text = format!("{}{body}", inputs.collect::<String>());
    text.parse().unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// An array of real or complex numbers.
pub(super) fn array(ty: &str, numbers: &[f64]) -> HostArray {
    let ty: ArrayType = ty.parse().unwrap();
    let data: Vec<Scalar> = numbers.iter().map(|&x| Scalar::Float(x)).collect();
    HostArray::from_scalars(&ty, &data).unwrap()
}

/// The gradient of a graph of one result by its first input, for cotangents that are all one.
pub(super) fn gradient(graph: &Graph, inputs: &[HostArray]) -> Vec<Complex64> {
    let derivative = vjp(graph, &[0], &[0]).unwrap();
    derivative.verify().unwrap();
    let ty = output_types(graph).remove(0);
    let ones = vec![Scalar::Float(1.0); ty.size()];
    let mut all = inputs.to_vec();
    all.push(HostArray::from_scalars(&ty, &ones).unwrap());
    let results = derivative
        .evaluate(&all)
        .unwrap_or_else(|e| panic!("{e}\n{derivative}"));
    numbers(&results[graph.outputs().len()])
}
