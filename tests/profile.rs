//! In which functions the guests of a running host compute: `echo-host profile`.

use crate::fixture::{Client, Finished, Host, Process, echo_host};
use rustix::process::Signal;
use serde_json::Value;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use tempfile::TempDir;

/// A responder that answers `ok` after two functions with these names have computed, the second
/// three times as long as the first.
fn responder(light: &str, heavy: &str) -> String {
    format!(
        r#"(component
  (core module $m
    (memory (export "memory") 1)
    (data (i32.const 0) "\10\00\00\00\03\00\00\00")
    (data (i32.const 16) "ok\n")
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 32)
    (func {light} (param $rounds i32)
      (loop $again
        (local.set $rounds (i32.sub (local.get $rounds) (i32.const 1)))
        (br_if $again (local.get $rounds))))
    (func {heavy} (param $rounds i32)
      (loop $again
        (local.set $rounds (i32.sub (local.get $rounds) (i32.const 1)))
        (br_if $again (local.get $rounds))))
    (func $answer (export "respond") (param i32 i32) (result i32)
      (call {light} (i32.const 1000000))
      (call {heavy} (i32.const 3000000))
      i32.const 0))
  (core instance $i (instantiate $m))
  (func (export "respond") (param "message" (list u8)) (result (list u8))
    (canon lift (core func $i "respond") (memory $i "memory") (realloc (func $i "realloc")))))"#
    )
}

/// As Rust's compiler mangles `calc::expression::divide`.
const HEAVY: &str = "$_ZN4calc10expression6divide17h0123456789abcdefE";

