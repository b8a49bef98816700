//! Exit codes and error output of commands. The codes are those of BSD's sysexits.h.

use super::disconnect::NobodyError;
use super::printable::{printable, tell};
use anyhow::Error;
use config::{ConfigError, Diagnostics};
use connection::handler::{CallError, SessionError};
use daemon::control::{ControlError, Refused, SocketError, TakeoverError};
use daemon::exchange_file::FileError;
use daemon::host::{ListenerError, StartError};
use daemon::logs::{
    self,
    output::{self, Stderr},
};
use daemon::process::InheritedError;
use daemon::swap::{BeginError, Refusal};
use engine::{CannotScan, EngineError, InvalidGrant, LoadError, panics};
use server::listener::{AdoptError, BindError};
use std::io::{self, Write};
use std::process::ExitCode;
use system::confinement::{ConfinementError, UserError};

/// As clap exits for what it finds itself.
#[cfg(feature = "tools")]
pub const USAGE: u8 = 2;
pub const BAD_HANDLER: u8 = 65;
const UNAVAILABLE: u8 = 69;
const INTERNAL: u8 = 70;
pub const IO: u8 = 74;
pub const CONFIGURATION: u8 = 78;

/// The exit code for an error, if it is one of those that it knows.
pub type CodeOf = fn(&(dyn std::error::Error + 'static)) -> Option<u8>;

/// What separates an error from its hints. Logs keep all on one line.
const HINT: &str = "; hint: ";

/// A server that cannot be reached.
#[derive(Debug, thiserror::Error)]
#[error("cannot connect to {endpoint}: {cause}")]
pub struct ConnectError {
    pub endpoint: String,
    pub cause: io::Error,
}

/// A reload that a host has refused.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RefusedReload(pub Refused);

/// Prints an error on a line, which ends in `end`, and each of its hints on another.
pub fn tell_with_hints(who: &str, text: &str, end: &str) {
    let mut parts = text.split(HINT);
    let error = parts.next().unwrap_or_default();
    tell(who, &format!("{error}{end}"));
    for hint in parts {
        tell("hint", hint);
    }
}

/// Prints why the command failed on one line, its hints on others, and the details of a refused
/// swap; or all mistakes of a file. Returns the exit code.
pub fn report(error: &Error, code_of_tool: CodeOf) -> ExitCode {
    if let Some(mistakes) = mistakes(error) {
        let _ = Stderr.write_all(mistakes.as_bytes());
        return ExitCode::from(code(error, code_of_tool));
    }
    let text = format!("{error:#}");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    tell_with_hints("echo-host", &text, "");
    if let Some(detail) = refused(error).and_then(|refused| refused.detail.as_ref()) {
        let _ = writeln!(Stderr, "{}", printable(detail.trim_end()));
    }
    ExitCode::from(code(error, code_of_tool))
}

/// All mistakes of a file, as they are shown, if that is the error.
fn mistakes(error: &Error) -> Option<String> {
    let told = error.chain().find_map(|cause| cause.downcast_ref());
    let told = told.map(|told: &Diagnostics| told.render(logs::may_color()));
    told.or_else(|| Some(printable(refused(error)?.mistakes.as_ref()?)))
}

fn refused(error: &Error) -> Option<&Refused> {
    let reload = error.downcast_ref().map(|RefusedReload(refused)| refused);
    reload.or_else(|| error.downcast_ref())
}

fn code(error: &Error, code_of_tool: CodeOf) -> u8 {
    error
        .chain()
        .find_map(|cause| {
            let is = Cause(cause);
            if is.a::<LoadError>()
                || is.a::<SessionError>()
                || is.a::<CallError>()
                || is.a::<Refused>()
            {
                Some(BAD_HANDLER)
            } else if is.a::<BindError>()
                || is.a::<ConnectError>()
                || is.a::<AdoptError>()
                || is.a::<InheritedError>()
                || is.a::<SocketError>()
                || is.a::<ControlError>()
                || is.a::<TakeoverError>()
                || is.a::<NobodyError>()
            {
                Some(UNAVAILABLE)
            } else if is.a::<ConfigError>()
                || is.a::<InvalidGrant>()
                || is.a::<FileError>()
                || is.a::<ConfinementError>()
                || is.a::<RefusedReload>()
                || is.a::<UserError>()
                || is.a::<CannotScan>()
            {
                Some(CONFIGURATION)
            } else if let Some(error) = cause.downcast_ref::<StartError>() {
                Some(match error {
                    StartError::Engine(_) => INTERNAL,
                    StartError::Config(_) => CONFIGURATION,
                    StartError::Service { cause, .. } => match cause {
                        BeginError::ProbeFile(_) | BeginError::Refused(Refusal::Config(_)) => {
                            CONFIGURATION
                        }
                        BeginError::Refused(_) => BAD_HANDLER,
                    },
                })
            } else if let Some(error) = cause.downcast_ref::<ListenerError>() {
                Some(match error {
                    ListenerError::Config(_) | ListenerError::Tls(_) => CONFIGURATION,
                    ListenerError::Bind(_) | ListenerError::Duplicate(_) => UNAVAILABLE,
                })
            } else if is.a::<EngineError>() {
                Some(INTERNAL)
            } else if let Some(code) = code_of_tool(cause) {
                Some(code)
            } else if is.a::<io::Error>() {
                Some(IO)
            } else {
                None
            }
        })
        .unwrap_or(INTERNAL)
}

struct Cause<'a>(&'a (dyn std::error::Error + 'static));

impl Cause<'_> {
    fn a<E: std::error::Error + 'static>(&self) -> bool {
        self.0.is::<E>()
    }
}

/// Reports a panic in one line, and exits with an internal error if it is in the main thread. A
/// panic in a connection's task ends only that connection. Caught panics are reported by their
/// catchers.
pub fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        if panics::is_caught() {
            return;
        }
        let location = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        let what = panic.payload_as_str().unwrap_or("unknown reason");
        let line = format!("echo-host: internal error at {location}: {what}\n");
        let _ = Stderr.write_all(line.as_bytes());
        if std::thread::current().name() == Some("main") {
            output::exit(i32::from(INTERNAL));
        }
    }));
}
