//! One definition for all modes, of whole programs: random chains of the functions of `modes.rs` on special values, bit for
//! bit the same eagerly, lazily, replayed and compiled.
//!
//! Ops that add up get numbers whose sums are exact in any order: inputs, and what a few exact operations made of them. After
//! that only functions of single elements follow.
//!
//! `AUTOJIT_SEED` is the seed, `AUTOJIT_CASES` the number of programs.

use autojit::{Array, DType, autojit, backends, lazy};

use crate::differential::values::{Random, seed};
use crate::modes::{Function, array, bits, elementwise, together};

/// Elementwise functions whose results are as exact as their arguments.
const KEEP: &[&str] = &[
    "negative", "absolute", "sign", "conj", "real", "imag", "floor", "ceil", "trunc", "rint",
    "positive", "maximum", "minimum", "copysign", "fmax", "fmin", "fabs", "where", "times",
];

/// Those of them that are rounded for complex numbers.
const ROUNDED: &[&str] = &["absolute", "fabs", "sign"];

/// Those whose results need a few bits more.
const WIDEN: &[&str] = &["add", "subtract", "multiply", "square"];

/// How often numbers may be widened before sums of them depend on their order.
const WIDEST: u32 = 2;

/// Ops that may follow on numbers that were widened: all but products of many.
const SUMS: &[&str] = &[
    "sum",
    "min",
    "max",
    "any",
    "all",
    "argmin",
    "argmax",
    "ptp",
    "nansum",
    "nanmin",
    "nanmax",
    "count_nonzero",
    "reversed min",
    "reversed max",
    "min of negatives",
    "sum of negatives",
    "sum 0",
    "sum 1",
    "sum all",
    "min 0",
    "min 1",
    "max 0",
    "max 1",
    "max t",
    "cumsum",
    "cumsum 0",
    "sort",
    "argsort",
    "sort 0",
    "argsort 0",
    "diff",
    "triu",
    "roll",
    "take",
];

/// A call of a function with values of the program.
struct Step {
    name: &'static str,
    function: fn(&[Array]) -> Array,
    arguments: [usize; 4],
}

struct Program {
    inputs: Vec<Array>,
    steps: Vec<Step>,
}

impl Program {
    /// The results of all steps.
    fn run(&self, inputs: &[Array]) -> Vec<Array> {
        let mut values = inputs.to_vec();
        for step in &self.steps {
            let arguments = step.arguments.map(|i| values[i].clone());
            values.push((step.function)(&arguments));
        }
        values.split_off(inputs.len())
    }

