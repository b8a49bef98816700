//! The private folder where control sockets are found.

use rustix::process::geteuid;
use std::env;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use system::ownership::give;

/// Why the folder for control sockets is not used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("cannot use the folder {}: {cause}", folder.display())]
    Io { folder: PathBuf, cause: io::Error },
    #[error("{} is no folder", folder.display())]
    NoFolder { folder: PathBuf },
    #[error("the folder {} belongs to user {owner}", folder.display())]
    Foreign { folder: PathBuf, owner: u32 },
    #[error("others may enter the folder {}: it needs mode 0700", folder.display())]
    Open { folder: PathBuf },
}

/// Where this process's control socket goes: `PID.sock` in a folder that only this user can enter, which is
/// made if it is missing.
pub fn default_path() -> Result<PathBuf, FolderError> {
    default_path_of(geteuid().as_raw())
}

/// The same for a process that is going to be this user's. Only root can make another user's folder.
pub fn default_path_of(user: u32) -> Result<PathBuf, FolderError> {
    let folder = place(user);
    let made = DirBuilder::new().mode(0o700).create(&folder);
    let made = made.and_then(|()| match user == geteuid().as_raw() {
        true => Ok(()),
        false => give(&folder, user, None),
    });
    match made {
        Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => {
            return Err(FolderError::Io { folder, cause });
        }
        _ => check(&folder, user)?,
    }
    Ok(folder.join(format!("{}.sock", std::process::id())))
}

/// Where the control sockets of this user's processes are, whether there is such a folder or not.
pub fn default_folder_of(user: u32) -> PathBuf {
    place(user)
}

/// The folder, and the sockets in it, in no order. None if there is no such folder.
pub fn sockets() -> Result<(PathBuf, Vec<PathBuf>), FolderError> {
    let user = geteuid().as_raw();
    let folder = place(user);
    let fail = |cause| FolderError::Io {
        folder: folder.clone(),
        cause,
    };
    match check(&folder, user) {
        Err(FolderError::Io { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => {
            return Ok((folder, Vec::new()));
        }
        checked => checked?,
    }
    let mut sockets = Vec::new();
    for entry in fs::read_dir(&folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        if path.extension().is_some_and(|end| end == "sock") {
            sockets.push(path);
        }
    }
    Ok((folder, sockets))
}

/// In the user's own folder for such things, as the XDG Base Directory Specification has it, or among the
/// temporary files, where the name has to tell users apart.
fn place(user: u32) -> PathBuf {
    let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    // Who has become another user has the variables of the one before.
    let is_anothers = |it: &Path| fs::metadata(it).is_ok_and(|found| found.uid() != user);
    match runtime.filter(|folder| folder.is_absolute() && !is_anothers(folder)) {
        Some(runtime) => runtime.join("echo-host"),
        None => env::temp_dir().join(format!("echo-host-{user}")),
    }
}

/// Anybody can make a folder of that name among the temporary files: it must be ours, and ours alone.
fn check(folder: &Path, user: u32) -> Result<(), FolderError> {
    let folder = folder.to_owned();
    // The thing itself: a link could lead anywhere, and elsewhere later.
    let metadata = match fs::symlink_metadata(&folder) {
        Ok(metadata) => metadata,
        Err(cause) => return Err(FolderError::Io { folder, cause }),
    };
    if !metadata.is_dir() {
        return Err(FolderError::NoFolder { folder });
    }
    if metadata.uid() != user {
        let owner = metadata.uid();
        return Err(FolderError::Foreign { folder, owner });
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(FolderError::Open { folder });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "nobody else writes to the folder"
    )]
    fn only_a_private_folder_of_ones_own_will_do() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("folder");
        let check = |folder: &Path| check(folder, geteuid().as_raw());
        assert!(matches!(check(&folder), Err(FolderError::Io { .. })));
        DirBuilder::new().mode(0o700).create(&folder).unwrap();
        check(&folder).unwrap();

        let link = base.path().join("link");
        symlink(&folder, &link).unwrap();
        assert!(matches!(check(&link), Err(FolderError::NoFolder { .. })));

        fs::set_permissions(&folder, Permissions::from_mode(0o710)).unwrap();
        assert!(matches!(check(&folder), Err(FolderError::Open { .. })));
    }
}
