//! The load generator, against the host and against faulty servers. No test asserts a speed.

use crate::fixture::{DEADLINE, Finished, Host, Process, echo_host, guest, root, run, tool};
use rustix::process::Signal;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::Command;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

/// Runs `echo-host bench` with these options; by default for a short time with few connections.
fn bench(uri: &str, options: &str) -> Finished {
    let mut args: Vec<_> = ["bench", uri].into_iter().collect();
    args.extend(options.split_whitespace());
    for (option, value) in [("--duration", "300ms"), ("--warm-up", "50ms"), ("-c", "4")] {
        if !args.contains(&option) {
            args.extend([option, value]);
        }
    }
    echo_host(&args)
}

/// The report, whose sums must be consistent.
fn report(finished: &Finished) -> Value {
    let report: Value = serde_json::from_str(&finished.stdout).expect(&finished.stderr);
    let errors = &report["errors"];
    let kinds = [
        "timed_out",
        "lost",
        "reset",
        "closed_early",
        "corrupt",
        "other",
    ];
    let lost: u64 = kinds.iter().map(|kind| number(&errors[*kind])).sum();
    assert_eq!(
        number(&report["messages"]),
        number(&report["replies"]) + lost
    );
    if let Some(latency) = report["latency"].as_object() {
        assert_eq!(latency["count"], report["replies"]);
        let figures = ["min_us", "p50_us", "p90_us", "p99_us", "p99_9_us", "max_us"];
        let figures = figures.map(|figure| latency[figure].as_f64().unwrap());
        assert!(figures.is_sorted() && figures[0] > 0.0, "{figures:?}");
    }
    let throughput = &report["throughput"];
    let intervals = throughput["replies_per_interval"].as_array().unwrap();
    let arrived: u64 = intervals.iter().map(number).sum();
    let rate = arrived as f64 / report["measured_s"].as_f64().unwrap();
    let stated = throughput["messages_per_s"].as_f64().unwrap();
    assert!((rate - stated).abs() < 1.0, "{rate} {stated}");
    report
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

/// Every message was echoed.
fn assert_fine(finished: &Finished) -> Value {
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(finished.stderr, "");
    let report = report(finished);
    assert!(number(&report["replies"]) > 0, "{report}");
    assert_eq!(report["messages"], report["replies"]);
    report
}

/// Not every message was echoed, and all errors are of this kind.
fn assert_only(kind: &str, finished: &Finished) -> Value {
    assert_eq!(finished.code, Some(74), "{finished:?}");
    assert!(finished.stderr.contains("were not echoed"), "{finished:?}");
    let report = report(finished);
    for (other, count) in report["errors"].as_object().unwrap() {
        assert_eq!(number(count) > 0, other == kind, "{report}");
    }
    report
}

/// Serves each connection of a port with `behave`, in threads that end with the test.
fn server(behave: impl Fn(TcpStream) + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("tcp://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let behave = behave.clone();
            thread::spawn(move || behave(stream.unwrap()));
        }
    });
    uri
}

fn echo(mut stream: &TcpStream) {
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        if stream.write_all(&buffer[..read]).is_err() {
            return;
        }
    }
}

#[test]
fn every_kind_of_load_is_echoed() {
    let host = Host::serve(&[]);
    for options in [
        "--framing raw",
        "--framing lines",
        "--size 1B --framing lines",
        "--size 1B --pipeline 100",
        "--size 64KiB --threads 1",
        "--size 1KiB --pipeline 16 --framing lines",
        // More than sockets buffer: replies must be read while messages are written.
        "--size 4MiB --pipeline 3",
        "--rate 1000/s",
        "--rate 1000 --pipeline 4 --messages-per-connection 3",
    ] {
        let report = assert_fine(&bench(host.uri(), &format!("--json {options}")));
        let size = number(&report["load"]["message_bytes"]) as f64;
        let throughput = &report["throughput"];
        let [messages, bytes] =
            ["messages_per_s", "bytes_per_s"].map(|rate| throughput[rate].as_f64().unwrap());
        assert!((bytes - messages * size).abs() < 1.0, "{throughput}");
    }
}

#[test]
fn lines_are_lines_to_the_server() {
    // The line comes back reversed: all but the shortest are wrong, and each is counted once.
    let host = Host::serve(&[&guest("reverse")]);
    let one = bench(host.uri(), "--json --framing lines --size 1B");
    assert_fine(&one);
    let report = assert_only("corrupt", &bench(host.uri(), "--json --framing lines"));
    assert_eq!(report["errors"]["corrupt"], report["messages"]);
}

