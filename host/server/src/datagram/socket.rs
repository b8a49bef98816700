//! A bound UDP socket.

use super::batch::{self, Batch};
use super::local;
use super::route::Route;
use bytes::Bytes;
use connection::limits::{ACCEPT_BACK_OFF, DATAGRAM_RECEIVE_BUFFER_BYTES, Limit};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::OnceLock;
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// A bound UDP socket. It is bound before there is a runtime.
#[derive(Debug)]
pub struct DatagramSocket {
    socket: Socket,
    /// A duplicate that the runtime knows which receives.
    registered: OnceLock<UdpSocket>,
    local: SocketAddr,
}

impl DatagramSocket {
    /// Binds an address. An IPv6 socket serves IPv6 only, as TCP listeners do.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::DGRAM,
            Some(Protocol::UDP),
        )?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        // The kernel drops datagrams while the buffer is full. It may grant less, which is fine.
        let _ = socket.set_recv_buffer_size(DATAGRAM_RECEIVE_BUFFER_BYTES);
        socket.bind(&address.into())?;
        DatagramSocket::adopt(socket)
    }

    /// Uses a socket that is already bound. Other processes may receive from it too.
    pub fn adopt(socket: Socket) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let local = socket.local_addr()?.as_socket();
        let local = local.ok_or(io::ErrorKind::Unsupported)?;
        if local.ip().is_unspecified() {
            local::ask(&socket, local.is_ipv6())?;
        }
        Ok(DatagramSocket {
            socket,
            registered: OnceLock::new(),
            local,
        })
    }

    /// Registers the socket with the current runtime. Otherwise this happens on first use.
    pub fn register(&self) -> io::Result<()> {
        self.registered().map(drop)
    }

    fn registered(&self) -> io::Result<&UdpSocket> {
        if let Some(registered) = self.registered.get() {
            return Ok(registered);
        }
        let registered = UdpSocket::from_std(self.socket.try_clone()?.into())?;
        Ok(self.registered.get_or_init(|| registered))
    }

    /// Its local address.
    pub fn local_address(&self) -> SocketAddr {
        self.local
    }

    /// Receives at least one datagram. Errors are logged and survived: one about a peer that is
    /// gone (ICMP, RFC 1122, section 4.1.3.3) is skipped, and a lack of memory is waited out.
    /// Datagrams not returned when this is dropped stay in the kernel.
    pub async fn receive(&self, batch: &mut Batch) {
        let mut wait = ACCEPT_BACK_OFF.0;
        loop {
            match self.try_receive(batch).await {
                Ok(()) => return,
                Err(error) if concerns_a_peer(&error) => {
                    tracing::debug!(local = %self.local, "peer is gone: {error}");
                }
                Err(error) => {
                    Limit::AcceptBackOff.reached();
                    tracing::warn!(local = %self.local, "cannot receive, waiting {wait:?}: {error}");
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(ACCEPT_BACK_OFF.1);
                }
            }
        }
    }

    async fn try_receive(&self, batch: &mut Batch) -> io::Result<()> {
        batch.clear();
        while batch.is_empty() {
            let socket = self.registered()?;
            socket.readable().await?;
            let received = socket.try_io(Interest::READABLE, || {
                batch.fill(self.socket.as_fd())?;
                if batch.is_full() {
                    Ok(())
                } else {
                    Err(io::ErrorKind::WouldBlock.into())
                }
            });
            match received {
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Sends datagrams to the peer of `route` without waiting, and returns how many. Fails if the
    /// first cannot be sent: with `WouldBlock` until [`DatagramSocket::writable`] completes.
    pub fn send(&self, route: &Route, datagrams: &[Bytes]) -> io::Result<usize> {
        self.registered()?.try_io(Interest::WRITABLE, || {
            batch::send(self.socket.as_fd(), route, datagrams)
        })
    }

    /// Completes when sending may be possible. Any number of tasks may wait.
    pub async fn writable(&self) {
        // Fails when the runtime shuts down; nobody sends then.
        if let Ok(socket) = self.registered() {
            let _ = socket.writable().await;
        }
    }
}

impl AsFd for DatagramSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn concerns_a_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use connection::limits::DATAGRAM_BATCH;
    use std::collections::BTreeSet;
    use std::net::{IpAddr, UdpSocket as StdUdpSocket};

    fn pair(listen: &str, client: &str) -> (DatagramSocket, StdUdpSocket) {
        let socket = DatagramSocket::bind(format!("{listen}:0").parse().unwrap()).unwrap();
        let client = StdUdpSocket::bind(format!("{client}:0")).unwrap();
        (socket, client)
    }

    /// Receives `count` datagrams.
    async fn receive(socket: &DatagramSocket, count: usize) -> Vec<(Route, Vec<u8>)> {
        let mut batch = Batch::default();
        let mut all = Vec::new();
        while all.len() < count {
            socket.receive(&mut batch).await;
            let datagrams = batch.datagrams();
            all.extend(datagrams.map(|(route, bytes)| (route, bytes.to_owned())));
        }
        all
    }

    #[tokio::test]
    async fn datagrams_keep_their_boundaries_in_batches_of_any_size() {
        for (listen, client) in [
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]", "[::1]"),
            ("0.0.0.0", "127.0.0.1"),
            ("[::]", "[::1]"),
        ] {
            let (socket, client) = pair(listen, client);
            let to = SocketAddr::new(client.local_addr().unwrap().ip(), socket.local.port());
            for count in [1, 2, DATAGRAM_BATCH, DATAGRAM_BATCH + 1] {
                for number in 0..count {
                    client.send_to(&vec![7; number], to).unwrap();
                }
                let received = receive(&socket, count).await;
                let lengths: Vec<_> = received.iter().map(|(_, bytes)| bytes.len()).collect();
                assert_eq!(lengths, (0..count).collect::<Vec<_>>());
                let route = received[0].0;
                assert_eq!(route.peer, client.local_addr().unwrap());

                let mut replies: Vec<Bytes> = received
                    .into_iter()
                    .map(|(_, bytes)| bytes.into())
                    .collect();
                while !replies.is_empty() {
                    socket.writable().await;
                    let sent = socket.send(&route, &replies).unwrap();
                    replies.drain(..sent);
                }
                for number in 0..count {
                    let (bytes, from) = client.recv_from(&mut [0; 100]).unwrap();
                    assert_eq!((bytes, from), (number, to));
                }
            }
        }
    }

    #[tokio::test]
    async fn the_longest_datagrams_there_are_pass() {
        let (socket, client) = pair("127.0.0.1", "127.0.0.1");
        let long = vec![7; connection::limits::MAX_DATAGRAM_BYTES_IPV4];
        client.send_to(&long, socket.local).unwrap();
        let (route, bytes) = receive(&socket, 1).await.remove(0);
        assert_eq!(bytes, long);
        assert_eq!(route.max_datagram_bytes(), long.len());
        socket.writable().await;
        let too_long = [vec![0; route.max_datagram_bytes() + 1].into()];
        assert!(socket.send(&route, &too_long).is_err());
    }

    /// Linux has all of 127.0.0.0/8.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_reply_comes_from_the_address_that_was_asked() {
        let (socket, client) = pair("0.0.0.0", "127.0.0.1");
        let mut asked = BTreeSet::new();
        for last in 2..5 {
            let to = SocketAddr::from(([127, 0, 0, last], socket.local.port()));
            client.send_to(b"who?", to).unwrap();
            let (route, _) = receive(&socket, 1).await.remove(0);
            assert_eq!(route.local, Some(to.ip()));
            socket.writable().await;
            for replies in [vec!["I".into()], vec!["am".into(), "I".into()]] {
                assert_eq!(socket.send(&route, &replies).unwrap(), replies.len());
                for _ in replies {
                    let (_, from) = client.recv_from(&mut [0; 100]).unwrap();
                    asked.insert(from.ip());
                }
            }
        }
        let expected = (2..5).map(|last| IpAddr::from([127, 0, 0, last]));
        assert_eq!(asked, expected.collect());
    }

    #[tokio::test]
    async fn a_peer_that_has_left_does_no_harm() {
        let (socket, client) = pair("127.0.0.1", "127.0.0.1");
        let gone = {
            client.send_to(b"bye", socket.local).unwrap();
            receive(&socket, 1).await.remove(0).0
        };
        drop(client);
        socket.writable().await;
        for _ in 0..3 {
            assert_eq!(socket.send(&gone, &["hello?".into()]).unwrap(), 1);
        }
        let client = StdUdpSocket::bind("127.0.0.1:0").unwrap();
        client.send_to(b"here", socket.local).unwrap();
        assert_eq!(receive(&socket, 1).await[0].1, b"here");
    }
}
