//! Recognises a client that speaks HTTP, TLS or telnet to a handler that does not, and tells the
//! operator.

use crate::handle::{ConnectionHandle, Transport};
use crate::limits::FOREIGN_HINT_TIME_SECONDS;
use crate::rates::LogRateLimiter;

/// A protocol of clients that were pointed at the wrong listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    Http,
    Tls,
    Telnet,
}

/// How a request of HTTP/1 and HTTP/2 begins (RFC 9112, section 3; RFC 9113, section 3.4).
const METHODS: [&[u8]; 9] = [
    b"GET ",
    b"HEAD ",
    b"POST ",
    b"PUT ",
    b"DELETE ",
    b"OPTIONS ",
    b"PATCH ",
    b"CONNECT ",
    b"PRI * ",
];

type Hints = LogRateLimiter<1, FOREIGN_HINT_TIME_SECONDS>;
static HTTP_HINTS: Hints = LogRateLimiter::new();
static TLS_HINTS: Hints = LogRateLimiter::new();
static TELNET_HINTS: Hints = LogRateLimiter::new();

impl Foreign {
    /// What the first bytes of a client on a plain listener are, if that is plain.
    pub fn of(first: &[u8], handle: &ConnectionHandle) -> Option<Self> {
        if !matches!(handle.peer().transport, Transport::Tcp | Transport::Unix) {
            return None;
        }
        // A handshake record with a `ClientHello` (RFC 8446, sections 4 and 5.1).
        if let [22, 3, _, _, _, 1, ..] = first {
            return Some(Foreign::Tls);
        }
        if is_negotiation(first) {
            return Some(Foreign::Telnet);
        }
        let line = first.split(|byte| *byte == b'\n').next()?;
        let is_request = METHODS.iter().any(|method| line.starts_with(method))
            && line.windows(6).any(|part| part == b" HTTP/");
        is_request.then_some(Foreign::Http)
    }

    /// Whether a handler that replies this speaks the protocol itself.
    fn is_spoken_by(self, reply: &[u8]) -> bool {
        match self {
            Foreign::Http => reply.starts_with(b"HTTP/"),
            // An alert or a `ServerHello`; an echo of the `ClientHello` is neither.
            Foreign::Tls => matches!(reply, [21, 3, ..] | [22, 3, _, _, _, 2, ..]),
            Foreign::Telnet => is_negotiation(reply),
        }
    }

    /// Gives the operator a hint, unless the handler speaks the protocol or another client caused
    /// one within a minute. Without a reply, the connection has ended.
    pub fn tell(self, reply: &[u8], handle: &ConnectionHandle) {
        let hints = match self {
            Foreign::Http => &HTTP_HINTS,
            Foreign::Tls => &TLS_HINTS,
            Foreign::Telnet => &TELNET_HINTS,
        };
        if self.is_spoken_by(reply) || hints.admit().is_err() {
            return;
        }
        let _entered = handle.span().enter();
        let listener = &handle.peer().listener;
        match self {
            Foreign::Http => {
                tracing::info!(%listener, "looks like HTTP: for browsers serve http-hello")
            }
            Foreign::Tls => tracing::info!(%listener, "looks like TLS: listen on tls://"),
            Foreign::Telnet => tracing::info!(%listener, "looks like telnet: listen on telnet://"),
        }
    }
}

/// Whether bytes begin with what one side says of a telnet option (RFC 855).
fn is_negotiation(bytes: &[u8]) -> bool {
    matches!(bytes, [255, 251..=254, _, ..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handle::Peer;
    use tracing::Span;

    fn seen(first: &[u8], transport: Transport) -> Option<Foreign> {
        let peer = Peer {
            transport,
            ..Peer::unconnected()
        };
        Foreign::of(first, &ConnectionHandle::new(1, peer, 0, Span::none()))
    }

    #[test]
    fn only_what_is_plain_is_recognised() {
        let hello = b"\x16\x03\x01\x02\0\x01\0";
        for (first, foreign) in [
            (
                &b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..],
                Some(Foreign::Http),
            ),
            (b"POST /long/path HTTP/1.0", Some(Foreign::Http)),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Some(Foreign::Http)),
            (b"GET me a coffee\r\n HTTP/1.1", None),
            (b"get / HTTP/1.1\r\n", None),
            (b"RESPOND / HTTP/1.1\r\n", None),
            (hello, Some(Foreign::Tls)),
            (b"\x16\x03\x01\x02\0\x02\0", None),
            (b"\xff\xfb\x1f\xff\xfd\x01", Some(Foreign::Telnet)),
            (b"\xff\xff\x1f", None),
            (b"\x16\x03", None),
            (b"", None),
        ] {
            assert_eq!(
                seen(first, Transport::Tcp),
                foreign,
                "{}",
                first.escape_ascii()
            );
        }
        assert_eq!(seen(hello, Transport::Tls), None);
        assert_eq!(seen(hello, Transport::Unix), Some(Foreign::Tls));
    }

    #[test]
    fn a_handler_may_speak_it_itself() {
        assert!(Foreign::Http.is_spoken_by(b"HTTP/1.1 200 OK\r\n"));
        assert!(Foreign::Tls.is_spoken_by(b"\x15\x03\x03"));
        assert!(!Foreign::Http.is_spoken_by(b"GET / HTTP/1.1\r\n"));
        assert!(!Foreign::Tls.is_spoken_by(b"\x16\x03\x01\0\x04\x01\0"));
        assert!(!Foreign::Tls.is_spoken_by(b""));
    }
}
