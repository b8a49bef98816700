//! Reloads certificates while the host serves.

use config::ServiceConfig;
use server::tls::TlsTerminator;
use std::path::Path;
use std::sync::Arc;
use system::watch::Watch;
use tokio::task::spawn_blocking;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

/// Reloads the certificates of a service whenever their folders change, until dropped.
pub fn watch(
    config: &ServiceConfig,
    terminators: Vec<Arc<TlsTerminator>>,
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

/// Reloads certificates and logs the result.
pub async fn reload(terminators: &[Arc<TlsTerminator>]) {
    for terminator in terminators {
        let reloading = terminator.clone();
        match spawn_blocking(move || reloading.reload()).await {
            Ok(Ok(true)) => tracing::info!("reloaded certificates"),
            Ok(Ok(false)) => {}
            Ok(Err(error)) => {
                tracing::error!("cannot reload certificates, keeping the old ones: {error}")
            }
            Err(error) => {
                tracing::error!("cannot reload certificates, keeping the old ones: {error}")
            }
        }
    }
}
