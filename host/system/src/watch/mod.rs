//! Files that change while the host runs.

mod way;

pub use way::Ways;

use notify::event::{EventKind, ModifyKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{sleep, timeout};

/// A file is read when it has been left alone for so long: compilers and editors write in several steps.
const QUIET: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(2);
/// How long after a failure to watch it is tried again.
const RETRY: Duration = Duration::from_secs(5);
/// How often the ways may change while they are being watched.
const ATTEMPTS: usize = 10;

/// Watches files by their names: each folder and each link on the way to them, so that one that leads elsewhere from now
/// on, or that was removed and made again, is noticed and watched there.
pub struct Watch {
    what: What,
    sender: Sender<()>,
    events: Receiver<()>,
    /// Whether something may have changed since it was last read.
    changed: bool,
    /// None after a failure that has been logged.
    armed: Option<Armed>,
}

/// What is watched.
#[derive(Clone)]
enum What {
    Files(Vec<PathBuf>),
    /// Files, and folders with all that is within.
    Trees(Vec<PathBuf>),
}

struct Armed {
    ways: Ways,
    _watcher: RecommendedWatcher,
}

impl Watch {
    /// Watches these files.
    pub fn files(files: Vec<PathBuf>) -> notify::Result<Self> {
        Watch::new(What::Files(files))
    }

    /// Watches these files, and all that is in these folders and those within. Their paths must be absolute, without
    /// links. What editors put there for themselves does not count.
    pub fn trees(paths: Vec<PathBuf>) -> notify::Result<Self> {
        Watch::new(What::Trees(paths))
    }

    fn new(what: What) -> notify::Result<Self> {
        // One place is enough: what matters is that something has changed, not what.
        let (sender, events) = channel(1);
        Ok(Watch {
            armed: Some(arm(&what, &sender)?),
            what,
            sender,
            events,
            // Between being read and being watched it may have: nobody would tell.
            changed: true,
        })
    }

    /// Completes when something was changed and has been left alone since. What it has heard of by then is not
    /// forgotten if it is dropped before.
    pub async fn changed(&mut self) {
        if !self.changed {
            self.wait().await;
        }
        self.changed = true;
        let left_alone = async { while timeout(QUIET, self.events.recv()).await.is_ok() {} };
        // A file that is written all the time is read all the same.
        let _ = timeout(LONGEST, left_alone).await;
        self.arm_again();
        self.changed = false;
    }

    async fn wait(&mut self) {
        while self.armed.is_none() {
            sleep(RETRY).await;
            self.arm_again();
            if self.armed.is_some() {
                tracing::info!("{} can be watched again", self.what.paths());
                return;
            }
        }
        // This holds the other end.
        let _ = self.events.recv().await;
    }

    /// Watches where the names lead now, unless that is where they led before.
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
                        "cannot watch {}: {error}; changes are not noticed until that is possible again",
                        self.what.paths()
                    );
                }
                None
            }
        };
    }
}

impl What {
    fn ways(&self) -> Ways {
        match self {
            What::Files(paths) | What::Trees(paths) => Ways::of(paths),
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
        // What has changed meanwhile may have changed before it was watched.
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
        // An error may mean that events were lost.
        if event.as_ref().map_or(true, &concerns) {
            let _ = sender.try_send(());
        }
    })?;
    for folder in ways.folders.keys() {
        let holds_an_end = ways.ends.iter().any(|end| end.parent() == Some(folder));
        match watcher.watch(folder, RecursiveMode::NonRecursive) {
            // Some folders can be passed and not be looked into. What is replaced there is not noticed.
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

/// Whether something else may have a name by now.
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

/// Whether a file is hidden, or a copy from before a change.
fn is_for_an_editor(path: &Path) -> bool {
    path.file_name().is_some_and(|name| {
        let name = name.as_encoded_bytes();
        name.starts_with(b".") || name.ends_with(b"~")
    })
}
