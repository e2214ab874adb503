//! Exported functions: they give what the function gave, in this process and another, and bad files are errors.

mod damage;
mod mutation;
mod whole;

use std::path::PathBuf;

use crate::process;
use autojit::ir::{Graph, HostArray};
use autojit::numpy::random::default_rng;
use autojit::tree::{Flattener, Part, Unflattener};
use autojit::{Array, DType, Exported, Tree, autojit, lazy, numpy as np};

/// A file of this test alone, removed at its end.
struct File(PathBuf);

impl File {
    fn new(name: &str) -> Self {
        let name = format!("autojit-export-{}-{name}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).ok();
    }
}

fn gram_schmidt(x: Array) -> Array {
    let mut rows: Vec<Array> = Vec::new();
    for j in 0..x.len().unwrap_or(0) as i64 {
        let mut row = x.get(j);
        for q in &rows {
            row = &row - np::tensordot(np::conj(q), &row, 1) * q;
        }
        let norm = np::linalg::norm(&row, ..);
        rows.push(row / norm);
    }
    np::stack(&rows, 0)
}

fn matrix(n: usize) -> Array {
    np::reshape(
        np::sin(np::arange(1..(n * n) as i64 + 1, ..)),
        [n as i64, n as i64],
    )
}

fn bits(x: &Array) -> Vec<u64> {
    x.to_vec::<f64>()
        .unwrap()
        .iter()
        .map(|x| x.to_bits())
        .collect()
}

#[test]
fn what_was_exported_gives_the_same_bits_on_each_backend() {
    let file = File::new("gram_schmidt");
    let x = matrix(20);
    autojit(gram_schmidt).export(&x, &file.0).unwrap();
    for backend in ["cranelift", "replay"] {
        if !autojit::backends().contains(&backend) {
            continue;
        }
        let expected = autojit(gram_schmidt).backend(backend).call(&x).unwrap();
        let loaded = Exported::load(&file.0).unwrap().backend(backend);
        for _ in 0..2 {
            let got: Array = loaded.call(&x).unwrap();
            assert_eq!(bits(&got), bits(&expected), "{backend}");
        }
    }
}

const FILE: &str = "AUTOJIT_TEST_EXPORTED";

/// The part of the next test that runs in another process.
#[test]
fn in_a_fresh_process() {
    let Ok(path) = std::env::var(FILE) else {
        return;
    };
    let result: Array = Exported::load(path).unwrap().call(&matrix(20)).unwrap();
    println!("bits {:?}", bits(&result));
}

#[test]
fn another_process_gives_the_same_bits() {
    let file = File::new("fresh");
    let x = matrix(20);
    autojit(gram_schmidt).export(&x, &file.0).unwrap();
    let expected = autojit(gram_schmidt).call(&x).unwrap();
    let mut child = process::again("export::in_a_fresh_process");
    let output = child.env(FILE, &file.0).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains(&format!("bits {:?}\n", bits(&expected))),
        "{text}"
    );
}

#[derive(Tree)]
struct Model {
    weights: Array,
    bias: Option<Array>,
    kind: String,
}

#[derive(Tree)]
enum Shape {
    Round(f64),
    Flat { sizes: Vec<Array>, name: String },
}

#[test]
fn nested_arguments_and_results_keep_their_structure() {
    let f = autojit(|(model, n): (Model, i64)| {
        let y = &model.weights * n + model.bias.unwrap_or_else(|| 0.0.into());
        let flat = Shape::Flat {
            sizes: vec![y.clone(), np::sum(&y, ..)],
            name: model.kind,
        };
        (flat, Shape::Round(-0.0), Some(y), n)
    });
    let model = |kind: &str, bias: bool| Model {
        weights: Array::from([1.0, 2.0]),
        bias: bias.then(|| Array::from([10.0, 20.0])),
        kind: kind.into(),
    };
    let exported = f.to_exported(&(model("plain", true), 3)).unwrap();
    let loaded = Exported::from_bytes(&exported.to_bytes().unwrap()).unwrap();
    assert_eq!(
        loaded.signature(),
        r#"(Model { weights: f64[2], bias: some(f64[2]), kind: "plain" }, 3)"#
    );
    type Result = (Shape, Shape, Option<Array>, i64);
    for function in [&exported, &loaded] {
        let result: Result = function.call(&(model("plain", true), 3_i64)).unwrap();
        let (Shape::Flat { sizes, name }, Shape::Round(zero), Some(y), 3) = result else {
            panic!("another variant");
        };
        assert_eq!(y.to_vec::<f64>().unwrap(), [13.0, 26.0]);
        assert_eq!(sizes[1].item::<f64>().unwrap(), 39.0);
        assert_eq!(
            (name.as_str(), zero.to_bits()),
            ("plain", (-0.0f64).to_bits())
        );
    }

    let refusals = [
        loaded.call::<Result>(&(model("plain", true), 4_i64)),
        loaded.call::<Result>(&(model("other", true), 3_i64)),
        loaded.call::<Result>(&(model("plain", false), 3_i64)),
    ];
    for refusal in refusals {
        let error = refusal.err().unwrap();
        assert!(error.is_tree());
        let text = error.to_string();
        assert!(
            text.starts_with("the function was exported for (Model { weights: f64[2],"),
            "{text}"
        );
        assert!(text.contains("tests/api/export.rs:"), "{text}");
    }
    let wrong = loaded
        .call::<Array>(&(model("plain", true), 3_i64))
        .err()
        .unwrap();
    assert!(wrong.is_tree(), "{wrong}");
    let arrays = loaded.call_arrays(&[Array::from([1.0, 2.0]), Array::from([0.5, 0.5])]);
    assert_eq!(arrays.unwrap()[0].to_vec::<f64>().unwrap(), [3.5, 6.5]);
    let error = loaded.call_arrays(&[Array::from([1.0])]).err().unwrap();
    assert!(error.is_shape());
    assert!(
        error.to_string().contains("got the arrays f64[1]"),
        "{error}"
    );
}

