//! The access to files and TCP ports that the sandbox allows.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Folders with all their content, and what is allowed there. Links are resolved.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Folders to read.
    pub(super) read: BTreeSet<PathBuf>,
    /// Folders to read, write, create and remove in.
    pub(super) write: BTreeSet<PathBuf>,
    /// Folders to create and remove Unix sockets in.
    pub(super) sockets: BTreeSet<PathBuf>,
    /// TCP ports to connect to, on any machine.
    pub(super) ports: BTreeSet<u16>,
    /// Whether it may ask for the written pages of its memory.
    pub(super) scans: bool,
}

impl Access {
    /// Allows reading in a folder.
    pub fn read(&mut self, folder: &Path) {
        self.read.insert(resolved(folder));
    }

    /// Allows reading a file and its replacements: files are replaced by renaming.
    pub fn read_file(&mut self, file: &Path) {
        self.read.insert(resolved(&folder_of(file)));
        // It may be a link whose target is replaced.
        if let Some(folder) = resolved(file).parent() {
            self.read.insert(folder.to_owned());
        }
    }

    /// Allows reading and writing in a folder.
    pub fn write(&mut self, folder: &Path) {
        self.write.insert(resolved(folder));
    }

    /// Allows creating and removing the Unix socket at this path.
    pub fn bind(&mut self, socket: &Path) {
        self.sockets.insert(resolved(&folder_of(socket)));
    }

    /// Allows connecting to this TCP port on any machine.
    pub fn connect(&mut self, port: u16) {
        self.ports.insert(port);
    }

    /// Allows asking for the written pages of this process's memory.
    pub fn scan(&mut self) {
        self.scans = true;
    }

    pub(super) fn lets_connect(&self, port: u16) -> bool {
        self.ports.contains(&port)
    }

    pub(super) fn lets_read(&self, path: &Path) -> bool {
        let path = resolved(path);
        is_beneath(&path, &self.read) || is_beneath(&path, &self.write)
    }

    pub(super) fn lets_write(&self, folder: &Path) -> bool {
        is_beneath(&resolved(folder), &self.write)
    }

    pub(super) fn lets_bind(&self, folder: &Path) -> bool {
        is_beneath(&resolved(folder), &self.sockets)
    }
}

/// The folder of a file.
pub fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// The path without links; a missing file keeps its name.
fn resolved(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

fn is_beneath(path: &Path, folders: &BTreeSet<PathBuf>) -> bool {
    path.ancestors().any(|folder| folders.contains(folder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_file_is_read_where_it_lies_and_where_its_link_leads() {
        let base = tempfile::tempdir().unwrap();
        let base = base.path().canonicalize().unwrap();
        for folder in ["links", "files", "others"] {
            fs::create_dir(base.join(folder)).unwrap();
        }
        fs::write(base.join("files/a"), "").unwrap();
        symlink("../files/a", base.join("links/a")).unwrap();
        let mut access = Access::default();
        access.read_file(&base.join("links/a"));
        for path in ["links/b", "files/a", "files/b", "links/a"] {
            let there = base.join(path);
            assert!(access.lets_read(&there) || path.ends_with('b') && !there.exists());
        }
        fs::write(base.join("files/b"), "").unwrap();
        fs::write(base.join("others/a"), "").unwrap();
        assert!(access.lets_read(&base.join("files/b")));
        assert!(!access.lets_read(&base.join("others/a")));
        assert!(!access.lets_write(&base.join("files")));
    }

    #[test]
    fn write_access_includes_read_access_and_socket_access_neither() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let mut access = Access::default();
        access.bind(&folder.path().join("a.sock"));
        assert!(access.lets_bind(folder.path()) && !access.lets_read(&file));
        access.write(folder.path());
        assert!(access.lets_read(&file) && access.lets_write(folder.path()));
    }
}
