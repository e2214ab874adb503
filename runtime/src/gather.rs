//! Picking elements along one axis by integer indices (`numpy.take` along an axis) on contiguous buffers.
//!
//! Refuses indices outside `-len..len` before it reads through them; nothing else is checked.

use crate::kind::{Failure, Kind};

/// `out[o, j, i] = x[o, indices[j], i]` for `x` of shape `[outer, len, inner]`, all buffers contiguous.
///
/// ```
/// use autojit_runtime::{abi::Kind, gather::Gather};
/// let gather = Gather { item_size: 8, outer: 1, len: 3, inner: 1, index_kind: Kind::Int64, count: 2 };
/// let (x, indices, mut out) = ([1.0_f64, 2.0, 3.0], [-1_i64, 0], [0.0_f64; 2]);
/// // SAFETY: the buffers have the lengths that `gather` states.
/// unsafe { gather.run(x.as_ptr().cast(), indices.as_ptr().cast(), out.as_mut_ptr().cast()) }.unwrap();
/// assert_eq!(out, [3.0, 1.0]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gather {
    /// Bytes of one element.
    pub item_size: usize,
    /// Product of the lengths of the axes before the indexed one.
    pub outer: usize,
    /// Length of the indexed axis.
    pub len: usize,
    /// Product of the lengths of the axes after the indexed one.
    pub inner: usize,
    /// Type of the indices: bool, uint8, int32 or int64 (a bool counts as 0 or 1).
    pub index_kind: Kind,
    /// Number of indices.
    pub count: usize,
}

impl Gather {
    /// Gathers. A negative index counts from the end, once.
    ///
    /// # Errors
    /// [`Failure::IndexOutOfRange`] with the first offending index; [`Failure::UnsupportedKind`] for indices that are not
    /// integers. `out` is then partly written.
    ///
    /// # Safety
    /// `x` must be readable for `outer * len * inner` elements, `indices` for `count` indices, aligned; `out` writable for
    /// `outer * count * inner` elements and apart from both.
    pub unsafe fn run(
        &self,
        x: *const u8,
        indices: *const u8,
        out: *mut u8,
    ) -> Result<(), Failure> {
        // SAFETY: passed on from the caller, with indices of the stated kind.
        unsafe {
            match self.index_kind {
                Kind::Bool | Kind::Uint8 => self.run_indices::<u8>(x, indices.cast(), out),
                Kind::Int32 => self.run_indices::<i32>(x, indices.cast(), out),
                Kind::Int64 => self.run_indices::<i64>(x, indices.cast(), out),
                kind => Err(Failure::UnsupportedKind(kind)),
            }
        }
    }

    /// # Safety
    /// As for [`run`](Self::run), with indices of type `I`.
    unsafe fn run_indices<I: Copy + Into<i64>>(
        &self,
        x: *const u8,
        indices: *const I,
        out: *mut u8,
    ) -> Result<(), Failure> {
        let indices: &[I] = if self.count == 0 {
            &[]
        } else {
            // SAFETY: the caller promises `count` aligned indices.
            unsafe { std::slice::from_raw_parts(indices, self.count) }
        };
        let row = self.inner * self.item_size;
        for (position, &index) in indices.iter().enumerate() {
            let index: i64 = index.into();
            let wrapped = if index < 0 {
                index + self.len as i64
            } else {
                index
            };
            if wrapped < 0 || wrapped >= self.len as i64 {
                return Err(Failure::IndexOutOfRange {
                    index,
                    len: self.len,
                });
            }
            if row == 0 {
                continue;
            }
            for outer in 0..self.outer {
                // SAFETY: `wrapped` lies in `0..len`, so both rows lie in the buffers that the caller promises.
                unsafe {
                    let from = x.add((outer * self.len + wrapped as usize) * row);
                    let to = out.add((outer * self.count + position) * row);
                    copy_row(from, to, row);
                }
            }
        }
        Ok(())
    }
}

