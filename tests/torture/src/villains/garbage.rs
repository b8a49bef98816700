//! Clients that send nonsense.

use super::read_rest;
use crate::door;
use crate::record::Met;
use crate::site::{Site, villain};
use fastrand::Rng;
use std::io;
use std::iter::repeat_with;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncWriteExt, split};
use tokio::time::timeout;

const MOST: usize = 128 << 10;
const PATIENCE: Duration = Duration::from_secs(5);

/// Noise in pieces, to any listener, and within TLS.
pub async fn noise(site: Arc<Site>, mut rng: Rng) -> io::Result<Met> {
    let service = site.any_service(&mut rng);
    let from = villain(&mut rng);
    let stream = site.door(service, &mut rng).enter(from).await?;
    let length = rng.usize(1..MOST);
    let noise: Vec<u8> = repeat_with(|| rng.u8(..)).take(length).collect();
    let piece = rng.usize(1..8192);
    let (mut reader, mut writer) = split(stream);
    let writing = async {
        for piece in noise.chunks(piece) {
            // The host may have closed the connection.
            if writer.write_all(piece).await.is_err() {
                break;
            }
        }
        let _ = writer.shutdown().await;
    };
    let (met, _) = tokio::join!(read_rest(&mut reader, PATIENCE), timeout(PATIENCE, writing));
    met
}

/// Announces a longer message than it sends.
pub async fn lies(site: Arc<Site>, mut rng: Rng) -> io::Result<Met> {
    let bytes = [1, 2, 4][rng.usize(..3)];
    let service = format!("prefixed-{bytes}");
    let mut stream = door::tcp(site.tcp(&service), villain(&mut rng)).await?;
    let mut length = vec![0xff; bytes];
    length[0] = rng.u8(1..);
    stream.write_all(&length).await?;
    stream.write_all(b"not so much").await?;
    if rng.bool() {
        stream.shutdown().await?;
    }
    read_rest(&mut stream, Duration::from_secs(2)).await
}

/// Starts a malformed TLS handshake, and sends no more.
pub async fn handshake(site: Arc<Site>, mut rng: Rng) -> io::Result<Met> {
    // The header of a record with a ClientHello (RFC 8446, section 5.1), followed by a complete, a
    // cut, or a wrong one.
    const HEADS: [&[u8]; 3] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        b"\x16\x03",
        b"GET / ",
    ];
    let mut stream = door::tcp(site.tls("echo"), villain(&mut rng)).await?;
    stream.write_all(HEADS[rng.usize(..HEADS.len())]).await?;
    read_rest(&mut stream, PATIENCE).await
}
