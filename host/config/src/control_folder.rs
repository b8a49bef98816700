//! Where control sockets are, if no option says otherwise.

use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The runtime directory of the user (XDG Base Directory Specification), or the folder for
/// temporary files, with a name for each user.
pub fn control_folder_of(user: u32) -> PathBuf {
    let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    // A process that changed its user still has the variables of the old one.
    let is_anothers = |it: &Path| fs::metadata(it).is_ok_and(|found| found.uid() != user);
    match runtime.filter(|folder| folder.is_absolute() && !is_anothers(folder)) {
        Some(runtime) => runtime.join("echo-host"),
        None => env::temp_dir().join(format!("echo-host-{user}")),
    }
}
