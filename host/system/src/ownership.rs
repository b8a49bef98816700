//! Checks who owns files and folders, and whether others could change or replace them.

use nix::unistd::{Gid, Group, Uid, User};
use rustix::fs::{Dir, Mode, OFlags};
use rustix::process::{getegid, geteuid};
use std::fs::{self, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

/// Write permission of group and others.
const GROUP_MAY_WRITE: u32 = 0o020;
const ALL_MAY_WRITE: u32 = 0o002;
/// In a sticky folder, nobody can rename or remove files of others.
const STICKY: u32 = 0o1000;

/// Why a path cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub enum UntrustedOwner {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("{} belongs to user {owner}", path.display())]
    Foreign { path: PathBuf, owner: u32 },
    #[error("other users may write to {}", .0.display())]
    Writable(PathBuf),
    #[error("{} is neither a file nor a directory", .0.display())]
    Strange(PathBuf),
}

/// Checks that only this user and root can replace `path`, which has no links, in any of its parent
/// folders.
pub fn check_above(path: &Path) -> Result<(), UntrustedOwner> {
    for folder in path.ancestors().skip(1) {
        let found = fs::symlink_metadata(folder)?;
        if ![0, geteuid().as_raw()].contains(&found.uid()) {
            return Err(foreign(folder, &found));
        }
        if !found.is_dir() {
            return Err(UntrustedOwner::Strange(folder.to_owned()));
        }
        let may_write = |others: u32| found.mode() & others != 0 && found.mode() & STICKY == 0;
        // A private group per user is common, and folders are writable for it.
        if may_write(ALL_MAY_WRITE) || may_write(GROUP_MAY_WRITE) && !is_own_group(found.gid()) {
            return Err(UntrustedOwner::Writable(folder.to_owned()));
        }
    }
    Ok(())
}

/// Whether this is the private group of the process's user, as far as the system tells: it has the
/// user's name.
fn is_own_group(group: u32) -> bool {
    let user = User::from_uid(Uid::from_raw(geteuid().as_raw()));
    let known = Group::from_gid(Gid::from_raw(group));
    match (user, known) {
        _ if group != getegid().as_raw() => false,
        (Ok(Some(user)), Ok(Some(group))) => {
            group.name == user.name && group.mem.iter().all(|member| *member == user.name)
        }
        _ => false,
    }
}

/// Checks that a folder and its content belong to this user and nobody else can change them. If
/// others cannot enter the folder, permissions inside do not matter: a umask may leave some.
pub fn check_within(folder: &Path) -> Result<(), UntrustedOwner> {
    let is_private = fs::symlink_metadata(folder)?.mode() & 0o077 == 0;
    let mut unchecked = vec![folder.to_owned()];
    while let Some(path) = unchecked.pop() {
        let found = match fs::symlink_metadata(&path) {
            // Another process removed it.
            Err(error) if error.kind() == io::ErrorKind::NotFound && path != folder => continue,
            found => found?,
        };
        if found.uid() != geteuid().as_raw() {
            return Err(foreign(&path, &found));
        }
        if !found.is_dir() && !found.is_file() {
            return Err(UntrustedOwner::Strange(path));
        }
        if !is_private && found.mode() & (ALL_MAY_WRITE | GROUP_MAY_WRITE) != 0 {
            return Err(UntrustedOwner::Writable(path));
        }
        if found.is_dir() {
            for entry in fs::read_dir(&path)? {
                unchecked.push(entry?.path());
            }
        }
    }
    Ok(())
}

/// Gives a newly created folder to another user. If it was replaced meanwhile, leaves it alone: a
/// link, a file, or a folder that is not empty or that others may enter.
pub fn give(folder: &Path, user: u32, group: Option<u32>) -> io::Result<()> {
    let itself = OFlags::DIRECTORY | OFlags::NOFOLLOW;
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(itself.bits().cast_signed())
        .open(folder)?;
    let found = opened.metadata()?;
    let is_private = found.uid() == geteuid().as_raw() && found.mode() & 0o077 == 0;
    let is_empty = Dir::read_from(&opened)?
        .all(|entry| entry.is_ok_and(|entry| [c".", c".."].contains(&entry.file_name())));
    if !is_private || !is_empty {
        let why = "the directory was replaced right after it was created";
        return Err(io::Error::other(why));
    }
    fchown(opened, Some(user), group)
}

/// A file of any kind by descriptor (O_PATH): its mode and owner can be changed, its content cannot
/// be read. Later changes at its path do not matter, and links are not followed.
#[derive(Debug)]
pub struct PathHandle {
    #[cfg(target_os = "linux")]
    file: std::fs::File,
    /// Elsewhere, such descriptors do not exist. Links are not followed either.
    #[cfg(not(target_os = "linux"))]
    path: PathBuf,
}

#[cfg(target_os = "linux")]
impl PathHandle {
    /// Opens the file at this path, even a link.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::open(path, flags, Mode::empty())?;
        Ok(PathHandle { file: file.into() })
    }

    /// Its metadata.
    pub fn metadata(&self) -> io::Result<Metadata> {
        self.file.metadata()
    }

    /// Sets its permissions.
    #[expect(
        clippy::disallowed_methods,
        reason = "the path is that of the descriptor; fchmodat2 would be without /proc, and needs Linux 6.6"
    )]
    pub fn set_mode(&self, mode: u32) -> io::Result<()> {
        use std::os::fd::AsRawFd;
        use std::os::unix::fs::PermissionsExt;
        let path = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
    }

    /// Sets its owner.
    #[expect(clippy::disallowed_methods, reason = "there is no path")]
    pub fn set_owner(&self, user: Option<u32>, group: Option<u32>) -> io::Result<()> {
        use rustix::fs::{AtFlags, Gid, Uid, chownat};
        let (user, group) = (user.map(Uid::from_raw), group.map(Gid::from_raw));
        Ok(chownat(&self.file, c"", user, group, AtFlags::EMPTY_PATH)?)
    }
}

#[cfg(not(target_os = "linux"))]
impl PathHandle {
    /// Opens the file at this path, even a link.
    pub fn open(path: &Path) -> io::Result<Self> {
        let path = path.to_owned();
        fs::symlink_metadata(&path).map(|_| PathHandle { path })
    }

    /// Its metadata.
    pub fn metadata(&self) -> io::Result<Metadata> {
        fs::symlink_metadata(&self.path)
    }

    /// Sets its permissions.
    #[expect(clippy::disallowed_methods, reason = "links are not followed")]
    pub fn set_mode(&self, mode: u32) -> io::Result<()> {
        use rustix::fs::{AtFlags, CWD, RawMode, chmodat};
        let mode = Mode::from_raw_mode(mode as RawMode);
        Ok(chmodat(CWD, &self.path, mode, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// Sets its owner.
    #[expect(clippy::disallowed_methods, reason = "links are not followed")]
    pub fn set_owner(&self, user: Option<u32>, group: Option<u32>) -> io::Result<()> {
        std::os::unix::fs::lchown(&self.path, user, group)
    }
}

fn foreign(path: &Path, found: &Metadata) -> UntrustedOwner {
    UntrustedOwner::Foreign {
        path: path.to_owned(),
        owner: found.uid(),
    }
}
