//! What a host is told.

use super::service::ServiceSettings;
use super::values::{OptionalNumber, OptionalSize, Place, ServiceName, Size, Time};
use super::written;
use connection::address::Endpoint;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use system::confinement::{Identity, Sandbox};

/// All that can be said about a host, none of which has to be: the form of the configuration file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct HostSettings {
    /// Threads that serve. Default: one for each core.
    pub workers: Option<NonZeroUsize>,
    /// Connections served at once, by all services together; further clients wait. Default: 1000.
    pub max_connections: Option<NonZeroUsize>,
    /// Connections that clients with one address, or in one IPv6 network of 64 bits, may have at once; further ones
    /// are closed. Off for any number. Default: 500.
    pub max_connections_per_ip: Option<OptionalNumber>,
    /// Connections that one user of this machine may have at once by Unix sockets; further ones are closed. Off for any
    /// number. Default: 500.
    pub max_connections_per_uid: Option<OptionalNumber>,
    /// New connections that clients with one address, or in one IPv6 network of 64 bits, may make in a second, with all
    /// services together; further ones are closed. Off for any number. Default: off.
    pub max_new_connections_per_second_per_ip: Option<OptionalNumber>,
    /// Messages that such clients may send in a second; further ones wait, and datagrams are dropped. Default: off.
    pub max_messages_per_second_per_ip: Option<OptionalNumber>,
    /// Bytes that such clients may send in a second; they are not read from until then, and datagrams are dropped.
    /// Default: off.
    pub max_bytes_per_second_per_ip: Option<OptionalSize>,
    /// Memory that all instances of all services may have together. Default: three quarters of what the machine has,
    /// or of what the host's control group may have.
    pub max_guest_memory: Option<Size>,
    /// Memory that the host keeps when instances are gone, for those to come; more makes new connections cheaper, up to
    /// 256 KiB for each place of an instance. Default: 128MiB.
    pub max_warm_memory: Option<Size>,
    /// How long open connections may go on when the host is stopped. Default: 10s.
    pub drain_timeout: Option<Time>,
    /// The folder where compiled code is kept, or off. Default: echo-host in the user's cache folder; if the host is to
    /// become another user, none.
    pub cache: Option<Place>,
    /// The control socket, or off. Default: PID.sock in echo-host in XDG_RUNTIME_DIR, or in a private folder
    /// among the temporary files.
    pub control: Option<Place>,
    /// Where the metrics are served over HTTP: tcp://ADDR:PORT or unix:PATH. Default: nowhere.
    #[cfg_attr(test, schemars(with = "Option<crate::config::schema::Endpoint>"))]
    #[serde(default, deserialize_with = "written::option")]
    pub metrics: Option<Endpoint>,
    /// Whom the host is, USER or USER:GROUP by name or number, from when it has bound its listeners: it is started as
    /// root for that. Default: whoever starts it.
    #[cfg_attr(test, schemars(with = "Option<crate::config::schema::Identity>"))]
    #[serde(default, deserialize_with = "written::option")]
    pub user: Option<Identity>,
    /// Whether the process denies itself what it does not need (Linux only). Default: auto, as far as the kernel can.
    #[cfg_attr(test, schemars(with = "Option<crate::config::schema::Sandbox>"))]
    pub sandbox: Option<Sandbox>,
    /// Folders that may be read in the sandbox beside those that the configuration names at the start. Default: none.
    pub sandbox_read: Option<Vec<PathBuf>>,
    /// How log lines are written to standard error. Default: text.
    pub log_format: Option<LogFormat>,
    /// How much is logged. Default: info.
    pub log_level: Option<LogLevel>,
    /// The services by their names, which are made of a to z, 0 to 9 and hyphens. Default: one, called main.
    pub service: BTreeMap<ServiceName, ServiceSettings>,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines: one object a line.
    Json,
}

/// How much is logged: lines of this level and of those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What failed.
    Error,
    /// What is not as it should be.
    Warn,
    /// What happens to the host.
    #[default]
    Info,
    /// What happens to single connections.
    Debug,
    /// Everything.
    Trace,
}

impl HostSettings {
    /// What is said here, and for the rest what `lower` says. Its services stay as they are there.
    pub fn or(self, lower: Self) -> Self {
        HostSettings {
            workers: self.workers.or(lower.workers),
            max_connections: self.max_connections.or(lower.max_connections),
            max_connections_per_ip: self.max_connections_per_ip.or(lower.max_connections_per_ip),
            max_connections_per_uid: self
                .max_connections_per_uid
                .or(lower.max_connections_per_uid),
            max_new_connections_per_second_per_ip: self
                .max_new_connections_per_second_per_ip
                .or(lower.max_new_connections_per_second_per_ip),
            max_messages_per_second_per_ip: self
                .max_messages_per_second_per_ip
                .or(lower.max_messages_per_second_per_ip),
            max_bytes_per_second_per_ip: self
                .max_bytes_per_second_per_ip
                .or(lower.max_bytes_per_second_per_ip),
            max_guest_memory: self.max_guest_memory.or(lower.max_guest_memory),
            max_warm_memory: self.max_warm_memory.or(lower.max_warm_memory),
            drain_timeout: self.drain_timeout.or(lower.drain_timeout),
            cache: self.cache.or(lower.cache),
            control: self.control.or(lower.control),
            metrics: self.metrics.or(lower.metrics),
            user: self.user.or(lower.user),
            sandbox: self.sandbox.or(lower.sandbox),
            sandbox_read: self.sandbox_read.or(lower.sandbox_read),
            log_format: self.log_format.or(lower.log_format),
            log_level: self.log_level.or(lower.log_level),
            service: lower.service.into_iter().chain(self.service).collect(),
        }
    }

    /// Has its paths begin in `folder`, unless they are absolute.
    pub(super) fn move_to(&mut self, folder: &Path) {
        for place in self.cache.iter_mut().chain(&mut self.control) {
            if let Place::At(path) = place {
                *path = folder.join(&path);
            }
        }
        if let Some(Endpoint::Unix(address)) = &mut self.metrics {
            address.move_to(folder);
        }
        for path in self.sandbox_read.iter_mut().flatten() {
            *path = folder.join(&path);
        }
        for service in self.service.values_mut() {
            service.move_to(folder);
        }
    }
}
