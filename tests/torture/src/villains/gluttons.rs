//! Clients of a guest that requests more of the host than it may have: see glutton.wat.

use crate::door;
use crate::record::Met;
use crate::site::{Site, villain};
use fastrand::Rng;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// Requests that would block a thread: prints without a permit, keys to delete, a text to log.
const MEALS: [&[u8]; 4] = [b"w", b"p", b"d", b"l"];
/// Requests that would use up the host's memory or descriptors: buckets, compare-and-swaps, files.
const HOARDS: [&[u8]; 3] = [b"b", b"c", b"f"];
/// Number of concurrent hoarders.
const HOARDERS: usize = 12;
const PATIENCE: Duration = Duration::from_secs(3);

/// Makes one call do more than a guest may compute in its slice.
pub async fn swallow(site: Arc<Site>, mut rng: Rng) -> io::Result<Met> {
    let meal = MEALS[rng.usize(..MEALS.len())];
    let stream = door::tcp(site.tcp("glutton"), villain(&mut rng)).await?;
    ask(stream, meal, "a call did more than one may").await
}

/// Makes several instances at once hold more than each may.
pub async fn hoard(site: Arc<Site>, mut rng: Rng) -> io::Result<Met> {
    let hoard = HOARDS[rng.usize(..HOARDS.len())];
    let mut streams = Vec::new();
    for _ in 0..HOARDERS {
        let mut stream = door::tcp(site.tcp("glutton"), villain(&mut rng)).await?;
        stream.write_all(hoard).await?;
        streams.push(stream);
    }
    let mut met = Met::Silence;
    for stream in streams {
        met = ask(stream, b"", "an instance holds more than it may").await?;
        if matches!(met, Met::Harm(_)) {
            break;
        }
    }
    Ok(met)
}

/// Whether the guest got what it requested.
async fn ask(
    mut stream: impl AsyncReadExt + AsyncWriteExt + Unpin,
    meal: &[u8],
    harm: &'static str,
) -> io::Result<Met> {
    stream.write_all(meal).await?;
    let mut reply = [0];
    Ok(match timeout(PATIENCE, stream.read(&mut reply)).await {
        Err(_) => Met::Silence,
        Ok(Ok(1)) if reply == *b"!" => Met::Harm(harm),
        Ok(Ok(1)) => Met::Served,
        Ok(Ok(_)) => Met::Closed,
        Ok(Err(_)) => Met::Reset,
    })
}
