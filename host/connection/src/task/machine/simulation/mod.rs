//! Drives the state machine through random schedules: reads cut anywhere, partial writes, pushes
//! from other sessions, timers, rate limits, moves, idle notices, closes and stops. A schedule
//! follows from its seed, which a failure names.

mod session;
mod world;

use super::{DatagramWire, InputState, Machine, Step, StreamWire, WebSocketWire};
use crate::handle::{CloseMode, Notice, Orders, Sweep};
use crate::limits::HIGH_WATER_BYTES;
use crate::task::CloseReason;
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};
use world::{Choices, Tokens, Transit, World};

/// Steps of all schedules together, for each kind of wire.
const STEPS: usize = 500_000;
/// Steps after which a schedule makes the client finish.
const LONG: usize = 400;
const MAX_MESSAGE_BYTES: usize = 200;

/// One schedule.
struct Simulation<W> {
    machine: Machine<W>,
    choices: Choices,
    tokens: Tokens,
    orders: Orders,
    transit: Transit,
    now: Instant,
    converses: bool,
    /// Messages that the session will get, in order.
    expected: VecDeque<Bytes>,
    /// What sessions sent, in order, and how much of it left.
    sent: Vec<u8>,
    left: usize,
    /// When each timer was to expire.
    timers: BTreeMap<u32, Instant>,
    opened: bool,
    eof: bool,
    /// How the session closed.
    closed: Option<CloseMode>,
    /// Whether the last event came.
    shutdown: bool,
    moves_asked: usize,
    moves_told: usize,
    is_above_mark: bool,
    is_paused: bool,
    tls: Tls,
    steps: usize,
}

/// How far a session is on the way to TLS.
#[derive(Debug, PartialEq)]
enum Tls {
    InClear,
    Asked,
    Established,
    Told,
    /// The client had sent more in clear.
    Refused,
}

impl<W: World> Simulation<W> {
    fn new(seed: u64) -> Self {
        let mut choices = Choices(seed);
        let converses = choices.one_in(2);
        Simulation {
            machine: Machine::new(W::new(&mut choices), converses),
            tokens: Tokens {
                is_limited: choices.one_in(4),
                waits: false,
                holds_reading_back: false,
            },
            choices,
            orders: Orders::default(),
            transit: Transit::default(),
            now: Instant::now(),
            converses,
            expected: VecDeque::new(),
            sent: Vec::new(),
            left: 0,
            timers: BTreeMap::new(),
            opened: false,
            eof: false,
            closed: None,
            shutdown: false,
            moves_asked: 0,
            moves_told: 0,
            is_above_mark: false,
            is_paused: false,
            tls: Tls::InClear,
            steps: 0,
        }
    }

    /// Runs to the end of the connection, and returns the number of steps.
    fn run(mut self) -> usize {
        let end = loop {
            self.steps += 1;
            assert!(self.steps < 100 * LONG, "it never ends");
            let step = self.machine.next(&mut self.tokens).unwrap();
            self.note_answers();
            match step {
                Step::Call(event) => self.call(event),
                Step::End(reason) => break reason,
                Step::Idle => {
                    let is_held_back = self.tokens.holds_reading_back && self.machine.wants_input();
                    assert!(!self.tokens.waits && !is_held_back, "it is not idle");
                }
                Step::StartTls => {
                    assert!(self.tls == Tls::Asked && self.left == self.sent.len());
                    if self.machine.has_input() {
                        self.tls = Tls::Refused;
                        break CloseReason::Finished;
                    }
                    self.machine.secured();
                    self.tls = Tls::Established;
                }
                Step::Wait => self.wait(),
            }
        };
        self.check_end(end);
        self.steps
    }

    /// Another session resumes reading.
    fn resume(&mut self) {
        if std::mem::take(&mut self.is_paused) {
            self.orders.reads = Some(true);
            self.obey();
        }
    }

    fn obey(&mut self) {
        let now = self.now;
        self.machine.obey(&mut self.orders, || now).unwrap();
        self.is_above_mark |= self.converses && self.sent.len() - self.left > HIGH_WATER_BYTES;
        self.note_answers();
        // A close is the last order.
        self.orders = Orders::default();
    }

    /// The wire itself may have sent something.
    fn note_answers(&mut self) {
        let unsent = self.sent.len() - self.left;
        self.sent.extend(self.machine.wire.answers(unsent));
    }

