//! Requests, as lines of JSON. Pure: no sockets.

use super::connections::Wanted;
use super::malformed::MalformedRequest;
use super::protocol::{AnyVersion, one_line};
use super::version::PROTOCOL_VERSION;
use engine::Demo;
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// The status of the host.
    Status,
    /// Swaps the handler of a service, or of the only one. The path is absolute; `None` reads the
    /// current file again.
    Swap {
        service: Option<String>,
        handler: Option<PathBuf>,
        /// Imports that the new version may have beyond those of the current one.
        allow_imports: Vec<String>,
    },
    /// Back to the previous generation of a service, or to the one of this number.
    RollBack {
        service: Option<String>,
        generation: Option<u64>,
    },
    /// Reload the configuration file.
    Reload,
    /// Lists connections. With a time, measures their time in calls for so long before.
    Connections {
        wanted: Wanted,
        measure: Option<Duration>,
    },
    /// Ends connections: gracefully, or at once.
    Disconnect { wanted: Wanted, at_once: bool },
    /// Shows the traffic of connections until the client disconnects.
    Tap(Wanted),
    /// Samples running guests of a service, or of all, for this time.
    Profile {
        service: Option<String>,
        duration: Duration,
    },
    /// Pass on the listening sockets.
    TakeOver,
    /// Follows [`Request::TakeOver`] on the same connection: the sockets have a new host now.
    Retire,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Members {
    #[serde(rename = "version")]
    _version: u64,
    command: String,
    service: Option<String>,
    handler: Option<PathBuf>,
    #[serde(default, rename = "allow-imports")]
    allow_imports: Vec<String>,
    generation: Option<u64>,
    connection: Option<u64>,
    peer: Option<String>,
    #[serde(rename = "measure-milliseconds")]
    measure_milliseconds: Option<u64>,
    #[serde(rename = "duration-milliseconds")]
    duration_milliseconds: Option<u64>,
    #[serde(default, rename = "at-once")]
    at_once: bool,
}

impl Members {
    /// Refuses members that this command does not have. The match of commands refuses the others.
    fn check(&self) -> Result<(), MalformedRequest> {
        let command = self.command.as_str();
        let is_for_some = matches!(command, "connections" | "disconnect" | "tap");
        if !is_for_some && (self.connection.is_some() || self.peer.is_some()) {
            return Err(MalformedRequest::Wanted);
        }
        if self.measure_milliseconds.is_some() && command != "connections" {
            return Err(MalformedRequest::Measure);
        }
        if self.duration_milliseconds.is_some() && command != "profile" {
            return Err(MalformedRequest::Duration);
        }
        if self.at_once && command != "disconnect" {
            return Err(MalformedRequest::AtOnce);
        }
        Ok(())
    }
}

impl Request {
    /// Parses a line, with or without its ending.
    pub fn decode(line: &[u8]) -> Result<Self, MalformedRequest> {
        let syntax =
            |error: serde_json::Error| MalformedRequest::Syntax(one_line(&error.to_string()));
        // The version first: members of another version may not parse.
        let AnyVersion { version } = serde_json::from_slice(line).map_err(syntax)?;
        if version != u64::from(PROTOCOL_VERSION) {
            return Err(MalformedRequest::Version(version));
        }
        let members: Members = serde_json::from_slice(line).map_err(syntax)?;
        members.check()?;
        let Members {
            command,
            service,
            handler,
            allow_imports,
            generation,
            connection,
            peer,
            measure_milliseconds,
            duration_milliseconds,
            at_once,
            ..
        } = members;
        let wanted = |service| Wanted {
            service,
            connection,
            peer,
        };
        match command.as_str() {
            "swap" => match handler {
                Some(path) if !path.is_absolute() && Demo::named(&path).is_none() => {
                    Err(MalformedRequest::Relative)
                }
                handler => Ok(Request::Swap {
                    service,
                    handler,
                    allow_imports,
                }),
            },
            _ if handler.is_some() || !allow_imports.is_empty() => Err(MalformedRequest::Handler),
            "roll-back" => Ok(Request::RollBack {
                service,
                generation,
            }),
            _ if generation.is_some() => Err(MalformedRequest::Generation),
            "connections" => Ok(Request::Connections {
                wanted: wanted(service),
                measure: measure_milliseconds.map(Duration::from_millis),
            }),
            "disconnect" => match wanted(service) {
                wanted if wanted.is_all() => Err(MalformedRequest::Nobody),
                wanted => Ok(Request::Disconnect { wanted, at_once }),
            },
            "tap" => Ok(Request::Tap(wanted(service))),
            "profile" => {
                let duration = duration_milliseconds.ok_or(MalformedRequest::NoDuration)?;
                let duration = Duration::from_millis(duration);
                Ok(Request::Profile { service, duration })
            }
            _ if service.is_some() => Err(MalformedRequest::Service),
            "status" => Ok(Request::Status),
            "reload" => Ok(Request::Reload),
            "take-over" => Ok(Request::TakeOver),
            "retire" => Ok(Request::Retire),
            _ => Err(MalformedRequest::Command(one_line(&command))),
        }
    }

    /// The line of the request, with its ending. `None` if the handler's path is not UTF-8.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let mut members = json!({ "version": PROTOCOL_VERSION, "command": self.command() });
        let service = match self {
            Request::Swap {
                service,
                handler,
                allow_imports,
            } => {
                if let Some(path) = handler {
                    members["handler"] = path.to_str()?.into();
                }
                if !allow_imports.is_empty() {
                    members["allow-imports"] = allow_imports.clone().into();
                }
                service
            }
            Request::RollBack {
                service,
                generation,
            } => {
                if let Some(number) = generation {
                    members["generation"] = (*number).into();
                }
                service
            }
            Request::Connections { wanted, measure } => {
                if let Some(measure) = measure {
                    members["measure-milliseconds"] = (measure.as_millis() as u64).into();
                }
                select(&mut members, wanted)
            }
            Request::Disconnect { wanted, at_once } => {
                if *at_once {
                    members["at-once"] = true.into();
                }
                select(&mut members, wanted)
            }
            Request::Tap(wanted) => select(&mut members, wanted),
            Request::Profile { service, duration } => {
                members["duration-milliseconds"] = (duration.as_millis() as u64).into();
                service
            }
            Request::Status | Request::Reload | Request::TakeOver | Request::Retire => &None,
        };
        if let Some(service) = service {
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
            Request::Connections { .. } => "connections",
            Request::Disconnect { .. } => "disconnect",
            Request::Tap(_) => "tap",
            Request::Profile { .. } => "profile",
            Request::TakeOver => "take-over",
            Request::Retire => "retire",
        }
    }
}

/// Adds which connections are wanted, except their service, which it returns.
fn select<'a>(members: &mut Value, wanted: &'a Wanted) -> &'a Option<String> {
    if let Some(id) = wanted.connection {
        members["connection"] = id.into();
    }
    if let Some(peer) = &wanted.peer {
        members["peer"] = peer.as_str().into();
    }
    &wanted.service
}
