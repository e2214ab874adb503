//! Ranks that are killed, that panic, and runs that go on.

use std::env;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::thread::sleep;
use std::time::{Duration, Instant};

use autojit::DType;
use autojit::contract::{self, Execute, Progress};
use autojit_mpi::{Ranks, Run};

use super::{bits, is_rank, lattice, mpirun, passed};

/// Set in the ranks: the checkpoint.
const CHECKPOINT: &str = "AUTOJIT_TEST_CHECKPOINT";

fn number_file(checkpoint: &Path, rank: usize) -> PathBuf {
    checkpoint.with_extension(format!("rank-{rank}"))
}

/// Whether there is such a process, and it is more than an exit status that nobody has asked for.
fn lives(number: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{number}/stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

/// Waits for the end of a process, which hangs if it takes as long as this.
fn end_of(process: &mut Child) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = process.try_wait().unwrap() {
            return status;
        }
        if start.elapsed() > Duration::from_secs(100) {
            process.kill().unwrap();
            panic!("the ranks hang");
        }
        sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_killed_rank_ends_the_run_and_the_checkpoint_goes_on() {
    const TEST: &str = "ends::a_killed_rank_ends_the_run_and_the_checkpoint_goes_on";
    if is_rank(TEST) {
        return contraction(&PathBuf::from(env::var_os(CHECKPOINT).unwrap()));
    }
    let folder = env::temp_dir().join(format!("autojit-ranks-{}", std::process::id()));
    fs::create_dir(&folder).unwrap();
    let checkpoint = folder.join("checkpoint");
    // Another rank, and the one that adds.
    for killed in [1, 0] {
        let mut command = mpirun(3, TEST);
        command
            .env(CHECKPOINT, &checkpoint)
            .env("AUTOJIT_TEST_SLOWLY", "1");
        let mut process = command.spawn().unwrap();
        let start = Instant::now();
        while !(checkpoint.exists() && number_file(&checkpoint, killed).exists()) {
            assert!(process.try_wait().unwrap().is_none(), "it ended by itself");
            assert!(start.elapsed() < Duration::from_secs(100), "no checkpoint");
            sleep(Duration::from_millis(5));
        }
        let number = fs::read_to_string(number_file(&checkpoint, killed)).unwrap();
        let kill = Command::new("kill").args(["-9", &number]).status();
        assert!(kill.unwrap().success());
        assert!(!end_of(&mut process).success());
        assert!(checkpoint.exists());
        for rank in 0..3 {
            // What was killed is gone, and soon so are the others.
            let file = number_file(&checkpoint, rank);
            let number = fs::read_to_string(&file).unwrap();
            while lives(&number) {
                assert!(
                    start.elapsed() < Duration::from_secs(100),
                    "rank {rank} lives"
                );
                sleep(Duration::from_millis(5));
            }
            fs::remove_file(file).unwrap();
        }
    }
    let mut command = mpirun(2, TEST);
    let output = command.env(CHECKPOINT, &checkpoint).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(text.contains("went on after "), "{text}");
    assert!(!checkpoint.exists());
    fs::remove_dir_all(folder).unwrap();
}

/// The ranks: a contraction with a checkpoint, slowly in the runs that are killed.
fn contraction(checkpoint: &Path) {
    let ranks = Ranks::start().unwrap();
    let (plan, operands) = lattice(DType::Float64, true, &[2, 10, 18, 26, 1000]);
    let compiled = plan.compile().unwrap();
    let slowly = env::var_os("AUTOJIT_TEST_SLOWLY").is_some();
    // Written as a whole, as the test reads it as soon as it is there.
    let own = number_file(checkpoint, ranks.rank());
    let part = checkpoint.with_extension(format!("part-{}", ranks.rank()));
    fs::write(&part, std::process::id().to_string()).unwrap();
    fs::rename(part, own).unwrap();
    let mut first = None;
    let mut report = |progress: &Progress| {
        first.get_or_insert(progress.done);
        if slowly {
            sleep(Duration::from_millis(20));
        }
        ControlFlow::Continue(())
    };
    let run = Run::new().checkpoint(checkpoint, Duration::from_millis(10));
    let sum = ranks
        .contract(&compiled, &operands, run.progress(&mut report))
        .unwrap();
    assert!(!slowly, "the run was to be killed");
    let expected = compiled.run(&operands, contract::Run::new()).unwrap();
    assert_eq!(bits(&sum), bits(&expected));
    if ranks.rank() == 0 {
        let first = first.unwrap();
        // A run that begins anew reports one call first.
        assert!(first > compiled.slices_of_call(0).unwrap().end, "{first}");
        println!("\nwent on after {first} slices");
    }
}

#[test]
fn a_rank_that_panics_ends_the_run() {
    const TEST: &str = "ends::a_rank_that_panics_ends_the_run";
    if is_rank(TEST) {
        let ranks = Ranks::start().unwrap();
        assert!(ranks.rank() != 1, "this is to be seen");
        // Without an end of its own.
        ranks.agree(Ok(())).unwrap();
        return;
    }
    let mut process = mpirun(3, TEST).spawn().unwrap();
    assert!(!end_of(&mut process).success());
}

#[test]
fn mpi_is_started_once() {
    const TEST: &str = "ends::mpi_is_started_once";
    if is_rank(TEST) {
        let ranks = Ranks::start().unwrap();
        let error = Ranks::start().unwrap_err();
        assert!(error.is_value());
        assert!(
            error.to_string().contains("crates/mpi/tests/ends.rs:"),
            "{error}"
        );
        drop(ranks);
        assert!(Ranks::start().is_err());
        return;
    }
    passed(2, TEST);
}
