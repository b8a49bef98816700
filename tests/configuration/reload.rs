//! Reloads: what they change, and what they leave alone.

use super::site::{Site, service};
use crate::fixture::{Client, Host, guest};
use rustix::process::Signal;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};

/// Whether nobody listens on the address.
fn is_closed(address: SocketAddr) -> bool {
    matches!(TcpStream::connect(address), Err(error) if error.kind() == ErrorKind::ConnectionRefused)
}

/// A service with this name that listens on this address.
fn at(name: &str, address: &str, more: &str) -> String {
    format!("[service.{name}]\nlisten = ['tcp://{address}']\n{more}\n")
}

const ANY: &str = "127.0.0.1:0";

#[test]
fn services_and_listeners_come_and_go() {
    let upper = format!("handler = '{}'", guest("upper"));
    let site = Site::new(&at("one", ANY, ""));
    let host = site.serve(1);
    let one = host.address();
    let mut first = host.connect();
    assert_eq!(first.ask("hello"), "hello");

    site.write(&[at("one", ANY, ""), at("two", ANY, &upper)].concat());
    let said = site.reload().unwrap();
    assert!(
        said.contains("service `two` started\nservice `two` listens on tcp://"),
        "{said}"
    );
    assert!(!said.contains("`one`"), "{said}");
    assert_eq!(site.addresses("one"), [one]);
    let two = site.addresses("two")[0];
    let mut second = Client::connect(two);
    assert_eq!(second.ask("hello"), "HELLO");
    assert_eq!(site.reload().unwrap(), "nothing has changed\n");

    site.write(&at("one", ANY, ""));
    let said = site.reload().unwrap();
    let expected =
        format!("service `two` no longer listens on tcp://{two}\nservice `two` is ending\n");
    assert_eq!(said, expected);
    assert!(is_closed(two));
    // Open connections may finish, and are counted until then.
    assert_eq!(second.ask("still here"), "STILL HERE");
    assert_eq!(site.status()["connections"]["open"], 2);
    second.finish();
    second.expect_closed();
    host.wait_for_log("service ended: all connections finished");
    assert_eq!(first.ask("hello again"), "hello again");
    let status = site.status();
    assert_eq!(status["services"].as_array().unwrap().len(), 1);
    assert_eq!(status["connections"]["open"], 1);
    assert_eq!(status["connections"]["total"], 2);
    assert_eq!(status["messages"], 4);
}

#[test]
fn a_service_that_was_taken_out_has_its_own_time_to_end() {
    let site = Site::new(&[at("a", ANY, ""), at("b", ANY, "drain-timeout = '1ms'")].concat());
    let host = site.serve(2);
    let mut client = site.connect("b");
    assert_eq!(client.ask("hello"), "hello");
    site.write(&at("a", ANY, ""));
    site.reload().unwrap();
    client.expect_closed();
    host.wait_for_log("service ended: 1 connections were cut");
}

#[test]
fn a_listener_goes_to_another_service_without_being_bound_anew() {
    let upper = format!("handler = '{}'", guest("upper"));
    let site = Site::new(&[at("echo", ANY, ""), at("upper", ANY, &upper)].concat());
    let host = site.serve(2);
    let addresses = ["echo", "upper"].map(|name| site.addresses(name)[0].to_string());
    // With the ports that the system chose: the file of a successor.
    let straight = [
        at("echo", &addresses[0], ""),
        at("upper", &addresses[1], &upper),
    ];
    let crossed = [
        at("echo", &addresses[1], ""),
        at("upper", &addresses[0], &upper),
    ];
    site.write(&straight.concat());
    let mut command = site.command();
    let next = Host::start_as_it_is(command.arg("--takeover"), 2);
    drop(host);
    let mut open = Client::connect(addresses[0].parse().unwrap());
    assert_eq!(open.ask("hello"), "hello");
    site.write(&crossed.concat());
    let said = site.reload().unwrap();
    assert!(
        said.contains(&format!(
            "service `upper` listens on tcp://{}",
            addresses[0]
        )),
        "{said}"
    );
    let mut new = Client::connect(addresses[0].parse().unwrap());
    assert_eq!(new.ask("hello"), "HELLO");
    assert_eq!(open.ask("hello"), "hello");
    drop((new, open));
    drop(next);
}

