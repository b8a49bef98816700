//! Grants: what a guest may access beyond its messages. By default nothing: an empty environment,
//! no directories, no network, no standard input.

use super::clocks::{CoarseMonotonicClock, CoarseWallClock};
use super::guest_log::{GuestLog, Stream};
use super::stdio::Stdio;
use address::NetworkAddress;
use connection::clock::Clock;
use connection::handler::CallError;
use connection::limits::{MAX_RANDOM_BYTES, PIPE_BYTES};
use keyvalue::{StoreConfig, StoreUri};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use system::confinement::{may_connect, may_grant};
use tokio::io::split;
use wasmtime_wasi::cli::{AsyncStdinStream, AsyncStdoutStream};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder};
use wasmtime_wasi_config::WasiConfigVariables;

/// The grants of a guest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Arguments; the first is the program's name.
    pub args: Vec<String>,
    /// Environment variables: names and values.
    pub env: Vec<(String, String)>,
    /// Directories it may read, and perhaps write.
    pub directories: Vec<Directory>,
    /// Settings in `wasi:config/store`: names and values.
    pub config: Vec<(String, String)>,
    /// Hosts it may connect to over TCP.
    pub connect: Vec<NetworkAddress>,
    /// Where `wasi:keyvalue` data is stored.
    pub keyvalue: StoreConfig,
    /// Whether its clocks are precise, instead of rounded to
    /// [`CLOCK_GRAIN`](connection::limits::CLOCK_GRAIN).
    pub precise_clocks: bool,
}

/// A directory of the host, and its path for the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// Its path on the host.
    pub host: PathBuf,
    /// Its path for the guest.
    pub guest: String,
    /// Whether the guest may write to it.
    pub is_writable: bool,
}

/// A granted directory, opened once: if its path changes later, the new file is not granted.
pub struct OpenDirectory {
    handle: OwnedFd,
    guest: String,
    pub(crate) is_writable: bool,
}

impl OpenDirectory {
    /// Its current path, if it still has one.
    pub(crate) fn current_path(&self) -> Option<PathBuf> {
        fs::read_link(self.by_descriptor()).ok()
    }

    /// A path through the descriptor: the original path may lead elsewhere by now.
    fn by_descriptor(&self) -> String {
        format!("/proc/self/fd/{}", self.handle.as_raw_fd())
    }
}

impl Directory {
    /// Opens it.
    fn open(&self) -> Result<OpenDirectory, InvalidGrant> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = rustix::fs::open(&self.host, flags, Mode::empty());
        let handle = handle.map_err(|error| InvalidGrant::Unusable {
            path: self.host.clone(),
            reason: match (error, may_grant(&self.host, self.is_writable)) {
                (_, Err(reason)) => reason.to_string(),
                (Errno::ACCESS, Ok(())) => format!(
                    "{error}; if it was recreated while the host runs under --sandbox, restart \
                     the host"
                ),
                (error, Ok(())) => error.to_string(),
            },
        })?;
        Ok(OpenDirectory {
            handle,
            guest: self.guest.clone(),
            is_writable: self.is_writable,
        })
    }
}

/// Why something cannot be granted.
#[derive(Debug, thiserror::Error)]
pub enum InvalidGrant {
    #[error("expected HOST or HOST::GUEST, such as /srv/data::/data")]
    Directory,
    #[error("cannot grant directory {}: {reason}", path.display())]
    Unusable { path: PathBuf, reason: String },
    #[error("cannot grant directory {} beside {}: one is inside the other", other.display(), one.display())]
    Overlap { one: PathBuf, other: PathBuf },
    #[error(
        "cannot grant directory {}: a handler that still runs or can be rolled back to has {}, \
         and one is inside the other; hint: restart the host",
        grant.display(),
        held.display()
    )]
    Held { grant: PathBuf, held: PathBuf },
    #[error(
        "cannot grant directory {}: the handler could reach {what}, {}",
        grant.display(),
        path.display()
    )]
    Trusted {
        grant: PathBuf,
        what: &'static str,
        path: PathBuf,
    },
    #[error("cannot connect to port {port}: {reason}")]
    Unreachable { port: u16, reason: String },
}

