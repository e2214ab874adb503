//! The command as a user meets it: what it prints, what it writes, and how it fails.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use autojit::{Array, autojit, numpy as np};
use ndarray::{ArrayD, IxDyn};
use ndarray_npy::{NpzReader, NpzWriter, ReadNpyExt, WriteNpyExt};

/// A folder of one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("autojit-cli-{}-{test}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_autojit"));
        command.current_dir(&self.0).args(arguments);
        command.env_remove("AUTOJIT_BACKEND").output().unwrap()
    }

    /// Its output; it must succeed.
    fn stdout(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// How it fails.
    fn failure(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.run(arguments);
        assert!(!output.status.success(), "{arguments:?}");
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        )
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

fn matrix() -> ArrayD<f64> {
    ArrayD::from_shape_vec(IxDyn(&[2, 2]), vec![4.0, 1.0, 1.0, 3.0]).unwrap()
}

fn write_npy(path: &Path, array: &ArrayD<f64>) {
    array
        .write_npy(std::fs::File::create(path).unwrap())
        .unwrap();
}

/// A folder with `f.autojit` and the arrays `x.npy` and `y.npy`.
fn folder(test: &str) -> Folder {
    let folder = Folder::new(test);
    let f = autojit(|(x, y): (Array, Array)| (np::linalg::cholesky(&x, ..), np::matmul(&x, &y)))
        .name("factor");
    let x = Array::from(matrix());
    f.export((&x, &x), folder.path("f.autojit")).unwrap();
    write_npy(&folder.path("x.npy"), &matrix());
    write_npy(&folder.path("y.npy"), &(matrix() * 0.5));
    folder
}

#[test]
fn show_prints_text_that_is_a_graph_again() {
    let folder = folder("show");
    let text = folder.stdout(&["show", "f.autojit"]);
    assert!(
        text.starts_with("; factor (f64[2,2], f64[2,2]) -> (f64[2,2], f64[2,2])\n"),
        "{text}"
    );
    let line = text
        .lines()
        .find(|line| line.contains("= cholesky %0 : f64[2,2]"));
    let line = line.unwrap_or_else(|| panic!("{text}"));
    assert!(
        line.contains("  ; ") && line.contains("tests/cli/commands.rs:"),
        "{line}"
    );
    std::fs::write(folder.path("f.graph"), &text).unwrap();
    let again = folder.stdout(&["show", "f.graph"]);
    let without_comments = |text: &str| {
        let lines = text
            .lines()
            .map(|line| line.split(';').next().unwrap_or("").trim().to_owned());
        lines.filter(|line| !line.is_empty()).collect::<Vec<_>>()
    };
    assert_eq!(without_comments(&again), without_comments(&text));

    let json: serde_json::Value =
        serde_json::from_str(&folder.stdout(&["show", "--json", "f.autojit"])).unwrap();
    assert_eq!(json["name"], "factor");
    assert_eq!(json["nodes"].as_array().unwrap().len(), 4);
    assert_eq!(json["outputs"].as_array().unwrap().len(), 2);
}

#[test]
fn run_calls_it_with_arrays_of_numpys() {
    let folder = folder("run");
    let printed = folder.stdout(&["run", "f.autojit", "x.npy", "y.npy"]);
    assert!(printed.contains("[[8.5 3.5]\n [3.5 5. ]]"), "{printed}");
    folder.stdout(&["run", "f.autojit", "x.npy", "y.npy", "-o", "results.npz"]);
    let mut npz = NpzReader::new(std::fs::File::open(folder.path("results.npz")).unwrap()).unwrap();
    let product: ArrayD<f64> = npz.by_name("arr_1").unwrap();
    assert_eq!(product.as_slice().unwrap(), [8.5, 3.5, 3.5, 5.0]);
    let root: ArrayD<f64> = npz.by_name("arr_0").unwrap();
    assert_eq!(root[[0, 0]], 2.0);

    // Several arrays in one file, in its order; and the same with another backend.
    let mut npz = NpzWriter::new(std::fs::File::create(folder.path("both.npz")).unwrap());
    npz.add_array("arr_0", &matrix()).unwrap();
    npz.add_array("arr_1", &(matrix() * 0.5)).unwrap();
    npz.finish().unwrap();
    assert_eq!(
        folder.stdout(&["run", "f.autojit", "both.npz", "--backend", "replay"]),
        printed
    );

    std::fs::write(
        folder.path("twice.graph"),
        "%x = input index=0 ty=f64[2,2]\n%y = add %x %x\nreturn %y",
    )
    .unwrap();
    folder.stdout(&["run", "twice.graph", "x.npy", "-o", "twice.npy"]);
    let twice =
        ArrayD::<f64>::read_npy(std::fs::File::open(folder.path("twice.npy")).unwrap()).unwrap();
    assert_eq!(twice, matrix() * 2.0);
}

#[test]
fn random_arguments_of_each_dtype_are_the_same_for_one_seed() {
    let folder = folder("random");
    let dtypes = ["bool", "u8", "i32", "i64", "f32", "f64", "c64", "c128"];
    let inputs: Vec<String> = dtypes
        .iter()
        .enumerate()
        .map(|(i, t)| format!("%{i} = input index={i} ty={t}[3]"))
        .collect();
    let outputs: Vec<String> = (0..8).map(|i| format!("%{i}")).collect();
    let text = format!("{}\nreturn {}\n", inputs.join("\n"), outputs.join(" "));
    std::fs::write(folder.path("all.graph"), text).unwrap();
    let first = folder.stdout(&["run", "all.graph", "--random", "5"]);
    assert_eq!(first.lines().count(), 8, "{first}");
    assert_eq!(folder.stdout(&["run", "all.graph", "--random", "5"]), first);
    assert_ne!(folder.stdout(&["run", "all.graph", "--random", "6"]), first);
    folder.stdout(&["run", "all.graph", "--random", "5", "-o", "all.npz"]);
    assert_eq!(folder.stdout(&["run", "all.graph", "all.npz"]), first);
}

#[test]
fn plots_and_explanations_are_written() {
    let folder = folder("plot");
    for (name, start) in [
        ("f.html", "<!doctype html>"),
        ("f.svg", "<svg "),
        ("f.dot", "digraph"),
        ("f.mmd", "flowchart"),
    ] {
        folder.stdout(&["plot", "f.autojit", "-o", name]);
        assert!(
            std::fs::read_to_string(folder.path(name))
                .unwrap()
                .starts_with(start),
            "{name}"
        );
    }
    for picture in [
        "circuit", "graph", "memory", "scatter", "lines", "image", "count", "sizein", "sizeout",
    ] {
        folder.stdout(&[
            "plot",
            "f.autojit",
            "-o",
            "p.svg",
            "--picture",
            picture,
            "--color",
            "id",
            "--title",
            picture,
        ]);
        let svg = std::fs::read_to_string(folder.path("p.svg")).unwrap();
        assert!(svg.contains(&format!(">{picture}</text>")), "{picture}");
    }
    let (code, text) = folder.failure(&["plot", "f.autojit", "-o", "p.svg", "--picture", "pie"]);
    assert_eq!(code, Some(2));
    assert!(text.contains("expected one of circuit, graph"), "{text}");

    let text = folder.stdout(&["explain", "f.autojit"]);
    for part in [
        "function   factor",
        "signature  (f64[2,2], f64[2,2])",
        "work ",
        "executable",
        "cholesky",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    folder.stdout(&[
        "explain",
        "f.autojit",
        "--backend",
        "replay",
        "--html",
        "e.html",
    ]);
    let code = folder.stdout(&["explain", "f.autojit", "--code", "--backend", "replay"]);
    assert_eq!(code, "this backend has no machine code to show\n");
    if cfg!(target_arch = "x86_64") && autojit::backends().contains(&"cranelift") {
        std::fs::write(
            folder.path("exp.graph"),
            "%x = input index=0 ty=f64[9]\n%y = sqrt %x\n%z = add %x %y\nreturn %z",
        )
        .unwrap();
        let code = folder.stdout(&["explain", "exp.graph", "--code"]);
        assert!(
            code.starts_with("kernel 0: ") && code.contains("sqrt") && code.contains("  ret\n"),
            "{code}"
        );
        std::fs::write(
            folder.path("divide.graph"),
            "%x = input index=0 ty=i64[9]\n%y = floor_divide %x %x\nreturn %y",
        )
        .unwrap();
        let clif = folder.stdout(&["explain", "divide.graph", "--clif"]);
        assert!(clif.contains("function %kernel(i64, i64)"), "{clif}");
        let both = folder.stdout(&["explain", "divide.graph", "--clif", "--code"]);
        assert!(
            both.contains("function %kernel") && both.contains("  ret\n"),
            "{both}"
        );
    }
    let json = folder.stdout(&["explain", "f.autojit", "--json"]);
    let summary: autojit::Summary = serde_json::from_str(&json).unwrap();
    assert_eq!(summary.function, "factor");
    assert_eq!(summary.signature, "(f64[2,2], f64[2,2])");
    let page = std::fs::read_to_string(folder.path("e.html")).unwrap();
    assert!(page.contains("interpreted node by node"), "{page}");
}

#[test]
fn check_compares_backends_and_says_what_it_did() {
    let folder = folder("check");
    let text = folder.stdout(&["check", "f.autojit", "x.npy", "y.npy"]);
    assert!(text.contains(" and replay agree: 2 results of "), "{text}");
    let (code, text) =
        folder.failure(&["check", "f.autojit", "x.npy", "y.npy", "--backend", "fpga"]);
    assert_eq!(code, Some(1));
    assert!(
        text.starts_with("autojit: no backend is called `fpga`, expected one of "),
        "{text}"
    );
}

#[test]
fn mistakes_are_told_in_the_users_words() {
    let folder = folder("mistakes");
    std::fs::write(folder.path("negative.graph"), "").unwrap();
    let mut damaged = std::fs::read(folder.path("f.autojit")).unwrap();
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    std::fs::write(folder.path("damaged.autojit"), &damaged).unwrap();
    std::fs::write(folder.path("cut.autojit"), &damaged[..40]).unwrap();
    std::fs::write(folder.path("bad.graph"), "%x = sinn\nreturn %x").unwrap();
    write_npy(&folder.path("negative.npy"), &-matrix());
    for (arguments, expected) in [
        (
            vec!["show", "none.autojit"],
            "autojit: cannot load none.autojit: ",
        ),
        (
            vec!["show", "damaged.autojit"],
            "autojit: cannot load damaged.autojit: the file is damaged",
        ),
        (
            vec!["show", "cut.autojit"],
            "autojit: cannot load cut.autojit: the file is cut off",
        ),
        (
            vec!["show", "x.npy"],
            "autojit: cannot load x.npy: this is not a file of an exported function",
        ),
        (
            vec!["show", "bad.graph"],
            "neither a file of an exported function nor the text of a graph: line 1: no op is called `sinn`",
        ),
        (
            vec!["run", "f.autojit", "x.npy"],
            "the function was exported for (f64[2,2], f64[2,2]), got the arrays f64[2,2]\n",
        ),
        (
            vec!["run", "f.autojit"],
            "autojit: the function takes (f64[2,2], f64[2,2]): name files .npy or .npz, or use --random\n",
        ),
        (
            vec!["run", "f.autojit", "x.txt"],
            "autojit: cannot read x.txt: ",
        ),
        (
            vec!["run", "f.autojit", "f.autojit"],
            "expected a file .npy or .npz",
        ),
        (
            vec!["run", "f.autojit", "x.npy", "y.npy", "-o", "one.npy"],
            "there are 2 results: expected .npz",
        ),
        // The line is that of the program which exported the function, not one of this command.
        (
            vec!["run", "f.autojit", "negative.npy", "y.npy"],
            "tests/cli/commands.rs:",
        ),
        (
            vec!["plot", "f.autojit", "-o", "f.png"],
            "expected a name that ends in .svg, .html, .dot or .mmd",
        ),
    ] {
        let (code, text) = folder.failure(&arguments);
        assert_eq!(code, Some(1), "{arguments:?}: {text}");
        assert!(text.contains(expected), "{arguments:?}: {text}");
        assert!(!text.contains("cli/src"), "{arguments:?}: {text}");
    }
}

#[test]
fn help_has_examples_and_completions_are_there() {
    let folder = Folder::new("help");
    let help = folder.stdout(&["--help"]);
    assert!(help.contains("autojit check f.autojit --random"), "{help}");
    for command in ["show", "plot", "explain", "run", "check", "completions"] {
        let help = folder.stdout(&[command, "--help"]);
        assert!(help.contains("Examples:"), "{command}");
    }
    // Whoever reads may have seen enough: that is no panic.
    let mut closed = Command::new(env!("CARGO_BIN_EXE_autojit"));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = closed.args(["completions", "bash"]).stdout(writer).output();
    assert!(output.unwrap().status.success());
    for shell in ["bash", "zsh", "fish"] {
        assert!(
            folder.stdout(&["completions", shell]).contains("explain"),
            "{shell}"
        );
    }
    assert_eq!(folder.failure(&["draw"]).0, Some(2));
}
