//! Clients that leave at a bad moment, or in a bad way.

use super::read_rest;
use crate::door::{self, vanish};
use crate::record::Met;
use crate::site::{Site, villain};
use fastrand::Rng;
use socket2::SockRef;
use std::io;
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Length of a reply that exceeds the kernel's buffers.
const LARGE: usize = 4 << 20;
const STAMPEDE: usize = 60;

/// Reads a part of a large reply, and resets.
pub async fn mid_reply(site: Arc<Site>, mut rng: Rng) -> io::Result<Met> {
    let mut stream = door::tcp(site.tcp("probe-connection"), villain(&mut rng)).await?;
    stream
        .write_all(format!("reply {LARGE}\n").as_bytes())
        .await?;
    let mut some = vec![0; rng.usize(1..LARGE)];
    stream.read_exact(&mut some).await?;
    vanish(stream);
    Ok(Met::Served)
}

/// Leaves in one of several ways, from one of several states.
pub async fn any_state(site: Arc<Site>, mut rng: Rng) -> io::Result<Met> {
    const LINES: [&str; 5] = ["", "cou", "count\n", "count\ncount\ncou", "reply 4000000\n"];
    let service = if rng.bool() {
        site.any_service(&mut rng)
    } else {
        "probe-connection"
    };
    let mut stream = door::tcp(site.tcp(service), villain(&mut rng)).await?;
    stream
        .write_all(LINES[rng.usize(..LINES.len())].as_bytes())
        .await?;
    if rng.bool() {
        // It may answer, or wait for more.
        let mut some = vec![0; rng.usize(1..100_000)];
        let _ = timeout(Duration::from_millis(50), stream.read(&mut some)).await;
    }
    leave(stream, &mut rng).await
}

async fn leave(mut stream: TcpStream, rng: &mut Rng) -> io::Result<Met> {
    match rng.u8(..5) {
        0 => vanish(stream),
        // A FIN, possibly with unread data.
        1 => drop(stream),
        // Half-closes, waits for the host's FIN, and closes.
        2 => {
            stream.shutdown().await?;
            return read_rest(&mut stream, Duration::from_secs(5)).await;
        }
        // Shuts down reading, which only its own kernel knows.
        3 => SockRef::from(&stream).shutdown(Shutdown::Read)?,
        // Both directions at once.
        _ => SockRef::from(&stream).shutdown(Shutdown::Both)?,
    }
    Ok(Met::Served)
}

/// Connects and closes, again and again.
pub async fn stampede(site: Arc<Site>, mut rng: Rng) -> io::Result<Met> {
    let service = site.any_service(&mut rng);
    for _ in 0..rng.usize(1..STAMPEDE) {
        let stream = door::tcp(site.tcp(service), villain(&mut rng)).await?;
        if rng.bool() {
            vanish(stream);
        }
    }
    Ok(Met::Served)
}
