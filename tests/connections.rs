//! Single connections of a running host: `echo-host connections` and `echo-host disconnect`.

use crate::fixture::{Client, DEADLINE, Finished, Host, Process, Sender, guest, run_within};
use crate::transports::websocket::Socket;
use serde_json::Value;
use std::io::{ErrorKind, Read};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::{Duration, Instant};

/// The connections that `echo-host connections` lists with these options.
fn list(host: &Host, options: &[&str]) -> Vec<Value> {
    let finished = host.ask(&[&["connections", "--json"], options].concat());
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let lines = finished.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn ids(connections: &[Value]) -> Vec<u64> {
    let ids = connections.iter().map(|it| it["id"].as_u64().unwrap());
    ids.collect()
}

fn own(client: &Client) -> String {
    client.stream.local_addr().unwrap().to_string()
}

/// The id of the connection with this peer.
fn id_of(host: &Host, peer: &str) -> String {
    let listed = list(host, &[]);
    let found = listed.iter().find(|it| it["peer"] == peer);
    found.unwrap()["id"].to_string()
}

/// What `wordcount` has counted.
fn counts(reply: Vec<u8>) -> Vec<String> {
    let reply = String::from_utf8(reply).unwrap();
    reply.split_whitespace().map(str::to_owned).collect()
}

/// Waits until the list of connections is like this.
fn wait_until(host: &Host, is_so: impl Fn(&[Value]) -> bool) {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let listed = list(host, &["--measure", "1ms"]);
        if is_so(&listed) {
            return;
        }
        assert!(Instant::now() < deadline, "{listed:?}");
    }
}

/// A host with two services of one handler.
fn two_services(handler: &str) -> (tempfile::TempDir, Host) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("echo-host.toml");
    let service =
        |name| format!("[service.{name}]\nhandler = '{handler}'\nlisten = 'tcp://127.0.0.1:0'\n");
    std::fs::write(&file, service("one") + &service("two")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    command.args(["serve", "--config", file.to_str().unwrap()]);
    let host = Host::start_as_it_is(&mut command, 2);
    (folder, host)
}

#[test]
fn each_connection_has_a_line_with_its_figures() {
    let host = Host::serve(&[&guest("probe")]);
    let mut asking = host.connect();
    assert_eq!(asking.ask("count"), "1");
    let silent = host.connect();
    assert_eq!(asking.ask("count"), "2");
    host.wait_for_open(2);
    let [first, second] = &list(&host, &[])[..] else {
        panic!("two are open")
    };
    assert_eq!(first["peer"], own(&asking));
    assert_eq!(second["peer"], own(&silent));
    for (name, value) in [
        ("id", 1.into()),
        ("service", "main".into()),
        ("transport", "tcp".into()),
        ("listener", host.uri().into()),
        ("generation", 1.into()),
        ("messages", 2.into()),
        ("received_bytes", 12.into()),
        ("sent_bytes", 4.into()),
        ("unsent_bytes", 0.into()),
        ("call_microseconds", Value::Null),
    ] {
        assert_eq!(first[name], value, "{name}: {first}");
    }
    assert!(
        first["memory_bytes"].as_u64().unwrap() >= 64 << 10,
        "{first}"
    );
    for name in ["age_milliseconds", "idle_seconds"] {
        assert!(first[name].is_u64(), "{name}: {first}");
    }
    // Without a message it has no instance.
    assert_eq!(second["memory_bytes"], Value::Null);

    let table = host.ask(&["connections"]).stdout;
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 3, "{table}");
    assert!(lines[0].starts_with("ID  PEER "), "{table}");
    assert!(
        lines[1].contains(&format!("1   {}", own(&asking))),
        "{table}"
    );
    drop((asking, silent));
    host.wait_for_open(0);
    assert_eq!(
        host.ask(&["connections"]).stdout,
        "no open connection fits\n"
    );
}

