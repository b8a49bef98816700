//! Responses, and how they are written.

use std::fmt;

/// A status code and its reason.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Status(u16, &'static str);

impl Status {
    pub const OK: Status = Status(200, "OK");
    pub const BAD_REQUEST: Status = Status(400, "Bad Request");
    pub const NOT_FOUND: Status = Status(404, "Not Found");
    pub const METHOD_NOT_ALLOWED: Status = Status(405, "Method Not Allowed");
    pub const CONTENT_TOO_LARGE: Status = Status(413, "Content Too Large");
    pub const URI_TOO_LONG: Status = Status(414, "URI Too Long");
    pub const EXPECTATION_FAILED: Status = Status(417, "Expectation Failed");
    pub const FIELDS_TOO_LARGE: Status = Status(431, "Request Header Fields Too Large");
    pub const NOT_IMPLEMENTED: Status = Status(501, "Not Implemented");
    pub const VERSION_NOT_SUPPORTED: Status = Status(505, "HTTP Version Not Supported");
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, self.1)
    }
}

pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

#[derive(Debug)]
pub struct Response {
    pub status: Status,
    pub content_type: &'static str,
    /// The allowed methods, for 405.
    pub allow: Option<&'static str>,
    pub body: Vec<u8>,
}

/// The `Connection` field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Connection {
    /// No field: the connection stays open, which is the default.
    Usual,
    KeepAlive,
    Close,
}

impl Response {
    /// A response whose body is the reason of its status.
    pub fn plain(status: Status) -> Self {
        Response {
            status,
            content_type: "text/plain; charset=utf-8",
            allow: None,
            body: format!("{status}\n").into(),
        }
    }

    /// Writes the response. For HEAD, only the head, with the length of the body.
    pub fn write(&self, out: &mut Vec<u8>, connection: Connection, with_body: bool) {
        let connection = match connection {
            Connection::Usual => "",
            Connection::KeepAlive => "Connection: keep-alive\r\n",
            Connection::Close => "Connection: close\r\n",
        };
        let allow = match self.allow {
            Some(methods) => format!("Allow: {methods}\r\n"),
            None => String::new(),
        };
        let head = format!(
            "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{allow}{connection}\r\n",
            self.status,
            self.content_type,
            self.body.len(),
        );
        out.extend_from_slice(head.as_bytes());
        if with_body {
            out.extend_from_slice(&self.body);
        }
    }
}
