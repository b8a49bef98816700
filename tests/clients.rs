//! Common clients and servers: Python's sockets and asyncio, telnet, nc.

use crate::fixture::{Host, Process, guest, run, script, tool};
use std::io::Write;
use std::process::Command;

fn python(name: &str, host: &Host) -> Command {
    let address = host.address();
    let mut python = tool("python3");
    python.args([
        &script(name),
        &address.ip().to_string(),
        &address.port().to_string(),
    ]);
    python
}

/// The example of every tutorial: the client says hello, the server prints it and answers.
fn assert_greeted_by_hello(client: &str) {
    let host = Host::serve(&[&guest("hello")]);
    let finished = run(&mut python(client, &host), b"");
    assert_eq!(
        finished.stdout, "Received: Hello, client!\n",
        "{finished:?}"
    );
    host.wait_for_log("Received: Hello, server!");
}

#[test]
fn a_python_socket_client_is_greeted() {
    assert_greeted_by_hello("socket_client.py");
}

#[test]
fn a_python_asyncio_client_is_greeted() {
    assert_greeted_by_hello("asyncio_client.py");
}

#[test]
fn many_asyncio_clients_at_once_get_their_own_echoes() {
    let host = Host::serve(&[]);
    let finished = run(&mut python("asyncio_crowd.py", &host), b"");
    assert_eq!(
        finished.stdout, "100 clients, 2000 echoes\n",
        "{finished:?}"
    );
}

/// Our client talks to a server written in Python.
fn assert_greets(server: &str) {
    let mut server = Process::start(tool("python3").arg(script(server)));
    let uri = server.stdout.wait_until("port", |text| {
        text.strip_prefix("port ")?
            .strip_suffix('\n')
            .map(|port| format!("tcp://127.0.0.1:{port}"))
    });
    let mut connect = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    let finished = run(connect.args(["connect", &uri]), b"Hello, server!");
    assert_eq!(
        (finished.code, finished.stdout.as_str()),
        (Some(0), "Hello, client!"),
        "{finished:?}"
    );
    assert_eq!(server.wait().code(), Some(0));
    server.stdout.wait_for("Received: Hello, server!");
}

#[test]
fn our_client_talks_to_a_python_socket_server() {
    assert_greets("socket_server.py");
}

#[test]
fn our_client_talks_to_a_python_asyncio_server() {
    assert_greets("asyncio_server.py");
}

#[test]
fn telnet_gets_its_lines_back() {
    let host = Host::serve(&[]);
    let (ip, port) = (
        host.address().ip().to_string(),
        host.address().port().to_string(),
    );
    let mut telnet = Process::start(tool("telnet").args([ip, port]));
    telnet.stdout.wait_for("Escape character");
    for line in ["Hello, server!", "and again"] {
        // Telnet ends its lines with CR LF, and the echo is exact.
        telnet
            .stdin()
            .as_mut()
            .unwrap()
            .write_all(format!("{line}\n").as_bytes())
            .unwrap();
        telnet.stdout.wait_for(line);
    }
}

#[test]
fn telnet_talks_to_a_handler_of_lines() {
    let host = Host::serve(&[&guest("reverse")]);
    let (ip, port) = (
        host.address().ip().to_string(),
        host.address().port().to_string(),
    );
    let mut telnet = Process::start(tool("telnet").args([ip, port]));
    telnet
        .stdin()
        .as_mut()
        .unwrap()
        .write_all(b"Hello, server!\n")
        .unwrap();
    telnet.stdout.wait_for("!revres ,olleH");
}

fn nc(host: &Host, option: &[&str]) -> Command {
    let mut nc = tool("nc");
    nc.args(option)
        .arg(host.address().ip().to_string())
        .arg(host.address().port().to_string());
    nc
}

#[test]
fn nc_that_half_closes_gets_everything() {
    let host = Host::serve(&[&guest("reverse")]);
    let finished = run(&mut nc(&host, &["-N"]), b"one\ntwo");
    assert_eq!(
        (finished.code, finished.stdout.as_str()),
        (Some(0), "eno\nowt\n")
    );
}

#[test]
fn nc_that_does_not_half_close_gets_its_replies_all_the_same() {
    let host = Host::serve(&[&guest("reverse")]);
    let mut nc = Process::start(&mut nc(&host, &[]));
    nc.stdin().take().unwrap().write_all(b"one\ntwo\n").unwrap();
    nc.stdout.wait_for("eno");
    nc.stdout.wait_for("owt");
    assert!(!nc.has_ended());
}