#[test]
fn changed_settings_are_for_new_connections() {
    let site = Site::new(&at("a", ANY, "framing = 'chunks'"));
    let host = site.serve(1);
    let mut old = host.connect();
    old.send("a\nb\n");
    old.expect("a\nb\n");
    site.write(&at("a", ANY, "framing = 'lines'"));
    let said = site.reload().unwrap();
    assert!(
        said.contains("service `a`: generation 2 replaces generation 1"),
        "{said}"
    );
    old.send("c\nd\n");
    old.expect("c\nd\n");
    let mut new = host.connect();
    new.send("a\nb\n");
    new.expect("ab");
    site.write(&at("a", ANY, "framing = 'lines'\nswap = 'next-message'"));
    assert_eq!(
        site.reload().unwrap(),
        "service `a`: the rules for swaps changed\n"
    );
    let more = "framing = 'lines'\nswap = 'next-message'\nwatch = true";
    site.write(&["drain-timeout = '3s'\n", &at("a", ANY, more)].concat());
    assert_eq!(
        site.reload().unwrap(),
        "service `a` is now watched\nthe drain timeout changed\n"
    );
}

#[test]
fn what_is_refused_changes_nothing() {
    let site = Site::new(&at("a", ANY, ""));
    let host = site.serve(1);
    let taken = host.address().to_string();
    site.put("bad.wasm", "bad");
    site.put("bad.exchange", "== no\n> a\n< b\n");
    for (text, reason) in [
        ("[service.a".to_owned(), "echo-host.toml:2:"),
        (at("a", ANY, "isolaton = 1"), "did you mean `isolation`?"),
        (
            at("a", ANY, "handler = 'bad.wasm'"),
            "service `a`: handler ",
        ),
        (at("a", ANY, "probes = ['bad.exchange']"), "fails the probe"),
        (
            [
                at("a", ANY, "framing = 'lines'"),
                at("b", "192.0.2.1:7", ""),
            ]
            .concat(),
            "this machine does not have this address",
        ),
        (
            [at("a", ANY, ""), at("b", &taken, "")].concat(),
            "address already in use",
        ),
    ] {
        // The calls of a probe take time like all calls.
        let status = || {
            let mut status = site.status();
            let services = status["services"].as_array_mut().unwrap();
            for service in services {
                service.as_object_mut().unwrap().remove("calls");
            }
            status
        };
        let before = status();
        site.write(&text);
        let said = site.reload().unwrap_err();
        assert!(said.contains(reason), "{said}");
        let after = status();
        for member in ["listeners", "services", "generations"] {
            if member != "generations" {
                assert_eq!(before[member], after[member], "{text}");
            }
            assert_eq!(
                before[member].as_array().unwrap().len(),
                after[member].as_array().unwrap().len()
            );
        }
        let told = after["last_refused_reload"]["reason"].as_str().unwrap();
        assert!(told.contains(reason), "{told}");
        host.wait_for_log("reload refused, keeping the old configuration");
    }
    assert_eq!(site.status()["refused_reloads"], 6);
    assert!(
        site.run(&["status"])
            .stdout
            .contains("refused reloads 6, the last")
    );
    assert_eq!(host.connect().ask("hello"), "hello");
}

