//! A clone that was copied together with its target directory.

use crate::fixture::{Finished, cargo, root, run_within};
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// For commands that compile, while other tests keep the machine busy.
const BUILD_DEADLINE: Duration = Duration::from_secs(15 * 60);

/// The parts of the target directory that the copy has of its own. It shares the rest, to save
/// gigabytes: cargo finds programs in it that were compiled for the first clone, as in a full copy.
const COPIED: &str = "target/guest-build";

/// Cargo's locks of a build directory: while they are held, no other test builds there.
fn locks(build: &Path) -> Vec<File> {
    let folders = fs::read_dir(build).unwrap().map(|it| it.unwrap().path());
    let folders = folders.flat_map(|it| [it.join("release"), it]);
    let files = folders.flat_map(|it| fs::read_dir(it).into_iter().flatten());
    let files = files.map(|it| it.unwrap());
    let is_lock = |name: &str| name.starts_with(".cargo-") && name.ends_with("lock");
    let locks = files.filter(|it| it.file_name().to_str().is_some_and(is_lock));
    let locks: Vec<_> = locks.map(|it| it.path()).collect();
    assert!(!locks.is_empty(), "cargo locks in another way");
    loop {
        let opened = locks.iter().map(|lock| File::open(lock).unwrap());
        let (held, busy): (Vec<_>, Vec<_>) = opened.partition(|lock| lock.try_lock().is_ok());
        let Some(busy) = busy.first() else {
            return held;
        };
        // Without holding any: cargo may wait for these.
        drop(held);
        busy.lock().unwrap();
    }
}

/// Copies with times, by which cargo tells what has changed.
fn copy(from: &Path, to: &Path) {
    let mut cp = Command::new("cp");
    let finished = run_within(BUILD_DEADLINE, cp.arg("-a").args([from, to]), b"");
    assert_eq!(finished.code, Some(0), "{finished:?}");
}

fn build_echo(clone: &Path) -> Finished {
    let mut xtask = cargo(clone);
    xtask.args(["xtask", "build-guests", "echo"]);
    xtask.env("CARGO_TARGET_DIR", root().join("target"));
    run_within(BUILD_DEADLINE, &mut xtask, b"")
}

#[test]
fn a_copied_clone_builds_its_own_guests() {
    let first = root();
    let built = build_echo(&first);
    assert_eq!(built.code, Some(0), "{built:?}");

    let parent = tempfile::tempdir_in(first.join("target")).unwrap();
    let clone = parent.path().join("copy");
    fs::create_dir_all(clone.join("target")).unwrap();
    for entry in fs::read_dir(&first).unwrap() {
        let name = entry.unwrap().file_name();
        if name != "target" && name != ".git" {
            copy(&first.join(&name), &clone.join(&name));
        }
    }
    let held = locks(&first.join(COPIED));
    for copied in [COPIED, "target/guest-build-of"] {
        copy(&first.join(copied), &clone.join(copied));
    }
    drop(held);

    // Its contract is its own: a mistake there is noticed, and is no mistake of the first clone.
    let contract = clone.join("wit/types.wit");
    let text = fs::read_to_string(&contract).unwrap();
    fs::write(&contract, format!("{text}\nno contract")).unwrap();
    let failed = build_echo(&clone);
    assert_eq!(failed.code, Some(1), "{failed:?}");
    let mistaken = clone.join("wit");
    let named = failed.stderr.contains(mistaken.to_str().unwrap());
    assert!(named, "{failed:?}");

    fs::write(&contract, text).unwrap();
    let built = build_echo(&clone);
    assert_eq!(built.code, Some(0), "{built:?}");
    let of_copy = fs::read(clone.join("target/guests/echo.wasm")).unwrap();
    let of_first = fs::read(first.join("target/guests/echo.wasm")).unwrap();
    assert!(of_copy == of_first, "the same source, another component");
}
