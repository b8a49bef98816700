//! What a guest reaches for that it was not granted. It is denied, and that is said in the log, once for each loaded
//! handler: so its operator learns which grant it would take, and nobody can flood the log with it.
//!
//! Whoever merely imports an interface has not reached for anything: every program that uses a standard library
//! imports them all. Who does reach is found out by `watched` and `no_files`.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use tracing::Span;

/// Something that has to be granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Environment variables.
    Environment,
    /// Files and directories.
    Files,
    /// TCP sockets.
    Network,
    /// A connection to somebody that was not named.
    Connection,
    /// The address of a name that was not named.
    Name,
    /// UDP sockets.
    Datagrams,
}

impl Want {
    fn denial(self) -> &'static str {
        match self {
            Want::Environment => "it looks for environment variables and is granted none (--env)",
            Want::Files => "it looks for files and is granted no directory (--dir)",
            Want::Network => {
                "it reaches for the network and is granted nobody to connect to (--allow-connect)"
            }
            Want::Connection => "it connects to somebody it was not granted (--allow-connect)",
            Want::Name => "it looks up a name that it was not granted (--allow-connect)",
            Want::Datagrams => {
                "it reaches for UDP, which no option grants: all it sends datagrams to are its clients"
            }
        }
    }
}

/// What was denied to the guests of one handler so far.
#[derive(Default)]
pub struct Denials([AtomicBool; 6]);

impl Denials {
    /// Says, in `span`, that it is denied, unless that was said before.
    pub fn note(&self, want: Want, span: &Span) {
        self.say_once(want, format_args!("{}", want.denial()), span);
    }

    /// The same for a connection, of which it helps to know to whom.
    pub fn note_connection(&self, peer: SocketAddr, span: &Span) {
        let want = Want::Connection;
        self.say_once(want, format_args!("{}: {peer}", want.denial()), span);
    }

    fn say_once(&self, want: Want, text: fmt::Arguments, span: &Span) {
        if !self.0[want as usize].swap(true, Ordering::Relaxed) {
            let _entered = span.enter();
            tracing::info!(target: "guest", "{text}");
        }
    }
}
