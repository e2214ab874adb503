//! Programs of several ranks: each test runs the test program again by `mpirun`, with that test alone.

mod contractions;
mod ends;
mod maps;

use std::collections::BTreeSet;
use std::env;
use std::process::{Command, Output};

use autojit::contract::{Label, Network, Options, Plan, plan};
use autojit::ir::Class;
use autojit::num_complex::Complex64;
use autojit::{Array, DType};

/// Set in the ranks: the test that they run.
const TEST: &str = "AUTOJIT_TEST_RANKS";

/// Whether this process is a rank of a test.
fn is_rank(test: &str) -> bool {
    env::var(TEST).is_ok_and(|running| running == test)
}

/// So many ranks that run one test. There may be more of them than cores, and root may run them.
fn mpirun(ranks: usize, test: &str) -> Command {
    let mut command = Command::new("mpirun");
    command.args(["-n", &ranks.to_string()]);
    command.arg(env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture", "--include-ignored"]);
    command.env(TEST, test);
    command.env("OMPI_MCA_rmaps_base_oversubscribe", "1");
    command.env("OMPI_MCA_hwloc_base_binding_policy", "none");
    command.env("OMPI_ALLOW_RUN_AS_ROOT", "1");
    command.env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
    command
}

/// What ranks that pass printed.
#[track_caller]
fn passed(ranks: usize, test: &str) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = mpirun(ranks, test).output().unwrap();
    let text = String::from_utf8_lossy(&stdout).into_owned();
    let errors = String::from_utf8_lossy(&stderr);
    assert!(
        status.success() && text.matches("1 passed").count() == ranks,
        "{ranks} ranks of {test}: {status}\n{text}\n{errors}"
    );
    text
}

/// Numbers without a pattern.
fn draws(shape: &[usize], dtype: DType, seed: usize) -> Array {
    let size: usize = shape.iter().product();
    let number = |i: usize| ((i * 7 + seed * 13 + 5) as f64 * 0.7548776662466927).fract() - 0.5;
    let array = match dtype.class() {
        Class::Complex => {
            let z = |i| Complex64::new(number(i), number(i + 1000));
            Array::from((0..size).map(z).collect::<Vec<_>>())
        }
        Class::Bool | Class::Integer => panic!("no draws of {dtype}"),
        Class::Float => Array::from((0..size).map(number).collect::<Vec<_>>()),
    };
    array.reshape(shape.to_vec()).astype(dtype)
}

/// A square lattice with an open leg, or without one, and its plan with these labels sliced: rows times columns.
fn lattice(dtype: DType, open: bool, sliced: &[Label]) -> (Plan, Vec<Array>) {
    const SIDE: u32 = 4;
    const LEG: Label = 1000;
    let edge = |row: u32, column: u32, down: u32| 2 * (row * SIDE + column) + down;
    let mut inputs = Vec::new();
    for (row, column) in (0..SIDE * SIDE).map(|i| (i / SIDE, i % SIDE)) {
        let mut labels = BTreeSet::new();
        labels.extend((column + 1 < SIDE).then(|| edge(row, column, 0)));
        labels.extend((row + 1 < SIDE).then(|| edge(row, column, 1)));
        labels.extend((column > 0).then(|| edge(row, column.wrapping_sub(1), 0)));
        labels.extend((row > 0).then(|| edge(row.wrapping_sub(1), column, 1)));
        inputs.push(labels.into_iter().collect::<Vec<_>>());
    }
    if open {
        inputs[5].push(LEG);
    }
    let all: BTreeSet<Label> = inputs.iter().flatten().copied().collect();
    let sizes = all.iter().map(|&l| (l, if l == LEG { 5 } else { 4 }));
    let output = open.then_some(LEG).into_iter().collect();
    let network = Network::new(inputs, output, sizes.collect::<Vec<_>>()).unwrap();
    let options = Options {
        steps: 20_000,
        ..Options::default()
    };
    let plan = plan(&network, &options).unwrap();
    let plan = plan.sliced_by(sliced).unwrap();
    let operands = network.operands().iter().enumerate().map(|(i, labels)| {
        let size = |&label: &Label| network.size(label).unwrap() as usize;
        draws(&labels.iter().map(size).collect::<Vec<_>>(), dtype, i)
    });
    let operands = operands.collect();
    (plan, operands)
}

/// The bits of the elements.
fn bits(x: &Array) -> Vec<(u64, u64)> {
    let elements = x.astype(DType::Complex128);
    let elements = elements.to_vec::<Complex64>().unwrap();
    elements
        .iter()
        .map(|z| (z.re.to_bits(), z.im.to_bits()))
        .collect()
}
