//! Networks without open legs whose value is known: part of examples.
//!
//! Each tensor is the Kronecker product of one of a network with short bonds and one of another such network, so that the value is the
//! product of the values of both, which are contracted one tensor after the other. Nothing in the numbers shows it.

use autojit::contract::{Execute, Label, Network, Plan};
use autojit::{Array, Result};

/// A network, tensors, and their contraction.
pub(crate) struct Known {
    pub(crate) network: Network,
    pub(crate) tensors: Vec<Array>,
    /// What it contracts to.
    pub(crate) value: f64,
}

impl Known {
    /// Tensors with these labels, each with so many elements.
    pub(crate) fn new(operands: &[Vec<Label>], bond: u64) -> Result<Self> {
        let divisors = (1..=bond).filter(|d| bond.is_multiple_of(*d) && d * d <= bond);
        let first = divisors.max().unwrap_or(1);
        let (one, other) = (
            Factor::new(operands, first, 1)?,
            Factor::new(operands, bond / first, 2)?,
        );
        let network = network(operands, bond)?;
        let tensors = network.operands().iter().enumerate().map(|(i, labels)| {
            let (x, y) = (&one.tensors[i], &other.tensors[i]);
            let numbers: Vec<f64> = (0..bond.pow(labels.len() as u32))
                .map(|at| {
                    x.at(at, bond, other.bond, |index, n| index / n)
                        * y.at(at, bond, other.bond, |index, n| index % n)
                })
                .collect();
            Array::from(numbers).reshape(vec![bond as usize; labels.len()])
        });
        Ok(Self {
            tensors: tensors.collect(),
            value: one.value()? * other.value()?,
            network,
        })
    }
}

/// The numbers of a tensor whose axes all have one length.
struct Tensor {
    bond: u64,
    axes: u32,
    numbers: Vec<f64>,
}

impl Tensor {
    /// The element whose indices are parts of those of an element of the product.
    fn at(&self, mut at: u64, bond: u64, other: u64, part: impl Fn(u64, u64) -> u64) -> f64 {
        let (mut place, mut stride) = (0, 1);
        for _ in 0..self.axes {
            place += part(at % bond, other) * stride;
            stride *= self.bond;
            at /= bond;
        }
        self.numbers[place as usize]
    }
}

/// One of the two networks.
struct Factor {
    bond: u64,
    network: Network,
    tensors: Vec<Tensor>,
}

impl Factor {
    fn new(operands: &[Vec<Label>], bond: u64, seed: u64) -> Result<Self> {
        let network = network(operands, bond)?;
        let tensors = network.operands().iter().enumerate().map(|(i, labels)| {
            let axes = labels.len() as u32;
            let size = bond.pow(axes);
            // Positive, so that the sum does not cancel, and so small that it stays near one.
            let number = |j: u64| {
                let draw = ((i as u64 * 31 + j * 17 + seed) as f64 * 0.618033988749895).fract();
                (0.5 + draw) / (size as f64).sqrt()
            };
            let numbers = (0..size).map(number).collect();
            Tensor {
                bond,
                axes,
                numbers,
            }
        });
        Ok(Self {
            bond,
            tensors: tensors.collect(),
            network,
        })
    }

    /// One tensor after the other, in their order: of a lattice row by row.
    fn value(&self) -> Result<f64> {
        let count = self.tensors.len();
        // What is contracted so far is the last of the list; the next operand is the first.
        let path: Vec<Vec<usize>> = (0..count - 1)
            .map(|i| vec![0, if i == 0 { 1 } else { count - 1 - i }])
            .collect();
        let tensor = |t: &Tensor| {
            let shape = vec![t.bond as usize; t.axes as usize];
            Array::from(t.numbers.clone()).reshape(shape)
        };
        let tensors: Vec<Array> = self.tensors.iter().map(tensor).collect();
        Plan::from_path(&self.network, &path)?
            .contract(&tensors)?
            .item()
    }
}

fn network(operands: &[Vec<Label>], bond: u64) -> Result<Network> {
    let labels = operands.iter().flatten();
    let sizes: Vec<(Label, u64)> = labels.map(|&label| (label, bond)).collect();
    Ok(Network::new(operands.to_vec(), Vec::new(), sizes)?)
}
