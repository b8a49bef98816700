//! Admission: what a client passes between accept and serving. Access lists, PROXY header, TLS.

mod access;
#[cfg(any(test, fuzzing))]
pub(crate) mod invariants;
mod proxy;

pub use access::{AccessList, InvalidNetwork, Network};
pub use proxy::ProxyError;

use crate::stream::Stream;
use crate::tls::TlsTerminator;
use access::holds;
use connection::address::Endpoint;
use connection::handle::{Peer, TlsInfo, Transport};
use connection::limits::DatagramLimits;
use proxy::{Proxied, Speaker, read_header};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

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
    /// The time limit for PROXY header and TLS together.
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
                if self.tls.is_none() && !self.is_proxy(client) {
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
        if self.is_proxy(client) {
            let speaker = read_header(&mut tcp).await?;
            if let Speaker::Client(proxied) = speaker {
                ends = proxied;
            }
            // A client without an address counts as the proxy's address, which is all we know.
            if speaker != Speaker::Proxy && !self.access.admits(ends.client) {
                return Err(NotAdmitted::Denied(ends.client.ip()));
            }
        }
        let Some(terminator) = &self.tls else {
            return Ok(self.admitted(Stream::Tcp(tcp), ends, None));
        };
        let accepted = terminator.accept(tcp).await;
        let (stream, established) = accepted.map_err(NotAdmitted::Tls)?;
        let stream = Stream::Tls(Box::new(stream.into()));
        Ok(self.admitted(stream, ends, Some(established)))
    }

    fn admitted(&self, stream: Stream, ends: Proxied, tls: Option<TlsInfo>) -> Admitted {
        let peer = Peer {
            transport: match tls {
                Some(_) => Transport::Tls,
                None if self.is_stdio() => Transport::Stdio,
                None => Transport::Tcp,
            },
            peer: ends.client.to_string(),
            local: ends.reached.to_string(),
            listener: self.listener.clone(),
            tls,
        };
        Admitted {
            stream,
            peer,
            client: Some(ends.client.ip()),
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
            transport,
            peer,
            local,
            listener: self.listener.clone(),
            tls: None,
        };
        Ok(Admitted {
            stream,
            peer,
            client: None,
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
