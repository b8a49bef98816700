//! The peer of a connection and how it reached us.

use std::sync::Arc;

/// How bytes reach a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A TCP connection.
    Tcp,
    /// A TCP connection with TLS, which the host terminates.
    Tls,
    /// A Unix stream socket.
    Unix,
    /// UDP: a sender is a connection, a datagram is a message.
    Udp,
    /// No network: standard input and output, or a single message.
    Stdio,
}

/// The peer of a connection, and the listener that accepted it.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The transport.
    pub transport: Transport,
    /// The client's address, or empty.
    pub peer: String,
    /// The local address that the client reached.
    pub local: String,
    /// The listener's URI.
    pub listener: Arc<str>,
    /// The result of the TLS handshake, if there was one.
    pub tls: Option<TlsInfo>,
}

/// The result of a TLS handshake.
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
    /// A peer without an address, for messages of this process.
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
