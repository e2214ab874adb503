//! Contraction plans: `autojit.contraction_plan` and `autojit.contract`, whose forms of arguments are Python's business
//! (`autojit/_contract.py`).

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use autojit::contract::{
    CompiledPlan, Distributed, Execute, Label, Network, Options, Plan, Progress, Run, Search,
    order, plan,
};
use autojit::{Array, DType};
use pyo3::exceptions::{PyMemoryError, PyOverflowError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};

use crate::convert::{to_array, to_dtype};
use crate::errors::{OrRaise, carried};
use crate::object::{PyArrayObject, wrapped};

/// What is wrong with a network, a path or an option.
fn wrong(error: autojit::contract::Error) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// A network of subscripts, or of a pair of the labels of all operands and those of the result.
fn network_of(spec: &Bound<'_, PyAny>, shapes: &[Vec<u64>]) -> PyResult<Network> {
    if let Ok(subscripts) = spec.cast::<PyString>() {
        return Network::parse(&subscripts.to_cow()?, shapes).map_err(wrong);
    }
    let (operands, output): (Vec<Vec<Label>>, Vec<Label>) = spec.extract()?;
    Network::with_shapes(operands, output, shapes).map_err(wrong)
}

/// The plan that a search finds.
#[pyfunction]
#[pyo3(signature = (network, shapes, *, seed, steps, seconds, largest, slice_output))]
#[allow(
    clippy::too_many_arguments,
    reason = "keywords of a function of Python"
)]
pub(crate) fn contraction_plan_search(
    py: Python<'_>,
    network: &Bound<'_, PyAny>,
    shapes: Vec<Vec<u64>>,
    seed: u64,
    steps: Option<u64>,
    seconds: Option<f64>,
    largest: Option<f64>,
    slice_output: bool,
) -> PyResult<ContractionPlan> {
    let network = network_of(network, &shapes)?;
    let time = seconds.map(|seconds| {
        Duration::try_from_secs_f64(seconds)
            .map_err(|_| PyValueError::new_err(format!("a search cannot take {seconds} seconds")))
    });
    let time = time.transpose()?;
    let defaults = Options::default();
    let options = Options {
        seed,
        // Where only a time is given, nothing else ends the search.
        steps: steps.unwrap_or(if time.is_some() {
            u64::MAX
        } else {
            defaults.steps
        }),
        time,
        largest,
        slice_output,
        ..defaults
    };
    let found = py.detach(|| plan(&network, &options));
    found.map(ContractionPlan).map_err(wrong)
}

/// The plan along an order that is found fast: `"auto"`, `"greedy"` or `"optimal"`.
#[pyfunction]
pub(crate) fn contraction_plan_in_order(
    py: Python<'_>,
    network: &Bound<'_, PyAny>,
    shapes: Vec<Vec<u64>>,
    search: &str,
) -> PyResult<ContractionPlan> {
    let network = network_of(network, &shapes)?;
    let search = match search {
        "auto" => Search::Auto,
        "greedy" => Search::Greedy,
        "optimal" => Search::Optimal,
        other => {
            return Err(PyValueError::new_err(format!(
                "there is no order {other:?}: there are \"auto\", \"greedy\" and \"optimal\""
            )));
        }
    };
    let path = py.detach(|| order(&network, search)).map_err(wrong)?;
    let path: Vec<Vec<usize>> = path.into_iter().map(Vec::from).collect();
    let plan = Plan::from_path(&network, &path);
    plan.map(ContractionPlan).map_err(wrong)
}

/// The plan along a path of opt_einsum, or one in SSA form, with the labels that some axes have sliced: pairs of an operand and one of
/// its axes.
#[pyfunction]
#[pyo3(signature = (network, shapes, path, sliced, is_ssa = false))]
pub(crate) fn contraction_plan_along(
    network: &Bound<'_, PyAny>,
    shapes: Vec<Vec<u64>>,
    path: Vec<Vec<usize>>,
    sliced: Vec<(usize, usize)>,
    is_ssa: bool,
) -> PyResult<ContractionPlan> {
    let network = network_of(network, &shapes)?;
    let label = |&(operand, axis): &(usize, usize)| {
        let labels = network.operands().get(operand);
        let label = labels.and_then(|labels| labels.get(axis)).copied();
        label.ok_or_else(|| PyValueError::new_err(format!("operand {operand} has no axis {axis}")))
    };
    let sliced: Vec<Label> = sliced.iter().map(label).collect::<PyResult<_>>()?;
    let plan = if is_ssa {
        let pair = |step: &Vec<usize>| match step.as_slice() {
            &[x, y] => Ok([x, y]),
            _ => Err(PyValueError::new_err(format!(
                "a step of a path in SSA form is a pair, got {step:?}"
            ))),
        };
        let pairs: Vec<[usize; 2]> = path.iter().map(pair).collect::<PyResult<_>>()?;
        Plan::from_ssa_path(&network, &pairs)
    } else {
        Plan::from_path(&network, &path)
    };
    let plan = plan.and_then(|plan| plan.sliced_by(&sliced));
    plan.map(ContractionPlan).map_err(wrong)
}

