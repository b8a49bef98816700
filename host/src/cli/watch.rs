//! Files that change while the host serves: the handler's with `serve --watch`, and certificates.

use anyhow::Context;
use echo_host::swap::Swapper;
use echo_host::tls::Terminator;
use notify::event::EventKind;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::BTreeSet;
use std::future::pending;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// A file is read when it has been left alone for so long: compilers and editors write in several steps.
const QUIET: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(2);

/// Swaps whenever the current handler's file changes, whichever file that is. Runs until it is dropped.
pub async fn run(swapper: &Swapper) -> anyhow::Result<()> {
    let mut numbers = swapper.generations().numbers();
    loop {
        let current = swapper.generations().current();
        let Some(file) = current.made_from.file.clone() else {
            // The built-in echo does not change, but a command may swap it for a file.
            numbers.changed().await?;
            continue;
        };
        drop(current);
        let name = file.file_name().map(ToOwned::to_owned);
        let is_it = move |path: &Path| path.file_name() == name.as_deref();
        let mut watch = Watch::new([folder(&file)].into(), is_it)
            .with_context(|| format!("cannot watch {} (--watch)", file.display()))?;
        loop {
            tokio::select! {
                () = watch.changed() => {
                    // A refusal has been logged. The next change is the next chance.
                    let _ = swapper.swap(None).await;
                }
                changed = numbers.changed() => {
                    changed?;
                    if swapper.generations().current().made_from.file.as_ref() != Some(&file) {
                        break;
                    }
                }
            }
        }
    }
}

/// Reads certificates anew whenever something changes beside them: they are often links to what is put there
/// under other names. Runs until it is dropped.
pub async fn run_certificates(terminator: &Arc<Terminator>) -> anyhow::Result<()> {
    let folders: BTreeSet<_> = terminator.files().map(folder).collect();
    if folders.is_empty() {
        return pending().await;
    }
    let mut watch = Watch::new(folders, |_| true).context("cannot watch the certificates")?;
    loop {
        watch.changed().await;
        reload_certificates(terminator).await;
    }
}

/// Reads certificates anew, and says how that went.
pub async fn reload_certificates(terminator: &Arc<Terminator>) {
    let reloading = terminator.clone();
    match spawn_blocking(move || reloading.reload()).await {
        Ok(Ok(true)) => tracing::info!("the certificates were read anew"),
        Ok(Ok(false)) => {}
        Ok(Err(error)) => tracing::error!("the certificates before serve on: {error}"),
        Err(error) => tracing::error!("the certificates before serve on: {error}"),
    }
}

/// Watches files by their folders: what is renamed into the place of one is another file.
struct Watch {
    events: Receiver<()>,
    /// Whether it may have changed since it was last read.
    changed: bool,
    _watcher: RecommendedWatcher,
}

impl Watch {
    fn new(
        folders: BTreeSet<PathBuf>,
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
        for folder in folders {
            watcher.watch(&folder, RecursiveMode::NonRecursive)?;
        }
        Ok(Watch {
            events,
            // Between being read and being watched it may have: nobody would tell.
            changed: true,
            _watcher: watcher,
        })
    }

    /// Completes when the file was changed and has been left alone since. What it has heard of by then is
    /// not forgotten if it is dropped before.
    async fn changed(&mut self) {
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
