//! The environment variables of `autojit`. Each case runs this test program again with its variables.

use std::path::Path;
use std::process::Output;
use std::{env, fs};

use crate::process;
use autojit::ir::{Graph, HostArray};
use autojit::{Array, Exported, autojit, numpy as np};

/// Set in the inner runs, so that the case itself is run there.
const CASE: &str = "AUTOJIT_TEST_CASE";

/// Runs the test `case` of this file with the variables.
fn inner(case: &str, variables: &[(&str, &str)]) -> Output {
    let mut command = process::again(&format!("jit::environment::{case}"));
    for name in [
        "AUTOJIT_BACKEND",
        "AUTOJIT_DISABLE",
        "AUTOJIT_VERIFY",
        "AUTOJIT_LOG",
        "AUTOJIT_DUMP",
    ] {
        command.env_remove(name);
    }
    command.env(CASE, "1").envs(variables.iter().copied());
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(text.contains("1 passed"), "{text}");
    output
}

fn is_inner() -> bool {
    env::var_os(CASE).is_some()
}

#[test]
fn disable_runs_the_closure() {
    if !is_inner() {
        inner("disable_runs_the_closure", &[("AUTOJIT_DISABLE", "1")]);
        return;
    }
    let f = autojit(|x: Array| {
        assert!(x.as_lazy().is_none());
        x + 1.0
    });
    for _ in 0..2 {
        let result: Array = f.call(Array::from([1.0])).unwrap();
        assert_eq!(result.to_vec::<f64>().unwrap(), [2.0]);
    }
    assert_eq!((f.misses(), f.hits(), f.compiled()), (0, 0, 0));
}

#[test]
fn disable_zero_does_not() {
    if !is_inner() {
        inner("disable_zero_does_not", &[("AUTOJIT_DISABLE", "0")]);
        return;
    }
    let f = autojit(|x: Array| x + 1.0);
    f.call(Array::from([1.0])).unwrap();
    assert_eq!(f.compiled(), 1);
}

#[test]
fn backend_sets_the_default_only() {
    if !is_inner() {
        inner(
            "backend_sets_the_default_only",
            &[("AUTOJIT_BACKEND", "replay")],
        );
        return;
    }
    let x = Array::from([1.0]);
    let f = autojit(|x: Array| x + 1.0);
    assert_eq!(f.explain(&x).unwrap().backend(), "replay");
    let f = autojit(|x: Array| x + 1.0).backend(autojit::backends()[0]);
    assert_eq!(f.explain(&x).unwrap().backend(), autojit::backends()[0]);
}

#[test]
fn a_wrong_default_is_an_error_that_names_the_variable() {
    if !is_inner() {
        let case = "a_wrong_default_is_an_error_that_names_the_variable";
        inner(case, &[("AUTOJIT_BACKEND", "numba")]);
        return;
    }
    let f = autojit(|x: Array| x);
    let error = f.call(Array::from([1.0])).unwrap_err();
    assert!(error.is_unknown_backend());
    let text = "the variable AUTOJIT_BACKEND is wrong: no backend is called `numba`";
    assert!(error.to_string().starts_with(text), "{error}");
}

/// The output of the test `case` on standard error with the variables.
fn stderr(case: &str, variables: &[(&str, &str)]) -> String {
    String::from_utf8(inner(case, variables).stderr).unwrap()
}

fn call_with_lengths(lengths: impl IntoIterator<Item = usize>) {
    let f = autojit(|x: Array| x + 1.0).name("plus_one");
    for n in lengths {
        f.call(Array::from(vec![1.0; n])).unwrap();
    }
}

#[test]
fn log_tells_of_compilations_and_verify_accepts_them() {
    if is_inner() {
        return call_with_lengths([1, 1, 2, 2]);
    }
    let case = "log_tells_of_compilations_and_verify_accepts_them";
    let with = |level| stderr(case, &[("AUTOJIT_LOG", level), ("AUTOJIT_VERIFY", "1")]);
    for off in ["", "0", "off", "warn"] {
        assert!(!with(off).contains("autojit: "), "{off}");
    }
    for info in ["info", "1", "debug", "trace"] {
        let text = with(info);
        assert!(
            text.contains("autojit: plus_one (first call): traced 3 nodes in "),
            "{text}"
        );
        let retrace = "autojit: plus_one (argument changed from f64[1] to f64[2]): traced 3";
        assert!(text.contains(retrace), "{text}");
        assert_eq!(text.matches("): traced 3 nodes").count(), 2, "{text}");
        let (details, graphs) = match info {
            "debug" => (true, 2),
            "trace" => (true, 4),
            _ => (false, 0),
        };
        assert_eq!(
            text.contains("plus_one (first call): rewrite: 3 -> "),
            details,
            "{text}"
        );
        assert_eq!(text.matches("\nreturn %").count(), graphs, "{text}");
    }
    let mistaken = with("verbose");
    assert!(
        mistaken.contains("autojit: AUTOJIT_LOG is `verbose`, expected off, error, warn, info"),
        "{mistaken}"
    );
    assert!(mistaken.contains("first call"), "{mistaken}");
}

