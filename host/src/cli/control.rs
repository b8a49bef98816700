//! What `serve` is told about the control socket, and how commands find it.

use anyhow::Context;
use clap::Args;
use clap::builder::BoolishValueParser;
use clap::error::ErrorKind;
use echo_host::config::Place;
use echo_host::control::{ControlSocket, Predecessor, SocketError, default_path, find};
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(next_help_heading = "Control")]
pub struct ControlArgs {
    /// Do not create a control socket
    #[arg(long, value_parser = BoolishValueParser::new(), env = "ECHO_HOST_NO_CONTROL")]
    pub no_control: bool,
    /// Take the listening sockets over from the host at --control, or from the only one that runs. That host drains.
    /// --listen has no effect then
    #[arg(long)]
    takeover: bool,
}

impl ControlArgs {
    /// With `--takeover`, the host to take over from. It serves on until it is told to [retire](socket).
    pub fn predecessor(&self, place: Option<&Place>) -> anyhow::Result<Option<Predecessor>> {
        if !self.takeover {
            return Ok(None);
        }
        let path = match place {
            // Clap's own check goes by presence, and the variable may be there to say no.
            Some(Place::Off) => {
                let why = "--takeover needs a control socket: leave --no-control away\n";
                clap::Error::raw(ErrorKind::ArgumentConflict, why).exit();
            }
            Some(Place::At(path)) => path.clone(),
            None => find()?,
        };
        Ok(Some(Predecessor::meet(&path)?))
    }
}

/// The control socket, if there is to be one: a host that serves a single client has none `by_default`. Called
/// when all else is ready: it sends the predecessor into retirement and takes its socket's place.
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

/// The host that a command is meant for.
#[derive(Debug, Args)]
pub struct HostArg {
    /// The control socket of the host [default: that of the only host that runs]
    #[arg(long, value_name = "PATH", env = "ECHO_HOST_CONTROL")]
    control: Option<PathBuf>,
}

impl HostArg {
    /// The control socket that was named, or that of the only host that runs.
    pub fn path(&self) -> anyhow::Result<PathBuf> {
        match &self.control {
            Some(path) => Ok(path.clone()),
            None => Ok(find()?),
        }
    }
}
