use super::*;

fn read(head: &str) -> Result<Head> {
    Head::read(head.as_bytes())
}

/// An HTTP/1.1 request with these additional fields.
fn with(fields: &str) -> Result<Head> {
    read(&format!("POST / HTTP/1.1\r\nHost: h\r\n{fields}\r\n\r\n"))
}

#[test]
fn the_usual_is_understood() {
    let head = read("GET /a/b?c=/d HTTP/1.1\r\nHost: h\r\nAccept: */*\r\n\r\n").unwrap();
    assert_eq!(
        head,
        Head {
            method: "GET".to_owned(),
            path: "/a/b".to_owned(),
            minor: 1,
            body: Body::Length(0),
            keep_alive: true,
            expects_continue: false,
        }
    );
    // People who type end lines with a lone LF.
    assert_eq!(read("GET /a/b HTTP/1.1\nHOST:h\n\n").unwrap(), head);
}

#[test]
fn a_target_has_several_forms() {
    for (target, path) in [
        ("/", "/"),
        ("*", "*"),
        ("http://h/p?q", "/p"),
        ("HTTP://h", "/"),
        ("http://h?/q", "/"),
    ] {
        let head = read(&format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n"));
        assert_eq!(head.unwrap().path, path, "{target}");
    }
}

#[test]
fn versions_decide_what_is_left_unsaid() {
    let keeps_alive = |version: &str, fields: &str| {
        let head = read(&format!(
            "GET / HTTP/{version}\r\nHost: h\r\n{fields}\r\n\r\n"
        ));
        head.unwrap().keep_alive
    };
    assert!(keeps_alive("1.1", ""));
    assert!(!keeps_alive("1.1", "Connection: upgrade, Close"));
    assert!(!keeps_alive("1.0", ""));
    assert!(keeps_alive("1.0", "Connection: Keep-Alive"));
    assert!(!keeps_alive(
        "1.0",
        "Connection: keep-alive\r\nConnection: close"
    ));
    assert_eq!(read("GET / HTTP/1.0\r\n\r\n").unwrap().minor, 0);
    assert_eq!(read("GET / HTTP/1.2\r\nHost: h\r\n\r\n").unwrap().minor, 1);
    assert_eq!(
        read("GET / HTTP/2.0\r\n\r\n"),
        Err(Status::VERSION_NOT_SUPPORTED)
    );
}

#[test]
fn a_body_has_one_length() {
    assert_eq!(with("Content-Length: 42").unwrap().body, Body::Length(42));
    assert_eq!(
        with("Transfer-Encoding: Chunked").unwrap().body,
        Body::Chunked
    );
    for (fields, status) in [
        ("Content-Length: -1", Status::BAD_REQUEST),
        ("Content-Length: +1", Status::BAD_REQUEST),
        ("Content-Length: 1, 1", Status::BAD_REQUEST),
        ("Content-Length:", Status::BAD_REQUEST),
        (
            "Content-Length: 1\r\nContent-Length: 1",
            Status::BAD_REQUEST,
        ),
        (
            "Content-Length: 1\r\nTransfer-Encoding: chunked",
            Status::BAD_REQUEST,
        ),
        ("Transfer-Encoding: gzip, chunked", Status::NOT_IMPLEMENTED),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            Status::NOT_IMPLEMENTED,
        ),
    ] {
        assert_eq!(with(fields), Err(status), "{fields}");
    }
    let old = "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(read(old), Err(Status::BAD_REQUEST));
}

#[test]
fn only_a_body_is_waited_for() {
    assert!(
        with("Content-Length: 1\r\nExpect: 100-Continue")
            .unwrap()
            .expects_continue
    );
    assert!(!with("Expect: 100-continue").unwrap().expects_continue);
    assert_eq!(with("Expect: miracles"), Err(Status::EXPECTATION_FAILED));
    let old = "POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n";
    assert!(!read(old).unwrap().expects_continue);
}

#[test]
fn nonsense_is_refused() {
    for nonsense in [
        "",
        "hello",
        "GET /",
        "GET  / HTTP/1.1\r\nHost: h",
        "GET / HTTP/1.1 \r\nHost: h",
        "G@T / HTTP/1.1\r\nHost: h",
        "GET a HTTP/1.1\r\nHost: h",
        "GET ftp://h/ HTTP/1.1\r\nHost: h",
        "GET / http/1.1\r\nHost: h",
        "GET / HTTP/1.10\r\nHost: h",
        "GET / HTTP/1.1",
        "GET / HTTP/1.1\r\nHost: h\r\nHost: h",
        "GET / HTTP/1.0\r\nHost: h\r\nHost: h",
        "GET / HTTP/1.1\r\nHost : h",
        "GET / HTTP/1.1\r\nHost: h\r\n folded",
        "GET / HTTP/1.1\r\nHost: h\r\nno colon",
        "GET / HTTP/1.1\r\nHost: h\r\n: no name",
        "GET / HTTP/1.1\r\nHost: h\rX: y",
        "GET / HTTP/1.1\r\nHost: h\0",
    ] {
        let head = format!("{nonsense}\r\n\r\n");
        assert_eq!(read(&head), Err(Status::BAD_REQUEST), "{nonsense:?}");
    }
}
