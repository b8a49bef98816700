//! Which files may be opened.

use super::open_here;
use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf, absolute};

/// Files by their names, and folders with all that is beneath them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    files: BTreeSet<PathBuf>,
    folders: BTreeSet<PathBuf>,
}

impl Names {
    /// A file, wherever its name leads when it is opened.
    pub fn file(&mut self, path: &Path) {
        self.files.extend(absolute(path));
    }

    /// Files beneath a folder, wherever the folder's name leads then. Links beneath it that lead out are not followed.
    pub fn folder(&mut self, path: &Path) {
        self.folders.extend(absolute(path));
    }

    /// The files.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(PathBuf::as_path)
    }

    /// The folders.
    pub fn folders(&self) -> impl Iterator<Item = &Path> {
        self.folders.iter().map(PathBuf::as_path)
    }

    /// These, too.
    pub fn add(&mut self, others: Names) {
        self.files.extend(others.files);
        self.folders.extend(others.folders);
    }

    /// Opens a file to read it, if it is among these.
    pub(super) fn open(&self, path: &Path) -> Option<io::Result<File>> {
        if self.files.contains(path) {
            return Some(open_here(path));
        }
        let beneath = |folder: &PathBuf| Some((folder.clone(), path.strip_prefix(folder).ok()?));
        let (folder, rest) = self.folders.iter().find_map(beneath)?;
        Some(open_beneath(&folder, rest))
    }
}

#[cfg(target_os = "linux")]
fn open_beneath(folder: &Path, rest: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags, ResolveFlags, open, openat2};
    let folder = open(
        folder,
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let how = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    Ok(openat2(folder, rest, flags, Mode::empty(), how)?.into())
}

/// Only Linux has a sandbox, and so a helper.
#[cfg(not(target_os = "linux"))]
fn open_beneath(_: &Path, _: &Path) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_name_leads_where_it_leads_now_and_a_folder_does_not_lead_out() {
        let base = tempfile::tempdir().unwrap();
        let base = base.path();
        for folder in ["one", "two"] {
            fs::create_dir(base.join(folder)).unwrap();
            fs::write(base.join(folder).join("file"), folder).unwrap();
        }
        symlink("one", base.join("current")).unwrap();
        symlink("../one/file", base.join("two/out")).unwrap();
        symlink("file", base.join("two/beside")).unwrap();
        let mut names = Names::default();
        names.file(&base.join("current/file"));
        names.folder(&base.join("two"));
        let read = |name: &str| {
            let opened = names.open(&base.join(name))?;
            Some(opened.and_then(io::read_to_string).ok())
        };
        assert_eq!(read("current/file").unwrap().unwrap(), "one");
        fs::remove_file(base.join("current")).unwrap();
        symlink("two", base.join("current")).unwrap();
        assert_eq!(read("current/file").unwrap().unwrap(), "two");
        assert_eq!(read("one/file"), None);
        for name in ["two/file", "two/beside"] {
            assert_eq!(read(name).unwrap().unwrap(), "two");
        }
        for name in ["two/out", "two/../one/file"] {
            assert_eq!(read(name), Some(None), "{name}");
        }
    }
}
