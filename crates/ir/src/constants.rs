//! `Constants`: the array constants of a graph.
//!
//! Invariant: among those that were [added](Constants::add) no two have the same bits. A constant is hashed by its
//! content once: the hash goes along when a pass carries the constant over into a new graph.

use std::hash::{Hash, Hasher};
use std::sync::OnceLock;

use rustc_hash::{FxHashMap, FxHasher};
use smallvec::SmallVec;

use super::host::HostArray;
use crate::{Element, dispatch_host};

/// The array constants of a graph, by their numbers.
#[derive(Clone, Default)]
pub struct Constants {
    arrays: Vec<HostArray>,
    hashes: Vec<OnceLock<u64>>,
    /// The numbers of constants that were added, by a hash of their types and bits.
    by_hash: FxHashMap<u64, SmallVec<[u32; 1]>>,
}

/// A hash of dtype, shape and elements, whatever the layout in memory.
fn hash_of(array: &HostArray) -> u64 {
    let mut hasher = FxHasher::default();
    array.ty().hash(&mut hasher);
    dispatch_host!(array, elements => {
        for element in elements.iter() {
            element.widen().hash(&mut hasher);
        }
    });
    hasher.finish()
}

impl Constants {
    /// The arrays.
    #[must_use]
    pub fn arrays(&self) -> &[HostArray] {
        &self.arrays
    }

    /// Appends an array whether an equal one is there or not, without looking at its elements.
    pub(super) fn record(&mut self, array: HostArray) -> usize {
        self.push(array, OnceLock::new())
    }

    /// The number of an array with these bits, which is appended if there is none.
    pub(super) fn add(&mut self, array: HostArray) -> usize {
        let hash = hash_of(&array);
        self.add_hashed(array, hash)
    }

    /// The same for a constant of another graph.
    pub(super) fn adopt(&mut self, others: &Self, index: usize) -> usize {
        let array = &others.arrays[index];
        let hash = *others.hashes[index].get_or_init(|| hash_of(array));
        self.add_hashed(array.clone(), hash)
    }

    fn add_hashed(&mut self, array: HostArray, hash: u64) -> usize {
        let candidates = self.by_hash.entry(hash).or_default();
        let mut known = candidates.iter().map(|&index| index as usize);
        if let Some(index) = known.find(|&index| self.arrays[index].same_bits(&array)) {
            return index;
        }
        candidates.push(self.arrays.len() as u32);
        self.push(array, OnceLock::from(hash))
    }

    fn push(&mut self, array: HostArray, hash: OnceLock<u64>) -> usize {
        self.arrays.push(array);
        self.hashes.push(hash);
        self.arrays.len() - 1
    }

    /// The constants of these numbers, in this order.
    pub(super) fn select(&self, indices: &[usize]) -> Self {
        Self {
            arrays: indices.iter().map(|&i| self.arrays[i].clone()).collect(),
            hashes: indices.iter().map(|&i| self.hashes[i].clone()).collect(),
            by_hash: FxHashMap::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, ArrayD};

    use super::*;

    fn large(last: f64) -> ArrayD<f64> {
        let mut array = Array2::from_shape_fn((60, 60), |(i, j)| (i * j) as f64);
        array[(59, 59)] = last;
        array.into_dyn()
    }

    #[test]
    fn equal_content_is_one_constant_wherever_it_lies() {
        let mut constants = Constants::default();
        let first = constants.add(HostArray::from(large(1.0)));
        assert_eq!(constants.add(HostArray::from(large(1.0))), first);
        // Symmetric but for its layout.
        let transposed = large(1.0).reversed_axes();
        assert!(!transposed.is_standard_layout());
        assert_eq!(constants.add(HostArray::from(transposed)), first);
        assert_ne!(constants.add(HostArray::from(large(2.0))), first);
        let (plus, minus) = (large(0.0), large(-0.0));
        let zero = constants.add(HostArray::from(plus));
        assert_ne!(constants.add(HostArray::from(minus)), zero);
        assert_eq!(constants.arrays().len(), 4);
    }

    #[test]
    fn recorded_constants_become_one_when_they_are_adopted() {
        let mut recorded = Constants::default();
        for _ in 0..3 {
            recorded.record(HostArray::from(large(1.0)));
        }
        let mut adopted = Constants::default();
        for index in 0..3 {
            assert_eq!(adopted.adopt(&recorded, index), 0);
        }
        assert_eq!(adopted.hashes[0].get(), recorded.hashes[2].get());
    }
}
