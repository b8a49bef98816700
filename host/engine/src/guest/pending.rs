//! The orders of a running callback. They are collected here and carried out after it returns
//! successfully.

use super::excess::Excess;
use connection::handle::{CloseMode, ConnectionHandle, TimerChange};
use connection::limits::{MAX_CALLBACK_BYTES, MAX_CALLBACK_ORDERS};
use framing::Framing;
use std::collections::HashMap;
use std::sync::Arc;
use wasmtime::Result;

/// Consecutive sends are joined up to this length: more would copy bytes again and again.
const JOINED_BYTES: usize = 64 << 10;

/// A guest's handle on a connection.
pub struct Connection(pub Arc<ConnectionHandle>);

/// The orders of the running callback.
#[derive(Default)]
pub struct Pending {
    orders: Vec<(Arc<ConnectionHandle>, Order)>,
    /// The index of the datagram for each UDP connection, by id. All of its sends become one
    /// datagram, even with sends to others in between.
    datagrams: HashMap<u64, usize>,
    bytes: usize,
}

/// One order.
pub enum Order {
    Send(Vec<u8>),
    Close(CloseMode),
    SetFraming(Framing),
    SetReading(bool),
    StartTls,
    ChangeTimer(TimerChange),
}

impl Pending {
    /// Carries out all orders, in order.
    pub fn commit(&mut self) {
        self.datagrams.clear();
        for (handle, order) in self.orders.drain(..) {
            match order {
                Order::Send(bytes) => handle.send(bytes),
                Order::Close(mode) => handle.close(mode),
                Order::SetFraming(framing) => handle.set_framing(framing),
                Order::SetReading(reads) => handle.set_reading(reads),
                Order::StartTls => handle.start_tls(),
                Order::ChangeTimer(change) => handle.change_timer(change),
            }
        }
        self.bytes = 0;
    }

    /// Drops all orders.
    pub fn discard(&mut self) {
        self.orders.clear();
        self.datagrams.clear();
        self.bytes = 0;
    }

    /// Adds bytes to send. Consecutive small sends to a connection are joined; over UDP, all of
    /// them are.
    pub fn send(&mut self, handle: &Arc<ConnectionHandle>, bytes: Vec<u8>) -> Result<()> {
        self.bytes += bytes.len();
        if self.bytes > MAX_CALLBACK_BYTES {
            return Err(Excess::CallbackBytes.into());
        }
        let is_datagram = handle.peer().transport.keeps_messages();
        let last = if is_datagram {
            self.datagrams.get(&handle.id()).copied()
        } else {
            self.orders.len().checked_sub(1)
        };
        match last.and_then(|at| self.orders.get_mut(at)) {
            Some((last, Order::Send(sent)))
                if Arc::ptr_eq(last, handle) && (is_datagram || sent.len() < JOINED_BYTES) =>
            {
                sent.extend(bytes);
            }
            _ => {
                self.push(handle, Order::Send(bytes))?;
                if is_datagram {
                    self.datagrams.insert(handle.id(), self.orders.len() - 1);
                }
            }
        }
        Ok(())
    }

    /// Adds any other order.
    pub fn push(&mut self, handle: &Arc<ConnectionHandle>, order: Order) -> Result<()> {
        if self.orders.len() == MAX_CALLBACK_ORDERS {
            return Err(Excess::CallbackOrders.into());
        }
        if let Order::Close(_) = order {
            // Later sends are dropped.
            self.datagrams.remove(&handle.id());
        }
        self.orders.push((handle.clone(), order));
        Ok(())
    }

    /// Whether TLS is to be started on a connection.
    pub fn starts_tls(&self, handle: &Arc<ConnectionHandle>) -> bool {
        let is = |(to, order): &(Arc<ConnectionHandle>, Order)| {
            matches!(order, Order::StartTls) && Arc::ptr_eq(to, handle)
        };
        self.orders.iter().any(is)
    }

    /// The bytes to send to a connection.
    pub fn bytes_for(&self, handle: &Arc<ConnectionHandle>) -> usize {
        let of = |(to, order): &(Arc<ConnectionHandle>, Order)| match order {
            Order::Send(bytes) if Arc::ptr_eq(to, handle) => bytes.len(),
            _ => 0,
        };
        self.orders.iter().map(of).sum()
    }
}
