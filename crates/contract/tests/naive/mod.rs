//! Arrays of small whole numbers, and einsum as a sum over all indices of all labels.

use std::collections::BTreeMap;

use autojit_contract::{Label, Plan};

/// An array in row-major order. Its numbers are whole, so sums are exact in any order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Array {
    shape: Vec<u64>,
    data: Vec<f64>,
}

/// A linear congruential generator, which is enough to choose cases.
pub(crate) struct Draws(pub(crate) u64);

impl Draws {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n
    }
}

impl Array {
    fn zeros(shape: Vec<u64>) -> Self {
        let count = shape.iter().product::<u64>() as usize;
        Self {
            shape,
            data: vec![0.0; count],
        }
    }

    pub(crate) fn random(shape: Vec<u64>, draws: &mut Draws) -> Self {
        let mut array = Self::zeros(shape);
        array.data.fill_with(|| draws.below(5) as f64 - 2.0);
        array
    }

    fn at(&self, index: impl Iterator<Item = u64>) -> usize {
        let axes = self.shape.iter().zip(index);
        axes.fold(0, |at, (&size, i)| at * size + i) as usize
    }
}

/// Calls `f` with each index of these labels.
fn each_index(labels: &[(Label, u64)], mut f: impl FnMut(&BTreeMap<Label, u64>)) {
    let total: u64 = labels.iter().map(|(_, size)| size).product();
    for number in 0..total {
        let mut rest = number;
        let mut index = BTreeMap::new();
        for &(label, size) in labels.iter().rev() {
            index.insert(label, rest % size);
            rest /= size;
        }
        f(&index);
    }
}

pub(crate) fn einsum(
    inputs: &[(&Array, &[Label])],
    output: &[Label],
    size: &dyn Fn(Label) -> u64,
) -> Array {
    let all = inputs.iter().flat_map(|(_, labels)| labels.iter());
    let all: BTreeMap<Label, u64> = all.chain(output).map(|&l| (l, size(l))).collect();
    let all: Vec<(Label, u64)> = all.into_iter().collect();
    let mut result = Array::zeros(output.iter().map(|&l| size(l)).collect());
    each_index(&all, |index| {
        let of = |labels: &[Label]| labels.iter().map(|l| index[l]).collect::<Vec<u64>>();
        let product = inputs
            .iter()
            .map(|(array, labels)| array.data[array.at(of(labels).into_iter())]);
        let product: f64 = product.product();
        let at = result.at(of(output).into_iter());
        result.data[at] += product;
    });
    result
}

/// The part of an array at some indices of its labels, and the labels that are left.
fn part(array: &Array, labels: &[Label], fixed: &BTreeMap<Label, u64>) -> Array {
    let free: Vec<usize> = (0..labels.len())
        .filter(|&i| !fixed.contains_key(&labels[i]))
        .collect();
    let mut result = Array::zeros(free.iter().map(|&i| array.shape[i]).collect());
    let axes: Vec<(Label, u64)> = free.iter().map(|&i| (i as Label, array.shape[i])).collect();
    each_index(&axes, |index| {
        let full = labels.iter().enumerate();
        let full = full.map(|(i, l)| {
            fixed
                .get(l)
                .copied()
                .unwrap_or_else(|| index[&(i as Label)])
        });
        let value = array.data[array.at(full)];
        let at = result.at(free.iter().map(|&i| index[&(i as Label)]));
        result.data[at] = value;
    });
    result
}

/// All slices of a plan, step by step.
pub(crate) fn run(plan: &Plan, operands: &[Array]) -> Array {
    let network = plan.network();
    let size = |label: Label| network.size(label).unwrap();
    let output = network.output();
    let mut result = Array::zeros(output.iter().map(|&l| size(l)).collect());
    for slice in 0..plan.slices().unwrap() {
        let indices = plan.indices(slice);
        let fixed: BTreeMap<Label, u64> = plan.sliced().iter().copied().zip(indices).collect();
        let mut arrays: Vec<Array> = operands
            .iter()
            .zip(network.operands())
            .map(|(array, labels)| part(array, labels, &fixed))
            .collect();
        for step in plan.steps() {
            let inputs: Vec<(&Array, &[Label])> = step
                .inputs
                .iter()
                .zip(&step.labels)
                .map(|(&input, labels)| (&arrays[input], labels.as_slice()))
                .collect();
            arrays.push(einsum(&inputs, &step.result, &size));
        }
        let Some(last) = arrays.last() else {
            result.data[0] += 1.0;
            continue;
        };
        let free: Vec<(Label, u64)> = output
            .iter()
            .filter(|label| !fixed.contains_key(label))
            .map(|&label| (label, size(label)))
            .collect();
        each_index(&free, |index| {
            let at = last.at(free.iter().map(|(label, _)| index[label]));
            let place = output
                .iter()
                .map(|l| fixed.get(l).copied().unwrap_or_else(|| index[l]));
            let place = result.at(place);
            result.data[place] += last.data[at];
        });
    }
    result
}
