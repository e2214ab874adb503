//! Functions of examples over ranks.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use autojit::{Array, DType, Error, Result, autojit, numpy as np};
use autojit_mpi::Ranks;

use super::{bits, draws, is_rank, passed};

#[test]
fn results_stand_in_order_on_all_ranks() {
    const TEST: &str = "maps::results_stand_in_order_on_all_ranks";
    if !is_rank(TEST) {
        for ranks in [1, 2, 4] {
            passed(ranks, TEST);
        }
        return;
    }
    let ranks = Ranks::start().unwrap();
    let xs = draws(&[103, 4], DType::Float64, 0);
    let f = autojit(|x: Array| np::exp(&x) * np::sum(&x, 1).reshape([-1, 1]));
    let done = AtomicUsize::new(0);
    let counted = |batch: &Array| {
        done.fetch_add(1, Ordering::Relaxed);
        f.call(batch)
    };
    let got = ranks.map(counted, &xs, 5).unwrap();
    assert_eq!(bits(&got), bits(&f.call(&xs).unwrap()));
    assert_eq!(got.shape().unwrap(), [103, 4]);
    // Each batch was done once, on one of the ranks.
    let done = ranks
        .map(|x| Ok(x.clone()), &Array::from(vec![1.0; 8]), 1)
        .map(|_| done);
    let own = done.unwrap().load(Ordering::Relaxed) as f64;
    let mut all = 0.0;
    for rank in 0..ranks.size() {
        let mine = if rank == ranks.rank() { own } else { 0.0 };
        all += share(&ranks, rank, mine);
    }
    assert_eq!(all, 21.0);
    for (xs, batch, why) in [
        (
            Array::from(1.0),
            1,
            "expected examples along a first axis, got f64[]",
        ),
        (
            np::zeros([0, 3], ..),
            1,
            "expected examples along a first axis, got f64[0,3]",
        ),
        (xs.clone(), 0, "a batch has at least one example"),
    ] {
        let error = ranks.map(|x| Ok(x.clone()), &xs, batch).unwrap_err();
        assert!(error.is_value());
        assert!(
            error.to_string().starts_with(&format!("rank 0: {why}")),
            "{error}"
        );
    }
    let error = ranks.map(|x| Ok(np::sum(x, ..)), &xs, 50).unwrap_err();
    assert!(error.is_shape());
    assert!(
        error
            .to_string()
            .contains("expected results of 50 examples"),
        "{error}"
    );
}

/// A number of one rank on all: as the error of that rank, the only thing that goes from any rank to all.
fn share(ranks: &Ranks, rank: usize, number: f64) -> f64 {
    let own = if rank == ranks.rank() {
        Err(Error::value(format!("{number}")))
    } else {
        Ok(())
    };
    let told = ranks.agree(own).unwrap_err().to_string();
    told.split_once(": ").unwrap().1.parse().unwrap()
}

#[test]
fn what_fails_on_a_rank_fails_on_all() {
    const TEST: &str = "maps::what_fails_on_a_rank_fails_on_all";
    if !is_rank(TEST) {
        passed(3, TEST);
        return;
    }
    let ranks = Ranks::start().unwrap();
    let xs = draws(&[64], DType::Float64, 0);
    // Each rank has a batch at once, so the bad one is among them.
    for bad in 0..ranks.size() {
        let f = |x: &Array| -> Result<Array> {
            std::thread::sleep(Duration::from_millis(2));
            if ranks_of(bad) {
                np::matmul(x, Array::from(1.0)).check()
            } else {
                Ok(x.clone())
            }
        };
        let error = ranks.map(f, &xs, 1).unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("rank {bad}: ")) && text.contains("matmul"),
            "{text}"
        );
        assert!(text.contains("crates/mpi/tests/maps.rs:"), "{text}");
        let f = |x: &Array| -> Result<Array> {
            std::thread::sleep(Duration::from_millis(2));
            assert!(!ranks_of(bad), "this is to be seen");
            Ok(x.clone())
        };
        let error = ranks.map(f, &xs, 1).unwrap_err();
        assert!(error.is_internal(), "{error}");
        assert!(
            error.to_string().starts_with(&format!("rank {bad}: task ")),
            "{error}"
        );
        let same = ranks.map(|x| Ok(x.clone()), &xs, 3).unwrap();
        assert_eq!(bits(&same), bits(&xs));
    }
}

/// Whether this process is a rank, as `mpirun` tells it: functions are called on other threads than that of MPI, too.
fn ranks_of(rank: usize) -> bool {
    std::env::var("OMPI_COMM_WORLD_RANK").unwrap() == rank.to_string()
}
