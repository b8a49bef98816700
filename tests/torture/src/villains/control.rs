//! Users with access to the control socket who send nonsense.

use super::read_rest;
use crate::host::signal;
use crate::record::Met;
use crate::site::Site;
use fastrand::Rng;
use rustix::process::Signal;
use std::io;
use std::iter::repeat_with;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;

const STAMPEDE: usize = 100;
const HANGUPS: usize = 20;
const PATIENCE: Duration = Duration::from_secs(7);

/// Speaks no protocol, never ends a line, requests all listeners and hangs up, or opens too many
/// connections.
pub async fn abuse(site: Arc<Site>, mut rng: Rng) -> io::Result<Met> {
    let connect = || UnixStream::connect(site.control());
    let mut stream = connect().await?;
    match rng.u8(..6) {
        0 => {
            let noise: Vec<u8> = repeat_with(|| rng.u8(..)).take(1000).collect();
            stream.write_all(&noise).await?;
        }
        1 => stream.write_all(&vec![b'{'; 1 << 20]).await?,
        2 => stream.write_all(b"{\"version\":1,").await?,
        3 => {
            stream
                .write_all(b"{\"version\":1,\"command\":\"take-over\"}\n")
                .await?;
            // A successor that hangs up has changed nothing.
            return read_rest(&mut stream, Duration::from_millis(rng.u64(..500))).await;
        }
        4 => {
            stream
                .write_all(b"{\"version\":1,\"command\":\"be good\"}\n")
                .await?
        }
        _ => {
            let mut crowded = Vec::new();
            for _ in 0..STAMPEDE {
                crowded.push(connect().await?);
            }
            if rng.bool() {
                return Ok(Met::Served);
            }
        }
    }
    read_rest(&mut stream, PATIENCE).await
}

/// Requests metrics, without reading to the end.
pub async fn metrics(site: Arc<Site>, mut rng: Rng) -> io::Result<Met> {
    let mut streams = Vec::new();
    for _ in 0..rng.usize(1..20) {
        let mut stream = UnixStream::connect(site.metrics()).await?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\n").await?;
        streams.push(stream);
    }
    match streams.last_mut() {
        Some(stream) => read_rest(stream, Duration::from_secs(2)).await,
        None => Ok(Met::Silence),
    }
}

/// Requests reloads faster than the host can carry them out.
pub async fn hangups(site: Arc<Site>, _: Rng) -> io::Result<Met> {
    for _ in 0..HANGUPS {
        signal(site.pid, Signal::HUP).map_err(io::Error::other)?;
    }
    Ok(Met::Served)
}
