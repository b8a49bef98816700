//! Admission: what a client passes between accept and serving. Access lists, PROXY header, TLS,
//! the request of a WebSocket.

mod access;
#[cfg(any(test, fuzzing))]
pub(crate) mod invariants;
mod proxy;
mod websocket;

pub use access::{AccessList, InvalidNetwork, Network};
pub use proxy::ProxyError;
pub use websocket::{
    InvalidOrigin, InvalidSubprotocol, Origin, Subprotocol, WebSocketRules, accept_key,
};

use crate::stream::Stream;
use crate::telnet::{Codec, Interrupt, TelnetStream};
use crate::tls::TlsTerminator;
use access::holds;
use address::Endpoint;
use connection::handle::{Peer, TelnetInfo, TlsInfo, Transport};
use connection::limits::DatagramLimits;
use connection::task::WebSocketStart;
use proxy::{Proxied, Speaker, Start, may_be_header, read_start};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use websocket::Before;

/// The admission rules of a listener.
pub struct Admission {
    /// The listener's URI.
    pub listener: Arc<str>,
    /// Allowed and denied networks.
    pub access: AccessList,
    /// Networks of trusted proxies, whose connections start with a PROXY header.
    pub proxies: Vec<Network>,
    /// The TLS terminator, if any.
    pub tls: Option<Arc<TlsTerminator>>,
    /// Whether connections begin in clear, and sessions may start TLS.
    pub starts_in_clear: bool,
    /// What an interrupt does, if its clients speak telnet.
    pub telnet: Option<Interrupt>,
    /// The rules for WebSocket requests, if it is a WebSocket listener.
    pub websocket: Option<WebSocketRules>,
    /// The time limit for PROXY header, TLS and WebSocket request together.
    pub limit: Duration,
    /// The limits of UDP senders.
    pub datagrams: DatagramLimits,
}

/// An admitted client.
#[derive(Debug)]
pub struct Admitted {
    /// Its stream.
    pub stream: Stream,
    /// Its peer information.
    pub peer: Peer,
    /// Its address, if it has one.
    pub client: Option<IpAddr>,
    /// Whether it is a proxy that checks the host's health (PROXY `LOCAL`).
    pub is_check: bool,
    /// What the handshake of a WebSocket has left, if it is one.
    pub websocket: Option<Box<WebSocketStart>>,
}

