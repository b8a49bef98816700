//! Clients that read slowly, or never.

use crate::door;
use crate::record::Met;
use crate::site::{Site, villain};
use fastrand::Rng;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout};

const PROBES: [&str; 3] = ["probe-connection", "probe-shared", "probe-message"];
/// The longest pause between two reads, in milliseconds.
const PAUSE_MS: u64 = 50;
const READS: usize = 100;

/// Requests large replies, and reads each in small pieces.
pub async fn slow(site: Arc<Site>, mut rng: Rng) -> io::Result<Met> {
    let service = PROBES[rng.usize(..PROBES.len())];
    let mut stream = door::tcp(site.tcp(service), villain(&mut rng)).await?;
    let size = rng.usize(1..4 << 20);
    stream
        .write_all(format!("reply {size}\nreply {size}\n").as_bytes())
        .await?;
    let mut piece = vec![0; rng.usize(1..4096)];
    for _ in 0..rng.usize(..READS) {
        if stream.read(&mut piece).await? == 0 {
            return Ok(Met::Closed);
        }
        sleep(Duration::from_millis(rng.u64(..PAUSE_MS))).await;
    }
    Ok(Met::Served)
}

/// Requests more than anything on the way can buffer, and reads none of it for a while.
pub async fn never(site: Arc<Site>, mut rng: Rng) -> io::Result<Met> {
    const LINES: [(&str, &str); 6] = [
        ("puppet", "flood 16000000\n"),
        ("puppet", "queue 600000\n"),
        ("puppet", "help\n"),
        ("probe-connection", "reply 4000000\n"),
        ("probe-message", "reply 4000000\n"),
        ("echo", "hello\n"),
    ];
    let (service, line) = LINES[rng.usize(..LINES.len())];
    let mut stream = door::tcp(site.tcp(service), villain(&mut rng)).await?;
    let asking = async {
        let lines = line.repeat(1000);
        for _ in 0..rng.usize(1..100) {
            stream.write_all(lines.as_bytes()).await?;
        }
        Ok::<_, io::Error>(())
    };
    // The host stops reading from a client that does not read, or closes the connection.
    let met = match timeout(Duration::from_secs(1), asking).await {
        Err(_) => Met::Silence,
        Ok(Err(_)) => Met::Closed,
        Ok(Ok(())) => Met::Served,
    };
    sleep(Duration::from_millis(rng.u64(..3000))).await;
    if rng.bool() {
        door::vanish(stream);
    }
    Ok(met)
}
