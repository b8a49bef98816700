//! The private folder where control sockets are found.

use config::control_folder_of;
use rustix::process::geteuid;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use system::ownership::give;

/// Why the folder for control sockets is not used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("cannot use directory {}: {cause}", folder.display())]
    Io { folder: PathBuf, cause: io::Error },
    #[error("{} is not a directory", folder.display())]
    NoFolder { folder: PathBuf },
    #[error("directory {} belongs to user {owner}", folder.display())]
    Foreign { folder: PathBuf, owner: u32 },
    #[error("directory {} is open to other users: it needs mode 0700", folder.display())]
    Open { folder: PathBuf },
}

/// The default path of this process's control socket: `PID.sock` in a folder that only this user
/// can enter. Creates the folder if it is missing.
pub fn default_path() -> Result<PathBuf, FolderError> {
    default_path_of(geteuid().as_raw())
}

/// The same for a process that will run as this user. Only root can create another user's folder.
pub fn default_path_of(user: u32) -> Result<PathBuf, FolderError> {
    let folder = control_folder_of(user);
    let made = DirBuilder::new().mode(0o700).create(&folder);
    let made = made.and_then(|()| {
        if user == geteuid().as_raw() {
            Ok(())
        } else {
            give(&folder, user, None)
        }
    });
    match made {
        Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => {
            return Err(FolderError::Io { folder, cause });
        }
        _ => check(&folder, user)?,
    }
    Ok(folder.join(format!("{}.sock", std::process::id())))
}

/// The folder and its sockets, unordered. Empty if there is no such folder.
pub fn sockets() -> Result<(PathBuf, Vec<PathBuf>), FolderError> {
    let user = geteuid().as_raw();
    let folder = control_folder_of(user);
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

/// Anybody can create this folder in /tmp: it must belong to us and be private.
fn check(folder: &Path, user: u32) -> Result<(), FolderError> {
    let folder = folder.to_owned();
    // Not through links: a link could change later.
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
