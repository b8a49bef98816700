//! Heads of requests (RFC 9112).

/// The head of a request.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    /// Without the query.
    pub path: String,
    /// What follows `?`, as it was sent.
    pub query: String,
    pub body_bytes: u64,
    /// Whether the client waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
    /// Whether the connection ends after the response.
    pub closes: bool,
}

const BAD: &str = "400 Bad Request";

impl Request {
    /// Reads a head, without the empty line at its end. The error is the status of the response.
    pub fn read(head: &[u8]) -> Result<Self, &'static str> {
        let head = str::from_utf8(head).map_err(|_| BAD)?;
        // Some clients send an empty line after a body (RFC 9112, section 2.2).
        let mut lines = head.trim_start_matches("\r\n").split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ');
        let (Some(method), Some(target), Some(version), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(BAD);
        };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if method.is_empty() || !path.starts_with('/') {
            return Err(BAD);
        }
        let mut request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            ..Request::default()
        };
        match version {
            "HTTP/1.1" => {}
            "HTTP/1.0" => request.closes = true,
            _ if version.starts_with("HTTP/") => return Err("505 HTTP Version Not Supported"),
            _ => return Err(BAD),
        }
        request.read_fields(lines)?;
        Ok(request)
    }

    fn read_fields<'a>(
        &mut self,
        lines: impl Iterator<Item = &'a str>,
    ) -> Result<(), &'static str> {
        let mut body_bytes = None;
        for line in lines {
            let (name, value) = line.split_once(':').ok_or(BAD)?;
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => {
                    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
                    let bytes = value.parse().ok().filter(|_| digits).ok_or(BAD)?;
                    // Two lengths are an attempt to hide a request from a proxy.
                    if body_bytes.replace(bytes).is_some() {
                        return Err(BAD);
                    }
                }
                "transfer-encoding" => return Err("501 Not Implemented"),
                "connection" if value.eq_ignore_ascii_case("close") => self.closes = true,
                "expect" if value.eq_ignore_ascii_case("100-continue") => {
                    self.expects_continue = true;
                }
                name if name.is_empty() || name.contains([' ', '\t']) => return Err(BAD),
                _ => {}
            }
        }
        self.body_bytes = body_bytes.unwrap_or_default();
        Ok(())
    }

    /// The value of a parameter in the query, with `+` and `%XX` decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let pairs = self
            .query
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        let mut values = pairs
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value);
        Some(decoded(values.next()?))
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = after.get(..2).filter(|_| byte == b'%').and_then(hex_byte);
        rest = if escaped.is_some() {
            &after[2..]
        } else {
            after
        };
        bytes.push(match escaped {
            Some(escaped) => escaped,
            None if byte == b'+' => b' ',
            None => byte,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let digits = str::from_utf8(digits).ok()?;
    u8::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read() {
        let head = b"POST /a?x=1 HTTP/1.1\r\nHost: h\r\ncontent-length: 12\r\nConnection: Close";
        let request = Request::read(head).unwrap();
        assert_eq!(
            (&*request.method, &*request.path, &*request.query),
            ("POST", "/a", "x=1")
        );
        assert_eq!((request.body_bytes, request.closes), (12, true));
        assert!(Request::read(b"\r\nGET / HTTP/1.0").unwrap().closes);
    }

    #[test]
    fn what_is_ambiguous_is_refused() {
        for head in [
            "",
            "GET /",
            "GET / HTTP/1.1 x",
            "GET a HTTP/1.1",
            "GET / FTP/1",
            "GET / HTTP/1.1\r\nHost",
            "GET / HTTP/1.1\r\nHost : h",
            "GET / HTTP/1.1\r\nContent-Length: +1",
            "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1",
        ] {
            assert_eq!(Request::read(head.as_bytes()), Err(BAD), "{head}");
        }
        let chunked = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked";
        assert_eq!(Request::read(chunked), Err("501 Not Implemented"));
    }

    #[test]
    fn parameters_are_decoded() {
        let request = Request::read(b"GET /?a=1&name=Zo%C3%AB+x&bad=%zz%4 HTTP/1.1").unwrap();
        assert_eq!(request.parameter("name").as_deref(), Some("Zoë x"));
        assert_eq!(request.parameter("bad").as_deref(), Some("%zz%4"));
        assert_eq!(request.parameter("b"), None);
    }
}
