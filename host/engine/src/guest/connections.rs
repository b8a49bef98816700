//! The interface `connections`: the host functions of conversations.

use super::contract::bindings::echo_host::handler::connections::{Host, HostConnection};
use super::contract::bindings::echo_host::handler::types::{Host as TypesHost, PeerInfo};
use super::pending::{Connection, Order};
use super::state::Guest;
use connection::handle::{CloseMode, ConnectionHandle, TimerChange};
use framing::Framing;
use std::sync::Arc;
use std::time::Duration;
use wasmtime::Result;
use wasmtime::component::Resource;

/// The guest asked for what `info` does not offer.
#[derive(Debug, thiserror::Error)]
#[error(
    "start-tls is not offered here: the listener has no certificate, or TLS was started before"
)]
struct TlsNotOffered;

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
            transport: peer.transport.name().to_owned(),
            peer: peer.peer.clone(),
            local: peer.local.clone(),
            listener: peer.listener.to_string(),
        })
    }

    fn info(&mut self, resource: Resource<Connection>, name: String) -> Result<Option<String>> {
        let handle = self.handle(&resource)?;
        Ok(handle.info(&name))
    }

    fn send(&mut self, resource: Resource<Connection>, bytes: Vec<u8>) -> Result<()> {
        let handle = self.handle(&resource)?;
        self.pending.send(&handle, bytes)
    }

    fn queued(&mut self, resource: Resource<Connection>) -> Result<u64> {
        let handle = self.handle(&resource)?;
        Ok((handle.unsent_bytes() + self.pending.bytes_for(&handle)) as u64)
    }

    fn pause(&mut self, resource: Resource<Connection>) -> Result<()> {
        let handle = self.handle(&resource)?;
        self.pending.push(&handle, Order::SetReading(false))
    }

    fn resume(&mut self, resource: Resource<Connection>) -> Result<()> {
        let handle = self.handle(&resource)?;
        self.pending.push(&handle, Order::SetReading(true))
    }

    fn start_tls(&mut self, resource: Resource<Connection>) -> Result<()> {
        let handle = self.handle(&resource)?;
        if !handle.offers_tls() || self.pending.starts_tls(&handle) {
            return Err(TlsNotOffered.into());
        }
        self.pending.push(&handle, Order::StartTls)
    }

    fn close(&mut self, resource: Resource<Connection>) -> Result<()> {
        let handle = self.handle(&resource)?;
        let close = Order::Close(CloseMode::Graceful);
        self.pending.push(&handle, close)
    }

    fn reset(&mut self, resource: Resource<Connection>) -> Result<()> {
        let handle = self.handle(&resource)?;
        self.pending.push(&handle, Order::Close(CloseMode::Reset))
    }

    fn set_framing(&mut self, resource: Resource<Connection>, framing: String) -> Result<()> {
        let handle = self.handle(&resource)?;
        let framing: Framing = framing.parse()?;
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
