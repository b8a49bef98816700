//! Clients that make guests write text that imitates the host's log, or that controls a terminal.

use super::read_rest;
use crate::door;
use crate::log::FORGED;
use crate::record::Met;
use crate::site::{Site, villain};
use fastrand::Rng;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

const PATIENCE: Duration = Duration::from_secs(2);

/// In the failure of a session, in a panic, and on standard output and standard error. The log
/// reader checks for it.
pub async fn forge(site: Arc<Site>, mut rng: Rng) -> io::Result<Met> {
    let (service, said) = match rng.u8(..3) {
        0 => {
            let kind = ["protocol", "refused", "internal"][rng.usize(..3)];
            let order = format!("fail {kind} {FORGED}");
            // A message that may contain line endings.
            ("puppet", format!("framing fixed:{}\n{order}", order.len()))
        }
        1 => {
            let text = FORGED.replace('\r', "\\r").replace('\n', "\\n");
            let how = ["print", "complain"][rng.usize(..2)];
            ("probe-connection", format!("{how} {text}\n"))
        }
        _ => ("rogue", format!("panic {}\n", FORGED.trim_start())),
    };
    let mut stream = door::tcp(site.tcp(service), villain(&mut rng)).await?;
    stream.write_all(said.as_bytes()).await?;
    stream.shutdown().await?;
    read_rest(&mut stream, PATIENCE).await
}
