//! The benchmark as it is run, for a few seconds: nothing here asserts how fast anything is.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(60);

/// The shortest run there is: the native servers and the built-in echo, once.
fn bench(group: &str) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_echo-host-bench"));
    assert!(
        program.with_file_name("echo-host").is_file(),
        "the host is missing: test the whole workspace"
    );
    let mut command = Command::new(program);
    command.args(["--quick", "--rounds", "1", "--only", "host-built-in", group]);
    command
}

#[test]
fn a_run_compares_the_host_with_the_native_servers() {
    let output = bench("steady").output().unwrap();
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{stderr}");
    for text in [
        "64 B, 50 connections\n",
        "native-plain ",
        "native-per-core ",
        "host-built-in ",
    ] {
        assert!(stdout.contains(text), "no {text} in {stdout}");
    }
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench");
    let json = fs::read_to_string(results.join("results.json")).unwrap();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["skipped"], Value::Array(Vec::new()), "{stderr}");
    let rows = json["rows"].as_array().unwrap();
    assert!(!rows.is_empty() && rows.len().is_multiple_of(3), "{json}");
    for row in rows {
        let figures = &row["figures"];
        for figure in ["cpu_us_per_message", "messages_per_s", "resident_bytes"] {
            assert!(figures[figure].as_f64() > Some(0.0), "{row}");
        }
    }
    for picture_or_text in ["results.svg", "results.md"] {
        assert!(results.join(picture_or_text).is_file());
    }
}

#[test]
#[cfg(target_os = "linux")]
fn an_interrupted_run_leaves_nothing_behind() {
    let mut run = bench("memory").stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    // A server, which runs for seconds.
    let server = loop {
        assert!(begun.elapsed() < DEADLINE, "no server is started");
        if let Some(child) = first_child(&run) {
            break child;
        }
    };
    kill_process(Pid::from_child(&run), Signal::INT).unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(130));
    let status = || fs::read_to_string(format!("/proc/{server}/stat")).unwrap_or_default();
    while !status().is_empty() && !status().contains(") Z ") {
        assert!(begun.elapsed() < DEADLINE, "it goes on: {}", status());
        sleep(Duration::from_millis(5));
    }
}

/// A server that this process has started, if there is one.
fn first_child(run: &Child) -> Option<u32> {
    let threads = fs::read_dir(format!("/proc/{}/task", run.id())).ok()?;
    threads.flatten().find_map(|thread| {
        let children = fs::read_to_string(thread.path().join("children")).ok()?;
        let child = children.split_whitespace().next()?.parse().ok()?;
        let name = fs::read_to_string(format!("/proc/{child}/comm")).ok()?;
        name.starts_with("native").then_some(child)
    })
}
