//! The workloads of the benchmark harness: plain functions over arrays, with sizes and dtypes as parameters.
//!
//! A [`Workload`] builds a [`Case`] for a size and a dtype: the function with its arguments, a check of its results
//! that does not come from the function itself, and the same work by hand where that is a sensible yardstick. How
//! a case is measured is the harness's business; nothing here takes the time.
//!
//! `benches/peers/workloads.py` has the same functions in Python: one changes with the other.

pub(crate) mod blasfeo;
mod circuit;
mod dopri;
mod elementwise;
mod functions;
mod gradients;
mod gram_schmidt;
mod graphs;
mod heat;
mod kalman;
mod kinematics;
mod linear_algebra;
mod loops;
mod matrix_product;
mod nbody;
pub(crate) mod networks;
pub(crate) mod openblas;
mod plans;
mod products;
pub(crate) mod program;
mod quasiseparable;
pub(crate) mod results;
mod sleef;
mod tiny;
mod transformer;
mod updates;
pub(crate) mod xsmm;

use autojit::{Array, DType};
use serde_json::Value;

use program::{Baseline, Program, baseline, program};
use results::tolerance;

/// A function of arrays that is measured at several sizes.
pub(crate) struct Workload {
    /// The name; `networks.mps` is one of the group `networks`.
    pub(crate) name: &'static str,
    /// A line about it.
    pub(crate) about: &'static str,
    /// The unit of the size `n`.
    pub(crate) size: &'static str,
    /// Sizes that are run unless others are named.
    pub(crate) sizes: &'static [usize],
    /// Dtypes that it can be run with; the first is run unless others are named.
    pub(crate) dtypes: &'static [DType],
    /// Makes the case.
    pub(crate) build: fn(usize, DType) -> Result<Case, String>,
    /// The size with about so many nodes, for workloads that a compile law is measured on.
    pub(crate) size_of_nodes: Option<fn(usize) -> usize>,
}

/// A workload of one size and dtype.
pub(crate) struct Case {
    /// The function with its arguments.
    pub(crate) program: Box<dyn Program>,
    /// Whether results are right, by other means than the function.
    pub(crate) check: Check,
    /// The same work by hand.
    pub(crate) baselines: Vec<Box<dyn Baseline>>,
    /// A divisor of times, and its unit: `1000` `"option"`.
    pub(crate) unit: Option<(usize, &'static str)>,
    /// Data for peers beside the arguments, such as positions of gates.
    pub(crate) parameters: Value,
    /// The costs of the plan of a contraction.
    pub(crate) plan: Option<PlanCost>,
}

/// The costs of the plan of a contraction: binary logarithms, but for the number of slices.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlanCost {
    /// Operations of all slices.
    pub(crate) operations: f64,
    /// Operations of the plan that it is measured against: along the path that comes with the network, or, in slices, cotengra's.
    pub(crate) reference: f64,
    /// Elements of the largest array that a contraction gives.
    pub(crate) largest: f64,
    /// Slices.
    pub(crate) slices: f64,
}

/// Looks at the results; the message says what is wrong with them.
pub(crate) type Check = Box<dyn Fn(&[Array]) -> Result<(), String>>;

impl Case {
    /// A case without baselines.
    pub(crate) fn new(
        program: Box<dyn Program>,
        check: impl Fn(&[Array]) -> Result<(), String> + 'static,
    ) -> Self {
        Self {
            program,
            check: Box::new(check),
            baselines: Vec::new(),
            unit: None,
            parameters: Value::Null,
            plan: None,
        }
    }

    fn baseline(mut self, baseline: Box<dyn Baseline>) -> Self {
        self.baselines.push(baseline);
        self
    }

    fn per(mut self, count: usize, unit: &'static str) -> Self {
        self.unit = Some((count, unit));
        self
    }

    fn plan(mut self, plan: PlanCost) -> Self {
        self.plan = Some(plan);
        self
    }

    fn parameters(mut self, parameters: Value) -> Self {
        self.parameters = parameters;
        self
    }
}

/// All workloads.
pub(crate) fn all() -> Vec<&'static Workload> {
    [
        gram_schmidt::WORKLOADS,
        graphs::WORKLOADS,
        elementwise::WORKLOADS,
        functions::WORKLOADS,
        transformer::WORKLOADS,
        circuit::WORKLOADS,
        kalman::WORKLOADS,
        nbody::WORKLOADS,
        heat::WORKLOADS,
        networks::WORKLOADS,
        linear_algebra::WORKLOADS,
        products::WORKLOADS,
        gradients::WORKLOADS,
        updates::WORKLOADS,
        loops::WORKLOADS,
        dopri::WORKLOADS,
        kinematics::WORKLOADS,
        quasiseparable::WORKLOADS,
        matrix_product::WORKLOADS,
        tiny::WORKLOADS,
        plans::WORKLOADS,
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The workloads of a name or of a group; empty if there are none.
pub(crate) fn find(name: &str) -> Vec<&'static Workload> {
    let is_it = |w: &&Workload| {
        w.name == name
            || w.name
                .split_once('.')
                .is_some_and(|(group, _)| group == name)
    };
    all().into_iter().filter(is_it).collect()
}

/// A product of n x n matrices in C order: `out = a b`.
type Multiply = Box<dyn Fn(usize, &[f64], &[f64], &mut [f64])>;

const REAL: &[DType] = &[DType::Float64, DType::Float32];
const DOUBLE: &[DType] = &[DType::Float64];

/// Numbers that a size and a seed determine: standard normal ones.
fn normal(seed: u64, shape: &[usize], dtype: DType) -> Array {
    use autojit::numpy::random;
    let shape: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
    let draw = |seed| random::default_rng(seed).standard_normal(random::size(shape.clone()));
    let x = if dtype.is_complex() {
        draw(seed) + draw(seed + 1) * num_complex::Complex64::i()
    } else {
        draw(seed)
    };
    x.astype(dtype)
}

/// Numbers between two bounds, otherwise like [`normal`].
fn uniform(seed: u64, low: f64, high: f64, shape: &[usize], dtype: DType) -> Array {
    use autojit::numpy::random;
    let shape: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
    let x = random::default_rng(seed).random(random::size(shape));
    (x * (high - low) + low).astype(dtype)
}

/// The same choices in Rust and in Python: Knuth's linear congruential generator (MMIX), its upper bits.
struct Choices(u64);

impl Choices {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % n as u64) as usize
    }
}
