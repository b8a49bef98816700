//! The connection between a session and its client in a test.

use super::CloseMode;
use crate::{PeerInfo, Result};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

thread_local! {
    static NEXT_ID: Cell<u64> = const { Cell::new(1) };
    /// Orders of the running callback so far.
    static ORDERED: RefCell<Vec<(Rc<Line>, Order)>> = const { RefCell::new(Vec::new()) };
}

/// An order of a session to a connection.
enum Order {
    Send(Vec<u8>),
    Close(CloseMode),
    Framing(String),
    SetPaused(bool),
    StartTls,
    SetTimer(u32, Duration),
    CancelTimer(u32),
}

/// One connection.
#[derive(Debug)]
pub struct Line {
    id: u64,
    peer: PeerInfo,
    info: BTreeMap<String, String>,
    state: RefCell<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Bytes that the client has not read yet.
    sent: Vec<u8>,
    closed: Option<CloseMode>,
    framing: Option<String>,
    is_paused: bool,
    starts_tls: bool,
    timers: BTreeMap<u32, Duration>,
}

/// Runs a callback of a session, and carries out its orders if it returns `Ok`.
pub fn commit<T>(callback: impl FnOnce() -> Result<T>) -> Result<T> {
    // Orders from before a panic that the test has caught are dropped.
    ORDERED.take();
    let returned = callback();
    let ordered = ORDERED.take();
    if returned.is_ok() {
        ordered
            .into_iter()
            .for_each(|(line, order)| line.obey(order));
    }
    returned
}

impl Line {
    pub fn new(peer: PeerInfo, info: &[(&str, &str)]) -> Rc<Self> {
        let owned = |(name, value): &(&str, &str)| (String::from(*name), String::from(*value));
        Rc::new(Line {
            id: NEXT_ID.replace(NEXT_ID.get() + 1),
            peer,
            info: info.iter().map(owned).collect(),
            state: RefCell::default(),
        })
    }

    fn obey(&self, order: Order) {
        let mut state = self.state.borrow_mut();
        if state.closed.is_some() {
            return;
        }
        match order {
            Order::Send(bytes) => state.sent.extend(bytes),
            Order::Close(mode) => state.close(mode),
            Order::Framing(framing) => state.framing = Some(framing),
            Order::SetPaused(is_paused) => state.is_paused = is_paused,
            Order::StartTls => state.starts_tls = true,
            Order::SetTimer(id, delay) => {
                state.timers.insert(id, delay);
            }
            Order::CancelTimer(id) => {
                state.timers.remove(&id);
            }
        }
    }

    pub fn close(&self, mode: CloseMode) {
        self.state.borrow_mut().close(mode);
    }

    pub fn closed(&self) -> Option<CloseMode> {
        self.state.borrow().closed
    }

    pub fn framing(&self) -> Option<String> {
        self.state.borrow().framing.clone()
    }

    pub fn is_paused(&self) -> bool {
        self.state.borrow().is_paused
    }

    /// Whether TLS is to be started: once.
    pub fn take_start_tls(&self) -> bool {
        std::mem::take(&mut self.state.borrow_mut().starts_tls)
    }

    pub fn timer(&self, id: u32) -> Option<Duration> {
        self.state.borrow().timers.get(&id).copied()
    }

    /// Removes a timer. Returns false if it is not set.
    pub fn take_timer(&self, id: u32) -> bool {
        self.state.borrow_mut().timers.remove(&id).is_some()
    }

    pub fn take_sent(&self) -> Vec<u8> {
        std::mem::take(&mut self.state.borrow_mut().sent)
    }
}

impl State {
    fn close(&mut self, mode: CloseMode) {
        self.closed = Some(mode);
        self.timers.clear();
        if mode == CloseMode::Reset {
            self.sent.clear();
        }
    }
}

/// Stands in for the host's handle, with the same functions.
#[derive(Debug)]
pub struct Handle(Rc<Line>);

impl Handle {
    pub fn on(line: &Rc<Line>) -> Self {
        Handle(line.clone())
    }

    pub fn id(&self) -> u64 {
        self.0.id
    }

    pub fn peer(&self) -> PeerInfo {
        self.0.peer.clone()
    }

    pub fn info(&self, name: &str) -> Option<String> {
        self.0.info.get(name).cloned()
    }

    pub fn send(&self, bytes: &[u8]) {
        self.order(Order::Send(bytes.to_owned()));
    }

    pub fn queued(&self) -> u64 {
        let sent = self.0.state.borrow().sent.len();
        let ordered: usize = ORDERED.with_borrow(|ordered| {
            let own = ordered.iter().filter(|(line, _)| Rc::ptr_eq(line, &self.0));
            own.map(|(_, order)| order.bytes()).sum()
        });
        (sent + ordered) as u64
    }

    pub fn pause(&self) {
        self.order(Order::SetPaused(true));
    }

    pub fn resume(&self) {
        self.order(Order::SetPaused(false));
    }

    pub fn start_tls(&self) {
        assert_eq!(
            self.info("start-tls").as_deref(),
            Some("offered"),
            "start-tls is not offered here"
        );
        self.order(Order::StartTls);
    }

    pub fn close(&self) {
        self.order(Order::Close(CloseMode::Graceful));
    }

    pub fn reset(&self) {
        self.order(Order::Close(CloseMode::Reset));
    }

    pub fn set_framing(&self, framing: &str) {
        self.order(Order::Framing(framing.to_owned()));
    }

    pub fn set_timer(&self, id: u32, delay_ms: u32) {
        self.order(Order::SetTimer(id, Duration::from_millis(delay_ms.into())));
    }

    pub fn cancel_timer(&self, id: u32) {
        self.order(Order::CancelTimer(id));
    }

    fn order(&self, order: Order) {
        ORDERED.with_borrow_mut(|ordered| ordered.push((self.0.clone(), order)));
    }
}

impl Order {
    fn bytes(&self) -> usize {
        match self {
            Order::Send(bytes) => bytes.len(),
            _ => 0,
        }
    }
}
