//! Files and texts that were damaged on purpose: each is read, or is an error; nothing panics, and no size inside
//! decides how much memory is taken.
//!
//! The checksum is made right again after each mutation, so that what lies behind it is reached. `AUTOJIT_FUZZ_SECONDS=600
//! cargo test --release --test api damaged_files` runs longer.

use std::time::{Duration, Instant};

use autojit::Exported;
use autojit::ir::Graph;

use super::damage::{HEADER, read, run_if_small, with_header};

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

/// One mutation of each kind. What is still readable is mutated further in later rounds.
fn round(seeds: &mut [(String, Vec<u8>)], random: &mut Random) -> usize {
    let seed = random.below(seeds.len());
    let (text, file) = &seeds[seed];
    let mut payload = file[HEADER..].to_vec();
    for _ in 0..=random.below(4).saturating_sub(1) {
        mutate(&mut payload, random);
    }
    let mutated = with_header(&payload);
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

/// `AUTOJIT_FUZZ_SECONDS` makes it run for as long, with another seed each time.
#[test]
fn damaged_files_and_texts_are_errors() {
    let seconds = std::env::var("AUTOJIT_FUZZ_SECONDS").ok();
    let time = seconds.map(|s| Duration::from_secs(s.parse().unwrap()));
    let seed = time.map_or(42, |_| {
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        now.as_nanos() as u64 | 1
    });
    println!("seed {seed}");
    let (mut seeds, mut random) = (seeds(), Random(seed));
    let start = Instant::now();
    let (mut rounds, mut readable) = (0, 0);
    while rounds < 2000 || time.is_some_and(|time| start.elapsed() < time) {
        readable += round(&mut seeds, &mut random);
        rounds += 1;
    }
    println!("{rounds} rounds, {readable} readable");
    // Mutations that break everything would reach nothing.
    assert!(
        readable > rounds / 20,
        "{readable} of {rounds} rounds are still readable"
    );
}