#[test]
fn a_connection_is_replaced_when_it_has_had_its_share() {
    let host = Host::serve(&[]);
    let options = "--json --warm-up off --messages-per-connection 2 --pipeline 2";
    let report = assert_fine(&bench(host.uri(), options));
    let replaced = number(&report["connect"]["count"]);
    // The first four were opened before the measurement.
    let served = number(&report["messages"]).div_ceil(2);
    assert!((served..=served + 4).contains(&(replaced + 4)), "{report}");
}

#[test]
#[cfg(target_os = "linux")]
fn the_servers_cost_is_told_if_its_process_is_named() {
    let host = Host::serve(&[]);
    let options = format!("--json --server-pid {}", host.process.id());
    let report = assert_fine(&bench(host.uri(), &options));
    let server = &report["server"];
    assert_eq!(number(&server["pid"]), u64::from(host.process.id()));
    let figures = ["cpu_us_per_message", "busy_cores", "resident_bytes"];
    let [cpu_us, busy_cores, resident] = figures.map(|figure| server[figure].as_f64().unwrap());
    assert!(busy_cores > 0.0 && resident > 1e6, "{server}");
    let per_s = report["throughput"]["messages_per_s"].as_f64().unwrap();
    assert!((cpu_us * per_s / 1e6 - busy_cores).abs() < 0.01, "{server}");

    let text = bench(host.uri(), &format!("--server-pid {}", host.process.id()));
    let line = text.stdout.lines().find(|line| line.starts_with("server "));
    assert!(
        line.is_some_and(|line| line.ends_with(" resident")),
        "{text:?}"
    );
    let report = assert_fine(&bench(host.uri(), "--json"));
    assert_eq!(report["server"], Value::Null);
}

#[test]
fn a_server_process_that_is_not_there_is_said_before_the_load() {
    let host = Host::serve(&[]);
    let finished = bench(host.uri(), "--server-pid 2147483647");
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(74), ""));
    assert!(
        finished
            .stderr
            .contains("cannot watch process 2147483647: "),
        "{finished:?}"
    );
}

#[test]
fn an_open_loop_leaves_no_message_out() {
    let host = Host::serve(&[]);
    let options = "--json --warm-up off --rate 2000/s";
    let report = assert_fine(&bench(host.uri(), options));
    let due = number(&report["messages"]) + number(&report["unsent"]);
    assert_eq!(due, 600, "{report}");
}

#[test]
fn a_message_that_waits_for_its_turn_is_late() {
    // Nothing is answered for 200 ms. A closed loop would count one slow message; here the nineteen
    // messages that were due in the meantime count as well.
    let uri = server(|stream| {
        thread::sleep(Duration::from_millis(200));
        echo(&stream);
    });
    let options = "--json --warm-up off -c 1 --rate 100/s --duration 600ms";
    let report = assert_fine(&bench(&uri, options));
    assert!(
        report["latency"]["p90_us"].as_f64() > Some(50_000.0),
        "{report}"
    );
}

#[test]
fn a_server_that_changes_bytes_is_found_out() {
    let host = Host::serve(&[&guest("upper")]);
    let finished = bench(host.uri(), "--json --framing raw --pipeline 4");
    let report = assert_only("corrupt", &finished);
    assert_eq!(report["errors"]["corrupt"], report["messages"]);
    assert_eq!(report["latency"], Value::Null);
    let text = bench(host.uri(), "");
    assert_eq!(text.code, Some(74));
    assert!(text.stdout.contains(" corrupt\n"), "{text:?}");
}

#[test]
fn a_server_that_says_more_than_it_was_told_is_found_out() {
    let uri = server(|mut stream| {
        let _ = stream.write_all(b"220 welcome\r\n");
        echo(&stream);
    });
    for framing in ["raw", "lines"] {
        let options = format!("--json --warm-up off --framing {framing}");
        let report = assert_only("corrupt", &bench(&uri, &options));
        assert!(number(&report["errors"]["corrupt"]) >= 4, "{report}");
    }
}

#[test]
fn a_server_that_closes_early_is_found_out() {
    // After reading everything, so that it is not a reset.
    let uri = server(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
    });
    assert_only("closed_early", &bench(&uri, "--json"));
}

#[test]
fn a_server_that_never_answers_is_waited_for_no_longer_than_allowed() {
    let uri = server(|stream| {
        thread::sleep(DEADLINE);
        drop(stream);
    });
    assert_only(
        "timed_out",
        &bench(&uri, "--json --timeout 200ms --duration 500ms"),
    );
    // Even if nothing is sent after the start of the measurement.
    let finished = bench(&uri, "--json --timeout 1s --pipeline 2");
    let report = assert_only("timed_out", &finished);
    assert_eq!(number(&report["messages"]), 8);
}

