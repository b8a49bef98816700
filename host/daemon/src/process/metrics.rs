//! Serves the metrics of a running host.

use crate::control::Operator;
use crate::metrics::{self, Names};
use connection::address::Endpoint;
use nix::unistd::gethostname;
use server::listener::{BindError, Listener, SocketOptions, UnixAccess};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The listener for the metrics: one of the `given` (inherited) sockets, or a new one.
pub fn listener(
    place: Option<&Endpoint>,
    given: &mut Vec<Listener>,
) -> Result<Option<Listener>, BindError> {
    let Some(place) = place else {
        return Ok(None);
    };
    let listener = match given.iter().position(|it| place.admits(it.endpoint())) {
        Some(at) => given.remove(at),
        None => Listener::bind(place, UnixAccess::default(), &SocketOptions::default())?,
    };
    tracing::info!("metrics at {}", listener.endpoint());
    Ok(Some(listener))
}

/// The accepted names of the endpoint.
pub fn names(place: Option<&Endpoint>) -> Names {
    let machine = gethostname().ok().and_then(|name| name.into_string().ok());
    Names::new(place.unwrap_or(&Endpoint::Stdio), machine)
}

/// Serves the metrics, if configured, until a successor does.
pub async fn serve<O: Operator>(
    listener: Option<Listener>,
    names: Names,
    operator: Arc<O>,
    retired: CancellationToken,
) {
    if let Some(listener) = listener {
        retired
            .run_until_cancelled(metrics::serve(listener, names, operator))
            .await;
    }
}
