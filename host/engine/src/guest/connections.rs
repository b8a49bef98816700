//! The interface `connections`: the host functions of conversations.

use super::contract::bindings::echo_host::handler::connections::{
    CloseMode as DeclaredMode, Host, HostConnection,
};
use super::contract::bindings::echo_host::handler::types::{
    Framing as DeclaredFraming, Host as TypesHost, PeerInfo, TlsInfo, Transport,
};
use super::pending::{Connection, Order};
use super::state::Guest;
use connection::framing::{Framing, InvalidFraming};
use connection::handle::{self, CloseMode, ConnectionHandle, TimerChange};
use std::sync::Arc;
use std::time::Duration;
use wasmtime::Result;
use wasmtime::component::Resource;

impl Guest {
    fn handle(&self, resource: &Resource<Connection>) -> Result<Arc<ConnectionHandle>> {
        Ok(self.table.get(resource)?.0.clone())
    }
}

impl Host for Guest {}

impl TypesHost for Guest {}

impl HostConnection for Guest {
    fn id(&mut self, resource: Resource<Connection>) -> Result<u64> {
        Ok(self.handle(&resource)?.id())
    }

    fn peer(&mut self, resource: Resource<Connection>) -> Result<PeerInfo> {
        let handle = self.handle(&resource)?;
        let peer = handle.peer();
        Ok(PeerInfo {
            transport: match peer.transport {
                handle::Transport::Tcp => Transport::Tcp,
                handle::Transport::Tls => Transport::Tls,
                handle::Transport::Unix => Transport::Unix,
                handle::Transport::Udp => Transport::Udp,
                handle::Transport::Stdio => Transport::Stdio,
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

    fn send(&mut self, resource: Resource<Connection>, bytes: Vec<u8>) -> Result<()> {
        let handle = self.handle(&resource)?;
        self.pending.send(&handle, bytes)
    }

    fn queued(&mut self, resource: Resource<Connection>) -> Result<u64> {
        let handle = self.handle(&resource)?;
        Ok((handle.unsent_bytes() + self.pending.bytes_for(&handle)) as u64)
    }

    fn close(&mut self, resource: Resource<Connection>, mode: DeclaredMode) -> Result<()> {
        let mode = match mode {
            DeclaredMode::Graceful => CloseMode::Graceful,
            DeclaredMode::Reset => CloseMode::Reset,
        };
        let handle = self.handle(&resource)?;
        self.pending.push(&handle, Order::Close(mode))
    }

    fn set_framing(
        &mut self,
        resource: Resource<Connection>,
        framing: DeclaredFraming,
    ) -> Result<()> {
        let handle = self.handle(&resource)?;
        let framing = Framing::try_from(framing)?;
        self.pending.push(&handle, Order::SetFraming(framing))
    }

    fn set_timer(&mut self, resource: Resource<Connection>, id: u32, delay_ms: u32) -> Result<()> {
        let handle = self.handle(&resource)?;
        let delay = Duration::from_millis(delay_ms.into());
        self.pending
            .push(&handle, Order::ChangeTimer(TimerChange::Set { id, delay }))
    }

    fn cancel_timer(&mut self, resource: Resource<Connection>, id: u32) -> Result<()> {
        let handle = self.handle(&resource)?;
        self.pending
            .push(&handle, Order::ChangeTimer(TimerChange::Cancel { id }))
    }

    fn drop(&mut self, resource: Resource<Connection>) -> Result<()> {
        self.table.delete(resource)?;
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
