//! Clients that write slowly, without end, or not at all.

use super::read_rest;
use crate::record::Met;
use crate::site::{Site, villain};
use fastrand::Rng;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::time::sleep;

/// The longest pause between two bytes, in milliseconds.
const PAUSE_MS: u64 = 80;
/// Maximum length of an endless line, and of one write, in bytes.
const ENDLESS: usize = 4 << 20;
const PIECE: usize = 32 << 10;

/// A line, byte by byte.
pub async fn slow(site: Arc<Site>, mut rng: Rng) -> io::Result<Met> {
    let service = site.any_service(&mut rng);
    let from = villain(&mut rng);
    let mut stream = site.door(service, &mut rng).enter(from).await?;
    for byte in b"count, or whatever\n" {
        stream.write_all(&[*byte]).await?;
        stream.flush().await?;
        sleep(Duration::from_millis(rng.u64(..PAUSE_MS))).await;
    }
    stream.shutdown().await?;
    read_rest(&mut stream, Duration::from_secs(5)).await
}

/// A line without end, or many empty ones.
pub async fn endless_line(site: Arc<Site>, mut rng: Rng) -> io::Result<Met> {
    let service = site.any_service(&mut rng);
    let from = villain(&mut rng);
    let mut stream = site.door(service, &mut rng).enter(from).await?;
    let byte = b"x\0\xff\r"[rng.usize(..4)];
    let piece = [byte; PIECE];
    for _ in 0..ENDLESS / PIECE {
        let sending = stream.write_all(&piece);
        // An echo stops reading when nobody reads its replies.
        if tokio::time::timeout(Duration::from_secs(1), sending)
            .await
            .is_err()
        {
            break;
        }
    }
    read_rest(&mut stream, Duration::from_secs(2)).await
}

/// Connects and sends nothing, perhaps until the host closes the connection.
pub async fn silent(site: Arc<Site>, mut rng: Rng) -> io::Result<Met> {
    let service = site.any_service(&mut rng);
    let from = villain(&mut rng);
    let mut stream = site.door(service, &mut rng).enter(from).await?;
    read_rest(&mut stream, Duration::from_secs(rng.u64(1..25))).await
}
