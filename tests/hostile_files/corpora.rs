//! The test files of the crates we depend on: text that is not WebAssembly, modules, and components
//! of every kind. Each is refused with one line or is valid, both unchanged and damaged.

use super::check_file;
use crate::fixture::crate_folder;
use connection::limits::GuestLimits;
use engine::{Capacity, Engine, Grants, HandlerSource};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use system::trust::Trust;

/// Crates that parse text or build components, and the minimum number of their files.
const CRATES: [(&str, usize); 2] = [("wast", 50), ("wit-component", 250)];
/// How often a component is damaged.
const DAMAGED: u32 = 2000;

/// The text files in the tests directory of a crate, in the version that the host uses.
fn corpus(name: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![crate_folder(name).join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path)
            } else {
                files.push(path)
            }
        }
    }
    files.retain(|path| {
        path.extension()
            .is_some_and(|end| end == "wat" || end == "wast")
    });
    files.sort();
    files
}

#[test]
fn files_that_others_test_themselves_with_are_refused_or_run() {
    for (name, at_least) in CRATES {
        let files = corpus(name);
        assert!(files.len() > at_least, "{name}: {}", files.len());
        let refused = files.iter().filter(|file| check_file(file).is_some());
        assert!(refused.count() > 0, "{name}");
    }
}

/// Loads a component in this process.
fn load(engine: &Engine, file: &Path) -> Result<(), String> {
    let limits = GuestLimits {
        max_memory_bytes: 64 << 20,
        call_timeout: Duration::from_secs(1),
    };
    let source = HandlerSource::from(file.to_owned());
    let (trust, grants) = (Trust::default(), Grants::default());
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    match runtime.block_on(engine.load(&source, &trust, &grants, limits)) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.fault.to_string()),
    }
}

#[test]
fn components_of_every_kind_are_refused_or_run_when_they_are_damaged() {
    let files = corpus("wit-component");
    let components: Vec<Vec<u8>> = files
        .iter()
        .filter(|file| file.ends_with("component.wat"))
        .filter_map(|file| wat::parse_file(file).ok())
        .collect();
    assert!(components.len() > 50, "{}", components.len());
    let engine = Engine::new(Capacity::of(1), None).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    let which = 0..components.len();
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..=4);
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(DAMAGED)
    };
    // A failure is printed with the changes that caused it.
    TestRunner::new(config)
        .run(&(which, changes), |(which, changes)| {
            let mut damaged = components[which].clone();
            for (index, byte) in changes {
                let index = index.index(damaged.len());
                damaged[index] = byte;
            }
            fs::write(file.path(), damaged).unwrap();
            if let Err(line) = load(&engine, file.path()) {
                prop_assert!(!line.is_empty() && !line.contains('\n'), "{line:?}");
            }
            Ok(())
        })
        .unwrap();
}
