//! Unusual machines: with a clock that is set back, with little memory, and with few descriptors.

use crate::fixture::{Host, guest, needs, root, run};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The library of the package `faketime`, which changes the time of day of a process.
fn faketime() -> PathBuf {
    needs("faketime");
    let folders = fs::read_dir("/usr/lib").unwrap();
    let mut found = folders.filter_map(|folder| {
        let library = folder.ok()?.path().join("faketime/libfaketimeMT.so.1");
        library.exists().then_some(library)
    });
    found.next().expect("the package faketime is installed")
}

#[test]
fn a_clock_that_is_set_back_disturbs_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let clock = folder.path().join("clock");
    fs::write(&clock, "+0").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    command
        .arg("serve")
        .env("LD_PRELOAD", faketime())
        .env("FAKETIME_TIMESTAMP_FILE", &clock)
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    // The library reads a file of its own, which the host may not read.
    let args = [&guest("puppet"), "--sandbox", "off", "--idle-timeout", "3s"];
    let host = Host::start(&mut command, &args);
    let mut client = host.connect();
    client.expect("ready\n");
    assert_eq!(client.ask("say before"), "before");
    fs::write(&clock, "-3d").unwrap();
    assert_eq!(client.ask("say after"), "after");
    assert_eq!(client.ask("timer 1 10"), "timer 1");
    let status = host.status();
    assert_eq!(status["generations"][0]["age_seconds"], 0, "{status}");
    // Time limits use another clock.
    client.expect_closed();
    host.wait_for_log("no byte moved for 3s (--idle-timeout)");
}

/// A control group with little memory. Removed with the test; must outlive its host.
struct Group(PathBuf);

impl Group {
    /// In version 1 of control groups, or in version 2.
    fn with_memory(limit_bytes: usize) -> Self {
        let name = format!("echo-host-test-{}", std::process::id());
        let first = Path::new("/sys/fs/cgroup/memory").join(&name);
        let (group, limit) = match fs::create_dir(&first) {
            Ok(()) => (first, "memory.limit_in_bytes"),
            Err(_) => {
                let second = Path::new("/sys/fs/cgroup").join(&name);
                fs::create_dir(&second).expect("root may make a control group");
                (second, "memory.max")
            }
        };
        let group = Group(group);
        fs::write(group.0.join(limit), limit_bytes.to_string()).unwrap();
        group
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // If the host was killed, the kernel keeps the group a moment longer; it is empty and costs
        // nothing.
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
fn guests_share_what_memory_a_small_control_group_has() {
    // Only root creates control groups.
    needs("root");
    let group = Group::with_memory(180 << 20);
    let mut shell = Command::new("sh");
    shell
        .args([
            "-c",
            "echo $$ > \"$GROUP/cgroup.procs\" && exec \"$0\" \"$@\"",
        ])
        .args([env!("CARGO_BIN_EXE_echo-host"), "serve"])
        .env("GROUP", &group.0);
    let host = Host::start(&mut shell, &[&guest("probe")]);
    let mut neighbour = host.connect();
    assert_eq!(neighbour.ask("count"), "1");
    let mut clients: Vec<_> = (0..5).map(|_| host.connect()).collect();
    for client in &mut clients {
        client.send("allocate 50000000\n");
    }
    // Three quarters of the group's memory are for guests: enough for two, but not for all five.
    let served = clients
        .iter_mut()
        .filter_map(|client| client.is_served().then_some(()));
    let served = served.count();
    assert!((1..=2).contains(&served), "{served}");
    host.wait_for_log("the memory of all guests is used up (--max-guest-memory)");
    assert_eq!(neighbour.ask("count"), "2");
    drop(clients);
    drop(neighbour);
    host.stop();
}

/// The built-in echo with more modules, each with an initialized memory: a descriptor for each.
fn with_memories() -> String {
    let echo = fs::read_to_string(root().join("guest/echo.wat")).unwrap();
    let (echo, _) = echo.rsplit_once(')').unwrap();
    let modules = (0..3).map(|number| {
        format!(
            "(core module $m{number} (memory 1) (data (i32.const 0) \"x\"))
            (core instance (instantiate $m{number}))"
        )
    });
    format!("{echo}{})", modules.collect::<String>())
}

#[test]
fn whoever_has_too_few_descriptors_is_told_so() {
    let file = tempfile::Builder::new().suffix(".wat").tempfile().unwrap();
    fs::write(file.path(), with_memories()).unwrap();
    // Known to compile within the limits, so that no process is started for it.
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let check = |begin: &mut Command, cache: &Path| {
        begin.args([env!("CARGO_BIN_EXE_echo-host"), "check"]);
        run(begin.arg(file.path()).arg("--cache").arg(cache), b"")
    };
    assert_eq!(check(&mut Command::new("env"), &cache).code, Some(0));
    let mut without_memory = 0;
    for cache in [Path::new("off"), &cache] {
        for limit in 5..100 {
            let mut bash = Command::new("bash");
            bash.args(["-c", &format!("ulimit -n {limit}; exec \"$@\""), "bash"]);
            let checked = check(&mut bash, cache);
            if checked.code == Some(0) {
                break;
            }
            let told = checked.stderr.contains("Too many open files");
            // With very few, the program does not even start.
            let begun = checked.stderr.starts_with("echo-host: ");
            assert!(told || !begun, "{limit}: {checked:?}");
            without_memory += u32::from(checked.stderr.contains("memfd"));
        }
    }
    assert!(without_memory > 0);
}
