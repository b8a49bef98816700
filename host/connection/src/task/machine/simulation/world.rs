//! What is around the state machine: choices, rate limits, and a network that cuts and delays.

use super::MAX_MESSAGE_BYTES;
use crate::handle::Orders;
use crate::rates::Gate;
use crate::task::inbox::{Datagrams, Inbox};
use crate::task::machine::{ByteWire, DatagramWire, StreamWire, WebSocketWire, Wire};
use bytes::{Bytes, BytesMut};
use framing::Framing;
use std::collections::VecDeque;
use websocket::{MessageType, Opcode, mask, put_header};

/// A source of choices: SplitMix64 (Steele and others, OOPSLA 2014).
pub struct Choices(pub u64);

impl Choices {
    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) % end as u64) as usize
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// A rate limit that lets a message pass now and then.
#[derive(Default)]
pub struct Tokens {
    pub is_limited: bool,
    pub waits: bool,
    pub holds_reading_back: bool,
}

impl Gate for Tokens {
    fn take_message(&mut self) -> bool {
        assert!(!self.waits, "one message waits at most");
        self.waits = self.is_limited;
        !self.waits
    }

    fn pauses_message(&self) -> bool {
        self.waits
    }

    fn pauses_reading(&self) -> bool {
        self.holds_reading_back
    }
}

/// The network and the client of a wire.
pub trait World: Wire {
    /// Whether a session may start TLS.
    const MAY_START_TLS: bool = false;
    fn new(choices: &mut Choices) -> Self;
    /// The client sends a line, as a message that the session will get without its ending.
    fn send(&self, line: &[u8], ending: &[u8], transit: &mut Transit, choices: &mut Choices);
    /// Some of what the client sent arrives. Whether anything did.
    fn arrive(&mut self, transit: &mut Transit, choices: &mut Choices) -> bool;
    /// The most that arrives without being handled: for a stream, an unfinished message and a read.
    const MOST_INPUT_BYTES: usize;
    /// What has arrived and is not handled yet, in bytes.
    fn input_bytes(&self) -> usize;
    /// Some of the output leaves. Returns what did.
    fn leave(&mut self, choices: &mut Choices) -> Vec<u8>;
    /// What the handle of a connection does with a reply from elsewhere.
    fn order(orders: &mut Orders, bytes: Bytes);
    /// How a reply leaves.
    fn encoded(reply: &Bytes) -> Bytes {
        reply.clone()
    }
    /// What the wire itself has sent, behind so many bytes.
    fn answers(&self, _unsent: usize) -> Vec<u8> {
        Vec::new()
    }
}

fn lines() -> Framing {
    "lines".parse().unwrap()
}

/// What the client has sent and has not arrived.
#[derive(Default)]
pub struct Transit {
    pub bytes: VecDeque<u8>,
    pub datagrams: VecDeque<Bytes>,
    pub is_finished: bool,
    pub is_cut: bool,
}

impl World for StreamWire {
    const MAY_START_TLS: bool = true;
    const MOST_INPUT_BYTES: usize = 2 * MAX_MESSAGE_BYTES;

    fn new(_: &mut Choices) -> Self {
        StreamWire::new(lines(), MAX_MESSAGE_BYTES)
    }

    fn send(&self, line: &[u8], ending: &[u8], transit: &mut Transit, _: &mut Choices) {
        transit.bytes.extend(line.iter().chain(ending));
    }

    fn arrive(&mut self, transit: &mut Transit, choices: &mut Choices) -> bool {
        let count = (1 + choices.below(150)).min(transit.bytes.len());
        if count > 0 {
            self.input().extend(transit.bytes.drain(..count));
        } else if transit.is_finished {
            self.end_input(transit.is_cut);
        } else {
            return false;
        }
        true
    }

    fn input_bytes(&self) -> usize {
        self.input.len()
    }

    fn leave(&mut self, choices: &mut Choices) -> Vec<u8> {
        leave(self, choices)
    }

    fn order(orders: &mut Orders, bytes: Bytes) {
        orders.bytes.push(bytes);
    }
}

/// Some bytes are written.
fn leave(wire: &mut impl ByteWire, choices: &mut Choices) -> Vec<u8> {
    let chunk = wire.chunk();
    if chunk.is_empty() {
        wire.flushed();
        return Vec::new();
    }
    let count = 1 + choices.below(chunk.len());
    let gone = chunk[..count].to_vec();
    wire.written(count);
    gone
}

impl World for WebSocketWire {
    const MOST_INPUT_BYTES: usize = 3 * MAX_MESSAGE_BYTES;

    /// Its messages are whole messages, or a stream of lines.
    fn new(choices: &mut Choices) -> Self {
        let framing = ["lines", "chunks"][choices.below(2)].parse().unwrap();
        let received = BytesMut::new();
        WebSocketWire::new(framing, MAX_MESSAGE_BYTES, MessageType::Binary, received)
    }

