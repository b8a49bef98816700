//! Clients that talk without pause, and check every byte that comes back.

use crate::fixture::Client;
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::ops::AddAssign;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

/// Threads, connections per thread, and lines in flight per connection.
const THREADS: usize = 8;
const REGULARS: usize = 25;
const BURST: u64 = 4;
/// After this many rounds, a connection that could stay makes room for a new one.
const STAY: usize = 50;
/// In every Nth round a thread has a visitor: a short connection.
const VISIT: usize = 4;

/// Properties of the handler's replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Counted, and all replies of a connection from one version.
    Stays,
    /// Signed only, by versions that never decrease.
    Moves,
    /// Counted, by versions that never decrease.
    CountsOn,
}

/// Statistics of clients, all of which saw correct replies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub connections: u64,
    pub lines: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.connections += other.connections;
        self.lines += other.lines;
    }
}

/// Hundreds of clients of a host. Any error is a panic in their threads.
pub struct Crowd {
    enough: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Tally>>,
}

impl Crowd {
    /// Clients of the host at this address, whose versions are numbered up to `newest`.
    pub fn at(address: SocketAddr, manner: Manner, newest: &Arc<AtomicU64>) -> Self {
        let enough = Arc::new(AtomicBool::new(false));
        let threads = (0..THREADS).map(|_| {
            let (enough, newest) = (enough.clone(), newest.clone());
            thread::spawn(move || {
                let mut table = Table::new(address, manner, newest);
                while !enough.load(Ordering::Relaxed) {
                    table.round();
                }
                table.leave()
            })
        });
        Crowd {
            threads: threads.collect(),
            enough,
        }
    }

    pub fn assert_content(&self) {
        let left = self.threads.iter().any(JoinHandle::is_finished);
        assert!(!left, "a client had something to complain of");
    }

    /// Makes all of them finish, get their last replies, and see the host close.
    pub fn leave(self) -> Tally {
        self.enough.store(true, Ordering::Relaxed);
        let mut tally = Tally::default();
        for thread in self.threads {
            tally += thread.join().unwrap();
        }
        tally
    }
}

/// The clients of one thread.
struct Table {
    address: SocketAddr,
    manner: Manner,
    newest: Arc<AtomicU64>,
    talks: VecDeque<Talk>,
    rounds: usize,
    tally: Tally,
}

impl Table {
    fn new(address: SocketAddr, manner: Manner, newest: Arc<AtomicU64>) -> Self {
        Table {
            talks: (0..REGULARS)
                .map(|_| Talk::begin(address, manner))
                .collect(),
            address,
            manner,
            newest,
            rounds: 0,
            tally: Tally::default(),
        }
    }

    fn round(&mut self) {
        self.rounds += 1;
        for talk in &mut self.talks {
            talk.say(BURST);
        }
        for talk in &mut self.talks {
            talk.hear(BURST, &self.newest);
        }
        if self.rounds.is_multiple_of(VISIT) {
            let mut visitor = Talk::begin(self.address, self.manner);
            visitor.say(BURST);
            self.part(visitor);
        }
        if self.manner == Manner::Stays && self.rounds.is_multiple_of(STAY / REGULARS) {
            let eldest = self.talks.pop_front().unwrap();
            self.part(eldest);
            self.talks.push_back(Talk::begin(self.address, self.manner));
        }
    }

    fn part(&mut self, mut talk: Talk) {
        talk.end(&self.newest);
        self.tally += Tally {
            connections: 1,
            lines: talk.said,
        };
    }

    fn leave(mut self) -> Tally {
        while let Some(talk) = self.talks.pop_front() {
            self.part(talk);
        }
        self.tally
    }
}

/// One connection.
struct Talk {
    stream: BufReader<TcpStream>,
    manner: Manner,
    said: u64,
    heard: u64,
    /// The version that answered last.
    version: Option<u64>,
}

impl Talk {
    fn begin(address: SocketAddr, manner: Manner) -> Self {
        Talk {
            stream: BufReader::new(Client::connect(address).stream),
            manner,
            said: 0,
            heard: 0,
            version: None,
        }
    }

    fn say(&mut self, lines: u64) {
        let mut text = String::new();
        for number in self.said + 1..=self.said + lines {
            text += &format!("line {number}\n");
        }
        self.said += lines;
        self.stream.get_mut().write_all(text.as_bytes()).unwrap();
    }

    fn hear(&mut self, lines: u64, newest: &AtomicU64) {
        for _ in 0..lines {
            let mut reply = String::new();
            self.stream.read_line(&mut reply).unwrap();
            self.heard += 1;
            let number = self.heard;
            let (version, said) = reply.split_once(' ').unwrap_or_else(|| panic!("{reply:?}"));
            let expected = match self.manner {
                Manner::Moves => format!("line {number}\n"),
                Manner::Stays | Manner::CountsOn => format!("{number} line {number}\n"),
            };
            assert_eq!(said, expected, "{reply:?}");
            let version: u64 = version.strip_prefix('v').unwrap().parse().unwrap();
            let last = self.version.replace(version).unwrap_or(version);
            match self.manner {
                Manner::Stays => assert_eq!(version, last),
                Manner::Moves | Manner::CountsOn => assert!(version >= last, "{version} < {last}"),
            }
            assert!(version <= newest.load(Ordering::Relaxed), "{reply:?}");
        }
    }

    /// Finishes, receives the outstanding replies, and expects nothing else.
    fn end(&mut self, newest: &AtomicU64) {
        self.stream.get_ref().shutdown(Shutdown::Write).unwrap();
        self.hear(self.said - self.heard, newest);
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).unwrap();
        assert_eq!(rest.escape_ascii().to_string(), "");
    }
}