/// Copies `bytes` bytes; the sizes of single elements avoid a call to `memcpy`.
///
/// # Safety
/// `from` must be readable and `to` writable for `bytes` bytes, and they must not overlap.
#[inline(always)]
pub(crate) unsafe fn copy_row(from: *const u8, to: *mut u8, bytes: usize) {
    // SAFETY: each arm moves exactly `bytes` bytes, with no demand on alignment.
    unsafe {
        match bytes {
            1 => *to = *from,
            2 => to
                .cast::<u16>()
                .write_unaligned(from.cast::<u16>().read_unaligned()),
            4 => to
                .cast::<u32>()
                .write_unaligned(from.cast::<u32>().read_unaligned()),
            8 => to
                .cast::<u64>()
                .write_unaligned(from.cast::<u64>().read_unaligned()),
            16 => to
                .cast::<u128>()
                .write_unaligned(from.cast::<u128>().read_unaligned()),
            32 => to
                .cast::<[u128; 2]>()
                .write_unaligned(from.cast::<[u128; 2]>().read_unaligned()),
            64 => to
                .cast::<[u128; 4]>()
                .write_unaligned(from.cast::<[u128; 4]>().read_unaligned()),
            _ => std::ptr::copy_nonoverlapping(from, to, bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take<I>(gather: &Gather, x: &[i32], indices: &[I]) -> Result<Vec<i32>, Failure> {
        assert_eq!(
            (x.len(), indices.len()),
            (gather.outer * gather.len * gather.inner, gather.count)
        );
        let mut out = vec![-1; gather.outer * gather.count * gather.inner];
        // SAFETY: the lengths were checked or made above.
        unsafe {
            gather.run(
                x.as_ptr().cast(),
                indices.as_ptr().cast(),
                out.as_mut_ptr().cast(),
            )
        }?;
        Ok(out)
    }

    #[test]
    fn gathers_along_a_middle_axis() {
        let x: Vec<i32> = (0..12).collect();
        let gather = Gather {
            item_size: 4,
            outer: 2,
            len: 3,
            inner: 2,
            index_kind: Kind::Int32,
            count: 4,
        };
        let out = take(&gather, &x, &[2_i32, 0, -1, -3]).unwrap();
        assert_eq!(out, [4, 5, 0, 1, 4, 5, 0, 1, 10, 11, 6, 7, 10, 11, 6, 7]);
    }

    #[test]
    fn refuses_indices_out_of_range() {
        let gather = Gather {
            item_size: 4,
            outer: 1,
            len: 2,
            inner: 1,
            index_kind: Kind::Int64,
            count: 1,
        };
        for index in [2, -3, i64::MIN, i64::MAX] {
            assert_eq!(
                take(&gather, &[1, 2], &[index]),
                Err(Failure::IndexOutOfRange { index, len: 2 })
            );
        }
        let empty = Gather {
            len: 0,
            ..gather.clone()
        };
        assert_eq!(
            take(&empty, &[], &[0_i64]),
            Err(Failure::IndexOutOfRange { index: 0, len: 0 })
        );
        let float = Gather {
            index_kind: Kind::Float64,
            ..gather
        };
        assert_eq!(
            take(&float, &[1, 2], &[0.0_f64]),
            Err(Failure::UnsupportedKind(Kind::Float64))
        );
    }

    #[test]
    fn empty_sizes_and_byte_indices() {
        let gather = Gather {
            item_size: 4,
            outer: 1,
            len: 3,
            inner: 1,
            index_kind: Kind::Uint8,
            count: 2,
        };
        assert_eq!(take(&gather, &[7, 8, 9], &[2_u8, 1]).unwrap(), [9, 8]);
        assert_eq!(
            take(
                &Gather {
                    count: 0,
                    ..gather.clone()
                },
                &[7, 8, 9],
                &[0_u8; 0]
            )
            .unwrap(),
            []
        );
        assert_eq!(
            take(
                &Gather {
                    outer: 0,
                    ..gather.clone()
                },
                &[],
                &[0_u8, 1]
            )
            .unwrap(),
            []
        );
        assert_eq!(
            take(&Gather { inner: 0, ..gather }, &[], &[0_u8, 1]).unwrap(),
            []
        );
    }
}
