//! Tensor networks along plans of our own: those of `benches/data`, with and without slices, and one that grows.
//!
//! A plan is searched for once, when the case is built; that of `plan_ladder` each time that its function is traced, as that is what is
//! measured there.

use autojit::contract::{Execute, Network, Options, Plan, plan};
use autojit::{Array, DType, Result};

use super::networks::{Instance, contract, steps, tensor};
use super::results::{expect_close, reals};
use super::{Case, DOUBLE, PlanCost, Workload, program, tolerance, uniform};

/// A limit of memory.
#[derive(Clone, Copy)]
struct Limit {
    /// Elements of the largest array.
    largest: f64,
    /// The binary logarithm of the operations of the best plan that cotengra 0.8.3 found with this limit, by
    /// `benches/peers/contraction.py --seconds 30 --only brackets --largest 32768`, 2026-11-30.
    reference: f64,
}

macro_rules! planned {
    ($name:literal, $about:literal, $file:literal, $tensors:literal, $limit:expr) => {
        Workload {
            name: concat!("plans.", $name),
            about: $about,
            size: "tensors",
            sizes: &[$tensors],
            dtypes: &[DType::Float64, DType::Complex128],
            build: |n, dtype| build($file, n, dtype, $limit),
            size_of_nodes: None,
        }
    };
}

pub(super) const WORKLOADS: &[Workload] = &[
    planned!(
        "sentence_3_12d",
        "networks.sentence_3_12d along a plan of autojit-contract",
        "lm_batch_likelihood_sentence_3_12d",
        38,
        None
    ),
    planned!(
        "brackets",
        "networks.brackets along a plan of autojit-contract",
        "lm_batch_likelihood_brackets_4_4d",
        84,
        None
    ),
    planned!(
        "mps_200",
        "networks.mps_200 along a plan of autojit-contract",
        "str_mps_varying_inner_product_200",
        200,
        None
    ),
    planned!(
        "chain_100",
        "networks.chain_100 along a plan of autojit-contract",
        "str_matrix_chain_multiplication_100",
        100,
        None
    ),
    planned!(
        "sliced_brackets",
        "networks.brackets in slices without an array of more than 2^15 elements",
        "lm_batch_likelihood_brackets_4_4d",
        84,
        Some(Limit {
            largest: 32768.0,
            reference: 27.295,
        })
    ),
    Workload {
        name: "plan_ladder",
        about: "plan and contraction of the inner product of two matrix product states of n sites with bonds of 4",
        size: "sites",
        sizes: &[100],
        dtypes: DOUBLE,
        build: ladder,
        // Two tensors for each site, and each contraction is one node.
        size_of_nodes: Some(|nodes| nodes / 4),
    },
];

fn build(
    file: &str,
    n: usize,
    dtype: DType,
    limit: Option<Limit>,
) -> std::result::Result<Case, String> {
    let instance = Instance::read(file)?;
    if n != instance.shapes.len() {
        let tensors = instance.shapes.len();
        return Err(format!("this network has {tensors} tensors, not {n}"));
    }
    let shapes: Vec<Vec<u64>> = instance
        .shapes
        .iter()
        .map(|shape| shape.iter().map(|&n| n as u64).collect())
        .collect();
    let network = Network::parse(instance.format(), &shapes).map_err(|e| e.to_string())?;
    let options = Options {
        largest: limit.map(|limit| limit.largest),
        ..Options::default()
    };
    let found = plan(&network, &options).map_err(|e| e.to_string())?;
    let path: Vec<Vec<usize>> = instance.path().iter().map(|pair| pair.to_vec()).collect();
    let given = Plan::from_path(&network, &path).map_err(|e| e.to_string())?;
    let reference = limit.map_or_else(|| given.cost().log2_operations(), |limit| limit.reference);
    let cost = PlanCost {
        operations: found.cost().log2_operations(),
        reference,
        largest: found.cost().log2_largest(),
        slices: found.cost().slices(),
    };
    let shapes = instance.shapes.iter().enumerate();
    let tensors: Vec<Array> = shapes
        .map(|(i, shape)| tensor(i as u64, shape, dtype))
        .collect();
    let (order, again) = (steps(instance.format(), instance.path())?, tensors.clone());
    let check = move |results: &[Array]| {
        // In the order that comes with the network.
        expect_close(
            results,
            &[contract(again.clone(), &order)],
            tolerance(dtype),
        )
    };
    let run = move |tensors: Vec<Array>| found.contract(&tensors);
    Ok(Case::new(program(tensors, run), check).plan(cost))
}

