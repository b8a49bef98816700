//! HTTP answers to requests that do not become a WebSocket. Each is the last of its connection.

use super::page;
use std::fmt::Write;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    status: Status,
    /// Further header lines, each ended by CR LF.
    headers: String,
    media_type: &'static str,
    body: String,
    /// What is logged. Nothing, if this is what the client wanted.
    pub why: Option<String>,
}

/// A status code and its reason phrase (RFC 9110, section 15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub u16, &'static str);

pub const BAD_REQUEST: Status = Status(400, "Bad Request");
pub const FORBIDDEN: Status = Status(403, "Forbidden");
pub const NOT_FOUND: Status = Status(404, "Not Found");
const METHOD_NOT_ALLOWED: Status = Status(405, "Method Not Allowed");
const UPGRADE_REQUIRED: Status = Status(426, "Upgrade Required");
pub const TOO_LARGE: Status = Status(431, "Request Header Fields Too Large");
pub const VERSION_NOT_SUPPORTED: Status = Status(505, "HTTP Version Not Supported");

const WHAT_THIS_IS: &str = "This is a WebSocket endpoint (RFC 6455), not a web page. Connect with a \
                            WebSocket client.\n";

impl Answer {
    /// A refusal. `said` tells the client and the log why; it has nothing of the request.
    pub fn refusal(status: Status, said: &str) -> Self {
        Answer {
            status,
            headers: String::new(),
            media_type: "text/plain; charset=utf-8",
            body: format!("{said}\n"),
            why: Some(format!("{} {}: {said}", status.0, status.1)),
        }
    }

    /// For methods other than GET.
    pub fn method_not_allowed() -> Self {
        Answer {
            headers: "Allow: GET, HEAD\r\n".to_owned(),
            ..Answer::refusal(METHOD_NOT_ALLOWED, "only GET and HEAD are allowed here")
        }
    }

    /// For requests that do not ask for a WebSocket.
    pub fn upgrade_required() -> Self {
        Answer {
            body: WHAT_THIS_IS.to_owned(),
            ..Answer::version_required("the request does not ask for a WebSocket")
        }
    }

    /// For requests that ask for a WebSocket of another version.
    pub fn version_required(said: &str) -> Self {
        Answer {
            headers: "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n".to_owned(),
            ..Answer::refusal(UPGRADE_REQUIRED, said)
        }
    }

    /// The page for browsers.
    pub fn page() -> Self {
        Answer {
            status: Status(200, "OK"),
            headers: page::HEADERS.clone(),
            media_type: "text/html; charset=utf-8",
            body: page::HTML.clone(),
            why: None,
        }
    }

    /// The whole response; without the body, if the request was HEAD.
    pub fn response(&self, is_head: bool) -> String {
        let Status(code, reason) = self.status;
        let mut text = format!("HTTP/1.1 {code} {reason}\r\n{}", self.headers);
        // Upgrade is an option of this connection (RFC 9110, section 7.8).
        let options = match self.status {
            UPGRADE_REQUIRED => "Upgrade, close",
            _ => "close",
        };
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "Content-Type: {}\r\nContent-Length: {}\r\nX-Content-Type-Options: nosniff\r\n\
             Cache-Control: no-store\r\nConnection: {options}\r\n\r\n",
            self.media_type,
            self.body.len()
        );
        if !is_head {
            text.push_str(&self.body);
        }
        text
    }
}
