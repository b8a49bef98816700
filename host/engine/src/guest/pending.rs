//! What a callback asks for. Nothing happens while it runs: it is noted here, and done when the callback
//! has returned well.

use super::excess::Excess;
use connection::framing::Framing;
use connection::limits::{MAX_CALLBACK_BYTES, MAX_CALLBACK_ORDERS};
use connection::outbox::{CloseMode, Outbox, TimerChange, Transport};
use std::collections::HashMap;
use std::sync::Arc;
use wasmtime::Result;

/// Sends in a row become one until they have so many bytes: joining more would copy them again and again.
const JOINED_BYTES: usize = 64 << 10;

/// A guest's handle on a connection.
pub struct Connection(pub Arc<Outbox>);

/// What the running callback asked for.
#[derive(Default)]
pub struct Pending {
    orders: Vec<(Arc<Outbox>, Order)>,
    /// Where among them stands what a connection without a stream is sent, by its id. All of it is to be one
    /// datagram, even if others are sent something in between.
    datagrams: HashMap<u64, usize>,
    bytes: usize,
}

/// One thing asked for.
pub enum Order {
    Send(Vec<u8>),
    Close(CloseMode),
    SetFraming(Framing),
    ChangeTimer(TimerChange),
}

impl Pending {
    /// Does it all, in order.
    pub fn commit(&mut self) {
        self.datagrams.clear();
        for (outbox, order) in self.orders.drain(..) {
            match order {
                Order::Send(bytes) => outbox.send(bytes),
                Order::Close(mode) => outbox.close(mode),
                Order::SetFraming(framing) => outbox.set_framing(framing),
                Order::ChangeTimer(change) => outbox.change_timer(change),
            }
        }
        self.bytes = 0;
    }

    /// Forgets it all.
    pub fn discard(&mut self) {
        self.orders.clear();
        self.datagrams.clear();
        self.bytes = 0;
    }

    /// Notes bytes to send. Small sends to one connection in a row become one, and over UDP all of them do.
    pub fn send(&mut self, outbox: &Arc<Outbox>, bytes: Vec<u8>) -> Result<()> {
        self.bytes += bytes.len();
        if self.bytes > MAX_CALLBACK_BYTES {
            return Err(Excess::CallbackBytes.into());
        }
        let is_datagram = outbox.peer().transport == Transport::Udp;
        let last = match is_datagram {
            true => self.datagrams.get(&outbox.id()).copied(),
            false => self.orders.len().checked_sub(1),
        };
        match last.and_then(|at| self.orders.get_mut(at)) {
            Some((last, Order::Send(sent)))
                if Arc::ptr_eq(last, outbox) && (is_datagram || sent.len() < JOINED_BYTES) =>
            {
                sent.extend(bytes);
            }
            _ => {
                self.push(outbox, Order::Send(bytes))?;
                if is_datagram {
                    self.datagrams.insert(outbox.id(), self.orders.len() - 1);
                }
            }
        }
        Ok(())
    }

    /// Notes anything else.
    pub fn push(&mut self, outbox: &Arc<Outbox>, order: Order) -> Result<()> {
        if self.orders.len() == MAX_CALLBACK_ORDERS {
            return Err(Excess::CallbackOrders.into());
        }
        if let Order::Close(_) = order {
            // What is sent after it is not sent at all.
            self.datagrams.remove(&outbox.id());
        }
        self.orders.push((outbox.clone(), order));
        Ok(())
    }

    /// Bytes noted for a connection.
    pub fn bytes_for(&self, outbox: &Arc<Outbox>) -> usize {
        let of = |(to, order): &(Arc<Outbox>, Order)| match order {
            Order::Send(bytes) if Arc::ptr_eq(to, outbox) => bytes.len(),
            _ => 0,
        };
        self.orders.iter().map(of).sum()
    }
}
