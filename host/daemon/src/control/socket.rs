//! Making the socket, so that there is no moment in which others can connect, and removing it.

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

/// How many names are tried for the folder in which the socket is made.
const ATTEMPTS: u32 = 100;

/// A bound control socket, mode 0600. Its file is removed when this is dropped, unless another has taken its
/// place meanwhile.
#[derive(Debug)]
pub struct ControlSocket {
    pub(super) listener: UnixListener,
    pub(super) file: SocketFile,
}

/// A control socket that listens and has not got its path yet. If it is dropped, nothing has happened there.
#[derive(Debug)]
pub struct PreparedSocket {
    listener: UnixListener,
    workshop: Workshop,
    path: PathBuf,
}

impl ControlSocket {
    /// Makes the socket at `path`, and replaces one there on which nobody answers. Must be called within a
    /// tokio runtime.
    pub fn bind(path: &Path) -> Result<Self, SocketError> {
        let prepared = PreparedSocket::new(path)?;
        let fail = |cause| SocketError::Bind {
            path: path.to_owned(),
            cause,
        };
        match prepared.settle(Workshop::link) {
            Err((prepared, cause)) if cause.kind() == io::ErrorKind::AlreadyExists => {
                remove_stale(path).map_err(|error| SocketError::place(path, error))?;
                prepared
                    .settle(Workshop::link)
                    .map_err(|(_, cause)| fail(cause))
            }
            settled => settled.map_err(|(_, cause)| fail(cause)),
        }
    }

    /// Where clients find it.
    pub fn path(&self) -> &Path {
        self.file.path()
    }
}

impl PreparedSocket {
    /// Makes the socket beside `path`. Must be called within a tokio runtime.
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

    /// Puts the socket in the place of the one that is there: whoever connects gets the one or the other.
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
    // It is removed from where it is moved to, by whoever moves it.
    file.given_up().store(true, Ordering::Release);
    socket.listen(CONTROL_BACKLOG)?;
    UnixListener::from_std(OwnedFd::from(socket).into())
}

/// A socket's file gets its mode from the process's umask, which is not ours to change while other threads
/// make files. So the socket is made in a folder that nobody else can enter, and moved when its mode is right.
#[derive(Debug)]
struct Workshop(PathBuf);

impl Workshop {
    fn beside(path: &Path) -> io::Result<Self> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut attempt = 0;
        loop {
            // A short name: the socket's whole path must fit into its address.
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

    /// Fails if something is there already.
    fn link(&self, path: &Path) -> io::Result<Metadata> {
        let metadata = fs::symlink_metadata(self.socket())?;
        match fs::hard_link(self.socket(), path) {
            // Not every file system has hard links. Without them, what is put there in this very moment is lost.
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
