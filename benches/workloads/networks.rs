//! Tensor networks of `benches/data`, contracted pair by pair along the paths that come with them.

use std::path::Path;

use autojit::{Array, DType, numpy as np};
use num_complex::Complex64;
use serde::Deserialize;
use serde_json::json;

use super::results::{expect_close, values};
use super::{Case, Workload, normal, program, uniform};

macro_rules! network {
    ($name:literal, $about:literal, $file:literal, $tensors:literal) => {
        Workload {
            name: concat!("networks.", $name),
            about: $about,
            size: "tensors",
            sizes: &[$tensors],
            dtypes: &[DType::Float64, DType::Complex128],
            build: |n, dtype| build($file, n, dtype),
            size_of_nodes: None,
        }
    };
}

pub(super) const WORKLOADS: &[Workload] = &[
    network!(
        "sentence_3_12d",
        "likelihood of a sentence by a tensor network, a batch of 1100 (38 tensors)",
        "lm_batch_likelihood_sentence_3_12d",
        38
    ),
    network!(
        "brackets",
        "likelihood of brackets by a tensor network, a batch of 1996 (84 tensors)",
        "lm_batch_likelihood_brackets_4_4d",
        84
    ),
    network!(
        "mps_200",
        "inner product of two matrix product states of 100 sites",
        "str_mps_varying_inner_product_200",
        200
    ),
    network!(
        "chain_100",
        "a chain of 100 matrices of many sizes",
        "str_matrix_chain_multiplication_100",
        100
    ),
    network!(
        "chain_64",
        "three matrices of 64 x 64, in an order that is not the best",
        "nary_matmul_chain_64",
        3
    ),
    network!(
        "mera_open_26",
        "a MERA with nine open legs: 43 million results (26 tensors)",
        "str_nw_mera_open_26",
        26
    ),
];

/// The part of a file that is used.
#[derive(Deserialize)]
pub(crate) struct Instance {
    format_string: String,
    format_string_rowmajor: Option<String>,
    pub(crate) shapes: Vec<Vec<usize>>,
    paths: Paths,
}

impl Instance {
    /// Reads a file of `benches/data`.
    pub(crate) fn read(file: &str) -> Result<Self, String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
        let path = folder.join(file).with_extension("json");
        let explain = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
        let text = std::fs::read_to_string(&path).map_err(|e| explain(&e))?;
        serde_json::from_str(&text).map_err(|e| explain(&e))
    }

    /// The labels of the operands and of the result.
    pub(crate) fn format(&self) -> &str {
        let rowmajor = self.format_string_rowmajor.as_ref();
        rowmajor.unwrap_or(&self.format_string)
    }

    /// The path of the fewest operations that comes with it.
    pub(crate) fn path(&self) -> &[[usize; 2]] {
        &self.paths.opt_flops.path
    }
}

#[derive(Deserialize)]
struct Paths {
    opt_flops: Order,
    opt_size: Order,
}

#[derive(Deserialize)]
struct Order {
    path: Vec<[usize; 2]>,
}

/// A contraction of two: their positions among those that are left, and the einsum that does it.
pub(crate) type Step = (usize, usize, String);

/// The einsums of a path, with letters of their own, as a network has more labels than there are letters.
pub(crate) fn steps(format: &str, path: &[[usize; 2]]) -> Result<Vec<Step>, String> {
    let (inputs, output) = format
        .split_once("->")
        .ok_or_else(|| format!("expected an einsum with `->`, got {format}"))?;
    let mut terms: Vec<Vec<char>> = inputs.split(',').map(|t| t.chars().collect()).collect();
    let output: Vec<char> = output.chars().collect();
    let mut steps = Vec::new();
    for &[i, j] in path {
        let (i, j) = (i.min(j), i.max(j));
        if i == j || j >= terms.len() {
            return Err(format!("no two operands at {i} and {j}"));
        }
        let right = terms.remove(j);
        let left = terms.remove(i);
        let is_needed =
            |label: &char| output.contains(label) || terms.iter().any(|t| t.contains(label));
        let mut result: Vec<char> = Vec::new();
        if terms.is_empty() {
            result.clone_from(&output);
        } else {
            for label in left.iter().chain(&right).filter(|l| is_needed(l)) {
                if !result.contains(label) {
                    result.push(*label);
                }
            }
        }
        steps.push((i, j, renamed(&left, &right, &result)?));
        terms.push(result);
    }
    match terms.len() {
        1 => Ok(steps),
        left => Err(format!("{left} operands are left")),
    }
}

fn renamed(left: &[char], right: &[char], result: &[char]) -> Result<String, String> {
    let mut labels: Vec<char> = Vec::new();
    let mut rename = |term: &[char]| -> Result<String, String> {
        let letter = |label: &char| {
            let at = labels.iter().position(|l| l == label).unwrap_or_else(|| {
                labels.push(*label);
                labels.len() - 1
            });
            let letters = ('a'..='z').chain('A'..='Z');
            letters
                .clone()
                .nth(at)
                .ok_or_else(|| "more than 52 labels in one step".to_owned())
        };
        term.iter().map(letter).collect()
    };
    let (left, right) = (rename(left)?, rename(right)?);
    Ok(format!("{left},{right}->{}", rename(result)?))
}

pub(crate) fn contract(tensors: Vec<Array>, steps: &[Step]) -> Array {
    let mut tensors = tensors;
    for (i, j, subscripts) in steps {
        let right = tensors.remove(*j);
        let left = tensors.remove(*i);
        tensors.push(np::einsum(subscripts, [left, right]));
    }
    tensors.swap_remove(0)
}

/// Labels that are in more than two terms or in the result keep sizes; all others are summed over, so entries of about
/// `1 / sqrt(size)` keep the numbers near one however many tensors there are.
pub(crate) fn tensor(seed: u64, shape: &[usize], dtype: DType) -> Array {
    let size: usize = shape.iter().product();
    let scale = 1.0 / (size as f64).sqrt();
    if dtype.is_complex() {
        return (normal(seed, shape, dtype) * Complex64::from(scale)).astype(dtype);
    }
    uniform(seed, 0.5 * scale, 1.5 * scale, shape, dtype)
}

fn build(file: &str, n: usize, dtype: DType) -> Result<Case, String> {
    let instance = Instance::read(file)?;
    if n != instance.shapes.len() {
        let tensors = instance.shapes.len();
        return Err(format!("this network has {tensors} tensors, not {n}"));
    }
    let format = instance.format();
    let order = steps(format, instance.path())?;
    let other = steps(format, &instance.paths.opt_size.path)?;
    let shapes = instance.shapes.iter().enumerate();
    let tensors: Vec<Array> = shapes
        .map(|(i, shape)| tensor(i as u64, shape, dtype))
        .collect();
    let parameters = json!({ "steps": order });
    let again = tensors.clone();
    let check = move |results: &[Array]| {
        let expected = contract(again.clone(), &other);
        expect_close(results, std::slice::from_ref(&expected), 1e-9)?;
        // Nothing is shown by the agreement of zeros.
        let largest = np::max(np::absolute(&expected), ..);
        match values(&largest)?.first() {
            Some(x) if x.re > 1e-200 => Ok(()),
            _ => Err("the results are all zero".to_owned()),
        }
    };
    let run = move |tensors| contract(tensors, &order);
    Ok(Case::new(program(tensors, run), check).parameters(parameters))
}
