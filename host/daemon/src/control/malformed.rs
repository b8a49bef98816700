//! What can be wrong with a request.

use super::version::PROTOCOL_VERSION;

/// Why a line is not a request.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MalformedRequest {
    #[error(
        "expected one line of JSON such as {{\"version\":{PROTOCOL_VERSION},\"command\":\"status\"}}: {0}"
    )]
    Syntax(String),
    #[error(
        "the request has version {0} of the control protocol, and this is echo-host {host} with \
         version {PROTOCOL_VERSION}; hint: use the echo-host of the running host's version",
        host = env!("CARGO_PKG_VERSION")
    )]
    Version(u64),
    #[error(
        "unknown command `{0}`: expected status, connections, disconnect, tap, profile, swap, \
         roll-back, reload, take-over or retire"
    )]
    Command(String),
    #[error("only swap accepts a handler and imports to allow")]
    Handler,
    #[error("only roll-back accepts a generation")]
    Generation,
    #[error("only swap, roll-back, connections, disconnect, tap and profile accept a service")]
    Service,
    #[error("only connections, disconnect and tap accept a connection and a peer")]
    Wanted,
    #[error("only connections accepts a time to measure")]
    Measure,
    #[error("only profile accepts a duration")]
    Duration,
    #[error("profile needs a duration")]
    NoDuration,
    #[error("only disconnect accepts at-once")]
    AtOnce,
    #[error("disconnect needs a connection, a peer or a service")]
    Nobody,
    #[error("the handler's path must be absolute, or the name of a demo")]
    Relative,
}
