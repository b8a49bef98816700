//! Completes what was said by what holds where nothing was: the defaults are here, but for those that wait for the
//! handler to be known.

use super::door::ListenerConfig;
use super::error::ConfigError;
use super::host::{HostConfig, ServiceConfig};
use super::machine;
use super::serve::{ServeConfig, SwapConfig};
use super::service::ServiceSettings;
use super::settings::HostSettings;
use super::values::{
    MemorySize, MessageSize, OptionalNumber, OptionalSize, OptionalTime, Place, ServiceName, Size,
    Time,
};
use connection::address::{Endpoint, NetworkAddress};
use connection::generation::{Move, Probation};
use connection::limits::{GuestLimits, MAX_WARM_BYTES, ServerLimits};
use connection::rates::RateLimits;
use engine::{Directory, Grants, HandlerSource, Isolation};
use keyvalue::StoreConfig;
use std::env;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;
use system::trust::Trust;

const PORT: u16 = 8888;
const MAX_CONNECTIONS: usize = 1000;
const MAX_CONNECTIONS_PER_IP: usize = 500;
const MAX_CONNECTIONS_PER_UID: usize = 500;
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_MEMORY_BYTES: usize = 64 << 20;
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_UNSENT_BYTES: usize = 1 << 20;
const IDLE_TIMEOUT: Duration = Duration::from_secs(600);
/// How long a new generation is on probation.
const PROBATION: Duration = Duration::from_secs(60);

impl HostSettings {
    /// The host that is meant.
    pub(super) fn complete(self) -> Result<HostConfig, ConfigError> {
        let max_connections = self
            .max_connections
            .map_or(MAX_CONNECTIONS, NonZeroUsize::get);
        let services = self.service.into_iter();
        let services = services.map(|(name, it)| it.complete(name));
        Ok(HostConfig {
            services: services.collect::<Result<_, _>>()?,
            server_limits: ServerLimits {
                max_connections,
                max_connections_per_ip: match self.max_connections_per_ip {
                    None => Some(MAX_CONNECTIONS_PER_IP),
                    Some(OptionalNumber(limit)) => limit.map(|limit| limit as usize),
                },
                max_connections_per_uid: match self.max_connections_per_uid {
                    None => Some(MAX_CONNECTIONS_PER_UID),
                    Some(OptionalNumber(limit)) => limit.map(|limit| limit as usize),
                },
                max_guest_memory_bytes: match self.max_guest_memory {
                    None => machine::memory_bytes().map(|all| all / 4 * 3),
                    Some(Size(bytes)) => Some(bytes),
                },
                max_warm_memory_bytes: self
                    .max_warm_memory
                    .map_or(MAX_WARM_BYTES, |Size(bytes)| bytes),
                drain_timeout: self.drain_timeout.map_or(DRAIN_TIMEOUT, |Time(time)| time),
            },
            address_rates: rates(
                self.max_new_connections_per_second_per_ip,
                self.max_messages_per_second_per_ip,
                self.max_bytes_per_second_per_ip,
            ),
            workers: self.workers.map(NonZeroUsize::get),
            cache: match (&self.cache, &self.user) {
                // That of whoever starts the host is no place for another user.
                (None, Some(_)) => None,
                _ => cache(self.cache),
            },
            control: self.control,
            metrics: self.metrics,
            user: self.user,
            sandbox: self.sandbox.unwrap_or_default(),
            sandbox_read: self.sandbox_read.unwrap_or_default(),
            log_format: self.log_format.unwrap_or_default(),
            log_level: self.log_level.unwrap_or_default(),
        })
    }
}

/// What may come in a second: any number, where nothing is said.
fn rates(
    new_connections: Option<OptionalNumber>,
    messages: Option<OptionalNumber>,
    bytes: Option<OptionalSize>,
) -> RateLimits {
    let number = |said: Option<OptionalNumber>| said.and_then(|OptionalNumber(number)| number);
    RateLimits {
        new_connections_per_second: number(new_connections).map(u64::from),
        messages_per_second: number(messages).map(u64::from),
        bytes_per_second: bytes
            .and_then(|OptionalSize(bytes)| bytes)
            .map(|bytes| bytes as u64),
    }
}

