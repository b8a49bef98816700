//! Swaps the handler when a file of it changes.

use super::Swapper;
use system::trust::signature_of;
use system::watch::Watch;

/// Why a handler's file is not watched.
#[derive(Debug, thiserror::Error)]
#[error("cannot watch {handler} (--watch): {cause}")]
pub struct WatchError {
    handler: String,
    cause: notify::Error,
}

impl Swapper {
    /// Swaps whenever the current handler's file changes, whichever file that is. Runs until it is dropped.
    pub async fn watch(&self) -> Result<(), WatchError> {
        let mut numbers = self.generations.numbers();
        loop {
            let current = self.generations.current();
            let files = current.made_from.files.clone();
            if files.is_empty() {
                // The built-in echo does not change, but a command may swap it for a file.
                if numbers.changed().await.is_err() {
                    return Ok(());
                }
                continue;
            }
            // With a signature that comes after its file, the file can be served that was refused without.
            let signatures = files.iter().map(|file| signature_of(file));
            let watched = files.iter().cloned().chain(signatures).collect();
            let mut watch = Watch::files(watched).map_err(|cause| WatchError {
                handler: current.made_from.name.clone(),
                cause,
            })?;
            // It would keep a version alive that nobody needs any more.
            drop(current);
            while self.generations.current().made_from.files == files {
                tokio::select! {
                    () = watch.changed() => {
                        // A refusal has been logged. The next change is the next chance.
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
