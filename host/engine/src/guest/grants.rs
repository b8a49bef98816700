//! What the operator lets a guest see beyond its messages. By default nothing: an empty environment,
//! no directories, no network but its clients, nothing on standard input.

use super::clocks::{CoarseMonotonicClock, CoarseWallClock};
use super::guest_log::{GuestLog, Stream};
use super::stdio::Stdio;
use connection::address::NetworkAddress;
use connection::handler::CallError;
use connection::limits::{MAX_RANDOM_BYTES, PIPE_BYTES};
use keyvalue::{StoreConfig, StoreUri};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::str::FromStr;
use system::confinement::{may_connect, may_grant};
use tokio::io::split;
use wasmtime_wasi::cli::{AsyncStdinStream, AsyncStdoutStream};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder};
use wasmtime_wasi_config::WasiConfigVariables;

/// What a guest is granted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Arguments, of which the first is the program's name.
    pub args: Vec<String>,
    /// Environment variables: names and values.
    pub env: Vec<(String, String)>,
    /// Directories it may read, and write to where that is said.
    pub directories: Vec<Directory>,
    /// What it finds in `wasi:config/store`: names and values.
    pub config: Vec<(String, String)>,
    /// Whom it may connect to by TCP.
    pub connect: Vec<NetworkAddress>,
    /// Where what it keeps with `wasi:keyvalue` is kept.
    pub keyvalue: StoreConfig,
    /// Whether its clocks tell all they can, instead of [`CLOCK_GRAIN`](connection::limits::CLOCK_GRAIN)s.
    pub precise_clocks: bool,
}

/// A directory of the host and the path under which the guest finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// Its path on the host.
    pub host: PathBuf,
    /// Its path for the guest.
    pub guest: String,
    /// Whether the guest may change what is in it.
    pub is_writable: bool,
}

/// A granted directory, opened once: what takes its path later, be it a link, is not granted.
pub struct OpenDirectory {
    handle: OwnedFd,
    guest: String,
    pub(crate) is_writable: bool,
}

impl OpenDirectory {
    /// Where it is by now, if it is anywhere.
    pub(crate) fn place(&self) -> Option<PathBuf> {
        fs::read_link(self.by_descriptor()).ok()
    }

    /// The name of the descriptor: the path may lead elsewhere by now.
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
                    "{error}; if it was made anew while the host runs under --sandbox, restart the host"
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

/// Why a grant can't be given.
#[derive(Debug, thiserror::Error)]
pub enum InvalidGrant {
    #[error("expected HOST or HOST::GUEST, such as /srv/data::/data")]
    Directory,
    #[error("cannot grant the directory {}: {reason}", path.display())]
    Unusable { path: PathBuf, reason: String },
    #[error("cannot grant the directory {} beside {}: one lies in the other", other.display(), one.display())]
    Overlap { one: PathBuf, other: PathBuf },
    #[error(
        "cannot grant the directory {}: a handler that still runs, or can be swapped back to, is granted {}, and one lies in the \
         other: restart the host",
        grant.display(),
        held.display()
    )]
    Held { grant: PathBuf, held: PathBuf },
    #[error(
        "cannot grant the directory {}: {what} would be in reach, {}",
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
    /// The same, to be read only.
    #[must_use]
    pub fn read_only(self) -> Self {
        Directory {
            is_writable: false,
            ..self
        }
    }
}

impl Grants {
    /// Checks that what is granted exists, so that a mistake shows at the start and not with the first
    /// client.
    pub fn check(&self) -> Result<(), InvalidGrant> {
        for Directory {
            host, is_writable, ..
        } in &self.directories
        {
            let reason = match fs::metadata(host) {
                Ok(found) if found.is_dir() => match may_grant(host, *is_writable) {
                    Ok(()) => continue,
                    Err(error) => error.to_string(),
                },
                Ok(_) => "it is not a directory".to_owned(),
                Err(error) => error.to_string(),
            };
            return Err(InvalidGrant::Unusable {
                path: host.clone(),
                reason,
            });
        }
        for port in self.ports() {
            may_connect(port).map_err(|error| InvalidGrant::Unreachable {
                port,
                reason: error.to_string(),
            })?;
        }
        Ok(())
    }

    /// The TCP ports that are connected to, by the guest or for it.
    pub fn ports(&self) -> impl Iterator<Item = u16> {
        let store = match &self.keyvalue.uri {
            StoreUri::Memory => None,
            StoreUri::Redis(uri) => uri.port(),
        };
        self.connect.iter().map(|it| it.port).chain(store)
    }

    /// Opens the directories, in their order.
    pub(crate) fn open_directories(&self) -> Result<Vec<OpenDirectory>, InvalidGrant> {
        self.directories.iter().map(Directory::open).collect()
    }

    /// What `wasi:config/store` is for all instances.
    pub(crate) fn config(&self) -> WasiConfigVariables {
        self.config.iter().cloned().collect()
    }

    /// A fresh view of WASI for one instance, without a network.
    pub(crate) fn wasi(
        &self,
        directories: &[OpenDirectory],
        log: &GuestLog,
        stdio: Option<Stdio>,
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
        if !self.precise_clocks {
            wasi.wall_clock(CoarseWallClock)
                .monotonic_clock(CoarseMonotonicClock::new());
        }
        if let Some(stdio) = stdio {
            let (input, output) = split(stdio);
            wasi.stdin(AsyncStdinStream::new(input))
                .stdout(AsyncStdoutStream::new(PIPE_BYTES, output));
        }
        for directory in directories {
            let guest = &directory.guest;
            let permissions = match directory.is_writable {
                true => FsPerms::ReadWrite,
                false => FsPerms::ReadOnly,
            };
            wasi.preopened_dir(directory.by_descriptor(), guest, permissions)
                .map_err(|error| {
                    CallError::Instantiation(format!("directory {guest}: {error:#}"))
                })?;
        }
        Ok(wasi)
    }
}
