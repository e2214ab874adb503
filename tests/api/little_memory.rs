//! Every function that needs memory of the size of its arguments, with little of it: a result or an error.

use autojit::numpy as np;
use autojit::{Array, DType, autojit, lazy};
use np::linalg;

use super::limits::first;
use crate::process::again;

/// Set in the inner process: the number of the first function that it calls.
const FIRST: &str = "AUTOJIT_TEST_FIRST";

type Function = (&'static str, fn(&Array, &Array) -> autojit::Result<()>);

fn done(x: Array) -> autojit::Result<()> {
    x.check().map(drop)
}

/// Functions that need as much memory as their argument has, or more.
fn hungry() -> Vec<Function> {
    fn compiled(f: fn(&Array) -> Array, x: &Array) -> autojit::Result<()> {
        autojit(|x: Array| f(&x)).call(x).map(drop)
    }
    vec![
        ("exp", |x, _| done(np::exp(x))),
        ("add", |x, _| done(np::add(x, x))),
        ("where", |x, _| done(np::where_(np::less(x, 0.0), x, 0.0))),
        ("astype", |x, _| done(x.astype(DType::Complex128))),
        ("cumsum", |x, _| done(np::cumsum(x, ..))),
        ("softmax", |x, _| done(np::softmax(x, ..))),
        ("to_vec", |x, _| x.to_vec::<f64>().map(drop)),
        ("to_ndarray", |x, _| x.to_ndarray::<f64>().map(drop)),
        ("from slice", |x, _| {
            let host = autojit::ir::HostArray::try_from(x)?;
            let view = host.view::<f64>().unwrap();
            done(Array::from(view.as_slice().unwrap()))
        }),
        ("from view", |x, _| {
            let host = autojit::ir::HostArray::try_from(x)?;
            done(Array::from(host.view::<f64>().unwrap()))
        }),
        ("sort", |x, _| done(np::sort(x, ..))),
        ("argsort", |x, _| done(np::argsort(x, ..))),
        ("median", |x, _| done(np::median(x, ..))),
        ("unique", |x, _| done(np::unique(x))),
        ("tile", |x, _| done(np::tile(x, 3))),
        ("repeat", |x, _| done(np::repeat(x, 3, ..))),
        ("permutation", |x, _| {
            done(np::random::default_rng(1).permutation(x))
        }),
        ("normal", |x, _| {
            done(np::random::default_rng(1).normal(0.0, 1.0, x.size()? as i64))
        }),
        ("mask", |x, _| done(x.get(np::equal(x, 1.0)))),
        ("nonzero", |x, _| first(np::nonzero(x))),
        ("take", |x, _| {
            done(np::take(x, np::arange(x.size()? as i64, ..), 0))
        }),
        ("at", |x, _| done(x.at(0).set(1.0))),
        ("concatenate", |x, _| done(np::concatenate([x, x], Some(0)))),
        ("stack", |x, _| done(np::stack([x, x], Some(0)))),
        ("reshape", |_, m| done(np::reshape(m.t(), -1))),
        ("ravel", |_, m| done(np::ravel(m.t()))),
        ("roll", |x, _| done(np::roll(x, 1, ..))),
        ("pad", |x, _| done(np::pad(x, 1_i64 << 20, ..))),
        ("pad wrap", |x, _| {
            done(np::pad(x, 1_i64 << 20, np::arranging::Padding::Wrap))
        }),
        ("diff", |x, _| done(np::diff(x, ..))),
        ("outer", |x, _| done(np::outer(x, Array::from([1.0, 2.0])))),
        ("kron", |x, _| done(np::kron(x, Array::from([1.0, 2.0])))),
        ("vander", |x, _| done(np::vander(x, 3))),
        ("searchsorted", |x, _| done(np::searchsorted(x, x, ..))),
        ("interp", |x, _| done(np::interp(x, x, x, ..))),
        ("bincount", |x, _| {
            done(np::bincount(x.astype(DType::Int64), ..))
        }),
        ("fft", |x, _| done(np::fft::fft(x, ..))),
        ("rfft", |x, _| done(np::fft::rfft(x, ..))),
        ("matmul", |_, m| done(np::matmul(m, m))),
        ("einsum", |_, m| {
            done(np::einsum("ij,kj->ikj", [&m.get(..8), m]))
        }),
        ("qr", |_, m| done(linalg::qr(m, ..).0)),
        ("lu", |_, m| done(linalg::lu(m).2)),
        ("solve", |_, m| done(linalg::solve(m, m))),
        ("inv", |_, m| done(linalg::inv(m))),
        ("det", |_, m| done(linalg::det(m))),
        ("cholesky", |_, m| done(linalg::cholesky(m, ..))),
        ("expm", |_, m| done(linalg::expm(m))),
        ("compiled exp", |x, _| compiled(|x| np::exp(x), x)),
        ("compiled sort", |x, _| compiled(|x| np::sort(x, ..), x)),
        ("compiled argsort", |x, _| {
            compiled(|x| np::argsort(x, ..), x)
        }),
        ("compiled workspace", |x, _| {
            compiled(
                |x| np::sum(np::cumsum(np::exp(x), ..) * np::sort(np::sin(x), ..), ..),
                x,
            )
        }),
        ("compiled transpose", |_, m| {
            compiled(|m| np::ravel(m.t()) * 2.0, m)
        }),
        ("compiled lu", |_, m| compiled(|m| linalg::lu(m).2, m)),
        ("lazy", |x, _| {
            np::sum(np::sort(np::exp(lazy::array(x)), ..), ..)
                .compute()
                .map(drop)
        }),
        ("repr", |x, _| {
            let _ = x.to_string();
            Ok(())
        }),
    ]
}

/// Each function under a limit of the address space gives a result or an error. One process runs them all; where it ends
/// early, another one goes on after the function that ended it.
#[cfg(target_os = "linux")]
#[test]
fn what_does_not_fit_into_memory_is_an_error() {
    const TEST: &str = "little_memory::what_does_not_fit_into_memory_is_an_error";
    if let Ok(first) = std::env::var(FIRST) {
        let room: u64 = std::env::var("AUTOJIT_TEST_ROOM").unwrap().parse().unwrap();
        run_with_little_memory(first.parse().unwrap(), room << 20);
        return;
    }
    if !std::process::Command::new("prlimit")
        .arg("--version")
        .output()
        .is_ok_and(|o| o.status.success())
    {
        return;
    }
    let mut failures = Vec::new();
    let mut refusals = 0;
    for room in ["6", "18"] {
        let mut first = 0;
        while first < hungry().len() {
            let mut command = again(TEST);
            // Blocks from the system, and back to it, and none of the address space that glibc keeps for each thread:
            // what one function frees is no room for the next.
            command.env("MALLOC_MMAP_THRESHOLD_", "131072");
            command.env("MALLOC_ARENA_MAX", "1");
            command.env(FIRST, first.to_string());
            command.env("AUTOJIT_TEST_ROOM", room);
            let output = command.output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout);
            refusals += text.matches("refused: ").count();
            let begun = text.matches("function: ").count();
            assert!(begun > 0, "no function ran: {}", output.status);
            first += begun;
            if !output.status.success() {
                let name = hungry()[first - 1].0;
                let errors = String::from_utf8_lossy(&output.stderr).into_owned();
                let errors: String = errors.lines().take(4).collect::<Vec<_>>().join(" | ");
                failures.push(format!("{name} with {room} MB: {} {errors}", output.status));
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{}\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert!(refusals > 40, "only {refusals} calls did not fit");
}

/// Runs the functions from the one of this number on, each with this many bytes beyond what the process has.
#[cfg(target_os = "linux")]
fn run_with_little_memory(first: usize, room: u64) {
    // 8 MB, and half of that; the functions run with little more.
    let x = np::full([1_i64 << 20], 1.0, DType::Float64);
    let m = np::eye(700, ..);
    for (name, f) in hungry().into_iter().skip(first) {
        println!("function: {name}");
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        let pages: u64 = statm.split(' ').next().unwrap().parse().unwrap();
        // The limit that the process may change itself.
        let limit = format!("--as={}:", pages * 4096 + room);
        let pid = format!("--pid={}", std::process::id());
        let done = std::process::Command::new("prlimit")
            .args([pid, limit])
            .status();
        assert!(done.unwrap().success());
        match f(&x, &m) {
            Ok(()) => println!("fits"),
            Err(error) => {
                assert!(error.is_value(), "{error}");
                println!("refused: {error}");
            }
        }
    }
}
