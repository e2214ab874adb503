//! Plans: a network, a tree, and the labels that are sliced.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cost::{self, Cost};
use crate::error::{Error, Result};
use crate::network::{Label, Network};
use crate::present::Present;
use crate::random::Random;
use crate::search::{self, Budget, Objective};
use crate::tree::{Problem, Tree, Uses, ordered, union};

/// How to look for a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Where random choices start. The same seed and the same number of steps give the same plan on every machine.
    pub seed: u64,
    /// How many changes of a tree are tried, at most. A million take about a second or less.
    pub steps: u64,
    /// How long the search takes, at most; whichever of both limits is met first ends it. What a search finds in a time
    /// depends on the machine and on what else it does.
    pub time: Option<Duration>,
    /// The most elements of an array that a contraction gives, operands not among them. Labels are sliced until all
    /// arrays are below.
    pub largest: Option<f64>,
    /// Whether labels of the result may be sliced: slices are then parts of the result, else they are summed.
    pub slice_output: bool,
    /// How many operations one written element counts as, where both must be weighed; zero by default.
    pub per_element: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 0,
            steps: 1 << 20,
            time: None,
            largest: None,
            slice_output: true,
            per_element: 0.0,
        }
    }
}

impl Options {
    fn objective(&self) -> Result<Objective> {
        let weight = self.per_element;
        if !(weight >= 0.0 && weight.is_finite()) {
            return Err(Error::new(format!(
                "an element cannot count as {weight} operations"
            )));
        }
        let largest = self.largest.unwrap_or(f64::INFINITY);
        if largest.is_nan() || largest < 1.0 {
            return Err(Error::new(format!(
                "arrays of at most {largest} elements are too small for any contraction"
            )));
        }
        Ok(Objective {
            write: weight.log2(),
            largest: largest.log2(),
        })
    }
}

/// Looks for an order that takes few operations, and for labels to slice if there is a limit of memory.
///
/// Each connected part of up to 12 operands is ordered in the best way. The result is never worse than that of greedy
/// searches, which are where larger searches start.
///
/// # Errors
/// An option is no number that makes sense, or the limit cannot be met by slicing.
pub fn plan(network: &Network, options: &Options) -> Result<Plan> {
    let objective = options.objective()?;
    let (problem, numbers) = network.problem();
    let mut allowed = vec![true; problem.logs.len()];
    if !options.slice_output {
        problem
            .output
            .iter()
            .for_each(|&label| allowed[label as usize] = false);
    }
    let mut random = Random::new(options.seed);
    let mut budget = Budget::new(options.steps, options.time);
    let (tree, sliced) = search::tree(&problem, &objective, allowed, &mut random, &mut budget)?;
    let labels = sliced.iter().map(|&number| numbers.labels[number as usize]);
    let plan = Plan::new(network.clone(), tree, labels.collect())?;
    Ok(Plan {
        work: budget.done(),
        ..plan
    })
}

/// How [`order`] looks for an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// With little work: each connected part of up to 11 operands in the best order, larger ones in that of greedy
    /// searches, improved by a short annealing. The work is fixed by the network, near linear in its size, and takes
    /// milliseconds for hundreds of operands.
    Auto,
    /// The best of some greedy searches, a part of them with random choices from a fixed seed.
    Greedy,
    /// The fewest operations of all orders of up to 13 operands.
    Optimal,
}

/// An order for all operands in opt_einsum's linear form, equal on every machine. [`plan`] is the search that takes its time.
///
/// # Errors
/// The best order is asked for of more operands, or of more different labels, than all orders can be compared of.
pub fn order(network: &Network, search: Search) -> Result<Vec<[usize; 2]>> {
    let (problem, _) = network.problem();
    let tree = match search {
        Search::Auto => search::quick(&problem),
        Search::Greedy => search::greedy(&problem),
        Search::Optimal => search::optimal(&problem).ok_or_else(|| {
            Error::new(format!(
                "the best order of {} operands takes too long to find, at most {} are possible; use greedy",
                problem.len(),
                search::MOST
            ))
        })?,
    };
    let tree = if problem.len() > search::QUICK_EXACT {
        frugal(tree, &problem)
    } else {
        tree
    };
    Ok(linear(&tree))
}

/// The contractions of a tree in opt_einsum's linear form.
fn linear(tree: &Tree) -> Vec<[usize; 2]> {
    let mut present = Present::new(tree.leaves);
    let steps = tree.children.iter().map(|pair| {
        let [x, y] = pair.map(|node| node as usize);
        let step = [x.min(y), x.max(y)].map(|node| present.position(node));
        present.remove(x);
        present.remove(y);
        present.push();
        step
    });
    steps.collect()
}

