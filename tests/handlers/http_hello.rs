//! The HTTP server, with curl, wrk and clients that send it nonsense.

use super::{assert_replies, whole};
use crate::fixture::{Finished, Host, guest, run, tool};

const PAGE: &str = "<!doctype html>\n<title>Hello</title>\n<h1>Hello, client!</h1>\n";
/// The response with the page.
const OK: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 61\r\n\r\n";

fn serve() -> Host {
    Host::serve(&[&guest("http-hello")])
}

/// The output of curl for these options and paths.
fn curl(host: &Host, options: &[&str], paths: &[&str], input: &[u8]) -> Finished {
    let urls = paths
        .iter()
        .map(|path| format!("http://{}{path}", host.address()));
    let mut curl = tool("curl");
    curl.args([
        "--silent",
        "--show-error",
        "--noproxy",
        "*",
        "--max-time",
        "50",
    ])
    .args(options)
    .args(urls);
    let finished = run(&mut curl, input);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    finished
}

#[test]
fn curl_gets_the_page() {
    let host = serve();
    assert_eq!(curl(&host, &[], &["/"], b"").stdout, PAGE);
    assert_eq!(curl(&host, &["--http1.0"], &["/"], b"").stdout, PAGE);
    let head = curl(&host, &["--head"], &["/"], b"").stdout;
    assert!(
        head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("Content-Length: 61\r\n"),
        "{head}"
    );
}

#[test]
fn curl_keeps_its_connection() {
    let host = serve();
    let told = "%{http_code} after %{num_connects}\n";
    // Each page goes to an output of its own.
    let discard = ["--output", "/dev/null"];
    let options = [&["--write-out", told][..], &discard, &discard].concat();
    let codes = curl(&host, &options, &["/", "/nothing"], b"").stdout;
    assert_eq!(codes, "200 after 1\n404 after 0\n");
}

#[test]
fn curl_posts_and_gets_it_back() {
    let host = serve();
    let body = "0123456789".repeat(20_000);
    let post = ["--data-binary", "@-"];
    for field in ["X: y", "Expect: 100-continue", "Transfer-Encoding: chunked"] {
        let options = [&post[..], &["--header", field, "--verbose"]].concat();
        let finished = curl(&host, &options, &["/echo"], body.as_bytes());
        assert!(finished.stdout == body, "{field}: {}", finished.stderr);
        let waited = finished.stderr.contains("< HTTP/1.1 100 Continue");
        assert_eq!(waited, field.starts_with("Expect"), "{}", finished.stderr);
    }
}

#[test]
fn curl_is_told_what_it_did_wrong() {
    let host = serve();
    let status = |options: &[&str], path, input: &[u8]| {
        let options = [&["--include"], options].concat();
        let reply = curl(&host, &options, &[path], input).stdout;
        let (head, _) = reply.split_once("\r\n\r\n").unwrap();
        head.replace("\r\n", "|")
    };
    assert!(status(&[], "/nothing", b"").starts_with("HTTP/1.1 404 Not Found|"));
    let refused = status(&["--request", "DELETE"], "/", b"");
    assert!(
        refused.starts_with("HTTP/1.1 405 ") && refused.ends_with("|Allow: GET, HEAD"),
        "{refused}"
    );
    let too_long = vec![b'x'; 300_000];
    let refused = status(&["--data-binary", "@-"], "/echo", &too_long);
    assert!(
        refused.contains("HTTP/1.1 413 ") && refused.ends_with("|Connection: close"),
        "{refused}"
    );
    let field = format!("X: {}", "x".repeat(20_000));
    assert!(status(&["--header", &field], "/", b"").starts_with("HTTP/1.1 431 "));
}

#[test]
fn wrk_finds_no_fault() {
    let host = serve();
    let url = format!("http://{}/", host.address());
    let finished = run(
        tool("wrk").args(["-t", "1", "-c", "20", "-d", "1s", "--latency", &url]),
        b"",
    );
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let report = finished.stdout;
    assert!(report.contains(" requests in "), "{report}");
    assert!(!report.contains(" 0 requests in "), "{report}");
    assert!(
        !report.contains("Socket errors") && !report.contains("Non-2xx"),
        "{report}"
    );
}

#[test]
fn requests_sent_ahead_are_answered_in_order() {
    let host = serve();
    let mut client = host.connect();
    let mut requests = "GET / HTTP/1.1\r\nHost: h\r\n\r\n".repeat(1000);
    requests += "HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    client.send(requests);
    client.expect(format!("{OK}{PAGE}").repeat(1000));
    client.expect(OK.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    client.expect_closed();
}

#[test]
fn cuts_change_nothing() {
    let host = serve();
    let stream = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n\
        POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 7\r\nExpect: 100-continue\r\n\r\nGET / \r\
        POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\n\n\r\n0\r\n\r\n\
        HEAD / HTTP/1.1\nHost: h\n\nGET / HTTP/1.1\r\n\r\n";
    let echo = |body: &str| {
        let length = body.len();
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {length}\r\n\r\n{body}"
        )
    };
    let expected = [
        OK,
        PAGE,
        "HTTP/1.1 100 Continue\r\n\r\n",
        &echo("GET / \r"),
        &echo("ab\n"),
        OK,
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 16\r\n\
         Connection: close\r\n\r\n400 Bad Request\n",
    ];
    assert_replies(&host, stream, &expected.concat(), whole);
}

#[test]
fn nonsense_is_refused_and_the_connection_closed() {
    let host = serve();
    for (nonsense, status) in [
        ("\x16\x03\x01\x02 not quite TLS\r\n\r\n", "400 Bad Request"),
        ("GET /\r\n\r\n", "400 Bad Request"),
        (
            "GET / HTTP/3.0\r\nHost: h\r\n\r\n",
            "505 HTTP Version Not Supported",
        ),
        (
            "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n",
            "501 Not Implemented",
        ),
        (
            "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "400 Bad Request",
        ),
    ] {
        let mut client = host.connect();
        client.send(nonsense);
        let reply = String::from_utf8(client.rest()).unwrap();
        assert!(
            reply.starts_with(&format!("HTTP/1.1 {status}\r\n")),
            "{reply}"
        );
        assert!(reply.contains("\r\nConnection: close\r\n"), "{reply}");
    }
}
