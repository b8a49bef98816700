//! What a client goes through between being accepted and being served: may it be here, whom does a proxy
//! speak for, and is there TLS to take off.

mod access;
#[cfg(any(test, fuzzing))]
pub(crate) mod invariants;
mod proxy;

pub use access::{AccessList, InvalidNetwork, Network};
pub use proxy::ProxyError;

use crate::stream::Stream;
use crate::tls::Terminator;
use access::holds;
use connection::address::Endpoint;
use connection::limits::DatagramLimits;
use connection::outbox::{Peer, TlsInfo, Transport};
use proxy::{Proxied, Speaker, read_header};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// What is asked of the clients of one listener.
pub struct Admission {
    /// The listener's URI.
    pub listener: Arc<str>,
    /// Who may be served.
    pub access: AccessList,
    /// Connections from these networks are proxies', and begin with a PROXY header. Nobody else is believed.
    pub proxies: Vec<Network>,
    /// Takes TLS off, if there is any.
    pub tls: Option<Arc<Terminator>>,
    /// How long a client may take for all of it.
    pub limit: Duration,
    /// What senders of datagrams may use.
    pub datagrams: DatagramLimits,
}

/// A client that may be served.
#[derive(Debug)]
pub struct Admitted {
    /// Its bytes.
    pub stream: Stream,
    /// Who it is.
    pub peer: Peer,
    /// Its address, if there is a network between.
    pub client: Option<IpAddr>,
}

/// Why a client is not served.
#[derive(Debug, thiserror::Error)]
pub enum NotAdmitted {
    /// Its network is not allowed, or denied.
    #[error("{0} may not be served (--allow, --deny)")]
    Denied(IpAddr),
    /// A proxy did not say whom it speaks for.
    #[error("the proxy is not understood: {0}")]
    Proxy(#[from] ProxyError),
    /// TLS could not be agreed on.
    #[error("the TLS handshake failed: {0}")]
    Tls(io::Error),
    /// It took too long.
    #[error("it took longer than {0:?} to shake hands (--handshake-timeout)")]
    TooSlow(Duration),
    /// The network failed.
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
}

impl Admission {
    /// Whether a client with this address need not even be listened to.
    pub fn turns_away(&self, client: SocketAddr) -> bool {
        !self.is_proxy(client) && !self.access.admits(client)
    }

    /// Lets a client in. `client` is its address, if it has one.
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
                // A task is as large as all that it may have to do. Most need none of this.
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
            // A client without an address is judged by the proxy's own, which is all that is known of it.
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

    /// Lets in one that comes from this machine.
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

    /// Whether clients come by standard input and output, which may be sockets, as under inetd.
    fn is_stdio(&self) -> bool {
        *self.listener == *Endpoint::Stdio.to_string()
    }

    /// Whether it is a proxy that has this address, which speaks for others.
    pub fn is_proxy(&self, client: SocketAddr) -> bool {
        holds(&self.proxies, client)
    }
}

/// Who is on the other side of a Unix socket: the kernel knows.
fn credentials(stream: &tokio::net::UnixStream) -> io::Result<String> {
    let who = stream.peer_cred()?;
    let (uid, gid) = (who.uid(), who.gid());
    Ok(match who.pid() {
        Some(pid) => format!("uid={uid} gid={gid} pid={pid}"),
        None => format!("uid={uid} gid={gid}"),
    })
}
