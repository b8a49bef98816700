//! Watches files that change while the host runs. Must not know what they are for.

mod paths;

pub use paths::WatchedPaths;

use notify::event::{EventKind, ModifyKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{sleep, timeout};

/// A changed file must be quiet for this long: compilers and editors write in several steps.
const QUIET: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(2);
/// The pause before another attempt to watch.
const RETRY: Duration = Duration::from_secs(5);
/// How often the paths may change while they are being set up.
const ATTEMPTS: usize = 10;

/// Watches files by path: every folder and link on the way, so that a link that changes, or a file
/// that is removed and created again, is noticed.
pub struct Watch {
    what: What,
    sender: Sender<()>,
    events: Receiver<()>,
    /// Whether something may have changed since the last read.
    changed: bool,
    /// `None` after a logged failure.
    armed: Option<Armed>,
}

/// The watched paths.
#[derive(Clone)]
enum What {
    Files(Vec<PathBuf>),
    /// Files, and folders with all their content.
    Trees(Vec<PathBuf>),
}

struct Armed {
    ways: WatchedPaths,
    _watcher: RecommendedWatcher,
}

impl Watch {
    /// Watches these files.
    pub fn files(files: Vec<PathBuf>) -> notify::Result<Self> {
        Watch::new(What::Files(files))
    }

    /// Watches these files, and these folders with all their content. Paths must be absolute,
    /// without links. Temporary files of editors are ignored.
    pub fn trees(paths: Vec<PathBuf>) -> notify::Result<Self> {
        Watch::new(What::Trees(paths))
    }

    fn new(what: What) -> notify::Result<Self> {
        // One slot is enough: what matters is that something changed.
        let (sender, events) = channel(1);
        Ok(Watch {
            armed: Some(arm(&what, &sender)?),
            what,
            sender,
            events,
            // It may have changed between being read and being watched.
            changed: true,
        })
    }

    /// Completes when something changed and has been quiet since. Cancel-safe: noticed changes are
    /// kept.
    pub async fn changed(&mut self) {
        if !self.changed {
            self.wait().await;
        }
        self.changed = true;
        let left_alone = async { while timeout(QUIET, self.events.recv()).await.is_ok() {} };
        // A file that is written all the time is read anyway.
        let _ = timeout(LONGEST, left_alone).await;
        self.arm_again();
        self.changed = false;
    }

    async fn wait(&mut self) {
        while self.armed.is_none() {
            sleep(RETRY).await;
            self.arm_again();
            if self.armed.is_some() {
                tracing::info!("watching {} again", self.what.paths());
                return;
            }
        }
        // `self` holds the sender, so this cannot end.
        let _ = self.events.recv().await;
    }

    /// Watches where the paths lead now, if that has changed.
    fn arm_again(&mut self) {
        let failed_before = match &self.armed {
            Some(armed) if armed.ways == self.what.ways() => return,
            armed => armed.is_none(),
        };
        self.armed = match arm(&self.what, &self.sender) {
            Ok(armed) => Some(armed),
            Err(error) => {
                if !failed_before {
                    tracing::error!(
                        "cannot watch {}, changes go unnoticed until it works again: {error}",
                        self.what.paths()
                    );
                }
                None
            }
        };
    }
}

impl What {
    fn ways(&self) -> WatchedPaths {
        match self {
            What::Files(paths) | What::Trees(paths) => WatchedPaths::of(paths),
        }
    }

    fn paths(&self) -> String {
        let (What::Files(paths) | What::Trees(paths)) = self;
        let paths: Vec<_> = paths
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        paths.join(", ")
    }

    fn folders_with_all_within(&self) -> impl Iterator<Item = &PathBuf> {
        let trees: &[PathBuf] = match self {
            What::Files(_) => &[],
            What::Trees(paths) => paths,
        };
        trees.iter().filter(|path| path.is_dir())
    }

    fn has_within(&self, path: &Path) -> bool {
        match self {
            What::Files(_) => false,
            What::Trees(trees) => {
                trees.iter().any(|it| path.starts_with(it)) && !is_for_an_editor(path)
            }
        }
    }
}

fn arm(what: &What, sender: &Sender<()>) -> notify::Result<Armed> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        let armed = try_arm(what, sender);
        // A change may have happened before the watch was set up.
        let is_done = match &armed {
            Ok(armed) => armed.ways == what.ways(),
            Err(error) => !matches!(error.kind, notify::ErrorKind::PathNotFound),
        };
        if is_done || attempt == ATTEMPTS {
            return armed;
        }
    }
}

fn try_arm(what: &What, sender: &Sender<()>) -> notify::Result<Armed> {
    let ways = what.ways();
    let (steps, ends) = (ways.steps.clone(), ways.ends.clone());
    let (watched, sender) = (what.clone(), sender.clone());
    let concerns = move |event: &Event| {
        let leads_elsewhere = |path: &Path| steps.contains(path) && puts_another_there(event.kind);
        let mut paths = event.paths.iter();
        event.need_rescan()
            || !matches!(event.kind, EventKind::Access(_))
                && paths
                    .any(|it| ends.contains(it) || watched.has_within(it) || leads_elsewhere(it))
    };
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // An error may mean lost events.
        if event.as_ref().map_or(true, &concerns) {
            let _ = sender.try_send(());
        }
    })?;
    for folder in ways.folders.keys() {
        let holds_an_end = ways.ends.iter().any(|end| end.parent() == Some(folder));
        match watcher.watch(folder, RecursiveMode::NonRecursive) {
            // Some folders can be entered but not watched. Replacements there go unnoticed.
            Err(error) if !holds_an_end && is_denied(&error) => {}
            watched => watched?,
        }
    }
    for folder in what.folders_with_all_within() {
        watcher.watch(folder, RecursiveMode::Recursive)?;
    }
    Ok(Armed {
        ways,
        _watcher: watcher,
    })
}

/// Whether another file may have the path now.
fn puts_another_there(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::Any
            | EventKind::Other
            | EventKind::Create(_)
            | EventKind::Remove(_)
            | EventKind::Modify(ModifyKind::Name(_) | ModifyKind::Any)
    )
}

fn is_denied(error: &notify::Error) -> bool {
    matches!(&error.kind, notify::ErrorKind::Io(error) if error.kind() == std::io::ErrorKind::PermissionDenied)
}

/// Whether a file is hidden or a backup.
fn is_for_an_editor(path: &Path) -> bool {
    path.file_name().is_some_and(|name| {
        let name = name.as_encoded_bytes();
        name.starts_with(b".") || name.ends_with(b"~")
    })
}
