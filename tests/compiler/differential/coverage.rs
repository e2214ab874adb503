//! The coverage table: what each backend does with each op, by dtype.
//!
//! `tests/golden/coverage.txt` holds it for reading and for review; `docs/operations.md` shows it to users. Both come
//! from [`autojit::support`], and `AUTOJIT_BLESS=1` rewrites them. A column is compared if its backend is built; blessing
//! keeps the columns of the others.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::{env, fs, path::Path};

use autojit::ir::Op;
use autojit::{ArrayType, DType, Support, support};

use super::cases::{Case, cases};
use super::values::Role;

/// From the heading of a column to its text.
type Row = BTreeMap<String, String>;

const NAME: &str = "op";
const SIGNATURE: &str = "signature";
const DTYPES: &str = "dtypes";
const BACKENDS: [&str; 4] = ["replay", "cranelift", "torch", "xla"];

fn types(case: &Case, dtype: DType) -> Vec<ArrayType> {
    let arguments = case.arguments.iter();
    arguments
        .map(|(role, shape)| {
            let dtype = match role {
                Role::Truth => DType::Bool,
                Role::Index(_) => DType::Int64,
                _ => dtype,
            };
            ArrayType::new(dtype, shape)
        })
        .collect()
}

/// `name(inputs, .., attribute, ..)`.
fn signature(op: &Op) -> String {
    let arity = op.arity();
    let mut parameters: Vec<String> = ["x", "y", "z"]
        .iter()
        .take(arity.required)
        .map(ToString::to_string)
        .collect();
    if arity.variadic {
        parameters.push("..".to_owned());
    }
    parameters.extend(op.attributes().iter().map(|(name, _)| format!("{name}=")));
    format!("({})", parameters.join(", "))
}

fn is_accepted(case: &Case, dtype: DType) -> bool {
    let types: Vec<autojit::ir::Type> = types(case, dtype).into_iter().map(Into::into).collect();
    case.op.infer(&types.iter().collect::<Vec<_>>()).is_ok()
}

/// The support of all cases of an op by a backend, and the dtypes without it.
fn cell(backend: &str, name: &str, dtypes: &[DType]) -> String {
    let (mut done, mut unsupported, mut called) = (String::new(), Vec::new(), Vec::new());
    for &dtype in dtypes {
        for case in cases(name, dtype) {
            match support(backend, &case.op, &types(&case, dtype)) {
                Ok(Support::Declined(_)) => unsupported.push(dtype),
                Ok(Support::Called) => called.push(dtype),
                Ok(support) => done = support.to_string(),
                // Some cases are for other dtypes.
                Err(_) => {}
            }
        }
    }
    unsupported.dedup();
    called.dedup();
    if done.is_empty() && !called.is_empty() && unsupported.is_empty() {
        return Support::Called.to_string();
    }
    if done.is_empty() || unsupported.len() == dtypes.len() {
        return "unsupported".to_owned();
    }
    for (i, dtype) in unsupported.iter().enumerate() {
        let lead = if i == 0 { " but" } else { "" };
        write!(done, "{lead} {dtype}").unwrap();
    }
    for (i, dtype) in called.iter().enumerate() {
        let lead = if i == 0 { ", called for" } else { "" };
        write!(done, "{lead} {dtype}").unwrap();
    }
    done
}

fn rows() -> Vec<Row> {
    // What holds values and picks results is there without saying; functions of the user have no types of their own.
    let structure = [
        "input",
        "constant",
        "literal",
        "get",
        "opaque",
        "scan",
        "while_loop",
        "switch",
    ];
    let names = Op::NAMES.iter().filter(|name| !structure.contains(name));
    names
        .map(|name| {
            let dtypes: Vec<DType> = DType::ALL
                .into_iter()
                .filter(|&d| cases(name, d).iter().any(|c| is_accepted(c, d)))
                .collect();
            assert!(!dtypes.is_empty(), "{name} takes no dtype");
            let op = &cases(name, dtypes[0])[0].op;
            let shown: Vec<String> = dtypes.iter().map(ToString::to_string).collect();
            let all = dtypes.len() == DType::ALL.len();
            let mut row = Row::from([
                (NAME.to_owned(), (*name).to_owned()),
                (SIGNATURE.to_owned(), signature(op)),
                (
                    DTYPES.to_owned(),
                    if all {
                        "all".to_owned()
                    } else {
                        shown.join(" ")
                    },
                ),
            ]);
            for backend in autojit::backends() {
                row.insert(backend.to_owned(), cell(backend, name, &dtypes));
            }
            row
        })
        .collect()
}

/// A table as text: cells of a row stand between bars.
fn table(rows: &[Row]) -> String {
    let columns = || [NAME, SIGNATURE, DTYPES].into_iter().chain(BACKENDS);
    let columns: Vec<&str> = columns()
        .filter(|c| rows.iter().any(|row| row.contains_key(*c)))
        .collect();
    let empty = String::new();
    let cell = |row: &Row, c: &str| row.get(c).unwrap_or(&empty).clone();
    let width = |c: &str| rows.iter().map(|r| cell(r, c).len()).max().unwrap_or(0);
    let widths: Vec<usize> = columns.iter().map(|c| width(c).max(c.len())).collect();
    let line = |cells: Vec<String>| {
        let padded = cells.iter().zip(&widths).map(|(c, w)| format!("{c:w$}"));
        format!("| {} |\n", padded.collect::<Vec<_>>().join(" | "))
    };
    let mut text = line(columns.iter().map(ToString::to_string).collect());
    text += &line(widths.iter().map(|&w| "-".repeat(w)).collect());
    for row in rows {
        text += &line(columns.iter().map(|c| cell(row, c)).collect());
    }
    text
}

