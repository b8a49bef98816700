//! Creates the control socket so that others can never connect, and removes it.

use super::error::SocketError;
use connection::limits::CONTROL_BACKLOG;
use socket2::{Domain, Socket, Type};
use std::fs::{self, DirBuilder, Metadata};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use system::unix_socket::{self, SocketFile, remove_stale};
use tokio::net::UnixListener;

/// How many folder names are tried to create the socket.
const ATTEMPTS: u32 = 100;

/// A bound control socket with mode 0600. Its file is removed on drop, unless another file has
/// replaced it.
#[derive(Debug)]
pub struct ControlSocket {
    pub(super) listener: UnixListener,
    pub(super) file: SocketFile,
}

/// A listening control socket that is not at its path yet. Dropping it changes nothing there.
#[derive(Debug)]
pub struct PreparedSocket {
    listener: UnixListener,
    workshop: Workshop,
    path: PathBuf,
}

impl ControlSocket {
    /// Creates the socket at `path`, and replaces a stale one. Must be called in a tokio runtime.
    pub fn bind(path: &Path) -> Result<Self, SocketError> {
        let prepared = PreparedSocket::new(path)?;
        let fail = |cause| SocketError::Bind {
            path: path.to_owned(),
            cause,
        };
        match prepared.settle(Workshop::link) {
            Err((prepared, cause)) if cause.kind() == io::ErrorKind::AlreadyExists => {
                remove_stale(path).map_err(|error| SocketError::of_file(path, error))?;
                prepared
                    .settle(Workshop::link)
                    .map_err(|(_, cause)| fail(cause))
            }
            settled => settled.map_err(|(_, cause)| fail(cause)),
        }
    }

    /// The path of the socket.
    pub fn path(&self) -> &Path {
        self.file.path()
    }
}

impl PreparedSocket {
    /// Creates the socket beside `path`. Must be called in a tokio runtime.
    pub fn new(path: &Path) -> Result<Self, SocketError> {
        let fail = |cause| SocketError::Bind {
            path: path.to_owned(),
            cause,
        };
        let workshop = Workshop::beside(path).map_err(fail)?;
        let listener = listen(&workshop.socket()).map_err(fail)?;
        Ok(PreparedSocket {
            listener,
            workshop,
            path: path.to_owned(),
        })
    }

    /// Replaces the socket at the path atomically: a client gets the old or the new one.
    pub fn replace(self) -> Result<ControlSocket, SocketError> {
        let path = self.path.clone();
        self.settle(Workshop::rename)
            .map_err(|(_, cause)| SocketError::Bind { path, cause })
    }

    fn settle(
        self,
        put: impl FnOnce(&Workshop, &Path) -> io::Result<Metadata>,
    ) -> Result<ControlSocket, (Self, io::Error)> {
        let metadata = match put(&self.workshop, &self.path) {
            Ok(metadata) => metadata,
            Err(error) => return Err((self, error)),
        };
        Ok(ControlSocket {
            listener: self.listener,
            file: SocketFile::new(self.path, &metadata),
        })
    }
}

fn listen(path: &Path) -> io::Result<UnixListener> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    let file = unix_socket::bind_with_mode(&socket, path, Some(0o600))?;
    // The new owner of the path removes the file.
    file.given_up().store(true, Ordering::Release);
    socket.listen(CONTROL_BACKLOG)?;
    UnixListener::from_std(OwnedFd::from(socket).into())
}

/// A socket file gets its mode from the umask of the process, which must not change while other
/// threads create files. So the socket is created in a private folder and moved when its mode is
/// right.
#[derive(Debug)]
struct Workshop(PathBuf);

impl Workshop {
    fn beside(path: &Path) -> io::Result<Self> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut attempt = 0;
        loop {
            // A short name, because the path must fit into the socket address.
            let name = folder.join(format!(".{}.{attempt}", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&name) {
                Ok(()) => return Ok(Workshop(name)),
                Err(error)
                    if error.kind() == io::ErrorKind::AlreadyExists && attempt < ATTEMPTS =>
                {
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn socket(&self) -> PathBuf {
        self.0.join("s")
    }

    /// Fails if the path exists.
    fn link(&self, path: &Path) -> io::Result<Metadata> {
        let metadata = fs::symlink_metadata(self.socket())?;
        match fs::hard_link(self.socket(), path) {
            // Not every file system has hard links. Without them, a file created at this very
            // moment is lost.
            Err(error)
                if error.kind() != io::ErrorKind::AlreadyExists
                    && fs::symlink_metadata(path).is_err() =>
            {
                self.rename(path)
            }
            linked => linked.map(|()| metadata),
        }
    }

    fn rename(&self, path: &Path) -> io::Result<Metadata> {
        let metadata = fs::symlink_metadata(self.socket())?;
        fs::rename(self.socket(), path)?;
        Ok(metadata)
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.socket());
        let _ = fs::remove_dir(&self.0);
    }
}
