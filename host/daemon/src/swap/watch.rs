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
            let source = current.made_from.handler.source.clone();
            if source.files().next().is_none() {
                // Demos never change, but a command may swap in a file.
                if numbers.changed().await.is_err() {
                    return Ok(());
                }
                continue;
            }
            // When the signature arrives after its file, the file refused without it can be served.
            let signatures = source.files().map(signature_of);
            let watched = source.files().map(Into::into).chain(signatures).collect();
            let mut watch = Watch::files(watched).map_err(|cause| WatchError {
                handler: current.made_from.name.clone(),
                cause,
            })?;
            // This would keep an unused version alive.
            drop(current);
            while self.generations.current().made_from.handler.source == source {
                tokio::select! {
                    () = watch.changed() => {
                        // A refusal is logged. The next change tries again.
                        let _ = self.swap(None, &[]).await;
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
