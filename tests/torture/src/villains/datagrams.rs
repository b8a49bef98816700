//! Senders of datagrams: more than there are sessions, or more datagrams than the host accepts.

use crate::door;
use crate::record::Met;
use crate::site::{Site, forged as address, villain};
use fastrand::Rng;
use std::io;
use std::iter::repeat_with;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

const SERVICE: &str = "probe-connection";
/// More than `udp-max-sessions`.
const PORTS: usize = 100;
const DATAGRAMS: usize = 3000;
const FORGED: usize = 500;

/// One datagram from each of many ports.
pub async fn many_ports(site: Arc<Site>, mut rng: Rng) -> io::Result<Met> {
    const LINES: [&str; 5] = ["count\n", "count", "panic\n", "reply 60000\n", ""];
    let mut sockets = Vec::new();
    for _ in 0..PORTS {
        let socket = door::udp(site.udp(SERVICE), villain(&mut rng)).await?;
        socket
            .send(LINES[rng.usize(..LINES.len())].as_bytes())
            .await?;
        sockets.push(socket);
    }
    let mut met = Met::Silence;
    for socket in sockets {
        let mut reply = [0; 1000];
        let heard = timeout(Duration::from_millis(5), socket.recv(&mut reply)).await;
        if matches!(heard, Ok(Ok(_))) {
            met = Met::Served;
        }
    }
    Ok(met)
}

/// One byte from each of many addresses, by senders that are gone when it arrives.
pub async fn forged(site: Arc<Site>, mut rng: Rng) -> io::Result<Met> {
    let first = rng.usize(..FORGED);
    for number in first..first + FORGED {
        let socket = door::udp(site.udp(SERVICE), address(number)).await?;
        socket.send(b"x").await?;
    }
    Ok(Met::Served)
}

/// As many random datagrams as possible, from one port; sometimes to a service that others use.
pub async fn flood(site: Arc<Site>, mut rng: Rng) -> io::Result<Met> {
    let service = if rng.u8(..4) == 0 { "echo" } else { SERVICE };
    let socket = door::udp(site.udp(service), villain(&mut rng)).await?;
    let noise: Vec<u8> = repeat_with(|| rng.u8(..)).take(2000).collect();
    for _ in 0..DATAGRAMS {
        socket.send(&noise[rng.usize(..noise.len())..]).await?;
    }
    Ok(Met::Served)
}
