//! Operators who swap, reload and ask while all that goes on. What must be done and is not, or must be refused and
//! is done, is a finding.

mod changer;
mod orders;

pub use changer::Changer;

use crate::control::{metrics, status};
use crate::record::Record;
use crate::site::Site;
use anyhow::{Result, ensure};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::sleep;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(500);

/// Looks how the host is doing, again and again, and what its metrics are.
pub async fn look(site: Arc<Site>, record: Arc<Record>, enough: Arc<AtomicBool>) -> Result<()> {
    while !enough.load(Ordering::Relaxed) {
        let status = status(&site.control()).await?;
        ensure!(
            status["pid"] == site.pid,
            "the status is of process {}",
            status["pid"]
        );
        record.asked("looks at the status", true);
        metrics(&site.metrics()).await?;
        record.asked("collects the metrics", true);
        sleep(LOOK).await;
    }
    Ok(())
}
