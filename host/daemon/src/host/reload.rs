//! Reloads the configuration and applies the changes without touching other connections.

use super::certificates;
use super::commit::replaced;
use super::{Bound, Host, ReloadError};
use crate::refusals::LastRefusal;
use std::panic::resume_unwind;
use tokio::task::spawn_blocking;
use tracing::Instrument;

impl Host {
    /// Reloads the configuration file and the files of all handlers, and returns the changes, one
    /// line each. Without a configuration file, only reloads the handler. After an error, at most
    /// the certificates have changed.
    pub async fn reload(&self) -> Result<Vec<String>, ReloadError> {
        let _turn = self.turn.lock().await;
        for service in self.services().iter() {
            let terminators = service.terminators();
            let reload = certificates::reload(&terminators);
            reload.instrument(service.config.span()).await;
        }
        if self.sources.file.is_none() {
            return self.read_handler().await;
        }
        match self.try_reload().await {
            Ok(changes) => {
                match &changes[..] {
                    [] => tracing::info!("reloaded: nothing has changed"),
                    changes => tracing::info!("reloaded: {}", changes.join("; ")),
                }
                Ok(changes)
            }
            Err(error) => {
                tracing::error!("reload refused, keeping the old configuration: {error}");
                let mistakes = error.mistakes();
                let detail = mistakes.as_deref().or(error.detail());
                for line in detail.unwrap_or_default().lines() {
                    tracing::error!("  {line}");
                }
                self.refusals.note("the configuration", &error);
                Err(error)
            }
        }
    }

    /// The number of refused reloads, and the last one.
    pub fn refusals(&self) -> (u64, Option<LastRefusal>) {
        self.refusals.get()
    }

    async fn read_handler(&self) -> Result<Vec<String>, ReloadError> {
        let mut changes = Vec::new();
        for service in self.services().iter() {
            let swapped = service.swapper.swap(None, &[]).await?;
            changes.extend(replaced(&swapped));
        }
        Ok(changes)
    }

    async fn try_reload(&self) -> Result<Vec<String>, ReloadError> {
        let sources = self.sources.clone();
        let loaded = spawn_blocking(move || sources.load()).await;
        let next = loaded.unwrap_or_else(|panic| resume_unwind(panic.into_panic()))?;
        let now = self.now().clone();
        let bound = Bound::next(&now, &next)?;
        let loaded = self.load_next(&now, &next).await?;
        // From here on nothing can fail.
        Ok(self.commit(next, bound, loaded).await)
    }
}