/// A plan of the text that `ContractionPlan.to_json` gives, as pickles have it.
#[pyfunction]
pub(crate) fn contraction_plan_from_json(text: &str) -> PyResult<ContractionPlan> {
    let plan = serde_json::from_str(text);
    plan.map(ContractionPlan)
        .map_err(|error| PyValueError::new_err(format!("this is no contraction plan: {error}")))
}

/// In which order a tensor network is contracted, and which labels are sliced. Made by `autojit.contraction_plan`.
///
/// Plans are compared by what they do, can be pickled, and never change.
#[pyclass(frozen, weakref, eq, module = "autojit")]
#[derive(PartialEq)]
pub(crate) struct ContractionPlan(Plan);

impl ContractionPlan {
    /// Labels as users wrote them: characters, or numbers.
    fn names<'py>(&self, py: Python<'py>, labels: &[Label]) -> PyResult<Bound<'py, PyTuple>> {
        let name = |&label: &Label| {
            let name = self.0.network().name(label);
            match name == label.to_string() {
                true => Ok(label.into_pyobject(py)?.into_any()),
                false => Ok(name.into_pyobject(py)?.into_any()),
            }
        };
        PyTuple::new(py, labels.iter().map(name).collect::<PyResult<Vec<_>>>()?)
    }
}

#[pymethods]
impl ContractionPlan {
    /// The contractions in opt_einsum's form: pairs of positions in the list of arrays. Both go, and what they give is appended.
    #[getter]
    fn path(&self) -> Vec<(usize, usize)> {
        self.0.path().into_iter().map(|[x, y]| (x, y)).collect()
    }

    /// The contractions in SSA form: operands have the numbers from zero, and what each contraction gives has the next one.
    #[getter]
    fn ssa_path(&self) -> Vec<(usize, usize)> {
        let pairs = self.0.ssa_path().into_iter();
        pairs.map(|[x, y]| (x, y)).collect()
    }

    /// The products of numbers that all slices take.
    #[getter]
    fn operations(&self) -> f64 {
        self.0.cost().operations()
    }

    /// The elements of the largest array that a contraction of a slice gives.
    #[getter]
    fn largest(&self) -> f64 {
        self.0.cost().largest()
    }

    /// The elements of all arrays that contractions give.
    #[getter]
    fn written(&self) -> f64 {
        self.0.cost().written()
    }

    /// The number of slices.
    #[getter]
    fn slices(&self) -> PyResult<u64> {
        let slices = self.0.slices();
        slices.ok_or_else(|| PyOverflowError::new_err("there are more slices than 64 bits count"))
    }