/// The same tree with its contractions in an order that keeps few elements alive.
fn frugal(tree: Tree, problem: &Problem) -> Tree {
    let second = cost::second_first(&tree, problem);
    match tree.children.len() {
        0 => tree,
        inner => {
            let root = (tree.leaves + inner) as u32 - 1;
            ordered(tree.leaves, root, &tree.children, |i| second[i])
        }
    }
}

/// An order of contraction, and the labels that are sliced. Made by [`plan`] or from a path.
///
/// Serialised plans hold a version and the network, and are checked when they are read.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Plan {
    network: Network,
    tree: Tree,
    sliced: Vec<Label>,
    cost: Cost,
    work: u64,
}

/// Equal plans do the same; the work to find them does not matter.
impl PartialEq for Plan {
    fn eq(&self, other: &Self) -> bool {
        (&self.network, &self.tree, &self.sliced) == (&other.network, &other.tree, &other.sliced)
    }
}

/// One step of a plan: einsum of one operand or two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The arrays that are used up: operands by their numbers, then what each step gives has the next number.
    pub inputs: Vec<usize>,
    /// The labels of each of them, without sliced ones.
    pub labels: Vec<Vec<Label>>,
    /// The labels of what is given. Those of a product begin with labels that both operands have.
    pub result: Vec<Label>,
}

/// The version of serialised plans.
const VERSION: u32 = 1;

/// A plan as it is written.
#[derive(Serialize, Deserialize)]
struct Written {
    version: u32,
    network: Network,
    path: Vec<[usize; 2]>,
    sliced: Vec<Label>,
}

impl From<Plan> for Written {
    fn from(plan: Plan) -> Self {
        Self {
            version: VERSION,
            path: plan.ssa_path(),
            network: plan.network,
            sliced: plan.sliced,
        }
    }
}

impl TryFrom<Written> for Plan {
    type Error = Error;

    fn try_from(written: Written) -> Result<Self> {
        if written.version != VERSION {
            return Err(Error::new(format!(
                "a plan of version {}, expected {VERSION}",
                written.version
            )));
        }
        written.network.check()?;
        Self::from_ssa_path(&written.network, &written.path)?.sliced_by(&written.sliced)
    }
}

impl Plan {
    /// The tree with its contractions in an order that keeps few elements alive.
    fn new(network: Network, tree: Tree, sliced: Vec<Label>) -> Result<Self> {
        let tree = frugal(tree, &sliced_problem(&network, &sliced)?.0);
        Self::in_order(network, tree, sliced)
    }

    fn in_order(network: Network, tree: Tree, sliced: Vec<Label>) -> Result<Self> {
        let (mut problem, numbers) = sliced_problem(&network, &sliced)?;
        // Here no element at all is none.
        for (log, &label) in problem.logs.iter_mut().zip(&numbers) {
            *log = (network.size(label).unwrap_or(1) as f64).log2();
        }
        let sizes = sliced.iter().map(|&label| network.size(label));
        let slices = sizes.map(|n| (n.unwrap_or(1) as f64).log2()).sum();
        let cost = Cost::of(&tree, &problem, slices);
        Ok(Self {
            network,
            tree,
            sliced,
            cost,
            work: 0,
        })
    }

    /// A plan along a path in opt_einsum's linear form: each step names positions in the list of operands, which go;
    /// what they give is appended at the end. Steps of one position only move an operand; those of more than two
    /// are ordered here.
    ///
    /// # Errors
    /// A position is out of range or given twice, or a step has none. What the path leaves is multiplied in the end.
    pub fn from_path(network: &Network, path: &[Vec<usize>]) -> Result<Self> {
        let (problem, _) = network.problem();
        let mut present = Present::new(problem.len());
        // The node of a tree that each array of the path is, and the labels of each node.
        let mut nodes: Vec<usize> = (0..problem.len()).collect();
        let mut sets = problem.leaves.clone();
        let mut uses = Uses::new(&problem);
        let mut pairs: Vec<[usize; 2]> = Vec::new();
        let mut rest: Vec<usize> = Vec::new();
        for i in 0..=path.len() {
            let step = match path.get(i) {
                Some(step) => step,
                None if present.len() <= 1 => break,
                None => {
                    rest.extend(0..present.len());
                    &rest
                }
            };
            let mut positions = step.clone();
            positions.sort_unstable();
            let twice = positions.windows(2).any(|pair| pair[0] == pair[1]);
            if twice || positions.last().is_none_or(|&p| p >= present.len()) {
                return Err(Error::new(format!(
                    "step {i} of the path, {step:?}, does not fit {} arrays",
                    present.len()
                )));
            }
            let taken: Vec<usize> = positions
                .iter()
                .filter_map(|&p| present.number(p))
                .collect();
            taken.iter().for_each(|&number| present.remove(number));
            let taken: Vec<usize> = taken.iter().map(|&number| nodes[number]).collect();
            let local = part(&taken, &sets, &uses, &problem);
            let mut names = taken.clone();
            for &[x, y] in &search::few(&local).children {
                let (x, y) = (names[x as usize], names[y as usize]);
                let (_, kept) = uses.contracted(&sets[x], &sets[y]);
                uses.replace(&sets[x], &sets[y], &kept);
                pairs.push([x, y]);
                sets.push(kept);
                names.push(sets.len() - 1);
            }
            nodes.extend(names.last());
            if i < path.len() {
                present.push();
            }
        }
        let tree = Tree::new(problem.len(), &pairs)?;
        Self::in_order(network.clone(), tree, Vec::new())
    }

