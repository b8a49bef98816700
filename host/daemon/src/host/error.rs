//! Errors of starting and reloading a host.

use crate::swap::{BeginError, Refusal};
use config::{ConfigError, ServiceName, Sources};
use engine::EngineError;
use server::listener::BindError;
use server::tls::TlsError;
use std::io;

/// Why a host does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The configuration does not fit the handler, and the file says so.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A service cannot be served.
    #[error("{}{cause}", of(service))]
    Service {
        service: ServiceName,
        cause: BeginError,
    },
}

/// Why a listener cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ListenerError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The socket of another listener cannot be used.
    #[error("cannot pass on a listener: {0}")]
    Duplicate(#[from] io::Error),
}

/// Why a reload is refused.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Listener(#[from] ListenerError),
    /// Without a configuration file, the handler was to be reloaded.
    #[error(transparent)]
    Swap(#[from] Refusal),
}

/// Why a request does not name exactly one service.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WhichService {
    #[error(
        "there is no service `{name}`: expected {}",
        ServiceName::list(services)
    )]
    Unknown {
        name: String,
        services: Vec<ServiceName>,
    },
    #[error(
        "several services are running; hint: choose one with --service NAME: {}",
        ServiceName::list(services)
    )]
    Several { services: Vec<ServiceName> },
}

impl StartError {
    /// With the place in the file, if settings are the reason. Blocks.
    #[must_use]
    pub fn placed(self, sources: &Sources) -> Self {
        let StartError::Service {
            service,
            cause: BeginError::Refused(Refusal::Config(error)),
        } = self
        else {
            return self;
        };
        match sources.locate(&service, error) {
            error if error.diagnostics().is_some() => StartError::Config(error),
            error => StartError::Service {
                service,
                cause: BeginError::Refused(Refusal::Config(error)),
            },
        }
    }
}

impl ReloadError {
    /// All mistakes of the configuration file, in several lines.
    pub fn mistakes(&self) -> Option<String> {
        match self {
            ReloadError::Config(error) | ReloadError::Start(StartError::Config(error)) => {
                Some(error.diagnostics()?.render(false))
            }
            _ => None,
        }
    }

    /// Details in several lines: the expected and received lines of a probe.
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

/// The only service of a host without a configuration file needs no name.
fn of(service: &ServiceName) -> String {
    if *service == ServiceName::main() {
        String::new()
    } else {
        format!("service `{service}`: ")
    }
}
