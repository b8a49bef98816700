//! Requests, right and wrong, and who sends them.

use super::{HANDSHAKE, Socket, TEXT, serve};
use crate::fixture::{Client, Host, echo_host, guest};
use serde_json::Value;

/// The status line of the answer, and the rest.
fn answer(host: &Host, request: &str) -> (String, String) {
    let mut client = host.connect();
    client.send(request);
    let response = String::from_utf8(client.rest()).unwrap();
    let (status, rest) = response.split_once("\r\n").expect("a status line");
    let (head, body) = rest.split_once("\r\n\r\n").unwrap();
    let length = format!("Content-Length: {}\r\n", body.len());
    let is_head = request.starts_with("HEAD ");
    assert!(
        is_head || format!("{head}\r\n").contains(&length),
        "{response}"
    );
    (status.to_owned(), rest.to_owned())
}

#[test]
fn each_wrong_request_gets_its_answer() {
    let host = Host::serve(&[
        "echo",
        "--ws-page",
        "off",
        "--listen",
        "ws://127.0.0.1:0/chat",
    ]);
    let chat = "/chat HTTP/1.1\r\nHost: localhost\r\n";
    let many = "a: b\r\n".repeat(200);
    let large = format!("Cookie: {}\r\n", "x".repeat(20_000));
    let old = HANDSHAKE.replace("13", "8");
    let evil = "Origin: https://evil.example\r\n";
    let version = "Sec-WebSocket-Version: 13\r\n";
    for (request, status, part) in [
        (
            format!("HEAD {chat}"),
            "426 Upgrade Required",
            "Upgrade, close",
        ),
        (
            format!("GET / HTTP/1.1\r\nHost: a\r\n{HANDSHAKE}"),
            "404 Not Found",
            "at this path",
        ),
        (
            format!("PUT {chat}"),
            "405 Method Not Allowed",
            "Allow: GET, HEAD\r\n",
        ),
        (
            format!("GET {chat}{evil}{HANDSHAKE}"),
            "403 Forbidden",
            "--ws-origin",
        ),
        (format!("GET {chat}{old}"), "426 Upgrade Required", version),
        (
            format!("GET {chat}Sec-WebSocket-Key: x\r\n"),
            "400 Bad Request",
            "Upgrade is missing",
        ),
        (
            format!("GET {chat}{many}"),
            "431 Request Header Fields Too Large",
            "too many headers",
        ),
        (
            format!("GET {chat}{large}"),
            "431 Request Header Fields Too Large",
            "too large",
        ),
        (
            "GET / HTTP/3.0\r\n".to_owned(),
            "505 HTTP Version Not Supported",
            "HTTP/1.1",
        ),
        (
            "hello, server\n".to_owned(),
            "400 Bad Request",
            "not a request",
        ),
    ] {
        let (line, rest) = answer(&host, &format!("{request}\r\n"));
        assert_eq!(line, format!("HTTP/1.1 {status}"), "{rest}");
        assert!(rest.contains(part), "no {part} in {rest}");
        assert!(rest.contains("close\r\n"), "{rest}");
    }
    host.wait_for_log("not served: HTTP 403 Forbidden: pages of this origin may not connect");
    let limits = host.status()["limits_reached"].to_string();
    assert!(limits.contains("websocket-request"), "{limits}");
}

#[test]
fn what_follows_the_request_at_once_is_served() {
    let host = serve(&["echo"]);
    let mut client = host.connect();
    let request = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{HANDSHAKE}\r\n");
    client.send([request.as_bytes(), &super::frame(TEXT, b"hello")].concat());
    assert_eq!(client.line(), "HTTP/1.1 101 Switching Protocols");
    while !client.line().is_empty() {}
    assert_eq!(Socket { client }.text(), "hello");
}

#[test]
fn a_request_may_come_in_any_pieces_but_not_take_for_ever() {
    let host = serve(&["echo", "--handshake-timeout", "1s"]);
    let request = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{HANDSHAKE}\r\n");
    let mut client = host.connect();
    for byte in request.bytes() {
        client.send([byte]);
    }
    assert_eq!(client.line(), "HTTP/1.1 101 Switching Protocols");
    let mut slow = host.connect();
    slow.send(&request[..request.len() - 1]);
    slow.expect_closed();
    host.wait_for_log("handshake took longer than 1s (--handshake-timeout)");
}

