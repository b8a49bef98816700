//! What a host is: complete, and checked as far as it can be before anything is loaded or bound.

use super::document::Place;
use super::error::{ConfigError, Finding};
use super::listener::ListenerConfig;
use super::serve::ServeConfig;
use super::values::{OptionalPath, ServiceName};
use super::{HostSettings, LogConnections, LogFormat, LogLevel};
use address::Endpoint;
use connection::limits::ServerLimits;
use connection::rates::RateLimits;
use engine::Wipe;
use std::num::NonZeroUsize;
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
    pub workers: Option<NonZeroUsize>,
    /// How memory of instances is wiped for the next ones.
    pub wipe: Wipe,
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
    /// Whether the end of each connection is logged.
    pub log_connections: LogConnections,
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

impl HostSettings {
    /// Finds listeners that cannot be served beside each other.
    pub(super) fn check_listeners(&self, found: &mut Vec<Finding>) {
        let mut taken: Vec<(&ServiceName, &Endpoint, Place)> = Vec::new();
        for (service, settings) in self.service.iter().flatten() {
            let listeners = settings.listen.as_deref().unwrap_or_default();
            let place = Place::of_keys(&["service", &service.to_string(), "listen"]);
            if listeners.is_empty() {
                let error = ConfigError::ListenNowhere(service.clone());
                found.push(Finding::at(place.clone(), error));
            }
            for (number, listener) in listeners.iter().enumerate() {
                let Some(uri) = &listener.uri else {
                    continue;
                };
                let place = place.clone().item(number).key("uri");
                let same = taken.iter().find(|(_, other, _)| other.conflicts_with(uri));
                if let Some((owner, other, first)) = same {
                    found.push(Finding {
                        beside: Some((first.clone(), "first here")),
                        ..Finding::at(place.clone(), conflict((owner, other), (service, uri)))
                    });
                }
                taken.push((service, uri, place));
            }
        }
        if let Some(metrics) = &self.metrics {
            let place = Place::of_keys(&["metrics"]);
            let same = taken.iter().find(|(_, uri, _)| uri.conflicts_with(metrics));
            let error = match (metrics, same) {
                (Endpoint::Tcp(_) | Endpoint::Unix(_), None) => None,
                (Endpoint::Tcp(_) | Endpoint::Unix(_), Some((_, uri, _))) if *uri != metrics => {
                    Some(overlap(uri, metrics))
                }
                (Endpoint::Tcp(_) | Endpoint::Unix(_), Some(_)) => {
                    Some(ConfigError::MetricsBeside {
                        endpoint: metrics.clone(),
                    })
                }
                _ => Some(ConfigError::MetricsPlace(metrics.clone())),
            };
            found.extend(error.map(|error| Finding {
                beside: same.map(|(_, _, listener)| (listener.clone(), "a listener")),
                ..Finding::at(place, error)
            }));
        }
        let stdio = taken.iter().find(|(_, uri, _)| **uri == Endpoint::Stdio);
        if let ([_, _, ..], Some((_, _, place))) = (&taken[..], stdio) {
            found.push(Finding::at(place.clone(), ConfigError::StdioBeside));
        }
    }
}

/// Why two services, or one, cannot listen on both.
fn conflict(
    (one, endpoint): (&ServiceName, &Endpoint),
    (other, wanted): (&ServiceName, &Endpoint),
) -> ConfigError {
    if !endpoint.shares_a_socket_with(wanted) {
        return overlap(endpoint, wanted);
    }
    let endpoint = wanted.clone();
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

/// The first is the one that listens on all addresses.
fn overlap(one: &Endpoint, other: &Endpoint) -> ConfigError {
    let (one, other) = if one.is_any_address() {
        (one, other)
    } else {
        (other, one)
    };
    ConfigError::Overlap {
        one: one.clone(),
        other: other.clone(),
    }
}
