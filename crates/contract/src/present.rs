//! Which of numbered things are left, in order: positions by number and numbers by position, in logarithmic time.
//!
//! Source: P. Fenwick, "A new data structure for cumulative frequency tables", 1994.

/// The numbers `0..`, some of which are gone.
#[derive(Clone, Debug)]
pub struct Present {
    /// At `i` (from 1) how many are left of those up to `i` that the tree's node `i` stands for.
    tree: Vec<u32>,
    left: usize,
}

impl Present {
    /// All of `0..count`.
    #[must_use]
    pub fn new(count: usize) -> Self {
        let mut present = Self {
            tree: vec![0],
            left: 0,
        };
        (0..count).for_each(|_| present.push());
        present
    }

    /// The next number, behind all others.
    pub fn push(&mut self) {
        let at = self.tree.len();
        let mut sum = 1;
        let mut below = 1;
        while below < at & at.wrapping_neg() {
            sum += self.tree[at - below];
            below *= 2;
        }
        self.tree.push(sum);
        self.left += 1;
    }

    /// How many are left.
    #[must_use]
    pub fn len(&self) -> usize {
        self.left
    }

    /// Whether none is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// How many of those that are left come before this number.
    #[must_use]
    pub fn position(&self, number: usize) -> usize {
        let (mut at, mut sum) = (number, 0);
        while at > 0 {
            sum += self.tree[at] as usize;
            at &= at - 1;
        }
        sum
    }

    /// The number at this position among those that are left.
    #[must_use]
    pub fn number(&self, position: usize) -> Option<usize> {
        if position >= self.left {
            return None;
        }
        let (mut at, mut rest) = (0, position as u32);
        let mut step = self.tree.len().next_power_of_two() / 2;
        while step > 0 {
            if at + step < self.tree.len() && self.tree[at + step] <= rest {
                at += step;
                rest -= self.tree[at];
            }
            step /= 2;
        }
        Some(at)
    }

    /// Takes a number away that is left.
    pub fn remove(&mut self, number: usize) {
        let mut at = number + 1;
        while at < self.tree.len() {
            self.tree[at] -= 1;
            at += at & at.wrapping_neg();
        }
        self.left -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::Present;

    #[test]
    fn it_is_a_list_that_is_searched_fast() {
        let mut list: Vec<usize> = (0..7).collect();
        let mut present = Present::new(7);
        let mut seed = 1u64;
        for next in 7..300_usize {
            seed = seed
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            let position = (seed >> 33) as usize % list.len();
            assert_eq!(present.number(position), Some(list[position]));
            assert_eq!(present.position(list[position]), position);
            present.remove(list.remove(position));
            if !next.is_multiple_of(3) || list.len() < 3 {
                list.push(next);
                present.push();
            } else {
                present.push();
                present.remove(next);
            }
            assert_eq!((present.len(), present.is_empty()), (list.len(), false));
            assert_eq!(present.number(list.len()), None);
        }
    }
}
