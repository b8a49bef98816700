//! The control socket of a starting host, and its predecessor in a takeover.

use crate::control::{ControlSocket, Predecessor, SocketError, default_path, find};
use anyhow::Context;
use config::OptionalPath;

/// The predecessor: the host behind this control socket, or the only running one. It keeps serving
/// until it is told to [retire](socket).
pub fn predecessor(option: Option<&OptionalPath>) -> anyhow::Result<Predecessor> {
    let path = match option {
        Some(OptionalPath::At(path)) => path.clone(),
        Some(OptionalPath::Off) | None => find()?,
    };
    Ok(Predecessor::meet(&path)?)
}

/// Creates the control socket, if configured: a host that serves a single client has none
/// `by_default`. Called when everything else is ready: it makes the predecessor retire and replaces
/// its socket.
pub fn socket(
    option: Option<&OptionalPath>,
    predecessor: Option<Predecessor>,
    by_default: bool,
) -> anyhow::Result<Option<ControlSocket>> {
    let socket = match (predecessor, option) {
        (Some(predecessor), _) => predecessor.retire().context("cannot take over")?,
        (None, Some(OptionalPath::Off)) => None,
        (None, Some(OptionalPath::At(path))) => Some(ControlSocket::bind(path)?),
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
