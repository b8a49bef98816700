//! The page for browsers.

use super::serve;
use crate::fixture::{Host, guest, needs, root, run, tool};
use std::process::Command;

fn get(host: &Host) -> String {
    let mut client = host.connect();
    client.send("GET / HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n");
    String::from_utf8(client.rest()).unwrap()
}

#[test]
fn a_browser_gets_a_page_on_loopback_addresses_only() {
    let host = serve(&["echo"]);
    let page = get(&host);
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
    for part in [
        "Content-Type: text/html; charset=utf-8\r\n",
        "Content-Security-Policy: default-src 'none'; style-src 'sha256-",
        "<title>echo-host</title>",
    ] {
        assert!(page.contains(part), "no {part} in {page}");
    }
    assert_eq!(host.status()["turned_away"], 0);
    let everywhere = Host::serve(&["echo", "--listen", "ws://0.0.0.0:0"]);
    assert!(get(&everywhere).starts_with("HTTP/1.1 426 "));
    let off = serve(&["echo", "--ws-page", "off"]);
    assert!(get(&off).contains("This is a WebSocket endpoint"));
    let on = Host::serve(&["echo", "--listen", "ws://0.0.0.0:0", "--ws-page", "on"]);
    assert!(get(&on).starts_with("HTTP/1.1 200 "));
}

#[test]
fn people_chat_in_chromium() {
    needs("client-libraries");
    let chat = [&guest("chat"), "--isolation", "shared"];
    let host = Host::serve(&[&chat[..], &["--listen", "ws://127.0.0.1:0/chat"]].concat());
    let mut node = Command::new("node");
    node.arg(root().join("tests/javascript/page_in_chromium.js"));
    node.env("NODE_PATH", root().join("target/test-clients/node_modules"));
    let chromium = tool("chromium").get_program().to_owned();
    let folders = std::env::var_os("PATH").unwrap();
    let mut found = std::env::split_paths(&folders).map(|folder| folder.join(&chromium));
    node.arg(found.find(|it| it.is_file()).unwrap());
    let finished = run(node.arg(host.uri().replace("ws://", "http://")), b"");
    assert_eq!(finished.stdout, "they talked\n", "{finished:?}");
}
