//! A function of many examples, over ranks.

use std::panic::Location;

use autojit::numpy as np;
use autojit::{Array, Error, Result};

use crate::ranks::Ranks;
use crate::tasks::{self, First};
use crate::wire;

impl Ranks {
    /// A function of batches of examples: the elements of an array along its first axis, so many of them at a time, the last batch with
    /// what is left. The results have as many elements along their first axis, and are put together in order, on all ranks.
    ///
    /// The function is usually a compiled one, of a function to which [`autojit::vmap`] was applied. The examples are the same on all
    /// ranks, which is checked; what goes to rank 0 is the results.
    ///
    /// ```
    /// use autojit::{Array, autojit, numpy as np};
    /// use autojit_mpi::Ranks;
    ///
    /// let ranks = Ranks::start()?;
    /// let norms = autojit(|rows: Array| np::sqrt(np::sum(&rows * &rows, 1)));
    /// let rows = Array::from([[3.0, 4.0], [5.0, 12.0], [8.0, 15.0]]);
    /// let lengths = ranks.map(|batch| norms.call(batch), &rows, 2)?;
    /// assert_eq!(lengths.to_vec::<f64>()?, [5.0, 13.0, 17.0]);
    /// # Ok::<(), autojit::Error>(())
    /// ```
    ///
    /// # Errors
    /// The function's own, of any rank, on all of them; a result has another length than its batch (`is_shape`); there are no examples,
    /// a batch of none, or they differ between ranks (`is_value`).
    #[track_caller]
    pub fn map(
        &self,
        f: impl Fn(&Array) -> Result<Array> + Sync,
        xs: &Array,
        batch: usize,
    ) -> Result<Array> {
        let location = Location::caller();
        let own = |e: Error| e.in_op("map").at(location);
        let (count, bytes) = self.agree(examples(xs, batch).map_err(own))?;
        let batches = (count.div_ceil(batch)) as u64;
        let sizes = [count, batch].map(|n| n as u64).map(u64::to_le_bytes);
        let all = std::iter::once(bytes).chain(sizes.map(Vec::from));
        self.agree(self.check_same("the examples", all).map_err(own))?;
        let one = |task: u64| {
            let start = task as usize * batch;
            let length = batch.min(count - start);
            let part = xs.get(start as i64..(start + length) as i64);
            part.check()
                .and_then(|part| f(&part))
                .and_then(|result| encoded(result, length))
                .map_err(own)
        };
        let mut parts: Vec<Array> = Vec::new();
        let mut take = |bytes: Vec<u8>| {
            parts.extend(wire::decode_arrays(&bytes)?);
            Ok(())
        };
        let first = (self.rank() == 0).then_some(First {
            tasks: 0..batches,
            // All results are kept anyway.
            ahead: u64::MAX,
            take: &mut take,
        });
        tasks::distribute(self, first, &one)?;
        let joined = || wire::encode_arrays(&[np::concatenate(&parts, 0).check()?]);
        let whole = self.bytes_of_first(|| joined().map_err(own))?;
        let whole = wire::decode_arrays(&whole)?.pop();
        whole.ok_or_else(|| Error::internal("a map without a result"))
    }
}

/// The bytes of the result of a batch.
fn encoded(result: Array, length: usize) -> Result<Vec<u8>> {
    let ty = result.ty()?;
    if ty.shape.first() != Some(&length) {
        return Err(Error::shape(format!(
            "expected results of {length} examples along the first axis, got {ty}"
        )));
    }
    wire::encode_arrays(&[result])
}

/// How many examples there are, and their bytes.
fn examples(xs: &Array, batch: usize) -> Result<(usize, Vec<u8>)> {
    let ty = xs.ty()?;
    if batch == 0 {
        return Err(Error::value("a batch has at least one example"));
    }
    match ty.shape.first() {
        Some(&count) if count > 0 => Ok((count, wire::encode_arrays(std::slice::from_ref(xs))?)),
        Some(_) | None => Err(Error::value(format!(
            "expected examples along a first axis, got {ty}"
        ))),
    }
}