    /// In fragments, and with control frames between them.
    fn send(&self, line: &[u8], ending: &[u8], transit: &mut Transit, choices: &mut Choices) {
        let ending = if self.keeps_messages() { &[] } else { ending };
        let mut left = &[line, ending].concat()[..];
        let mut opcode = [Opcode::Text, Opcode::Binary][choices.below(2)];
        loop {
            if choices.one_in(5) {
                let control = [Opcode::Ping, Opcode::Pong][choices.below(2)];
                transit.bytes.extend(masked(control, b"?", true, choices));
            }
            let (part, rest) = left.split_at(choices.below(left.len() + 1));
            let (part, rest) = if choices.one_in(2) {
                (left, &[][..])
            } else {
                (part, rest)
            };
            let is_last = rest.is_empty();
            (transit.bytes).extend(masked(opcode, part, is_last, choices));
            if is_last {
                return;
            }
            (left, opcode) = (rest, Opcode::Continuation);
        }
    }

    fn arrive(&mut self, transit: &mut Transit, choices: &mut Choices) -> bool {
        let count = (1 + choices.below(150)).min(transit.bytes.len());
        if count > 0 {
            self.input().extend(transit.bytes.drain(..count));
        } else if transit.is_finished && !transit.is_cut {
            let closing = masked(Opcode::Close, b"\x03\xe8", true, choices);
            self.input().extend(closing);
        } else if transit.is_finished {
            self.end_input(false);
        } else {
            return false;
        }
        true
    }

    fn input_bytes(&self) -> usize {
        self.held_bytes()
    }

    fn leave(&mut self, choices: &mut Choices) -> Vec<u8> {
        leave(self, choices)
    }

    fn order(orders: &mut Orders, bytes: Bytes) {
        orders.messages.push_back(bytes);
    }

    fn encoded(reply: &Bytes) -> Bytes {
        let mut frame = BytesMut::new();
        put_header(&mut frame, Opcode::Binary, reply.len(), None);
        frame.extend_from_slice(reply);
        frame.freeze()
    }

    /// Pongs, and pings that ask whether the client is there.
    fn answers(&self, unsent: usize) -> Vec<u8> {
        let mut answers = &self.chunk()[unsent..];
        while !answers.is_empty() {
            let answer = [&b"\x8a\x01?"[..], b"\x89\x00"];
            let found = answer.iter().find_map(|it| answers.strip_prefix(*it));
            answers = found.expect("a pong or a ping");
        }
        self.chunk()[unsent..].to_vec()
    }
}

/// A frame of the client.
fn masked(opcode: Opcode, payload: &[u8], is_final: bool, choices: &mut Choices) -> BytesMut {
    let key = (choices.below(usize::MAX) as u32).to_be_bytes();
    let mut frame = BytesMut::new();
    let header = put_header(&mut frame, opcode, payload.len(), Some(key));
    if !is_final {
        frame[0] &= 0x7f;
    }
    frame.extend_from_slice(payload);
    mask(&mut frame[header..], key);
    frame
}

impl World for DatagramWire {
    const MOST_INPUT_BYTES: usize = 5 * MAX_MESSAGE_BYTES;

    fn new(_: &mut Choices) -> Self {
        DatagramWire::new(lines(), MAX_MESSAGE_BYTES)
    }

    fn send(&self, line: &[u8], ending: &[u8], transit: &mut Transit, _: &mut Choices) {
        transit.datagrams.push_back([line, ending].concat().into());
    }

    fn arrive(&mut self, transit: &mut Transit, choices: &mut Choices) -> bool {
        if !self.input.is_empty() {
            return false;
        }
        let count = (1 + choices.below(4)).min(transit.datagrams.len());
        if count == 0 {
            self.is_closed = transit.is_finished;
            return self.is_closed;
        }
        let inbox = Inbox::default();
        for datagram in transit.datagrams.drain(..count) {
            inbox.put(&datagram).unwrap();
        }
        let mut waiting = Datagrams::default();
        inbox.take(&mut waiting);
        self.input = waiting;
        true
    }

    fn input_bytes(&self) -> usize {
        self.input.bytes()
    }

    fn leave(&mut self, choices: &mut Choices) -> Vec<u8> {
        self.admit(|_| true);
        let waiting = self.output().len();
        if waiting == 0 {
            return Vec::new();
        }
        let count = 1 + choices.below(waiting);
        let gone = self.output()[..count].concat();
        assert_eq!(self.sent(count), gone.len());
        gone
    }

    fn order(orders: &mut Orders, bytes: Bytes) {
        orders.messages.push_back(bytes);
    }
}
