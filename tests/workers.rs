//! Which worker serves a connection, as the status shows it.

use crate::fixture::{DEADLINE, Host, Sender, guest};
use rustix::process::Signal;
use serde_json::Value;
use std::fs;
use std::process::Command;
use std::time::Instant;
use tempfile::tempdir;

/// The connections of each worker.
fn connections(status: &Value) -> Vec<u64> {
    let workers = status["workers"].as_array().unwrap().iter();
    workers
        .map(|worker| worker["connections"].as_u64().unwrap())
        .collect()
}

#[track_caller]
fn assert_halves_of_100(status: &Value) {
    let connections = connections(status);
    assert_eq!(connections.iter().sum::<u64>(), 100, "{connections:?}");
    assert!(connections.iter().all(|it| *it >= 40), "{connections:?}");
}

#[test]
fn each_worker_gets_its_part_of_the_connections() {
    let host = Host::serve(&["--workers", "2"]);
    let mut clients: Vec<_> = (0..100).map(|_| host.connect()).collect();
    for client in &mut clients {
        assert_eq!(client.ask("here"), "here");
    }
    assert_halves_of_100(&host.wait_for_open(100));
    drop(clients);
    assert_eq!(connections(&host.wait_for_open(0)), [0, 0]);
}

#[test]
fn each_worker_gets_its_part_of_the_senders() {
    let host = Host::serve(&["--workers", "2", "--listen", "udp://127.0.0.1:0"]);
    let senders: Vec<_> = (0..100).map(|_| Sender::to(host.address())).collect();
    for sender in &senders {
        assert_eq!(sender.ask("here"), "here");
    }
    assert_halves_of_100(&host.wait_for_open(100));
}

#[test]
fn a_worker_whose_guest_computes_gives_new_connections_to_others() {
    let spins = [&guest("probe"), "--call-timeout", "10min", "--workers", "2"];
    let host = Host::serve(&[&spins[..], &["--drain-timeout", "1ms"]].concat());
    let mut spinner = host.connect();
    spinner.send("spin\n");
    let deadline = Instant::now() + DEADLINE;
    let is_busy = |worker: &Value| worker["busy"] == true;
    let busy = loop {
        let status = host.status();
        let workers = status["workers"].as_array().unwrap();
        if let Some(busy) = workers.iter().position(is_busy) {
            break busy;
        }
        assert!(Instant::now() < deadline, "{status:#}");
    };
    let mut clients: Vec<_> = (0..20).map(|_| host.connect()).collect();
    for client in &mut clients {
        assert_eq!(client.ask("count"), "1");
    }
    let connections = connections(&host.wait_for_open(21));
    assert_eq!((connections[busy], connections[1 - busy]), (1, 20));
}

#[test]
fn the_connections_of_a_shared_instance_are_on_one_worker() {
    for handler in ["probe", "chat"] {
        let host = Host::serve(&[&guest(handler), "--isolation", "shared", "--workers", "2"]);
        let clients: Vec<_> = (0..50).map(|_| host.connect()).collect();
        let connections = connections(&host.wait_for_open(50));
        assert_eq!(connections.iter().max(), Some(&50), "{handler}");
        drop(clients);
    }
}

#[test]
fn a_reload_that_changes_the_isolation_changes_where_clients_are_served() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("echo-host.toml");
    let write = |isolation: &str| {
        let probe = guest("probe");
        let text = format!(
            "workers = 2\n[service.a]\nhandler = '{probe}'\nlisten = ['tcp://127.0.0.1:0']\n\
             isolation = '{isolation}'\n"
        );
        fs::write(&file, text).unwrap();
    };
    write("connection");
    let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    command.args(["serve", "--config"]).arg(&file);
    let host = Host::start_as_it_is(&mut command, 1);
    for (number, isolation) in [(2, "shared"), (3, "connection"), (4, "shared")] {
        write(isolation);
        host.process.signal(Signal::HUP);
        host.wait_for_log(&format!("generation {number} replaces"));
        let clients: Vec<_> = (0..100).map(|_| host.connect()).collect();
        let status = host.wait_for_open(100);
        match isolation {
            "shared" => assert_eq!(connections(&status).iter().max(), Some(&100)),
            _ => assert_halves_of_100(&status),
        }
        drop(clients);
        host.wait_for_open(0);
    }
}
