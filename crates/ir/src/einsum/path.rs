//! The order in which the operands of an `einsum` are contracted, two at a time.
//!
//! Few operands are ordered by dynamic programming over all subsets, which finds the least number of products;
//! many by a greedy search, run with a few rules of choice of which the cheapest path is kept. Sizes are floats,
//! so that networks whose whole sum no integer counts still compare.
//!
//! A path is in the linear format of `numpy.einsum_path` and opt_einsum: each step names positions in the list of
//! operands, which go, and what they give is appended at the end.
//!
//! Source: Pfeifer, Haegeman and Verstraete, "Faster identification of optimal contraction sequences for tensor
//! networks" (2014), without its pruning; the greedy rules are those of opt_einsum (Smith and Gray, 2018).

mod present;

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use rustc_hash::FxHashMap;

pub use present::Present;

use super::Subscripts;
use crate::error::{Error, Result};

/// The positions that one contraction takes from the list of operands.
pub type Step = Vec<usize>;

/// Up to so many operands are ordered by dynamic programming by default.
pub const FEW: usize = 8;

/// The most operands that are ordered by dynamic programming: it visits three to this power pairs of subsets.
pub const MOST: usize = 13;

/// How to look for an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// The best order for up to [`FEW`] operands, else a greedy one.
    Auto,
    /// Each time what makes the intermediate results smallest.
    Greedy,
    /// The fewest products of all orders.
    Optimal,
}

/// A set of labels by their numbers, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Labels(Vec<u32>);

impl Labels {
    fn contains(&self, label: u32) -> bool {
        self.0.binary_search(&label).is_ok()
    }

    fn union(&self, other: &Self) -> Self {
        let mut all = Vec::with_capacity(self.0.len() + other.0.len());
        let (mut x, mut y) = (self.0.as_slice(), other.0.as_slice());
        while let (&[a, ref rest_x @ ..], &[b, ref rest_y @ ..]) = (x, y) {
            all.push(a.min(b));
            if a <= b {
                x = rest_x;
            }
            if b <= a {
                y = rest_y;
            }
        }
        all.extend(x);
        all.extend(y);
        Self(all)
    }

    fn intersection(&self, other: &Self) -> Self {
        let both = self.0.iter().copied();
        Self(both.filter(|&label| other.contains(label)).collect())
    }

    fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().map(|&label| label as usize)
    }
}

/// Operands as sets of labels.
struct Network {
    operands: Vec<Labels>,
    result: Labels,
    sizes: Vec<f64>,
}

impl Network {
    fn new(subscripts: &Subscripts, sizes: &FxHashMap<char, usize>) -> Self {
        let mut numbers: FxHashMap<char, u32> = FxHashMap::default();
        let mut lengths = Vec::new();
        let all = subscripts.operands.iter().flatten();
        for &label in all.chain(&subscripts.result) {
            numbers.entry(label).or_insert_with(|| {
                lengths.push(sizes.get(&label).copied().unwrap_or(1) as f64);
                lengths.len() as u32 - 1
            });
        }
        let set = |labels: &[char]| {
            let mut set: Vec<u32> = labels.iter().map(|label| numbers[label]).collect();
            set.sort_unstable();
            set.dedup();
            Labels(set)
        };
        Self {
            operands: subscripts.operands.iter().map(|o| set(o)).collect(),
            result: set(&subscripts.result),
            sizes: lengths,
        }
    }

    /// The number of elements of an array with these axes, kept finite so that differences are numbers.
    fn size(&self, labels: &Labels) -> f64 {
        let size = labels.iter().map(|l| self.sizes[l]).product::<f64>();
        size.min(1e300)
    }

    /// How many operands have each label; the result counts as one more.
    fn uses(&self) -> Vec<u32> {
        let mut uses = vec![0; self.sizes.len()];
        for set in self.operands.iter().chain([&self.result]) {
            set.iter().for_each(|label| uses[label] += 1);
        }
        uses
    }
}

/// The axes that stay when two operands are contracted: those that others still need.
fn contracted(x: &Labels, y: &Labels, uses: &[u32]) -> Labels {
    let mut kept = x.union(y);
    kept.0.retain(|&label| {
        let own = u32::from(x.contains(label)) + u32::from(y.contains(label));
        uses[label as usize] != own
    });
    kept
}

