//! Reports, options, graphs and structures as data: what is written is read back, and another form is refused.

use std::fmt::Debug;

use autojit::ir::{Graph, SourceLine};
use autojit::tree::Structure;
use autojit::{
    Array, ArrayType, DType, JitOptions, OptimizerOptions, Profile, Report, Summary, Tree, autojit,
    numpy as np, tree_flatten,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Writes a value as text and as bytes without names, and reads it back from both.
fn round_trip<T: Serialize + DeserializeOwned>(value: &T) -> [T; 2] {
    let text = serde_json::to_string(value).unwrap();
    let bytes = postcard::to_allocvec(value).unwrap();
    [
        serde_json::from_str(&text).unwrap(),
        postcard::from_bytes(&bytes).unwrap(),
    ]
}

fn assert_round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    for read in round_trip(value) {
        assert_eq!(read, *value);
    }
}

/// The message with which a value with another format is refused.
fn refusal<T: Serialize + DeserializeOwned + Debug>(value: &T) -> String {
    let mut json = serde_json::to_value(value).unwrap();
    assert_eq!(json["format"], 1);
    json["format"] = 2.into();
    serde_json::from_value::<T>(json).unwrap_err().to_string()
}

const NEWER: &str = "format 2 is not known, this version of autojit reads format 1";

fn softmax(x: Array) -> Array {
    let e = np::exp(&x - np::max(&x, ..));
    &e / np::sum(&e, ..)
}

fn x() -> Array {
    Array::from([0.5, 1.5, -2.0, 3.0])
}

#[test]
fn reports_summaries_and_profiles_are_read_back_on_every_backend() {
    for backend in autojit::backends() {
        let f = autojit(softmax).name("softmax").backend(backend);
        let report: Report = f.compile(x()).unwrap();
        assert_round_trip(&report);
        assert!(refusal(&report).starts_with(NEWER));
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["backend"], backend);
        assert_eq!(json["traced_nodes"], report.traced_nodes);
        assert_eq!(json["passes"][0]["name"], "rewrite");

        let summary: Summary = f.explain(x()).unwrap().summary();
        assert_round_trip(&summary);
        assert!(refusal(&summary).starts_with(NEWER));
        assert_eq!(
            (&*summary.function, &*summary.signature),
            ("softmax", "f64[4]")
        );
        assert_eq!(summary.asked_for, backend);
        // The graph in it is one, with lines as comments.
        let graph: Graph = summary.graph.parse().unwrap();
        assert_eq!(graph.nodes().len(), summary.report.optimized_nodes);
        assert!(summary.graph.contains("; tests/api/jit/kept.rs:"));

        let profile: Profile = f.profile(x()).unwrap();
        assert_round_trip(&profile);
        assert!(refusal(&profile).starts_with(NEWER));
    }
}

#[test]
fn declined_backends_stand_in_summaries() {
    let f = autojit(|x: Array| np::sum(x.reshape([1; 70]), np::axis(3))).backend("cranelift");
    let summary = match f.explain(Array::from([1.0])) {
        Ok(explanation) => explanation.summary(),
        Err(error) => return assert!(error.is_unknown_backend()),
    };
    assert_round_trip(&summary);
    assert_eq!(summary.asked_for, "cranelift");
    assert_eq!(summary.report.backend, "replay");
    let [(backend, why)] = &summary.declined[..] else {
        panic!("{summary:?}")
    };
    assert_eq!(backend, "cranelift");
    assert!(why.contains("axes"), "{why}");
}

