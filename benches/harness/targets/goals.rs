//! The goals, a row each. Where they were set for one kind of vectors, the other kind has its own.

use super::{ARITH, ENGINE, EXP, OPTIONS, PRODUCTS, TINY, Table};
use super::{call, cold, ratio, ratio_to_best, warm};
use crate::record::{Case, Compilation, Outcome};
use crate::text::{bytes, digits, time};
use crate::{law, workloads};

const REAL: &str = "float64";
/// The part of JAX's first call that one of a gradient may take.
const FIRST: f64 = 0.002;

impl Table<'_> {
    /// All of them.
    pub(super) fn all(&mut self) {
        self.gram_schmidt();
        self.compile_laws();
        self.elementwise();
        self.functions();
        self.products();
        self.updates();
        self.memory();
        self.gradients();
        self.loops();
        self.networks();
        self.programs();
    }

    /// The goal for vectors of 512 bits, or that for 256.
    fn by_vectors(&self, avx512: f64, avx2: f64) -> f64 {
        if self.has_avx512 { avx512 } else { avx2 }
    }

    fn gram_schmidt(&mut self) {
        let mgs = |table: &Self, n, dtype| table.case("mgs", n, dtype);
        let small = mgs(self, 50, REAL);
        let bound = self.by_vectors(0.2, 0.3);
        let measured = ratio(small, "rust");
        self.row(
            "mgs 50 float64, call / plain Rust loops",
            measured,
            bound,
            digits,
        );
        let complex = mgs(self, 50, "complex128");
        if self.has_avx512 {
            self.row("mgs 50 complex128, call", call(complex, ENGINE), 30e3, time);
        } else {
            let measured = ratio(complex, "rust");
            self.row(
                "mgs 50 complex128, call / plain Rust loops",
                measured,
                0.45,
                digits,
            );
        }
        let total = warm(small).and_then(Compilation::total);
        let bound = self.by_vectors(0.8e6, 1.2e6);
        self.row(
            "mgs 50, trace + optimise + compile, warm process",
            total,
            bound,
            time,
        );
        let total = cold(small).and_then(Compilation::total);
        self.row("mgs 50, the same, new process", total, 2e6, time);
        let trace = warm(mgs(self, 100, REAL)).and_then(|c| c.trace);
        self.row("trace alone, 20 102 nodes (mgs 100)", trace, 4e6, time);
    }

    fn compile_laws(&mut self) {
        for (workload, bound) in [
            ("chain", Some(1e9)),
            ("dag", Some(1e9)),
            ("mgs", Some(1e9)),
            ("grad_mgs", None),
            ("vmap_mgs", None),
            ("plan_ladder", None),
        ] {
            let lines = law::lines(self.record, law::compile_time);
            let is_it = |l: &&law::Line| l.workload == workload && l.contestant == ENGINE;
            let line = lines.iter().find(is_it);
            let line = line.filter(|l| l.points.last().is_some_and(|p| p.0 > 0.9e6));
            let slope = line.and_then(|l| law::slope(&l.points));
            self.row(
                format!("law of {workload}, slope of the time to 10^6 nodes"),
                slope,
                1.1,
                digits,
            );
            let last = line.and_then(|l| l.points.last());
            if let Some(bound) = bound {
                self.row(
                    format!("{workload}, 10^6 nodes"),
                    last.map(|p| p.1),
                    bound,
                    time,
                );
            }
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
        let empty = self.case("call", 3, REAL);
        let above = call(empty, ENGINE).zip(call(empty, "rust empty call"));
        let above = above.map(|(ours, empty)| ours - empty);
        let what = "cached call, three arguments of 3 elements, above an empty call";
        self.row(what, above, 60.0, time);
        for (n, where_, bound) in [
            (ARITH[2], "memory", 1.1),
            (ARITH[1], "L2", 1.1),
            (ARITH[0], "L1", 4.0),
        ] {
            let case = self.case("arith", n, REAL);
            let by_hand = match self.has_avx512 {
                true => ["rust avx512", "rust avx2", "rust"],
                false => ["rust avx2", "rust", "rust"],
            };
            let measured = by_hand.iter().find_map(|name| ratio(case, name));
            let what = format!("arith {n} ({where_}) / fused loop by rustc");
            self.row(what, measured, bound, digits);
        }
        for n in OPTIONS {
            let case = self.case("black_scholes", n, REAL);
            let measured = ratio(case, "rust");
            self.row(
                format!("black_scholes {n} / plain Rust loop"),
                measured,
                1.0,
                digits,
            );
        }
        let measured = ratio(self.case("exp", EXP, REAL), "rust");
        self.row(
            format!("exp {EXP} / plain Rust loop"),
            measured,
            1.0,
            digits,
        );
    }

    /// The function that is furthest behind; the table of all cases has the others.
    fn functions(&mut self) {
        let sleef = if self.has_avx512 {
            "sleef avx512"
        } else {
            "sleef avx2"
        };
        for dtype in ["float64", "float32"] {
            let cases = self.record.cases.iter();
            let cases = cases.filter(|c| c.workload.starts_with("functions.") && c.dtype == dtype);
            let ratios = cases.filter_map(|c| Some((ratio(Some(c), sleef)?, c.title())));
            let worst = ratios.max_by(|a, b| a.0.total_cmp(&b.0));
            let what = match &worst {
                Some((_, case)) => format!("elementary functions / SLEEF, the most ({case})"),
                None => format!("elementary functions of {dtype} / SLEEF, the most"),
            };
            self.row(what, worst.map(|w| w.0), 1.0, digits);
        }
    }

    fn products(&mut self) {
        for n in PRODUCTS {
            let case = self.case("matmul", n, REAL);
            let measured = ratio_to_best(case, &["gemm", "faer", "openblas"]);
            let what = format!("matmul {n} / best of gemm, faer, OpenBLAS");
            self.row(what, measured, 1.1, digits);
        }
        for workload in ["tiny.independent", "tiny.chain"] {
            for n in TINY {
                let case = self.case(workload, n, REAL);
                let measured = ratio_to_best(case, &["rust", "openblas", "blasfeo", "libxsmm"]);
                let what = format!("{workload} {n} / best of loops, OpenBLAS, BLASFEO, LIBXSMM");
                self.row(what, measured, 1.2, digits);
            }
        }
        let measured = ratio(self.case("tiny.eigvalsh", 20_000, REAL), "numpy");
        self.row("20 000 eigvalsh of 6 x 6 / numpy", measured, 1.0, digits);
    }

    fn updates(&mut self) {
        let rows = |table: &Self, n| call(table.case("updates.rows", n, REAL), ENGINE);
        let times = rows(self, 4000).zip(rows(self, 1000));
        let growth = times.map(|(long, short)| long / short);
        self.row("updates.rows, 4000 rows / 1000 rows", growth, 4.4, digits);
        let elements = call(self.case("updates.elements", 20_000, REAL), ENGINE);
        self.row("updates.elements 20000", elements, 0.5e6, time);
        let jacobi = self.case("updates.jacobi", 150, REAL);
        self.row(
            "updates.jacobi 150 / jax",
            ratio(jacobi, "jax"),
            0.5,
            digits,
        );
        self.row(
            "updates.jacobi 150 / plain Rust loops",
            ratio(jacobi, "rust"),
            1.1,
            digits,
        );
    }

    fn memory(&mut self) {
        let beside_results = |case: Option<&Case>| {
            let case = case?;
            let memory = case.contestant(ENGINE)?.memory.as_ref()?;
            Some(memory.planned_peak?.saturating_sub(case.result_bytes) as f64)
        };
        let heat = beside_results(self.case("heat", 10, REAL));
        self.row("heat 10, workspace: two grids", heat, 65_536.0, bytes);
        let beyond = |case: &Case| {
            let memory = case.contestant(ENGINE)?.memory.as_ref()?;
            let allocations = memory.call_allocations? as f64;
            Some((allocations - case.results as f64, case.title()))
        };
        let worst = self.record.cases.iter().filter_map(beyond);
        let worst = worst.max_by(|a, b| a.0.total_cmp(&b.0));
        let what = "allocations of a call beyond one a result, the most";
        let what = match &worst {
            Some((_, case)) => format!("{what} ({case})"),
            None => what.into(),
        };
        self.row(what, worst.map(|w| w.0), 0.0, digits);
    }

    /// A row of a call beside JAX; where JAX reached the limit there is no number, and the row says so.
    fn beside_jax(&mut self, what: &str, case: Option<&Case>, bound: f64) {
        let stopped = case.and_then(|c| c.contestant("jax")).map(|c| &c.outcome);
        let what = match stopped {
            Some(Outcome::Limit(_)) => format!("{what} / jax (at the limit)"),
            _ => format!("{what} / jax"),
        };
        self.row(what, ratio(case, "jax"), bound, digits);
    }

    fn gradients(&mut self) {
        let gradient = self.case("grad_mgs", 50, REAL);
        let first = cold(gradient).and_then(|c| c.first_call);
        self.row("grad_mgs 50, first call", first, 20e6, time);
        let function = self.case("mgs", 50, REAL);
        let calls = call(gradient, ENGINE).zip(call(function, ENGINE));
        let measured = calls.map(|(gradient, function)| gradient / function);
        self.row("grad_mgs 50 / mgs 50, call", measured, 5.0, digits);
        let total = |case| warm(case).and_then(Compilation::total);
        let totals = total(gradient).zip(total(function));
        let measured = totals.map(|(gradient, function)| gradient / function);
        self.row(
            "grad_mgs 50 / mgs 50, trace + optimise + compile",
            measured,
            4.0,
            digits,
        );
        for (name, n, bound) in [
            ("grad_mgs", 20, 0.05),
            ("grad_mgs", 50, 0.05),
            ("grad_kalman", 50, 1.0 / 3.0),
            ("grad_rk4", 25, 1.0 / 3.0),
            ("grad_circuit", 10, 1.0 / 3.0),
            ("grad_mps", 50, 1.0 / 3.0),
            ("grad_kinematics", 35, 1.0 / 3.0),
            ("vmap_kalman", 64, 1.0 / 3.0),
        ] {
            let case = self.case(name, n, REAL);
            self.beside_jax(&format!("{name} {n}"), case, bound);
            let jax = case.and_then(|c| c.contestant("jax"));
            let theirs = jax.and_then(|jax| jax.warm.as_ref()?.first_call);
            let ours = warm(case).and_then(|c| c.first_call);
            let what = format!("{name} {n}, first call / jax");
            match (theirs, jax.map(|jax| &jax.outcome), self.record.limit) {
                // It would have taken longer: the part is smaller than this one.
                (None, Some(Outcome::Limit(_)), Some(seconds)) => {
                    let most = ours.map(|ours| ours / (seconds * 1e9));
                    let most = most.filter(|&most| most <= FIRST);
                    self.row(format!("{what}, at most"), most, FIRST, ratio_of_first);
                }
                _ => {
                    let measured = ours.zip(theirs).map(|(ours, theirs)| ours / theirs);
                    self.row(what, measured, FIRST, ratio_of_first);
                }
            }
        }
    }

    fn loops(&mut self) {
        for (name, n, bound) in [
            ("scan_kalman", 100, 1.0),
            ("scan_kalman", 100_000, 1.0),
            ("scan_scalars", 614, 0.2),
            ("grad_scan_scalars", 614, 0.2),
            ("scan_iir", 100_000, 0.2),
            ("scan_lstm", 10_000, 1.0),
            ("fori_heat", 100, 1.0),
            ("fori_heat", 1_000, 1.0),
            ("while_dopri", 10, 1.0),
            ("quasiseparable.scan", 2_000, 1.0),
        ] {
            let case = self.case(name, n, REAL);
            self.beside_jax(&format!("{name} {n}"), case, bound);
            let total = warm(case).and_then(Compilation::total);
            self.row(
                format!("{name} {n}, trace + optimise + compile"),
                total,
                10e6,
                time,
            );
        }
        for (rolled, unrolled, n) in [
            ("scan_kalman", "kalman", 100),
            ("fori_heat", "heat", 100),
            ("quasiseparable.scan", "quasiseparable.unrolled", 2_000),
        ] {
            let of = |name| call(self.case(name, n, REAL), ENGINE);
            let measured = of(rolled).zip(of(unrolled)).map(|(a, b)| a / b);
            self.row(
                format!("{rolled} {n} / {unrolled} {n}"),
                measured,
                1.3,
                digits,
            );
        }
    }

    fn networks(&mut self) {
        for workload in workloads::find("networks") {
            let case = self.case(workload.name, workload.sizes[0], REAL);
            for other in ["torch", "xla", "jax", "numpy"] {
                // Backends of libraries in C++ are in runs with these features alone.
                if matches!(other, "torch" | "xla")
                    && case.is_none_or(|c| c.contestant(other).is_none())
                {
                    continue;
                }
                self.row(
                    format!("{} / {other}", workload.name),
                    ratio(case, other),
                    1.0,
                    digits,
                );
            }
        }
        for workload in workloads::find("plans") {
            let case = self.case(workload.name, workload.sizes[0], REAL);
            let plan = case.and_then(|c| c.plan.as_ref());
            let measured = plan.map(|plan| (plan.operations - plan.reference).exp2());
            // Both have the same limit of memory.
            let (what, bound) = match workload.name.contains("sliced") {
                true => ("operations in slices / cotengra's in slices", 1.15),
                false => ("operations / path that comes with it", 1.1),
            };
            self.row(
                format!("{}, {what}", workload.name),
                measured,
                bound,
                digits,
            );
        }
    }

    /// Each beside the best that others do.
    fn programs(&mut self) {
        for (name, n, dtype, other, bound) in [
            ("circuit", 400, "complex128", "jax", 0.4),
            ("kalman", 100, REAL, "jax", 0.25),
            ("rk4", 25, REAL, "jax", 0.6),
            ("rk4", 25, REAL, "rust", 1.1),
            ("heat", 100, REAL, "numpy", 0.25),
            ("heat", 100, REAL, "rust", 1.1),
            ("attention", 64, REAL, "jax", 0.9),
            ("kinematics", 35, REAL, "numpy", 0.1),
            ("kinematics", 35, REAL, "casadi-mx", 1.0),
            ("kinematics", 35, REAL, "casadi-sx", 1.0),
            ("grad_kinematics", 35, REAL, "casadi-sx", 1.0),
            ("mps_gates", 20, "complex128", "numpy", 0.5),
        ] {
            let case = self.case(name, n, dtype);
            self.row(
                format!("{name} {n} / {other}"),
                ratio(case, other),
                bound,
                digits,
            );
        }
        for name in [
            "circuit",
            "kalman",
            "rk4",
            "heat",
            "attention",
            "kinematics",
            "grad_kinematics",
        ] {
            let cases = self.record.cases.iter().filter(|c| c.workload == name);
            let Some(case) = cases.max_by_key(|c| c.n) else {
                self.row(format!("{name}, first call"), None, 20e6, time);
                continue;
            };
            let first = cold(Some(case)).and_then(|c| c.first_call);
            self.row(format!("{name} {}, first call", case.n), first, 20e6, time);
        }
    }
}

/// A quotient of first calls, which is small: a part in so many.
fn ratio_of_first(x: f64) -> String {
    format!(
        "1/{}",
        crate::text::count((1.0 / x.max(1e-9)).round() as usize)
    )
}
