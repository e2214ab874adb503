//! Plans against a sum over all indices at once, paths in and out, slices, serialisation, and bad input.

mod naive;

use std::collections::BTreeSet;

use autojit_contract::{Label, Network, Options, Plan, plan};
use naive::{Array, Draws, einsum, run};

fn options(steps: u64) -> Options {
    Options {
        steps,
        ..Options::default()
    }
}

/// A network with hyperedges, diagonals, labels of one operand, outer labels, and sizes from zero or one up.
fn random_network(draws: &mut Draws, operands: usize, smallest: u64) -> (Network, Vec<Array>) {
    let labels = 1 + draws.below(7) as Label;
    let sizes: Vec<(Label, u64)> = (0..labels)
        .map(|label| (label, smallest + draws.below(3) as u64))
        .collect();
    let lists: Vec<Vec<Label>> = (0..operands)
        .map(|_| {
            let count = draws.below(4);
            (0..count)
                .map(|_| draws.below(labels as usize) as Label)
                .collect()
        })
        .collect();
    let present: BTreeSet<Label> = lists.iter().flatten().copied().collect();
    let output = present
        .into_iter()
        .filter(|_| draws.below(3) == 0)
        .collect();
    let network = Network::new(lists, output, sizes).unwrap();
    let arrays = network.operands().iter().map(|labels| {
        let shape: Vec<u64> = labels.iter().map(|&l| network.size(l).unwrap()).collect();
        Array::random(shape, draws)
    });
    let arrays = arrays.collect();
    (network, arrays)
}

fn expected(network: &Network, arrays: &[Array]) -> Array {
    let inputs: Vec<(&Array, &[Label])> = arrays
        .iter()
        .zip(network.operands())
        .map(|(array, labels)| (array, labels.as_slice()))
        .collect();
    einsum(&inputs, network.output(), &|label| {
        network.size(label).unwrap()
    })
}

#[test]
fn plans_sum_what_the_network_says() {
    let mut draws = Draws(1);
    for case in 0..400 {
        let count = draws.below(10);
        let (network, arrays) = random_network(&mut draws, count, u64::from(case % 5 != 0));
        let plan = plan(&network, &options(2000)).unwrap();
        assert_eq!(run(&plan, &arrays), expected(&network, &arrays), "{plan}");
    }
}

#[test]
fn annealed_plans_sum_what_the_network_says() {
    let mut draws = Draws(2);
    for _ in 0..20 {
        let (network, arrays) = random_network(&mut draws, 18, 1);
        let plan = plan(&network, &options(20_000)).unwrap();
        assert_eq!(run(&plan, &arrays), expected(&network, &arrays), "{plan}");
    }
}

#[test]
fn slices_sum_to_the_whole() {
    let mut draws = Draws(3);
    let mut sliced = 0;
    for case in 0..100 {
        let count = 2 + draws.below(14);
        let (network, arrays) = random_network(&mut draws, count, 1);
        let options = Options {
            largest: Some(1.0 + draws.below(8) as f64),
            slice_output: case % 2 == 0,
            ..options(3000)
        };
        match plan(&network, &options) {
            Ok(plan) => {
                sliced += usize::from(!plan.sliced().is_empty());
                assert!(
                    plan.cost().largest() <= options.largest.unwrap() + 1e-6,
                    "{plan}"
                );
                assert_eq!(run(&plan, &arrays), expected(&network, &arrays), "{plan}");
                let kept =
                    |label: &Label| options.slice_output || !network.output().contains(label);
                assert!(plan.sliced().iter().all(kept), "{plan}");
            }
            Err(e) => {
                assert!(!options.slice_output, "{e}");
                assert!(e.to_string().contains("more than the limit"), "{e}");
            }
        }
    }
    assert!(sliced > 10, "{sliced}");
}

/// A grid of two-dimensional bonds.
fn grid(rows: u32, columns: u32) -> Network {
    let mut operands = Vec::new();
    for row in 0..rows {
        for column in 0..columns {
            let (right, down) = (
                2 * (row * columns + column),
                2 * (row * columns + column) + 1,
            );
            let mut labels = Vec::new();
            labels.extend((column + 1 < columns).then_some(right));
            labels.extend((row + 1 < rows).then_some(down));
            labels.extend(column.checked_sub(1).map(|_| right - 2));
            labels.extend(row.checked_sub(1).map(|_| down - 2 * columns));
            operands.push(labels);
        }
    }
    Network::new(operands, vec![], (0..2 * rows * columns).map(|l| (l, 2))).unwrap()
}