fn file(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

fn serve(folder: &TempDir, light: &str, heavy: &str) -> Host {
    let handler = file(folder, "handler.wat", &responder(light, heavy));
    Host::serve(&[handler.to_str().unwrap(), "--framing", "lines"])
}

/// A client that asks without a pause until this is dropped.
struct Load(Arc<AtomicBool>, Option<JoinHandle<()>>);

impl Load {
    fn on(address: SocketAddr) -> Self {
        let is_over = Arc::<AtomicBool>::default();
        let ends = is_over.clone();
        let mut client = Client::connect(address);
        assert_eq!(client.ask("first"), "ok");
        let asking = move || {
            while !ends.load(Ordering::Relaxed) {
                assert_eq!(client.ask("again"), "ok");
            }
        };
        Load(is_over, Some(thread::spawn(asking)))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        let _ = self.1.take().map(JoinHandle::join);
    }
}

fn profile(host: &Host, options: &[&str]) -> Finished {
    let control = host.control();
    let options = options.iter().copied();
    let words = ["profile", "--control", &control]
        .into_iter()
        .chain(options);
    echo_host(&words.collect::<Vec<_>>())
}

/// The rows of the table: how often a function was seen itself, its generation and its name.
fn rows(table: &str) -> Vec<(u64, String, String)> {
    let rows = table
        .lines()
        .skip_while(|line| !line.starts_with("SELF"))
        .skip(1);
    let rows = rows.take_while(|line| !line.is_empty());
    rows.map(|line| {
        let cells: Vec<_> = line.split_whitespace().collect();
        let name = cells[5..].join(" ");
        (cells[0].parse().unwrap(), cells[4].to_owned(), name)
    })
    .collect()
}

fn own(table: &str, function: &str) -> u64 {
    let rows = rows(table);
    let of_it = rows.iter().filter(|(_, _, name)| name == function);
    of_it.map(|(own, _, _)| own).sum()
}

#[test]
fn functions_are_seen_as_long_as_they_compute() {
    let folder = tempfile::tempdir().unwrap();
    let host = serve(&folder, "$light", HEAVY);
    let _load = Load::on(host.address());
    let [json, svg] = ["a.json", "a.svg"].map(|name| folder.path().join(name));
    let [to_json, to_svg] = [&json, &svg].map(|it| it.to_str().unwrap());
    let options = [
        "--duration",
        "2s",
        "--output",
        to_json,
        "--flamegraph",
        to_svg,
    ];
    let profiled = profile(&host, &options);
    assert_eq!(profiled.code, Some(0), "{profiled:?}");
    let table = &profiled.stdout;
    let (light, heavy) = (own(table, "light"), own(table, "calc::expression::divide"));
    let share = heavy as f64 / (light + heavy) as f64;
    assert!(light + heavy > 50, "{profiled:?}");
    assert!((0.6..0.9).contains(&share), "{share}: {profiled:?}");

    let json: Value = serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();
    let thread = &json["threads"][0];
    assert_eq!(thread["name"], "main, generation 1", "{json}");
    let samples = thread["samples"]["length"].as_u64().unwrap();
    assert!(
        table.starts_with(&format!("{samples} samples\n")),
        "{table}"
    );
    let text = json.to_string();
    let svg = fs::read_to_string(&svg).unwrap();
    for name in ["light", "calc::expression::divide", "answer"] {
        assert!(text.contains(&format!("\"{name}\"")), "{name}: {text}");
        assert!(svg.contains(&format!("<title>{name} (")), "{name}: {svg}");
    }
    for told in [to_json, to_svg] {
        assert!(profiled.stderr.contains(told), "{profiled:?}");
    }
}

#[test]
fn names_of_functions_can_forge_neither_the_table_nor_the_flame_graph() {
    let folder = tempfile::tempdir().unwrap();
    let forged = r#"$"<script>alert(1)</script>\0a\1b[2J;x 7""#;
    let long = format!(r#"$"{}""#, "long".repeat(20_000));
    let host = serve(&folder, &long, forged);
    let _load = Load::on(host.address());
    let svg = folder.path().join("a.svg");
    let profiled = profile(
        &host,
        &["--duration", "1s", "--flamegraph", svg.to_str().unwrap()],
    );
    assert_eq!(profiled.code, Some(0), "{profiled:?}");
    let shown = r"<script>alert(1)</script>\n\u{1b}[2J;x 7";
    assert!(own(&profiled.stdout, shown) > 0, "{profiled:?}");
    assert!(profiled.stdout.lines().all(|line| line.len() < 300));
    let svg = fs::read_to_string(svg).unwrap();
    assert!(
        !svg.contains("<script>alert") && !svg.contains('\x1b'),
        "{svg}"
    );
    assert!(
        svg.contains(r"&lt;script&gt;alert(1)&lt;/script&gt;\n\u{1b}[2J,x"),
        "{svg}"
    );
}

#[test]
fn a_profile_goes_on_over_a_swap() {
    let folder = tempfile::tempdir().unwrap();
    let host = serve(&folder, "$light", "$before");
    let load = Load::on(host.address());
    let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    command.args(["profile", "--duration", "1m", "--control", &host.control()]);
    let mut profiling = Process::start(&mut command);
    profiling.stderr.wait_for("profiling main for 1m");
    let next = file(&folder, "next.wat", &responder("$light", "$after"));
    assert_eq!(host.ask(&["swap", next.to_str().unwrap()]).code, Some(0));
    drop(load);
    let load = Load::on(host.address());
    // As long as some guests have certainly computed.
    let mut client = host.connect();
    for _ in 0..300 {
        client.ask("again");
    }
    profiling.signal(Signal::INT);
    assert_eq!(profiling.wait().code(), Some(0));
    drop(load);
    let table = profiling.stdout.text();
    let rows = rows(&table);
    let generation = |name: &str| {
        let row = rows.iter().find(|(_, _, function)| function == name);
        row.map(|(_, generation, _)| generation.clone())
    };
    assert_eq!(generation("after").as_deref(), Some("2"), "{table}");
    assert_eq!(generation("before").as_deref(), Some("1"), "{table}");
}

#[test]
fn a_service_has_one_profile_at_a_time_which_ends_with_its_client() {
    let folder = tempfile::tempdir().unwrap();
    let host = serve(&folder, "$light", "$heavy");
    let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    command.args(["profile", "--duration", "5m", "--control", &host.control()]);
    let mut first = Process::start(&mut command);
    first.stderr.wait_for("profiling main for 5m");
    let second = profile(&host, &["--service", "main"]);
    assert_eq!(second.code, Some(69), "{second:?}");
    assert!(second.is_one_error(), "{second:?}");
    assert!(
        second
            .stderr
            .contains("service main is being profiled already"),
        "{second:?}"
    );
    first.signal(Signal::KILL);
    first.wait();
    host.wait_for_log("begins to profile guests");
    host.wait_for_log("no longer profiles guests");
    let third = profile(&host, &["--duration", "10ms"]);
    assert_eq!(third.code, Some(0), "{third:?}");
}

#[test]
fn a_profile_without_samples_says_so_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let host = serve(&folder, "$light", "$heavy");
    let svg = folder.path().join("a.svg");
    let profiled = profile(
        &host,
        &["--duration", "50ms", "--flamegraph", svg.to_str().unwrap()],
    );
    assert_eq!(profiled.code, Some(0), "{profiled:?}");
    assert_eq!(
        profiled.stdout,
        "no samples: no guest computed when they were taken; nothing is written\n"
    );
    assert!(!svg.exists());
}

#[test]
fn what_cannot_be_profiled_or_written_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let host = serve(&folder, "$light", "$heavy");
    let long = profile(&host, &["--duration", "301s"]);
    assert_eq!(long.code, Some(2), "{long:?}");
    assert!(long.stderr.contains("at most 5m"), "{long:?}");
    let unknown = profile(&host, &["--service", "nobody"]);
    assert_eq!(unknown.code, Some(69), "{unknown:?}");
    assert!(unknown.stderr.contains("nobody"), "{unknown:?}");
    let _load = Load::on(host.address());
    let nowhere = folder.path().join("no/such/folder/a.json");
    let options = ["--duration", "500ms", "--output", nowhere.to_str().unwrap()];
    let unwritten = profile(&host, &options);
    assert_eq!(unwritten.code, Some(74), "{unwritten:?}");
    assert!(unwritten.stderr.contains("cannot write"), "{unwritten:?}");
    assert!(own(&unwritten.stdout, "heavy") > 0, "{unwritten:?}");
}

#[test]
fn programs_are_profiled_too_and_of_deep_stacks_the_inner_end() {
    let folder = tempfile::tempdir().unwrap();
    let program = r#"(component
  (core module $m
    (func $deep (param $left i32)
      (if (local.get $left)
        (then (call $deep (i32.sub (local.get $left) (i32.const 1))) (return)))
      (call $spin))
    (func $spin (loop $again (br $again)))
    (func (export "run") (result i32) (call $deep (i32.const 300)) unreachable))
  (core instance $i (instantiate $m))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $exported (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $exported)))"#;
    let program = file(&folder, "program.wat", program);
    let host = Host::serve(&[program.to_str().unwrap(), "--call-timeout", "1m"]);
    let mut client = host.connect();
    client.send("x");
    let profiled = profile(&host, &["--duration", "1s"]);
    assert_eq!(profiled.code, Some(0), "{profiled:?}");
    assert!(own(&profiled.stdout, "spin") > 10, "{profiled:?}");
    assert!(profiled.stdout.contains("(more callers)"), "{profiled:?}");
}
