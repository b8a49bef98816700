//! Compiled code is kept, and trusted only where nobody else could have put it.

use crate::fixture::{Finished, echo_host, guest};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

fn call(cache: &Path) -> Finished {
    let finished = echo_host(&[
        "call",
        &guest("upper"),
        "hello",
        "--cache",
        cache.to_str().unwrap(),
    ]);
    assert_eq!(
        (finished.code, finished.stdout.as_str()),
        (Some(0), "HELLO"),
        "{finished:?}"
    );
    finished
}

/// The compiled code in a cache, in whatever folders.
fn code(cache: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![cache.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_none() && fs::metadata(&path).unwrap().len() > 0 {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn a_component_is_compiled_once() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("to/be/made");
    assert_eq!(call(&cache).stderr, "");
    assert_eq!(
        fs::metadata(&cache).unwrap().permissions().mode() & 0o777,
        0o700
    );
    let [compiled] = &code(&cache)[..] else {
        panic!("{:?}", code(&cache))
    };
    let written = fs::metadata(compiled).unwrap().modified().unwrap();
    call(&cache);
    assert_eq!(fs::metadata(compiled).unwrap().modified().unwrap(), written);
    assert_eq!(code(&cache).len(), 1);
}

#[test]
fn code_that_is_damaged_is_compiled_anew() {
    let folder = tempfile::tempdir().unwrap();
    call(folder.path());
    let [compiled] = &code(folder.path())[..] else {
        panic!()
    };
    let good = fs::read(compiled).unwrap();
    for bad in [&b""[..], b"not code", &good[..good.len() / 2]] {
        fs::write(compiled, bad).unwrap();
        call(folder.path());
    }
}

#[test]
fn a_folder_that_others_may_write_to_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
    assert!(
        call(folder.path())
            .stderr
            .contains("others may write to it")
    );
    assert_eq!(code(folder.path()).len(), 0);
}

#[test]
fn without_a_usable_folder_it_works_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(call(&file).stderr.contains("compiled code is not kept in"));
    assert_eq!(call(Path::new("off")).stderr, "");
    assert!(!Path::new("off").exists());
}
