//! The metrics, as curl sees them.

use crate::fixture::{Client, Finished, Host, echo_host, guest, root, run, tool};
use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// A host with metrics, and their address.
fn measured(args: &[&str]) -> (Host, SocketAddr) {
    let host = Host::serve(&[&["--metrics", "tcp://127.0.0.1:0"], args].concat());
    let logged = host.wait_for_log("metrics at tcp://");
    let address = logged.split("tcp://").last().unwrap().parse().unwrap();
    (host, address)
}

fn curl(args: &[&str]) -> Finished {
    run(tool("curl").arg("-sS").args(args), b"")
}

fn collect(address: SocketAddr) -> String {
    let finished = curl(&["-f", &format!("http://{address}/metrics")]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    finished.stdout
}

fn figure(metrics: &str, name: &str) -> u64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name));
    line.expect(name).trim().parse().unwrap()
}

#[test]
fn what_happens_is_counted() {
    let (host, address) = measured(&[&guest("probe"), "--max-message", "64", "--workers", "1"]);
    let mut client = host.connect();
    assert_eq!(client.ask("count"), "1");
    for bad in ["panic oh no\n", &"x".repeat(65)] {
        let mut client = host.connect();
        client.send(bad);
        client.expect_closed();
    }
    host.wait_for_open(1);
    let metrics = collect(address);
    for (name, expected) in [
        ("connections_open{service=\"main\"}", 1),
        ("connections_total{service=\"main\"}", 3),
        ("messages_total{service=\"main\"}", 2),
        ("received_bytes_total{service=\"main\"}", 6 + 12 + 65),
        ("sent_bytes_total{service=\"main\"}", 2),
        ("failed_calls_total{service=\"main\"}", 1),
        ("turned_away_total{service=\"main\"}", 0),
        ("generation{service=\"main\"}", 1),
        ("worker_connections{worker=\"0\"}", 1),
        ("limit_reached_total{limit=\"max-message\"}", 1),
        ("limit_reached_total{limit=\"call-timeout\"}", 0),
        ("dropped_datagrams_total{reason=\"no-place\"}", 0),
        (
            concat!(
                "build_info{version=\"",
                env!("CARGO_PKG_VERSION"),
                "\",commit=\"\"}"
            ),
            1,
        ),
    ] {
        assert_eq!(
            figure(&metrics, &format!("echo_host_{name}")),
            expected,
            "{name}"
        );
    }
    let calls = figure(
        &metrics,
        "echo_host_call_duration_seconds_count{service=\"main\",generation=\"1\"}",
    );
    assert!((1..=2).contains(&calls), "{metrics}");
    assert!(figure(&metrics, "echo_host_resident_memory_bytes") > 1 << 20);
    assert!(!metrics.contains("# EOF"));
}

#[test]
fn prometheus_finds_nothing_wrong() {
    let (_host, address) = measured(&[]);
    let metrics = collect(address);
    let mut promtool = tool("promtool");
    let finished = run(promtool.args(["check", "metrics"]), metrics.as_bytes());
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(finished.stderr, "", "{metrics}");
}

#[test]
fn open_metrics_are_told_to_whoever_asks_for_them() {
    let (_host, address) = measured(&[]);
    let url = format!("http://{address}/metrics");
    let asked = |accept: &str| {
        let accept = format!("Accept: {accept}");
        curl(&["-i", "-H", &accept, &url]).stdout
    };
    let open = asked("application/openmetrics-text;version=1.0.0,text/plain;q=0.5");
    assert!(
        open.contains("application/openmetrics-text; version=1.0.0"),
        "{open}"
    );
    assert!(open.ends_with("# EOF\n"), "{open}");
    for accept in ["text/plain", "*/*", "text/html"] {
        let plain = asked(accept);
        assert!(plain.contains("text/plain; version=0.0.4"), "{plain}");
    }
}

#[test]
fn a_client_that_half_closes_is_answered() {
    let (_host, address) = measured(&[]);
    for _ in 0..60 {
        let mut client = Client::connect(address);
        client.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
        client.finish();
        let answer = String::from_utf8(client.rest()).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains("echo_host_messages_total"), "{answer}");
    }
}

#[test]
fn who_asks_by_a_foreign_name_is_refused() {
    let (_host, address) = measured(&[]);
    let url = format!("http://{address}/metrics");
    for (host, code) in [
        ("evil.example", "421"),
        ("evil.example:9464", "421"),
        ("127.0.0.1.evil.example", "421"),
        ("localhost:9464", "200"),
        ("192.0.2.1", "200"),
        ("[::1]:9464", "200"),
    ] {
        let header = format!("Host: {host}");
        let finished = curl(&["-o", "/dev/null", "-w", "%{http_code}", "-H", &header, &url]);
        assert_eq!(finished.stdout, code, "{host}");
    }
    let (_host, address) = measured(&["--metrics", "tcp://localhost:0"][..0]);
    let resolve = format!("localhost:{}:127.0.0.1", address.port());
    let url = format!("http://localhost:{}/metrics", address.port());
    assert_eq!(curl(&["-f", "--resolve", &resolve, &url]).code, Some(0));
}

