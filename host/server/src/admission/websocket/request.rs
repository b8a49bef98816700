//! The request that a WebSocket begins with (RFC 6455, section 4.2). Pure.

use super::WebSocketRules;
use super::answer::{Answer, BAD_REQUEST, FORBIDDEN, NOT_FOUND, TOO_LARGE, VERSION_NOT_SUPPORTED};
use crate::admission::access::{Network, holds};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use connection::handle::WebSocketInfo;
use connection::limits::MAX_UPGRADE_HEADERS;
use httparse::{EMPTY_HEADER, Error, Header, Request as Head, Status};
use std::net::{IpAddr, SocketAddr};

/// What the key of a client is followed by (RFC 6455, section 1.3).
const KEY_SUFFIX: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const KEY_BYTES: usize = 16;

/// How a request reached us.
#[derive(Clone, Copy)]
pub struct Arrival<'a> {
    pub rules: &'a WebSocketRules,
    /// Networks of HTTP proxies, if the request came from one of them.
    pub proxies: &'a [Network],
    /// Whether it came to an address that only this machine can reach, not by way of a proxy.
    pub is_local: bool,
}

/// The result of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The client that a proxy names.
    pub client: Option<IpAddr>,
    pub is_head: bool,
    /// The WebSocket, and the response that begins it.
    pub outcome: Result<(WebSocketInfo, String), Answer>,
}

/// A request without a body.
struct Request<'a> {
    method: &'a str,
    target: &'a str,
    minor_version: u8,
    headers: &'a [Header<'a>],
}

/// Judges the request at the start of `input`, and returns its length; `None` if it is incomplete.
pub fn judge(input: &[u8], arrival: Arrival<'_>) -> Option<(Judged, usize)> {
    let mut headers = [EMPTY_HEADER; MAX_UPGRADE_HEADERS];
    let mut head = Head::new(&mut headers);
    let parsed = head.parse(input);
    let refused = |answer| Judged {
        client: None,
        is_head: false,
        outcome: Err(answer),
    };
    let length = match parsed {
        Ok(Status::Partial) => return None,
        Ok(Status::Complete(length)) => length,
        Err(error) => return Some((refused(unreadable(error)), input.len())),
    };
    let request = Request {
        method: head.method.unwrap_or_default(),
        target: head.path.unwrap_or_default(),
        minor_version: head.version.unwrap_or_default(),
        headers: head.headers,
    };
    let judged = match request.client(arrival.proxies) {
        Ok(client) => Judged {
            client,
            is_head: request.method == "HEAD",
            outcome: request.answer(arrival),
        },
        Err(answer) => refused(answer),
    };
    Some((judged, length))
}

/// For a request that is none.
fn unreadable(error: Error) -> Answer {
    match error {
        Error::TooManyHeaders => Answer::refusal(TOO_LARGE, "the request has too many headers"),
        Error::Version => Answer::refusal(VERSION_NOT_SUPPORTED, "expected HTTP/1.1"),
        _ => Answer::refusal(BAD_REQUEST, "this is not a request of HTTP/1.1"),
    }
}

fn bad(said: &str) -> Answer {
    Answer::refusal(BAD_REQUEST, said)
}

impl<'a> Request<'a> {
    fn values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> + Clone {
        let headers = self.headers.iter();
        headers.filter_map(move |it| it.name.eq_ignore_ascii_case(name).then_some(it.value))
    }