#[test]
fn the_seed_and_the_steps_decide() {
    let network = grid(6, 6);
    let with = |seed, largest| {
        let options = Options {
            seed,
            largest,
            ..options(60_000)
        };
        plan(&network, &options).unwrap()
    };
    for largest in [None, Some(16.0)] {
        assert_eq!(with(5, largest), with(5, largest));
    }
    assert_ne!(with(5, None).path(), with(6, None).path());
}

#[test]
fn the_path_of_a_grid_is_known() {
    // Exchanging a row at a time takes no more than this; what is pinned does not depend on the machine.
    let plan = plan(&grid(8, 8), &options(200_000)).unwrap();
    assert!(plan.cost().log2_largest() <= 9.0, "{plan}");
    assert!(plan.cost().log2_operations() < 15.5, "{plan}");
}

#[test]
fn no_arrays_are_above_the_limit_and_few_operations_are_added() {
    let network = grid(10, 10);
    let whole = plan(&network, &options(400_000)).unwrap();
    let options = Options {
        largest: Some(256.0),
        ..options(1_000_000)
    };
    let sliced = plan(&network, &options).unwrap();
    assert!(sliced.cost().largest() <= 256.0);
    assert_eq!(sliced.slices(), Some(sliced.cost().slices() as u64));
    let overhead = sliced.cost().operations() / whole.cost().operations();
    assert!(
        overhead < 6.0,
        "{overhead} in {} slices",
        sliced.cost().slices()
    );
}

#[test]
fn chains_take_the_known_number_of_operations() {
    // Cormen et al., "Introduction to Algorithms", section 15.2.
    let sizes = [30, 35, 15, 5, 10, 20, 25];
    let chain = |count: u32| (0..count).map(|i| vec![i, i + 1]).collect::<Vec<_>>();
    let network = Network::new(chain(6), vec![0, 6], (0..).zip(sizes)).unwrap();
    let plan = plan(&network, &Options::default()).unwrap();
    assert_eq!(plan.cost().operations(), 15125.0);
}

#[test]
fn paths_go_out_and_in() {
    let mut draws = Draws(4);
    for count in 1..12 {
        let (network, arrays) = random_network(&mut draws, count, 1);
        let found = plan(&network, &options(2000)).unwrap();
        let path: Vec<Vec<usize>> = found.path().iter().map(|pair| pair.to_vec()).collect();
        assert_eq!(
            Plan::from_path(&network, &path).unwrap().cost(),
            found.cost()
        );
        let again = Plan::from_ssa_path(&network, &found.ssa_path()).unwrap();
        assert_eq!(again, found);
        // All at once, and one alone before.
        for path in [vec![(0..count).collect()], vec![vec![0]]] {
            let whole = Plan::from_path(&network, &path).unwrap();
            assert_eq!(run(&whole, &arrays), expected(&network, &arrays), "{whole}");
        }
        let sliced = found.sliced_by(
            &network.operands()[0]
                .iter()
                .copied()
                .take(1)
                .collect::<Vec<_>>(),
        );
        assert_eq!(run(&sliced.unwrap(), &arrays), expected(&network, &arrays));
    }
}

#[test]
fn plans_are_written_and_read() {
    let options = Options {
        largest: Some(8.0),
        ..options(20_000)
    };
    let plan = plan(&grid(4, 5), &options).unwrap();
    let text = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
    for (from, to, why) in [
        ("\"version\":1", "\"version\":2", "version"),
        ("\"path\":[[", "\"path\":[[99,0],[", "contractions"),
        ("\"sliced\":[", "\"sliced\":[77,", "sliced"),
        ("\"output\":[", "\"output\":[77", "output"),
    ] {
        let bad = text.replacen(from, to, 1);
        assert_ne!(bad, text);
        let error = serde_json::from_str::<Plan>(&bad).unwrap_err().to_string();
        assert!(!error.is_empty(), "{why}: {error}");
    }
}

