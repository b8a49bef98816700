//! Swaps the handler when its files change.

use super::Swapper;
use system::trust::signature_of;
use system::watch::Watch;

/// Why a handler's file cannot be watched.
#[derive(Debug, thiserror::Error)]
#[error("cannot watch {handler} (--watch): {cause}")]
pub struct WatchError {
    handler: String,
    cause: notify::Error,
}

impl Swapper {
    /// Swaps whenever the files of the current handler change. Runs until dropped.
    pub async fn watch(&self) -> Result<(), WatchError> {
        let mut numbers = self.generations.numbers();
        loop {
            let current = self.generations.current();
            let files = current.made_from.files.clone();
            if files.is_empty() {
                // The built-in echo never changes, but a command may swap in a file.
                if numbers.changed().await.is_err() {
                    return Ok(());
                }
                continue;
            }
            // When the signature arrives after its file, the file refused without it can be served.
            let signatures = files.iter().map(|file| signature_of(file));
            let watched = files.iter().cloned().chain(signatures).collect();
            let mut watch = Watch::files(watched).map_err(|cause| WatchError {
                handler: current.made_from.name.clone(),
                cause,
            })?;
            // This would keep an unused version alive.
            drop(current);
            while self.generations.current().made_from.files == files {
                tokio::select! {
                    () = watch.changed() => {
                        // A refusal is logged. The next change tries again.
                        let _ = self.swap(None).await;
                    }
                    changed = numbers.changed() => {
                        if changed.is_err() {
                            return Ok(());
                        }
                    }
                }
            }
        }
    }
}
