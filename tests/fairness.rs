//! What one service has of the machine is not what another one needs.

use crate::fixture::{Client, DEADLINE, Host, guest};
use std::fs;
use std::process::Command;
use std::time::Instant;
use tempfile::{TempDir, tempdir};

/// A host that serves these services, on one address each, in this order.
struct Scene {
    host: Host,
    _folder: TempDir,
}

impl Scene {
    fn new(config: &str) -> Self {
        let folder = tempdir().unwrap();
        let file = folder.path().join("echo-host.toml");
        fs::write(&file, config).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
        command.args(["serve", "--config"]).arg(file);
        Scene {
            host: Host::start_as_it_is(&mut command, 2),
            _folder: folder,
        }
    }

    fn connect(&self, service: usize) -> Client {
        Client::connect(self.host.addresses()[service])
    }
}

#[test]
fn however_many_guests_compute_another_service_is_answered() {
    let scene = Scene::new(&format!(
        "drain-timeout = '1ms'
        workers = 2
        [service.computes]
        handler = '{}'
        listen = ['tcp://127.0.0.1:0']
        call-timeout = '10min'
        [service.echo]
        listen = ['tcp://127.0.0.1:0']",
        guest("probe")
    ));
    let mut spinners: Vec<_> = (0..200).map(|_| scene.connect(0)).collect();
    for spinner in &mut spinners {
        spinner.send("spin\n");
    }
    // If each of them could be before every message, this would take a thousand seconds.
    let begun = Instant::now();
    let mut client = scene.connect(1);
    for count in 0..1000 {
        let text = format!("{count}\n");
        client.send(&text);
        client.expect(&text);
        assert!(begun.elapsed() < DEADLINE, "{count} answers only");
    }
}

#[test]
fn memory_comes_back_when_a_crowd_has_left() {
    let host = Host::serve(&["--max-warm-memory", "8MiB"]);
    assert_eq!(host.connect().ask("warm"), "warm");
    let before = host.usage().resident_kib;
    for _ in 0..3 {
        let mut crowd: Vec<_> = (0..450).map(|_| host.connect()).collect();
        for client in &mut crowd {
            assert_eq!(client.ask("here"), "here");
        }
        drop(crowd);
        host.wait_for_open(0);
    }
    let after = host.usage().resident_kib;
    assert!(
        after < before + ((8 + 50) << 10),
        "{before} KiB, {after} KiB"
    );
}

/// A guest that asks for too much, as the torture's villains have it.
#[test]
fn who_hoards_leaves_descriptors_and_memory_to_others() {
    let folder = tempdir().unwrap();
    let granted = folder.path().join("granted");
    fs::create_dir(&granted).unwrap();
    let handler = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/torture/glutton.wat");
    let dir = format!("{}::/", granted.display());
    let host = Host::serve(&[handler, "--dir", &dir, "--max-memory", "16MiB"]);
    let mut modest = host.connect();
    modest.send("?");
    modest.expect(".");
    drop(modest);
    let before = host.usage();
    let mut hoarders: Vec<_> = ["f", "b", "c"]
        .iter()
        .cycle()
        .take(30)
        .map(|what| {
            let mut client = host.connect();
            client.send(*what);
            client
        })
        .collect();
    for (place, hoarder) in hoarders.iter_mut().enumerate() {
        match place % 3 {
            // It is told that it may open no more files, and goes on.
            0 => hoarder.expect("."),
            // It has no memory left for what is behind its handles, and ends.
            _ => hoarder.expect_closed(),
        }
    }
    let with_files = host.usage();
    // Ten instances have no more than 128 each, and everybody else is served.
    assert!(with_files.descriptors < before.descriptors + 10 * 140);
    assert!(with_files.resident_kib < before.resident_kib + (100 << 10));
    assert_ne!(host.status()["limits_reached"]["open-files"], 0);
    assert_ne!(host.status()["limits_reached"]["max-memory"], 0);
    drop(hoarders);
    host.wait_for_open(0);
}