#[test]
fn the_operator_says_which_pages_may_connect_and_what_is_spoken() {
    let host = serve(&[
        "echo",
        "--ws-origin",
        "https://example.org,http://localhost:3000",
        "--ws-protocol",
        "v2.chat",
        "--ws-protocol",
        "v1.chat",
    ]);
    let begin = |headers: &str| Socket::begin(host.connect(), "/", headers);
    begin("Origin: https://example.org\r\n");
    begin("Origin: HTTP://LOCALHOST:3000\r\nSec-WebSocket-Protocol: other\r\n");
    // Programs that are no browsers send none.
    begin("");
    let request =
        format!("GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\n{HANDSHAKE}\r\n");
    assert_eq!(answer(&host, &request).0, "HTTP/1.1 403 Forbidden");
    let mut client = host.connect();
    client.send(format!(
        "GET / HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Protocol: v1.chat, v2.chat\r\n{HANDSHAKE}\r\n"
    ));
    let mut lines = std::iter::repeat_with(|| client.line());
    let agreed = lines.find(|line| line.starts_with("Sec-WebSocket-Protocol") || line.is_empty());
    assert_eq!(agreed.unwrap(), "Sec-WebSocket-Protocol: v2.chat");
    for (option, value, said) in [
        (
            "--ws-origin",
            "example.org",
            "expected an origin such as https://example.org",
        ),
        ("--ws-protocol", "a b", "expected the name of a subprotocol"),
        ("--listen", "ws://127.0.0.1/chat", "missing port"),
        ("--listen", "ws://127.0.0.1:1/a?b", "is not a path"),
    ] {
        let finished = echo_host(&["serve", "echo", option, value]);
        assert_eq!(finished.code, Some(2), "{finished:?}");
        assert!(finished.stderr.contains(said), "{finished:?}");
    }
}

fn forwarded(host: &Host, client: &str) -> Client {
    let mut connection = host.connect();
    connection.send(format!(
        "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 10.9.9.9, {client}\r\n{HANDSHAKE}\r\n"
    ));
    connection
}

#[test]
fn clients_behind_a_proxy_are_told_apart() {
    let puppet = guest("puppet");
    let host = serve(&[
        &puppet,
        "--proxy-from",
        "127.0.0.0/8",
        "--max-connections-per-ip",
        "1",
        "--deny",
        "192.0.2.66",
    ]);
    let mut first = forwarded(&host, "192.0.2.7");
    while !first.line().is_empty() {}
    let mut first = Socket { client: first };
    first.receive();
    assert!(first.ask("peer\n").contains("\"192.0.2.7:0\""));
    let mut other = forwarded(&host, "192.0.2.8");
    assert_eq!(other.line(), "HTTP/1.1 101 Switching Protocols");
    // Each address has its own connections, and none of a denied one.
    let mut denied = forwarded(&host, "192.0.2.66");
    denied.expect_closed();
    let mut second = forwarded(&host, "192.0.2.7");
    let _ = second.rest();
    let turned_away: &Value = &host.status()["turned_away"];
    assert_eq!(turned_away, 2);
    // Proxies of TCP tell it in a PROXY header; what the client says then is not believed.
    let mut proxied = host.connect();
    proxied.send("PROXY TCP4 192.0.2.9 198.51.100.1 4711 8888\r\n");
    let mut socket = Socket::begin(proxied, "/", "X-Forwarded-For: 192.0.2.10\r\n");
    socket.receive();
    assert!(socket.ask("peer\n").contains("\"192.0.2.9:4711\""));
}

#[test]
fn who_is_no_proxy_is_not_believed() {
    let host = serve(&[&guest("puppet")]);
    let mut socket = Socket::begin(host.connect(), "/", "X-Forwarded-For: 192.0.2.7\r\n");
    let own = socket.client.stream.local_addr().unwrap();
    socket.receive();
    assert!(socket.ask("peer\n").contains(&format!("\"{own}\"")));
}

#[test]
fn a_handler_learns_of_the_request() {
    let host = serve(&[&guest("puppet"), "--ws-protocol", "chat"]);
    let headers = "Origin: http://localhost\r\nSec-WebSocket-Protocol: chat\r\n";
    let mut socket = Socket::begin(host.connect(), "/a%20b?c=d&e", headers);
    socket.receive();
    for (name, value) in [
        ("path", "Some(\"/a%20b\")"),
        ("query", "Some(\"c=d&e\")"),
        ("origin", "Some(\"http://localhost\")"),
        ("protocol", "Some(\"chat\")"),
        ("other", "None"),
    ] {
        assert_eq!(
            socket.ask(&format!("info websocket.{name}\n")),
            format!("{value}\n")
        );
    }
    assert!(socket.ask("peer\n").contains("transport: \"ws\""));
}

#[test]
fn a_page_cannot_give_its_own_name_to_this_machine() {
    let status = |host: &Host| {
        let names = "Host: evil.example:8080\r\nOrigin: http://evil.example:8080\r\n";
        answer(host, &format!("GET / HTTP/1.1\r\n{names}{HANDSHAKE}\r\n")).0
    };
    assert_eq!(status(&serve(&["echo"])), "HTTP/1.1 403 Forbidden");
    // A proxy that is trusted decides which names lead here.
    let behind = serve(&["echo", "--proxy-from", "127.0.0.1"]);
    let mut client = behind.connect();
    client.send(format!(
        "GET / HTTP/1.1\r\nHost: example.org\r\nOrigin: https://example.org\r\n{HANDSHAKE}\r\n"
    ));
    assert_eq!(client.line(), "HTTP/1.1 101 Switching Protocols");
}
