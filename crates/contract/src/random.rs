//! Random choices that are equal on every machine: xorshift, whose stream its crate keeps stable.

use rand_core::{Rng, SeedableRng};
use rand_xorshift::XorShiftRng;

#[derive(Clone, Debug)]
pub(crate) struct Random(XorShiftRng);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(XorShiftRng::seed_from_u64(seed))
    }

    /// A number below `n`, which is at most 2^32; the bias of a multiplication instead of a division does not matter.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((u64::from(self.0.next_u32()) * n as u64) >> 32) as usize
    }

    pub(crate) fn bits(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// A number above zero and below one.
    pub(crate) fn unit(&mut self) -> f64 {
        ((self.0.next_u64() >> 12) as f64 + 0.5) / (1u64 << 52) as f64
    }

    /// A number of Gumbel's distribution: adding one to each of several scores and taking the largest draws one of
    /// them with Boltzmann's probabilities.
    pub(crate) fn gumbel(&mut self) -> f64 {
        -(-self.unit().ln()).ln()
    }
}
