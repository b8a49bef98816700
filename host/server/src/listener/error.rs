//! Why an endpoint cannot be listened on.

use address::Endpoint;
use std::io;
use system::listening::{Holder, holder};
use system::unix_socket::SocketFileError;

/// Why an endpoint cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {}: {}", name(endpoint), reason(endpoint, cause, holder.as_ref()))]
pub struct BindError {
    /// The requested endpoint.
    pub endpoint: Endpoint,
    /// The reason.
    pub cause: SocketFileError,
    /// The process that listens there, if it can be seen.
    pub holder: Option<Holder>,
}

impl BindError {
    pub(super) fn new(endpoint: &Endpoint, cause: SocketFileError) -> Self {
        let is_taken = |it: &io::Error| it.kind() == io::ErrorKind::AddrInUse;
        let is_taken = matches!(&cause, SocketFileError::Io(error) if is_taken(error));
        let is_udp = matches!(endpoint, Endpoint::Udp(_));
        let port = endpoint.network().filter(|_| is_taken).map(|at| at.port);
        BindError {
            endpoint: endpoint.clone(),
            cause,
            holder: port.and_then(|port| holder(port, is_udp)),
        }
    }
}

/// Without its last colon, if it ends in one.
fn name(endpoint: &Endpoint) -> String {
    endpoint.to_string().trim_end_matches(':').to_owned()
}

fn reason(endpoint: &Endpoint, cause: &SocketFileError, holder: Option<&Holder>) -> String {
    let error = match (cause, endpoint.network()) {
        (SocketFileError::Io(error), Some(_)) => error,
        _ => return cause.to_string(),
    };
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            let by = holder.map(|it| format!(" by `{}`, process {}", it.program, it.process));
            format!(
                "address already in use{}; hint: use another port, or port 0 to let the system \
                 choose one",
                by.unwrap_or_default()
            )
        }
        io::ErrorKind::AddrNotAvailable => match error.raw_os_error() {
            Some(_) => "this machine does not have this address".into(),
            // Our own error names the missing interface.
            None => error.to_string(),
        },
        io::ErrorKind::PermissionDenied => {
            "permission denied; hint: a port below 1024 needs a privilege: start as root with \
             --user, allow the program with `setcap cap_net_bind_service=+ep`, or let systemd pass \
             the socket"
                .into()
        }
        _ => error.to_string(),
    }
}
