//! Certificates that are renewed while the host serves.

use crate::config::ServiceConfig;
use server::tls::Terminator;
use std::path::Path;
use std::sync::Arc;
use system::watch::Watch;
use tokio::task::spawn_blocking;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

/// Reads the certificates of a service again whenever something changes beside them, until it is dropped.
pub fn watch(
    config: &ServiceConfig,
    terminators: Vec<Arc<Terminator>>,
) -> Option<Arc<AbortOnDropHandle<()>>> {
    if terminators.iter().all(|it| it.files().next().is_none()) {
        return None;
    }
    let watching = async move {
        let files = terminators.iter().flat_map(|it| it.files());
        match Watch::files(files.map(Path::to_owned).collect()) {
            Err(error) => tracing::error!("cannot watch the certificates: {error}"),
            Ok(mut watch) => loop {
                watch.changed().await;
                reload(&terminators).await;
            },
        }
    };
    let watching = watching.instrument(config.span());
    Some(Arc::new(AbortOnDropHandle::new(tokio::spawn(watching))))
}

/// Reads certificates again, and says how that went.
pub async fn reload(terminators: &[Arc<Terminator>]) {
    for terminator in terminators {
        let reloading = terminator.clone();
        match spawn_blocking(move || reloading.reload()).await {
            Ok(Ok(true)) => tracing::info!("the certificates were read again"),
            Ok(Ok(false)) => {}
            Ok(Err(error)) => tracing::error!("the certificates before serve on: {error}"),
            Err(error) => tracing::error!("the certificates before serve on: {error}"),
        }
    }
}
