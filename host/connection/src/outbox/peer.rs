//! Who is on the other side.

use std::sync::Arc;

/// How bytes reach a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A TCP connection.
    Tcp,
    /// A TCP connection whose TLS the host takes off.
    Tls,
    /// A Unix stream socket.
    Unix,
    /// UDP: a sender is a connection, a datagram is a message.
    Udp,
    /// No network at all: standard input and output, or one message given by hand.
    Stdio,
}

/// Who is on the other side of a connection, and through which door they came.
#[derive(Clone, Debug)]
pub struct Peer {
    /// How the bytes travel.
    pub transport: Transport,
    /// The client's address, or nothing where it has none.
    pub peer: String,
    /// The address it reached.
    pub local: String,
    /// The listener's URI.
    pub listener: Arc<str>,
    /// What the TLS handshake established, if there was one.
    pub tls: Option<TlsInfo>,
}

/// What a TLS handshake established.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsInfo {
    /// The server name that the client asked for (SNI, RFC 6066), in lower case.
    pub server_name: Option<String>,
    /// The application protocol both sides agreed on (ALPN, RFC 7301).
    pub alpn: Option<String>,
    /// The subject of the client's verified certificate (RFC 4514).
    pub client_subject: Option<String>,
}

impl Peer {
    /// Nobody that has an address: what is said comes from this process.
    pub fn unconnected() -> Self {
        Peer {
            transport: Transport::Stdio,
            peer: String::new(),
            local: String::new(),
            listener: "stdio:".into(),
            tls: None,
        }
    }
}
