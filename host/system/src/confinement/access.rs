//! What the host does with files, and by TCP.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Folders, each with all that is beneath it, and what is done there. Links have been followed.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Files are read.
    pub(super) read: BTreeSet<PathBuf>,
    /// Files and folders are read, written, made and removed.
    pub(super) write: BTreeSet<PathBuf>,
    /// Unix sockets are made and removed.
    pub(super) sockets: BTreeSet<PathBuf>,
    /// TCP ports, of this machine and of others, that are connected to.
    pub(super) ports: BTreeSet<u16>,
}

impl Access {
    /// Reads what is in a folder.
    pub fn read(&mut self, folder: &Path) {
        self.read.insert(resolved(folder));
    }

    /// Reads a file, and whatever takes its place: files are replaced by renaming others.
    pub fn read_file(&mut self, file: &Path) {
        self.read.insert(resolved(&folder_of(file)));
        // It may be a link, and its target be replaced.
        if let Some(folder) = resolved(file).parent() {
            self.read.insert(folder.to_owned());
        }
    }

    /// Reads and writes what is in a folder.
    pub fn write(&mut self, folder: &Path) {
        self.write.insert(resolved(folder));
    }

    /// Makes and removes the Unix socket at this path.
    pub fn bind(&mut self, socket: &Path) {
        self.sockets.insert(resolved(&folder_of(socket)));
    }

    /// Connects to this TCP port, wherever.
    pub fn connect(&mut self, port: u16) {
        self.ports.insert(port);
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

/// Where a file lies.
pub fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Without links; what is not there is taken by its name.
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
    fn what_may_be_written_may_be_read_and_sockets_are_neither() {
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
