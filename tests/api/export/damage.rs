//! Reading files that may be damaged, for the tests and for the fuzzer.

use autojit::ir::{Graph, HostArray};
use autojit::{Exported, Scalar};

/// Bytes before the payload: what and which version it is, and the length and checksum of the payload.
pub(crate) const HEADER: usize = 24;

/// A file with this payload, behind a header that is right for it.
pub(crate) fn with_header(payload: &[u8]) -> Vec<u8> {
    static START: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| {
        let graph = "%0 = input index=0 ty=f64[]\nreturn %0".parse().unwrap();
        Exported::from_graph("f", graph).to_bytes().unwrap()[..12].to_vec()
    });
    let mut file = START.clone();
    let checked = [&file[8..], payload].concat();
    file.extend((payload.len() as u64).to_le_bytes());
    file.extend(crc32fast::hash(&checked).to_le_bytes());
    file.extend(payload);
    file
}

/// Reads a file; what is still one is run, if it is small.
pub(crate) fn read(file: &[u8]) -> bool {
    let exported = match Exported::from_bytes(file) {
        Ok(exported) => exported,
        Err(error) => {
            assert!(error.is_file(), "{error}");
            return false;
        }
    };
    assert!(exported.graph().verify().is_ok());
    assert!(exported.signature().len() < file.len() * 40 + 1000);
    // What was read is written, and what is written is read.
    let again = exported.to_bytes().unwrap();
    Exported::from_bytes(&again).unwrap();
    run_if_small(exported.graph());
    true
}

/// Prints a graph if the test panics while it is there.
struct Context<'g>(&'g Graph);

impl Drop for Context<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("while this graph was run:\n{}", self.0);
        }
    }
}

pub(crate) fn run_if_small(graph: &Graph) {
    const LARGEST: usize = 10_000;
    // Axes beside an empty one count too: decompositions walk billions of empty matrices one by one.
    let extent = |ty: &autojit::ArrayType| {
        ty.shape
            .iter()
            .fold(1_usize, |n, &d| n.saturating_mul(d.max(1)))
    };
    let is_small = |v| graph[v].ty.arrays().iter().all(|ty| extent(ty) <= LARGEST);
    if !graph.values().all(is_small) {
        return;
    }
    // Said only if what follows panics.
    let _context = Context(graph);
    let ones = |ty: &autojit::ArrayType| {
        HostArray::from_scalars(ty, &vec![Scalar::Int(1); ty.size()]).unwrap()
    };
    let inputs: Vec<HostArray> = graph.input_types().iter().map(ones).collect();
    // An error is an answer.
    autojit::run_graph("replay", graph, &inputs).ok();
}
