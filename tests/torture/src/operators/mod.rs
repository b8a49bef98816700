//! Operators who swap, reload and send requests at the same time. An order that must succeed and
//! fails, or must be refused and succeeds, is a finding.

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

/// Interval between two requests.
const LOOK: Duration = Duration::from_millis(500);

/// Requests the status and the metrics repeatedly.
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