#[test]
fn a_server_that_goes_away_is_missed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("tcp://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        // The first connection is the trial.
        for _ in 0..2 {
            let (stream, _) = listener.accept().unwrap();
            thread::spawn(move || {
                let _ = (&stream).read(&mut [0; 4096]);
            });
        }
    });
    let finished = bench(&uri, "--json --warm-up off -c 1");
    assert_eq!(finished.code, Some(74), "{finished:?}");
    let report = report(&finished);
    assert!(number(&report["errors"]["connect_refused"]) > 0, "{report}");
}

#[test]
fn the_text_tells_it_all_in_a_few_lines() {
    let host = Host::serve(&[]);
    let finished = bench(host.uri(), "--pipeline 2 --messages-per-connection 100");
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""));
    let (title, rest) = finished.stdout.split_once("\n\n").unwrap();
    let load = "4 connections, messages of 64 bytes, closed loop, up to 2 in flight on each, \
                a new connection after 100";
    assert_eq!(title, format!("{}: {load}", host.uri()));
    let heads: Vec<_> = rest
        .lines()
        .filter(|line| !line.starts_with(' '))
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    let expected = [
        "measured",
        "throughput",
        "messages",
        "errors",
        "latency",
        "connect",
        "generator",
    ];
    assert!(heads.starts_with(&expected), "{finished:?}");
    for figure in [
        "messages/s",
        "p50 ",
        "p90 ",
        "p99 ",
        "p99.9 ",
        "max ",
        "errors      none",
    ] {
        assert!(rest.contains(figure), "{finished:?}");
    }
}

#[test]
fn the_plot_is_a_picture_of_both() {
    let host = Host::serve(&[]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bench.svg");
    let finished = bench(host.uri(), &format!("--plot {}", path.display()));
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let svg = fs::read_to_string(&path).unwrap();
    assert!(svg.starts_with("<svg "), "{svg}");
    for title in [
        "Latency by percentile",
        "Throughput over time",
        "p90",
        "messages/s",
        "µs",
    ] {
        assert!(svg.contains(title), "no {title} in {svg}");
    }
    // Except the axes, which are black.
    let curves = svg
        .lines()
        .filter(|line| line.starts_with("<polyline") && !line.contains("#000000"));
    assert_eq!(curves.count(), 2, "{svg}");
    let mut parse = tool("python3");
    parse.args([
        "-c",
        "import sys, xml.dom.minidom as x; x.parse(sys.argv[1])",
    ]);
    let parsed = run(parse.arg(&path), b"");
    assert_eq!(parsed.code, Some(0), "{parsed:?}");

    let finished = bench(host.uri(), "--plot /no/such/folder/bench.svg");
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(74), ""));
    assert!(
        finished.stderr.contains("cannot write /no/such/folder"),
        "{finished:?}"
    );
}

#[test]
fn what_is_interrupted_is_still_reported() {
    for options in ["", "--rate 1/s", "--warm-up 60s"] {
        let (sender, connected) = channel();
        let uri = server(move |stream| {
            let _ = sender.send(());
            echo(&stream);
        });
        let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
        command.args(["bench", &uri, "--duration", "60s", "-c", "2", "--json"]);
        let mut process = Process::start(command.args(options.split_whitespace()));
        // The trial, and the two.
        for _ in 0..3 {
            connected.recv_timeout(DEADLINE).unwrap();
        }
        process.signal(Signal::INT);
        assert_eq!(process.wait().code(), Some(0), "{options}");
        let report: Value = serde_json::from_str(&process.stdout.text()).unwrap();
        assert_eq!(report["interrupted"], true);
        assert!(report["measured_s"].as_f64() < Some(60.0), "{report}");
    }
}

#[test]
fn where_nobody_listens_there_is_nothing_to_report() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("tcp://{}", listener.local_addr().unwrap());
    drop(listener);
    let finished = bench(&uri, "");
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(69), ""));
    let reason = format!("cannot connect to {uri}: Connection refused");
    assert!(finished.stderr.contains(&reason), "{finished:?}");
}

#[test]
fn bad_values_are_usage_errors_that_say_what_is_expected() {
    let bad = [
        ("--connections", "0", "0 is not in 1..=100000"),
        ("--pipeline", "1001", "1001 is not in 1..=1000"),
        ("--size", "0", "must be at least 1 byte"),
        ("--size", "65MiB", "must be at most 64MiB"),
        ("--framing", "fixed:3", "invalid value 'fixed:3'"),
        ("--rate", "fast", "expected a rate such as 20000/s"),
        ("--rate", "0/s", "must be from 1/s to 10000000/s"),
        ("--rate", "10/min", "expected a rate such as 20000/s"),
        ("--duration", "0s", "must be at least 1ms"),
        ("--duration", "2days", "must be at most 1day"),
        ("--warm-up", "never", "or off"),
        ("--warm-up", "2days", "must be at most 1day"),
        ("--timeout", "1", "unit missing: 1s?"),
        ("--messages-per-connection", "0", "invalid value '0'"),
        ("--threads", "0", "invalid value '0'"),
        ("--server-pid", "0", "0 is not in 1.."),
    ];
    for (option, value, reason) in bad {
        let finished = echo_host(&["bench", "tcp://127.0.0.1:1", option, value]);
        assert_eq!(finished.code, Some(2), "{finished:?}");
        assert!(finished.stderr.contains(reason), "{finished:?}");
    }
    assert_eq!(echo_host(&["bench", "http://127.0.0.1:1"]).code, Some(2));
    assert_eq!(echo_host(&["bench"]).code, Some(2));
}