/// An order for all operands; none for a single one.
///
/// # Errors
/// The best order of too many operands is asked for.
pub fn find(
    subscripts: &Subscripts,
    sizes: &FxHashMap<char, usize>,
    search: Search,
) -> Result<Vec<Step>> {
    let count = subscripts.operands.len();
    if count <= 2 {
        return Ok(if count == 2 { vec![vec![0, 1]] } else { vec![] });
    }
    let network = Network::new(subscripts, sizes);
    let optimal = match search {
        Search::Auto => count <= FEW,
        Search::Greedy => false,
        Search::Optimal if count > MOST => {
            return Err(Error::value(format!(
                "the best order of {count} operands takes too long to find, at most {MOST} are possible; use greedy"
            )));
        }
        Search::Optimal => true,
    };
    let pairs = if optimal {
        best(&network)
    } else {
        cheapest(&network)
    };
    Ok(linear(count, &pairs))
}

/// Turns pairs of names, each new array having the next number, into positions.
fn linear(count: usize, pairs: &[(usize, usize)]) -> Vec<Step> {
    let mut present = Present::new(count);
    let mut steps = Vec::with_capacity(pairs.len());
    for &(x, y) in pairs {
        let (x, y) = (x.min(y), x.max(y));
        steps.push(vec![present.position(x), present.position(y)]);
        present.remove(y);
        present.remove(x);
        present.push();
    }
    steps
}

/// The order with the fewest products, by dynamic programming over subsets of the operands.
fn best(network: &Network) -> Vec<(usize, usize)> {
    #[derive(Clone)]
    struct Best {
        labels: Labels,
        cost: f64,
        /// One half of the best split.
        half: usize,
    }
    let count = network.operands.len();
    let all = (1usize << count) - 1;
    let mut found: Vec<Best> = Vec::with_capacity(all + 1);
    for set in 0..=all {
        let members = |set: usize| (0..count).filter(move |i| set & (1 << i) != 0);
        let mut inside = Labels(Vec::new());
        let mut outside = network.result.clone();
        members(set).for_each(|i| inside = inside.union(&network.operands[i]));
        members(all & !set).for_each(|i| outside = outside.union(&network.operands[i]));
        let mut best = Best {
            labels: inside.intersection(&outside),
            cost: if set.count_ones() <= 1 {
                0.0
            } else {
                f64::INFINITY
            },
            half: 0,
        };
        // All splits of the set into two; the one with its lowest member is named.
        let mut half = (set.wrapping_sub(1)) & set;
        while half > 0 && set.count_ones() > 1 {
            let rest = set & !half;
            if half & set & set.wrapping_neg() != 0 {
                let (a, b) = (&found[half], &found[rest]);
                let products = network.size(&a.labels.union(&b.labels));
                let cost = a.cost + b.cost + products;
                // Of equal ones the split with fewest operands on the right, so that orders read from the left.
                if cost < best.cost {
                    (best.cost, best.half) = (cost, half);
                }
            }
            half = (half - 1) & set;
        }
        found.push(best);
    }
    // Splits are walked from the whole down; each contraction is named after those that it uses.
    let mut sets = vec![all];
    let mut order = Vec::new();
    while let Some(set) = sets.pop() {
        if set.count_ones() > 1 {
            let half = found[set].half;
            order.push(set);
            sets.extend([half, set & !half]);
        }
    }
    order.reverse();
    let mut names: FxHashMap<usize, usize> = (0..count).map(|i| (1 << i, i)).collect();
    let mut pairs = Vec::with_capacity(order.len());
    for set in order {
        let half = found[set].half;
        pairs.push((names[&half], names[&(set & !half)]));
        names.insert(set, count + pairs.len() - 1);
    }
    pairs
}

/// The cost by which contractions are compared, the less the better: a function of the sizes of the result and of both
/// operands.
type Rule<'a> = &'a mut dyn FnMut(f64, f64, f64) -> f64;

/// The cheapest path of several greedy searches: by what memory grows, by the size of the result, and some with
/// noise from a fixed seed, which leaves ties and near ties to chance.
///
/// Half of them do not follow labels that many operands have: a batch axis of all is no reason to contract two.
fn cheapest(network: &Network) -> Vec<(usize, usize)> {
    let mut found = greedy(network, true, &mut |result, x, y| result - x - y);
    let mut attempt = |everywhere: bool, rule: Rule<'_>| {
        let path = greedy(network, everywhere, rule);
        if path.0 < found.0 {
            found = path;
        }
    };
    attempt(false, &mut |result, x, y| result - x - y);
    for everywhere in [true, false] {
        attempt(everywhere, &mut |result, x, y| result - 0.5 * (x + y));
        attempt(everywhere, &mut |result, _, _| result);
    }
    let mut noise = Noise(1);
    let count = network.operands.len().max(1);
    for trial in 0..NOISY_TRIALS.min(NOISY_OPERANDS / count) {
        let weight = [0.0, 0.5, 1.0, 1.5][trial / 2 % 4];
        let temperature = [0.1, 0.5, 1.0, 2.0][trial / 8 % 4];
        attempt(trial % 2 == 0, &mut |result, x, y| {
            result.log2() - weight * (x + y).log2() - temperature * noise.gumbel()
        });
    }
    found.1
}

