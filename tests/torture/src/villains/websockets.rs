//! Clients that abuse the handshake, frames and messages of WebSockets.

use super::read_rest;
use crate::door;
use crate::record::Met;
use crate::site::{Site, villain};
use fastrand::Rng;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

const PATIENCE: Duration = Duration::from_secs(5);
/// Pieces of a flood; each may have to wait for the host to read.
const PIECES: usize = 200;
const REQUEST: &str = "GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
                       Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// One of them.
pub async fn abuse(site: Arc<Site>, mut rng: Rng) -> io::Result<Met> {
    let stream = door::tcp(site.websocket(), villain(&mut rng)).await?;
    match rng.u8(..6) {
        0 => slow_request(stream, rng).await,
        1 => huge_request(stream, rng).await,
        2 => {
            // A message that goes on until it is too long, or for ever in empty fragments.
            let length = [0, 1, 100, 1000][rng.usize(..4)];
            let fragments = [&frame(0x02, length)[..], &frame(0x00, length).repeat(1000)].concat();
            flood(stream, &fragments).await
        }
        3 => flood(stream, &frame(0x89, 125).repeat(500)).await,
        4 => {
            let mut frames = frame(0x81, rng.usize(..100));
            // Not masked, reserved bits, an unknown opcode, another length: or anything.
            let at = rng.usize(..2);
            frames[at] = rng.u8(..);
            flood(stream, &frames).await
        }
        _ => {
            // The longest message there is, of which nothing follows.
            let header = b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0";
            flood(stream, header).await
        }
    }
}

/// A masked frame, with a key of zeros.
fn frame(first: u8, length: usize) -> Vec<u8> {
    let mut frame = vec![first];
    if length < 126 {
        frame.push(0x80 | length as u8);
    } else {
        frame.push(0x80 | 126);
        frame.extend((length as u16).to_be_bytes());
    }
    frame.extend([0; 4]);
    frame.resize(frame.len() + length, b'x');
    frame
}

async fn slow_request(mut stream: TcpStream, mut rng: Rng) -> io::Result<Met> {
    for byte in REQUEST.bytes().take(rng.usize(..REQUEST.len())) {
        stream.write_all(&[byte]).await?;
        sleep(Duration::from_millis(rng.u64(..20))).await;
    }
    read_rest(&mut stream, PATIENCE).await
}

async fn huge_request(mut stream: TcpStream, mut rng: Rng) -> io::Result<Met> {
    let header = format!("X-{}: {}\r\n", rng.u32(..), "x".repeat(rng.usize(..5000)));
    stream.write_all(REQUEST.as_bytes()).await?;
    for _ in 0..rng.usize(1..200) {
        // The host may have closed the connection.
        if stream.write_all(header.as_bytes()).await.is_err() {
            break;
        }
    }
    read_rest(&mut stream, PATIENCE).await
}

/// Shakes hands, and sends this again and again. Reads nothing meanwhile.
async fn flood(mut stream: TcpStream, frames: &[u8]) -> io::Result<Met> {
    stream
        .write_all(format!("{REQUEST}\r\n").as_bytes())
        .await?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await?;
    if !answer.ends_with(b"101") {
        return Ok(Met::Closed);
    }
    let sending = async {
        for _ in 0..PIECES {
            if stream.write_all(frames).await.is_err() {
                break;
            }
        }
    };
    let _ = timeout(PATIENCE, sending).await;
    read_rest(&mut stream, Duration::from_secs(1)).await
}
