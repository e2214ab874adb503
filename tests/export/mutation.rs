//! Files and texts that were damaged on purpose: each is read, or is an error; nothing panics, and no size inside
//! decides how much memory is taken.
//!
//! The checksum is made right again after each mutation, so that what lies behind it is reached. The short test runs
//! with every test run; `cargo test --release --test export -- --ignored` runs for `AUTOJIT_FUZZ_SECONDS` (600).

use std::time::{Duration, Instant};

use autojit::ir::{Graph, HostArray};
use autojit::{Exported, Scalar};

/// The texts of all graphs of the file tests that can be read.
pub(crate) fn graphs() -> Vec<String> {
    let mut texts = Vec::new();
    for folder in ["run", "opt", "text"] {
        let folder = format!("{}/tests/filetests/{folder}", env!("CARGO_MANIFEST_DIR"));
        let mut paths: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().path())
            .collect();
        paths.sort();
        texts.extend(paths.iter().filter_map(|path| {
            let text = std::fs::read_to_string(path).unwrap();
            let graph: Vec<&str> = text.lines().filter(|line| !line.starts_with(';')).collect();
            let graph = graph.join("\n");
            graph.parse::<Graph>().is_ok().then_some(graph)
        }));
    }
    texts
}

/// Numbers by xorshift64* (Vigna 2016), the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize) % n.max(1)
    }

    fn range(&mut self, len: usize) -> std::ops::Range<usize> {
        let (a, b) = (self.below(len + 1), self.below(len + 1));
        let end = a.max(b).min(a.min(b) + 16);
        a.min(b)..end
    }
}

const HEADER: usize = 24;

fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(bytes.len());
    match random.below(7) {
        _ if bytes.is_empty() => bytes.push(random.below(256) as u8),
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
        2 => bytes.insert(at, random.below(256) as u8),
        3 => {
            bytes.drain(random.range(bytes.len()));
        }
        4 => {
            let copy = bytes[random.range(bytes.len())].to_vec();
            bytes.splice(at..at, copy);
        }
        // A length of which there is no end.
        5 => {
            let end = (at + 1).min(bytes.len());
            bytes.splice(
                at..end,
                [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
            );
        }
        _ => bytes.truncate(at),
    }
}

/// The same, of text: digits and words move.
fn mutate_text(text: &mut String, random: &mut Random) {
    const WORDS: [&str; 14] = [
        "0",
        "-1",
        "9",
        "18446744073709551615",
        "9223372036854775807",
        "-9223372036854775808",
        "nan",
        "[]",
        "[0,0]",
        "[-1]",
        "f64[]",
        "f64[0]",
        "c128[2,2]",
        "4000000000",
    ];
    let words: Vec<(usize, usize)> = {
        let is_part = |c: char| c.is_alphanumeric() || c == '-';
        let mut found = Vec::new();
        let mut start = None;
        for (i, c) in text.char_indices().chain([(text.len(), ' ')]) {
            match (is_part(c), start) {
                (true, None) => start = Some(i),
                (false, Some(s)) => {
                    found.push((s, i));
                    start = None;
                }
                _ => {}
            }
        }
        found
    };
    if words.is_empty() {
        return;
    }
    let (start, end) = words[random.below(words.len())];
    let (other_start, other_end) = words[random.below(words.len())];
    let new = match random.below(3) {
        0 => text[other_start..other_end].to_owned(),
        1 => String::new(),
        _ => WORDS[random.below(WORDS.len())].to_owned(),
    };
    text.replace_range(start..end, &new);
}

/// Reads a file; what is still one is run, if it is small.
fn read(file: &[u8]) -> bool {
    let exported = match Exported::from_bytes(file) {
        Ok(exported) => exported,
        Err(error) => {
            assert!(error.is_file(), "{error}");
            return false;
        }
    };
    assert!(exported.graph().verify().is_ok());
    assert!(exported.signature().len() < file.len() * 40 + 1000);
    let again = exported
        .to_bytes()
        .map(|bytes| Exported::from_bytes(&bytes).is_ok());
    assert!(again.unwrap_or(true));
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

fn run_if_small(graph: &Graph) {
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

/// One mutation of each kind. What is still readable is mutated further in later rounds.
fn round(seeds: &mut [(String, Vec<u8>)], random: &mut Random) -> usize {
    let seed = random.below(seeds.len());
    let (text, file) = &seeds[seed];
    let mut payload = file[HEADER..].to_vec();
    for _ in 0..=random.below(4).saturating_sub(1) {
        mutate(&mut payload, random);
    }
    let mut mutated = file[..12].to_vec();
    mutated.extend((payload.len() as u64).to_le_bytes());
    mutated.extend(crc32fast::hash(&payload).to_le_bytes());
    mutated.extend(payload);
    let is_file = read(&mutated);

    let mut text = text.clone();
    for _ in 0..=random.below(4).saturating_sub(2) {
        mutate_text(&mut text, random);
    }
    let graph = text.parse::<Graph>().ok();
    if let Some(graph) = &graph {
        run_if_small(graph);
    }
    // Without its checksum made right, every damage is found.
    let mut damaged = file.clone();
    mutate(&mut damaged, random);
    assert_eq!(Exported::from_bytes(&damaged).is_ok(), damaged == *file);

    let readable = usize::from(is_file) + usize::from(graph.is_some());
    if is_file {
        seeds[seed].1 = mutated;
    }
    if graph.is_some() {
        seeds[seed].0 = text;
    }
    readable
}

fn seeds() -> Vec<(String, Vec<u8>)> {
    let seed = |text: String| {
        let exported = Exported::from_graph("seed", text.parse().unwrap());
        (text, exported.to_bytes().unwrap())
    };
    graphs().into_iter().map(seed).collect()
}

#[test]
fn damaged_files_and_texts_are_errors() {
    let (mut seeds, mut random) = (seeds(), Random(42));
    let readable: usize = (0..2000).map(|_| round(&mut seeds, &mut random)).sum();
    // Mutations that break everything would reach nothing.
    assert!(readable > 100, "{readable} of 4000 are still readable");
}

#[test]
#[ignore = "runs for AUTOJIT_FUZZ_SECONDS, ten minutes"]
fn damaged_files_and_texts_are_errors_for_long() {
    let seconds = std::env::var("AUTOJIT_FUZZ_SECONDS")
        .ok()
        .and_then(|s| s.parse().ok());
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or(600));
    let seed = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap()
        .as_nanos() as u64
        | 1;
    println!("seed {seed}");
    let (mut seeds, mut random) = (seeds(), Random(seed));
    let (mut rounds, mut readable) = (0_u64, 0);
    while Instant::now() < end {
        readable += round(&mut seeds, &mut random);
        rounds += 1;
    }
    println!("{rounds} rounds, {readable} readable");
}
