//! Progress of runs, and checkpoints: ended runs and killed ones that go on, and files that are refused.

use std::env;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use autojit::contract::{CompiledPlan, Execute, Progress, Run};
use autojit::num_complex::Complex32;
use autojit::{Array, DType};

use super::{bits, lattice};
use crate::process::{again, in_own_process};

/// A file of the temporary folder, of this process.
fn file(name: &str) -> PathBuf {
    let name = format!("autojit-{}-{name}", std::process::id());
    env::temp_dir().join(name)
}

/// Runs until so many slices are done.
fn interrupted(compiled: &CompiledPlan, operands: &[Array], path: &PathBuf, slices: u64) {
    let mut until = |progress: &Progress| {
        if progress.done < slices {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    };
    let run = Run::new().threads(2).checkpoint(path, Duration::MAX);
    let error = compiled
        .run(operands, run.progress(&mut until))
        .unwrap_err();
    assert!(error.is_interrupted(), "{error}");
    assert!(
        error
            .to_string()
            .starts_with("ended by its progress function after "),
        "{error}"
    );
}

#[test]
fn an_interrupt_check_ends_a_run_that_goes_on_from_its_checkpoint() {
    in_own_process!();
    let (plan, operands) = lattice(DType::Float64);
    let compiled = plan.compile().unwrap();
    let expected = compiled.run(&operands, Run::new()).unwrap();
    for threads in [1, 2] {
        let path = file("checked");
        // A call may be asked too, which takes longer than the time between two questions on a slow machine.
        let is_begun = Arc::new(AtomicBool::new(false));
        let check = is_begun.clone();
        autojit::set_interrupt_check(move || check.load(Ordering::Relaxed));
        let mut slow = |_: &Progress| {
            is_begun.store(true, Ordering::Relaxed);
            sleep(Duration::from_millis(1));
            ControlFlow::Continue(())
        };
        let run = Run::new().threads(threads).progress(&mut slow);
        let run = run.checkpoint(&path, Duration::MAX);
        let error = compiled.run(&operands, run).unwrap_err();
        assert!(error.is_interrupted(), "{error}");
        let text = error.to_string();
        assert!(
            text.starts_with("ended by an interrupt check after "),
            "{text}"
        );
        autojit::clear_interrupt_check();
        let mut calls = 0;
        let mut count = |_: &Progress| {
            calls += 1;
            ControlFlow::Continue(())
        };
        let run = Run::new().progress(&mut count);
        let run = run.checkpoint(&path, Duration::MAX);
        let again = compiled.run(&operands, run).unwrap();
        assert_eq!(bits(&again), bits(&expected));
        assert!((1..5 * 64).contains(&calls), "{calls}");
    }
}

#[test]
fn progress_is_reported_and_ends_a_run() {
    let (plan, operands) = lattice(DType::Float64);
    let compiled = plan.compile().unwrap();
    let mut seen = Vec::new();
    let mut report = |progress: &Progress| {
        seen.push(progress.clone());
        ControlFlow::Continue(())
    };
    let expected = compiled
        .run(&operands, Run::new().threads(3).progress(&mut report))
        .unwrap();
    assert!(seen.windows(2).all(|pair| pair[0].done < pair[1].done));
    let last = seen.last().unwrap();
    assert_eq!((last.done, last.total), (5 * 1024, 5 * 1024));
    assert_eq!(last.left, Duration::ZERO);
    assert!(
        seen[0].left > Duration::ZERO && seen.len() >= 64,
        "{}",
        seen.len()
    );
    assert!(
        last.to_string()
            .starts_with("5120 of 5120 slices (100.0 %)"),
        "{last}"
    );

    let path = file("progress");
    interrupted(&compiled, &operands, &path, 2000);
    let mut first = None;
    let mut report = |progress: &Progress| {
        first.get_or_insert(progress.done);
        ControlFlow::Continue(())
    };
    let run = Run::new().threads(1).checkpoint(&path, Duration::ZERO);
    let sum = compiled.run(&operands, run.progress(&mut report)).unwrap();
    assert_eq!(bits(&sum), bits(&expected));
    assert!(first.unwrap() >= 2000, "{first:?}");
    assert!(!path.exists());
}

#[test]
fn wrong_checkpoints_are_refused() {
    let (plan, operands) = lattice(DType::Float64);
    let compiled = plan.compile().unwrap();
    let path = file("damaged");
    interrupted(&compiled, &operands, &path, 1000);
    let whole = std::fs::read(&path).unwrap();
    let refused = |compiled: &CompiledPlan, operands: &[Array], why: &str| {
        let run = Run::new().checkpoint(&path, Duration::ZERO);
        let error = compiled.run(operands, run).unwrap_err();
        assert!(error.is_file(), "{error}");
        let text = error.to_string();
        assert!(text.contains(why), "{text}, expected {why}");
        assert!(text.contains(&path.display().to_string()), "{text}");
    };
    // Any byte, any length, another version, another file.
    for at in (0..whole.len()).step_by(7) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x20;
        std::fs::write(&path, &damaged).unwrap();
        refused(&compiled, &operands, "it ");
    }
    for length in [0, 3, 23, 24, 50, 96, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        refused(&compiled, &operands, "it is cut off");
    }
    let mut newer = whole.clone();
    newer[8] = 2;
    std::fs::write(&path, &newer).unwrap();
    refused(
        &compiled,
        &operands,
        "it has format 2, this version of autojit reads 1",
    );
    std::fs::write(
        &path,
        [b"an other file of more than 24 bytes".as_slice(), &whole].concat(),
    )
    .unwrap();
    refused(&compiled, &operands, "it is no checkpoint");
    std::fs::write(&path, [&whole, b"more".as_slice()].concat()).unwrap();
    refused(&compiled, &operands, "it is damaged");

    // Foreign ones.
    std::fs::write(&path, &whole).unwrap();
    let mut others = operands.clone();
    others[3] = &others[3] + 1.0;
    refused(&compiled, &others, "it is that of other operands");
    let singles: Vec<Array> = operands.iter().map(|x| x.astype(DType::Float32)).collect();
    refused(&compiled, &singles, "it is that of other operands");
    let fewer = plan.sliced_by(&plan.sliced()[1..]).unwrap();
    refused(
        &fewer.compile().unwrap(),
        &operands,
        "it is that of another plan",
    );
    // None of these changed it.
    assert_eq!(std::fs::read(&path).unwrap(), whole);
    std::fs::remove_file(&path).unwrap();

    let nowhere = PathBuf::from("/no/such/folder/checkpoint");
    let run = Run::new().checkpoint(&nowhere, Duration::ZERO);
    let error = compiled.run(&operands, run).unwrap_err();
    assert!(error.is_file(), "{error}");
}

