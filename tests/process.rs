//! Tests that need a process of their own, because they change or measure what belongs to the whole process:
//! registered functions, allocations, resident memory, environment variables.
//!
//! Such a test begins with [`in_own_process!`], which runs the test program again with this test alone.

use std::env;
use std::process::Command;

/// Set in the inner process: the test that it runs.
const TEST: &str = "AUTOJIT_TEST_PROCESS";

/// The first statement of a test that needs a process of its own. Outside of that process the test ends here, once the
/// inner one has passed.
macro_rules! in_own_process {
    () => {
        fn here() {}
        if $crate::process::passed_in_own(std::any::type_name_of_val(&here)) {
            return;
        }
    };
}
pub(crate) use in_own_process;

/// Runs the test to which the function `path` belongs in a process of its own; false if this is that process.
#[track_caller]
pub(crate) fn passed_in_own(path: &str) -> bool {
    let test = path.strip_suffix("::here").unwrap();
    let (_, test) = test.split_once("::").unwrap();
    if env::var(TEST).is_ok_and(|running| running == test) {
        return false;
    }
    let output = again(test).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{test} in a process of its own: {}\n{text}\n{errors}",
        output.status
    );
    print!("{text}");
    true
}

/// This test program, to be run with one test alone.
pub(crate) fn again(test: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture", "--include-ignored"]);
    command.env(TEST, test);
    command
}
