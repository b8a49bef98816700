use super::*;
use websocket::MessageType;

const HANDSHAKE: &str = "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
                         Sec-WebSocket-Version: 13\r\n\
                         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

fn judge_with(request: &str, proxies: &[&str]) -> Judged {
    judge_bytes(request.as_bytes(), proxies)
}

fn judge_bytes(request: &[u8], proxies: &[&str]) -> Judged {
    let rules = WebSocketRules {
        path: Some("/chat".to_owned()),
        origins: Vec::new(),
        protocols: vec!["superchat".parse().unwrap()],
        messages: MessageType::Auto,
        has_page: false,
    };
    let proxies: Vec<Network> = proxies.iter().map(|it| it.parse().unwrap()).collect();
    let arrival = Arrival {
        rules: &rules,
        proxies: &proxies,
        is_local: true,
    };
    let (judged, length) = judge(request, arrival).expect("the request is whole");
    assert!(length <= request.len());
    judged
}

/// The status of the answer.
fn status(request: &str) -> u16 {
    match judge_with(request, &[]).outcome {
        Ok(_) => 101,
        Err(answer) => {
            let response = answer.response(false);
            let (head, body) = response.split_once("\r\n\r\n").unwrap();
            assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())));
            assert!(head.contains("close"), "{head}");
            response[9..12].parse().unwrap()
        }
    }
}

#[test]
fn the_example_of_the_standard_is_accepted() {
    let request = format!(
        "GET /chat?room=1 HTTP/1.1\r\nHost: server.example.com\r\n\
         Sec-WebSocket-Protocol: chat, superchat\r\n{HANDSHAKE}\r\n"
    );
    let (info, response) = judge_with(&request, &[]).outcome.unwrap();
    assert_eq!(
        response,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
         Sec-WebSocket-Protocol: superchat\r\n\r\n"
    );
    assert_eq!(
        info,
        WebSocketInfo {
            path: "/chat".to_owned(),
            query: Some("room=1".to_owned()),
            origin: None,
            protocol: Some("superchat".to_owned()),
        }
    );
}

#[test]
fn each_wrong_request_gets_its_status() {
    let get = "GET /chat HTTP/1.1\r\nHost: localhost\r\n";
    let with = |from: &str, to: &str| {
        assert!(HANDSHAKE.contains(from), "{from}");
        format!("{get}{}\r\n", HANDSHAKE.replace(from, to))
    };
    let headers = "a: b\r\n".repeat(MAX_UPGRADE_HEADERS);
    for (request, expected) in [
        (format!("{get}{HANDSHAKE}\r\n"), 101),
        (
            format!("{get}Origin: http://localhost\r\n{HANDSHAKE}\r\n"),
            101,
        ),
        (
            format!("GET http://localhost/chat?x HTTP/1.1\r\nHost: a\r\n{HANDSHAKE}\r\n"),
            101,
        ),
        (
            format!("{get}Origin: http://evil.example\r\n{HANDSHAKE}\r\n"),
            403,
        ),
        (format!("{get}Origin: null\r\n{HANDSHAKE}\r\n"), 403),
        (
            format!("{get}Origin: http://a\r\nOrigin: http://localhost\r\n{HANDSHAKE}\r\n"),
            400,
        ),
        (
            format!("GET /other HTTP/1.1\r\nHost: a\r\n{HANDSHAKE}\r\n"),
            404,
        ),
        (
            format!("GET /chat/ HTTP/1.1\r\nHost: a\r\n{HANDSHAKE}\r\n"),
            404,
        ),
        (format!("{get}\r\n"), 426),
        (
            format!("HEAD /chat HTTP/1.1\r\nHost: a\r\n{HANDSHAKE}\r\n"),
            426,
        ),
        ("GET /chat HTTP/1.0\r\n\r\n".to_owned(), 426),
        (format!("GET /chat HTTP/1.0\r\n{HANDSHAKE}\r\n"), 426),
        (
            format!("POST /chat HTTP/1.1\r\nHost: a\r\n{HANDSHAKE}\r\n"),
            405,
        ),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), 400),
        (
            format!("GET chat HTTP/1.1\r\nHost: a\r\n{HANDSHAKE}\r\n"),
            400,
        ),
        (format!("GET /chat HTTP/1.1\r\n{HANDSHAKE}\r\n"), 400),
        (format!("{get}Host: b\r\n{HANDSHAKE}\r\n"), 400),
        (with("Upgrade: websocket\r\n", ""), 400),
        (with("keep-alive, Upgrade", "close"), 400),
        (with("Version: 13", "Version: 8"), 426),
        (with("Sec-WebSocket-Version: 13\r\n", ""), 400),
        (with("dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ="), 400),
        (with("dGhlIHNhbXBsZSBub25jZQ==", "?"), 400),
        (
            format!("{get}Content-Length: 5\r\n{HANDSHAKE}\r\nhello"),
            400,
        ),
        (
            format!("{get}Transfer-Encoding: chunked\r\n{HANDSHAKE}\r\n"),
            400,
        ),
        (format!("{get}a b: c\r\n\r\n"), 400),
        (format!("{get}{headers}\r\n"), 431),
    ] {
        assert_eq!(status(&request), expected, "{request}");
    }
}

