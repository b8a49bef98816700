//! A UDP client. Datagrams may be lost, so it sends unanswered ones again, like any such client.

use super::{DEADLINE, Regular};
use crate::door;
use crate::site::regular;
use anyhow::{Result, ensure};
use fastrand::Rng;
use std::io;
use std::iter::repeat_with;
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::time::{sleep, timeout};

/// The maximum datagrams of a session, their maximum length in bytes, and the longest pause in
/// milliseconds.
const MESSAGES: u64 = 40;
const LONGEST: usize = 4000;
const PAUSE_MS: u64 = 100;
/// Time until an unanswered datagram is sent again.
const AGAIN: Duration = Duration::from_millis(500);

/// Each comes back unchanged.
pub async fn echo(who: &Regular, mut rng: Rng) -> Result<()> {
    let socket = door::udp(who.site.udp("echo"), regular(&mut rng)).await?;
    for number in 0..rng.u64(1..=MESSAGES) {
        let length = rng.usize(..LONGEST);
        let mut datagram = number.to_be_bytes().to_vec();
        datagram.extend(repeat_with(|| rng.u8(..)).take(length));
        let begun = Instant::now();
        while !is_answered(&socket, number, &datagram).await? {
            ensure!(begun.elapsed() < DEADLINE, "no reply within {DEADLINE:?}");
            who.record.repeated(who.kind.name());
        }
        who.record.replied(who.kind.name(), begun.elapsed());
        sleep(Duration::from_millis(rng.u64(..PAUSE_MS))).await;
    }
    Ok(())
}

/// Sends a datagram, and waits for its reply.
async fn is_answered(socket: &UdpSocket, number: u64, datagram: &[u8]) -> Result<bool> {
    socket.send(datagram).await?;
    let mut reply = vec![0; LONGEST + 100];
    let begun = Instant::now();
    while let Some(left) = AGAIN.checked_sub(begun.elapsed()) {
        let Ok(received) = timeout(left, socket.recv(&mut reply)).await else {
            break;
        };
        let reply = &reply[..received?];
        if reply == datagram {
            return Ok(true);
        }
        ensure!(
            is_late(reply, number)?,
            "a reply of {} bytes is of no message",
            reply.len()
        );
    }
    Ok(false)
}

/// Whether this answers an earlier datagram, which was sent twice.
fn is_late(reply: &[u8], number: u64) -> io::Result<bool> {
    let begin = reply.first_chunk().ok_or(io::ErrorKind::InvalidData)?;
    Ok(u64::from_be_bytes(*begin) < number)
}
