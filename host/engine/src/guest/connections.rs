//! The interface `connections`: what a conversation may do.

use super::contract::bindings::echo_host::handler::connections::{
    CloseMode as DeclaredMode, Host, HostConnection,
};
use super::contract::bindings::echo_host::handler::types::{
    Framing as DeclaredFraming, Host as TypesHost, PeerInfo, TlsInfo, Transport,
};
use super::pending::{Connection, Order};
use super::state::Guest;
use connection::framing::{Framing, InvalidFraming};
use connection::outbox::{self, CloseMode, Outbox, TimerChange};
use std::sync::Arc;
use std::time::Duration;
use wasmtime::Result;
use wasmtime::component::Resource;

impl Guest {
    fn outbox(&self, handle: &Resource<Connection>) -> Result<Arc<Outbox>> {
        Ok(self.table.get(handle)?.0.clone())
    }
}

impl Host for Guest {}

impl TypesHost for Guest {}

impl HostConnection for Guest {
    fn id(&mut self, handle: Resource<Connection>) -> Result<u64> {
        Ok(self.outbox(&handle)?.id())
    }

    fn peer(&mut self, handle: Resource<Connection>) -> Result<PeerInfo> {
        let outbox = self.outbox(&handle)?;
        let peer = outbox.peer();
        Ok(PeerInfo {
            transport: match peer.transport {
                outbox::Transport::Tcp => Transport::Tcp,
                outbox::Transport::Tls => Transport::Tls,
                outbox::Transport::Unix => Transport::Unix,
                outbox::Transport::Udp => Transport::Udp,
                outbox::Transport::Stdio => Transport::Stdio,
            },
            peer: peer.peer.clone(),
            local: peer.local.clone(),
            listener: peer.listener.to_string(),
            tls: peer.tls.clone().map(|tls| TlsInfo {
                server_name: tls.server_name,
                alpn: tls.alpn,
                client_subject: tls.client_subject,
            }),
        })
    }

    fn send(&mut self, handle: Resource<Connection>, bytes: Vec<u8>) -> Result<()> {
        let outbox = self.outbox(&handle)?;
        self.pending.send(&outbox, bytes)
    }

    fn queued(&mut self, handle: Resource<Connection>) -> Result<u64> {
        let outbox = self.outbox(&handle)?;
        Ok((outbox.unsent_bytes() + self.pending.bytes_for(&outbox)) as u64)
    }

    fn close(&mut self, handle: Resource<Connection>, mode: DeclaredMode) -> Result<()> {
        let mode = match mode {
            DeclaredMode::Graceful => CloseMode::Graceful,
            DeclaredMode::Reset => CloseMode::Reset,
        };
        let outbox = self.outbox(&handle)?;
        self.pending.push(&outbox, Order::Close(mode))
    }

    fn set_framing(
        &mut self,
        handle: Resource<Connection>,
        framing: DeclaredFraming,
    ) -> Result<()> {
        let outbox = self.outbox(&handle)?;
        let framing = Framing::try_from(framing)?;
        self.pending.push(&outbox, Order::SetFraming(framing))
    }

    fn set_timer(&mut self, handle: Resource<Connection>, id: u32, delay_ms: u32) -> Result<()> {
        let outbox = self.outbox(&handle)?;
        let delay = Duration::from_millis(delay_ms.into());
        self.pending
            .push(&outbox, Order::ChangeTimer(TimerChange::Set { id, delay }))
    }

    fn cancel_timer(&mut self, handle: Resource<Connection>, id: u32) -> Result<()> {
        let outbox = self.outbox(&handle)?;
        self.pending
            .push(&outbox, Order::ChangeTimer(TimerChange::Cancel { id }))
    }

    fn drop(&mut self, handle: Resource<Connection>) -> Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}

impl TryFrom<DeclaredFraming> for Framing {
    type Error = InvalidFraming;

    fn try_from(declared: DeclaredFraming) -> Result<Self, InvalidFraming> {
        match declared {
            DeclaredFraming::Chunks => Ok(Framing::Chunks),
            DeclaredFraming::Lines => Ok(Framing::Lines),
            DeclaredFraming::LengthPrefixed(width) => Framing::length_prefixed(width),
            DeclaredFraming::Delimited(sequence) => Framing::delimited(sequence),
            DeclaredFraming::Fixed(length) => Framing::fixed(length),
        }
    }
}