#[test]
fn those_who_say_nothing_keep_nobody_waiting() {
    let (_host, address) = measured(&[]);
    let silent: Vec<_> = (0..64).map(|_| Client::connect(address)).collect();
    let begun = Instant::now();
    collect(address);
    // A silent client may stay for five seconds, and there were four times as many as are served at
    // once.
    assert!(begun.elapsed() < Duration::from_secs(5));
    drop(silent);
}

#[test]
fn only_metrics_are_served_and_only_read() {
    let (_host, address) = measured(&[]);
    let metrics = format!("http://{address}/metrics");
    let other = format!("http://{address}/");
    for (args, expected) in [
        (
            vec![metrics.as_str()],
            "200 text/plain; version=0.0.4; charset=utf-8",
        ),
        (
            vec!["--head", &metrics],
            "200 text/plain; version=0.0.4; charset=utf-8",
        ),
        (
            vec!["-X", "POST", &metrics],
            "405 text/plain; charset=utf-8",
        ),
        (vec![&other], "404 text/plain; charset=utf-8"),
    ] {
        let format = ["-o", "/dev/null", "-w", "%{http_code} %{content_type}"];
        let finished = curl(&[&args, &format[..]].concat());
        assert_eq!(finished.stdout, expected, "{args:?}");
    }
}

#[test]
fn a_unix_socket_will_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.sock");
    let path = path.to_str().unwrap();
    let _host = Host::serve(&["--metrics", &format!("unix:{path}")]);
    let finished = curl(&["-f", "--unix-socket", path, "http://host/metrics"]);
    assert!(
        finished.stdout.contains("echo_host_connections_open"),
        "{finished:?}"
    );
}

#[test]
fn those_who_dawdle_keep_nobody_waiting_for_long() {
    let (host, address) = measured(&[]);
    let mut slow: Vec<Client> = (0..80).map(|_| Client::connect(address)).collect();
    for client in &mut slow {
        client.send("GET /met");
    }
    let metrics = collect(address);
    assert!(
        figure(
            &metrics,
            "echo_host_limit_reached_total{limit=\"metrics-clients\"}"
        ) > 0
    );
    let mut client = host.connect();
    client.send("served all the while");
    client.expect("served all the while");
    for client in &mut slow {
        client.expect_closed();
    }
}

#[test]
fn a_place_that_cannot_be_is_refused() {
    for (args, reason) in [
        (
            vec!["--metrics", "udp://127.0.0.1:0"],
            "cannot serve metrics on udp://127.0.0.1:0",
        ),
        (
            vec![
                "--listen",
                "tcp://127.0.0.1:7",
                "--metrics",
                "tcp://127.0.0.1:7",
            ],
            "given twice: --listen and --metrics",
        ),
    ] {
        let finished = echo_host(&[&["serve"], &args[..]].concat());
        assert_eq!(finished.code, Some(78), "{finished:?}");
        assert!(finished.stderr.contains(reason), "{finished:?}");
    }
    let (_host, taken) = measured(&[]);
    let finished = echo_host(&["serve", "--metrics", &format!("tcp://{taken}")]);
    assert_eq!(finished.code, Some(69), "{finished:?}");
}

#[test]
fn a_successor_continues_at_the_same_address() {
    let folder = tempfile::tempdir().unwrap();
    let control = folder.path().join("host.sock");
    let control = ["--control", control.to_str().unwrap()];
    let (mut first, address) = measured(&control);
    let uri = format!("tcp://{address}");
    let listen = first.uri().to_owned();
    let args = ["--takeover", "--metrics", &uri, "--listen", &listen];
    let second = Host::serve(&[&control[..], &args].concat());
    assert_eq!(first.process.wait().code(), Some(0));
    let mut client = second.connect();
    client.send("hello");
    client.expect("hello");
    let metrics = collect(address);
    assert_eq!(
        figure(&metrics, "echo_host_connections_open{service=\"main\"}"),
        1
    );
}

#[test]
fn the_page_lists_the_metrics_that_are_served() {
    let (_host, address) = measured(&[]);
    let metrics = collect(address);
    // Prometheus computes no quantile without it.
    let last = "call_duration_seconds_bucket{le=\"+Inf\",service=\"main\",generation=\"1\"}";
    assert!(metrics.contains(last), "{metrics}");
    let served: BTreeSet<_> = metrics
        .lines()
        .filter(|line| !line.starts_with('#') && !line.contains("_bucket{"))
        .map(|line| {
            let (name, rest) = line.split_at(line.find(['{', ' ']).unwrap());
            // Those of a histogram.
            let name = name.strip_suffix("_sum").unwrap_or(name);
            let name = name.strip_suffix("_count").unwrap_or(name);
            let label = rest
                .strip_prefix('{')
                .and_then(|rest| rest.split('=').next());
            (name, label.unwrap_or_default())
        })
        .collect();
    let page = fs::read_to_string(root().join("docs/operate/metrics.md")).unwrap();
    let listed: BTreeSet<_> = page
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let mut cells = line.split('|').map(|cell| cell.trim().trim_matches('`'));
            let name = cells.nth(1).unwrap();
            // The first label is enough.
            (name, cells.next().unwrap().split('`').next().unwrap())
        })
        .collect();
    assert_eq!(listed, served);
}
