//! Resolves paths in a granted directory without ever waiting for another process.
//!
//! Opening a pipe waits until its other end is opened, and each wait would block a disk thread for
//! good. So guests open only files and folders: no pipes, sockets or devices.

use rustix::fs::{
    CWD, FileType, Mode, OFlags, ResolveFlags, Timestamps, fstat, openat2, utimensat,
};
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

/// How often a path is resolved again while folders on it are renamed.
const ATTEMPTS: u32 = 16;

/// Opens a file or folder. `None` if the kernel cannot resolve a path beneath a folder.
pub fn open(
    folder: &File,
    path: &str,
    flags: OFlags,
    follows_links: bool,
) -> io::Result<Option<File>> {
    let mut flags = flags | OFlags::NONBLOCK | OFlags::NOCTTY;
    flags.set(OFlags::NOFOLLOW, !follows_links);
    let Some(opened) = follow(folder, path, flags)? else {
        return Ok(None);
    };
    match FileType::from_raw_mode(fstat(&opened)?.st_mode) {
        FileType::RegularFile | FileType::Directory => Ok(Some(opened.into())),
        _ => Err(io::ErrorKind::PermissionDenied.into()),
    }
}

/// Sets the times of a file, following links. False if the kernel cannot resolve a path beneath a
/// folder.
pub fn set_times(folder: &File, path: &str, times: &Timestamps) -> io::Result<bool> {
    let Some(found) = follow(folder, path, OFlags::PATH)? else {
        return Ok(false);
    };
    let name = format!("/proc/self/fd/{}", found.as_raw_fd());
    utimensat(CWD, name, times, rustix::fs::AtFlags::empty())?;
    Ok(true)
}

fn follow(folder: &File, path: &str, flags: OFlags) -> io::Result<Option<OwnedFd>> {
    let mode = if flags.contains(OFlags::CREATE) {
        Mode::from_raw_mode(0o666)
    } else {
        Mode::empty()
    };
    let how = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    for _ in 0..ATTEMPTS {
        match openat2(folder, path, flags | OFlags::CLOEXEC, mode, how) {
            // A folder on the path was renamed meanwhile.
            Err(Errno::AGAIN) => {}
            Err(Errno::NOSYS) => return Ok(None),
            // The path leaves the directory.
            Err(Errno::XDEV) => return Err(io::ErrorKind::PermissionDenied.into()),
            found => return Ok(Some(found?)),
        }
    }
    Err(Errno::AGAIN.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{Timespec, mknodat};
    use std::fs;
    use std::os::unix::fs::{MetadataExt, symlink};

    #[test]
    fn files_and_folders_are_opened_without_blocking() {
        let base = tempfile::tempdir().unwrap();
        let granted = base.path().join("granted");
        fs::create_dir_all(granted.join("sub")).unwrap();
        fs::write(base.path().join("secret"), "secret").unwrap();
        fs::write(granted.join("file"), "file").unwrap();
        symlink("file", granted.join("link")).unwrap();
        symlink("../secret", granted.join("out")).unwrap();
        let folder = File::open(&granted).unwrap();
        mknodat(
            &folder,
            "pipe",
            FileType::Fifo,
            Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        let read = |path: &str, follows_links| open(&folder, path, OFlags::RDONLY, follows_links);
        for path in ["file", "sub", "link", "sub/../file", "."] {
            assert!(read(path, true).unwrap().is_some(), "{path}");
        }
        for path in ["pipe", "out", "../secret", "/etc", "none", ""] {
            assert!(read(path, true).is_err(), "{path}");
        }
        assert!(read("link", false).is_err());
        for flags in [OFlags::WRONLY, OFlags::RDWR] {
            assert!(open(&folder, "pipe", flags, true).is_err());
        }
        let new = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        assert!(open(&folder, "new", new, true).unwrap().is_some());
        assert!(open(&folder, "new", new, true).is_err());
        let at = |seconds| Timespec {
            tv_sec: seconds,
            tv_nsec: 0,
        };
        let times = Timestamps {
            last_access: at(1),
            last_modification: at(2),
        };
        for path in ["pipe", "link"] {
            assert!(set_times(&folder, path, &times).unwrap(), "{path}");
        }
        assert_eq!(fs::metadata(granted.join("file")).unwrap().mtime(), 2);
        assert!(set_times(&folder, "out", &times).is_err());
    }
}