impl InvalidGrant {
    /// The directory that it is about.
    pub fn path(&self) -> Option<&Path> {
        match self {
            InvalidGrant::Unusable { path, .. } => Some(path),
            InvalidGrant::Overlap { other: grant, .. }
            | InvalidGrant::Held { grant, .. }
            | InvalidGrant::Trusted { grant, .. } => Some(grant),
            InvalidGrant::Directory | InvalidGrant::Unreachable { .. } => None,
        }
    }
}

impl FromStr for Directory {
    type Err = InvalidGrant;

    fn from_str(text: &str) -> Result<Self, InvalidGrant> {
        let (host, guest) = text.split_once("::").unwrap_or((text, text));
        if host.is_empty() || guest.is_empty() {
            return Err(InvalidGrant::Directory);
        }
        Ok(Directory {
            host: host.into(),
            guest: guest.to_owned(),
            is_writable: true,
        })
    }
}

impl Directory {
    /// Why it cannot be granted.
    fn fault(&self) -> Option<InvalidGrant> {
        let reason = match fs::metadata(&self.host) {
            Ok(found) if found.is_dir() => {
                may_grant(&self.host, self.is_writable).err()?.to_string()
            }
            Ok(_) => "not a directory".to_owned(),
            Err(error) => error.to_string(),
        };
        Some(InvalidGrant::Unusable {
            path: self.host.clone(),
            reason,
        })
    }

    /// The same directory, read-only.
    #[must_use]
    pub fn read_only(self) -> Self {
        Directory {
            is_writable: false,
            ..self
        }
    }
}

impl Grants {
    /// Checks that granted directories exist and the sandbox allows them, so that errors show at
    /// the start and not with the first client.
    pub fn check(&self) -> Result<(), InvalidGrant> {
        self.faults().next().map_or(Ok(()), Err)
    }

    /// All that [`Grants::check`] would find.
    pub fn faults(&self) -> impl Iterator<Item = InvalidGrant> {
        let directories = self.directories.iter().filter_map(Directory::fault);
        let ports = self.ports().filter_map(|port| {
            let error = may_connect(port).err()?;
            Some(InvalidGrant::Unreachable {
                port,
                reason: error.to_string(),
            })
        });
        directories.chain(ports)
    }

    /// The TCP ports that the guest, or the host on its behalf, connects to.
    pub fn ports(&self) -> impl Iterator<Item = u16> {
        let store = match &self.keyvalue.uri {
            StoreUri::Memory => None,
            StoreUri::Redis(uri) => uri.port(),
        };
        self.connect.iter().map(|it| it.port).chain(store)
    }

    /// Opens the directories, in order.
    pub(crate) fn open_directories(&self) -> Result<Vec<OpenDirectory>, InvalidGrant> {
        self.directories.iter().map(Directory::open).collect()
    }

    /// The settings of `wasi:config/store` for all instances.
    pub(crate) fn config(&self) -> WasiConfigVariables {
        self.config.iter().cloned().collect()
    }

    /// A new WASI context for one instance, without a network.
    pub(crate) fn wasi(
        &self,
        directories: &[OpenDirectory],
        log: &GuestLog,
        stdio: Option<Stdio>,
        clock: &Clock,
    ) -> Result<WasiCtxBuilder, CallError> {
        let mut wasi = WasiCtx::builder();
        wasi.args(&self.args)
            .envs(&self.env)
            .stdout(log.stream(Stream::Stdout))
            .stderr(log.stream(Stream::Stderr))
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .max_random_size(MAX_RANDOM_BYTES);
        if !self.precise_clocks || clock.can_skip() {
            wasi.wall_clock(CoarseWallClock(clock.clone()))
                .monotonic_clock(CoarseMonotonicClock::new(clock.clone()));
        }
        if let Some(stdio) = stdio {
            let (input, output) = split(stdio);
            wasi.stdin(AsyncStdinStream::new(input))
                .stdout(AsyncStdoutStream::new(PIPE_BYTES, output));
        }
        for directory in directories {
            let guest = &directory.guest;
            let permissions = if directory.is_writable {
                FsPerms::ReadWrite
            } else {
                FsPerms::ReadOnly
            };
            wasi.preopened_dir(directory.by_descriptor(), guest, permissions)
                .map_err(|error| {
                    CallError::Instantiation(format!("directory {guest}: {error:#}"))
                })?;
        }
        Ok(wasi)
    }
}
