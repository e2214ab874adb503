//! Contractions and gradients over ranks, against those of one process.

use std::ops::ControlFlow;

use autojit::contract::{self, Execute, Network, Options, Progress};
use autojit::{Array, DType, Error, numpy as np};
use autojit_mpi::{Ranks, Run};

use super::{bits, draws, is_rank, lattice, passed};

/// Labels of the lattice that are sliced, the open leg among them: 5 * 256 slices.
const SLICED: [u32; 5] = [2, 10, 18, 26, 1000];

#[test]
fn any_number_of_ranks_gives_the_same_bits() {
    const TEST: &str = "contractions::any_number_of_ranks_gives_the_same_bits";
    if !is_rank(TEST) {
        let texts: Vec<String> = [1, 2, 3, 4].map(|ranks| passed(ranks, TEST)).into();
        let results = |text: &str| -> Vec<String> {
            let lines = text.lines().filter(|line| line.contains("result of "));
            let mut lines: Vec<String> = lines.map(str::to_owned).collect();
            lines.sort();
            lines.dedup();
            lines
        };
        let first = results(&texts[0]);
        assert_eq!(first.len(), 4, "{}", texts[0]);
        for text in &texts {
            assert_eq!(results(text), first);
        }
        return;
    }
    let ranks = Ranks::start().unwrap();
    for dtype in [DType::Float32, DType::Complex128] {
        let (plan, operands) = lattice(dtype, true, &SLICED);
        let compiled = plan.compile().unwrap();
        let sum = ranks.contract(&compiled, &operands, Run::new()).unwrap();
        let alone = compiled.run(&operands, contract::Run::new()).unwrap();
        assert_eq!(bits(&sum), bits(&alone));
        assert_eq!(compiled.compilations(), 1);
        println!("\nresult of {dtype}: {:x?}", bits(&sum));
    }
    // A gradient is added in the same way.
    let (plan, operands) = lattice(DType::Float64, false, &SLICED[..3]);
    let compiled = plan.compile_gradient().unwrap();
    let (value, gradient) = ranks
        .contract_gradient(&compiled, &operands, Run::new())
        .unwrap();
    let (expected, gradients) = compiled.run(&operands, contract::Run::new()).unwrap();
    assert_eq!(bits(&value), bits(&expected));
    for (got, expected) in gradient.iter().zip(&gradients) {
        assert_eq!(bits(got), bits(expected));
    }
    println!("\nresult of a gradient: {:x?}", bits(&gradient[7]));
    // A result that is longer than what MPI sends at once.
    let network = Network::parse("ac,bc->ab", &[vec![300, 2], vec![400, 2]]).unwrap();
    let plan = contract::plan(&network, &Options::default()).unwrap();
    let plan = plan
        .sliced_by(&"c".chars().map(u32::from).collect::<Vec<_>>())
        .unwrap();
    let x = draws(&[300, 2], DType::Float64, 1);
    let y = draws(&[400, 2], DType::Float64, 2);
    let product = ranks.contract(
        &plan.compile().unwrap(),
        &[x.clone(), y.clone()],
        Run::new(),
    );
    let difference = product.unwrap() - np::matmul(x, y.t());
    let difference = np::max(np::abs(difference), ..).item::<f64>().unwrap();
    assert!(difference < 1e-15, "{difference}");
    println!("\nresult of a product: {difference:e}");
}