impl ServiceSettings {
    fn complete(mut self, name: ServiceName) -> Result<ServiceConfig, ConfigError> {
        let listen = self.listen.take().unwrap_or_default();
        // Each has its address: the file's form requires one.
        let listen = listen.into_iter().filter_map(|mut listener| {
            let uri = listener.uri.take()?;
            Some(listener.complete(uri))
        });
        let listen = listen.collect::<Result<Vec<_>, _>>()?;
        let mut places = listen.iter().map(|listener: &ListenerConfig| &listener.uri);
        let datagrams = places.find(|uri| matches!(uri, Endpoint::Udp(_))).cloned();
        Ok(ServiceConfig {
            name,
            rates: rates(
                self.max_new_connections_per_second,
                self.max_messages_per_second,
                self.max_bytes_per_second,
            ),
            max_connections: self.max_connections.map(NonZeroUsize::get),
            watch: self.watch.unwrap_or(false),
            serve: ServeConfig {
                datagrams,
                ..self.serving()?
            },
            listen,
        })
    }

    /// How its handler is served, wherever clients come from.
    pub fn serving(self) -> Result<ServeConfig, ConfigError> {
        let guest_limits = self.guest_limits();
        let hashes = self.require_sha256.unwrap_or_default();
        let trust = Trust::new(hashes, &self.require_signature.unwrap_or_default())?;
        let handlers = self.handler.into_iter();
        let handlers = handlers.chain(self.then.unwrap_or_default());
        let handler = HandlerSource::from_files(handlers.collect());
        let directories = self.dirs.unwrap_or_default().into_iter();
        let read_only = self.dirs_ro.unwrap_or_default().into_iter();
        let read_only = read_only.map(Directory::read_only);
        Ok(ServeConfig {
            trust,
            grants: Grants {
                args: [vec![program(&handler)], self.args.unwrap_or_default()].concat(),
                env: self.env.into_iter().collect(),
                directories: directories.chain(read_only).collect(),
                config: self.config.into_iter().collect(),
                connect: self.allow_connect.unwrap_or_default(),
                keyvalue: StoreConfig {
                    uri: self.keyvalue.unwrap_or_default(),
                    max_bytes: self
                        .max_keyvalue
                        .map_or(StoreConfig::default().max_bytes, |Size(bytes)| bytes),
                },
                precise_clocks: self.precise_clocks.unwrap_or(false),
            },
            handler,
            framing: self.framing,
            max_message_bytes: self.max_message.map(|MessageSize(bytes)| bytes),
            max_unsent_bytes: self
                .max_unsent
                .map_or(MAX_UNSENT_BYTES, |Size(bytes)| bytes),
            isolation: self.isolation.unwrap_or(Isolation::Connection),
            guest_limits,
            datagrams: None,
            idle_timeout: self
                .idle_timeout
                .map_or(Some(IDLE_TIMEOUT), |OptionalTime(time)| time),
            swap: SwapConfig {
                on_swap: self.swap.unwrap_or(Move::NewConnections),
                probes: self.probes.unwrap_or_default(),
                allowed_imports: self.allow_imports.unwrap_or_default(),
                probation: self.rollback_after.map(|failed_calls| Probation {
                    failed_calls,
                    time: PROBATION,
                }),
                drain_timeout: self.drain_timeout.map(|Time(time)| time),
            },
        })
    }

    /// What an instance of its handler may use.
    pub fn guest_limits(&self) -> GuestLimits {
        GuestLimits {
            max_memory_bytes: self
                .max_memory
                .map_or(MAX_MEMORY_BYTES, |MemorySize(bytes)| bytes),
            call_timeout: self.call_timeout.map_or(CALL_TIMEOUT, |Time(time)| time),
        }
    }
}

/// Where a service listens if nothing is said.
pub fn here() -> Endpoint {
    Endpoint::Tcp(NetworkAddress {
        host: "127.0.0.1".to_owned(),
        port: PORT,
    })
}

/// The name under which a handler finds itself in its arguments.
fn program(handler: &HandlerSource) -> String {
    match handler.files().first() {
        Some(path) => path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        None => "echo".to_owned(),
    }
}

/// The folder for compiled code: what was said, or where the XDG Base Directory Specification puts such things.
pub fn cache(said: Option<Place>) -> Option<PathBuf> {
    match said {
        Some(Place::Off) => None,
        Some(Place::At(folder)) => Some(folder),
        None => {
            let user = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
            let user = user.filter(|folder| folder.is_absolute());
            let user = user.or_else(|| Some(env::home_dir()?.join(".cache")));
            Some(user?.join("echo-host"))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{ServiceName, Sources};
    use std::path::Path;

    #[test]
    fn the_values_in_the_example_are_those_that_go_without_saying() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../echo-host.example.toml");
        let example = Sources {
            file: Some(file),
            ..Sources::default()
        };
        let mut example = example.load().unwrap();
        assert_eq!(example.services[0].name.to_string(), "echo");
        example.services[0].name = ServiceName::main();
        assert_eq!(example, Sources::default().load().unwrap());
    }
}