    /// The labels that are sliced.
    #[getter]
    fn sliced<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        self.names(py, self.0.sliced())
    }

    /// The labels of the axes of each operand.
    #[getter]
    fn inputs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let operands = self.0.network().operands().iter();
        let names = operands.map(|labels| self.names(py, labels));
        PyTuple::new(py, names.collect::<PyResult<Vec<_>>>()?)
    }

    /// The labels of the axes of the result.
    #[getter]
    fn output<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        self.names(py, self.0.network().output())
    }

    /// The shape of each operand.
    #[getter]
    fn shapes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let network = self.0.network();
        let shape = |labels: &Vec<Label>| {
            let lengths = labels.iter().map(|&label| network.size(label).unwrap_or(1));
            PyTuple::new(py, lengths.collect::<Vec<u64>>())
        };
        let shapes = network.operands().iter().map(shape);
        PyTuple::new(py, shapes.collect::<PyResult<Vec<_>>>()?)
    }

    /// The bytes that a contraction takes, operands and result among them, with elements of a dtype and on so many threads. It
    /// is an estimate: the compiled code says it exactly.
    #[pyo3(signature = (dtype = None, threads = 1))]
    fn memory(
        &self,
        py: Python<'_>,
        dtype: Option<&Bound<'_, PyAny>>,
        threads: usize,
    ) -> PyResult<u64> {
        let dtype = dtype.map_or(Ok(DType::Float64), to_dtype)?;
        let memory = self.0.memory(dtype).or_raise(py)?;
        Ok(memory.total(threads.max(1)))
    }

    /// The plan as text, for files and other programs; Rust reads it too. `autojit.contraction_plan_from_json` reads it.
    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        let text = py.detach(|| serde_json::to_string(&self.0));
        text.map_err(|error| PyValueError::new_err(error.to_string()))
    }

    /// The contraction as operations on arrays of any kind, one slice after the other.
    fn contract<'py>(
        &self,
        py: Python<'py>,
        operands: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyArrayObject>> {
        let operands = arrays(operands)?;
        let result = py.detach(|| self.0.contract(&operands));
        wrapped(py, result.or_raise(py)?)
    }

    /// The plan as a function that is compiled once for all slices.
    fn compile(&self, py: Python<'_>) -> PyResult<CompiledContraction> {
        let compiled = py.detach(|| self.0.compile());
        compiled.map(CompiledContraction).or_raise(py)
    }

    fn __hash__(&self) -> u64 {
        let mut hash = DefaultHasher::new();
        self.0.ssa_path().hash(&mut hash);
        self.0.sliced().hash(&mut hash);
        hash.finish()
    }

    /// The costs, then a line for each contraction.
    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        let (cost, network) = (self.0.cost(), self.0.network());
        let slices = match self.0.sliced() {
            [] => String::new(),
            labels => {
                let labels: Vec<String> = labels.iter().map(|&l| network.name(l)).collect();
                format!(", {} slices of {}", cost.slices(), labels.join(" "))
            }
        };
        format!(
            "<contraction plan of {} operands: {:.3e} operations, largest array {:.3e} elements{slices}>",
            network.operands().len(),
            cost.operations(),
            cost.largest().max(0.0),
        )
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        let module = py.import(intern!(py, "autojit._autojit"))?;
        let make = module.getattr(intern!(py, "contraction_plan_from_json"))?;
        Ok((make, (self.to_json(py)?,)))
    }
}

fn arrays(operands: &Bound<'_, PyAny>) -> PyResult<Vec<Array>> {
    let arrays = operands.try_iter()?.map(|operand| to_array(&operand?));
    arrays.collect()
}

/// Where a checkpoint is, and how often it is written.
fn checkpoint_of(path: Option<PathBuf>, interval: f64) -> PyResult<Option<(PathBuf, Duration)>> {
    let every = if interval == f64::INFINITY {
        Duration::MAX
    } else {
        Duration::try_from_secs_f64(interval).map_err(|_| {
            PyValueError::new_err(format!(
                "a checkpoint cannot be written every {interval} seconds"
            ))
        })?
    };
    Ok(path.map(|path| (path, every)))
}

/// A plan as a function that is compiled once for all slices.
#[pyclass(frozen, weakref, module = "autojit")]
pub(crate) struct CompiledContraction(CompiledPlan);

impl CompiledContraction {
    fn check_memory(&self, py: Python<'_>, operands: &[Array], limit: u64) -> PyResult<()> {
        let memory = py.detach(|| self.0.memory(operands)).or_raise(py)?;
        if memory.total(1) <= limit {
            return Ok(());
        }
        Err(PyMemoryError::new_err(format!(
            "the contraction takes {} bytes on one thread, more than the limit of {limit}: {memory}",
            memory.total(1)
        )))
    }
}

