//! Logs what a guest uses without a grant. The access is denied, and logged once for each loaded
//! handler: the operator learns which grant is needed, and nobody can flood the log.
//!
//! An import alone is not an access: every program with a standard library imports all of them.
//! `watched` and `no_files` detect real accesses.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use tracing::Span;

/// Something that needs a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Environment variables.
    Environment,
    /// Files and directories.
    Files,
    /// TCP sockets.
    Network,
    /// A connection to an address that is not granted.
    Connection,
    /// A lookup of a name that is not granted.
    Name,
    /// UDP sockets.
    Datagrams,
}

impl Want {
    fn denial(self) -> &'static str {
        match self {
            Want::Environment => "environment variables denied: none are granted (--env)",
            Want::Files => "file access denied: no directory is granted (--dir)",
            Want::Network => "network access denied: no host is granted (--allow-connect)",
            Want::Connection => "connection denied: this address is not granted (--allow-connect)",
            Want::Name => "name lookup denied: this name is not granted (--allow-connect)",
            Want::Datagrams => {
                "UDP socket denied: no option grants one; a handler sends datagrams only to its \
                 clients"
            }
        }
    }
}

/// The denials logged for a handler so far.
#[derive(Default)]
pub struct Denials([AtomicBool; 6]);

impl Denials {
    /// Logs the denial in `span`, the first time.
    pub fn note(&self, want: Want, span: &Span) {
        self.say_once(want, format_args!("{}", want.denial()), span);
    }

    /// The same for a connection, with its address.
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