#[test]
fn the_reference_lists_the_options_that_there_are() {
    let page = fs::read_to_string(root().join("docs/reference/bench.md")).unwrap();
    let rows = page.lines();
    let listed: BTreeSet<_> = rows
        .filter_map(|row| row.strip_prefix("| `")?.split('`').next())
        .collect();
    let help = echo_host(&["bench", "--help"]).stdout;
    let words = help.split("\nExamples:").next().unwrap().lines();
    let there: BTreeSet<_> = words
        .filter(|line| line.trim_start().starts_with('-'))
        .map(|line| &line[line.find("--").unwrap()..])
        .map(|option| option.split(' ').next().unwrap())
        .filter(|option| *option != "--help")
        .collect();
    assert_eq!(listed, there);
}

#[test]
fn datagrams_are_echoed_in_every_shape() {
    let host = Host::serve(&["--listen", "udp://127.0.0.1:0"]);
    for options in [
        "",
        "--size 1B",
        "--size 65507B -c 1",
        "--pipeline 16 --framing lines",
        "--rate 2000/s",
        "--messages-per-connection 10 --rate 1000/s",
    ] {
        assert_fine(&bench(host.uri(), &format!("{options} --json")));
    }
}

#[test]
fn a_lost_datagram_is_counted_and_those_behind_it_are_not() {
    let uri = datagram_server(|number, datagram, reply| {
        if number % 10 != 5 {
            reply(datagram);
        }
    });
    let options = "--timeout 100ms --pipeline 4 -c 1 --duration 1s --json";
    let report = assert_only("lost", &bench(&uri, options));
    assert!(
        number(&report["replies"]) > number(&report["errors"]["lost"]),
        "{report}"
    );
}

#[test]
fn datagrams_may_come_in_another_order() {
    let kept = Mutex::new(None);
    let uri = datagram_server(move |number, datagram, reply| {
        let before = kept.lock().unwrap().take();
        match before {
            // The first one checks that the server responds.
            None if number > 0 => *kept.lock().unwrap() = Some(datagram.to_owned()),
            before => {
                reply(datagram);
                before.iter().for_each(|before: &Vec<u8>| reply(before));
            }
        }
    });
    let options = "--pipeline 8 -c 1 --timeout 300ms --json";
    let report = report(&bench(&uri, options));
    assert!(number(&report["replies"]) > 0, "{report}");
    // At the end, one may be reserved for a message that never came.
    assert!(number(&report["errors"]["lost"]) <= 1, "{report}");
    assert_eq!(number(&report["errors"]["corrupt"]), 0, "{report}");
}

#[test]
fn a_datagram_with_a_wrong_byte_is_corrupt() {
    let uri = datagram_server(|_, datagram, reply| {
        let mut datagram = datagram.to_owned();
        *datagram.last_mut().unwrap() ^= 1;
        reply(&datagram);
    });
    assert_only("corrupt", &bench(&uri, "--json"));
}

#[test]
fn a_server_without_a_connection_must_answer_something() {
    let silent = datagram_server(|_, _, _| {});
    let finished = bench(&silent, "--timeout 300ms");
    assert_eq!(finished.code, Some(69), "{finished:?}");
    let gone = UdpSocket::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let finished = bench(&format!("udp://{gone}"), "");
    assert_eq!(finished.code, Some(69), "{finished:?}");
    let finished = bench(&silent, "--size 65508B");
    assert_eq!(finished.code, Some(2), "{finished:?}");
}

/// Passes each datagram of a port to `behave`, with its number and a way to reply, in a thread that
/// ends with the test.
fn datagram_server(behave: impl Fn(u64, &[u8], &mut dyn FnMut(&[u8])) + Send + 'static) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let uri = format!("udp://{}", socket.local_addr().unwrap());
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        for number in 0.. {
            let (length, from) = socket.recv_from(&mut buffer).unwrap();
            behave(number, &buffer[..length], &mut |datagram| {
                // The client may be gone.
                let _ = socket.send_to(datagram, from);
            });
        }
    });
    uri
}
