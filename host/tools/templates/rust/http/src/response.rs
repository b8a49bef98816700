//! Responses.

use crate::request::Request;

/// What is served: a status, a type and a body.
#[derive(Debug)]
pub struct Response {
    status: &'static str,
    content_type: &'static str,
    body: Vec<u8>,
}

impl Response {
    pub fn html(body: impl Into<Vec<u8>>) -> Self {
        Response::ok("text/html; charset=utf-8", body)
    }

    pub fn text(body: impl Into<Vec<u8>>) -> Self {
        Response::ok("text/plain; charset=utf-8", body)
    }

    pub fn bytes(body: impl Into<Vec<u8>>) -> Self {
        Response::ok("application/octet-stream", body)
    }

    /// A response whose body is its status.
    pub fn error(status: &'static str) -> Self {
        let text = Response::text(format!("{status}\n"));
        Response { status, ..text }
    }

    fn ok(content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Response {
            status: "200 OK",
            content_type,
            body: body.into(),
        }
    }

    /// The bytes of the response to this request. That to `HEAD` has no body.
    pub fn write(&self, request: &Request) -> Vec<u8> {
        self.bytes_of(request.method != "HEAD", request.closes)
    }

    /// The bytes of the last response of a connection.
    pub fn write_last(&self) -> Vec<u8> {
        self.bytes_of(true, true)
    }

    fn bytes_of(&self, has_body: bool, closes: bool) -> Vec<u8> {
        let head = format!(
            "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{}\r\n",
            self.status,
            self.content_type,
            self.body.len(),
            if closes { "Connection: close\r\n" } else { "" },
        );
        let mut bytes = head.into_bytes();
        if has_body {
            bytes.extend(&self.body);
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_tells_its_length() {
        let request = Request::default();
        let expected = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n\
                        Content-Length: 2\r\n\r\nhi";
        assert_eq!(Response::text("hi").write(&request), expected.as_bytes());
        let last = String::from_utf8(Response::error("400 Bad Request").write_last()).unwrap();
        assert!(
            last.contains("\r\nConnection: close\r\n\r\n400 Bad Request\n"),
            "{last}"
        );
    }
}
