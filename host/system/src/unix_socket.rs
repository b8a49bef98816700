//! Unix sockets as files: which of them are stale, and who removes them.

use crate::ownership::Itself;
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

/// Why the place of a socket can't be had.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// Somebody listens there.
    #[error("another process listens there")]
    Taken,
    /// What is there is not ours to remove.
    #[error("something else is there that is no socket")]
    Occupied,
    /// The file system said no.
    #[error("{}", reason(.0))]
    Io(#[from] io::Error),
}

/// `InvalidInput` is what the standard library says of a path that does not fit into a socket's address.
pub fn reason(cause: &io::Error) -> String {
    match cause.kind() {
        io::ErrorKind::InvalidInput => {
            "the path is too long; a Unix socket's has at most some 100 bytes".into()
        }
        _ => cause.to_string(),
    }
}

/// Where a socket's file lies.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Connects without waiting: `WouldBlock` says that somebody listens there and takes no connection.
pub fn connect(path: &Path) -> io::Result<UnixStream> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.connect(&SockAddr::unix(path)?)?;
    socket.set_nonblocking(false)?;
    Ok(OwnedFd::from(socket).into())
}

/// Removes a socket that a process left behind which was killed: nobody answers on it. It is fine if there is
/// none.
pub fn remove_stale(path: &Path) -> Result<(), PlaceError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
        Ok(found) if !found.file_type().is_socket() => return Err(PlaceError::Occupied),
        Ok(_) => {}
    }
    match connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            tracing::info!(
                "replacing {}, which a host that is gone left behind",
                path.display()
            );
            Ok(fs::remove_file(path)?)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // One that is too busy to take a connection runs, too.
        Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error.into()),
        _ => Err(PlaceError::Taken),
    }
}

/// Permissions of a socket file whose mode nobody has said, before the umask.
const DEFAULT_MODE: u32 = 0o777;

/// Binds a socket to a path and gives its file this mode, or what the umask leaves. Nothing is changed by path, and
/// nothing afterwards, so that a process that may not change modes can do this too.
pub fn bind_with_mode(socket: &Socket, path: &Path, mode: Option<u32>) -> io::Result<SocketFile> {
    let address = SockAddr::unix(path)?;
    if !cfg!(target_os = "linux") {
        let (file, itself) = bind_and_open(socket, path)?;
        itself.set_mode(mode.unwrap_or_else(default_mode))?;
        return Ok(file);
    }
    // The file gets the socket's own mode, without what the umask takes (unix(7)).
    let wanted = mode.unwrap_or(DEFAULT_MODE);
    fchmod(socket, Mode::from_raw_mode(wanted as RawMode))?;
    match mode {
        Some(_) => without_umask(|| socket.bind(&address))?,
        None => socket.bind(&address)?,
    }
    let found = fs::symlink_metadata(path)?;
    let is_it = found.file_type().is_socket() && found.uid() == geteuid().as_raw();
    match is_it && mode.is_none_or(|mode| found.mode() & 0o7777 == mode) {
        true => Ok(SocketFile::new(path.to_owned(), &found)),
        false => Err(io::Error::other(
            "something else has taken the place of the socket as it was made",
        )),
    }
}

/// Runs this in a thread that has a umask of its own, which is empty.
#[cfg(target_os = "linux")]
fn without_umask(bind: impl FnOnce() -> io::Result<()> + Send) -> io::Result<()> {
    use nix::sched::{CloneFlags, unshare};
    let alone = || match unshare(CloneFlags::CLONE_FS) {
        Ok(()) => {
            umask(Mode::empty());
            bind()
        }
        Err(error) => Err(io::Error::other(format!(
            "its mode can't be set while the host runs, as the system denies unshare(CLONE_FS) ({error}): restart the host"
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

/// Binds a socket to a path, and opens its file: that file and no other, whoever may write to the folder. Its mode
/// is 0, so nobody can connect until it is set.
pub fn bind_and_open(socket: &Socket, path: &Path) -> io::Result<(SocketFile, Itself)> {
    let address = SockAddr::unix(path)?;
    let itself = if cfg!(target_os = "linux") {
        // The file gets the socket's own mode (unix(7)).
        fchmod(socket, Mode::empty())?;
        socket.bind(&address)?;
        Itself::open(path)?
    } else {
        socket.bind(&address)?;
        let itself = Itself::open(path)?;
        itself.set_mode(0)?;
        itself
    };
    let found = itself.metadata()?;
    // No other socket of this user's has no permissions at all, unless it is being made just like this one.
    let is_it = found.file_type().is_socket()
        && found.uid() == geteuid().as_raw()
        && found.mode() & 0o7777 == 0
        && found.nlink() == 1;
    match is_it {
        true => Ok((SocketFile::new(path.to_owned(), &found), itself)),
        false => Err(io::Error::other(
            "something else has taken the place of the socket as it was made",
        )),
    }
}

/// The mode that a file gets of which nothing is said.
pub fn default_mode() -> u32 {
    // It can only be read by setting it, and it is the whole process's: other threads may be making files, which get
    // fewer permissions meanwhile and never more.
    let before = umask(Mode::RWXG | Mode::RWXO);
    umask(before);
    let mask: u32 = before.as_raw_mode() as _;
    DEFAULT_MODE & !mask
}

/// The file of a bound socket. It is removed when this is dropped, unless another has taken its place
/// meanwhile. Nothing else owns a part of it, so that it goes when the socket does, whatever clients are doing.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    /// Device and inode.
    identity: (u64, u64),
    given_up: Arc<AtomicBool>,
    /// Whether this process has made it, and knows for sure which file it is.
    made_here: bool,
}

impl SocketFile {
    /// The file at `path`, of which this is what the file system says.
    pub fn new(path: PathBuf, metadata: &Metadata) -> Self {
        SocketFile {
            path,
            identity: identity(metadata),
            given_up: Arc::default(),
            made_here: true,
        }
    }

    /// The same for the file of a socket that another process has made.
    pub fn of_another_process(path: PathBuf, metadata: &Metadata) -> Self {
        SocketFile {
            path,
            identity: identity(metadata),
            given_up: Arc::new(AtomicBool::new(true)),
            made_here: false,
        }
    }

    /// Opens it, to change its mode or its owner. Fails if something else is at its path by now, or if another process has made
    /// it: what is there could have been put there by whoever may write to the folder.
    pub fn open(&self) -> io::Result<Itself> {
        let itself = Itself::open(&self.path)?;
        let why = match self.made_here {
            _ if identity(&itself.metadata()?) != self.identity => {
                "something else has taken the place of the socket"
            }
            false => {
                "another host has made the socket: it has to be stopped before this one starts"
            }
            true => return Ok(itself),
        };
        Err(io::Error::other(why))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Once set, the file is another's, and is not removed.
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
            // The folder is another user's; a socket that nobody listens on is replaced.
            tracing::info!("{} stays behind: {error}", self.path.display());
        }
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}