/// How many searches have noise.
const NOISY_TRIALS: usize = 32;
/// How many operands all of them see together, at most.
const NOISY_OPERANDS: usize = 8192;

/// Steele, Lea and Flood's SplitMix64, which is enough to break ties.
struct Noise(u64);

impl Noise {
    /// A number of Gumbel's distribution.
    fn gumbel(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let uniform = ((mixed >> 12) as f64 + 0.5) / (1u64 << 52) as f64;
        -(-uniform.ln()).ln()
    }
}

/// A possible contraction; the smallest comes first, the oldest of equal ones.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    cost: f64,
    pair: (usize, usize),
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Candidate {}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.cost
            .total_cmp(&other.cost)
            .then(self.pair.cmp(&other.pair))
    }
}

/// A path by always taking the cheapest contraction of operands that share a label, `everywhere` or only those of
/// two operands, and its number of products.
/// Operands that share none are multiplied at the end, smallest first.
fn greedy(network: &Network, everywhere: bool, rule: Rule<'_>) -> (f64, Vec<(usize, usize)>) {
    let mut uses = network.uses();
    let mut arrays: Vec<Option<Labels>> = network.operands.iter().cloned().map(Some).collect();
    let mut having: Vec<Vec<usize>> = vec![Vec::new(); network.sizes.len()];
    for (i, operand) in network.operands.iter().enumerate() {
        operand.iter().for_each(|label| having[label].push(i));
    }
    let mut candidate = |x: usize, y: usize, arrays: &[Option<Labels>], uses: &[u32]| {
        let (a, b) = (arrays[x].as_ref()?, arrays[y].as_ref()?);
        let size = |labels| network.size(labels);
        let cost = rule(size(&contracted(a, b, uses)), size(a), size(b));
        let pair = (x.min(y), x.max(y));
        Some(Reverse(Candidate { cost, pair }))
    };
    let mut heap = BinaryHeap::new();
    let followed: Vec<bool> = uses.iter().map(|&n| everywhere || n <= 2).collect();
    for list in having
        .iter()
        .zip(&followed)
        .filter_map(|(list, &f)| f.then_some(list))
    {
        for (position, &x) in list.iter().enumerate() {
            for &y in &list[position + 1..] {
                heap.extend(candidate(x, y, &arrays, &uses));
            }
        }
    }
    let (mut products, mut pairs) = (0.0, Vec::new());
    let mut merge = |x: usize, y: usize, arrays: &mut Vec<Option<Labels>>, uses: &mut [u32]| {
        let (a, b) = (arrays[x].take()?, arrays[y].take()?);
        products += network.size(&a.union(&b));
        pairs.push((x, y));
        let kept = contracted(&a, &b, uses);
        a.iter().chain(b.iter()).for_each(|label| uses[label] -= 1);
        kept.iter().for_each(|label| uses[label] += 1);
        arrays.push(Some(kept.clone()));
        Some(kept)
    };
    while let Some(Reverse(Candidate { pair: (x, y), .. })) = heap.pop() {
        if arrays[x].is_none() || arrays[y].is_none() {
            continue;
        }
        let Some(kept) = merge(x, y, &mut arrays, &mut uses) else {
            continue;
        };
        let new = arrays.len() - 1;
        let mut near: Vec<usize> = Vec::new();
        for label in kept.iter().filter(|&label| followed[label]) {
            having[label].retain(|&i| arrays[i].is_some());
            near.extend(&having[label]);
            having[label].push(new);
        }
        near.sort_unstable();
        near.dedup();
        heap.extend(
            near.iter()
                .filter_map(|&i| candidate(i, new, &arrays, &uses)),
        );
    }
    let mut left: BinaryHeap<Reverse<Candidate>> = BinaryHeap::new();
    let alone = |i: usize, labels: &Labels| {
        Reverse(Candidate {
            cost: network.size(labels),
            pair: (i, i),
        })
    };
    for (i, array) in arrays.iter().enumerate() {
        left.extend(array.as_ref().map(|labels| alone(i, labels)));
    }
    while let (Some(Reverse(x)), Some(Reverse(y))) = (left.pop(), left.pop()) {
        let (x, y) = (x.pair.0.min(y.pair.0), x.pair.0.max(y.pair.0));
        if let Some(kept) = merge(x, y, &mut arrays, &mut uses) {
            left.push(alone(arrays.len() - 1, &kept));
        }
    }
    (products, pairs)
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contraction {
    /// The positions that are taken.
    pub positions: Step,
    /// The subscripts of the step.
    pub subscripts: Subscripts,
}

/// The steps of a path. The last one gives the result; intermediate results have their axes in the
/// order in which a batched matrix product gives them.
///
/// # Errors
/// A position is out of range or given twice, a step has none, or the path does not end with one array.
pub fn contractions(subscripts: &Subscripts, path: &[Step]) -> Result<Vec<Contraction>> {
    // All arrays by number; those that are taken are empty.
    let mut arrays = subscripts.operands.clone();
    let mut present = Present::new(arrays.len());
    let mut uses: FxHashMap<char, usize> = FxHashMap::default();
    // Repeated labels of one operand count once.
    let different = |labels: &[char]| {
        let mut list = labels.to_vec();
        list.sort_unstable();
        list.dedup();
        list
    };
    for labels in arrays.iter().chain([&subscripts.result]) {
        for label in different(labels) {
            *uses.entry(label).or_default() += 1;
        }
    }
    let mut steps = Vec::with_capacity(path.len());
    for (number, positions) in path.iter().enumerate() {
        let mut descending = positions.clone();
        descending.sort_unstable_by(|a, b| b.cmp(a));
        let repeated = descending.windows(2).any(|pair| pair[0] == pair[1]);
        if repeated || descending.first().is_none_or(|&p| p >= present.len()) {
            return Err(Error::value(format!(
                "the step {positions:?} of the path does not fit {} operands",
                present.len()
            )));
        }
        let mut operands: Vec<Vec<char>> = Vec::with_capacity(descending.len());
        for &position in &descending {
            if let Some(number) = present.number(position) {
                present.remove(number);
                operands.push(std::mem::take(&mut arrays[number]));
            }
        }
        operands.reverse();
        for labels in &operands {
            for label in different(labels) {
                uses.entry(label).and_modify(|n| *n -= 1);
            }
        }
        let result = if number + 1 == path.len() {
            subscripts.result.clone()
        } else {
            intermediate(&operands, |label| uses[&label] > 0)
        };
        for &label in &result {
            uses.entry(label).and_modify(|n| *n += 1);
        }
        present.push();
        arrays.push(result.clone());
        descending.reverse();
        steps.push(Contraction {
            positions: descending,
            subscripts: Subscripts { operands, result },
        });
    }
    if present.len() != 1 {
        return Err(Error::value(format!(
            "the path leaves {} operands, expected one",
            present.len()
        )));
    }
    Ok(steps)
}

/// The axes of an intermediate result: those that all its operands share come first.
fn intermediate(operands: &[Vec<char>], needed: impl Fn(char) -> bool) -> Vec<char> {
    let shared = |label: &char| operands.iter().all(|o| o.contains(label));
    let mut labels: Vec<char> = Vec::new();
    let of = |keep: &dyn Fn(&char) -> bool, labels: &mut Vec<char>| {
        for &label in operands.iter().flatten() {
            if keep(&label) && needed(label) && !labels.contains(&label) {
                labels.push(label);
            }
        }
    };
    of(&shared, &mut labels);
    of(&|label| !shared(label), &mut labels);
    labels
}

/// The number of products that each step takes, and the number of elements of what it gives.
#[must_use]
pub fn costs(steps: &[Contraction], sizes: &FxHashMap<char, usize>) -> Vec<(f64, f64)> {
    let size = |labels: &mut dyn Iterator<Item = char>| {
        let mut labels: Vec<char> = labels.collect();
        labels.sort_unstable();
        labels.dedup();
        let sizes = labels.iter().map(|l| sizes.get(l).copied().unwrap_or(1));
        sizes.map(|n| n as f64).product::<f64>()
    };
    let cost = |step: &Contraction| {
        let Subscripts { operands, result } = &step.subscripts;
        (
            size(&mut operands.iter().flatten().copied()),
            size(&mut result.iter().copied()),
        )
    };
    steps.iter().map(cost).collect()
}

#[cfg(test)]
mod tests;
