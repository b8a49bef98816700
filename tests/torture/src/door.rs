//! How a client reaches the host: one way for each kind of listener.

use socket2::SockRef;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream, UdpSocket, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

/// A client's side of a connection, whatever carries it.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// The addresses of one service.
#[derive(Clone)]
pub enum Door {
    Tcp(SocketAddr),
    Tls(SocketAddr, TlsConnector),
    Unix(PathBuf),
}

impl Door {
    /// Connects from an address of this machine; Unix sockets ignore it.
    pub async fn enter(&self, from: Ipv4Addr) -> io::Result<Box<dyn Stream>> {
        Ok(match self {
            Door::Tcp(address) => Box::new(tcp(*address, from).await?),
            Door::Tls(address, connector) => {
                let name = ServerName::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST).into());
                let stream = tcp(*address, from).await?;
                Box::new(connector.connect(name, stream).await?)
            }
            Door::Unix(path) => Box::new(UnixStream::connect(path).await?),
        })
    }

    /// Its address, if it is a network address.
    pub fn address(&self) -> Option<SocketAddr> {
        match self {
            Door::Tcp(address) | Door::Tls(address, _) => Some(*address),
            Door::Unix(_) => None,
        }
    }
}

/// Connects over TCP from an address of this machine.
pub async fn tcp(to: SocketAddr, from: Ipv4Addr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    let stream = socket.connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A UDP socket on a port of its own, for this peer only.
pub async fn udp(to: SocketAddr, from: Ipv4Addr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((from, 0)).await?;
    socket.connect(to).await?;
    Ok(socket)
}

/// Closes with a reset rather than a FIN.
pub fn vanish(stream: TcpStream) {
    // A transport that cannot reset closes with a FIN.
    let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
}

/// Trusts only this certificate.
pub fn connector(certificate: CertificateDer<'static>) -> Result<TlsConnector, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate)?;
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
