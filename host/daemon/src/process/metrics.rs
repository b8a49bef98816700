//! Serves the metrics of a running host.

use crate::control::Operator;
use crate::metrics::{self, Names};
use address::Endpoint;
use nix::unistd::gethostname;
use server::listener::{BindError, Listener, SocketOptions, UnixAccess};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The listener for the metrics: one of the `given` (inherited) sockets, or a new one.
pub fn listener(
    endpoint: Option<&Endpoint>,
    given: &mut Vec<Listener>,
) -> Result<Option<Listener>, BindError> {
    let Some(endpoint) = endpoint else {
        return Ok(None);
    };
    let listener = match given.iter().position(|it| endpoint.admits(it.endpoint())) {
        Some(at) => given.remove(at),
        None => Listener::bind(endpoint, UnixAccess::default(), &SocketOptions::default())?,
    };
    tracing::info!("metrics at {}", listener.endpoint());
    Ok(Some(listener))
}

/// The accepted names of the endpoint.
pub fn names(endpoint: Option<&Endpoint>) -> Names {
    let machine = gethostname().ok().and_then(|name| name.into_string().ok());
    Names::new(endpoint.unwrap_or(&Endpoint::Stdio), machine)
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
