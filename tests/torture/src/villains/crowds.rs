//! More clients at once than the host has slots for, and than it has descriptors.

use super::read_rest;
use crate::door;
use crate::record::Met;
use crate::site::{Site, crowd, villain};
use fastrand::Rng;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::time::sleep;

/// More than `max-connections`, and than the host's descriptors.
const ALL: usize = 400;
/// More than `max-connections-per-ip`.
const TOO_MANY: usize = 120;

/// Takes every slot, from many addresses, for less than a second.
pub async fn all_slots(site: Arc<Site>, mut rng: Rng) -> io::Result<Met> {
    let service = site.any_service(&mut rng);
    let mut crowded = Vec::new();
    for number in 0..ALL {
        let mut stream = door::tcp(site.tcp(service), crowd(number)).await?;
        if rng.bool() {
            stream.write_all(b"hello\n").await?;
        }
        crowded.push(stream);
    }
    sleep(Duration::from_millis(rng.u64(..800))).await;
    Ok(Met::Served)
}

/// Keeps as many pipelines busy as one address may have, each with an instance of each of its
/// stages, longer than any client waits.
pub async fn pipelines(site: Arc<Site>, mut rng: Rng) -> io::Result<Met> {
    let from = villain(&mut rng);
    let mut crowded = Vec::new();
    for _ in 0..TOO_MANY {
        let mut stream = door::tcp(site.tcp("pipeline"), from).await?;
        // The host refuses the ones beyond the limit.
        if stream.write_all(b"hello\n").await.is_ok() {
            crowded.push(stream);
        }
    }
    match crowded.first_mut() {
        Some(first) => read_rest(first, Duration::from_secs(rng.u64(1..15))).await,
        None => Ok(Met::Silence),
    }
}

/// Opens more connections than one address may have. The host closes the ones beyond the limit.
pub async fn one_address(site: Arc<Site>, mut rng: Rng) -> io::Result<Met> {
    let (service, from) = (site.any_service(&mut rng), villain(&mut rng));
    let mut crowded = Vec::new();
    for _ in 0..TOO_MANY {
        crowded.push(door::tcp(site.tcp(service), from).await?);
    }
    match crowded.last_mut() {
        Some(last) => read_rest(last, Duration::from_millis(500)).await,
        None => Ok(Met::Silence),
    }
}
