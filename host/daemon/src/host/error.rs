//! Why a host does not start, or serves on as before.

use crate::config::{ConfigError, ServiceName};
use crate::swap::{BeginError, Refusal};
use engine::EngineError;
use server::listener::BindError;
use server::tls::TlsError;
use std::io;

/// Why a host does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// One of its services can't be served.
    #[error("{}{cause}", of(service))]
    Service {
        service: ServiceName,
        cause: BeginError,
    },
}

/// Why there is no listening on an address.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The socket of another listener can't be used for this one.
    #[error("cannot pass a listener on: {0}")]
    Duplicate(#[from] io::Error),
}

/// Why another configuration does not take effect.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Door(#[from] DoorError),
    /// Without a file the handler was to be read again.
    #[error(transparent)]
    Swap(#[from] Refusal),
}

/// Why there is no service to do something with.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WhichService {
    #[error(
        "no service is called `{name}`: there is {}",
        ServiceName::list(services)
    )]
    Unknown {
        name: String,
        services: Vec<ServiceName>,
    },
    #[error(
        "say which service is meant (--service NAME): there are {}",
        ServiceName::list(services)
    )]
    Several { services: Vec<ServiceName> },
}

impl ReloadError {
    /// More than one line says: what a probe expected and what it got.
    pub fn detail(&self) -> Option<&str> {
        match self {
            ReloadError::Swap(refusal)
            | ReloadError::Start(StartError::Service {
                cause: BeginError::Refused(refusal),
                ..
            }) => refusal.detail(),
            _ => None,
        }
    }
}

/// The only service that options make goes without saying.
fn of(service: &ServiceName) -> String {
    match *service == ServiceName::main() {
        true => String::new(),
        false => format!("service `{service}`: "),
    }
}
