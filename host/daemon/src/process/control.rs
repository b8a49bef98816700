//! The control socket of a host that starts, and the host that it takes over from.

use crate::config::Place;
use crate::control::{ControlSocket, Predecessor, SocketError, default_path, find};
use anyhow::Context;

/// The host to take over from: the one behind the control socket of this place, or the only one that runs. It serves on
/// until it is told to [retire](socket).
pub fn predecessor(place: Option<&Place>) -> anyhow::Result<Predecessor> {
    let path = match place {
        Some(Place::At(path)) => path.clone(),
        Some(Place::Off) | None => find()?,
    };
    Ok(Predecessor::meet(&path)?)
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