const BOND: usize = 4;

/// The tensors of one state after those of the other one: `[2, bond]` at the ends and `[bond, 2, bond]` between.
fn ladder(n: usize, dtype: DType) -> std::result::Result<Case, String> {
    let shape = |site: usize| -> Vec<usize> {
        let left = (site > 0).then_some(BOND);
        let right = (site + 1 < n).then_some(BOND);
        left.into_iter().chain([2]).chain(right).collect()
    };
    // A sum of a product of two has 2 x bond^2 terms, so that with these entries no product of many leaves the range of numbers.
    let mean = ((2 * BOND * BOND) as f64).sqrt().recip();
    let state = |seed: u64| -> Vec<Array> {
        let sites = (0..n).map(|site| (seed + site as u64, shape(site)));
        sites
            .map(|(seed, shape)| uniform(seed, 0.95 * mean, 1.05 * mean, &shape, dtype))
            .collect()
    };
    let (x, y) = (state(1), state(1_000_000_000));
    let numbers = |state: &[Array]| -> Vec<Vec<f64>> { state.iter().map(reals).collect() };
    let (left, right) = (numbers(&x), numbers(&y));
    let check = move |results: &[Array]| {
        let expected = inner(&left, &right);
        expect_close(results, &[Array::from(expected)], tolerance(dtype))
    };
    // Bonds of one state, bonds of the other, and qubits have the labels 3 i, 3 i + 1 and 3 i + 2.
    let labels = |which: u32| {
        let last = n as u32;
        let of = move |site: u32| {
            let left = (site > 0).then(|| 3 * (site - 1) + which);
            let right = (site + 1 < last).then_some(3 * site + which);
            left.into_iter()
                .chain([3 * site + 2])
                .chain(right)
                .collect()
        };
        (0..last).map(of)
    };
    let operands: Vec<Vec<u32>> = labels(0).chain(labels(1)).collect();
    let sizes = (0..n as u32).flat_map(|site| {
        let bond = BOND as u64;
        [(3 * site, bond), (3 * site + 1, bond), (3 * site + 2, 2)]
    });
    let sizes: Vec<(u32, u64)> = sizes.collect();
    let run = move |tensors: Vec<Array>| -> Result<Array> {
        let network = Network::new(operands.clone(), Vec::new(), sizes.clone())?;
        let greedy = Options {
            steps: 1,
            ..Options::default()
        };
        plan(&network, &greedy)?.contract(&tensors)
    };
    let tensors: Vec<Array> = x.into_iter().chain(y).collect();
    Ok(Case::new(program(tensors, run), check))
}

/// The inner product from one end to the other.
fn inner(x: &[Vec<f64>], y: &[Vec<f64>]) -> f64 {
    let (mut left, mut width) = (vec![1.0], 1);
    for (x, y) in x.iter().zip(y) {
        let right = x.len() / (2 * width);
        let mut next = vec![0.0; right * right];
        for i in 0..width {
            for j in 0..width {
                for s in 0..2 {
                    for k in 0..right {
                        let a = left[i * width + j] * x[(i * 2 + s) * right + k];
                        for l in 0..right {
                            next[k * right + l] += a * y[(j * 2 + s) * right + l];
                        }
                    }
                }
            }
        }
        (left, width) = (next, right);
    }
    left[0]
}
