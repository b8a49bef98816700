//! The resources: the part to change for a server of your own.

use crate::response::{Response, Status};

const HELLO: &str = "<!doctype html>\n<title>Hello</title>\n<h1>Hello, client!</h1>\n";

/// Methods that every server should recognize, though it need not allow all of them.
const KNOWN_METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
];

/// Answers a request. HEAD is answered like GET; the response writer omits the body.
pub fn answer(method: &str, path: &str, body: Vec<u8>) -> Response {
    if !KNOWN_METHODS.contains(&method) {
        return Response::plain(Status::NOT_IMPLEMENTED);
    }
    match (path, method) {
        ("/", "GET" | "HEAD") => Response {
            content_type: "text/html; charset=utf-8",
            body: HELLO.into(),
            ..Response::plain(Status::OK)
        },
        ("/", _) => not_allowed("GET, HEAD"),
        // A type without meaning, so that no browser runs a script that someone posted.
        ("/echo", "POST") => Response {
            content_type: "application/octet-stream",
            body,
            ..Response::plain(Status::OK)
        },
        ("/echo", _) => not_allowed("POST"),
        _ => Response::plain(Status::NOT_FOUND),
    }
}

fn not_allowed(allowed: &'static str) -> Response {
    Response {
        allow: Some(allowed),
        ..Response::plain(Status::METHOD_NOT_ALLOWED)
    }
}