    /// A plan along a path in SSA form, as cotengra's `tree.get_ssa_path()` gives it: operands have the numbers from
    /// zero, and what each contraction gives has the next one. Labels that a tree of cotengra's slices are given to
    /// [`Plan::sliced_by`].
    ///
    /// # Errors
    /// An array is taken twice or before it is there, or more than one is left.
    pub fn from_ssa_path(network: &Network, path: &[[usize; 2]]) -> Result<Self> {
        let tree = Tree::new(network.operands().len(), path)?;
        Self::in_order(network.clone(), tree, Vec::new())
    }

    /// The same order with these labels sliced, and no others.
    ///
    /// # Errors
    /// A label is in no operand, or given twice.
    pub fn sliced_by(&self, labels: &[Label]) -> Result<Self> {
        Self::in_order(self.network.clone(), self.tree.clone(), labels.to_vec())
    }

    /// The network that is contracted.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The cost of the plan.
    #[must_use]
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// How many candidates and changes were tried to find the plan; zero for a given path. Equal on every machine where
    /// time is not limited.
    #[must_use]
    pub fn work(&self) -> u64 {
        self.work
    }

    /// The labels that are sliced.
    #[must_use]
    pub fn sliced(&self) -> &[Label] {
        &self.sliced
    }

    /// How many slices there are: the product of the sizes of sliced labels, if 64 bits count it.
    #[must_use]
    pub fn slices(&self) -> Option<u64> {
        let sizes = self.sliced.iter().map(|&l| self.network.size(l));
        sizes
            .map(|size| size.unwrap_or(1))
            .try_fold(1, u64::checked_mul)
    }

    /// The index of each sliced label in a slice, the last one the fastest.
    #[must_use]
    pub fn indices(&self, slice: u64) -> Vec<u64> {
        let mut rest = slice;
        let mut indices: Vec<u64> = self
            .sliced
            .iter()
            .rev()
            .map(|&label| {
                let size = self.network.size(label).unwrap_or(1).max(1);
                let index = rest % size;
                rest /= size;
                index
            })
            .collect();
        indices.reverse();
        indices
    }

    /// The contractions in opt_einsum's linear form.
    #[must_use]
    pub fn path(&self) -> Vec<[usize; 2]> {
        linear(&self.tree)
    }

    /// The contractions in SSA form: the tree.
    #[must_use]
    pub fn ssa_path(&self) -> Vec<[usize; 2]> {
        let pairs = self.tree.children.iter();
        pairs.map(|pair| pair.map(|node| node as usize)).collect()
    }