#[test]
fn plans_and_operands_of_rank_0_are_those_of_all() {
    const TEST: &str = "contractions::plans_and_operands_of_rank_0_are_those_of_all";
    if !is_rank(TEST) {
        passed(3, TEST);
        return;
    }
    let ranks = Ranks::start().unwrap();
    let rank = ranks.rank();
    assert!(rank < 3 && ranks.size() == 3);
    assert_eq!(format!("{ranks:?}"), format!("rank {rank} of 3"));
    let made = ranks.broadcast(|| {
        assert_eq!(rank, 0);
        Ok(vec![
            Array::from([1.5, -0.0]),
            Array::from([[true], [false]]),
        ])
    });
    let made = made.unwrap();
    assert_eq!(made[0].to_vec::<f64>().unwrap()[1].to_bits(), 1 << 63);
    assert_eq!(made[1].shape().unwrap(), [2, 1]);
    let error = ranks
        .broadcast(|| Err(Error::file("no such file")))
        .unwrap_err();
    assert!(error.is_file());
    assert!(
        error.to_string().starts_with("rank 0: no such file"),
        "{error}"
    );

    let (plan, _) = lattice(DType::Float64, true, &[]);
    let found = ranks.plan(
        plan.network(),
        &Options {
            steps: 1000,
            ..Options::default()
        },
    );
    // The text of a plan is that plan.
    let found = found.unwrap().to_string();
    let bytes: Vec<f64> = found.bytes().map(f64::from).collect();
    let first = ranks
        .broadcast(|| Ok(vec![Array::from(bytes.clone())]))
        .unwrap();
    assert_eq!(first[0].to_vec::<f64>().unwrap(), bytes);
}

/// Every rank ends with the error of one, and the next call is as if nothing had been.
#[test]
fn an_error_of_one_rank_is_that_of_all() {
    const TEST: &str = "contractions::an_error_of_one_rank_is_that_of_all";
    if !is_rank(TEST) {
        passed(3, TEST);
        return;
    }
    let ranks = Ranks::start().unwrap();
    let (plan, operands) = lattice(DType::Float64, true, &SLICED);
    let compiled = plan.compile().unwrap();
    let fails = |operands: &[Array], run: Run<'_>| {
        let error = ranks.contract(&compiled, operands, run).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("crates/mpi/tests/contractions.rs:"), "{text}");
        (error, text)
    };
    let expected = compiled.run(&operands, contract::Run::new()).unwrap();
    let works = || {
        let sum = ranks.contract(&compiled, &operands, Run::new()).unwrap();
        assert_eq!(bits(&sum), bits(&expected));
    };
    let mut others = operands.clone();
    if ranks.rank() == 2 {
        others[3] = &others[3] + 1.0;
    }
    let (error, text) = fails(&others, Run::new());
    assert!(error.is_value());
    assert!(
        text.starts_with("rank 2: the plan or the operands differ from those of rank 0"),
        "{text}"
    );
    if ranks.rank() == 2 {
        others[3] = others[3].astype(DType::Float32);
    }
    let (error, text) = fails(&others, Run::new());
    assert!(error.is_dtype());
    assert!(text.starts_with("rank 2: operand 3 is f32["), "{text}");
    works();

    let (error, text) = fails(&operands, Run::new().memory_limit(1000));
    assert!(error.is_value());
    assert!(text.contains("more than the limit of 1000"), "{text}");
    let nowhere = Run::new().checkpoint("/no/such/folder/file", std::time::Duration::ZERO);
    let (error, text) = fails(&operands, nowhere);
    assert!(error.is_file());
    assert!(
        text.starts_with("rank 0: cannot write /no/such/folder/file"),
        "{text}"
    );
    works();

    let mut seen = 0;
    let mut few = |_: &Progress| {
        seen += 1;
        if seen < 20 {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    };
    let (error, text) = fails(&operands, Run::new().progress(&mut few));
    assert!(error.is_interrupted());
    assert!(
        text.starts_with("rank 0: ended by its progress function after "),
        "{text}"
    );
    assert_eq!(seen, if ranks.rank() == 0 { 20 } else { 0 });
    works();
    let one = ranks.rank() == 1;
    let own = if one {
        Err(Error::linear_algebra("singular"))
    } else {
        Ok(7)
    };
    let error = ranks.agree(own).unwrap_err();
    assert!(error.is_linear_algebra());
    assert_eq!(error.to_string(), "rank 1: singular");
    assert_eq!(ranks.agree(Ok(ranks.rank())).unwrap(), ranks.rank());
}
