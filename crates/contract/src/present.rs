//! The arrays that are left during a contraction, by number and by position: a Fenwick tree of counts, so that
//! paths of many operands are read and written in near linear time.

/// Arrays with the numbers from zero, some of them gone.
pub(crate) struct Present {
    sums: Vec<usize>,
    left: usize,
    next: usize,
}

impl Present {
    /// `count` arrays, with place for all that their contractions give.
    pub(crate) fn new(count: usize, contractions: usize) -> Self {
        let mut present = Self {
            sums: vec![0; count + contractions + 1],
            left: 0,
            next: 0,
        };
        for _ in 0..count {
            present.push();
        }
        present
    }

    pub(crate) fn len(&self) -> usize {
        self.left
    }

    fn add(&mut self, number: usize, by: isize) {
        let mut at = number + 1;
        while at < self.sums.len() {
            self.sums[at] = self.sums[at].wrapping_add_signed(by);
            at += at & at.wrapping_neg();
        }
        self.left = self.left.wrapping_add_signed(by);
    }

    /// Appends the array with the next number.
    pub(crate) fn push(&mut self) {
        self.add(self.next, 1);
        self.next += 1;
    }

    pub(crate) fn remove(&mut self, number: usize) {
        self.add(number, -1);
    }

    /// How many arrays are before this one.
    pub(crate) fn position(&self, number: usize) -> usize {
        let (mut at, mut sum) = (number, 0);
        while at > 0 {
            sum += self.sums[at];
            at &= at - 1;
        }
        sum
    }

    /// The array at a position below [`Present::len`].
    pub(crate) fn number(&self, position: usize) -> usize {
        let (mut at, mut rest) = (0, position);
        let mut step = self.sums.len().next_power_of_two();
        while step > 0 {
            if at + step < self.sums.len() && self.sums[at + step] <= rest {
                at += step;
                rest -= self.sums[at];
            }
            step /= 2;
        }
        at
    }
}