#[test]
fn options_are_read_back_and_set() {
    let mut options = JitOptions::default();
    assert_round_trip(&options);
    options.backend = Some("replay".into());
    options.strict = true;
    options.debug_nans = true;
    options.memory_limit = Some(1000);
    options.threads = 3;
    options.optimizer = OptimizerOptions {
        fold_limit: 7,
        reorder_products: true,
        fast_math: true,
    };
    assert_round_trip(&options);
    assert!(refusal(&options).starts_with(NEWER));

    let f = autojit(|x: Array| np::log(&x)).with_options(&options);
    assert_eq!(f.options(), options);
    let by_hand = autojit(|x: Array| x)
        .backend("replay")
        .strict(true)
        .debug_nans(true)
        .memory_limit(1000)
        .threads(3)
        .fold_limit(7)
        .reorder_products(true)
        .fast_math(true);
    assert_eq!(by_hand.options(), options);
    // They are in force.
    assert_eq!(f.explain(Array::from([1.0])).unwrap().backend(), "replay");
    assert!(f.call(Array::from([-1.0])).unwrap_err().is_failed_check());

    // What is left out is as usual, what is misspelled is not.
    let some: JitOptions = serde_json::from_str(r#"{"threads": 4}"#).unwrap();
    assert_eq!(some.threads, 4);
    assert_eq!(some.optimizer, OptimizerOptions::default());
    for wrong in [r#"{"thread": 4}"#, r#"{"optimizer": {"fastmath": true}}"#] {
        let error = serde_json::from_str::<JitOptions>(wrong).unwrap_err();
        assert!(error.to_string().contains("unknown field"), "{error}");
    }
    // An unknown backend is told at the call, as ever.
    let unknown: JitOptions = serde_json::from_str(r#"{"backend": "numba"}"#).unwrap();
    let f = autojit(|x: Array| x).with_options(&unknown);
    assert_eq!(f.options(), unknown);
    assert!(f.call(x()).unwrap_err().is_unknown_backend());
}

#[test]
fn graphs_are_read_back_with_the_bits_of_their_constants() {
    let text = "constant 0 = f64[4] -0.0 inf NaN 5e-324\n\
                %0 = input index=0 ty=f64[4]\n\
                %1 = constant index=0 ty=f64[4]\n\
                %2 = literal value=0.1:f64\n\
                %3 = multiply %0 %2 : f64[4]\n\
                %4 = add %3 %1 : f64[4]\n\
                return %4 %1\n";
    let graph: Graph = text.parse().unwrap();
    for read in round_trip(&graph) {
        assert_eq!(read.to_string(), graph.to_string());
        assert!(read.to_string().contains("f64[4] -0.0 inf NaN 5e-324"));
    }
    assert!(refusal(&graph).starts_with(NEWER));
    let wrong =
        json!({"format": 1, "text": "%0 = input index=0 ty=f64[2]\n%1 = add %0 %7\nreturn %1"});
    let error = serde_json::from_value::<Graph>(wrong).unwrap_err();
    assert!(error.to_string().contains("line 2"), "{error}");
}

#[derive(Clone, Debug, Tree)]
struct Layer {
    weights: Array,
    scale: f64,
    name: String,
}

#[test]
fn signatures_are_read_back() {
    let layer = Layer {
        weights: x(),
        scale: -0.0,
        name: "a".into(),
    };
    let tree = (vec![layer], Some(x()), i64::MIN, true);
    let (arrays, structure) = tree_flatten(&tree).unwrap();
    assert_eq!(arrays.len(), 2);
    for read in round_trip(&structure) {
        assert_eq!(read.to_string(), structure.to_string());
        assert_eq!(read.array_count(), 2);
    }
    assert!(refusal(&structure).starts_with(NEWER));
    // A tuple of two that has one.
    let wrong: Value = json!({"format": 1, "tokens": [{"Tuple": 2}, "Array"]});
    let error = serde_json::from_value::<Structure>(wrong).unwrap_err();
    assert!(error.to_string().contains("not one tree"), "{error}");

    for dtype in DType::ALL {
        assert_round_trip(&dtype);
        assert_round_trip(&ArrayType::new(dtype, &[2, 0, 3]));
    }
    assert_eq!(
        serde_json::to_value(ArrayType::new(DType::Float64, &[2, 3])).unwrap(),
        "f64[2,3]"
    );
    let line: SourceLine = "C:/work/model.rs:42:17".parse().unwrap();
    assert_eq!(
        (&*line.file, line.line, line.column),
        ("C:/work/model.rs", 42, 17)
    );
    assert_round_trip(&line);
    // Where no column is known.
    let line: SourceLine = "C:/work/model.py:42".parse().unwrap();
    assert_eq!(
        (&*line.file, line.line, line.column),
        ("C:/work/model.py", 42, 0)
    );
    assert_round_trip(&line);
    for wrong in ["", "model.rs", "model.rs:x", ":", "model.rs:4:"] {
        assert!(
            wrong.parse::<SourceLine>().unwrap_err().is_parse(),
            "{wrong}"
        );
    }
}