    /// Something happens outside.
    fn wait(&mut self) {
        assert!(!self.machine.stop_told, "it waits after the last event");
        if self.steps > LONG {
            self.transit.is_finished = true;
            self.resume();
        }
        match self.choices.below(12) {
            0..3 => self.send(),
            3..6 => self.arrive(),
            6..9 => self.leave(),
            9 => {
                self.now += Duration::from_millis(self.choices.below(30) as u64);
                self.machine.expire(self.now);
                if self.choices.one_in(4) {
                    // Before the session learns of the timer.
                    self.moves_asked += 1;
                    self.orders.notice = Some(Notice::Move);
                    self.obey();
                }
                self.tokens.waits &= self.choices.one_in(2);
                self.tokens.holds_reading_back = self.tokens.is_limited && self.choices.one_in(3);
            }
            10 => {
                if self.converses && self.choices.one_in(4) {
                    self.push();
                }
                if self.choices.one_in(3) {
                    self.orders.notice = Some(Notice::Move);
                    self.moves_asked += 1;
                }
                if self.choices.one_in(100) {
                    self.orders.notice = Some(Notice::Stop);
                }
                self.orders.sweep = match self.choices.below(10) {
                    0 => Sweep::Idle,
                    1..3 => Sweep::Quiet,
                    _ => Sweep::Moved,
                };
                self.obey();
                if self.choices.one_in(3) {
                    self.resume();
                }
            }
            _ if !self.transit.is_finished && self.choices.one_in(40) => {
                self.transit.is_finished = true;
                self.transit.is_cut = self.choices.one_in(3);
                if self.transit.is_cut {
                    let arrives = self.choices.below(self.transit.bytes.len() + 1);
                    self.transit.bytes.truncate(arrives);
                }
            }
            _ => {}
        }
        if self.machine.is_stopping() && W::STOPS_AFTER_INPUT {
            self.transit.is_finished = true;
        }
    }

    /// The client sends some lines.
    fn send(&mut self) {
        if self.transit.is_finished {
            return;
        }
        for _ in 0..1 + self.choices.below(4) {
            let length = self.choices.below(MAX_MESSAGE_BYTES);
            let line = vec![b'a' + self.choices.below(26) as u8; length];
            let ending = &b"\r\n"[self.choices.below(2)..];
            let wire = &self.machine.wire;
            wire.send(&line, ending, &mut self.transit, &mut self.choices);
            self.expected.push_back(line.into());
        }
    }

    fn arrive(&mut self) {
        let reads = self.machine.wants_input() && !self.tokens.holds_reading_back;
        let wire = &mut self.machine.wire;
        if reads && wire.arrive(&mut self.transit, &mut self.choices) {
            assert!(wire.input_bytes() <= W::MOST_INPUT_BYTES, "it grows");
            self.machine.moved();
        }
    }

    fn leave(&mut self) {
        let gone = self.machine.wire.leave(&mut self.choices);
        assert_eq!(gone, self.sent[self.left..][..gone.len()]);
        self.left += gone.len();
        let unsent = self.sent.len() - self.left;
        assert_eq!(self.machine.wire.unsent_bytes(), unsent);
    }

    fn check_end(&self, end: CloseReason) {
        let Machine { stopping, wire, .. } = &self.machine;
        assert!(self.moves_told <= self.moves_asked);
        if let Some(mode) = self.closed {
            assert_eq!(end == CloseReason::Reset, mode == CloseMode::Reset);
            return;
        }
        assert_eq!(end, wire.input_state().close_reason());
        if self.tls == Tls::Refused {
            return;
        }
        let is_whole = !self.opened || self.expected.is_empty();
        match wire.input_state() {
            // A conversation is told that it ends.
            _ if *stopping && !W::STOPS_AFTER_INPUT => assert_eq!(self.shutdown, self.converses),
            InputState::Open => panic!("it ended for no reason"),
            InputState::Finished if !self.opened => {}
            InputState::Finished => {
                assert!(is_whole && self.eof && self.left == self.sent.len());
                let is_quiet = self.machine.timers.is_empty() && self.timers.is_empty();
                assert!(is_quiet || !W::TIMERS_OUTLIVE_INPUT);
            }
            InputState::CutOff => assert!(!self.eof),
            InputState::Closed => assert!(is_whole && self.shutdown == self.converses),
        }
    }
}

fn simulate<W: World>(first_seed: u64) {
    let (mut steps, mut seed) = (0, first_seed);
    while steps < STEPS {
        let run = std::panic::AssertUnwindSafe(|| Simulation::<W>::new(seed).run());
        match std::panic::catch_unwind(run) {
            Ok(taken) => steps += taken,
            Err(_) => panic!("the schedule of seed {seed} fails"),
        }
        seed += 1;
    }
}

#[test]
fn streams_keep_their_promises_in_every_schedule() {
    simulate::<StreamWire>(1);
}

#[test]
fn websockets_keep_their_promises_in_every_schedule() {
    simulate::<WebSocketWire>(1);
}

#[test]
fn datagrams_keep_their_promises_in_every_schedule() {
    simulate::<DatagramWire>(1);
}