#[test]
fn what_is_no_request_of_http_1_gets_its_status() {
    for (request, expected) in [
        ("GET / HTTP/2.0\r\n\r\n", 505),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        ("\x16\x03\x01", 400),
        ("hello\r\n\r\n", 400),
    ] {
        assert_eq!(status(request), expected, "{request}");
    }
}

#[test]
fn proxies_tell_who_the_client_is_and_clients_do_not() {
    for (forwarded, proxies, expected) in [
        ("", &["10.0.0.0/8"][..], None),
        ("X-Forwarded-For: 192.0.2.1\r\n", &[], None),
        (
            "X-Forwarded-For: 192.0.2.1\r\n",
            &["10.0.0.0/8"],
            Some("192.0.2.1"),
        ),
        // The client claims to be somebody else.
        (
            "X-Forwarded-For: 192.0.2.9, 192.0.2.1\r\n",
            &["10.0.0.0/8"],
            Some("192.0.2.1"),
        ),
        (
            "X-Forwarded-For: x\r\nX-Forwarded-For: 192.0.2.1,10.1.2.3\r\n",
            &["10.0.0.0/8"],
            Some("192.0.2.1"),
        ),
        (
            "X-Forwarded-For: 10.1.1.1, 10.1.2.3\r\n",
            &["10.0.0.0/8"],
            Some("10.1.1.1"),
        ),
        (
            "X-Forwarded-For: [2001:db8::1]:4711\r\n",
            &["::1"],
            Some("2001:db8::1"),
        ),
        (
            "X-Forwarded-For: [2001:db8::1]\r\n",
            &["::1"],
            Some("2001:db8::1"),
        ),
        (
            "X-Forwarded-For: 192.0.2.1:80\r\n",
            &["::1"],
            Some("192.0.2.1"),
        ),
    ] {
        let request = format!("GET /chat HTTP/1.1\r\nHost: a\r\n{forwarded}{HANDSHAKE}\r\n");
        let judged = judge_with(&request, proxies);
        let expected = expected.map(|it| it.parse().unwrap());
        assert_eq!(judged.client, expected, "{forwarded}");
        assert!(judged.outcome.is_ok());
    }
    let unknown = format!("GET /chat HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: x\r\n{HANDSHAKE}\r\n");
    assert!(judge_with(&unknown, &["::1"]).outcome.is_err());
}

#[test]
fn a_client_hides_nothing_that_a_proxy_appends() {
    for (forwarded, expected) in [
        (&b"\xff, 192.0.2.1"[..], Some("192.0.2.1")),
        (b"\xff,\xfe, ::ffff:192.0.2.1", Some("192.0.2.1")),
        (b"192.0.2.1, \xff", None),
    ] {
        let mut request = b"GET /chat HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: ".to_vec();
        request.extend([forwarded, b"\r\n", HANDSHAKE.as_bytes(), b"\r\n"].concat());
        let judged = judge_bytes(&request, &["::1"]);
        let shown = forwarded.escape_ascii();
        assert_eq!(
            judged.client,
            expected.map(|it| it.parse().unwrap()),
            "{shown}"
        );
        assert_eq!(judged.outcome.is_ok(), expected.is_some(), "{shown}");
    }
}

#[test]
fn a_request_is_judged_when_it_is_whole() {
    let request = format!("GET / HTTP/1.1\r\nHost: a\r\n{HANDSHAKE}\r\n");
    let rules = WebSocketRules {
        path: None,
        origins: Vec::new(),
        protocols: Vec::new(),
        messages: MessageType::Auto,
        has_page: false,
    };
    let arrival = Arrival {
        rules: &rules,
        proxies: &[],
        is_local: false,
    };
    for end in 0..request.len() {
        assert_eq!(judge(&request.as_bytes()[..end], arrival), None, "{end}");
    }
    let more = format!("{request}more");
    let (judged, length) = judge(more.as_bytes(), arrival).unwrap();
    assert!(judged.outcome.is_ok() && length == request.len());
}
