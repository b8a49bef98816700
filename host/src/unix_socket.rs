//! Unix sockets as files: which of them are stale, and who removes them.

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

/// The file of a bound socket. It is removed when this is dropped, unless another has taken its place
/// meanwhile. Nothing else owns a part of it, so that it goes when the socket does, whatever clients are doing.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    /// Device and inode.
    identity: (u64, u64),
    given_up: Arc<AtomicBool>,
}

impl SocketFile {
    /// The file at `path`, of which this is what the file system says.
    pub fn new(path: PathBuf, metadata: &Metadata) -> Self {
        SocketFile {
            path,
            identity: identity(metadata),
            given_up: Arc::default(),
        }
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
