//! Random draws, element by element, with a Philox of its own.

use super::{Tensor, flat_index, one};
use crate::draw::{Distribution, Draw, fixed_numbers};
use crate::error::Result;
use crate::scalar::Scalar;
use crate::types::{ArrayType, DType, Type};

/// Ten rounds of Philox 4x32 on 128 bits of counter.
fn philox(block: u64, number: u64, seed: u64) -> [u64; 4] {
    const LOW: u64 = 0xffff_ffff;
    let mut c = [block & LOW, block >> 32, number & LOW, number >> 32];
    let mut k = [seed & LOW, seed >> 32];
    for _ in 0..10 {
        let (a, b) = (c[0] * 0xd251_1f53, c[2] * 0xcd9e_8d57);
        c = [
            (b >> 32) ^ c[1] ^ k[0],
            b & LOW,
            (a >> 32) ^ c[3] ^ k[1],
            a & LOW,
        ];
        k = [(k[0] + 0x9e37_79b9) & LOW, (k[1] + 0xbb67_ae85) & LOW];
    }
    c
}

fn box_muller(a: f64, b: f64) -> [f64; 2] {
    let radius = (-2.0 * a.ln()).sqrt();
    let angle = std::f64::consts::TAU * b;
    [radius * angle.cos(), radius * angle.sin()]
}

pub(crate) fn random(
    draw: &Draw,
    distribution: &Distribution,
    ty: &ArrayType,
    _inputs: &[Tensor],
    _result: &Type,
) -> Result<Vec<Tensor>> {
    let (seed, number) = fixed_numbers(draw)?;
    let single = ty.dtype == DType::Float32;
    let fraction = |low: u64, high: u64| ((low | high << 32) >> 11) as f64 * 2f64.powi(-53);
    one(Tensor::build(ty, |index| {
        let i = flat_index(&ty.shape, index);
        let (per_block, bits) = match distribution {
            Distribution::Integers { .. } => (1, 0),
            _ if single => (4, 24),
            _ => (2, 53),
        };
        let w = philox((i / per_block) as u64, number, seed);
        let place = i % per_block;
        match distribution {
            Distribution::Integers { low, span } => {
                let (count, a, b) = (
                    u128::from(*span) + 1,
                    u128::from(w[0] | w[1] << 32),
                    u128::from(w[2] | w[3] << 32),
                );
                let high = (b * count + ((a * count) >> 64)) >> 64;
                Scalar::Int(low.wrapping_add(high as i64))
            }
            Distribution::Uniform if bits == 24 => {
                Scalar::Float((w[place] >> 8) as f64 * 2f64.powi(-24))
            }
            Distribution::Uniform => Scalar::Float(fraction(w[2 * place], w[2 * place + 1])),
            Distribution::Normal if bits == 24 => {
                let open = |word: u64| (word as f64 + 0.5) * 2f64.powi(-32);
                let pair = place / 2 * 2;
                Scalar::Float(box_muller(open(w[pair]), open(w[pair + 1]))[place % 2])
            }
            Distribution::Normal => {
                let (a, b) = (fraction(w[0], w[1]), fraction(w[2], w[3]));
                Scalar::Float(box_muller(1.0 - a, b)[place])
            }
        }
    }))
}
