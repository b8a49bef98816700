//! The folders and links that a path leads through, which must be watched to notice that it leads
//! elsewhere.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// How many links a path may lead through, as in path_resolution(7).
const MAX_LINKS: usize = 40;

/// The steps of some paths.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct WatchedPaths {
    /// Resolved folders and links on the way. Replacing one leads elsewhere.
    pub steps: BTreeSet<PathBuf>,
    /// The files at the end.
    pub ends: BTreeSet<PathBuf>,
    /// The folders in which all of these are, with device and inode.
    pub folders: BTreeMap<PathBuf, (u64, u64)>,
}

impl WatchedPaths {
    /// The current steps. A path ends at what does not exist.
    pub fn of<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Self {
        let mut ways = WatchedPaths::default();
        paths.into_iter().for_each(|path| ways.follow(path));
        ways
    }

    fn follow(&mut self, path: &Path) {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let mut real = PathBuf::from("/");
        let mut rest: VecDeque<OsString> = names(&path);
        let mut links = 0;
        let mut last = None;
        while let Some(name) = rest.pop_front() {
            if name == ".." {
                real.pop();
                continue;
            }
            let path_here = real.join(&name);
            self.note_folder(&real);
            self.steps.extend(last.replace(path_here.clone()));
            let Ok(found) = fs::symlink_metadata(&path_here) else {
                break;
            };
            match fs::read_link(&path_here) {
                Ok(target) if found.is_symlink() && links < MAX_LINKS => {
                    links += 1;
                    if target.is_absolute() {
                        real = PathBuf::from("/");
                    }
                    let mut way = names(&target);
                    way.append(&mut rest);
                    rest = way;
                }
                _ => real = path_here,
            }
        }
        self.ends.extend(last);
    }

    fn note_folder(&mut self, folder: &Path) {
        if let Ok(found) = fs::metadata(folder) {
            let identity = (found.dev(), found.ino());
            self.folders.insert(folder.to_owned(), identity);
        }
    }
}

fn names(path: &Path) -> VecDeque<OsString> {
    let components = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    components.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn each_link_on_the_way_is_a_step_and_the_file_is_the_end() {
        let base = tempfile::tempdir().unwrap();
        let base = base.path().canonicalize().unwrap();
        fs::create_dir_all(base.join("releases/1")).unwrap();
        fs::write(base.join("releases/1/a.wasm"), "").unwrap();
        symlink("releases/1", base.join("current")).unwrap();
        symlink("current/a.wasm", base.join("a.wasm")).unwrap();
        let ways = WatchedPaths::of([&base.join("a.wasm")]);
        for step in ["a.wasm", "current", "releases", "releases/1"] {
            assert!(ways.steps.contains(&base.join(step)), "{step}: {ways:?}");
        }
        assert_eq!(ways.ends, BTreeSet::from([base.join("releases/1/a.wasm")]));
        for folder in [&base, &base.join("releases"), &base.join("releases/1")] {
            assert!(ways.folders.contains_key(folder), "{ways:?}");
        }
        let missing = WatchedPaths::of([&base.join("releases/2/a.wasm")]);
        assert_eq!(missing.ends, BTreeSet::from([base.join("releases/2")]));
        assert!(!missing.folders.contains_key(&base.join("releases/2")));
    }

    #[test]
    fn circular_links_end() {
        let base = tempfile::tempdir().unwrap();
        let base = base.path().canonicalize().unwrap();
        symlink("b", base.join("a")).unwrap();
        symlink("a", base.join("b")).unwrap();
        assert!(
            WatchedPaths::of([&base.join("a/x")])
                .steps
                .contains(&base.join("b"))
        );
    }
}
