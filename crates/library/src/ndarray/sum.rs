//! Sums of floating and complex numbers over any set of axes, in the order that [`autojit_runtime::sum`] defines.
//!
//! Rows are added up one by one if the kept axes are not the faster ones in memory. Else the sums of neighbouring results are
//! formed together, so that memory is read in order; each has its own lanes, blocks and total, so the bits are the same.

use autojit_runtime::sum::{BLOCK, LANE_BYTES, Summand, Total, row_length};
use smallvec::SmallVec;

use super::strided::{View, Walk, reserved};
use autojit_ir::error::Result;

/// Results that are formed together.
const TILE: usize = 128;

/// Which elements are summed.
pub(super) struct Sums<'a> {
    x: &'a View<'a>,
    /// The axes that are kept.
    kept: Walk<1>,
    /// Where rows begin, in elements from the first.
    rows: Vec<isize>,
    /// Where the elements of a row are.
    row: Row,
}

enum Row {
    /// A number of elements, so far apart.
    Strided(usize, isize),
    /// At these distances from the first.
    Scattered(Vec<isize>),
}

/// The function that writes all sums for one element type.
pub(super) type WriteSums = unsafe fn(&Sums<'_>, out: *mut u8) -> Result<()>;

/// Writes all sums.
///
/// # Errors
/// There is no memory.
///
/// # Safety
/// The summed elements must be of type `T`; `out` must be writable for as many as the kept axes have indices.
pub(super) unsafe fn write<T: Summand>(sums: &Sums<'_>, out: *mut u8) -> Result<()> {
    // SAFETY: passed on from the caller.
    unsafe { sums.write::<T>(out.cast()) }
}

impl<'a> Sums<'a> {
    /// The sums over `axes`, in order. No axis of `x` may be empty.
    ///
    /// # Errors
    /// There is no memory.
    pub(super) fn new(x: &'a View<'a>, axes: &[usize]) -> Result<Self> {
        let axis = |a: usize| (x.shape[a], [x.strides[a]]);
        let kept = Walk::new(&mut (0..x.shape.len()).filter(|a| !axes.contains(a)).map(axis));
        let mut summed: SmallVec<[usize; 4]> =
            axes.iter().copied().filter(|&a| x.shape[a] > 1).collect();
        summed.sort_unstable();
        let length = row_length(summed.iter().map(|&a| x.shape[a]));
        let mut last = summed.len();
        let mut joined = 1;
        while joined < length {
            last -= 1;
            joined *= x.shape[summed[last]];
        }
        let row = Walk::new(&mut summed[last..].iter().map(|&a| axis(a)));
        let row = if row.rows() == 1 {
            Row::Strided(row.len, row.step[0])
        } else {
            Row::Scattered(offsets(&row)?)
        };
        let rows = offsets(&Walk::new(&mut summed[..last].iter().map(|&a| axis(a))))?;
        Ok(Self { x, kept, rows, row })
    }

    /// Whether neighbouring results lie closer together than the elements of a row.
    fn has_close_results(&self) -> bool {
        let step = match &self.row {
            Row::Strided(_, step) => *step,
            Row::Scattered(offsets) => offsets[1],
        };
        self.kept.len > 1 && self.kept.step[0].unsigned_abs() < step.unsigned_abs()
    }

    /// # Errors
    /// There is no memory.
    ///
    /// # Safety
    /// As for [`write`].
    unsafe fn write<T: Summand>(&self, mut out: *mut T) -> Result<()> {
        let x: *const T = self.x.first.cast();
        if self.has_close_results() {
            let mut lanes: Vec<T> = reserved(TILE * T::LANES)?;
            lanes.resize(TILE * T::LANES, T::ZERO);
            self.kept.for_each_row(&mut |[offset]| {
                for start in (0..self.kept.len).step_by(TILE) {
                    let len = TILE.min(self.kept.len - start);
                    // SAFETY: the walk stays within the positions that shape and strides of `x` reach; each kept row has
                    // as many results.
                    unsafe {
                        let first = x.offset(offset + start as isize * self.kept.step[0]);
                        self.tile(first, len, &mut lanes, out);
                        out = out.add(len);
                    }
                }
            });
            return Ok(());
        }
        self.kept.for_each_row(&mut |[offset]| {
            for i in 0..self.kept.len as isize {
                // SAFETY: as above; the sum of a kept and a summed offset is such a position.
                unsafe {
                    let x = x.offset(offset + i * self.kept.step[0]);
                    let mut total = Total::default();
                    for &row in &self.rows {
                        let x = x.offset(row);
                        match &self.row {
                            Row::Strided(len, step) => total.add_strided(x, *len, *step),
                            Row::Scattered(at) => total.add_row(at.len(), |i| *x.offset(at[i])),
                        }
                    }
                    out.write(total.value());
                    out = out.add(1);
                }
            }
        });
        Ok(())
    }

    /// Writes neighbouring sums; `lanes` has those of one block for a tile.
    ///
    /// # Safety
    /// Every summed element must be readable from `x`, and from the `len - 1` next ones a kept step apart; `out` must be
    /// writable for `len` elements.
    unsafe fn tile<T: Summand>(&self, x: *const T, len: usize, lanes: &mut [T], out: *mut T) {
        let mut totals = [Total::<T>::default(); TILE];
        let count = match &self.row {
            Row::Strided(count, _) => *count,
            Row::Scattered(at) => at.len(),
        };
        let step = self.kept.step[0];
        for &row in &self.rows {
            for start in (0..count).step_by(BLOCK) {
                let end = count.min(start + BLOCK);
                let used = T::LANES.min(end - start);
                lanes[..used * TILE].fill(T::ZERO);
                for i in start..end {
                    let offset = match &self.row {
                        Row::Strided(_, step) => i as isize * step,
                        Row::Scattered(at) => at[i],
                    };
                    let lane = (i - start) % T::LANES;
                    let sums = &mut lanes[lane * TILE..][..len];
                    // SAFETY: passed on from the caller.
                    let x = unsafe { x.offset(row + offset) };
                    if step == 1 {
                        // SAFETY: as above.
                        let x = unsafe { std::slice::from_raw_parts(x, len) };
                        sums.iter_mut().zip(x).for_each(|(sum, &x)| *sum = *sum + x);
                    } else {
                        for (i, sum) in sums.iter_mut().enumerate() {
                            // SAFETY: as above.
                            *sum = *sum + unsafe { *x.offset(i as isize * step) };
                        }
                    }
                }
                let mut half = used.next_power_of_two() / 2;
                while half > 0 {
                    for lane in 0..half.min(used - half) {
                        let (low, high) = lanes.split_at_mut((lane + half) * TILE);
                        let pairs = low[lane * TILE..][..len].iter_mut().zip(&high[..len]);
                        pairs.for_each(|(low, &high)| *low = *low + high);
                    }
                    half /= 2;
                }
                let sums = totals.iter_mut().zip(&lanes[..len]);
                sums.for_each(|(total, &sum)| total.add_block(sum));
            }
        }
        for (i, total) in totals[..len].iter().enumerate() {
            // SAFETY: passed on from the caller.
            unsafe { out.add(i).write(total.value()) };
        }
    }
}

/// All offsets of a walk.
fn offsets(walk: &Walk<1>) -> Result<Vec<isize>> {
    let mut offsets = reserved(walk.rows() * walk.len)?;
    walk.for_each_row(&mut |[offset]| {
        offsets.extend((0..walk.len as isize).map(|i| offset + i * walk.step[0]));
    });
    Ok(offsets)
}

const _: () = assert!(LANE_BYTES / size_of::<f32>() <= 32);
