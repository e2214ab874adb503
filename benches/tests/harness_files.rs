//! The files of the benchmark harness: what is written is read again, other versions are refused, and
//! `docs/benchmarks.md` names every field.

#[path = "../harness/record.rs"]
#[allow(dead_code, reason = "the harness uses more of it")]
mod record;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use record::{
    Calls, Case, Compilation, Contestant, Counts, Kind, Machine, Memory, Outcome, PlanCost, Record,
    SCHEMA, VERSION,
};
use serde_json::Value;

/// A record in which nothing is left out.
fn whole() -> Record {
    let compilation = Compilation {
        repetitions: 3,
        start: Some(1.0),
        trace: Some(2.0),
        optimize: Some(3.0),
        compile: Some(4.0),
        first_call: Some(10.0),
    };
    let contestant = Contestant {
        outcome: Outcome::Limit("in `compile`".into()),
        difference: Some(1e-16),
        warm: Some(compilation.clone()),
        cold: Some(compilation),
        calls: Some(Calls {
            count: 100,
            min: 1.5,
            median: 2.5,
            turns: vec![1.5, 2.0],
        }),
        overhead: Some(0.5),
        counts: Some(Counts {
            nodes: 9,
            optimized: 8,
            visited: [("fold".to_owned(), 9)].into(),
            instructions: Some(7),
            kernels: Some(2),
            tape_entries: Some(3),
            runtime_calls: Some(1),
            code_bytes: Some(512),
        }),
        memory: Some(Memory {
            planned_peak: Some(64),
            first_call_peak: Some(128),
            call_peak: Some(96),
            call_allocations: Some(1),
            call_bytes: Some(24),
            compile_peak: Some(4096),
            compiled: Some(1024),
            compile_allocations: Some(77),
        }),
        ..Contestant::new("cranelift", Kind::Backend)
    };
    Record {
        schema: SCHEMA.into(),
        version: VERSION,
        date: "2026-11-25 16:40".into(),
        command: vec!["run".into()],
        limit: Some(60.0),
        machine: Machine {
            processor: "one".into(),
            system: "linux x86_64".into(),
            cores: 2,
            threads: 1,
            load: Some(0.5),
            variables: [("AUTOJIT_TARGET".to_owned(), "avx2".to_owned())].into(),
        },
        versions: [("autojit".to_owned(), "0.1.0".to_owned())].into(),
        cases: vec![Case {
            workload: "mgs".into(),
            about: "rows".into(),
            n: 50,
            size: "rows".into(),
            dtype: "float64".into(),
            per: Some((50, "row".into())),
            results: 1,
            result_bytes: 20_000,
            plan: Some(PlanCost {
                operations: 20.0,
                reference: 21.0,
                largest: 12.0,
                slices: 4.0,
            }),
            contestants: vec![contestant],
        }],
    }
}

fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

#[test]
fn what_is_written_is_read_again() {
    let path = scratch("record.json");
    whole().write(&path).unwrap();
    let again = Record::read(&path).unwrap();
    let json = |record: &Record| serde_json::to_value(record).unwrap();
    assert_eq!(json(&again), json(&whole()));
    let contestant = again.cases[0].contestant("cranelift").unwrap();
    assert_eq!(contestant.outcome, Outcome::Limit("in `compile`".into()));
}

#[test]
fn other_files_and_other_versions_are_refused() {
    let path = scratch("refused.json");
    let mut value = serde_json::to_value(whole()).unwrap();
    value["version"] = (VERSION + 1).into();
    fs::write(&path, value.to_string()).unwrap();
    let message = Record::read(&path).unwrap_err();
    assert!(message.contains("has version 2, expected 1"), "{message}");
    fs::write(&path, "{}").unwrap();
    let message = Record::read(&path).unwrap_err();
    assert!(message.contains("is no record"), "{message}");
}

fn keys(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                found.insert(name.clone());
                // Their keys are names of packages, passes and variables.
                if name != "versions" && name != "visited" && name != "variables" {
                    keys(value, found);
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| keys(value, found)),
        _ => {}
    }
}

#[test]
fn every_field_is_documented() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/benchmarks.md");
    let page = fs::read_to_string(page).unwrap();
    let mut found = BTreeSet::new();
    keys(&serde_json::to_value(whole()).unwrap(), &mut found);
    assert!(found.len() > 40, "{found:?}");
    for name in found {
        let is_named = page.contains(&format!("`{name}`")) || page.contains(&format!("`{name}[]`"));
        assert!(
            is_named,
            "docs/benchmarks.md does not name the field {name}"
        );
    }
}