#[test]
fn constants_keep_every_bit() {
    let nan = f64::from_bits(0x7ff8_dead_beef_0001);
    let f64s = Array::from([0.0, -0.0, nan, f64::NEG_INFINITY, 5e-324]);
    let constants = [
        f64s.clone(),
        f64s.clone().astype(DType::Float32),
        f64s.clone().astype(DType::Complex128) * num_complex::Complex64::new(1.0, -0.0),
        f64s.astype(DType::Complex64),
        Array::from([i64::MIN, -1, i64::MAX]),
        Array::from([i32::MIN, -1, i32::MAX]),
        Array::from([0_u8, 255]),
        Array::from([true, false, true]),
    ];
    let f = autojit(|_: Array| constants.to_vec());
    let exported = f.to_exported(Array::from([1.0])).unwrap();
    let loaded = Exported::from_bytes(&exported.to_bytes().unwrap()).unwrap();
    let same = |(x, y): (&HostArray, &HostArray)| x.same_bits(y);
    let (old, new) = (exported.graph().constants(), loaded.graph().constants());
    assert_eq!((old.len(), new.len()), (8, 8));
    assert!(old.iter().zip(new).all(same));
}

#[test]
fn each_graph_of_the_file_tests_comes_back_as_it_was() {
    let graphs = mutation::graphs();
    assert!(graphs.len() > 100, "{}", graphs.len());
    for text in graphs {
        let graph: Graph = text.parse().unwrap();
        let exported = Exported::from_graph("test", graph);
        let loaded = Exported::from_bytes(&exported.to_bytes().unwrap()).unwrap();
        assert_eq!(loaded.graph().to_string(), exported.graph().to_string());
        loaded.graph().verify_shared().unwrap();
    }
}

#[test]
fn failures_name_the_line_that_was_written_down() {
    let line = line!() + 1;
    let f = autojit(|x: Array| np::sum(&x, ..) + np::linalg::cholesky(&x, ..));
    let exported = f
        .to_exported(Array::from([[1.0, 0.0], [0.0, 1.0]]))
        .unwrap();
    let bytes = exported.to_bytes().unwrap();
    for backend in autojit::backends() {
        let loaded = Exported::from_bytes(&bytes).unwrap().backend(backend);
        let bad = Array::from([[-1.0, 0.0], [0.0, 1.0]]);
        let error = loaded.call::<Array>(&bad).unwrap_err();
        assert!(error.is_linear_algebra(), "{error}");
        let text = error.to_string();
        assert!(
            text.contains(&format!("at tests/api/export.rs:{line}:")),
            "{backend}: {text}"
        );
        let names_it = |value| {
            let line_of = loaded.source_line(value);
            loaded.graph()[value].op.name() == "cholesky" && line_of.is_some_and(|l| l.line == line)
        };
        assert!(loaded.graph().values().any(names_it));
    }
}

#[test]
fn lines_may_be_left_out_of_files() {
    let f = autojit(|x: Array| np::linalg::inv(&x));
    let exported = f.to_exported(np::eye(2, ..)).unwrap().without_lines();
    let loaded = Exported::from_bytes(&exported.to_bytes().unwrap()).unwrap();
    // The line is that of the call.
    let line = line!() + 1;
    let error = loaded.call::<Array>(&np::zeros([2, 2], ..)).unwrap_err();
    let expected =
        format!("a matrix of f64[2,2] is singular in inv, at tests/api/export.rs:{line}:");
    assert!(error.to_string().starts_with(&expected), "{error}");
}