/// Why a client is not served.
#[derive(Debug, thiserror::Error)]
pub enum NotAdmitted {
    /// Its address is not allowed.
    #[error("address {0} is not allowed (--allow, --deny)")]
    Denied(IpAddr),
    /// Bad PROXY header.
    #[error("bad PROXY header: {0}")]
    Proxy(#[from] ProxyError),
    /// The TLS handshake failed.
    #[error("TLS handshake failed: {0}")]
    Tls(io::Error),
    /// It sent a request that was answered, but is no WebSocket.
    #[error("HTTP {0}")]
    Answered(String),
    /// It is a browser that got the page.
    #[error("it got the page")]
    Page,
    /// It took too long.
    #[error("handshake took longer than {0:?} (--handshake-timeout)")]
    TooSlow(Duration),
    /// The network failed.
    #[error("connection lost: {0}")]
    Io(#[from] io::Error),
}

impl Admission {
    /// Whether a client with this address is refused on accept.
    pub fn turns_away(&self, client: SocketAddr) -> bool {
        !self.is_proxy(client) && !self.access.admits(client)
    }

    /// Admits a client. `client` is its address, if it has one.
    pub async fn admit(
        &self,
        stream: Stream,
        client: Option<SocketAddr>,
    ) -> Result<Admitted, NotAdmitted> {
        stream.send_at_once();
        match (stream, client) {
            (Stream::Tcp(tcp), Some(client)) => {
                let shakes_hands = self.first_tls().is_some() || self.websocket.is_some();
                if !shakes_hands && !self.is_proxy(client) {
                    let reached = tcp.local_addr()?;
                    return Ok(self.admitted(Stream::Tcp(tcp), Proxied { client, reached }, None));
                }
                // Boxed: a task is as large as its largest step, and most clients need none of
                // this.
                let shaking_hands = Box::pin(timeout(self.limit, self.shake_hands(tcp, client)));
                shaking_hands
                    .await
                    .unwrap_or(Err(NotAdmitted::TooSlow(self.limit)))
            }
            (stream, _) => self.local(stream),
        }
    }

    async fn shake_hands(
        &self,
        mut tcp: tokio::net::TcpStream,
        client: SocketAddr,
    ) -> Result<Admitted, NotAdmitted> {
        let mut ends = Proxied {
            client,
            reached: tcp.local_addr()?,
        };
        let is_local = ends.reached.ip().to_canonical().is_loopback() && !self.is_proxy(client);
        let (mut is_check, mut read) = (false, Vec::new());
        let mut is_forwarded = self.is_proxy(client);
        if is_forwarded {
            match self.start(&mut tcp).await? {
                Start::Header(speaker) => {
                    is_forwarded = false;
                    if let Speaker::Client(proxied) = speaker {
                        ends = proxied;
                    }
                    is_check = speaker == Speaker::Proxy;
                }
                Start::Other(bytes) => read = bytes,
            }
            // A client without an address counts as the proxy's address, which is all we know.
            if !is_check && !is_forwarded && !self.access.admits(ends.client) {
                return Err(NotAdmitted::Denied(ends.client.ip()));
            }
        }
        let (mut stream, tls) = match self.first_tls() {
            None => (Stream::Tcp(tcp), None),
            Some(terminator) => {
                let accepted = terminator.accept(tcp).await;
                let (stream, established) = accepted.map_err(NotAdmitted::Tls)?;
                (Stream::Tls(Box::new(stream.into())), Some(established))
            }
        };
        let Some(rules) = &self.websocket else {
            return Ok(Admitted {
                is_check,
                ..self.admitted(stream, ends, tls)
            });
        };
        let before = Before {
            rules,
            access: &self.access,
            client,
            proxies: if is_forwarded { &self.proxies } else { &[] },
            is_local,
            read,
        };
        let shaken = websocket::shake_hands(&mut stream, before).await?;
        if let Some(client) = shaken.client {
            ends.client = SocketAddr::new(client, 0);
        }
        let mut admitted = self.admitted(stream, ends, tls);
        let transport = &mut admitted.peer.transport;
        *transport = match transport {
            Transport::Tls => Transport::Wss,
            _ => Transport::Ws,
        };
        admitted.peer.websocket = Some(Box::new(shaken.info));
        admitted.websocket = Some(Box::new(shaken.start));
        Ok(admitted)
    }

    /// How the connection of a proxy starts. Proxies of HTTP send no PROXY header, so a WebSocket
    /// listener does without.
    async fn start(&self, tcp: &mut tokio::net::TcpStream) -> Result<Start, NotAdmitted> {
        let may_lack_header = self.websocket.is_some();
        if may_lack_header {
            let mut first = [0];
            let seen = tcp.peek(&mut first).await?;
            if seen > 0 && !may_be_header(first[0]) {
                return Ok(Start::Other(Vec::new()));
            }
        }
        match read_start(tcp).await? {
            // What TLS reads is in the socket.
            Start::Other(_) if !may_lack_header || self.tls.is_some() => {
                Err(ProxyError::Missing.into())
            }
            start => Ok(start),
        }
    }

    /// What terminates the TLS that connections begin with, if they do.
    fn first_tls(&self) -> Option<&TlsTerminator> {
        self.tls.as_deref().filter(|_| !self.starts_in_clear)
    }

    /// What starts TLS for sessions, and how long that may take, if sessions may.
    pub fn later_tls(&self) -> Option<(&TlsTerminator, Duration)> {
        let tls = self.tls.as_deref().filter(|_| self.starts_in_clear);
        tls.map(|terminator| (terminator, self.limit))
    }

    fn admitted(&self, stream: Stream, ends: Proxied, tls: Option<TlsInfo>) -> Admitted {
        let (stream, telnet) = match (stream, self.telnet) {
            (Stream::Tcp(tcp), Some(interrupt)) => {
                let info = Arc::<TelnetInfo>::default();
                let codec = Codec::server(interrupt, info.clone());
                let telnet = TelnetStream::new(tcp, codec);
                (Stream::Telnet(Box::new(telnet)), Some(info))
            }
            (stream, _) => (stream, None),
        };
        let transport = match (&stream, &tls) {
            (Stream::Telnet(_), _) => Transport::Telnet,
            (_, Some(_)) => Transport::Tls,
            (_, None) if self.is_stdio() => Transport::Stdio,
            (_, None) => Transport::Tcp,
        };
        let (peer, local) = (ends.client.to_string(), ends.reached.to_string());
        let peer = Peer {
            tls,
            telnet,
            offers_tls: self.later_tls().is_some(),
            ..Peer::new(transport, peer, local, self.listener.clone())
        };
        Admitted {
            stream,
            peer,
            client: Some(ends.client.ip()),
            is_check: false,
            websocket: None,
        }
    }

    /// Admits a client of this machine.
    fn local(&self, stream: Stream) -> Result<Admitted, NotAdmitted> {
        let (transport, peer, local) = match &stream {
            Stream::Unix(unix) if self.is_stdio() => {
                (Transport::Stdio, credentials(unix)?, String::new())
            }
            Stream::Unix(unix) => {
                let path = self.listener.trim_start_matches("unix:").to_owned();
                (Transport::Unix, credentials(unix)?, path)
            }
            _ => (Transport::Stdio, String::new(), String::new()),
        };
        let peer = Peer {
            offers_tls: self.later_tls().is_some(),
            ..Peer::new(transport, peer, local, self.listener.clone())
        };
        Ok(Admitted {
            stream,
            peer,
            client: None,
            is_check: false,
            websocket: None,
        })
    }

    /// Whether the client is on standard input and output, which may be a socket, as under inetd.
    fn is_stdio(&self) -> bool {
        *self.listener == *Endpoint::Stdio.to_string()
    }

    /// Whether this address is a trusted proxy.
    pub fn is_proxy(&self, client: SocketAddr) -> bool {
        holds(&self.proxies, client)
    }
}

/// The peer's credentials on a Unix socket, from the kernel.
fn credentials(stream: &tokio::net::UnixStream) -> io::Result<String> {
    let who = stream.peer_cred()?;
    let (uid, gid) = (who.uid(), who.gid());
    Ok(match who.pid() {
        Some(pid) => format!("uid={uid} gid={gid} pid={pid}"),
        None => format!("uid={uid} gid={gid}"),
    })
}