/// Set in the process that is killed: its checkpoint.
const CHECKPOINT: &str = "AUTOJIT_TEST_CHECKPOINT";

#[test]
fn runs_whose_calls_are_made_elsewhere_have_the_same_bits() {
    let (plan, operands) = lattice(DType::Float64);
    let compiled = plan.compile().unwrap();
    let expected = compiled.run(&operands, Run::new()).unwrap();
    let path = file("distributed");
    let every = Some((path.clone(), Duration::MAX));
    let mut run = compiled.distribute(&operands, every.clone()).unwrap();
    let calls = compiled.calls();
    let give = |call: u64| {
        let slices = compiled.slices_of_call(call).unwrap();
        let count = slices.end - slices.start;
        compiled.sum_slices(&operands, slices.start, count).unwrap()
    };
    for call in 0..calls / 2 {
        assert_eq!(run.next_call(), call);
        let (sum, lost) = give(call);
        run.add(&sum, &lost).unwrap();
    }
    assert!(run.progress().done < run.progress().total);
    run.save().unwrap();
    let error = run.result().unwrap_err();
    assert!(error.is_value(), "{error}");
    // A run elsewhere and one on threads go on from the same files.
    let kept = std::fs::read(&path).unwrap();
    let here = Run::new().checkpoint(&path, Duration::MAX);
    let here = compiled.run(&operands, here).unwrap();
    assert_eq!(bits(&here), bits(&expected));
    assert!(!path.exists());
    std::fs::write(&path, kept).unwrap();
    let mut run = compiled.distribute(&operands, every).unwrap();
    assert_eq!(run.next_call(), calls / 2);
    for call in calls / 2..calls {
        let (sum, lost) = give(call);
        run.add(&sum, &lost).unwrap();
    }
    let (sum, lost) = give(0);
    assert!(run.add(&sum, &lost).unwrap_err().is_value());
    assert_eq!(bits(&run.result().unwrap()), bits(&expected));
    assert!(!path.exists());
    assert!(compiled.slices_of_call(calls).unwrap_err().is_value());
    let short = compiled.distribute(&operands[1..], None).unwrap_err();
    assert!(short.is_value(), "{short}");
}

#[test]
fn a_killed_run_goes_on() {
    let (plan, operands) = lattice(DType::Complex64);
    let compiled = plan.compile().unwrap();
    if let Ok(path) = env::var(CHECKPOINT) {
        let mut slowly = |_: &Progress| {
            sleep(Duration::from_millis(20));
            ControlFlow::Continue(())
        };
        let run = Run::new()
            .threads(2)
            .checkpoint(path, Duration::from_millis(10));
        compiled.run(&operands, run.progress(&mut slowly)).unwrap();
        panic!("the process was to be killed");
    }
    let path = file("killed");
    let mut command = again("contract::checkpoints::a_killed_run_goes_on");
    let mut process = command.env(CHECKPOINT, &path).spawn().unwrap();
    let start = Instant::now();
    while !path.exists() {
        assert!(process.try_wait().unwrap().is_none(), "it ended by itself");
        assert!(start.elapsed() < Duration::from_secs(120), "no checkpoint");
        sleep(Duration::from_millis(5));
    }
    sleep(Duration::from_millis(100));
    // SIGKILL.
    process.kill().unwrap();
    assert!(!process.wait().unwrap().success());
    assert!(path.exists());
    let mut first = None;
    let mut report = |progress: &Progress| {
        first.get_or_insert(progress.done);
        ControlFlow::Continue(())
    };
    let run = Run::new()
        .threads(3)
        .checkpoint(&path, Duration::from_secs(60));
    let sum = compiled.run(&operands, run.progress(&mut report)).unwrap();
    // The first call of a run that begins anew has 16 slices.
    assert!(first.unwrap() > 16, "{first:?}");
    let expected = compiled.run(&operands, Run::new()).unwrap();
    assert_eq!(
        sum.to_vec::<Complex32>().unwrap(),
        expected.to_vec::<Complex32>().unwrap()
    );
    assert!(!path.exists());
    // What the killed process was writing may be left, under a name of its own.
    let folder = std::fs::read_dir(env::temp_dir()).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    for entry in folder.flatten() {
        if entry.file_name().to_string_lossy().starts_with(&name) {
            std::fs::remove_file(entry.path()).ok();
        }
    }
}
