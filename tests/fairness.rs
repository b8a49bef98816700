//! One service cannot take what another one needs.

use crate::fixture::{Client, DEADLINE, Host, Sender, free_port, guest, root};
use rustix::process::Signal;
use std::fs;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::{TempDir, tempdir};

/// A host that serves these services, on one address each, in this order.
struct Scene {
    host: Host,
    folder: TempDir,
}

impl Scene {
    fn new(config: &str) -> Self {
        let folder = tempdir().unwrap();
        let file = folder.path().join("echo-host.toml");
        fs::write(&file, config).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
        command.args(["serve", "--config"]).arg(file);
        let listeners = config.matches("://127.0.0.1:").count();
        Scene {
            host: Host::start_as_it_is(&mut command, listeners),
            folder,
        }
    }

    /// Replaces the configuration for the next reload.
    fn write(&self, config: &str) {
        fs::write(self.folder.path().join("echo-host.toml"), config).unwrap();
    }

    fn connect(&self, service: usize) -> Client {
        Client::connect(self.host.addresses()[service])
    }

    /// The address of a service that a reload has added.
    fn address_of(&self, service: &str) -> SocketAddr {
        let opened = format!("service `{service}` listens on tcp://");
        let logged = self.host.wait_for_log(&opened);
        let address = logged.split(&opened).last().unwrap();
        address.split([';', ' ']).next().unwrap().parse().unwrap()
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
    // If all of them could run before every message, this would take a thousand seconds.
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
fn however_many_senders_have_guests_compute_a_client_of_tcp_is_answered() {
    let scene = Scene::new(&format!(
        "drain-timeout = '1ms'
        workers = 2
        [service.both]
        handler = '{}'
        listen = ['tcp://127.0.0.1:0', 'udp://127.0.0.1:0']
        call-timeout = '10min'",
        guest("probe")
    ));
    let udp = scene.host.addresses()[1];
    let senders: Vec<_> = (0..200).map(|_| Sender::to(udp)).collect();
    for sender in &senders {
        sender.send("spin");
    }
    scene.host.wait_for_open(200);
    let begun = Instant::now();
    let mut client = scene.connect(0);
    for count in 1..=300 {
        assert_eq!(client.ask("count"), count.to_string());
        assert!(begun.elapsed() < DEADLINE, "{count} answers only");
    }
}

#[test]
fn senders_that_wait_for_a_shared_instance_are_not_all_before_a_client_of_tcp() {
    let listeners = [
        "--listen",
        "tcp://127.0.0.1:0",
        "--listen",
        "udp://127.0.0.1:0",
    ];
    let shared = [&guest("probe"), "--isolation", "shared"];
    let host = Host::serve(&[&shared[..], &listeners].concat());
    let [tcp, udp] = host.addresses()[..] else {
        panic!("{:?}", host.uris());
    };
    let senders: Vec<_> = (0..100).map(|_| Sender::to(udp)).collect();
    for sender in &senders {
        sender.send("sleep 200");
    }
    host.wait_for_open(100);
    assert_eq!(Client::connect(tcp).ask("args"), "probe.wasm");
    // All of them take twenty seconds.
    let answered = senders.iter().filter(|sender| {
        sender.socket.set_nonblocking(true).unwrap();
        sender.socket.recv(&mut [0; 64]).is_ok()
    });
    assert!(answered.count() < senders.len());
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

/// A guest that requests too much, from the torture run.
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
    for (index, hoarder) in hoarders.iter_mut().enumerate() {
        match index % 3 {
            // It is told that it may open no more files, and continues.
            0 => hoarder.expect("."),
            // It has no memory left for the objects behind its handles, and ends.
            _ => hoarder.expect_closed(),
        }
    }
    let with_files = host.usage();
    // Ten instances have at most 128 each, and all other clients are served.
    assert!(with_files.descriptors < before.descriptors + 10 * 140);
    assert!(with_files.resident_kib < before.resident_kib + (100 << 10));
    assert_ne!(host.status()["limits_reached"]["open-files"], 0);
    host.wait_for_log("no memory for the data behind its handles");
    drop(hoarders);
    host.wait_for_open(0);
}

#[test]
fn a_service_that_takes_all_files_and_memory_leaves_another_its_part() {
    let handler = root().join("tests/torture/glutton.wat");
    let (first, second) = (tempdir().unwrap(), tempdir().unwrap());
    let service = |name: &str, folder: &TempDir| {
        format!(
            "[service.{name}]\nhandler = '{}'\ndirs = ['{}::/']\nlisten = ['tcp://127.0.0.1:0']\n",
            handler.display(),
            folder.path().display()
        )
    };
    let services = [service("greedy", &first), service("modest", &second)];
    let scene = Scene::new(&format!(
        "max-guest-memory = '64MiB'\n{}",
        services.concat()
    ));
    let status = || scene.host.status();
    let reached = |limit: &str| status()["limits_reached"][limit].as_u64().unwrap();
    let mut crowd = Vec::new();
    // Each opens as many files as it may, until it may not even open its granted directory.
    loop {
        assert!(crowd.len() < 200, "{}", status());
        let mut client = scene.connect(0);
        client.send("f");
        if !client.is_served() {
            break;
        }
        crowd.push(client);
    }
    assert_ne!(reached("open-files"), 0);
    let mut modest = scene.connect(1);
    modest.send("?");
    modest.expect(".");
    drop((crowd, modest));
    scene.host.wait_for_open(0);
    // Instances without files have memory, until there is none for another instance.
    let scene = Scene::new(&format!(
        "max-guest-memory = '16MiB'
        [service.greedy]\nhandler = '{0}'\nlisten = ['tcp://127.0.0.1:0']
        [service.modest]\nhandler = '{0}'\nlisten = ['tcp://127.0.0.1:0']",
        guest("probe")
    ));
    let mut crowd = Vec::new();
    loop {
        assert!(crowd.len() < 200, "{}", scene.host.status());
        let mut client = scene.connect(0);
        client.send("count\n");
        if !client.is_served() {
            break;
        }
        crowd.push(client);
    }
    assert_eq!(scene.connect(1).ask("count"), "1");
}

#[test]
fn forged_senders_keep_no_client_of_tcp_waiting() {
    // Datagrams take no slot, no share of an address and no rate from connections.
    let limits = ["--max-connections", "20", "--max-connections-per-ip", "40"];
    let rates = ["--max-new-connections-per-second-per-ip", "100"];
    let listeners = [
        "--listen",
        "tcp://127.0.0.1:0",
        "--listen",
        "udp://127.0.0.1:0",
    ];
    let host = Host::serve(&[&limits[..], &rates, &listeners].concat());
    let [tcp, udp] = host.addresses()[..] else {
        panic!("{:?}", host.uris());
    };
    // Their addresses are those of other clients.
    let senders: Vec<_> = (0..100).map(|_| Sender::to(udp)).collect();
    for sender in &senders {
        sender.send("x");
    }
    host.wait_for_log("session limit of the address reached (--max-connections-per-ip)");
    senders[0].expect("x");
    let mut clients: Vec<_> = (0..20).map(|_| Client::connect(tcp)).collect();
    for client in &mut clients {
        assert_eq!(client.ask("hello"), "hello");
    }
    // They have slots of their own.
    senders[39].expect("x");
    let status = host.status();
    assert_eq!(status["limits_reached"]["max-connections"], 0);
    assert_eq!(status["limits_reached"]["places"], 0);
    assert_eq!(status["connections"]["open"], 60);
}

#[test]
fn senders_with_many_addresses_keep_no_client_of_tcp_waiting() {
    let listeners = [
        "--listen",
        "tcp://127.0.0.1:0",
        "--listen",
        "udp://127.0.0.1:0",
    ];
    let host = Host::serve(&[&["--max-connections", "100"][..], &listeners].concat());
    let [tcp, udp] = host.addresses()[..] else {
        panic!("{:?}", host.uris());
    };
    let senders: Vec<_> = (0..400_u16)
        .map(|count| {
            let address = Ipv4Addr::new(127, 0, 0, 2 + (count % 4) as u8);
            let socket = UdpSocket::bind((address, 0)).unwrap();
            socket.connect(udp).unwrap();
            socket.set_read_timeout(Some(DEADLINE)).unwrap();
            Sender { socket }
        })
        .collect();
    for sender in &senders {
        sender.send("x");
        sender.expect("x");
    }
    let mut client = Client::connect(tcp);
    assert_eq!(client.ask("hello"), "hello");
    let status = host.status();
    assert_eq!(status["connections"]["open"], 401);
    assert_eq!(status["places"]["taken"], 401);
}

/// A pipeline of N echoes, and an echo.
fn pipeline(host: &str, stages: usize) -> Scene {
    let echo = root().join("guest/echo.wat");
    let echo = echo.display();
    let then = format!("'{echo}', ").repeat(stages - 1);
    Scene::new(&format!(
        "{host}
        drain-timeout = '1ms'
        [service.a-pipeline]
        handler = '{echo}'
        then = [{then}]
        listen = ['tcp://127.0.0.1:0']
        [service.echo]
        listen = ['tcp://127.0.0.1:0']"
    ))
}

fn served_crowd(scene: &Scene, clients: usize) -> Vec<Client> {
    let mut crowd: Vec<_> = (0..clients).map(|_| scene.connect(0)).collect();
    for client in &mut crowd {
        assert_eq!(client.ask("hi"), "hi");
    }
    crowd
}

#[test]
fn a_crowd_of_a_pipeline_leaves_another_service_its_slots() {
    let scene = pipeline("", 4);
    let _crowd = served_crowd(&scene, 255);
    let mut neighbour = scene.connect(1);
    assert_eq!(neighbour.ask("hello"), "hello");
    let status = scene.host.status();
    assert_eq!(status["places"]["total"], 4 * 1004);
    assert_eq!(status["places"]["taken"], 4 * 255 + 1);
    assert_eq!(status["limits_reached"]["places"], 0);
}

#[test]
fn every_connection_that_may_be_open_has_its_slots() {
    let scene = pipeline("max-connections = 12", 4);
    let _crowd = served_crowd(&scene, 11);
    let mut neighbour = scene.connect(1);
    assert_eq!(neighbour.ask("hello"), "hello");
    assert_eq!(scene.host.status()["limits_reached"]["places"], 0);
}

#[test]
fn a_pipeline_that_a_reload_adds_leaves_others_their_slots() {
    let echo = root().join("guest/echo.wat");
    let echo = echo.display();
    let service = |name: &str, then: usize| {
        let then = format!("'{echo}', ").repeat(then);
        format!(
            "[service.{name}]\nhandler = '{echo}'\nthen = [{then}]\nlisten = ['tcp://127.0.0.1:0']
            call-timeout = '1h'\n"
        )
    };
    let first = format!("max-connections = 36\n{}", service("echo", 0));
    let scene = Scene::new(&first);
    // There are 40 slots, half of which are reserved for the two services.
    scene.write(&[first, service("pipeline", 3)].concat());
    scene.host.process.signal(Signal::HUP);
    let address = scene.address_of("pipeline");
    let mut served: Vec<_> = (0..7).map(|_| Client::connect(address)).collect();
    for client in &mut served {
        assert_eq!(client.ask("hi"), "hi");
    }
    let mut waiting: Vec<_> = (0..13).map(|_| Client::connect(address)).collect();
    for client in &mut waiting {
        client.send("hi");
    }
    let status = || scene.host.status();
    let deadline = Instant::now() + DEADLINE;
    while status()["limits_reached"]["places"] != 13 {
        assert!(Instant::now() < deadline, "{}", status());
    }
    // No connection holds only some of the slots it needs.
    assert_eq!(status()["places"]["taken"], 28);
    let mut neighbours: Vec<_> = (0..10).map(|_| scene.connect(0)).collect();
    for neighbour in &mut neighbours {
        assert_eq!(neighbour.ask("hello"), "hello");
    }
    // A client that leaves makes room for the next one, in order of arrival.
    drop(served);
    thread::scope(|scope| {
        for mut client in waiting {
            scope.spawn(move || client.expect("hi"));
        }
    });
}

#[test]
fn a_shared_pipeline_that_does_not_get_all_its_slots_holds_none() {
    let echo = root().join("guest/echo.wat");
    let echo = echo.display();
    let service = "listen = ['tcp://127.0.0.1:0']\ncall-timeout = '1s'";
    let pipeline = |name: &str| {
        format!(
            "[service.{name}]\nhandler = '{echo}'\nthen = ['{echo}', '{echo}', '{echo}']
            isolation = 'shared'\n{service}\n"
        )
    };
    let first = format!("max-connections = 1\n[service.echo]\n{service}\n");
    let scene = Scene::new(&first);
    // There are 5 slots, and each of the two will need 4 of them.
    scene.write(&[first, pipeline("one"), pipeline("two")].concat());
    scene.host.process.signal(Signal::HUP);
    let [one, two] = ["one", "two"].map(|name| scene.address_of(name));
    let mut client = Client::connect(one);
    assert_eq!(client.ask("hi"), "hi");
    drop(client);
    let mut client = Client::connect(two);
    client.send("hi");
    client.expect_closed();
    assert_eq!(scene.connect(0).ask("hello"), "hello");
    assert_eq!(Client::connect(one).ask("hi"), "hi");
}

#[test]
fn shared_instances_leave_all_connections_their_slots() {
    let service = |name: &str, isolation: &str| {
        format!("[service.{name}]\nlisten = ['tcp://127.0.0.1:0']\nisolation = '{isolation}'\n")
    };
    let shared: String = ('b'..='k')
        .map(|name| service(&name.to_string(), "shared"))
        .collect();
    let scene = Scene::new(
        &[
            "max-connections = 1\n",
            &service("a", "connection"),
            &shared,
        ]
        .concat(),
    );
    // Their instances stay when their clients have left.
    for service in (1..=10).chain([0]) {
        assert_eq!(scene.connect(service).ask("hello"), "hello");
    }
    assert_eq!(scene.host.status()["limits_reached"]["places"], 0);
}

fn waits(client: &mut Client) {
    let short = Some(Duration::from_millis(50));
    client.stream.set_read_timeout(short).unwrap();
    let read = client.stream.read(&mut [0; 8]);
    assert!(read.is_err(), "{read:?}");
    client.stream.set_read_timeout(Some(DEADLINE)).unwrap();
}

#[test]
fn a_service_and_a_listener_have_connections_of_their_own_which_a_reload_changes() {
    // A port chosen by the system would change with the listener.
    let port = free_port();
    let config = |service: usize, listener: usize| {
        format!(
            "[service.crowded]
            max-connections = {service}
            listen = [
                {{ uri = 'tcp://127.0.0.1:{port}', max-connections = {listener} }},
                'tcp://127.0.0.1:0',
            ]
            [service.other]
            listen = ['tcp://127.0.0.1:0']"
        )
    };
    let scene = Scene::new(&config(3, 2));
    let mut served: Vec<_> = [0, 0, 1].map(|at| scene.connect(at)).into();
    for client in &mut served {
        assert_eq!(client.ask("hello"), "hello");
    }
    let mut beyond = [0, 1].map(|at| scene.connect(at));
    for client in &mut beyond {
        client.send("waiting");
    }
    scene
        .host
        .wait_for_log("reached (max-connections): new clients wait");
    assert_eq!(scene.connect(2).ask("hello"), "hello");
    let deadline = Instant::now() + DEADLINE;
    while scene.host.status()["limits_reached"]["max-connections"] != 2 {
        assert!(Instant::now() < deadline);
    }
    beyond.iter_mut().for_each(waits);
    // The listener's limit is not the service's: with more for the service, one of them still has
    // to wait.
    scene.write(&config(9, 2));
    scene.host.process.signal(Signal::HUP);
    beyond[1].expect("waiting");
    waits(&mut beyond[0]);
    // Connections from before the reload count.
    scene.write(&config(9, 3));
    scene.host.process.signal(Signal::HUP);
    beyond[0].expect("waiting");
    let mut fourth = scene.connect(0);
    fourth.send("waiting");
    waits(&mut fourth);
    drop(served);
    fourth.expect("waiting");
}

#[test]
fn a_listener_that_goes_to_another_service_keeps_its_count_and_takes_none_along() {
    let port = free_port();
    let config = |first: &str, second: &str, listener: usize| {
        let moves = format!("{{ uri = 'tcp://127.0.0.1:{port}', max-connections = {listener} }}");
        let listen = |name: &str, more: &str| {
            format!(
                "[service.{name}]\nmax-connections = 2
                listen = ['tcp://127.0.0.1:0', {}]\n",
                if more == name { moves.as_str() } else { "" }
            )
        };
        [listen("first", first), listen("second", second)].concat()
    };
    let scene = Scene::new(&config("first", "", 2));
    let [own, moving, other] = scene.host.addresses()[..] else {
        panic!("{:?}", scene.host.uris());
    };
    let mut old: Vec<_> = (0..2).map(|_| Client::connect(moving)).collect();
    for client in &mut old {
        assert_eq!(client.ask("hello"), "hello");
    }
    scene.write(&config("", "second", 2));
    scene.host.process.signal(Signal::HUP);
    scene
        .host
        .wait_for_log("service `first` no longer listens on tcp://127.0.0.1:");
    // The first service still has its two connections, and so has the listener.
    let mut of_first = Client::connect(own);
    let mut of_listener = Client::connect(moving);
    for client in [&mut of_first, &mut of_listener] {
        client.send("waiting");
    }
    let deadline = Instant::now() + DEADLINE;
    while scene.host.status()["limits_reached"]["max-connections"] != 2 {
        assert!(Instant::now() < deadline);
    }
    waits(&mut of_first);
    waits(&mut of_listener);
    // The second has none of them: it has room for two more, once the listener has.
    assert_eq!(Client::connect(other).ask("hello"), "hello");
    scene.write(&config("", "second", 4));
    scene.host.process.signal(Signal::HUP);
    of_listener.expect("waiting");
    let mut second = Client::connect(moving);
    assert_eq!(second.ask("hello"), "hello");
    waits(&mut of_first);
    drop(old);
    of_first.expect("waiting");
}

#[test]
fn senders_that_compute_on_count_when_their_listener_goes_to_another_service() {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let udp = socket.local_addr().unwrap();
    drop(socket);
    let config = |first: &str, second: &str| {
        let handler = guest("probe");
        format!(
            "drain-timeout = '1ms'
            [service.first]
            handler = '{handler}'
            call-timeout = '1h'
            listen = ['tcp://127.0.0.1:0', {first}]
            [service.second]
            listen = ['tcp://127.0.0.1:0', {second}]"
        )
    };
    let listener = format!("{{ uri = 'udp://{udp}', udp-max-sessions = 2 }}");
    let scene = Scene::new(&config(&listener, ""));
    let senders: Vec<_> = (0..2).map(|_| Sender::to(udp)).collect();
    for sender in &senders {
        assert_eq!(sender.ask("count"), "1");
        sender.send("spin");
    }
    scene.write(&config("", &listener));
    scene.host.process.signal(Signal::HUP);
    scene
        .host
        .wait_for_log("service `first` no longer listens on udp://");
    Sender::to(udp).send("hello");
    scene
        .host
        .wait_for_log("session limit reached (--udp-max-sessions)");
    assert_eq!(scene.host.status()["connections"]["open"], 2);
}
