//! Explanations and profiles: what they say is what was compiled.

use autojit::{Array, Exported, autojit, numpy as np};

fn softmax(x: Array) -> Array {
    let e = np::exp(&x - np::max(&x, ..));
    &e / np::sum(&e, ..)
}

fn x() -> Array {
    Array::from([0.5, 1.5, -2.0, 3.0])
}

#[test]
fn text_and_page_have_all_parts() {
    let f = autojit(softmax).name("soft<max>");
    let explanation = f.explain(x()).unwrap();
    let text = explanation.to_string();
    for part in [
        "function   soft<max>",
        "signature  f64[4]",
        "backend    ",
        "stages     traced ",
        "work       about ",
        "pass       rewrite: ",
        "elements held over time",
        "executable",
        "graph",
        "tests/api/jit/explain.rs:",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    let page = explanation.to_html();
    assert!(page.starts_with("<!doctype html>"));
    assert!(page.contains("soft&lt;max&gt;") && !page.contains("<max>"));
    for outside in ["https://", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert_eq!(page.matches("<svg ").count(), 2);
    // The graph in it can be read back.
    let graph: autojit::ir::Graph = explanation.graph().parse().unwrap();
    assert_eq!(graph.nodes().len(), explanation.optimized_nodes());
}

#[test]
fn what_a_call_would_do_is_told() {
    let f = autojit(|x: Array| &x + 1.0);
    let told = |x: Array| f.explain(x).unwrap().summary().call.unwrap();
    assert_eq!(told(x()), "traces and compiles, as the first one");
    f.call(x()).unwrap();
    assert_eq!(told(x()), "finds code that is there");
    let why = "traces and compiles: argument changed from f64[4] to f64[2]";
    assert_eq!(told(Array::from([1.0, 2.0])), why);
    // Looking is no call.
    assert_eq!((f.misses(), f.hits(), f.compiled()), (1, 0, 1));
    let text = f.explain(x()).unwrap().to_string();
    assert!(
        text.contains("\na call     finds code that is there\n"),
        "{text}"
    );
}

#[test]
fn costs_are_the_counts_of_textbooks() {
    let cost = |f: fn((Array, Array)) -> Array, a: &Array, b: &Array| {
        let explained = autojit(f).backend("replay").explain((a, b));
        let cost = explained.unwrap().cost();
        (cost.operations, cost.bytes)
    };
    let a = np::reshape(np::arange(0..12, autojit::DType::Float64), [3, 4]);
    let b = np::reshape(np::arange(0..20, autojit::DType::Float64), [4, 5]);
    assert_eq!(
        cost(|(a, b)| np::matmul(&a, &b), &a, &b),
        (2 * 3 * 4 * 5, 8 * (12 + 20 + 15))
    );
    assert_eq!(cost(|(a, _)| np::exp(&a), &a, &b), (12, 8 * 24));
    assert_eq!(cost(|(a, _)| np::sum(&a, ..), &a, &b), (12, 8 * 13));
    // Views are free.
    assert_eq!(cost(|(a, _)| np::transpose(&a, ..), &a, &b), (0, 0));
}

#[test]
fn profiles_have_every_step_once() {
    for backend in ["cranelift", "replay"] {
        if !autojit::backends().contains(&backend) {
            continue;
        }
        let f = autojit(|x: Array| (softmax(x.clone()), np::linalg::norm(np::sort(&x, ..), ..)))
            .backend(backend);
        let profile = f.profile(x()).unwrap();
        assert_eq!(profile.backend, backend);
        let count: usize = profile.steps.iter().map(|step| step.count).sum();
        let report = f.compile(x()).unwrap();
        let expected = report.code.tape_entries.or(report.code.instructions);
        assert_eq!(Some(count), expected, "{profile}");
        let sorts = profile
            .steps
            .iter()
            .filter(|step| step.ops.iter().any(|op| op == "sort"));
        let lines: Vec<_> = sorts.flat_map(|step| &step.lines).collect();
        assert_eq!(lines.len(), 1, "{profile}");
        assert_eq!(&*lines[0].file, file!());
        assert!(profile.to_string().lines().count() == profile.steps.len() + 1);
    }
}

#[cfg(feature = "cranelift")]
#[test]
fn machine_code_is_there_for_each_kernel() {
    let f = autojit(softmax).backend("cranelift");
    let explanation = f.explain(x()).unwrap();
    let kernels = explanation.report().code.kernels.unwrap();
    assert_eq!(explanation.machine_code().len(), kernels);
    let bytes: usize = explanation
        .machine_code()
        .iter()
        .map(|kernel| kernel.bytes.len())
        .sum();
    assert_eq!(Some(bytes), explanation.report().code.code_bytes);
    assert!(
        autojit(softmax)
            .backend("replay")
            .explain(x())
            .unwrap()
            .machine_code()
            .is_empty()
    );
}

#[test]
fn loaded_functions_explain_themselves() {
    let exported = autojit(softmax).name("softmax").to_exported(x()).unwrap();
    let loaded = Exported::from_bytes(&exported.to_bytes().unwrap()).unwrap();
    let text = loaded.backend("replay").explain().unwrap().to_string();
    assert!(
        text.contains("function   softmax") && text.contains("given "),
        "{text}"
    );
    assert!(text.contains("tests/api/jit/explain.rs:"), "{text}");
}

/// Sums along two axes of an array with gaps, in integers, are not for the wide emitter on any machine.
#[cfg(feature = "cranelift")]
#[test]
fn clif_is_there_for_what_cranelift_made_and_is_printed_on_request() {
    let f = autojit(|x: Array| np::floor_divide(&x, 7) + np::mod_(&x, 3)).backend("cranelift");
    let x = Array::from([1_i64, 2, 3]);
    let explanation = f.explain(&x).unwrap();
    let kernels = explanation.machine_code();
    for kernel in kernels {
        let number = kernel.name.split(':').next().unwrap();
        let lines = explanation.executable().lines();
        let by_cranelift = lines
            .filter(|line| line.starts_with(&format!("{number}, ")))
            .any(|line| line.contains("by Cranelift"));
        assert_eq!(kernel.clif.is_some(), by_cranelift, "{explanation}");
    }
    let made: Vec<&String> = kernels.iter().filter_map(|k| k.clif.as_ref()).collect();
    assert!(!made.is_empty(), "{explanation}");
    for clif in &made {
        // As Cranelift prints functions.
        assert!(clif.starts_with("function %kernel(i64, i64)"), "{clif}");
        assert!(clif.contains("return"), "{clif}");
    }
    let (usual, full) = (explanation.to_string(), format!("{explanation:#}"));
    assert!(!usual.contains("function %kernel"));
    assert_eq!(full.matches("function %kernel").count(), made.len());
    assert!(full.starts_with(&usual));
}

#[test]
fn large_constants_are_shortened_for_people_and_whole_in_files() {
    // Each time another array with the same content, as an index that is computed anew for each update is.
    let positions = || Array::from((0..2500i64).map(|i| i % 7).collect::<Vec<_>>());
    let f = autojit(move |x: Array| {
        np::take(&x, positions(), 0) + np::cos(np::take(np::sin(&x), positions(), 0))
    });
    let explanation = f.explain(Array::from(vec![0.5; 7])).unwrap();
    let graph = explanation.graph();
    assert_eq!(graph.matches("constant 0 = i64[2500] 0 1 2 3").count(), 1);
    assert!(!graph.contains("constant 1 ="), "equal constants are one");
    assert!(graph.parse::<autojit::ir::Graph>().is_ok());
    assert!(explanation.summary().graph.contains(" 0 1 2 3 4 5 6 0 1"));
    let shortened = "constant 0 = i64[2500] 0 1 2 .. 5 6 0  ; 2500 elements";
    for text in [explanation.to_string(), explanation.to_html()] {
        assert!(text.contains(shortened), "{text}");
        assert!(text.len() < 60_000, "{} bytes", text.len());
    }
}