    /// The work for each slice. An operand with labels that no other array has, or with repeated ones, is
    /// summed or its diagonal taken in a step of its own. A network of one operand has one step, an empty one none.
    #[must_use]
    pub fn steps(&self) -> Vec<Step> {
        let operands = self.network.operands();
        let unsliced = |labels: &[Label]| -> Vec<Label> {
            let kept = labels.iter().copied();
            kept.filter(|label| !self.sliced.contains(label)).collect()
        };
        let mut uses = LabelUses::default();
        for labels in operands.iter().chain([&self.network.output().to_vec()]) {
            uses.add(&different(labels));
        }
        let mut steps: Vec<Step> = Vec::new();
        // The number and the labels of the array at each node of the tree.
        let mut arrays: Vec<(usize, Vec<Label>)> = Vec::new();
        let mut next = operands.len();
        for (i, operand) in operands.iter().enumerate() {
            let labels = unsliced(operand);
            let own = different(&labels);
            let result: Vec<Label> = own.iter().copied().filter(|&l| uses.of(l) > 1).collect();
            if operands.len() > 1 && result.len() < labels.len() {
                uses.remove(&own);
                uses.add(&result);
                steps.push(Step {
                    inputs: vec![i],
                    labels: vec![labels],
                    result: result.clone(),
                });
                arrays.push((next, result));
                next += 1;
            } else {
                arrays.push((i, labels));
            }
        }
        let output = unsliced(self.network.output());
        for (i, &[x, y]) in self.tree.children.iter().enumerate() {
            let [x, y] = [x, y].map(|node| std::mem::take(&mut arrays[node as usize]));
            uses.remove(&x.1);
            uses.remove(&y.1);
            let result = if i + 1 == self.tree.children.len() {
                output.clone()
            } else {
                let kept = |label: &Label| uses.of(*label) > 0;
                let both = x.1.iter().filter(|label| y.1.contains(label));
                let one = x.1.iter().filter(|label| !y.1.contains(label));
                let other = y.1.iter().filter(|label| !x.1.contains(label));
                both.chain(one).chain(other).copied().filter(kept).collect()
            };
            uses.add(&result);
            steps.push(Step {
                inputs: vec![x.0, y.0],
                labels: vec![x.1, y.1],
                result: result.clone(),
            });
            arrays.push((next, result));
            next += 1;
        }
        if let [(0, labels)] = arrays.as_slice() {
            steps.push(Step {
                inputs: vec![0],
                labels: vec![labels.clone()],
                result: output,
            });
        }
        steps
    }
}

/// Labels without repetitions, in order of appearance.
fn different(labels: &[Label]) -> Vec<Label> {
    let mut result: Vec<Label> = Vec::with_capacity(labels.len());
    for &label in labels {
        if !result.contains(&label) {
            result.push(label);
        }
    }
    result
}

/// How many arrays, the output among them, have a label.
#[derive(Default)]
struct LabelUses(rustc_hash::FxHashMap<Label, usize>);

impl LabelUses {
    fn of(&self, label: Label) -> usize {
        self.0.get(&label).copied().unwrap_or(0)
    }

    fn add(&mut self, labels: &[Label]) {
        labels
            .iter()
            .for_each(|&l| *self.0.entry(l).or_default() += 1);
    }

    fn remove(&mut self, labels: &[Label]) {
        for label in labels {
            self.0.entry(*label).and_modify(|n| *n -= 1);
        }
    }
}

/// The problem without sliced labels, and which label each number is.
fn sliced_problem(network: &Network, sliced: &[Label]) -> Result<(Problem, Vec<Label>)> {
    let (problem, numbers) = network.problem();
    let mut list: Vec<u32> = Vec::with_capacity(sliced.len());
    for &label in sliced {
        let number = numbers.of_label.get(&label);
        let Some(&number) = number.filter(|number| !list.contains(number)) else {
            return Err(Error::new(format!(
                "label {} cannot be sliced: no operand has it, or it is there twice",
                network.name(label)
            )));
        };
        list.push(number);
    }
    Ok((problem.without(&list), numbers.labels))
}

/// Some arrays of a partly contracted network as a problem of their own.
fn part(taken: &[usize], sets: &[Vec<u32>], uses: &Uses, problem: &Problem) -> Problem {
    let mut all: Vec<u32> = Vec::new();
    for &node in taken {
        all = union(&all, &sets[node]);
    }
    let outside = |label: &u32| {
        let having = taken
            .iter()
            .filter(|&&n| sets[n].binary_search(label).is_ok());
        uses.of(*label) as usize > having.count()
    };
    Problem {
        leaves: taken.iter().map(|&node| sets[node].clone()).collect(),
        output: all.into_iter().filter(outside).collect(),
        logs: problem.logs.clone(),
    }
}

/// The costs, then one line for each contraction.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cost {
            operations,
            largest,
            written,
            peak,
            slices,
        } = self.cost;
        writeln!(
            f,
            "{} operands, 2^{operations:.2} operations, 2^{written:.2} elements written, largest 2^{largest:.2}, peak 2^{peak:.2}",
            self.tree.leaves
        )?;
        if !self.sliced.is_empty() {
            let labels: Vec<String> = self.sliced.iter().map(|&l| self.network.name(l)).collect();
            writeln!(f, "2^{slices:.2} slices of {}", labels.join(" "))?;
        }
        for step in self.steps() {
            let inputs: Vec<String> = step.inputs.iter().map(ToString::to_string).collect();
            let labels: Vec<String> = step.labels.iter().map(|l| self.network.names(l)).collect();
            writeln!(
                f,
                "{}: {} -> {}",
                inputs.join(", "),
                labels.join(", "),
                self.network.names(&step.result)
            )?;
        }
        Ok(())
    }
}
