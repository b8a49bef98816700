//! docs/tutorial.md: what it serves and each of its clients.

use crate::fixture::{Host, client_python, root, run, tool};
use std::fs;
use std::net::SocketAddr;
use std::process::Command;

/// The listeners of the page, in its order, by the end of their addresses.
const DOORS: [&str; 5] = ["8888", "8888", "2323", "8080", "8443"];

struct Page {
    text: String,
    host: Host,
    _folder: tempfile::TempDir,
}

impl Page {
    /// Serves what the page serves, on other ports.
    fn serve() -> Self {
        let text = fs::read_to_string(root().join("docs/tutorial.md")).unwrap();
        let toml = block(&text, "toml");
        assert_eq!(toml.lines().count(), 9, "{toml}");
        let toml = DOORS
            .iter()
            .fold(toml, |toml, port| toml.replace(port, "0"));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("doors.toml");
        fs::write(&file, toml).unwrap();
        let mut serve = Command::new(env!("CARGO_BIN_EXE_echo-host"));
        serve.args(["serve", "--config"]).arg(file);
        Page {
            text,
            host: Host::start_as_it_is(&mut serve, DOORS.len()),
            _folder: folder,
        }
    }

    fn address(&self, scheme: &str) -> SocketAddr {
        let mut uris = self.host.uris().iter();
        let at = uris.position(|uri| uri.starts_with(scheme)).unwrap();
        self.host.addresses()[at]
    }

    /// What the client below a heading prints.
    fn client(&self, python: Command, heading: &str, scheme: &str) -> String {
        let (_, section) = self.text.split_once(&format!("\n## {heading}\n")).unwrap();
        let section = section.split("\n## ").next().unwrap();
        let port = self.address(scheme).port().to_string();
        let client = block(section, "python");
        let client = DOORS
            .iter()
            .fold(client, |client, theirs| client.replace(theirs, &port));
        let mut python = python;
        let finished = run(python.args(["-c", &client]), b"");
        assert_eq!(finished.code, Some(0), "{heading}: {finished:?}");
        finished.stdout
    }
}

/// The first block in this language.
fn block(text: &str, language: &str) -> String {
    let (_, block) = text.split_once(&format!("```{language}\n")).unwrap();
    block.split("```").next().unwrap().to_owned()
}

#[test]
fn every_client_in_python_is_greeted() {
    let page = Page::serve();
    for (heading, scheme) in [
        ("TCP", "tcp"),
        ("UDP", "udp"),
        ("asyncio", "tcp"),
        ("TLS", "tls"),
    ] {
        let said = page.client(tool("python3"), heading, scheme);
        assert_eq!(said, "Received: Hello, client!\n", "{heading}");
        page.host.wait_for_log("Received: Hello, server!");
    }
    let said = page.client(tool("python3"), "Many clients at once: select", "tcp");
    assert_eq!(said, "10 clients were greeted\n");
}

#[test]
fn the_websocket_in_python_is_greeted() {
    let page = Page::serve();
    let said = page.client(client_python("python"), "WebSocket", "ws");
    assert_eq!(said, "Received: Hello, client!\n");
}

#[test]
fn telnet_is_greeted() {
    let page = Page::serve();
    let address = page.address("telnet");
    let mut telnet = tool("telnet");
    telnet.args([address.ip().to_string(), address.port().to_string()]);
    let mut telnet = crate::fixture::Process::start(&mut telnet);
    telnet.stdout.wait_for("Escape character");
    let mut stdin = telnet.stdin().take().unwrap();
    std::io::Write::write_all(&mut stdin, b"Hello, server!\n").unwrap();
    telnet.stdout.wait_for("Hello, client!");
    page.host.wait_for_log("Received: Hello, server!");
}

#[test]
fn a_browser_gets_the_page() {
    let page = Page::serve();
    let mut curl = tool("curl");
    let uri = format!("http://{}/", page.address("ws"));
    let finished = run(curl.args(["-sS", &uri]), b"");
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(
        finished.stdout.starts_with("<!doctype html>"),
        "{finished:?}"
    );
}
