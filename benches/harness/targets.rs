//! The command `targets`: a run beside what the native engine is meant to reach.
//!
//! Ratios are of the best times of one run. What was not measured says so; nothing counts as met by default.

use crate::options;
use crate::record::{Case, Compilation, Record};
use crate::run::Planned;
use crate::text::{bytes, digits, markdown, table, time};
use crate::{law, workloads};

/// The workloads with the sizes that the targets speak of.
const CASES: &[(&str, &[usize], &[&str])] = &[
    ("mgs", &[50], &["float64", "complex128"]),
    ("mgs", &[100, 140], &["float64"]),
    ("call", &[3], &["float64"]),
    ("arith", &ARITH, &["float64"]),
    ("exp", &[EXP], &["float64"]),
    ("black_scholes", &OPTIONS, &["float64"]),
    ("matmul", &PRODUCTS, &["float64"]),
    ("networks", &[], &["float64"]),
    ("circuit", &[400], &["complex128"]),
    ("kalman", &[100], &["float64"]),
    ("rk4", &[25], &["float64"]),
    ("heat", &[100], &["float64"]),
    ("attention", &[64], &["float64"]),
];

/// Six vectors that fit into the first-level cache, into the second, and into none.
const ARITH: [usize; 3] = [500, 10_000, 10_000_000];
const EXP: usize = 10_000;
const OPTIONS: [usize; 3] = [1_000, 10_000, 100_000];
const PRODUCTS: [usize; 8] = [8, 16, 32, 64, 128, 256, 512, 1024];

/// The cases of `--suite engine`.
pub(crate) fn cases() -> Vec<Planned> {
    let mut cases = Vec::new();
    for (name, sizes, dtypes) in CASES {
        for workload in workloads::find(name) {
            for dtype in dtypes.iter().filter_map(|d| d.parse().ok()) {
                let sizes = if sizes.is_empty() {
                    workload.sizes
                } else {
                    *sizes
                };
                cases.extend(sizes.iter().map(|&n| Planned { workload, n, dtype }));
            }
        }
    }
    cases
}

/// The command.
pub(crate) fn command(options: &options::Targets) -> Result<(), String> {
    let record = Record::read_all(&options.files)?;
    let rows = Table::of(&record).rows;
    match options.markdown {
        true => print!("{}", markdown(&rows)),
        false => print!("{}", table(&rows, 1)),
    }
    Ok(())
}

const ENGINE: &str = "cranelift";

struct Table<'a> {
    record: &'a Record,
    rows: Vec<Vec<String>>,
}

impl<'a> Table<'a> {
    fn of(record: &'a Record) -> Self {
        let head = ["what", "target", "measured", ""]
            .map(String::from)
            .to_vec();
        let mut table = Self {
            record,
            rows: vec![head],
        };
        table.gram_schmidt();
        table.law();
        table.elementwise();
        table.products();
        table.programs();
        table.allocations();
        table
    }

    /// A row; the bound holds if the number is at most that.
    fn row(
        &mut self,
        what: impl Into<String>,
        measured: Option<f64>,
        bound: f64,
        show: fn(f64) -> String,
    ) {
        let verdict = match measured {
            None => "",
            Some(x) if x <= bound => "met",
            Some(_) => "missed",
        };
        self.rows.push(vec![
            what.into(),
            format!("<= {}", show(bound)),
            measured.map_or_else(|| "not measured".into(), show),
            verdict.into(),
        ]);
    }