#[test]
fn what_means_nothing_elsewhere_is_refused() {
    let x = Array::from([1.0, 2.0]);
    let generator = default_rng(1);
    let random = autojit(|x: Array| x + generator.random([2]));
    let error = random.to_exported(&x).unwrap_err();
    assert!(error.is_unsupported());
    assert!(
        error.to_string().contains("make them an argument"),
        "{error}"
    );

    let named = autojit(|x: Array| (x, "text"));
    let error = named.to_exported(&x).unwrap_err();
    assert!(error.to_string().contains("expected a `String`"), "{error}");

    let lazy = autojit::lazy::variable(&[2], DType::Float64);
    let exported = autojit(|x: Array| x + 1.0).to_exported(&x).unwrap();
    assert!(exported.call::<Array>(&lazy).unwrap_err().is_value());
    let unknown = Exported::from_bytes(&exported.to_bytes().unwrap())
        .unwrap()
        .backend("fpga");
    assert!(unknown.call::<Array>(&x).unwrap_err().is_unknown_backend());
}

#[test]
fn files_that_are_not_there_or_not_ours_are_named() {
    let error = Exported::load("no/such/file.autojit").unwrap_err();
    assert!(error.is_file());
    let text = error.to_string();
    assert!(
        text.starts_with("cannot load no/such/file.autojit: "),
        "{text}"
    );
    assert!(text.contains("tests/api/export.rs:"), "{text}");
    let error = Exported::load("Cargo.toml").unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("cannot load Cargo.toml: this is not a file of an exported function"),
        "{error}"
    );
    let exported = autojit(|x: Array| x)
        .to_exported(Array::from([1.0]))
        .unwrap();
    assert!(exported.save("no/such/folder/file").unwrap_err().is_file());
}

/// A tree of any structure, as bindings to other languages have: its parts in words, and its arrays.
struct AnyTree(Vec<String>, Vec<Array>);

impl Tree for AnyTree {
    fn flatten<'a>(&'a self, flattener: &mut Flattener<'a>) {
        self.1.iter().for_each(|array| flattener.array(array));
    }

    fn unflatten(unflattener: &mut Unflattener<'_>) -> autojit::Result<Self> {
        let (mut parts, mut arrays) = (Vec::new(), Vec::new());
        while !unflattener.is_empty() {
            match unflattener.next_part()? {
                Part::Array(array) => arrays.push(array),
                Part::LoadedRecord(name) => parts.push(format!("loaded {name}")),
                other => parts.push(format!("{other:?}")),
            }
        }
        Ok(Self(parts, arrays))
    }
}

#[derive(Tree)]
struct Sides {
    left: Array,
    right: Array,
}

#[test]
fn loaded_records_have_their_names() {
    let sides = |x: Array| Sides {
        left: &x + 1.0,
        right: &x * 2.0,
    };
    let x = Array::from([1.0, 2.0]);
    let bytes = autojit(sides).to_exported(&x).unwrap().to_bytes().unwrap();
    let loaded = Exported::from_bytes(&bytes).unwrap();
    let AnyTree(parts, arrays) = loaded.call(&x).unwrap();
    assert_eq!(parts, ["loaded Sides"]);
    assert_eq!(arrays[0].to_vec::<f64>().unwrap(), [2.0, 3.0]);
    assert_eq!(arrays[1].to_vec::<f64>().unwrap(), [2.0, 4.0]);
}

#[test]
fn exported_functions_say_what_they_take() {
    let exported = autojit(|(x, n): (Array, i64)| x * n);
    let exported = exported.to_exported((Array::from([1.0]), 2_i64)).unwrap();
    assert!(exported.takes(&(Array::from([5.0]), 2_i64)));
    assert!(!exported.takes(&(Array::from([5.0]), 3_i64)));
    assert!(!exported.takes(&(Array::from([5_i64]), 2_i64)));
    assert!(!exported.takes(&Array::from([5.0])));
    assert!(!exported.takes(&(lazy::array(&Array::from([5.0])), 2_i64)));
}

/// Sums of bytes became uint64 with format 2; a file that was written before gives what it gave then.
#[test]
fn files_of_format_1_sum_unsigned_integers_as_int64() {
    let total = autojit(|x: Array| np::sum(&x, ..) + np::cumsum(&x, 0));
    let x = Array::from([200_u8, 100]);
    let exported = total.to_exported(x.clone()).unwrap();
    let mut bytes = exported.to_bytes().unwrap();
    let read = |bytes: &[u8]| Exported::from_bytes(bytes).unwrap().call(&x).unwrap();
    let now: Array = read(&bytes);
    assert_eq!(now.to_vec::<u64>().unwrap(), [500, 600]);
    // The number of the format, and a checksum of the payload alone.
    bytes[8] = 1;
    let checksum = crc32fast::hash(&bytes[damage::HEADER..]);
    bytes[20..24].copy_from_slice(&checksum.to_le_bytes());
    let then: Array = read(&bytes);
    assert_eq!(then.to_vec::<i64>().unwrap(), [500, 600]);
}
