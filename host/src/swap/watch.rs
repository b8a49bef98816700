//! Swaps the handler when its file changes.

use super::Swapper;
use crate::watch::Watch;
use std::path::PathBuf;

/// Why a handler's file is not watched.
#[derive(Debug, thiserror::Error)]
#[error("cannot watch {} (--watch): {cause}", file.display())]
pub struct WatchError {
    file: PathBuf,
    cause: notify::Error,
}

impl Swapper {
    /// Swaps whenever the current handler's file changes, whichever file that is. Runs until it is dropped.
    pub async fn watch(&self) -> Result<(), WatchError> {
        let mut numbers = self.generations.numbers();
        loop {
            let file = self.generations.current().made_from.file.clone();
            let Some(file) = file else {
                // The built-in echo does not change, but a command may swap it for a file.
                if numbers.changed().await.is_err() {
                    return Ok(());
                }
                continue;
            };
            let mut watch = match Watch::file(&file) {
                Ok(watch) => watch,
                Err(cause) => return Err(WatchError { file, cause }),
            };
            while self.generations.current().made_from.file.as_ref() == Some(&file) {
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