    /// The value of a header that may be there once.
    fn value(&self, name: &str) -> Result<Option<&'a str>, Answer> {
        let mut values = self.values(name);
        let Some(value) = values.next() else {
            return Ok(None);
        };
        match (str::from_utf8(value), values.next()) {
            (Ok(value), None) => Ok(Some(value)),
            _ => Err(bad(&format!("{name} is there twice, or is not text"))),
        }
    }

    /// The elements of a header that is a list. What is not UTF-8 is an element, too: a client must
    /// not hide what a proxy appends to its own.
    fn list(&self, name: &str) -> impl Iterator<Item = &'a str> + Clone {
        let values = self.values(name);
        let elements = values.flat_map(|value| value.split(|byte| *byte == b','));
        let elements = elements.map(|it| str::from_utf8(it.trim_ascii()).unwrap_or("\u{fffd}"));
        elements.filter(|element| !element.is_empty())
    }

    fn lists(&self, name: &str, wanted: &str) -> bool {
        self.list(name).any(|it| it.eq_ignore_ascii_case(wanted))
    }

    /// The client, if the request came from proxies: what the first of them that we do not know
    /// claims to be. Each proxy appends the address that it was reached from.
    fn client(&self, proxies: &[Network]) -> Result<Option<IpAddr>, Answer> {
        let mut client = None;
        if proxies.is_empty() {
            return Ok(None);
        }
        let hops: Vec<_> = self.list("X-Forwarded-For").collect();
        for hop in hops.iter().rev() {
            let address = address(hop).ok_or_else(|| bad("X-Forwarded-For has no address"))?;
            let address = address.to_canonical();
            client = Some(address);
            if !holds(proxies, SocketAddr::new(address, 0)) {
                break;
            }
        }
        Ok(client)
    }

    fn answer(&self, arrival: Arrival<'_>) -> Result<(WebSocketInfo, String), Answer> {
        let rules = arrival.rules;
        let host = match self.value("Host")? {
            Some(host) => host,
            None if self.minor_version == 0 => "",
            None => return Err(bad("Host is missing")),
        };
        let (path, query) = self.target()?;
        if rules.path.as_ref().is_some_and(|it| *it != path) {
            return Err(Answer::refusal(
                NOT_FOUND,
                "there is no WebSocket at this path",
            ));
        }
        if !matches!(self.method, "GET" | "HEAD") {
            return Err(Answer::method_not_allowed());
        }
        let asks = self.lists("Upgrade", "websocket");
        // HTTP/1.0 has no upgrades (RFC 9110, section 7.8).
        if !asks || self.method == "HEAD" || self.minor_version == 0 {
            return Err(match self.values("Sec-WebSocket-Key").next() {
                Some(_) if !asks => bad("Upgrade is missing: a proxy may have removed it"),
                _ if rules.has_page => Answer::page(),
                _ => Answer::upgrade_required(),
            });
        }
        let accept = self.accept()?;
        let origin = self.value("Origin")?;
        if origin.is_some_and(|origin| !rules.admit(origin, host, arrival.is_local)) {
            let said = "pages of this origin may not connect (--ws-origin)";
            return Err(Answer::refusal(FORBIDDEN, said));
        }
        let protocol = rules.agree(self.list("Sec-WebSocket-Protocol"));
        let agreed = protocol.as_ref();
        let agreed = agreed.map(|it| format!("Sec-WebSocket-Protocol: {it}\r\n"));
        let response = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n{}\r\n",
            agreed.unwrap_or_default()
        );
        let info = WebSocketInfo {
            path: path.to_owned(),
            query: query.map(str::to_owned),
            origin: origin.map(str::to_owned),
            protocol,
        };
        Ok((info, response))
    }

    /// Path and query (RFC 9112, sections 3.2.1 and 3.2.2).
    fn target(&self) -> Result<(&'a str, Option<&'a str>), Answer> {
        let absolute = self.target.split_once("://").filter(|(scheme, _)| {
            let schemes = ["http", "https", "ws", "wss"];
            schemes.iter().any(|it| it.eq_ignore_ascii_case(scheme))
        });
        let origin_form = match absolute {
            Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
            None => self.target,
        };
        if !origin_form.starts_with('/') || origin_form.contains('#') {
            return Err(bad("the target of the request is not a path"));
        }
        Ok(match origin_form.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (origin_form, None),
        })
    }

    /// The answer to the client's key, if its handshake is right.
    fn accept(&self) -> Result<String, Answer> {
        if !self.lists("Connection", "upgrade") {
            return Err(bad(
                "Connection does not name Upgrade: a proxy may have removed it",
            ));
        }
        match self.value("Sec-WebSocket-Version")? {
            Some("13") => {}
            Some(_) => {
                let said = "this version of WebSocket is not supported: expected 13";
                return Err(Answer::version_required(said));
            }
            None => return Err(bad("Sec-WebSocket-Version is missing")),
        }
        let has_body = self.value("Content-Length")?.is_some_and(|it| it != "0");
        if has_body || self.values("Transfer-Encoding").next().is_some() {
            return Err(bad("a WebSocket request has no body"));
        }
        let key = self.value("Sec-WebSocket-Key")?;
        let key = key.filter(|it| BASE64.decode(it).is_ok_and(|key| key.len() == KEY_BYTES));
        let Some(key) = key else {
            return Err(bad("Sec-WebSocket-Key is not 16 bytes in Base64"));
        };
        Ok(accept_key(key))
    }
}

/// The server's answer to the key of a client.
pub fn accept_key(key: &str) -> String {
    let keyed = format!("{key}{KEY_SUFFIX}");
    BASE64.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, keyed.as_bytes()))
}

/// An address as proxies write it: some with a port, and IPv6 in brackets or not.
fn address(hop: &str) -> Option<IpAddr> {
    let with_port = || hop.parse().ok().map(|it: SocketAddr| it.ip());
    let bracketed = || hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    hop.parse().ok().or_else(with_port).or_else(bracketed)
}

#[cfg(test)]
mod tests;
