//! The peer of a connection and how it reached us.

use super::TelnetInfo;
use std::sync::Arc;

/// How bytes reach a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A TCP connection.
    Tcp,
    /// A TCP connection with TLS, which the host terminates.
    Tls,
    /// A TCP connection with telnet, which the host takes off.
    Telnet,
    /// A Unix stream socket.
    Unix,
    /// UDP: a sender is a connection, a datagram is a message.
    Udp,
    /// WebSocket over TCP.
    Ws,
    /// WebSocket over TLS, which the host terminates.
    Wss,
    /// No network: standard input and output, or a single message.
    Stdio,
}

impl Transport {
    /// Whether what one callback sends is one message for the client, and not part of a stream.
    #[inline]
    pub fn keeps_messages(self) -> bool {
        matches!(self, Transport::Udp | Transport::Ws | Transport::Wss)
    }

    /// Its name in the contract, and in documents.
    pub fn name(self) -> &'static str {
        match self {
            Transport::Tcp => "tcp",
            Transport::Tls => "tls",
            Transport::Telnet => "telnet",
            Transport::Unix => "unix",
            Transport::Udp => "udp",
            Transport::Ws => "ws",
            Transport::Wss => "wss",
            Transport::Stdio => "stdio",
        }
    }
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
    /// The result of the TLS handshake, if there was one when it connected.
    pub tls: Option<TlsInfo>,
    /// What a telnet client says of itself. It arrives after the connection has begun, and changes.
    pub telnet: Option<Arc<TelnetInfo>>,
    /// Whether its listener can start TLS later (STARTTLS).
    pub offers_tls: bool,
    /// The request of the WebSocket, if it is one.
    pub websocket: Option<Box<WebSocketInfo>>,
}

/// The request that a WebSocket began with (RFC 6455, section 4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebSocketInfo {
    /// The path of the request as it was sent, percent encoding included.
    pub path: String,
    /// What follows the question mark, if there is one.
    pub query: Option<String>,
    /// The origin of the page that opened it. Programs other than browsers may send any, or none.
    pub origin: Option<String>,
    /// The subprotocol both sides agreed on.
    pub protocol: Option<String>,
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

impl TlsInfo {
    /// A detail, by its name in the contract (`connection.info`).
    pub fn get(&self, name: &str) -> Option<&str> {
        match name {
            "tls.server-name" => self.server_name.as_deref(),
            "tls.alpn" => self.alpn.as_deref(),
            "tls.client-subject" => self.client_subject.as_deref(),
            _ => None,
        }
    }
}

impl WebSocketInfo {
    /// A detail, by its name in the contract (`connection.info`).
    pub fn get(&self, name: &str) -> Option<&str> {
        match name {
            "websocket.path" => Some(&self.path),
            "websocket.query" => self.query.as_deref(),
            "websocket.origin" => self.origin.as_deref(),
            "websocket.protocol" => self.protocol.as_deref(),
            _ => None,
        }
    }
}

impl Peer {
    /// A peer without details: neither TLS nor telnet nor WebSocket.
    pub fn new(transport: Transport, peer: String, local: String, listener: Arc<str>) -> Self {
        Peer {
            transport,
            peer,
            local,
            listener,
            tls: None,
            telnet: None,
            offers_tls: false,
            websocket: None,
        }
    }

    /// A peer without an address, for messages of this process.
    pub fn unconnected() -> Self {
        let (peer, local) = (String::new(), String::new());
        Peer::new(Transport::Stdio, peer, local, "stdio:".into())
    }
}
