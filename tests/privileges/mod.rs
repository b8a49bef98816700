//! The privileges that the process drops.

mod forbidden;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod injection;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod inside;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod named;
mod sandbox;
mod user;

use std::fs;

/// The value of an entry in /proc for each thread of a process.
fn of_threads(pid: u32, name: &str) -> Vec<String> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let said = threads.filter_map(|thread| {
        // A thread may end in the meantime.
        let status = fs::read_to_string(thread.unwrap().path().join("status")).ok()?;
        let found = status.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            (found == name).then(|| value.split_whitespace().collect::<Vec<_>>().join(" "))
        });
        Some(found.unwrap_or_else(|| panic!("no {name} in {status}")))
    });
    let said: Vec<_> = said.collect();
    assert!(!said.is_empty());
    said
}

#[track_caller]
fn assert_all(pid: u32, name: &str, expected: &str) {
    for said in of_threads(pid, name) {
        assert_eq!(said, expected, "{name}");
    }
}
