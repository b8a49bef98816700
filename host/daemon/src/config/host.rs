//! What a host is: complete, and checked as far as it can be before anything is loaded or bound.

use super::error::ConfigError;
use super::listener::ListenerConfig;
use super::serve::ServeConfig;
use super::values::{OptionalPath, ServiceName};
use super::{HostSettings, LogFormat, LogLevel};
use connection::address::Endpoint;
use connection::limits::ServerLimits;
use connection::rates::RateLimits;
use std::path::PathBuf;
use system::confinement::{Identity, Sandbox};
use tracing::Span;

/// Everything a host is to be and to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostConfig {
    /// What it serves, at least one, each by a name of its own.
    pub services: Vec<ServiceConfig>,
    /// What all of them together may use.
    pub server_limits: ServerLimits,
    /// What each client address may have in a second, with all of them together.
    pub address_rates: RateLimits,
    /// Threads that serve; `None` for as many as the machine has cores.
    pub workers: Option<usize>,
    /// The folder where compiled code is kept; `None` to compile at every start.
    pub cache: Option<PathBuf>,
    /// The control socket; `None` for one with a path of its own.
    pub control: Option<OptionalPath>,
    /// Where the metrics are served; `None` for nowhere.
    pub metrics: Option<Endpoint>,
    /// The user to switch to after binding; `None` for whoever starts it.
    pub user: Option<Identity>,
    /// Whether the process is confined.
    pub sandbox: Sandbox,
    /// Folders it may read then beside those that are named elsewhere.
    pub sandbox_read: Vec<PathBuf>,
    /// How log lines are written.
    pub log_format: LogFormat,
    /// How much is logged.
    pub log_level: LogLevel,
    /// What all of this but the services came from, with the defaults.
    pub settings: HostSettings,
}

/// A handler and the listeners to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceConfig {
    /// What it is called. No other service of the host has the same name.
    pub name: ServiceName,
    /// Where clients connect to, at least one.
    pub listen: Vec<ListenerConfig>,
    /// Connections at once; `None` for as many as the host may have.
    pub max_connections: Option<usize>,
    /// What all its clients together may have in a second.
    pub rates: RateLimits,
    /// Whether the handler is swapped when its file changes.
    pub watch: bool,
    /// What computes the replies, and how.
    pub serve: ServeConfig,
}

impl ServiceConfig {
    /// Says in log lines which service they are about. The one that options make is the only one,
    /// and goes without saying.
    pub fn span(&self) -> Span {
        if self.name == ServiceName::main() {
            Span::none()
        } else {
            tracing::error_span!("service", name = %self.name)
        }
    }
}

impl HostConfig {
    /// Checks all that can be checked without the handlers.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let mut taken: Vec<(&ServiceName, &Endpoint)> = Vec::new();
        for service in &self.services {
            service.serve.grants.check()?;
            if service.listen.is_empty() {
                return Err(ConfigError::ListenNowhere(service.name.clone()));
            }
            for ListenerConfig { uri, .. } in &service.listen {
                let same = taken.iter().find(|(_, other)| *other == uri);
                if let Some((owner, _)) = same.filter(|_| !uri.is_any_port()) {
                    return Err(given_twice(uri, owner, &service.name));
                }
                taken.push((&service.name, uri));
            }
        }
        if let Some(metrics) = &self.metrics {
            if !matches!(metrics, Endpoint::Tcp(_) | Endpoint::Unix(_)) {
                return Err(ConfigError::MetricsPlace(metrics.clone()));
            }
            if taken
                .iter()
                .any(|(_, uri)| uri.shares_a_socket_with(metrics))
            {
                let endpoint = metrics.clone();
                return Err(ConfigError::MetricsBeside { endpoint });
            }
        }
        let is_stdio = |(_, uri): &(_, &Endpoint)| **uri == Endpoint::Stdio;
        if taken.len() > 1 && taken.iter().any(is_stdio) {
            return Err(ConfigError::StdioBeside);
        }
        Ok(())
    }
}

fn given_twice(endpoint: &Endpoint, one: &ServiceName, other: &ServiceName) -> ConfigError {
    let endpoint = endpoint.clone();
    if one == other {
        ConfigError::ListenTwice { endpoint }
    } else {
        ConfigError::ListenBoth {
            endpoint,
            one: one.clone(),
            other: other.clone(),
        }
    }
}
