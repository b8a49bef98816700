//! WebSocket libraries of others.

use crate::fixture::{Host, Process, client_python, needs, root, run};
use crate::transports::certificates::Authority;
use std::process::Command;

/// A host with a plain listener and one with TLS, and the file of the authority.
fn both_doors(authority: &Authority) -> Host {
    let files = authority.sign("server", &["localhost"], "localhost");
    Host::serve(&[
        "echo",
        "--listen",
        "ws://127.0.0.1:0/echo",
        "--listen",
        "wss://127.0.0.1:0/echo",
        "--tls-cert",
        &files.certificate,
        "--tls-key",
        &files.key,
        "--ws-protocol",
        "echo",
        "--max-message",
        "1MiB",
    ])
}

/// The addresses by the name in the certificate.
fn addresses(host: &Host) -> Vec<String> {
    let uris = host.uris().iter();
    uris.map(|uri| uri.replace("127.0.0.1", "localhost"))
        .collect()
}

#[test]
fn python_gets_its_messages_back_over_tls_too() {
    let authority = Authority::new();
    let host = both_doors(&authority);
    let mut python = client_python("python");
    python.arg(root().join("tests/python/websockets_client.py"));
    python.args([&authority.file()]).args(addresses(&host));
    let finished = run(&mut python, b"");
    assert_eq!(finished.stdout, "2 doors\n", "{finished:?}");
}

#[test]
fn node_and_its_libraries_get_their_messages_back() {
    needs("client-libraries");
    let authority = Authority::new();
    let host = both_doors(&authority);
    let mut node = Command::new("node");
    node.arg(root().join("tests/javascript/websocket_client.js"));
    let modules = root().join("target/test-clients/node_modules");
    node.env("NODE_PATH", modules);
    node.env("NODE_EXTRA_CA_CERTS", authority.file());
    let finished = run(node.args(addresses(&host)), b"");
    assert_eq!(finished.stdout, "2 doors\n", "{finished:?}");
}

#[test]
fn wscat_gets_its_message_back() {
    needs("client-libraries");
    let host = both_doors(&Authority::new());
    let mut wscat = Command::new("node");
    let modules = root().join("target/test-clients/node_modules");
    wscat.arg(modules.join("wscat/bin/wscat"));
    wscat.args(["--connect", host.uri(), "--execute", "hello", "--wait", "1"]);
    // It leaves at the end of its input.
    let wscat = Process::start(&mut wscat);
    wscat.stdout.wait_for("hello");
}

#[test]
fn our_client_and_our_load_generator_get_their_messages_back() {
    let authority = Authority::new();
    let host = both_doors(&authority);
    for (uri, arguments) in host.uris().iter().zip([&[][..], &["--insecure"]]) {
        let mut connect = Command::new(env!("CARGO_BIN_EXE_echo-host"));
        let finished = run(connect.args(["connect", uri]).args(arguments), b"hello\n");
        assert_eq!(finished.stdout, "hello\n", "{finished:?}");
    }
    let mut bench = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    bench.args([
        "bench",
        host.uri(),
        "--connections",
        "3",
        "--duration",
        "1s",
        "--json",
    ]);
    let finished = run(bench.args(["--warm-up", "off"]), b"");
    let report: serde_json::Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(report["messages"].as_u64() > Some(100), "{report:#}");
    let other = host.uri().replace("/echo", "/other");
    let mut connect = Command::new(env!("CARGO_BIN_EXE_echo-host"));
    let finished = run(connect.args(["connect", &other]), b"");
    let said = "the server opens no WebSocket: HTTP 404 Not Found";
    assert!(finished.stderr.contains(said), "{finished:?}");
}
