//! Options of the control socket, for `serve` and for commands that connect to it.

use anyhow::Context;
use clap::Args;
use clap::builder::BoolishValueParser;
use clap::error::ErrorKind;
use echo_host::address::Endpoint;
use echo_host::config::Place;
use echo_host::control::{ControlSocket, Predecessor, SocketError, default_path, find};
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(next_help_heading = "Control")]
pub struct ControlArgs {
    /// Control socket for status, swap, reload and takeover [default: PID.sock in echo-host in
    /// XDG_RUNTIME_DIR, or in a private folder among the temporary files]
    #[arg(long, value_name = "PATH", env = "ECHO_HOST_CONTROL")]
    control: Option<Place>,
    /// Run without a control socket
    #[arg(long, value_parser = BoolishValueParser::new(), env = "ECHO_HOST_NO_CONTROL")]
    no_control: bool,
    /// Serve Prometheus metrics over HTTP at /metrics on tcp://ADDR:PORT or unix:PATH [default:
    /// nowhere]
    #[arg(long, value_name = "URI", env = "ECHO_HOST_METRICS")]
    metrics: Option<Endpoint>,
    /// Take over the sockets of the host that --control names, or of the only running one
    #[arg(long)]
    takeover: bool,
}

impl ControlArgs {
    /// The settings of the control socket.
    pub fn place(&self) -> Option<Place> {
        match self.no_control {
            true => Some(Place::Off),
            false => self.control.clone(),
        }
    }

    /// The settings of the metrics.
    pub fn metrics(&self) -> Option<Endpoint> {
        self.metrics.clone()
    }

    /// With `--takeover`, the host to take over from. It keeps serving until it is told to
    /// [retire](socket).
    pub fn predecessor(&self, place: Option<&Place>) -> anyhow::Result<Option<Predecessor>> {
        if !self.takeover {
            return Ok(None);
        }
        let path = match place {
            // Clap only checks presence, and the variable may be present and say no.
            Some(Place::Off) => {
                let why = "--takeover needs a control socket: omit --no-control\n";
                clap::Error::raw(ErrorKind::ArgumentConflict, why).exit();
            }
            Some(Place::At(path)) => path.clone(),
            None => find()?,
        };
        Ok(Some(Predecessor::meet(&path)?))
    }
}

/// The control socket, if there is one: a host that serves a single client has none `by_default`.
/// Called when everything else is ready: it makes the predecessor retire and replaces its socket.
pub fn socket(
    place: Option<&Place>,
    predecessor: Option<Predecessor>,
    by_default: bool,
) -> anyhow::Result<Option<ControlSocket>> {
    let socket = match (predecessor, place) {
        (Some(predecessor), _) => predecessor.retire().context("cannot take over")?,
        (None, Some(Place::Off)) => None,
        (None, Some(Place::At(path))) => Some(ControlSocket::bind(path)?),
        (None, None) if !by_default => None,
        (None, None) => default_socket()
            .inspect_err(|error| {
                tracing::warn!("serving without a control socket (--no-control): {error}");
            })
            .ok(),
    };
    if let Some(socket) = &socket {
        tracing::info!("control socket {}", socket.path().display());
    }
    Ok(socket)
}

fn default_socket() -> Result<ControlSocket, SocketError> {
    ControlSocket::bind(&default_path()?)
}

/// The host that a command talks to.
#[derive(Debug, Args)]
pub struct HostArg {
    /// Control socket of the host [default: that of the only running host]
    #[arg(long, value_name = "PATH", env = "ECHO_HOST_CONTROL")]
    control: Option<PathBuf>,
}

impl HostArg {
    /// The named control socket, or that of the only running host.
    pub fn path(&self) -> anyhow::Result<PathBuf> {
        match &self.control {
            Some(path) => Ok(path.clone()),
            None => Ok(find()?),
        }
    }
}
