//! Whose files and folders are, and whether others could change them or put others in their place.

use nix::unistd::{Gid, Group, Uid, User};
use rustix::fs::{Dir, Mode, OFlags};
use rustix::process::{getegid, geteuid};
use std::fs::{self, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

/// Who may write to a file or a folder besides its owner: its group, and all.
const GROUP_MAY_WRITE: u32 = 0o020;
const ALL_MAY_WRITE: u32 = 0o002;
/// In such a folder nobody can rename or remove what is others'.
const STICKY: u32 = 0o1000;

/// Why what is in a place need not be ours.
#[derive(Debug, thiserror::Error)]
pub enum NotOurs {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("{} belongs to user {owner}", path.display())]
    Foreign { path: PathBuf, owner: u32 },
    #[error("others may write to {}", .0.display())]
    Writable(PathBuf),
    #[error("{} is neither a file nor a folder", .0.display())]
    Strange(PathBuf),
}

/// Checks that nobody but the process's user and root can put something else in the place of `path`, which has no
/// links in it: not in any of the folders above.
pub fn check_above(path: &Path) -> Result<(), NotOurs> {
    for folder in path.ancestors().skip(1) {
        let found = fs::symlink_metadata(folder)?;
        if ![0, geteuid().as_raw()].contains(&found.uid()) {
            return Err(foreign(folder, &found));
        }
        if !found.is_dir() {
            return Err(NotOurs::Strange(folder.to_owned()));
        }
        let may_write = |others: u32| found.mode() & others != 0 && found.mode() & STICKY == 0;
        // A group of one's own is usual, and folders are made for it.
        if may_write(ALL_MAY_WRITE) || may_write(GROUP_MAY_WRITE) && !is_own_group(found.gid()) {
            return Err(NotOurs::Writable(folder.to_owned()));
        }
    }
    Ok(())
}

/// Whether a group is the process's and has nobody else in it, as far as the system tells: it bears the user's name, as
/// those that are made along with a user do.
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

/// Checks that a folder, and all that is in it, is the process's user's, and nobody else's to change. Where others can't
/// even enter the folder, their rights within do not matter: a umask may have left some.
pub fn check_within(folder: &Path) -> Result<(), NotOurs> {
    let is_private = fs::symlink_metadata(folder)?.mode() & 0o077 == 0;
    let mut unchecked = vec![folder.to_owned()];
    while let Some(path) = unchecked.pop() {
        let found = match fs::symlink_metadata(&path) {
            // Another process cleans up.
            Err(error) if error.kind() == io::ErrorKind::NotFound && path != folder => continue,
            found => found?,
        };
        if found.uid() != geteuid().as_raw() {
            return Err(foreign(&path, &found));
        }
        if !found.is_dir() && !found.is_file() {
            return Err(NotOurs::Strange(path));
        }
        if !is_private && found.mode() & (ALL_MAY_WRITE | GROUP_MAY_WRITE) != 0 {
            return Err(NotOurs::Writable(path));
        }
        if found.is_dir() {
            for entry in fs::read_dir(&path)? {
                unchecked.push(entry?.path());
            }
        }
    }
    Ok(())
}

/// Gives a folder that was made just now to another user. What somebody has put in its place
/// meanwhile is left alone: a link, a file, and a folder that has something in it or that others may enter.
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
        let why = "another folder has taken the place of the one that was made";
        return Err(io::Error::other(why));
    }
    fchown(opened, Some(user), group)
}

/// A file of any kind, by descriptor: its mode and its owner can be changed, and its content not be read. What
/// is at its path by then does not matter, and a link is never followed.
#[derive(Debug)]
pub struct Itself {
    #[cfg(target_os = "linux")]
    file: std::fs::File,
    /// Elsewhere there are no descriptors that need no right to read. Links are not followed there either.
    #[cfg(not(target_os = "linux"))]
    path: PathBuf,
}

#[cfg(target_os = "linux")]
impl Itself {
    /// What is at this path, be it a link.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::open(path, flags, Mode::empty())?;
        Ok(Itself { file: file.into() })
    }

    /// What the file system says about it.
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

    /// Gives it to others.
    #[expect(clippy::disallowed_methods, reason = "there is no path")]
    pub fn set_owner(&self, user: Option<u32>, group: Option<u32>) -> io::Result<()> {
        use rustix::fs::{AtFlags, Gid, Uid, chownat};
        let (user, group) = (user.map(Uid::from_raw), group.map(Gid::from_raw));
        Ok(chownat(&self.file, c"", user, group, AtFlags::EMPTY_PATH)?)
    }
}

#[cfg(not(target_os = "linux"))]
impl Itself {
    /// What is at this path, be it a link.
    pub fn open(path: &Path) -> io::Result<Self> {
        let path = path.to_owned();
        fs::symlink_metadata(&path).map(|_| Itself { path })
    }

    /// What the file system says about it.
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

    /// Gives it to others.
    #[expect(clippy::disallowed_methods, reason = "links are not followed")]
    pub fn set_owner(&self, user: Option<u32>, group: Option<u32>) -> io::Result<()> {
        std::os::unix::fs::lchown(&self.path, user, group)
    }
}

fn foreign(path: &Path, found: &Metadata) -> NotOurs {
    NotOurs::Foreign {
        path: path.to_owned(),
        owner: found.uid(),
    }
}
