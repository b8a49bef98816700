//! What Prometheus makes of the metrics: it scrapes a host, and takes the rules and the dashboard
//! of the documents.

use crate::fixture::{DEADLINE, Host, Process, root, run, tool};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::time::Instant;
use tempfile::TempDir;

/// A responder that computes for about a millisecond.
const BUSY: &str = r#"(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 8)
    (func (export "respond") (param i32 i32) (result i32)
      (local $left i32)
      (local.set $left (i32.const 1000000))
      (loop $again
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br_if $again (local.get $left)))
      (i32.store (i32.const 0) (i32.const 8))
      (i32.store (i32.const 4) (i32.const 1))
      (i32.const 0)))
  (core instance $i (instantiate $m))
  (func (export "respond") (param "message" (list u8)) (result (list u8))
    (canon lift (core func $i "respond") (memory $i "memory") (realloc (func $i "realloc")))))"#;

/// A Prometheus that scrapes one host each 200 ms.
struct Prometheus {
    _process: Process,
    _folder: TempDir,
    address: String,
}

impl Prometheus {
    fn of(target: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let rules = root().join("docs/operate/prometheus/alerts.yml");
        let config = format!(
            "global: {{ scrape_interval: 200ms, scrape_timeout: 200ms }}\n\
             rule_files: [{}]\n\
             scrape_configs:\n\
             - job_name: echo-host\n  \
               static_configs: [{{ targets: ['{target}'] }}]\n",
            rules.display()
        );
        let file = folder.path().join("prometheus.yml");
        fs::write(&file, config).unwrap();
        let mut command = tool("prometheus");
        command
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.path().join("data").display()
            ))
            .arg("--web.listen-address=127.0.0.1:0");
        let process = Process::start(&mut command);
        let said = process.stderr.wait_for("msg=\"Listening on\" address=");
        let address = said.split("address=").nth(1).unwrap();
        process.stderr.wait_for("Server is ready");
        Prometheus {
            address: address.split_whitespace().next().unwrap().to_owned(),
            _process: process,
            _folder: folder,
        }
    }

    /// The result of a query, as a vector.
    fn query(&self, expression: &str) -> Vec<Value> {
        let mut curl = tool("curl");
        curl.args(["-sS", "--data-urlencode"])
            .arg(format!("query={expression}"))
            .arg(format!("http://{}/api/v1/query", self.address));
        let answer = run(&mut curl, b"").stdout;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["status"], "success", "{expression}: {answer:#}");
        answer["data"]["result"].as_array().unwrap().clone()
    }
}

/// The time that all threads of a process have run, in seconds.
fn cpu_seconds(host: &Host) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", host.process.id())).unwrap();
    let (_, after_name) = stat.rsplit_once(") ").unwrap();
    let ticks = after_name.split(' ').skip(11).take(2);
    let ticks: f64 = ticks.map(|it| it.parse::<f64>().unwrap()).sum();
    ticks / rustix::param::clock_ticks_per_second() as f64
}

fn measured(args: &[&str]) -> (Host, String) {
    let host = Host::serve(&[&["--metrics", "tcp://127.0.0.1:0"], args].concat());
    let logged = host.wait_for_log("metrics at tcp://");
    let address = logged.split("tcp://").last().unwrap().trim().to_owned();
    (host, address)
}

fn value(result: &[Value]) -> f64 {
    let [one] = result else {
        panic!("not one value: {result:?}")
    };
    one["value"][1].as_str().unwrap().parse().unwrap()
}

#[test]
fn prometheus_scrapes_a_host_and_the_time_of_guests_is_that_of_its_threads() {
    let folder = tempfile::tempdir().unwrap();
    let handler = folder.path().join("busy.wat");
    fs::write(&handler, BUSY).unwrap();
    let (host, address) = measured(&[handler.to_str().unwrap(), "--workers", "1"]);
    let prometheus = Prometheus::of(&address);
    let mut client = host.connect();
    let begun = cpu_seconds(&host);
    while cpu_seconds(&host) - begun < 1.0 {
        for _ in 0..20 {
            client.send("x");
            client.expect("x");
        }
    }
    let ran = cpu_seconds(&host) - begun;
    drop(client);
    host.wait_for_open(0);
    let deadline = Instant::now() + DEADLINE;
    while prometheus
        .query(r#"echo_host_connection_duration_seconds_count{generation="1"} == 1"#)
        .is_empty()
    {
        assert!(Instant::now() < deadline, "the end was never scraped");
    }
    let guests = value(&prometheus.query("echo_host_guest_cpu_seconds_total"));
    // Some of it is the host's own.
    assert!(
        (0.6..=1.1).contains(&(guests / ran)),
        "{guests} s of {ran} s"
    );
    let sizes = prometheus.query(r#"echo_host_message_bytes_bucket{le="16.0",service="main"}"#);
    assert!(value(&sizes) >= 1.0, "{sizes:?}");
    let up = prometheus.query(r#"up{job="echo-host"}"#);
    assert_eq!(value(&up), 1.0);
}

#[test]
fn the_alerts_fire_as_their_tests_say() {
    let rules = root().join("docs/operate/prometheus/alerts.yml");
    let tests = root().join("tests/prometheus/alerts.test.yml");
    for (what, file) in [("check", rules), ("test", tests)] {
        let finished = run(tool("promtool").args([what, "rules"]).arg(file), b"");
        assert_eq!(finished.code, Some(0), "{finished:?}");
    }
}

/// All strings under this key, however deep.
fn strings<'a>(of: &'a Value, key: &str, found: &mut Vec<&'a str>) {
    match of {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if name == key => found.push(text),
                    _ => strings(member, key, found),
                }
            }
        }
        Value::Array(all) => all.iter().for_each(|it| strings(it, key, found)),
        _ => {}
    }
}

#[test]
fn the_dashboard_asks_for_what_the_host_tells() {
    let (host, address) = measured(&[]);
    let mut client = host.connect();
    client.send("x");
    client.expect("x");
    let metrics = run(
        tool("curl").args(["-sS", &format!("http://{address}/metrics")]),
        b"",
    );
    let served: BTreeSet<_> = metrics
        .stdout
        .lines()
        .filter_map(|line| line.split(['{', ' ']).next())
        .collect();
    let dashboard = fs::read(root().join("docs/operate/prometheus/grafana.json")).unwrap();
    let dashboard: Value = serde_json::from_slice(&dashboard).unwrap();
    let mut expressions = Vec::new();
    strings(&dashboard, "expr", &mut expressions);
    assert!(expressions.len() > 20, "{expressions:?}");
    let prometheus = Prometheus::of(&address);
    for expression in expressions {
        let names = expression.split(|char: char| !char.is_ascii_alphanumeric() && char != '_');
        for name in names.filter(|name| name.starts_with("echo_host_")) {
            assert!(served.contains(name), "{name} in {expression}");
        }
        let asked = expression
            .replace("$__rate_interval", "1m")
            .replace("$__interval", "1m")
            .replace("$instance", ".*")
            .replace("$service", ".*");
        prometheus.query(&asked);
    }
    let [rules] = &prometheus_rules(&prometheus)[..] else {
        panic!("not one group of rules")
    };
    assert_eq!(rules["name"], "echo-host");
}

fn prometheus_rules(prometheus: &Prometheus) -> Vec<Value> {
    let url = format!("http://{}/api/v1/rules", prometheus.address);
    let answer = run(tool("curl").args(["-sS", &url]), b"").stdout;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    answer["data"]["groups"].as_array().unwrap().clone()
}
