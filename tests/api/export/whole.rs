//! A file is there as a whole or not at all, and what could not be read is not written.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use std::{fs, thread};

use crate::process;
use autojit::ir::Graph;
use autojit::{Array, Exported, Tree, autojit, numpy as np};

/// A folder of one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("autojit-whole-{}-{name}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// A function with a constant of 4 MB, all of whose elements are `number`.
fn large(number: f64) -> Exported {
    let constant = Array::from(vec![number; 1 << 19]);
    let f = autojit(move |x: Array| x + &constant);
    f.to_exported(Array::from([0.0])).unwrap()
}

/// The number of such a function.
fn number(path: &Path) -> f64 {
    let loaded = Exported::load(path).unwrap_or_else(|e| panic!("{e}"));
    let constants = loaded.graph().constants();
    let autojit::Scalar::Float(number) = constants[0].to_scalars()[0] else {
        panic!("a constant of another dtype");
    };
    number
}

const PATH: &str = "AUTOJIT_TEST_WHOLE";

/// The part of the next test that is killed.
#[test]
fn in_a_process_that_is_killed() {
    let Ok(path) = std::env::var(PATH) else {
        return;
    };
    let function = large(2.0);
    println!("begins");
    loop {
        function.save(&path).unwrap();
    }
}

#[test]
fn a_kill_during_export_leaves_a_whole_file() {
    let folder = Folder::new("killed");
    let path = folder.0.join("f.autojit");
    let first = large(1.0);
    for milliseconds in [0, 1, 3, 7, 15, 30] {
        first.save(&path).unwrap();
        let mut child = process::again("export::whole::in_a_process_that_is_killed")
            .env(PATH, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        assert!(output.lines().any(|line| line.unwrap().ends_with("begins")));
        thread::sleep(Duration::from_millis(milliseconds));
        // SIGKILL on Unix.
        child.kill().unwrap();
        child.wait().unwrap();
        assert!([1.0, 2.0].contains(&number(&path)));
    }
}

#[test]
fn threads_write_and_read_one_path_at_once() {
    let folder = Folder::new("threads");
    let path = folder.0.join("f.autojit");
    let f = |number: f64| {
        let f = autojit(move |x: Array| x * Array::from(vec![number; 1000]));
        f.to_exported(Array::from([1.0])).unwrap()
    };
    f(0.0).save(&path).unwrap();
    thread::scope(|scope| {
        for i in 0..8 {
            let (path, function) = (&path, f(f64::from(i)));
            scope.spawn(move || {
                for _ in 0..10 {
                    function.save(path).unwrap();
                }
            });
        }
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let result: Array = Exported::load(&path)
                        .unwrap()
                        .call(&Array::from([1.0]))
                        .unwrap();
                    let result = result.to_vec::<f64>().unwrap();
                    assert!(result.iter().all(|&x| x == result[0]));
                }
            });
        }
    });
    // Nothing is left beside it.
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1);
}

#[test]
fn pictures_replace_files_as_a_whole_too() {
    let folder = Folder::new("pictures");
    let drawing = large(1.0).drawing();
    for name in ["f.svg", "f.html", "f.dot", "f.mmd"] {
        let path = folder.0.join(name);
        fs::write(&path, vec![b'x'; 1 << 20]).unwrap();
        drawing.circuit().save(&path).unwrap();
        assert!(fs::read(&path).unwrap().len() < 1 << 20);
    }
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 4);
}

#[derive(Tree, Clone)]
struct Link {
    value: Array,
    next: Option<Box<Link>>,
}

fn chain(links: usize) -> Link {
    let link = |next| Link {
        value: Array::from([1.0]),
        next,
    };
    (1..links).fold(link(None), |next, _| link(Some(Box::new(next))))
}

#[test]
fn trees_that_cannot_be_read_are_refused_when_exported() {
    let sum = autojit(|first: Link| {
        let mut sum = first.value;
        let mut next = first.next;
        while let Some(link) = next {
            sum += &link.value;
            next = link.next;
        }
        sum
    });
    let (mut read, mut refused) = (0, 0);
    for links in [1, 2, 50, 90, 98, 99, 100, 101, 102, 120, 150] {
        let link = chain(links);
        match sum.to_exported(&link) {
            Ok(exported) => {
                let bytes = exported.to_bytes().unwrap();
                let result: Array = Exported::from_bytes(&bytes).unwrap().call(&link).unwrap();
                assert_eq!(result.to_vec::<f64>().unwrap(), [links as f64]);
                read += 1;
            }
            Err(error) => {
                assert!(error.is_tree(), "{error}");
                let text = error.to_string();
                assert!(
                    text.contains("levels") && text.contains("the arguments"),
                    "{text}"
                );
                assert!(text.contains("tests/api/export/whole.rs:"), "{text}");
                refused += 1;
            }
        }
        // Calls have no such limit.
        assert_eq!(
            sum.call(&link).unwrap().to_vec::<f64>().unwrap(),
            [links as f64]
        );
    }
    assert!(read > 3 && refused > 3, "{read} {refused}");

    let grow = autojit(|x: Array| {
        let mut link = chain(150);
        link.value = x;
        link
    });
    let error = grow.to_exported(Array::from([1.0])).unwrap_err();
    assert!(error.to_string().contains("the results"), "{error}");
}

#[test]
fn graphs_that_return_tuples_make_no_functions() {
    let graph: Graph = "%x = input index=0 ty=f64[2,2]\n%y = svd full_matrices=false %x\nreturn %y"
        .parse()
        .unwrap();
    let (refused, x) = (Exported::from_graph("f", graph.clone()), np::eye(2, ..));
    let path = std::env::temp_dir().join("autojit-no-tuple.autojit");
    let errors = [
        refused.to_bytes().err(),
        refused.save(&path).err(),
        refused.call::<Array>(&x).err(),
        refused.call_arrays(std::slice::from_ref(&x)).err(),
        refused.explain().err(),
        refused.check_against("replay", &[x]).err(),
        autojit::CompiledGraph::new("replay", &graph).err(),
        autojit::optimize_graph("replay", &graph, Default::default()).err(),
    ];
    for (index, error) in errors.into_iter().enumerate() {
        let error = error.unwrap_or_else(|| panic!("{index}"));
        assert!(error.is_value(), "{error}");
        assert!(
            error.to_string().contains("expected arrays as the results"),
            "{error}"
        );
    }
    assert!(!path.exists());
    assert!(!format!("{refused:?}").is_empty());
}
