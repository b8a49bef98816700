//! Which connections of a running host a command is about, and how it is asked for.

use super::control::HostArg;
use clap::Args;
use daemon::control::{ControlError, Refused, Wanted};
use server::admission::{InvalidNetwork, Network};
use std::path::Path;

/// The connections of a service or of some clients.
#[derive(Debug, Args)]
pub struct WhichArgs {
    /// Connections of this service
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Connections of clients in this network, or with this address
    #[arg(long, value_name = "NET", value_parser = network)]
    peer: Option<String>,
    #[command(flatten)]
    pub host: HostArg,
}

/// The host parses it again; here a mistake is wrong usage.
fn network(text: &str) -> Result<String, String> {
    match text.parse::<Network>() {
        // The host may be in another network namespace.
        Ok(_) | Err(InvalidNetwork::NoInterface(_)) => Ok(text.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

impl WhichArgs {
    /// What is wanted, or only this connection of it.
    pub fn wanted(&self, connection: Option<u64>) -> Wanted {
        Wanted {
            service: self.service.clone(),
            connection,
            peer: self.peer.clone(),
        }
    }
}

/// A request that the host has refused.
pub fn refused(path: &Path, refused: Refused) -> ControlError {
    ControlError::Declined {
        path: path.to_owned(),
        reason: refused.reason,
    }
}

/// A reply to another request.
pub fn unexpected(path: &Path) -> ControlError {
    ControlError::Answer {
        path: path.to_owned(),
        what: "not a reply to this request".into(),
    }
}