    fn random(random: &mut Random, functions: &[(Function, bool)]) -> Self {
        let dtypes = [
            DType::Float64,
            DType::Complex128,
            DType::Float32,
            DType::Complex64,
            DType::Int64,
            DType::Int32,
            DType::Uint8,
            DType::Bool,
            DType::Int8,
            DType::Int16,
            DType::Uint16,
            DType::Uint32,
            DType::Uint64,
        ];
        let n = 1 + random.below(20);
        let shapes: [&[usize]; 6] = [&[n], &[n], &[n], &[3, n], &[3, n], &[]];
        let mut dtype = || dtypes[random.below(dtypes.len())];
        let chosen: Vec<DType> = shapes.iter().map(|_| dtype()).collect();
        let exact = random.below(3) > 0;
        let inputs: Vec<Array> = shapes
            .iter()
            .zip(chosen)
            .map(|(shape, dtype)| array(random, dtype, shape, exact))
            .collect();
        // The shape of each value, and how often it was widened if it is exact.
        let mut known: Vec<(Vec<usize>, Option<u32>)> = shapes
            .iter()
            .map(|s| (s.to_vec(), exact.then_some(0)))
            .collect();
        let mut values = inputs.clone();
        let mut steps = Vec::new();
        for _ in 0..3 + random.below(8) {
            let (function, adds) = &functions[random.below(functions.len())];
            let (name, function) = *function;
            let mut draw = |shape: &[usize]| {
                let fitting: Vec<usize> =
                    (0..known.len()).filter(|&i| known[i].0 == shape).collect();
                // The last ones more often, so that chains become long.
                let at = random.below(fitting.len()).max(random.below(fitting.len()));
                fitting[at]
            };
            let arguments = [draw(&[n]), draw(&[n]), draw(&[3, n]), draw(&[])];
            let width = arguments
                .iter()
                .map(|&i| known[i].1)
                .try_fold(0, |w, x| x.map(|x| w.max(x)));
            let is_complex = |i: usize| values[i].dtype().is_ok_and(DType::is_complex);
            let exactness = match (adds, width) {
                (true, None) => continue,
                (true, Some(width)) if width > 0 && !SUMS.contains(&name) => continue,
                (false, Some(_)) if ROUNDED.contains(&name) && is_complex(arguments[0]) => None,
                (false, Some(width)) if KEEP.contains(&name) => Some(width),
                (false, Some(width)) if WIDEN.contains(&name) && width < WIDEST => Some(width + 1),
                (true, Some(_)) | (false, _) => None,
            };
            let result = function(&arguments.map(|i| values[i].clone()));
            let Ok(shape) = result.clone().check().and_then(|x| x.shape()) else {
                continue;
            };
            known.push((shape, exactness));
            values.push(result);
            steps.push(Step {
                name,
                function,
                arguments,
            });
        }
        Self { inputs, steps }
    }

    fn describe(&self, until: usize) -> String {
        let inputs = self.inputs.iter().enumerate();
        let mut text: String = inputs.map(|(i, x)| format!("  %{i} = {x:?}\n")).collect();
        for (i, step) in self.steps.iter().take(until + 1).enumerate() {
            text += &format!(
                "  %{} = {} {:?}\n",
                self.inputs.len() + i,
                step.name,
                step.arguments
            );
        }
        text
    }

    /// The first result that differs between modes.
    fn difference(&self) -> Option<String> {
        let eager = self.run(&self.inputs);
        let lazily: Vec<Array> = self.inputs.iter().map(lazy::array).collect();
        let mut modes = vec![("lazy", lazy::compute(self.run(&lazily)))];
        let own = ["replay", "cranelift"];
        for backend in backends().into_iter().filter(|b| own.contains(b)) {
            let jit = autojit(|x: Vec<Array>| self.run(&x))
                .backend(backend)
                .strict(true);
            modes.push((backend, jit.call(self.inputs.clone())));
        }
        for (mode, results) in modes {
            let results = match results {
                Ok(results) => results,
                Err(error) => {
                    let all = self.describe(self.steps.len());
                    return Some(format!("{mode} fails with {error}:\n{all}"));
                }
            };
            for (i, (got, expected)) in results.iter().zip(&eager).enumerate() {
                if got.ty().unwrap() != expected.ty().unwrap() || bits(got) != bits(expected) {
                    return Some(format!(
                        "{mode} gives {got:?}, eager {expected:?} for the last value of\n{}",
                        self.describe(i)
                    ));
                }
            }
        }
        None
    }
}

#[test]
fn random_programs_are_the_same_in_all_modes() {
    let cases: u64 = std::env::var("AUTOJIT_CASES")
        .map_or(100, |s| s.parse().expect("AUTOJIT_CASES is a number"));
    let elementwise = elementwise().into_iter().map(|f| (f, false));
    let functions: Vec<_> = elementwise
        .chain(together().into_iter().map(|f| (f, true)))
        .collect();
    let mut failures = Vec::new();
    let mut steps = 0;
    for case in 0..cases {
        let program = Program::random(&mut Random::new(seed() ^ (case << 20)), &functions);
        steps += program.steps.len();
        if let Some(difference) = program.difference() {
            failures.push(format!("program {case}: {difference}"));
            if failures.len() >= 20 {
                break;
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{}:\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert!(steps as u64 > 2 * cases, "only {steps} steps ran");
}
