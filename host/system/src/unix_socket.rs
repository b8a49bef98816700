//! Files of Unix sockets: which are stale, and who removes them.

use crate::ownership::PathHandle;
use rustix::fs::{Mode, RawMode, fchmod};
use rustix::process::{geteuid, umask};
use socket2::{Domain, SockAddr, Socket, Type};
use std::fs::{self, Metadata};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Why a path cannot be used for a socket.
#[derive(Debug, thiserror::Error)]
pub enum SocketFileError {
    /// Another process listens there.
    #[error("another process listens there")]
    Taken,
    /// Another kind of file is there.
    #[error("the path exists and is not a socket")]
    Occupied,
    /// The file system refused.
    #[error("{}", reason(.0))]
    Io(#[from] io::Error),
}

/// The standard library returns `InvalidInput` for a path that is too long for a socket address.
pub fn reason(cause: &io::Error) -> String {
    match cause.kind() {
        io::ErrorKind::InvalidInput => "the path is too long: about 100 bytes are allowed".into(),
        _ => cause.to_string(),
    }
}

/// The folder of a socket file.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Connects without waiting: `WouldBlock` means that a process listens there and its backlog is
/// full.
pub fn connect(path: &Path) -> io::Result<UnixStream> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.connect(&SockAddr::unix(path)?)?;
    socket.set_nonblocking(false)?;
    Ok(OwnedFd::from(socket).into())
}

/// Removes the socket of a killed process, which nobody listens on. A missing file is fine.
pub fn remove_stale(path: &Path) -> Result<(), SocketFileError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
        Ok(found) if !found.file_type().is_socket() => return Err(SocketFileError::Occupied),
        Ok(_) => {}
    }
    match connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            tracing::info!(
                "replacing {}, left behind by a host that is gone",
                path.display()
            );
            Ok(fs::remove_file(path)?)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // A host with a full backlog is running too.
        Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error.into()),
        _ => Err(SocketFileError::Taken),
    }
}

/// The default permissions of a socket file, before the umask.
const DEFAULT_MODE: u32 = 0o777;

/// Binds a socket to a path with this mode, or the umask's default. Changes nothing by path or
/// afterwards, so that it works in a process that may not change modes.
pub fn bind_with_mode(socket: &Socket, path: &Path, mode: Option<u32>) -> io::Result<SocketFile> {
    let address = SockAddr::unix(path)?;
    if !cfg!(target_os = "linux") {
        let (file, itself) = bind_and_open(socket, path)?;
        itself.set_mode(mode.unwrap_or_else(default_mode))?;
        return Ok(file);
    }
    // The file gets the mode of the socket, minus the umask (unix(7)).
    let wanted = mode.unwrap_or(DEFAULT_MODE);
    fchmod(socket, Mode::from_raw_mode(wanted as RawMode))?;
    match mode {
        Some(_) => without_umask(|| socket.bind(&address))?,
        None => socket.bind(&address)?,
    }
    let found = fs::symlink_metadata(path)?;
    let is_it = found.file_type().is_socket() && found.uid() == geteuid().as_raw();
    if is_it && mode.is_none_or(|mode| found.mode() & 0o7777 == mode) {
        Ok(SocketFile::new(path.to_owned(), &found))
    } else {
        Err(io::Error::other(
            "the socket was replaced right after it was created",
        ))
    }
}

/// Runs this in a thread with its own, empty umask.
#[cfg(target_os = "linux")]
fn without_umask(bind: impl FnOnce() -> io::Result<()> + Send) -> io::Result<()> {
    use nix::sched::{CloneFlags, unshare};
    let alone = || match unshare(CloneFlags::CLONE_FS) {
        Ok(()) => {
            umask(Mode::empty());
            bind()
        }
        Err(error) => Err(io::Error::other(format!(
            "cannot set its mode while the host runs: the system denies unshare(CLONE_FS) \
             ({error}); hint: restart the host"
        ))),
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("bind".to_owned());
        let bound = thread.spawn_scoped(scope, alone)?.join();
        bound.unwrap_or_else(|_| Err(io::Error::other("the thread that binds it panicked")))
    })
}

#[cfg(not(target_os = "linux"))]
fn without_umask(bind: impl FnOnce() -> io::Result<()> + Send) -> io::Result<()> {
    bind()
}

/// Binds a socket to a path, and opens exactly its file, whoever may write to the folder. Its mode
/// is 0, so nobody can connect until it is set.
pub fn bind_and_open(socket: &Socket, path: &Path) -> io::Result<(SocketFile, PathHandle)> {
    let address = SockAddr::unix(path)?;
    let itself = if cfg!(target_os = "linux") {
        // The file gets the mode of the socket (unix(7)).
        fchmod(socket, Mode::empty())?;
        socket.bind(&address)?;
        PathHandle::open(path)?
    } else {
        socket.bind(&address)?;
        let itself = PathHandle::open(path)?;
        itself.set_mode(0)?;
        itself
    };
    let found = itself.metadata()?;
    // No other socket of this user has mode 0, unless it is being created the same way.
    let is_it = found.file_type().is_socket()
        && found.uid() == geteuid().as_raw()
        && found.mode() & 0o7777 == 0
        && found.nlink() == 1;
    if is_it {
        Ok((SocketFile::new(path.to_owned(), &found), itself))
    } else {
        Err(io::Error::other(
            "the socket was replaced right after it was created",
        ))
    }
}

/// The default mode of a file.
pub fn default_mode() -> u32 {
    // The umask can only be read by setting it, for the whole process: files that other threads
    // create meanwhile get fewer permissions, never more.
    let before = umask(Mode::RWXG | Mode::RWXO);
    umask(before);
    let mask: u32 = before.as_raw_mode() as _;
    DEFAULT_MODE & !mask
}

/// The file of a bound socket. Removed on drop, unless another file has replaced it. Has one owner,
/// so that it disappears with the socket, whatever clients do.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    /// Device and inode.
    identity: (u64, u64),
    given_up: Arc<AtomicBool>,
    /// Whether this process created it, and knows exactly which file it is.
    made_here: bool,
}

impl SocketFile {
    /// The file at `path` with this metadata.
    pub fn new(path: PathBuf, metadata: &Metadata) -> Self {
        SocketFile {
            path,
            identity: identity(metadata),
            given_up: Arc::default(),
            made_here: true,
        }
    }

    /// The same for the socket file of another process.
    pub fn of_another_process(path: PathBuf, metadata: &Metadata) -> Self {
        SocketFile {
            path,
            identity: identity(metadata),
            given_up: Arc::new(AtomicBool::new(true)),
            made_here: false,
        }
    }

    /// Opens it to change its mode or owner. Fails if another file has replaced it, or another
    /// process created it: anyone who may write to the folder could have put it there.
    pub fn open(&self) -> io::Result<PathHandle> {
        let itself = PathHandle::open(&self.path)?;
        let why = match self.made_here {
            _ if identity(&itself.metadata()?) != self.identity => {
                "another file has replaced the socket"
            }
            false => "another host created the socket; hint: stop that host first",
            true => return Ok(itself),
        };
        Err(io::Error::other(why))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Once set, the file belongs to another process and is not removed.
    pub fn given_up(&self) -> &Arc<AtomicBool> {
        &self.given_up
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let there = fs::symlink_metadata(&self.path);
        let ours = there.is_ok_and(|there| identity(&there) == self.identity);
        if ours
            && !self.given_up.load(Ordering::Acquire)
            && let Err(error) = fs::remove_file(&self.path)
        {
            // The folder may belong to another user; a stale socket will be replaced.
            tracing::info!("cannot remove {}: {error}", self.path.display());
        }
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}