#[test]
fn sizes_of_zero_and_more_than_a_float_counts() {
    let empty = Network::parse("ab,bc->ac", &[vec![2, 0], vec![0, 3]]).unwrap();
    let plan_of = |network: &Network| plan(network, &options(1000)).unwrap();
    assert_eq!(plan_of(&empty).cost().operations(), 0.0);
    assert_eq!(plan_of(&empty).cost().largest(), 6.0);
    // An outer product of 40 vectors of 2^60 elements.
    let huge: Vec<Vec<Label>> = (0..40).map(|l| vec![l]).collect();
    let huge = Network::new(huge, (0..40).collect(), (0..40).map(|l| (l, 1 << 60))).unwrap();
    let cost = plan_of(&huge).cost();
    assert_eq!(cost.log2_largest(), 2400.0);
    assert!(cost.log2_operations() >= 2400.0 && cost.log2_operations() < 2401.0);
    let nothing = Network::new(vec![], vec![], []).unwrap();
    assert!(plan_of(&nothing).steps().is_empty());
    assert_eq!(plan_of(&nothing).cost().operations(), 0.0);
}

#[test]
fn thousands_of_operands_are_planned_in_work_that_is_near_linear() {
    let work = |count: u32| {
        let operands = (0..count).map(|i| vec![i, i + 1]).collect();
        let sizes = (0..=count).map(|l| (l, 2 + u64::from(l * 7 % 5)));
        let network = Network::new(operands, vec![0, count], sizes).unwrap();
        let options = Options {
            steps: 0,
            ..Options::default()
        };
        let plan = plan(&network, &options).unwrap();
        assert_eq!(plan.path().len(), count as usize - 1);
        plan.work()
    };
    let (small, large) = (work(2_000), work(32_000));
    assert!(large < 20 * small, "{small} and {large}");
}

#[test]
fn networks_with_more_labels_than_a_set_has_bits_are_improved() {
    let network = grid(40, 40);
    let with = |steps| {
        plan(&network, &options(steps))
            .unwrap()
            .cost()
            .log2_operations()
    };
    let (greedy, annealed) = (with(1), with(3_000_000));
    assert!(annealed < greedy, "{greedy} and {annealed}");
}

#[test]
fn bad_input_is_an_error_in_words() {
    let error = |result: Result<Network, autojit_contract::Error>| result.unwrap_err().to_string();
    let parse = |text: &str, shapes: &[Vec<u64>]| error(Network::parse(text, shapes));
    let square = vec![2, 2];
    for (text, shapes, why) in [
        (
            "ab,bc->ac",
            vec![square.clone()],
            "2 operands are named, but there are 1 shapes",
        ),
        ("ab->a", vec![vec![2]], "operand 0 has 2 labels"),
        (
            "ab,bc->ac",
            vec![square.clone(), vec![3, 2]],
            "label b is 2 long, but 3 long in operand 1",
        ),
        ("aa->a", vec![vec![2, 3]], "label a is 2 long, but 3"),
        (
            "ab->c",
            vec![square.clone()],
            "label c of the result is in no operand",
        ),
        (
            "ab->aa",
            vec![square.clone()],
            "label a is twice in the result",
        ),
        ("...b->b", vec![square.clone()], "an ellipsis"),
        ("a->b->a", vec![vec![2]], "is not a label"),
        ("", vec![square.clone()], "operand 0 has 0 labels"),
    ] {
        let message = parse(text, &shapes);
        assert!(message.contains(why), "{text}: {message}");
    }
    let message = error(Network::new(vec![vec![0, 1]], vec![], [(0, 2)]));
    assert!(
        message.contains("label 1 of operand 0 has no size"),
        "{message}"
    );
    let message = error(Network::new(vec![vec![0]], vec![], [(0, 2), (0, 3)]));
    assert!(message.contains("has the sizes 2 and 3"), "{message}");

    let network = grid(2, 2);
    for path in [vec![vec![0, 4]], vec![vec![1, 1]], vec![vec![]]] {
        let message = Plan::from_path(&network, &path).unwrap_err().to_string();
        assert!(message.contains("does not fit 4 arrays"), "{message}");
    }
    for path in [
        vec![[0, 1]],
        vec![[0, 1], [0, 2], [3, 4]],
        vec![[0, 6], [1, 2], [3, 4]],
        vec![[0, 0], [1, 2], [3, 4]],
    ] {
        assert!(Plan::from_ssa_path(&network, &path).is_err(), "{path:?}");
    }
    let whole = plan(&network, &Options::default()).unwrap();
    assert!(whole.sliced_by(&[99]).is_err());
    assert!(whole.sliced_by(&[0, 0]).is_err());
    for options in [
        Options {
            largest: Some(0.5),
            ..Options::default()
        },
        Options {
            largest: Some(f64::NAN),
            ..Options::default()
        },
        Options {
            per_element: -1.0,
            ..Options::default()
        },
    ] {
        assert!(plan(&network, &options).is_err(), "{options:?}");
    }
}