fn parse(text: &str) -> Vec<Row> {
    let mut lines = text.lines().filter(|line| line.starts_with('|'));
    let cells = |line: &str| -> Vec<String> {
        let inner = line.trim_matches(|c| c == '|' || c == ' ');
        inner.split('|').map(|c| c.trim().to_owned()).collect()
    };
    let heads = cells(lines.next().unwrap_or(""));
    let rows = lines.skip(1);
    rows.map(|line| heads.iter().cloned().zip(cells(line)).collect())
        .collect()
}

const DOCUMENTATION: &str = "# Operations

Every op that a graph can hold, and what each backend does with it: it has the op (*native*), or runs it written with
others that it has (*expanded*), or its program calls back into autojit for it (*called*), or it does not support the op, in
which case replay takes over and says so (*unsupported*). Functions of [`numpy`](crate::numpy) that are not here are made
of these.
`opaque`, a registered function of yours, is called by `cranelift` and `xla`; `torch` does not support it. The loops and
branches `scan`, `while_loop` and `switch`, whose attributes are graphs, are native in `cranelift`; `torch` and `xla` do not
support them, so replay runs graphs with them there.

Dtypes are those of the arguments, with the mixtures that NumPy 2 promotes; a condition is boolean and an index an
integer besides. Generated from the op table by `tests/compiler/differential/coverage.rs`.

";

#[test]
fn the_coverage_table_is_what_backends_do() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let golden_path = root.join("tests/golden/coverage.txt");
    let page_path = root.join("docs/operations.md");
    let mut rows = rows();
    let golden = fs::read_to_string(&golden_path).unwrap_or_default();
    // Backends that this build lacks keep what is written of them.
    for old in parse(&golden) {
        let Some(row) = rows.iter_mut().find(|row| row[NAME] == old[NAME]) else {
            continue;
        };
        for (column, text) in old {
            row.entry(column).or_insert(text);
        }
    }
    let text = table(&rows);
    let page = format!("{DOCUMENTATION}{text}");
    if env::var_os("AUTOJIT_BLESS").is_some_and(|v| v == "1") {
        fs::create_dir_all(golden_path.parent().unwrap()).unwrap();
        fs::write(&golden_path, text).unwrap();
        fs::write(&page_path, page).unwrap();
        return;
    }
    let differs = "AUTOJIT_BLESS=1 rewrites it";
    assert_eq!(golden, text, "tests/golden/coverage.txt: {differs}");
    let shown = fs::read_to_string(&page_path).unwrap_or_default();
    assert_eq!(shown, page, "docs/operations.md: {differs}");
}

/// The optimised graph of a case, and its op with the arguments' types; `None` if it is for other dtypes.
#[cfg(any(feature = "torch", feature = "xla"))]
fn graph(case: &Case, dtype: DType) -> Option<autojit::ir::Graph> {
    let mut graph = autojit::ir::Graph::new();
    let types = types(case, dtype).into_iter();
    let inputs: Vec<_> = types.map(|ty| graph.add_input(ty)).collect();
    let value = graph.push(case.op.clone(), &inputs, None).ok()?;
    let outputs = if graph.ty(value).is_ok() {
        vec![value]
    } else {
        let indices = 0..graph[value].ty.arrays().len();
        let get = |index| graph.push(Op::Get { index }, &[value], None).unwrap();
        indices.map(get).collect()
    };
    graph.set_outputs(outputs);
    Some(graph)
}

/// Walks every op on every dtype: what `lower` says is what the module for a graph is made of.
#[cfg(any(feature = "torch", feature = "xla"))]
#[test]
fn modules_are_written_as_lowering_says() {
    let mut written = 0;
    for (name, dtype) in Op::NAMES
        .iter()
        .flat_map(|name| DType::ALL.map(|d| (name, d)))
        .filter(|(name, _)| !["input", "constant", "literal", "get", "opaque"].contains(name))
        .filter(|(name, _)| !["scan", "while_loop", "switch"].contains(name))
    {
        for case in cases(name, dtype) {
            let Some(graph) = graph(&case, dtype) else {
                continue;
            };
            written += 1;
            #[cfg(feature = "torch")]
            {
                let says = support("torch", &case.op, &types(&case, dtype)).unwrap();
                let text = autojit_torch::backend::source(&graph);
                // Some ops have no meaning for some shapes, whatever runs them: that is an error of another kind.
                let is_supported = !matches!(&text, Err(e) if e.is_unsupported());
                assert_eq!(
                    is_supported,
                    !matches!(says, Support::Declined(_)),
                    "{} of {dtype}: {text:?}",
                    case.op
                );
            }
            #[cfg(feature = "xla")]
            {
                let says = support("xla", &case.op, &types(&case, dtype)).unwrap();
                let calls = match autojit_xla::library::calls(&graph) {
                    Ok(calls) => calls,
                    Err(e) => {
                        assert_eq!(
                            e.is_unsupported(),
                            matches!(says, Support::Declined(_)),
                            "{} of {dtype}: {e}",
                            case.op
                        );
                        continue;
                    }
                };
                // What is written with int64 may call the same op on that.
                if matches!(says, Support::Expanded) && dtype.class() <= autojit::ir::Class::Integer
                {
                    continue;
                }
                assert_eq!(
                    calls.contains(&case.op),
                    matches!(says, Support::Called),
                    "{} of {dtype}",
                    case.op
                );
            }
        }
    }
    assert!(written > 1000, "{written}");
}