#[test]
fn a_handler_that_takes_more_slots_than_there_are_is_refused() {
    let few = "max-connections = 1\n";
    let site = Site::new(&[few, &at("a", ANY, "")].concat());
    let host = site.serve(1);
    // There is one slot for the connection, and four for handlers that are probed.
    let echo = guest("echo");
    let pipeline = |stages: usize| {
        let then = format!("'{echo}', ").repeat(stages - 1);
        let pipeline = format!("handler = '{echo}'\nthen = [{then}]");
        [few, &at("a", ANY, ""), &at("b", ANY, &pipeline)].concat()
    };
    site.write(&pipeline(6));
    let said = site.reload().unwrap_err();
    let why = "needs 6 slots for a connection, and the host has 5\nhint: restart the host with this handler, or with a larger --max-connections";
    assert!(said.contains("service `b`: handler "), "{said}");
    assert!(said.contains(why), "{said}");
    assert_eq!(host.connect().ask("hello"), "hello");
    site.write(&pipeline(5));
    site.reload().unwrap();
    assert_eq!(site.connect("b").ask("hello"), "hello");
}

#[test]
fn sighup_reads_the_file_and_the_handlers() {
    let site = Site::new(&at("a", ANY, "handler = 'a.wasm'"));
    site.put("a.wasm", std::fs::read(guest("echo")).unwrap());
    let host = site.serve(1);
    site.put("a.wasm", std::fs::read(guest("upper")).unwrap());
    host.process.signal(Signal::HUP);
    host.wait_for_log("reloaded: service `a`: generation 2 replaces generation 1");
    assert_eq!(host.connect().ask("hello"), "HELLO");
    site.write(&at(
        "a",
        ANY,
        "handler = 'a.wasm'\nmax-memory = '1MiB'\nwatch = true",
    ));
    host.process.signal(Signal::HUP);
    host.wait_for_log("reloaded: service `a`: generation 3 replaces generation 2");
    // It is watched from now on.
    site.put("a.wasm", std::fs::read(guest("echo")).unwrap());
    host.wait_for_log("generation 4 replaces generation 3");
    assert_eq!(host.connect().ask("hello"), "hello");
}

#[test]
fn a_rollback_brings_back_nothing_that_a_reload_took_away() {
    let handler = format!("handler = '{}'\nrollback-after = 1\n", guest("probe"));
    let site = Site::new(&at(
        "a",
        ANY,
        &format!("{handler}env = {{ SECRET = 'hunter2' }}"),
    ));
    let host = site.serve(1);
    assert_eq!(host.connect().ask("env SECRET"), "hunter2");
    site.write(&at("a", ANY, &handler));
    site.reload().unwrap();
    assert_ne!(host.connect().ask("env SECRET"), "hunter2");
    // Neither by itself, because calls fail, nor by the operator.
    for _ in 0..3 {
        let mut client = host.connect();
        client.send("panic x\n");
        client.expect_closed();
    }
    for back in [&["swap", "--rollback"][..], &["swap", "--generation", "1"]] {
        let refused = site.run(back);
        assert_eq!(refused.code, Some(65), "{refused:?}");
    }
    assert_ne!(host.connect().ask("env SECRET"), "hunter2");
}

#[test]
fn what_cannot_change_is_said() {
    let site = Site::new(&at("a", ANY, ""));
    let host = site.serve(1);
    let fixed = "max-connections = 5\nworkers = 7\nwipe = 'scan'\n";
    site.write(&[fixed, &at("a", ANY, "")].concat());
    let said = site.reload().unwrap();
    for key in ["workers", "max-connections", "wipe"] {
        let line = format!("`{key}` cannot change while the host runs\n");
        assert!(said.contains(&line), "{said}");
    }
    host.wait_for_log("`workers` cannot change while the host runs");
    host.wait_for_log("`max-connections` cannot change while the host runs");
}

