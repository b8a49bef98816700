//! What `serve` is told about the control socket, and how commands find it.

use anyhow::Context;
use clap::Args;
use clap::builder::FalseyValueParser;
use clap::error::ErrorKind;
use echo_host::control::{ControlSocket, Predecessor, SocketError, default_path, find};
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(next_help_heading = "Control")]
pub struct ControlArgs {
    /// Where `status`, `swap` and a successor reach this host: a Unix socket that only its owner can use
    /// [default: PID.sock in echo-host in XDG_RUNTIME_DIR, or in a private folder among the temporary files]
    #[arg(long, value_name = "PATH", env = "ECHO_HOST_CONTROL")]
    control: Option<PathBuf>,
    /// Have no control socket
    #[arg(long, value_parser = FalseyValueParser::new(), env = "ECHO_HOST_NO_CONTROL")]
    no_control: bool,
    /// Take the listening sockets over from the host that --control names, or from the only one that runs, as
    /// soon as this one can serve; that host drains. --listen has no effect then
    #[arg(long)]
    takeover: bool,
}

impl ControlArgs {
    /// With `--takeover`, the host to take over from. It serves on until [`ControlArgs::socket`].
    pub fn predecessor(&self) -> anyhow::Result<Option<Predecessor>> {
        if !self.takeover {
            return Ok(None);
        }
        if self.no_control {
            // Clap's own check goes by presence, and the variable may be there to say no.
            let why = "--takeover needs a control socket: leave --no-control away\n";
            clap::Error::raw(ErrorKind::ArgumentConflict, why).exit();
        }
        let path = match &self.control {
            Some(path) => path.clone(),
            None => find()?,
        };
        Ok(Some(Predecessor::meet(&path)?))
    }

    /// The control socket, if there is to be one: a host that serves a single client has none `by_default`.
    /// Called when all else is ready: it sends the predecessor into retirement and takes its socket's place.
    pub fn socket(
        &self,
        predecessor: Option<Predecessor>,
        by_default: bool,
    ) -> anyhow::Result<Option<ControlSocket>> {
        let socket = match (predecessor, &self.control) {
            (Some(predecessor), _) => predecessor.retire().context("cannot take over")?,
            (None, _) if self.no_control => None,
            (None, Some(path)) => Some(ControlSocket::bind(path)?),
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
