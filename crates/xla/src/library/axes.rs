//! Orders of axes, said so that XLA compiles them in bounded time.
//!
//! For the loop of a transposition XLA tries all ways to cut it into tiles whose edges are powers of two. It takes some
//! 30 us for each, and there are as many as the product of the numbers of edges: nine axes of nine elements took
//! minutes, twenty of two elements one. So axes that stay side by side are one axis, and what is left with too many
//! tilings is done step by step.

use smallvec::SmallVec;

use autojit_ir::Dims;

/// How many tilings a step may have; about a second. A step more is another pass over the array in each call.
const MOST_TILINGS: usize = 1 << 15;

/// The steps of a transposition, each an order of the axes that the one before it left; none if nothing moves.
pub(super) struct Steps<'a> {
    perm: &'a [usize],
    /// Which axis lies where before the next step, and how long each place is.
    order: Dims,
    shape: Dims,
    /// How many places have the axis that stays there.
    done: usize,
}

impl<'a> Steps<'a> {
    pub(super) fn new(shape: &[usize], perm: &'a [usize]) -> Self {
        Self {
            perm,
            order: (0..perm.len()).collect(),
            shape: Dims::from_slice(shape),
            done: 0,
        }
    }

    /// Puts so many of the axes that are not there yet to their places, and moves the others behind them.
    fn step(&self, count: usize) -> Dims {
        let placed = &self.perm[..self.done + count];
        let others = self.order.iter().filter(|a| !placed.contains(a));
        let axes = placed.iter().chain(others);
        axes.filter_map(|a| self.order.iter().position(|b| a == b))
            .collect()
    }
}

impl Iterator for Steps<'_> {
    type Item = Dims;

    fn next(&mut self) -> Option<Dims> {
        while self.done < self.perm.len() {
            let left = self.perm.len() - self.done;
            let mut fitting = (2..=left).rev().map(|count| (count, self.step(count)));
            let (count, step) = fitting
                .find(|(_, step)| tilings(&joined_axes(&self.shape, step).0) <= MOST_TILINGS)
                .unwrap_or_else(|| (1, self.step(1)));
            self.done += count;
            if !step.is_sorted() {
                self.order = step.iter().map(|&place| self.order[place]).collect();
                self.shape = step.iter().map(|&place| self.shape[place]).collect();
                return Some(step);
            }
        }
        None
    }
}

fn tilings(shape: &[usize]) -> usize {
    let edges = |&n: &usize| n.max(1).next_power_of_two().trailing_zeros() as usize + 1;
    shape.iter().map(edges).fold(1, usize::saturating_mul)
}

/// The fewest axes by which an order of axes can be said: their sizes, and their order. Axes of length one are none.
pub(super) fn joined_axes(shape: &[usize], perm: &[usize]) -> (Dims, Dims) {
    let kept: Dims = (0..shape.len()).filter(|&a| shape[a] != 1).collect();
    // Of each joined axis the first of its axes and the size, in the new order.
    let mut joined: SmallVec<[(usize, usize); 4]> = SmallVec::new();
    let mut next = None;
    for place in perm.iter().filter_map(|a| kept.binary_search(a).ok()) {
        match joined.last_mut() {
            Some((_, size)) if next == Some(place) => *size *= shape[kept[place]],
            _ => joined.push((place, shape[kept[place]])),
        }
        next = Some(place + 1);
    }
    let mut before = joined.clone();
    before.sort_unstable();
    let place = |axis: &(usize, usize)| before.partition_point(|other| other.0 < axis.0);
    let order = joined.iter().map(place).collect();
    (before.iter().map(|&(_, size)| size).collect(), order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_that_stay_together_are_joined() {
        let check = |shape: &[usize], perm: &[usize], sizes: &[usize], order: &[usize]| {
            let (got_sizes, got_order) = joined_axes(shape, perm);
            let got = (&*got_sizes, &*got_order);
            assert_eq!(got, (sizes, order), "{shape:?} {perm:?}");
        };
        check(&[2, 3], &[1, 0], &[2, 3], &[1, 0]);
        check(&[2, 3, 4], &[2, 0, 1], &[6, 4], &[1, 0]);
        check(&[2, 1, 3], &[1, 0, 2], &[6], &[0]);
        check(&[2, 3, 4, 1, 5], &[4, 3, 1, 2, 0], &[2, 12, 5], &[2, 1, 0]);
        check(&[0, 3, 4], &[1, 2, 0], &[0, 12], &[1, 0]);
    }

    #[test]
    fn steps_are_as_few_as_fit_and_end_in_the_order_that_is_asked_for() {
        assert_eq!(Steps::new(&[2, 3, 4], &[0, 1, 2]).count(), 0);
        assert_eq!(Steps::new(&[2, 3, 4], &[2, 1, 0]).count(), 1);
        for (n, size, most) in [(20, 2, 4), (12, 9, 8), (32, 2, 8)] {
            let perm: Vec<usize> = (0..n).rev().collect();
            let (mut order, mut shape): (Vec<usize>, _) = ((0..n).collect(), vec![size; n]);
            let mut count = 0;
            for step in Steps::new(&shape.clone(), &perm) {
                assert!(tilings(&joined_axes(&shape, &step).0) <= MOST_TILINGS);
                order = step.iter().map(|&place| order[place]).collect();
                shape = step.iter().map(|&place| shape[place]).collect();
                count += 1;
            }
            assert_eq!(order, perm);
            assert!(count > 1 && count <= most, "{count} steps for {n} axes");
        }
    }
}
