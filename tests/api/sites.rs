//! Lines of a program in another language that calls the library.

use std::cell::Cell;

use autojit::ir::Site;
use autojit::{Array, autojit, grad, lazy, numpy as np, set_source_lines};

thread_local! {
    /// The line of the other language, if it calls on this thread: other tests of the program do not.
    static LINE: Cell<Option<u32>> = const { Cell::new(None) };
}

fn at<T>(line: u32, f: impl FnOnce() -> T) -> T {
    let before = LINE.replace(Some(line));
    let result = f();
    LINE.set(before);
    result
}

#[test]
fn operations_have_the_lines_of_the_language_that_calls() {
    set_source_lines(|| LINE.get().map(|line| Site::foreign("model.py", line)));
    let f = |x: Array| {
        let y = at(4, || np::exp(&x) * 2.0);
        at(5, || np::sum(np::linalg::inv(y), ..))
    };
    let x = Array::from([[1.0, 2.0], [3.0, 4.0]]);
    let explained = autojit(f).explain(&x).unwrap();
    let graph = explained.shortened_graph();
    for (op, line) in [("exp", 4), ("multiply", 4), ("inv", 5), ("sum", 5)] {
        let line = format!("; model.py:{line}");
        let found = graph
            .lines()
            .find(|text| text.contains(&format!("= {op} ")));
        assert!(
            found.is_some_and(|text| text.ends_with(&line)),
            "{op}: {explained}"
        );
    }
    // So have derivatives, and errors of compiled code.
    let derived = autojit(grad(f)).explain(&x).unwrap();
    let graph = derived.shortened_graph();
    assert!(graph.contains("; model.py:5"), "{graph}");
    let singular = Array::from([[1.0, 1.0], [1.0, 1.0]]);
    let error = autojit(f).call(&singular).unwrap_err();
    assert!(
        error.to_string().ends_with(" in inv, at model.py:5"),
        "{error}"
    );

    let lazy = at(6, || np::sin(lazy::array(&x)));
    let site = lazy.as_lazy().unwrap().location();
    assert_eq!(
        (site.file(), site.line(), site.column()),
        ("model.py", 6, 0)
    );
    // Without a line of the other language it is that of Rust.
    let lazy = np::sin(lazy::array(&x));
    assert_eq!(lazy.as_lazy().unwrap().location().file(), file!());

    let exported = || autojit(f).to_exported(&x).unwrap();
    let kept = exported().without_lines_of(|file| file != "model.py");
    let left_out = exported().without_lines_of(|file| file == "model.py");
    let has = |bytes: Vec<u8>| bytes.windows(8).any(|part| part == b"model.py");
    assert!(has(kept.to_bytes().unwrap()) && !has(left_out.to_bytes().unwrap()));
}

#[test]
fn equal_lines_are_kept_once() {
    let [x, y, z] = [7, 7, 8].map(|line| Site::foreign("kept.py", line));
    assert!(x == y && x != z);
    assert_eq!(x.to_string(), "kept.py:7");
    assert!(std::ptr::eq(x.file(), y.file()) && std::ptr::eq(x.file(), z.file()));
}