    fn case(&self, workload: &str, n: usize, dtype: &str) -> Option<&'a Case> {
        let is_it = |c: &&Case| c.workload == workload && c.n == n && c.dtype == dtype;
        self.record.cases.iter().find(is_it)
    }

    /// The best time of a call.
    fn call(case: Option<&Case>, name: &str) -> Option<f64> {
        Some(case?.contestant(name)?.calls.as_ref()?.min)
    }

    fn ratio(case: Option<&Case>, other: &str) -> Option<f64> {
        Some(Self::call(case, ENGINE)? / Self::call(case, other)?)
    }

    fn warm(case: Option<&Case>) -> Option<&Compilation> {
        case?.contestant(ENGINE)?.warm.as_ref()
    }

    fn cold(case: Option<&Case>) -> Option<&Compilation> {
        case?.contestant(ENGINE)?.cold.as_ref()
    }

    fn gram_schmidt(&mut self) {
        let mgs = |table: &Self, n, dtype| table.case("mgs", n, dtype);
        let small = mgs(self, 50, "float64");
        self.row(
            "mgs 50 float64, call / plain Rust loops",
            Self::ratio(small, "rust"),
            0.2,
            digits,
        );
        let complex = mgs(self, 50, "complex128");
        self.row(
            "mgs 50 complex128, call",
            Self::call(complex, ENGINE),
            25e3,
            time,
        );
        let warm = Self::warm(small).and_then(Compilation::total);
        self.row(
            "mgs 50, trace + optimise + compile, warm process",
            warm,
            0.6e6,
            time,
        );
        let cold = Self::cold(small).and_then(Compilation::total);
        self.row("mgs 50, the same, cold kernels", cold, 1.5e6, time);
        for (n, bound) in [(100, 5e6), (140, 10e6)] {
            let first = Self::cold(mgs(self, n, "float64")).and_then(|c| c.first_call);
            self.row(format!("mgs {n}, first call"), first, bound, time);
        }
        let trace = Self::warm(mgs(self, 100, "float64")).and_then(|c| c.trace);
        self.row("trace alone, 20 102 nodes (mgs 100)", trace, 4e6, time);
    }

    fn law(&mut self) {
        for workload in ["chain", "dag", "mgs"] {
            let lines = law::lines(self.record, law::compile_time);
            let line = lines
                .iter()
                .find(|l| l.workload == workload && l.contestant == ENGINE);
            let line = line.filter(|l| l.points.last().is_some_and(|p| p.0 > 0.9e6));
            let slope = line.and_then(|l| law::slope(&l.points));
            self.row(
                format!("compile law of {workload}, slope to 10^6"),
                slope,
                1.1,
                digits,
            );
            let last = line.and_then(|l| l.points.last());
            self.row(
                format!("{workload}, 10^6 nodes"),
                last.map(|p| p.1),
                1e9,
                time,
            );
            let held = last.and_then(|&(nodes, _)| {
                let is_it =
                    |c: &&Case| c.workload == workload && law::nodes(c) == Some(nodes as usize);
                let case = self.record.cases.iter().find(is_it)?;
                Some(law::held(case.contestant(ENGINE)?)? / nodes)
            });
            self.row(
                format!("{workload}, 10^6 nodes, held per node"),
                held,
                400.0,
                bytes,
            );
        }
    }

    fn elementwise(&mut self) {
        let call = self.case("call", 3, "float64");
        let above = Self::call(call, ENGINE).zip(Self::call(call, "rust empty call"));
        let above = above.map(|(ours, empty)| ours - empty);
        self.row(
            "cached call, three arguments of 3 elements, above an empty call",
            above,
            60.0,
            time,
        );
        for (n, where_, bound) in [
            (ARITH[2], "memory", 1.1),
            (ARITH[1], "L2", 1.5),
            (ARITH[0], "L1", 4.0),
        ] {
            let case = self.case("arith", n, "float64");
            let widest = ["rust avx512", "rust avx2", "rust"];
            let ratio = widest.iter().find_map(|name| Self::ratio(case, name));
            self.row(
                format!("arith {n} ({where_}) / fused loop by rustc"),
                ratio,
                bound,
                digits,
            );
        }
        for n in OPTIONS {
            let time_of_one =
                Self::call(self.case("black_scholes", n, "float64"), ENGINE).map(|t| t / n as f64);
            self.row(
                format!("black_scholes {n}, an option"),
                time_of_one,
                3.5,
                time,
            );
        }
        let exp = Self::call(self.case("exp", EXP, "float64"), ENGINE).map(|t| t / EXP as f64);
        self.row(format!("exp {EXP}, an element"), exp, 0.45, time);
    }

    fn products(&mut self) {
        for n in PRODUCTS {
            let case = self.case("matmul", n, "float64");
            let best = ["gemm", "faer", "openblas"]
                .iter()
                .filter_map(|name| Self::call(case, name));
            let best = best.min_by(f64::total_cmp);
            let ratio = Self::call(case, ENGINE)
                .zip(best)
                .map(|(ours, best)| ours / best);
            self.row(
                format!("matmul {n} / best of gemm, faer, OpenBLAS"),
                ratio,
                1.1,
                digits,
            );
        }
    }

    /// Each beside the best that others do.
    fn programs(&mut self) {
        let programs: [(&str, usize, &str, &str, f64); 5] = [
            ("circuit", 400, "complex128", "jax", 0.4),
            ("kalman", 100, "float64", "jax", 0.25),
            ("rk4", 25, "float64", "jax", 0.6),
            ("heat", 100, "float64", "numpy", 0.25),
            ("attention", 64, "float64", "jax", 0.9),
        ];
        let mut first_calls = Vec::new();
        for workload in workloads::find("networks") {
            let case = self.case(workload.name, workload.sizes[0], "float64");
            for other in ["torch", "xla", "jax"] {
                let ratio = Self::ratio(case, other);
                self.row(format!("{} / {other}", workload.name), ratio, 1.0, digits);
            }
            first_calls.push((workload.name.to_owned(), case));
        }
        for (name, n, dtype, other, bound) in programs {
            let case = self.case(name, n, dtype);
            self.row(
                format!("{name} {n} / {other}"),
                Self::ratio(case, other),
                bound,
                digits,
            );
            first_calls.push((format!("{name} {n}"), case));
        }
        for (name, case) in first_calls {
            let first = Self::cold(case).and_then(|c| c.first_call);
            self.row(format!("{name}, first call"), first, 20e6, time);
        }
    }

    fn allocations(&mut self) {
        let beyond = |case: &Case| {
            let memory = case.contestant(ENGINE)?.memory.as_ref()?;
            Some((
                memory.call_allocations? as f64 - case.results as f64,
                case.title(),
            ))
        };
        let worst = self.record.cases.iter().filter_map(beyond);
        let worst = worst.max_by(|a, b| a.0.total_cmp(&b.0));
        let what = match &worst {
            Some((_, case)) => {
                format!("allocations of a call beyond one a result, the most ({case})")
            }
            None => "allocations of a call beyond one a result".into(),
        };
        self.row(what, worst.map(|w| w.0), 0.0, digits);
    }
}
