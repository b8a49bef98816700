//! Whoever reads the host's log stops, as a terminal does after Ctrl-S, while guests go on to print.

use crate::door;
use crate::record::Met;
use crate::site::{Site, villain};
use fastrand::Rng;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::time::{sleep, timeout};

/// For longer than well-behaved clients wait for anything.
const UNREAD: Duration = Duration::from_secs(14);
/// How many clients have something printed, again and again, one after the other.
const PRINTING: usize = 40;
/// Enough that they fill any pipe within a second.
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
    // Whether they are served is for others to find out.
    let (_, ()) = tokio::join!(timeout(UNREAD, print), sleep(UNREAD));
    Ok(Met::Served)
}