#[pymethods]
impl CompiledContraction {
    /// The contraction, on threads. Returns an array.
    #[pyo3(signature = (operands, *, threads, memory_limit, checkpoint, checkpoint_interval, progress))]
    #[allow(
        clippy::too_many_arguments,
        reason = "keywords of a function of Python"
    )]
    fn run<'py>(
        &self,
        py: Python<'py>,
        operands: &Bound<'py, PyAny>,
        threads: Option<usize>,
        memory_limit: Option<u64>,
        checkpoint: Option<PathBuf>,
        checkpoint_interval: f64,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyArrayObject>> {
        let operands = arrays(operands)?;
        if let Some(limit) = memory_limit {
            self.check_memory(py, &operands, limit)?;
        }
        let checkpoint = checkpoint_of(checkpoint, checkpoint_interval)?;
        let mut exception = None;
        let result = py.detach(|| {
            let mut report = |state: &Progress| {
                let told = progress.as_ref().map_or(Ok(()), |progress| {
                    let left = state.left.as_secs_f64();
                    let told = (state.done, state.total, left);
                    Python::attach(|py| progress.bind(py).call1(told).map(drop))
                });
                match told {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(raised) => {
                        exception = Some(raised);
                        ControlFlow::Break(())
                    }
                }
            };
            // Ctrl-C is asked for by every run, see `errors.rs`.
            let mut run = Run::new().progress(&mut report);
            if let Some(threads) = threads {
                run = run.threads(threads);
            }
            if let Some(limit) = memory_limit {
                run = run.memory_limit(limit);
            }
            if let Some((path, every)) = checkpoint {
                run = run.checkpoint(path, every);
            }
            self.0.run(&operands, run)
        });
        match (result, exception) {
            (Ok(array), _) => wrapped(py, array),
            // The exception of the progress function.
            (Err(error), Some(exception)) if error.is_interrupted() => Err(exception),
            (Err(error), _) => Err(error).or_raise(py),
        }
    }

    /// The bytes that a run on so many threads takes, by the compiled code.
    #[pyo3(signature = (operands, threads = 1))]
    fn memory(&self, py: Python<'_>, operands: &Bound<'_, PyAny>, threads: usize) -> PyResult<u64> {
        let operands = arrays(operands)?;
        let memory = py.detach(|| self.0.memory(&operands)).or_raise(py)?;
        Ok(memory.total(threads.max(1)))
    }

    /// How many calls of the compiled function a run makes.
    #[getter]
    fn calls(&self) -> u64 {
        self.0.calls()
    }

    /// What the calls from one on and before another one give: for each of them a sum and what rounding lost of it.
    fn sum_calls<'py>(
        &self,
        py: Python<'py>,
        operands: &Bound<'py, PyAny>,
        first: u64,
        end: u64,
    ) -> PyResult<Bound<'py, PyList>> {
        let operands = arrays(operands)?;
        let sums = PyList::empty(py);
        for call in first..end {
            let given = py.detach(|| {
                let slices = self.0.slices_of_call(call)?;
                let count = slices.end - slices.start;
                self.0.sum_slices(&operands, slices.start, count)
            });
            let (sum, lost) = given.or_raise(py)?;
            sums.append((wrapped(py, sum)?, wrapped(py, lost)?))?;
            py.check_signals()?;
        }
        Ok(sums)
    }

    /// A run whose calls are made elsewhere.
    #[pyo3(signature = (operands, *, memory_limit, checkpoint, checkpoint_interval))]
    fn distribute(
        &self,
        py: Python<'_>,
        operands: &Bound<'_, PyAny>,
        memory_limit: Option<u64>,
        checkpoint: Option<PathBuf>,
        checkpoint_interval: f64,
    ) -> PyResult<DistributedContraction> {
        let operands = arrays(operands)?;
        if let Some(limit) = memory_limit {
            self.check_memory(py, &operands, limit)?;
        }
        let checkpoint = checkpoint_of(checkpoint, checkpoint_interval)?;
        let run = py.detach(|| self.0.distribute(&operands, checkpoint));
        let run = run.or_raise(py)?;
        Ok(DistributedContraction(Mutex::new(Some(run))))
    }
}

/// A run whose calls are made elsewhere and added here. It is over once its result was taken.
#[pyclass(frozen, module = "autojit")]
pub(crate) struct DistributedContraction(Mutex<Option<Distributed>>);

impl DistributedContraction {
    fn with<R: Send>(
        &self,
        py: Python<'_>,
        act: impl FnOnce(&mut Distributed) -> autojit::Result<R> + Send,
    ) -> PyResult<R> {
        let acted = py.detach(|| {
            let mut run = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match run.as_mut() {
                Some(run) => act(run),
                None => Err(carried(over())),
            }
        });
        acted.or_raise(py)
    }
}

fn over() -> PyErr {
    PyTypeError::new_err("the result of this run was taken already")
}

#[pymethods]
impl DistributedContraction {
    /// The number of the call that is added next.
    #[getter]
    fn next_call(&self, py: Python<'_>) -> PyResult<u64> {
        self.with(py, |run| Ok(run.next_call()))
    }

    /// Slices that are added, all slices, and the seconds that are left.
    #[getter]
    fn progress(&self, py: Python<'_>) -> PyResult<(u64, u64, f64)> {
        let progress = self.with(py, |run| Ok(run.progress()))?;
        Ok((progress.done, progress.total, progress.left.as_secs_f64()))
    }

    /// Adds what the next call gave.
    fn add(&self, py: Python<'_>, sum: &Bound<'_, PyAny>, lost: &Bound<'_, PyAny>) -> PyResult<()> {
        let (sum, lost) = (to_array(sum)?, to_array(lost)?);
        self.with(py, move |run| run.add(&sum, &lost))
    }

    /// Writes the checkpoint, if there is to be one.
    fn save(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, Distributed::save)
    }

    /// The contraction, once all calls are added.
    fn result<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArrayObject>> {
        let run = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let run = run.ok_or_else(over)?;
        let result = py.detach(|| run.result());
        wrapped(py, result.or_raise(py)?)
    }
}
