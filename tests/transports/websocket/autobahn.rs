//! The cases of the Autobahn test suite, all but those about compression.

use super::serve;
use crate::fixture::{client_python, root, run};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;

/// Cases of a group, and how many of them passed and were informational.
type Counts = [usize; 3];

#[test]
fn every_case_passes() {
    // The longest message has 16 MiB.
    let host = serve(&["echo", "--max-message", "16MiB"]);
    let folder = tempfile::tempdir().unwrap();
    let mut kosoku = client_python("kosoku");
    kosoku.args(["--exclude", "12.*", "--exclude", "13.*", "--outdir"]);
    kosoku.arg(folder.path()).arg(host.address().to_string());
    let finished = run(&mut kosoku, b"");
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let index = fs::read_to_string(folder.path().join("index.json")).unwrap();
    let index: BTreeMap<String, BTreeMap<String, Value>> = serde_json::from_str(&index).unwrap();
    let mut groups = BTreeMap::<u32, Counts>::new();
    for (case, outcome) in index.values().flatten() {
        let group = case.split('.').next().unwrap().parse().unwrap();
        let [cases, passed, informational] = groups.entry(group).or_default();
        *cases += 1;
        match outcome["behavior"].as_str() {
            Some("OK") => *passed += 1,
            Some("INFORMATIONAL") => *informational += 1,
            _ => panic!("{case}: {outcome}"),
        }
        let closed = outcome["behaviorClose"].as_str().unwrap();
        assert!(
            ["OK", "INFORMATIONAL"].contains(&closed),
            "{case}: {outcome}"
        );
    }
    assert_eq!(groups, documented());
}

/// The table of the documentation.
fn documented() -> BTreeMap<u32, Counts> {
    let page = fs::read_to_string(root().join("docs/design/websocket-suite.md")).unwrap();
    let rows = page.lines().filter_map(|line| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let number = |at: usize| cells.get(at)?.parse().ok();
        let counts = [number(3)?, number(4)?, number(5)?];
        Some((cells[1].parse().ok()?, counts))
    });
    rows.collect()
}
