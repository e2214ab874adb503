//! Orders of contraction: the best of all, many operands, and what is refused.

use super::*;
use crate::types::DType;

fn sized(subscripts: &Subscripts, size: impl Fn(usize) -> usize) -> FxHashMap<char, usize> {
    let mut sizes = FxHashMap::default();
    for &label in subscripts.operands.iter().flatten() {
        let next = sizes.len();
        sizes.entry(label).or_insert_with(|| size(next));
    }
    sizes
}

/// [`super::find`] for operands of these sizes.
fn find(
    subscripts: &Subscripts,
    sizes: &FxHashMap<char, usize>,
    search: Search,
) -> Result<Vec<Step>> {
    let shape = |labels: &Vec<char>| labels.iter().map(|l| sizes[l]).collect::<Vec<_>>();
    let types = subscripts.operands.iter();
    let types: Vec<ArrayType> = types
        .map(|labels| ArrayType::new(DType::Float64, &shape(labels)))
        .collect();
    super::find(subscripts, &types.iter().collect::<Vec<_>>(), sizes, search)
}

fn cost(subscripts: &Subscripts, sizes: &FxHashMap<char, usize>, search: Search) -> f64 {
    let path = find(subscripts, sizes, search).unwrap();
    let steps = contractions(subscripts, &path).unwrap();
    costs(&steps, sizes).iter().map(|c| c.0).sum()
}

/// Every order of three or four operands, by trying them all.
fn cheapest(subscripts: &Subscripts, sizes: &FxHashMap<char, usize>) -> f64 {
    fn paths(count: usize) -> Vec<Vec<Step>> {
        if count == 1 {
            return vec![vec![]];
        }
        let pairs = (0..count).flat_map(|i| (i + 1..count).map(move |j| vec![i, j]));
        pairs
            .flat_map(|pair| {
                paths(count - 1).into_iter().map(move |rest| {
                    let mut path = vec![pair.clone()];
                    path.extend(rest);
                    path
                })
            })
            .collect()
    }
    paths(subscripts.operands.len())
        .iter()
        .map(|path| {
            let steps = contractions(subscripts, path).unwrap();
            costs(&steps, sizes).iter().map(|c| c.0).sum()
        })
        .fold(f64::INFINITY, f64::min)
}

#[test]
fn the_best_order_is_the_best_of_all() {
    for text in [
        "ab,bc,cd->ad",
        "ab,bc,cd,de->ae",
        "abc,cd,be,deb->a",
        "a,b,ab->",
        "ij,jk,ki,k->i",
        "ab,cd,e,abc->de",
        "abx,bcx,cdx,dax->x",
    ] {
        let subscripts = Subscripts::parse(text).unwrap();
        for seed in 1..20 {
            let sizes = sized(&subscripts, |n| 1 + (n * 7 + seed * (n + 3)) % 9);
            let optimal = cost(&subscripts, &sizes, Search::Optimal);
            assert_eq!(optimal, cheapest(&subscripts, &sizes), "{text} {sizes:?}");
            assert!(cost(&subscripts, &sizes, Search::Greedy) >= optimal);
        }
    }
}

#[test]
fn paths_are_linear_and_checked() {
    let subscripts = Subscripts::parse("ab,bc,cd->ad").unwrap();
    let sizes = |a, b, c, d| FxHashMap::from_iter([('a', a), ('b', b), ('c', c), ('d', d)]);
    let find = |sizes| self::find(&subscripts, &sizes, Search::Auto).unwrap();
    assert_eq!(find(sizes(2, 9, 9, 9)), [[0, 1], [0, 1]]);
    assert_eq!(find(sizes(9, 9, 9, 2)), [[1, 2], [0, 1]]);
    for bad in [
        vec![vec![0, 3], vec![0, 1]],
        vec![vec![0, 0], vec![0, 1]],
        vec![vec![], vec![0, 1, 2]],
        vec![vec![0, 1]],
        vec![],
    ] {
        let error = contractions(&subscripts, &bad).unwrap_err();
        assert!(error.is_value(), "{bad:?}");
    }
    let steps = contractions(&subscripts, &[vec![2, 1], vec![1, 0]]).unwrap();
    let texts: Vec<String> = steps.iter().map(|s| s.subscripts.to_string()).collect();
    assert_eq!(texts, ["bc,cd->bd", "ab,bd->ad"]);
}

/// A square lattice of tensors, whose whole sum has more terms than an `f64` can count.
#[test]
fn hundreds_of_operands_are_no_hundredfold_sum() {
    const SIDE: usize = 18;
    let label = |n: usize| char::from_u32(0x4e00 + n as u32).unwrap();
    let mut operands = Vec::new();
    for row in 0..SIDE {
        for column in 0..SIDE {
            let right = |row: usize, column: usize| label(2 * (row * SIDE + column));
            let down = |row: usize, column: usize| label(2 * (row * SIDE + column) + 1);
            let mut labels = Vec::new();
            if column + 1 < SIDE {
                labels.push(right(row, column));
            }
            if column > 0 {
                labels.push(right(row, column - 1));
            }
            if row + 1 < SIDE {
                labels.push(down(row, column));
            }
            if row > 0 {
                labels.push(down(row - 1, column));
            }
            operands.push(labels);
        }
    }
    let subscripts = Subscripts {
        operands,
        result: vec![],
    };
    let sizes = sized(&subscripts, |_| 4);
    let path = find(&subscripts, &sizes, Search::Auto).unwrap();
    let steps = contractions(&subscripts, &path).unwrap();
    let total: f64 = costs(&steps, &sizes).iter().map(|c| c.0).sum();
    // All at once it takes 4^612 products; a greedy search is not expected to find the 4^23 of row by row.
    assert!(total < 4f64.powi(32), "{total:e}");
    assert!(
        find(&subscripts, &sizes, Search::Optimal)
            .unwrap_err()
            .is_value()
    );
}

/// An axis of length one that stands for a longer label does not count.
#[test]
fn stretched_axes_cost_nothing() {
    let subscripts = Subscripts::parse("ab,bc,ac->abc").unwrap();
    let types = [[1, 50], [50, 40], [60, 1]].map(|shape| ArrayType::new(DType::Float64, &shape));
    let types: Vec<&ArrayType> = types.iter().collect();
    let sizes = subscripts.sizes(&types).unwrap();
    let path = super::find(&subscripts, &types, &sizes, Search::Auto).unwrap();
    // 50 x 40 products, then all; each other order makes an array of 50 x 60 or of 60 x 40 first.
    assert_eq!(path, [[0, 1], [0, 1]]);
}

#[test]
fn empty_axes_are_ordered_as_if_they_had_elements() {
    let subscripts = Subscripts::parse("ab,bc,cd->ad").unwrap();
    let sizes = FxHashMap::from_iter([('a', 2), ('b', 0), ('c', 9), ('d', 9)]);
    let path = find(&subscripts, &sizes, Search::Auto).unwrap();
    // With one element 9 x 9 and 2 x 9 products, instead of 2 x 9 and 2 x 9 x 9.
    assert_eq!(path, [[1, 2], [0, 1]]);
}
