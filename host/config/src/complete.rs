//! Fills in defaults, which the options declare or this machine has.

use super::document::Place;
use super::error::{ConfigError, Finding};
use super::host::{HostConfig, ServiceConfig};
use super::listener::ListenerConfig;
use super::machine;
use super::serve::{ServeConfig, SwapConfig};
use super::values::{
    MessageSize, OptionalNumber, OptionalPath, OptionalSize, ServiceName, Size, Time,
};
use super::{HostSettings, ServiceSettings};
use address::Endpoint;
use connection::generation::Probation;
use connection::limits::{GuestLimits, ServerLimits};
use connection::rates::RateLimits;
use engine::{ComponentSource, Directory, Grants, HandlerSource};
use keyvalue::StoreConfig;
use std::env;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;
use system::trust::Trust;

/// How long a new generation is on probation.
const PROBATION: Duration = Duration::from_secs(60);

impl HostSettings {
    /// The host that is meant: without the listeners with which something is wrong.
    pub(super) fn complete(mut self, found: &mut Vec<Finding>) -> HostConfig {
        let services = self.service.take().unwrap_or_default().into_iter();
        let services = services.filter_map(|(name, it)| it.complete(name, found));
        let services = services.collect();
        HostConfig::new(self.or_default(), services)
    }
}

impl HostConfig {
    /// A host with these settings and services.
    pub(super) fn new(settings: HostSettings, services: Vec<ServiceConfig>) -> Self {
        let at_most = |OptionalNumber(limit)| limit.map(|limit| limit as usize);
        HostConfig {
            services,
            server_limits: ServerLimits {
                max_connections: settings.max_connections().get(),
                max_connections_per_ip: at_most(settings.max_connections_per_ip()),
                max_connections_per_uid: at_most(settings.max_connections_per_uid()),
                max_guest_memory_bytes: match settings.max_guest_memory {
                    None => machine::memory_bytes().map(|all| all / 4 * 3),
                    Some(Size(bytes)) => Some(bytes),
                },
                max_warm_memory_bytes: settings.max_warm_memory().0,
                drain_timeout: settings.drain_timeout().0,
            },
            address_rates: rates(
                settings.max_new_connections_per_second_per_ip(),
                settings.max_messages_per_second_per_ip(),
                settings.max_bytes_per_second_per_ip(),
            ),
            workers: settings.workers,
            wipe: settings.wipe(),
            cache: match (&settings.cache, &settings.user) {
                // The starting user's cache directory is not the target user's.
                (None, Some(_)) => None,
                (cache, _) => cache_folder(cache.clone()),
            },
            control: settings.control.clone(),
            metrics: settings.metrics.clone(),
            user: settings.user.clone(),
            sandbox: settings.sandbox(),
            sandbox_read: settings.sandbox_read.clone().unwrap_or_default(),
            log_format: settings.log_format(),
            log_level: settings.log_level(),
            log_connections: settings.log_connections(),
            settings,
        }
    }
}

impl HostConfig {
    /// Whether it serves one client on standard input and output, as under inetd.
    pub fn serves_stdio(&self) -> bool {
        let mut listeners = self.services.iter().flat_map(|it| &it.listen);
        listeners.any(|listener| listener.uri == Endpoint::Stdio)
    }

    /// This host, but what a reload does not change is as in the one before.
    pub fn with_fixed_of(self, before: &Self) -> Self {
        let (mut fixed, mut changed) = (before.settings.clone(), self.settings);
        fixed.retain(|option| option.about.is_fixed);
        changed.retain(|option| !option.about.is_fixed);
        HostConfig::new(fixed.or(changed), self.services)
    }
}

/// What may come in a second.
fn rates(
    OptionalNumber(new_connections): OptionalNumber,
    OptionalNumber(messages): OptionalNumber,
    OptionalSize(bytes): OptionalSize,
) -> RateLimits {
    RateLimits {
        new_connections_per_second: new_connections.map(u64::from),
        messages_per_second: messages.map(u64::from),
        bytes_per_second: bytes.map(|bytes| bytes as u64),
    }
}

