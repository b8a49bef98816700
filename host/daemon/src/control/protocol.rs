//! Replies, as lines of JSON. Pure: no sockets.

use super::connections::{ConnectionStatus, EndOfList, TapLine};
use super::profile::{EndOfProfile, ProfilePiece};
use super::status::{Refused, Reloaded, Status, Swapped};
use super::version::PROTOCOL_VERSION;
use connection::limits::MAX_CONTROL_DETAIL_BYTES;
use serde::{Deserialize, Serialize};

/// A reply to a [request](super::Request).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// To [`Request::Status`](super::Request::Status).
    Status(Box<Status>),
    /// To [`Request::Swap`](super::Request::Swap) and
    /// [`Request::RollBack`](super::Request::RollBack).
    Swapped(Swapped),
    /// To [`Request::Reload`](super::Request::Reload).
    Reloaded(Reloaded),
    /// To any of them.
    Refused(Refused),
    /// To [`Request::Connections`](super::Request::Connections): some of them, by id. More lines
    /// follow.
    Connections(Vec<ConnectionStatus>),
    /// The last line to [`Request::Connections`](super::Request::Connections).
    End(EndOfList),
    /// To [`Request::Disconnect`](super::Request::Disconnect).
    Disconnected {
        /// How many connections end.
        connections: u64,
    },
    /// To [`Request::Tap`](super::Request::Tap): it has begun. More lines follow.
    Tapping {
        /// How many connections it sees now.
        connections: u64,
    },
    /// The next lines to [`Request::Tap`](super::Request::Tap).
    Tapped(Vec<TapLine>),
    /// To [`Request::Profile`](super::Request::Profile): it has begun. More lines follow.
    Profiling {
        /// The names of the services.
        services: Vec<String>,
    },
    /// The next lines to [`Request::Profile`](super::Request::Profile).
    Profiled(ProfilePiece),
    /// The last line to [`Request::Profile`](super::Request::Profile).
    ProfileEnd(EndOfProfile),
    /// To [`Request::TakeOver`](super::Request::TakeOver): the URIs of the listeners, with as many
    /// descriptors.
    Listeners(Vec<String>),
    /// To [`Request::Retire`](super::Request::Retire).
    Retiring {
        /// The process that drains now.
        pid: u32,
    },
    /// The request is malformed or not allowed: why, in one line.
    Error(String),
}

#[derive(Deserialize)]
pub(super) struct AnyVersion {
    pub version: u64,
}

#[derive(Serialize)]
struct Outgoing<'a> {
    version: u32,
    #[serde(flatten)]
    reply: &'a Reply,
}

#[derive(Deserialize)]
struct Incoming {
    #[serde(flatten)]
    reply: Reply,
}

impl Reply {
    /// Parses a line, with or without its ending. An error says in one line what is wrong.
    pub fn decode(line: &[u8]) -> Result<Self, String> {
        let understood: Result<Incoming, _> = serde_json::from_slice(line);
        let error = match understood {
            Ok(Incoming { reply }) => return Ok(reply),
            Err(error) => error,
        };
        match serde_json::from_slice(line) {
            Ok(AnyVersion { version }) if version != u64::from(PROTOCOL_VERSION) => Err(format!(
                "the host has version {version} of the control protocol, and this client has \
                 version {PROTOCOL_VERSION}"
            )),
            _ => Err(one_line(&error.to_string())),
        }
    }

    /// The line of the reply, with its ending. Long details are cut.
    pub fn encode(mut self) -> Vec<u8> {
        if let Reply::Refused(Refused {
            detail, mistakes, ..
        }) = &mut self
        {
            detail.iter_mut().chain(mistakes).for_each(cut);
        }
        let outgoing = Outgoing {
            version: PROTOCOL_VERSION,
            reply: &self,
        };
        let mut line = serde_json::to_vec(&outgoing).expect("texts and numbers are JSON");
        line.push(b'\n');
        line
    }
}

/// A parse error may quote strings of the line, with line ends.
pub(super) fn one_line(what: &str) -> String {
    what.replace(char::is_control, " ")
}

fn cut(detail: &mut String) {
    if detail.len() > MAX_CONTROL_DETAIL_BYTES {
        detail.truncate(detail.floor_char_boundary(MAX_CONTROL_DETAIL_BYTES));
        detail.push_str("\n… (cut)");
    }
}
