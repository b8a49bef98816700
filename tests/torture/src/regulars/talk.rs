//! A well-behaved client's connection.

use super::{Regular, in_time};
use crate::door::Stream;
use crate::record::Record;
use crate::site::regular;
use anyhow::{Result, ensure};
use fastrand::Rng;
use std::time::Instant;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

/// How much of a wrong reply is shown, in bytes.
const SHOWN: usize = 200;

pub struct Talk<'a> {
    kind: &'static str,
    stream: BufReader<Box<dyn Stream>>,
    record: &'a Record,
}

impl<'a> Talk<'a> {
    /// Connects to one of a service's listeners.
    pub async fn begin(who: &'a Regular, service: &str, rng: &mut Rng) -> Result<Self> {
        let (door, from) = (who.site.door(service, rng), regular(rng));
        let stream = in_time("connecting", door.enter(from)).await?;
        Ok(Talk {
            kind: who.kind.name(),
            stream: BufReader::new(stream),
            record: &who.record,
        })
    }

    /// Sends bytes, and expects exactly this reply.
    pub async fn exchange(&mut self, sent: &[u8], expected: &[u8]) -> Result<()> {
        let begun = Instant::now();
        self.send(sent).await?;
        let mut reply = vec![0; expected.len()];
        in_time("a reply", self.stream.read_exact(&mut reply)).await?;
        ensure!(
            reply == expected,
            "a reply is {}, and should be {}",
            shown(&reply),
            shown(expected)
        );
        self.record.replied(self.kind, begun.elapsed());
        Ok(())
    }

    pub async fn send(&mut self, sent: &[u8]) -> Result<()> {
        in_time("sending", self.stream.write_all(sent)).await
    }

    /// The next line, with its ending.
    pub async fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        in_time("a line", self.stream.read_line(&mut line)).await?;
        ensure!(line.ends_with('\n'), "the connection ended after {line:?}");
        Ok(line)
    }

    /// Records a correct line.
    pub fn note(&self, begun: Instant) {
        self.record.replied(self.kind, begun.elapsed());
    }

    /// Shuts down sending, and expects the host to close without another byte.
    pub async fn finish(mut self) -> Result<()> {
        in_time("finishing", self.stream.shutdown()).await?;
        let mut rest = Vec::new();
        in_time("the end", self.stream.read_to_end(&mut rest)).await?;
        ensure!(rest.is_empty(), "{} came unasked", shown(&rest));
        Ok(())
    }
}

fn shown(bytes: &[u8]) -> String {
    let begin = &bytes[..bytes.len().min(SHOWN)];
    format!("{} bytes: {}", bytes.len(), begin.escape_ascii())
}