impl ServiceSettings {
    fn complete(mut self, name: ServiceName, found: &mut Vec<Finding>) -> Option<ServiceConfig> {
        let place = Place::of_keys(&["service", &name.to_string()]);
        let listeners = self.listen.take().unwrap_or_default().into_iter();
        let mut listen = Vec::new();
        for (number, mut listener) in listeners.enumerate() {
            // Each has its address: the file's form requires one.
            if let Some(uri) = listener.uri.take() {
                match listener.complete(uri, &place.clone().key("listen").item(number)) {
                    Ok(listener) => listen.push(listener),
                    Err(more) => found.extend(more),
                }
            }
        }
        let mut places = listen.iter().map(|listener: &ListenerConfig| &listener.uri);
        let datagrams = places.find(|uri| matches!(uri, Endpoint::Udp(_))).cloned();
        let serving = self.clone().serving();
        let serving = serving.map_err(|error| found.push(Finding::at(place, error)));
        Some(ServiceConfig {
            name,
            rates: rates(
                self.max_new_connections_per_second(),
                self.max_messages_per_second(),
                self.max_bytes_per_second(),
            ),
            max_connections: self.max_connections.map(NonZeroUsize::get),
            watch: self.watch(),
            serve: ServeConfig {
                datagrams,
                ..serving.ok()?
            },
            listen,
        })
    }

    /// How its handler is served, wherever clients come from.
    pub fn serving(self) -> Result<ServeConfig, ConfigError> {
        let hashes = self.require_sha256.clone().unwrap_or_default();
        let keys = self.require_signature.as_deref().unwrap_or_default();
        let trust = Trust::new(hashes, keys)?;
        let components = self.handler.iter().chain(self.then.iter().flatten());
        let handler = HandlerSource::new(components.cloned().collect());
        let isolation = match (self.isolation, handler.demo()) {
            (None, Some(demo)) => demo.isolation,
            _ => self.isolation(),
        };
        Ok(ServeConfig {
            trust,
            grants: self.grants(&handler),
            handler,
            max_message_bytes: self.max_message.map(|MessageSize(bytes)| bytes),
            default_max_message_bytes: self.max_message().0,
            max_unsent_bytes: self.max_unsent().0,
            isolation,
            guest_limits: self.guest_limits(),
            datagrams: None,
            idle_timeout: self.idle_timeout().0,
            swap: SwapConfig {
                on_swap: self.swap(),
                probes: self.probes.unwrap_or_default(),
                allowed_imports: self.allow_imports.unwrap_or_default(),
                probation: self.rollback_after.map(|failed_calls| Probation {
                    failed_calls,
                    time: PROBATION,
                }),
                drain_timeout: self.drain_timeout.map(|Time(time)| time),
            },
            framing: self.framing,
        })
    }

    fn grants(&self, handler: &HandlerSource) -> Grants {
        let directories = self.dirs.iter().flatten().cloned();
        let read_only = self.dirs_ro.iter().flatten().cloned();
        let read_only = read_only.map(Directory::read_only);
        let args = self.args.iter().flatten().cloned();
        Grants {
            args: [program(handler)].into_iter().chain(args).collect(),
            env: self.env.clone().unwrap_or_default().into_iter().collect(),
            directories: directories.chain(read_only).collect(),
            config: self
                .config
                .clone()
                .unwrap_or_default()
                .into_iter()
                .collect(),
            connect: self.allow_connect.clone().unwrap_or_default(),
            keyvalue: StoreConfig {
                uri: self.keyvalue(),
                max_bytes: self.max_keyvalue().0,
            },
            precise_clocks: self.precise_clocks(),
        }
    }

    /// What an instance of its handler may use.
    pub fn guest_limits(&self) -> GuestLimits {
        GuestLimits {
            max_memory_bytes: self.max_memory().0,
            call_timeout: self.call_timeout().0,
        }
    }
}

/// The name under which a handler finds itself in its arguments.
fn program(handler: &HandlerSource) -> String {
    match handler.components().first() {
        Some(ComponentSource::Demo(demo)) => demo.name.to_owned(),
        first => {
            let file = first.and_then(ComponentSource::file);
            let name = file.and_then(Path::file_name).unwrap_or_default();
            name.to_string_lossy().into_owned()
        }
    }
}

/// The folder for compiled code: what was said, or where the XDG Base Directory Specification puts
/// such things.
pub fn cache_folder(said: Option<OptionalPath>) -> Option<PathBuf> {
    match said {
        Some(OptionalPath::Off) => None,
        Some(OptionalPath::At(folder)) => Some(folder),
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
    use crate::{ServiceName, Sources};
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
