//! Unix stream sockets.

use super::options::SocketOptions;
use address::UnixAddress;
use nix::unistd::{Group, User};
use rustix::process::{getegid, geteuid};
use socket2::{Domain, SockAddr, Socket, Type};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use system::confinement::{may_bind, may_change_files};
use system::ownership::PathHandle;
use system::unix_socket::{
    SocketFile, SocketFileError, bind_and_open, bind_with_mode, default_mode, remove_stale,
};

/// Mode and owner of a Unix socket with a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnixAccess {
    /// Permissions of the file: connecting needs write permission. Default: from the umask.
    pub mode: Option<u32>,
    /// The owner of the file.
    pub owner: Owner,
}

/// Owner of a file, where it differs from the user and group of the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// By number.
    pub user: Option<u32>,
    /// By number.
    pub group: Option<u32>,
}

/// Why a text is not an [`Owner`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidOwner {
    #[error("expected USER, USER:GROUP or :GROUP, by name or number")]
    Empty,
    #[error("there is no user `{0}`")]
    User(String),
    #[error("there is no group `{0}`")]
    Group(String),
}

impl FromStr for Owner {
    type Err = InvalidOwner;

    fn from_str(text: &str) -> Result<Self, InvalidOwner> {
        let (user, group) = text.split_once(':').unwrap_or((text, ""));
        if user.is_empty() && group.is_empty() {
            return Err(InvalidOwner::Empty);
        }
        let user_id = |name: &str| Ok(User::from_name(name)?.map(|user| user.uid.as_raw()));
        let group_id = |name: &str| Ok(Group::from_name(name)?.map(|group| group.gid.as_raw()));
        Ok(Owner {
            user: number_of(user, user_id).map_err(InvalidOwner::User)?,
            group: number_of(group, group_id).map_err(InvalidOwner::Group)?,
        })
    }
}

/// A number, or the number of a name; `None` for an empty name.
fn number_of(
    text: &str,
    look_up: impl FnOnce(&str) -> nix::Result<Option<u32>>,
) -> Result<Option<u32>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    if let Ok(number) = text.parse() {
        return Ok(Some(number));
    }
    match look_up(text) {
        Ok(Some(number)) => Ok(Some(number)),
        Ok(None) | Err(_) => Err(text.to_owned()),
    }
}

/// A bound socket and its file, if any.
#[derive(Debug)]
pub struct Bound {
    pub socket: Socket,
    pub file: Option<Arc<SocketFile>>,
}

pub fn bind(
    address: &UnixAddress,
    access: UnixAccess,
    options: &SocketOptions,
) -> Result<Bound, SocketFileError> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    let file = match address {
        UnixAddress::Path(path) => Some(Arc::new(bind_file(&socket, path, access)?)),
        UnixAddress::Abstract(name) => {
            socket.bind(&abstract_name(name)?)?;
            None
        }
    };
    options.listen(&socket)?;
    Ok(Bound { socket, file })
}

/// Nobody can connect before the socket listens, and by then mode and owner are set.
fn bind_file(
    socket: &Socket,
    path: &Path,
    access: UnixAccess,
) -> Result<SocketFile, SocketFileError> {
    may_bind(path)?;
    match try_bind_file(socket, path, access) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            remove_stale(path)?;
            Ok(try_bind_file(socket, path, access)?)
        }
        bound => Ok(bound?),
    }
}

fn try_bind_file(socket: &Socket, path: &Path, access: UnixAccess) -> io::Result<SocketFile> {
    if let Err(error) = may_change_files() {
        // A new socket belongs to the user and group of this process.
        let Owner { user, group } = access.owner;
        let is_other = user.is_some_and(|user| user != geteuid().as_raw())
            || group.is_some_and(|group| group != getegid().as_raw());
        return if is_other {
            Err(error)
        } else {
            bind_with_mode(socket, path, access.mode)
        };
    }
    let (file, itself) = bind_and_open(socket, path)?;
    let access = UnixAccess {
        mode: Some(access.mode.unwrap_or_else(default_mode)),
        ..access
    };
    change(&itself, &missing(&itself.metadata()?, access))?;
    Ok(file)
}

/// The changes that a file needs.
#[derive(Debug, Default, PartialEq, Eq)]
struct Missing {
    mode: Option<u32>,
    user: Option<u32>,
    group: Option<u32>,
}

fn missing(found: &fs::Metadata, access: UnixAccess) -> Missing {
    let Owner { user, group } = access.owner;
    Missing {
        mode: access.mode.filter(|mode| *mode != found.mode() & 0o7777),
        user: user.filter(|user| *user != found.uid()),
        group: group.filter(|group| *group != found.gid()),
    }
}

fn change(itself: &PathHandle, missing: &Missing) -> io::Result<()> {
    if missing.user.is_some() || missing.group.is_some() {
        itself.set_owner(missing.user, missing.group)?;
    }
    // After the owner, because changing the owner may change the mode.
    missing.mode.map_or(Ok(()), |mode| itself.set_mode(mode))
}

/// Checks that mode and owner are right, or can be set.
pub fn check_access(file: &SocketFile, access: UnixAccess) -> io::Result<()> {
    if missing(&PathHandle::open(file.path())?.metadata()?, access) == Missing::default() {
        Ok(())
    } else {
        may_change_files().and_then(|()| file.open().map(drop))
    }
}

/// Sets mode and owner. What is already right is left alone: a process that gave up root could not
/// set it again.
pub fn set_access(file: &SocketFile, access: UnixAccess) -> io::Result<()> {
    let missing = missing(&PathHandle::open(file.path())?.metadata()?, access);
    if missing == Missing::default() {
        return Ok(());
    }
    may_change_files()?;
    change(&file.open()?, &missing)
}

/// Abstract names start with a zero byte: unix(7).
fn abstract_name(name: &str) -> io::Result<SockAddr> {
    if cfg!(not(any(target_os = "linux", target_os = "android"))) {
        let why = "only Linux has abstract names";
        return Err(io::Error::new(io::ErrorKind::Unsupported, why));
    }
    SockAddr::unix(format!("\0{name}"))
}