#[test]
fn with_several_services_a_swap_names_one() {
    let site = Site::new(&[at("a", ANY, ""), at("b", ANY, "")].concat());
    let _host = site.serve(2);
    let upper = guest("upper");
    let swapped = site.run(&["swap", &upper]);
    assert_eq!(swapped.code, Some(65), "{swapped:?}");
    assert!(
        swapped
            .stderr
            .contains("choose one with --service NAME: `a` and `b`"),
        "{swapped:?}"
    );
    let unknown = site.run(&["swap", &upper, "--service", "c"]);
    assert!(
        unknown.stderr.contains("there is no service `c`"),
        "{unknown:?}"
    );
    assert_eq!(site.run(&["swap", &upper, "--service", "b"]).code, Some(0));
    assert_eq!(site.connect("a").ask("hello"), "hello");
    assert_eq!(site.connect("b").ask("hello"), "HELLO");
    let back = site.run(&["swap", "--rollback", "--service", "b"]);
    assert_eq!(back.code, Some(0), "{back:?}");
    assert_eq!(site.connect("b").ask("hello"), "hello");
    // A reload returns to the file's settings.
    assert_eq!(site.run(&["swap", &upper, "--service", "b"]).code, Some(0));
    let said = site.reload().unwrap();
    assert!(
        said.contains("service `b`: generation 4 replaces generation 3: the built-in echo"),
        "{said}"
    );
}

#[test]
fn a_successor_takes_what_its_own_file_wants() {
    let site = Site::new(&[at("a", ANY, ""), at("b", ANY, "")].concat());
    let old = site.serve(2);
    let (a, b) = (site.addresses("a")[0], site.addresses("b")[0]);
    let upper = format!("handler = '{}'", guest("upper"));
    site.write(&[at("c", ANY, ""), at("d", &a.to_string(), &upper)].concat());
    let mut command = site.command();
    let new = Host::start_as_it_is(command.arg("--takeover"), 2);
    new.wait_for_log(&format!(
        "closing tcp://{b}: passed on to this host, but no service listens there"
    ));
    assert_eq!(site.addresses("d"), [a]);
    assert_eq!(Client::connect(a).ask("hello"), "HELLO");
    assert_eq!(site.connect("c").ask("hello"), "hello");
    let status = site.status();
    assert_eq!(service(&status, "d")["messages"], 1);
    drop(old);
    assert!(is_closed(b));
}

#[test]
fn without_a_file_a_reload_reads_the_handler_again() {
    let site = Site::new("");
    site.put("a.wasm", std::fs::read(guest("echo")).unwrap());
    let (handler, control) = (site.path("a.wasm"), site.path("host.sock"));
    let host = Host::serve(&[&handler, "--control", &control]);
    assert_eq!(site.reload().unwrap(), "nothing has changed\n");
    site.put("a.wasm", std::fs::read(guest("upper")).unwrap());
    let said = site.reload().unwrap();
    assert!(
        said.contains("generation 2 replaces generation 1"),
        "{said}"
    );
    assert_eq!(host.connect().ask("hello"), "HELLO");
    site.put("a.wasm", "bad");
    assert!(site.reload().unwrap_err().contains("is not WebAssembly"));
}

#[test]
fn rates_change_for_open_connections_too() {
    let reverse = format!("handler = '{}'\n", guest("reverse"));
    let site = Site::new(&at("one", ANY, &reverse));
    let host = site.serve(1);
    let mut client = host.connect();
    assert_eq!(client.ask("hello"), "olleh");
    let slow = format!("{reverse}max-messages-per-second = 1\n");
    site.write(&at("one", ANY, &slow));
    assert_eq!(
        site.reload().unwrap(),
        "the rates of service `one` changed\n"
    );
    client.send("ab\n".repeat(1000));
    client.expect("ba\n");
    let waits = || site.status()["limits_reached"]["max-messages-per-second"] != 0;
    while !waits() {
        std::thread::yield_now();
    }
    // At one message per second this would take a quarter of an hour.
    let text = format!(
        "max-bytes-per-second-per-ip = '1GiB'\n{}",
        at("one", ANY, &reverse)
    );
    site.write(&text);
    let said = site.reload().unwrap();
    let expected = "the rates of service `one` changed\nthe rates of client addresses changed\n";
    assert_eq!(said, expected);
    client.expect("ba\n".repeat(999));
}
