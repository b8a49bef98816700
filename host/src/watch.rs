//! Files that change while the host runs.

use notify::event::EventKind;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::BTreeSet;
use std::future::pending;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::time::timeout;

/// A file is read when it has been left alone for so long: compilers and editors write in several steps.
const QUIET: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(2);

/// Watches files by their folders: what is renamed into the place of one is another file.
pub struct Watch {
    events: Receiver<()>,
    /// Whether something may have changed since it was last read.
    changed: bool,
    _watcher: RecommendedWatcher,
}

impl Watch {
    /// Watches these files.
    pub fn files(files: &[PathBuf]) -> notify::Result<Self> {
        let folders = files.iter().map(|file| folder(file)).collect();
        let names = files.iter().filter_map(|file| file.file_name());
        let names: BTreeSet<_> = names.map(ToOwned::to_owned).collect();
        Watch::new(folders, move |path| {
            path.file_name().is_some_and(|name| names.contains(name))
        })
    }

    /// Watches all that is beside these files: they may be links to what is put there under other names, as
    /// certificates often are.
    pub fn beside<'a>(files: impl IntoIterator<Item = &'a Path>) -> notify::Result<Self> {
        let folders = files.into_iter().map(folder).collect();
        Watch::new(folders, |_| true)
    }

    /// Watches these files, and all that is in these folders and those within. Their paths must be absolute, without
    /// links. What editors put there for themselves does not count.
    pub fn trees(paths: &[PathBuf]) -> notify::Result<Self> {
        let (folders, files): (Vec<_>, Vec<_>) = paths.iter().cloned().partition(|it| it.is_dir());
        let trees = folders
            .iter()
            .map(|it| (it.clone(), RecursiveMode::Recursive));
        let beside = files
            .iter()
            .map(|it| (folder(it), RecursiveMode::NonRecursive));
        let watched = paths.to_vec();
        Watch::of(trees.chain(beside).collect(), move |path| {
            watched.iter().any(|it| path.starts_with(it)) && !is_for_an_editor(path)
        })
    }

    fn new(
        folders: BTreeSet<PathBuf>,
        is_watched: impl Fn(&Path) -> bool + Send + 'static,
    ) -> notify::Result<Self> {
        let folders = folders.into_iter();
        let folders = folders.map(|folder| (folder, RecursiveMode::NonRecursive));
        Watch::of(folders.collect(), is_watched)
    }

    fn of(
        folders: Vec<(PathBuf, RecursiveMode)>,
        is_watched: impl Fn(&Path) -> bool + Send + 'static,
    ) -> notify::Result<Self> {
        // One place is enough: what matters is that something has changed, not what.
        let (sender, events) = channel(1);
        let mut watcher =
            notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
                let concerns_it = |event: &notify::Event| {
                    !matches!(event.kind, EventKind::Access(_))
                        && event.paths.iter().any(|path| is_watched(path))
                };
                // An error may mean that events were lost.
                if event.as_ref().map_or(true, concerns_it) {
                    let _ = sender.try_send(());
                }
            })?;
        for (folder, mode) in folders {
            watcher.watch(&folder, mode)?;
        }
        Ok(Watch {
            events,
            // Between being read and being watched it may have: nobody would tell.
            changed: true,
            _watcher: watcher,
        })
    }

    /// Completes when something was changed and has been left alone since. What it has heard of by then is not
    /// forgotten if it is dropped before.
    pub async fn changed(&mut self) {
        if !self.changed && self.events.recv().await.is_none() {
            // Only if the watcher is gone, which lives as long as this.
            pending::<()>().await;
        }
        self.changed = true;
        let left_alone = async { while timeout(QUIET, self.events.recv()).await.is_ok() {} };
        // A file that is written all the time is read all the same.
        let _ = timeout(LONGEST, left_alone).await;
        self.changed = false;
    }
}

fn folder(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Whether a file is hidden, or a copy from before a change.
fn is_for_an_editor(path: &Path) -> bool {
    path.file_name().is_some_and(|name| {
        let name = name.as_encoded_bytes();
        name.starts_with(b".") || name.ends_with(b"~")
    })
}
