//! Requests and replies, and the lines they are.

use super::status::{Refused, Reloaded, Status, Swapped};
use connection::limits::MAX_CONTROL_DETAIL_BYTES;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::PathBuf;

/// The version of the protocol that this host and this client speak.
pub const PROTOCOL_VERSION: u32 = 1;

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// How the host is doing.
    Status,
    /// Another handler for a service, or for the only one. Its path is absolute; `None` reads the current one's
    /// file again.
    Swap {
        service: Option<String>,
        handler: Option<PathBuf>,
    },
    /// The generation before a service's current one.
    RollBack { service: Option<String> },
    /// The configuration file is to be read again.
    Reload,
    /// The listening sockets.
    TakeOver,
    /// Follows [`Request::TakeOver`] on the same connection: the sockets have a new host.
    Retire,
}

/// What the host answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// To [`Request::Status`].
    Status(Box<Status>),
    /// To [`Request::Swap`] and [`Request::RollBack`].
    Swapped(Swapped),
    /// To [`Request::Reload`].
    Reloaded(Reloaded),
    /// To any of them.
    Refused(Refused),
    /// To [`Request::TakeOver`]: the listeners' URIs. As many descriptors come along.
    Listeners(Vec<String>),
    /// To [`Request::Retire`].
    Retiring {
        /// The process that drains now.
        pid: u32,
    },
    /// The request was not understood, or cannot be granted: why, in one line.
    Error(String),
}

/// Why a line is no request.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MalformedRequest {
    #[error(
        "expected one line of JSON such as {{\"version\":{PROTOCOL_VERSION},\"command\":\"status\"}}: {0}"
    )]
    Syntax(String),
    #[error(
        "this is echo-host {host} with version {PROTOCOL_VERSION} of the control protocol, and the request is of version {0}: use the echo-host of the running host's version",
        host = env!("CARGO_PKG_VERSION")
    )]
    Version(u64),
    #[error("`{0}` is no command: expected status, swap, roll-back, reload, take-over or retire")]
    Command(String),
    #[error("only swap takes a handler")]
    Handler,
    #[error("only swap and roll-back are for one service")]
    Service,
    #[error("the handler's path must be absolute")]
    Relative,
}

#[derive(Deserialize)]
struct AnyVersion {
    version: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Members {
    #[serde(rename = "version")]
    _version: u64,
    command: String,
    service: Option<String>,
    handler: Option<PathBuf>,
}

impl Request {
    /// The request in a line, with or without its ending.
    pub fn decode(line: &[u8]) -> Result<Self, MalformedRequest> {
        let syntax =
            |error: serde_json::Error| MalformedRequest::Syntax(one_line(&error.to_string()));
        // The version first: another one's members need not make sense here.
        let AnyVersion { version } = serde_json::from_slice(line).map_err(syntax)?;
        if version != u64::from(PROTOCOL_VERSION) {
            return Err(MalformedRequest::Version(version));
        }
        let members: Members = serde_json::from_slice(line).map_err(syntax)?;
        let Members {
            command,
            service,
            handler,
            ..
        } = members;
        match command.as_str() {
            "swap" => match handler {
                Some(path) if !path.is_absolute() => Err(MalformedRequest::Relative),
                handler => Ok(Request::Swap { service, handler }),
            },
            _ if handler.is_some() => Err(MalformedRequest::Handler),
            "roll-back" => Ok(Request::RollBack { service }),
            _ if service.is_some() => Err(MalformedRequest::Service),
            "status" => Ok(Request::Status),
            "reload" => Ok(Request::Reload),
            "take-over" => Ok(Request::TakeOver),
            "retire" => Ok(Request::Retire),
            _ => Err(MalformedRequest::Command(one_line(&command))),
        }
    }

    /// The line that asks for it, with its ending. `None` if the handler's path is not UTF-8.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let mut members = json!({ "version": PROTOCOL_VERSION, "command": self.command() });
        if let Request::Swap {
            handler: Some(path),
            ..
        } = self
        {
            members["handler"] = path.to_str()?.into();
        }
        if let Request::Swap {
            service: Some(service),
            ..
        }
        | Request::RollBack {
            service: Some(service),
        } = self
        {
            members["service"] = service.as_str().into();
        }
        Some(format!("{members}\n").into_bytes())
    }

    fn command(&self) -> &'static str {
        match self {
            Request::Status => "status",
            Request::Swap { .. } => "swap",
            Request::RollBack { .. } => "roll-back",
            Request::Reload => "reload",
            Request::TakeOver => "take-over",
            Request::Retire => "retire",
        }
    }
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
    /// The reply in a line, with or without its ending. An error says, in one line, what it is instead.
    pub fn decode(line: &[u8]) -> Result<Self, String> {
        let understood: Result<Incoming, _> = serde_json::from_slice(line);
        let error = match understood {
            Ok(Incoming { reply }) => return Ok(reply),
            Err(error) => error,
        };
        match serde_json::from_slice(line) {
            Ok(AnyVersion { version }) if version != u64::from(PROTOCOL_VERSION) => Err(format!(
                "it speaks version {version} of the control protocol, and this client version {PROTOCOL_VERSION}"
            )),
            _ => Err(one_line(&error.to_string())),
        }
    }

    /// The line that says it, with its ending. Long details are cut.
    pub fn encode(mut self) -> Vec<u8> {
        if let Reply::Refused(Refused {
            detail: Some(detail),
            ..
        }) = &mut self
        {
            cut(detail);
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

/// What is wrong with a line may quote what it has in strings, ends of lines among it.
fn one_line(what: &str) -> String {
    what.replace(char::is_control, " ")
}

fn cut(detail: &mut String) {
    if detail.len() > MAX_CONTROL_DETAIL_BYTES {
        detail.truncate(detail.floor_char_boundary(MAX_CONTROL_DETAIL_BYTES));
        detail.push_str("\n… (cut)");
    }
}
