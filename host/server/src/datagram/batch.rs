//! Batches of datagrams: several in one system call.

use super::Route;
use super::local::{self, Source, told};
use bytes::Bytes;
use connection::limits::{DATAGRAM_BATCH, DATAGRAM_SLOT_BYTES};
use nix::sys::socket::{MsgFlags, RecvMsg, SockaddrStorage};
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::{AsRawFd, BorrowedFd};

/// Up to [`DATAGRAM_BATCH`] datagrams received together, with reusable memory.
pub struct Batch {
    /// A slot of [`DATAGRAM_SLOT_BYTES`] for each. Pages that no datagram reached are not resident.
    room: Box<[u8]>,
    received: Vec<(Route, usize)>,
    /// How many the next call asks for: twice what the last one got. Each costs, also if it is
    /// empty.
    wanted: usize,
}

/// The fewest to ask for. A single one is not a full batch then, so nothing is asked again.
const FEWEST: usize = 2;

impl Default for Batch {
    fn default() -> Self {
        Batch {
            room: vec![0; DATAGRAM_BATCH * DATAGRAM_SLOT_BYTES].into(),
            received: Vec::with_capacity(DATAGRAM_BATCH),
            wanted: FEWEST,
        }
    }
}

impl Batch {
    /// The received datagrams, in order.
    pub fn datagrams(&self) -> impl Iterator<Item = (Route, &[u8])> {
        let slots = self.room.chunks_exact(DATAGRAM_SLOT_BYTES);
        let received = self.received.iter().zip(slots);
        received.map(|((route, bytes), slot)| (*route, &slot[..*bytes]))
    }

    /// Whether more datagrams may be waiting.
    pub fn is_full(&self) -> bool {
        self.received.len() == self.wanted
    }

    pub(super) fn is_empty(&self) -> bool {
        self.received.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.wanted = (2 * self.received.len()).clamp(FEWEST, DATAGRAM_BATCH);
        self.received.clear();
    }

    /// The slots to fill.
    fn slots(room: &mut [u8], wanted: usize) -> impl Iterator<Item = [IoSliceMut<'_>; 1]> {
        let slots = room.chunks_exact_mut(DATAGRAM_SLOT_BYTES).take(wanted);
        slots.map(|slot| [IoSliceMut::new(slot)])
    }

    fn note(received: &mut Vec<(Route, usize)>, message: &RecvMsg<'_, '_, SockaddrStorage>) {
        let peer = message.address.and_then(socket_address);
        let route = Route {
            // A sender without an address gets port 0, which is never answered.
            peer: peer.unwrap_or(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))),
            local: (message.cmsgs().ok()).and_then(|mut said| said.find_map(|it| told(&it))),
        };
        received.push((route, message.bytes));
    }
}

fn socket_address(address: SockaddrStorage) -> Option<SocketAddr> {
    match (address.as_sockaddr_in(), address.as_sockaddr_in6()) {
        (Some(ipv4), _) => Some((*ipv4).into()),
        (_, Some(ipv6)) => Some((*ipv6).into()),
        (None, None) => None,
    }
}

/// recvmmsg(2) and sendmmsg(2).
#[cfg(any(target_os = "linux", target_os = "android"))]
mod system {
    use super::*;
    use nix::sys::socket::{MultiHeaders, recvmmsg, sendmmsg, sendmsg};

    impl Batch {
        /// Receives waiting datagrams, up to a full batch, without blocking.
        pub fn fill(&mut self, socket: BorrowedFd<'_>) -> io::Result<()> {
            let mut slots: Vec<_> = Batch::slots(&mut self.room, self.wanted).collect();
            // Created for each call: the kernel overwrites the lengths in the headers.
            let mut headers = MultiHeaders::preallocate(self.wanted, Some(local::space()));
            let messages = recvmmsg(
                socket.as_raw_fd(),
                &mut headers,
                slots.iter_mut(),
                MsgFlags::MSG_DONTWAIT,
                None,
            )?;
            for message in messages {
                Batch::note(&mut self.received, &message);
            }
            Ok(())
        }
    }

    /// Sends datagrams to one peer without waiting, and returns how many: not all if the next one
    /// fails.
    pub fn send(socket: BorrowedFd<'_>, route: &Route, datagrams: &[Bytes]) -> io::Result<usize> {
        let datagrams = &datagrams[..datagrams.len().min(DATAGRAM_BATCH)];
        let socket = socket.as_raw_fd();
        let source = route.local.and_then(Source::new);
        let source = source.as_ref().map(Source::message);
        let peer = SockaddrStorage::from(route.peer);
        if let [only] = datagrams {
            let only = [IoSlice::new(only)];
            let control = source.as_slice();
            sendmsg(socket, &only, control, MsgFlags::MSG_DONTWAIT, Some(&peer))?;
            return Ok(1);
        }
        let slices: Vec<_> = datagrams.iter().map(|it| [IoSlice::new(it)]).collect();
        let peers = vec![Some(peer); datagrams.len()];
        let space = source.is_some().then(local::space);
        let mut headers = MultiHeaders::preallocate(datagrams.len(), space);
        let control = source.as_slice();
        let sent = sendmmsg(
            socket,
            &mut headers,
            &slices,
            peers,
            control,
            MsgFlags::MSG_DONTWAIT,
        )?;
        Ok(sent.count())
    }
}

/// One by one, for kernels without batches.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod system {
    use super::*;
    use nix::sys::socket::{recvmsg, sendmsg};

    impl Batch {
        /// Receives waiting datagrams, up to a full batch, without blocking.
        pub fn fill(&mut self, socket: BorrowedFd<'_>) -> io::Result<()> {
            let mut space = local::space();
            for mut slot in Batch::slots(&mut self.room, self.wanted) {
                let flags = MsgFlags::MSG_DONTWAIT;
                match recvmsg(socket.as_raw_fd(), &mut slot, Some(&mut space), flags) {
                    Ok(message) => Batch::note(&mut self.received, &message),
                    Err(error) if self.received.is_empty() => return Err(error.into()),
                    Err(_) => break,
                }
            }
            Ok(())
        }
    }

    /// Sends datagrams to one peer without waiting, and returns how many: not all if the next one
    /// fails.
    pub fn send(socket: BorrowedFd<'_>, route: &Route, datagrams: &[Bytes]) -> io::Result<usize> {
        let source = route.local.and_then(Source::new);
        let source = source.as_ref().map(Source::message);
        let peer = SockaddrStorage::from(route.peer);
        for (sent, datagram) in datagrams.iter().take(DATAGRAM_BATCH).enumerate() {
            let slices = [IoSlice::new(datagram)];
            let (socket, control) = (socket.as_raw_fd(), source.as_slice());
            match sendmsg(
                socket,
                &slices,
                control,
                MsgFlags::MSG_DONTWAIT,
                Some(&peer),
            ) {
                Ok(_) => {}
                Err(error) if sent == 0 => return Err(error.into()),
                Err(_) => return Ok(sent),
            }
        }
        Ok(datagrams.len().min(DATAGRAM_BATCH))
    }
}

pub(super) use system::send;
