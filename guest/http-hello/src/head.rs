//! Parses the head of a request: the request line and the fields (RFC 9112, sections 3 and 5).
//!
//! It is strict: a server that guesses differently from a proxy in front of it allows request
//! smuggling.

use crate::response::Status;

#[derive(Debug, PartialEq)]
pub struct Head {
    pub method: String,
    /// The path alone, without the query.
    pub path: String,
    /// The minor version of HTTP/1: 0 or 1.
    pub minor: u8,
    pub body: Body,
    /// Whether the client wants to send more requests.
    pub keep_alive: bool,
    /// Whether the client waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
}

/// How the length of the body is given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Body {
    Length(usize),
    Chunked,
}

/// Why a request is rejected. The rest of the stream cannot be parsed either.
type Result<T> = std::result::Result<T, Status>;

impl Head {
    /// Parses a complete head, with or without the empty line at its end.
    pub fn read(head: &[u8]) -> Result<Self> {
        let mut lines = head
            .split(|&byte| byte == b'\n')
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
            .filter(|line| !line.is_empty());
        let (method, path, minor) = request_line(lines.next().unwrap_or_default())?;
        let mut fields = Fields::default();
        for line in lines {
            fields.add(line)?;
        }
        // HTTP/1.0 knows neither chunks nor expectations.
        let body = fields.body(minor > 0)?;
        if fields.hosts > 1 || (fields.hosts == 0 && minor > 0) {
            return Err(Status::BAD_REQUEST);
        }
        let expects_continue = match &fields.expect {
            Some(expected) if minor > 0 => {
                if !expected.eq_ignore_ascii_case("100-continue") {
                    return Err(Status::EXPECTATION_FAILED);
                }
                body != Body::Length(0)
            }
            _ => false,
        };
        let wants = |option| fields.connection.iter().any(|one| one == option);
        Ok(Head {
            method,
            path,
            minor,
            body,
            keep_alive: !wants("close") && (minor > 0 || wants("keep-alive")),
            expects_continue,
        })
    }
}

fn request_line(line: &[u8]) -> Result<(String, String, u8)> {
    let line = text(line)?;
    let parts: Vec<_> = line.split(' ').collect();
    let [method, target, version] = parts[..] else {
        return Err(Status::BAD_REQUEST);
    };
    if !is_token(method) {
        return Err(Status::BAD_REQUEST);
    }
    let minor = match version.strip_prefix("HTTP/").map(str::as_bytes) {
        Some([b'1', b'.', b'0']) => 0,
        // Later minor versions get HTTP/1.1 responses.
        Some([b'1', b'.', b'1'..=b'9']) => 1,
        Some([b'0'..=b'9', b'.', b'0'..=b'9']) => return Err(Status::VERSION_NOT_SUPPORTED),
        _ => return Err(Status::BAD_REQUEST),
    };
    let path = path(target).ok_or(Status::BAD_REQUEST)?;
    Ok((method.to_owned(), path.to_owned(), minor))
}

/// The path of a target in any of its forms: a path, a full URL as sent to proxies, or `*`.
fn path(target: &str) -> Option<&str> {
    let target = target.split('?').next()?;
    if target.starts_with('/') || target == "*" {
        return Some(target);
    }
    let (scheme, rest) = target.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") {
        return None;
    }
    Some(rest.find('/').map_or("/", |slash| &rest[slash..]))
}

/// The fields that matter here.
#[derive(Default)]
struct Fields {
    hosts: usize,
    lengths: Vec<usize>,
    codings: Vec<String>,
    /// In lower case.
    connection: Vec<String>,
    expect: Option<String>,
}

impl Fields {
    fn add(&mut self, line: &[u8]) -> Result<()> {
        let line = text(line)?;
        // A blank before the colon, or a folded line, is no token either.
        let (name, value) = line.split_once(':').ok_or(Status::BAD_REQUEST)?;
        if !is_token(name) {
            return Err(Status::BAD_REQUEST);
        }
        let value = value.trim();
        let items = value
            .split(',')
            .map(|item| item.trim().to_ascii_lowercase());
        match name.to_ascii_lowercase().as_str() {
            "host" => self.hosts += 1,
            "connection" => self.connection.extend(items),
            "transfer-encoding" => self.codings.extend(items),
            "expect" => self.expect = Some(value.to_owned()),
            "content-length" => self.lengths.push(length(value)?),
            _ => {}
        }
        Ok(())
    }

    fn body(&self, may_be_chunked: bool) -> Result<Body> {
        match (&self.lengths[..], &self.codings[..]) {
            ([], []) => Ok(Body::Length(0)),
            ([length], []) => Ok(Body::Length(*length)),
            ([], [coding]) if may_be_chunked && coding == "chunked" => Ok(Body::Chunked),
            ([], _) if may_be_chunked => Err(Status::NOT_IMPLEMENTED),
            _ => Err(Status::BAD_REQUEST),
        }
    }
}

fn length(value: &str) -> Result<usize> {
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Status::BAD_REQUEST);
    }
    // A number that does not fit is too large.
    Ok(value.parse().unwrap_or(usize::MAX))
}

/// A line as text. Control characters are rejected: others may treat a lone CR as a line ending.
fn text(line: &[u8]) -> Result<String> {
    let is_control = |byte: &u8| byte.is_ascii_control() && *byte != b'\t';
    if line.iter().any(is_control) {
        return Err(Status::BAD_REQUEST);
    }
    Ok(String::from_utf8_lossy(line).into_owned())
}

fn is_token(text: &str) -> bool {
    let is_token_byte =
        |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_token_byte)
}

#[cfg(test)]
mod tests;
