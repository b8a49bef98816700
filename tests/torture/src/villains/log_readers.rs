//! The reader of the host's log pauses, like a terminal after Ctrl-S, while guests continue to
//! print.

use crate::door;
use crate::record::Met;
use crate::site::{Site, villain};
use fastrand::Rng;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::time::{sleep, timeout};

/// Longer than well-behaved clients wait for anything.
const UNREAD: Duration = Duration::from_secs(14);
/// Number of clients that make guests print, one request after the other.
const PRINTING: usize = 40;
/// Enough to fill any pipe within a second.
const LINES: &str = "complain a line that is a hundred bytes long, or would be if it said something that mattered\n";

pub async fn stop(site: Arc<Site>, mut rng: Rng) -> io::Result<Met> {
    if !site.log.leave_unread(UNREAD) {
        return Ok(Met::Silence);
    }
    let print = async {
        for _ in 0..PRINTING {
            let mut stream = door::tcp(site.tcp("probe-connection"), villain(&mut rng)).await?;
            stream.write_all(LINES.repeat(90).as_bytes()).await?;
            stream.shutdown().await?;
            sleep(UNREAD / (2 * PRINTING as u32)).await;
        }
        Ok::<_, io::Error>(())
    };
    // Other clients check whether they are served.
    let (_, ()) = tokio::join!(timeout(UNREAD, print), sleep(UNREAD));
    Ok(Met::Served)
}