#[test]
fn memory_follows_what_an_instance_takes() {
    let host = Host::serve(&[&guest("probe")]);
    let mut client = host.connect();
    client.ask("count");
    let memory = || list(&host, &[])[0]["memory_bytes"].as_u64().unwrap();
    let before = memory();
    client.ask("allocate 5000000");
    let after = memory();
    assert!(
        (4_000_000..8_000_000).contains(&(after - before)),
        "{before} {after}"
    );
    // An instance that others use too belongs to nobody.
    let host = Host::serve(&[&guest("probe"), "--isolation", "shared"]);
    host.connect().ask("count");
    let mut client = host.connect();
    client.ask("count");
    host.wait_for_open(1);
    assert_eq!(list(&host, &[])[0]["memory_bytes"], Value::Null);
}

#[test]
fn they_are_chosen_and_ordered() {
    let (_folder, host) = two_services(&guest("probe"));
    let [one, two] = host.addresses()[..] else {
        panic!("two listen")
    };
    let mut clients = [
        Client::connect(one),
        Client::connect_from("127.0.0.2", one),
        Client::connect_from("127.0.0.2", two),
    ];
    for (number, client) in clients.iter_mut().enumerate() {
        for _ in 0..=number {
            client.ask("reply 100");
        }
    }
    let all = ids(&list(&host, &[]));
    let chosen = |options: &[&str]| -> Vec<_> {
        let chosen = ids(&list(&host, options));
        let place = |id| all.iter().position(|it| it == id).unwrap();
        chosen.iter().map(place).collect()
    };
    assert_eq!(chosen(&["--service", "one"]), [0, 1]);
    assert_eq!(chosen(&["--peer", "127.0.0.2"]), [1, 2]);
    assert_eq!(chosen(&["--peer", "127.0.0.2", "--service", "two"]), [2]);
    assert_eq!(chosen(&["--peer", "127.0.0.0/8"]), [0, 1, 2]);
    assert_eq!(chosen(&["--peer", "::1"]), [0; 0]);
    assert_eq!(chosen(&[&all[1].to_string()]), [1]);
    assert_eq!(chosen(&["--generation", "1", "--top", "2"]), [0, 1]);
    assert_eq!(chosen(&["--generation", "2"]), [0; 0]);
    assert_eq!(chosen(&["--sort", "messages"]), [2, 1, 0]);
    assert_eq!(chosen(&["--sort", "bytes", "--top", "1"]), [2]);
    let unknown = host.ask(&["connections", "--service", "three"]);
    assert_eq!(unknown.code, Some(69), "{unknown:?}");
    assert!(unknown.stderr.contains("three"), "{unknown:?}");
    let wrong = host.ask(&["connections", "--peer", "localhost"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    assert!(wrong.stderr.contains("expected a network"), "{wrong:?}");
}

#[test]
fn whatever_carries_a_connection_it_is_listed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("it.sock");
    let unix = format!("unix:{}", path.display());
    let host = Host::serve(&[
        "echo",
        "--listen",
        "tcp://127.0.0.1:0",
        "--listen",
        "ws://127.0.0.1:0",
        "--listen",
        "udp://127.0.0.1:0",
        "--listen",
        &unix,
    ]);
    let addresses = host.addresses();
    let mut tcp = Client::connect(addresses[0]);
    tcp.ask("a");
    let mut web = Socket::open(addresses[1]);
    web.ask("b");
    let sender = Sender::to(addresses[2]);
    sender.ask("c");
    let local = UnixStream::connect(&path).unwrap();
    host.wait_for_open(4);
    let listed = list(&host, &[]);
    let transports: Vec<_> = listed.iter().map(|it| &it["transport"]).collect();
    assert_eq!(transports, ["tcp", "ws", "udp", "unix"]);
    assert_eq!(listed[2]["messages"], 1);
    let peer = listed[3]["peer"].as_str().unwrap();
    assert!(peer.contains("uid"), "{peer}");
    drop(local);
}

#[test]
fn a_program_is_listed_with_its_bytes() {
    let host = Host::serve(&[&guest("wordcount")]);
    let mut client = host.connect();
    client.send("one two\n");
    wait_until(&host, |listed| {
        listed.len() == 1 && listed[0]["memory_bytes"].is_u64() && listed[0]["received_bytes"] == 8
    });
    let listed = list(&host, &["--measure", "10ms"]);
    for name in ["messages", "unsent_bytes", "call_microseconds"] {
        assert_eq!(listed[0][name], Value::Null, "{name}");
    }
    // Somebody has watched it, and it works on.
    client.finish();
    assert_eq!(counts(client.rest()), ["1", "2", "8"]);
}

#[test]
fn who_keeps_a_handler_busy_is_measured() {
    let host = Host::serve(&[&guest("probe"), "--call-timeout", "60s"]);
    let mut idle = host.connect();
    idle.ask("count");
    let mut busy = host.connect();
    busy.ask("count");
    let mut steady = host.connect();
    // In a call before it is measured, and after.
    busy.send("sleep 6000\n");
    let asking = host.ask(&[
        "connections",
        "--sort",
        "calls",
        "--measure",
        "1s",
        "--json",
    ]);
    let listed: Vec<Value> = (asking.stdout.lines())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let time = |at: usize| listed[at]["call_microseconds"].as_u64().unwrap();
    assert_eq!(listed[0]["peer"], own(&busy), "{listed:?}");
    assert!((900_000..=6_000_000).contains(&time(0)), "{listed:?}");
    assert!(time(1) < 500_000 && time(2) < 500_000, "{listed:?}");
    assert_eq!(busy.line(), "done");
    // Calls that begin and end while it is measured are added.
    let mut command = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    command.args(["connections", "--json", "--measure", "2s", "--control"]);
    let mut measuring = Process::start(command.arg(host.control()));
    let mut asks = 0;
    while !measuring.has_ended() {
        steady.ask("sleep 50");
        asks += 1;
    }
    let listed = measuring.stdout.text();
    let last: Value = serde_json::from_str(listed.lines().last().unwrap()).unwrap();
    let time = last["call_microseconds"].as_u64().unwrap();
    assert!(
        asks > 2 && (500_000..=4_000_000).contains(&time),
        "{asks}: {listed}"
    );
}

#[test]
fn a_host_with_many_connections_lists_them_in_one_go() {
    let host = Host::serve(&[&guest("probe"), "--max-connections-per-ip", "off"]);
    let clients: Vec<_> = (0..700).map(|_| host.connect()).collect();
    host.wait_for_open(700);
    let mut asking = host.connect();
    asking.ask("count");
    let listed = list(&host, &[]);
    let ids = ids(&listed);
    assert_eq!(ids.len(), 701);
    assert!(ids.is_sorted() && ids.windows(2).all(|two| two[0] != two[1]));
    assert_eq!(host.ask(&["connections"]).stdout.lines().count(), 702);
    drop(clients);
}

#[test]
fn a_connection_is_ended_by_its_id_and_others_stay() {
    let host = Host::serve(&[&guest("puppet")]);
    let mut clients = [host.connect(), host.connect(), host.connect()];
    clients.iter_mut().for_each(|it| it.expect("ready\n"));
    let [_, second, third] = clients.each_ref().map(|it| id_of(&host, &own(it)));
    let ended = host.ask(&["disconnect", &second]);
    assert_eq!(ended.stdout, "1 connection ends\n", "{ended:?}");
    // Its session could say goodbye.
    assert_eq!(clients[1].rest(), b"goodbye\n");
    host.wait_for_log("disconnects clients connections=1");
    let ended = host.ask(&["disconnect", "--reset", &third]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let mut rest = Vec::new();
    let end = clients[2].stream.read_to_end(&mut rest);
    assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(clients[0].ask("say here"), "here");
    host.wait_for_open(1);
}

#[test]
fn clients_are_ended_by_their_network_and_service() {
    let (_folder, host) = two_services("echo");
    let [one, two] = host.addresses()[..] else {
        panic!("two listen")
    };
    let mut clients = [
        Client::connect(one),
        Client::connect_from("127.0.0.2", one),
        Client::connect_from("127.0.0.2", two),
    ];
    for client in &mut clients {
        client.ask("x");
    }
    let ended = host.ask(&["disconnect", "--peer", "127.0.0.2/32", "--service", "one"]);
    assert_eq!(ended.stdout, "1 connection ends\n", "{ended:?}");
    assert_eq!(clients[1].rest(), b"");
    let ended = host.ask(&["disconnect", "--peer", "127.0.0.0/8"]);
    assert_eq!(ended.stdout, "2 connections end\n", "{ended:?}");
    assert_eq!((clients[0].rest(), clients[2].rest()), (vec![], vec![]));
    host.wait_for_open(0);
    for arguments in [&["--service", "two"][..], &["4711"]] {
        let nobody = host.ask(&[&["disconnect"], arguments].concat());
        assert_eq!(nobody.code, Some(69), "{nobody:?}");
        assert!(
            nobody.stderr.contains("no open connection fits"),
            "{nobody:?}"
        );
    }
    // Nobody ends all connections by leaving something out.
    let all = host.ask(&["disconnect"]);
    assert_eq!(all.code, Some(2), "{all:?}");
}

#[test]
fn a_client_that_reads_nothing_is_reset_at_once() {
    let host = Host::serve(&[&guest("puppet"), "--idle-timeout", "1h"]);
    let mut client = host.connect();
    client.expect("ready\n");
    client.send("flood 100000000\n");
    wait_until(&host, |listed| {
        listed[0]["unsent_bytes"].as_u64() > Some(100_000)
    });
    let id = list(&host, &["--sort", "unsent", "--top", "1"])[0]["id"].to_string();
    assert_eq!(host.ask(&["disconnect", "--reset", &id]).code, Some(0));
    host.wait_for_open(0);
    host.wait_for_log("end=\"reset\"");
}

#[test]
fn a_program_gets_the_end_of_its_input_or_is_ended() {
    let host = Host::serve(&[&guest("wordcount")]);
    let mut clients = [host.connect(), host.connect()];
    for client in &mut clients {
        client.send("one two\n");
    }
    wait_until(&host, |listed| {
        listed.len() == 2 && listed.iter().all(|it| it["received_bytes"] == 8)
    });
    let own = clients.each_ref().map(own);
    let end = |at: usize, option: &[&str]| {
        let id = id_of(&host, &own[at]);
        let ended = host.ask(&[&["disconnect", &id], option].concat());
        assert_eq!(ended.code, Some(0), "{ended:?}");
    };
    end(1, &["--reset"]);
    let mut rest = Vec::new();
    assert!(clients[1].stream.read_to_end(&mut rest).is_err() && rest.is_empty());
    end(0, &[]);
    assert_eq!(counts(clients[0].rest()), ["1", "2", "8"]);
    host.wait_for_open(0);
}

#[test]
fn a_sender_of_datagrams_and_a_websocket_are_ended_too() {
    let host = Host::serve(&[
        &guest("puppet"),
        "--listen",
        "udp://127.0.0.1:0",
        "--listen",
        "ws://127.0.0.1:0",
    ]);
    let sender = Sender::to(host.addresses()[0]);
    sender.send("say hello\n");
    sender.expect("ready\n");
    sender.expect("hello\n");
    let mut socket = Socket::open(host.addresses()[1]);
    assert_eq!(socket.receive().1, b"ready\n");
    let ended = host.ask(&["disconnect", "--service", "main"]);
    assert_eq!(ended.stdout, "2 connections end\n", "{ended:?}");
    sender.expect("goodbye\n");
    assert_eq!(socket.receive().1, b"goodbye\n");
    // Going away (RFC 6455, section 7.4.1).
    assert_eq!(socket.receive().1, 1001u16.to_be_bytes());
    host.wait_for_open(0);
    // The sender's next datagram begins a new session.
    sender.send("say again\n");
    sender.expect("ready\n");
}

#[test]
fn a_list_can_be_watched_and_piped() {
    let host = Host::serve(&["echo"]);
    let _client = host.connect();
    host.wait_for_open(1);
    let script = format!(
        "{} connections --watch --control {} | head -n 4",
        env!("CARGO_BIN_EXE_echo-host"),
        host.control()
    );
    let mut shell = Command::new("sh");
    let limit = Duration::from_secs(60);
    let Finished { stdout, code, .. } = run_within(limit, shell.args(["-c", &script]), b"");
    assert_eq!((stdout.matches("ID  PEER").count(), code), (2, Some(0)));
    // A client of the socket that asks and does not read holds nobody up.
    let silent = UnixStream::connect(host.control()).unwrap();
    let request = b"{\"version\":1,\"command\":\"connections\"}\n";
    std::io::Write::write_all(&mut &silent, request).unwrap();
    assert_eq!(list(&host, &[]).len(), 1);
}