#[test]
fn verify_accepts_correct_programs() {
    if !is_inner() {
        inner(
            "verify_accepts_correct_programs",
            &[("AUTOJIT_VERIFY", "1")],
        );
        return;
    }
    let programs: [fn(Array) -> Array; 6] = [
        |x| &x + 1.0 + 1.0,
        |x| np::sin(&x) + np::sin(&x),
        |x| &x * np::ones([3], ..) + np::ones([3], ..),
        |x| np::where_(np::greater(&x, 0.0), &x * 0.0, &x * 0.0),
        |x| np::linalg::svd(np::outer(&x, &x), ..).1 + np::linalg::svd(np::outer(&x, &x), ..).1,
        |x| np::stack([np::sum(&x, ..), np::sum(&x, ..), np::max(&x, ..)], 0),
    ];
    let x = Array::from([0.5, -1.5, 2.0]);
    for backend in autojit::backends() {
        for (index, program) in programs.into_iter().enumerate() {
            let f = autojit(program).backend(backend);
            let result = f
                .call(&x)
                .unwrap_or_else(|e| panic!("{backend} {index}: {e}"));
            assert_eq!(result.shape().unwrap(), [3]);
            let exported = f.to_exported(&x).unwrap();
            let _: Array = exported.backend(backend).call(&x).unwrap();
        }
    }
}

/// A subscriber of the program's, which is set after autojit has told something already.
struct Theirs;

impl tracing::Subscriber for Theirs {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn event(&self, event: &tracing::Event<'_>) {
        eprintln!("theirs: {}", event.metadata().target());
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[test]
fn a_subscriber_of_the_program_has_precedence() {
    if !is_inner() {
        let case = "a_subscriber_of_the_program_has_precedence";
        let text = stderr(case, &[("AUTOJIT_LOG", "info")]);
        assert_eq!(text.matches("autojit: plus_one").count(), 1, "{text}");
        assert_eq!(text.matches("traced 3 nodes").count(), 1, "{text}");
        assert!(text.contains("theirs: autojit\n"), "{text}");
        return;
    }
    call_with_lengths([1]);
    // Nothing was installed before, so this is no mistake.
    tracing::subscriber::set_global_default(Theirs).unwrap();
    call_with_lengths([1]);
}

/// The names of what is in a folder, in order.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn dump_writes_each_stage_of_each_compilation() {
    if is_inner() {
        let f = autojit(|x: Array| np::exp(-(-(&x))) + np::log(2.0)).name("a/b: {f}");
        for n in [1, 1, 2] {
            f.call(Array::from(vec![1.0; n])).unwrap();
        }
        // These keep nothing, and what could not be traced leaves nothing.
        let error = autojit(|x: Array| x.get(7)).call(Array::from([1.0]));
        assert!(error.unwrap_err().is_index());
        f.explain(Array::from([1.0; 3])).unwrap();
        let exported = f.to_exported(Array::from([1.0; 4])).unwrap();
        // Functions of one name at once, and a loaded one.
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| call_with_lengths([1]));
            }
        });
        let _: Array = exported.call(&Array::from([1.0; 4])).unwrap();
        return;
    }
    let folder = env::temp_dir().join(format!("autojit-dump-{}", std::process::id()));
    let case = "dump_writes_each_stage_of_each_compilation";
    let variables = [("AUTOJIT_DUMP", folder.to_str().unwrap())];
    // A second process beside what the first one left, under whatever number.
    for expected in [7, 14] {
        assert_eq!(stderr(case, &variables).matches("autojit:").count(), 0);
        assert_eq!(names(&folder).len(), expected, "{:?}", names(&folder));
    }
    let mut of_f = 0;
    for name in names(&folder) {
        let inside = folder.join(&name);
        let expected = [
            "explain.txt",
            "optimized.autojit",
            "pass-1-rewrite.graph",
            "pass-2-dead-code.graph",
            "traced.graph",
        ];
        assert_eq!(names(&inside), expected, "{name}");
        let text = |file: &str| fs::read_to_string(inside.join(file)).unwrap();
        let graph = |file: &str| {
            let graph = text(file).parse::<Graph>();
            graph.unwrap_or_else(|e| panic!("{name}/{file}: {e}\n{}", text(file)))
        };
        let (traced, last) = (graph("traced.graph"), graph("pass-2-dead-code.graph"));
        graph("pass-1-rewrite.graph");
        let loaded = Exported::load(inside.join("optimized.autojit")).unwrap();
        assert_eq!(loaded.graph().to_string(), last.to_string());
        assert!(text("explain.txt").contains("pass       rewrite: "));
        if name.ends_with("-a-b-f") {
            of_f += 1;
            assert!(
                text("traced.graph").starts_with("; a/b: {f} f64["),
                "{}",
                text("traced.graph")
            );
            let x = Array::from(vec![0.5; traced.input_types()[0].size()]);
            // All stages compute the same.
            let host = HostArray::from(x.to_ndarray::<f64>().unwrap());
            let values = |graph: &Graph| {
                graph.evaluate(std::slice::from_ref(&host)).unwrap()[0].to_scalars()
            };
            assert_eq!(values(&traced), values(&last));
            let result: Array = loaded.call(&x).unwrap();
            let result = HostArray::from(result.to_ndarray::<f64>().unwrap());
            assert_eq!(result.to_scalars(), values(&last));
        } else {
            assert!(name.ends_with("-plus_one"), "{name}");
        }
    }
    assert_eq!(of_f, 6);
    fs::remove_dir_all(&folder).ok();
}

#[test]
fn what_cannot_be_dumped_is_told_and_calls_go_on() {
    if is_inner() {
        return call_with_lengths([1, 2]);
    }
    let file = env::temp_dir().join(format!("autojit-no-dump-{}", std::process::id()));
    fs::write(&file, "this is a file and no folder").unwrap();
    let case = "what_cannot_be_dumped_is_told_and_calls_go_on";
    let text = stderr(case, &[("AUTOJIT_DUMP", file.to_str().unwrap())]);
    let words = format!(
        "plus_one (first call): AUTOJIT_DUMP: cannot write {}",
        file.display()
    );
    assert!(text.contains(&words), "{text}");
    assert_eq!(text.matches("cannot write").count(), 2, "{text}");
    fs::remove_file(&file).ok();
}
