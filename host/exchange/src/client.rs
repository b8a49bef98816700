//! The client of an exchange: sends, receives and compares.

use super::mismatch::Problem;
use super::run::Run;
use super::{Action, Pattern, Step};
use bytes::{Buf, Bytes, BytesMut};
use connection::clock::Clock;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;
use tokio::io::DuplexStream;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{Instant, timeout_at};
use tokio_util::io::poll_read_buf;

/// The longest line that a pattern waits for, and the most bytes collected for a difference.
const MAX_GATHERED_BYTES: usize = 64 << 10;
/// How long more bytes are collected after a mismatch.
const GATHER_TIME: Duration = Duration::from_millis(200);

/// A client for one run.
pub struct Client {
    to_host: Option<UnboundedSender<Bytes>>,
    from_host: DuplexStream,
    /// Received bytes that no step has consumed.
    received: BytesMut,
    /// Whether the host has closed.
    has_ended: bool,
    clock: Clock,
    step_limit: Duration,
}

/// The step that failed.
pub struct Stuck {
    /// The index of the step.
    pub at: usize,
    pub problem: Problem,
    /// The bytes received since this step, and whether the connection ended.
    pub got: BytesMut,
    pub has_ended: bool,
}

impl Client {
    pub fn new(
        to_host: UnboundedSender<Bytes>,
        from_host: DuplexStream,
        clock: Clock,
        step_limit: Duration,
    ) -> Self {
        Client {
            to_host: Some(to_host),
            from_host,
            received: BytesMut::new(),
            has_ended: false,
            clock,
            step_limit,
        }
    }

    /// Follows the steps in order, then disconnects.
    pub async fn follow(mut self, steps: &[Step], run: Run) -> Result<(), Stuck> {
        for (at, step) in steps.iter().enumerate() {
            if let Err(problem) = self.take(step, run).await {
                if matches!(problem, Problem::Different | Problem::Excess) {
                    self.gather().await;
                }
                return Err(Stuck {
                    at,
                    problem,
                    got: self.received,
                    has_ended: self.has_ended,
                });
            }
        }
        Ok(())
    }

    async fn take(&mut self, step: &Step, run: Run) -> Result<(), Problem> {
        let deadline = Instant::now() + self.step_limit;
        match &step.action {
            Action::Send(bytes) => {
                for piece in run.pieces(step.line, bytes) {
                    // A closed host reads nothing; the missing reply will show.
                    let _ = self.to_host.as_ref().map(|host| host.send(piece));
                }
                Ok(())
            }
            Action::Finish => {
                self.to_host = None;
                Ok(())
            }
            Action::Expect(bytes) => self.expect(bytes, deadline).await,
            Action::ExpectLine(pattern) => self.expect_line(pattern, deadline).await,
            Action::Closed => self.expect_end(deadline).await,
        }
    }

    async fn expect(&mut self, bytes: &[u8], deadline: Instant) -> Result<(), Problem> {
        loop {
            let have = self.received.len().min(bytes.len());
            if self.received[..have] != bytes[..have] {
                return Err(Problem::Different);
            }
            if have == bytes.len() {
                self.received.advance(have);
                return Ok(());
            }
            self.read(deadline).await?;
        }
    }

    async fn expect_line(&mut self, pattern: &Pattern, deadline: Instant) -> Result<(), Problem> {
        loop {
            if let Some(end) = self.received.iter().position(|byte| *byte == b'\n') {
                if !pattern.fits(&self.received[..=end]) {
                    return Err(Problem::Different);
                }
                self.received.advance(end + 1);
                return Ok(());
            }
            if self.received.len() > MAX_GATHERED_BYTES {
                return Err(Problem::Different);
            }
            self.read(deadline).await?;
        }
    }

    async fn expect_end(&mut self, deadline: Instant) -> Result<(), Problem> {
        loop {
            if !self.received.is_empty() {
                return Err(Problem::Excess);
            }
            match self.read(deadline).await {
                Err(Problem::Ended) => return Ok(()),
                Err(Problem::Silent(_)) => return Err(Problem::NotClosed(self.step_limit)),
                Err(Problem::Stuck) => return Err(Problem::StuckOpen),
                Ok(()) | Err(_) => {}
            }
        }
    }

    /// Waits for more bytes. A broken connection counts as ended.
    async fn read(&mut self, deadline: Instant) -> Result<(), Problem> {
        let Client {
            from_host,
            received,
            clock,
            ..
        } = self;
        let read = poll_fn(
            |cx| match poll_read_buf(Pin::new(from_host), cx, received) {
                Poll::Pending if clock.is_stuck() => Poll::Ready(None),
                read => read.map(Some),
            },
        );
        match timeout_at(deadline, read).await {
            Ok(None) => Err(Problem::Stuck),
            Ok(Some(read)) => match read {
                Ok(1..) => Ok(()),
                Ok(0) | Err(_) => {
                    self.has_ended = true;
                    Err(Problem::Ended)
                }
            },
            Err(_) => Err(Problem::Silent(self.step_limit)),
        }
    }

    /// Collects more bytes to show them.
    async fn gather(&mut self) {
        // What a timer would bring later is no part of the difference.
        self.clock.stop();
        let deadline = Instant::now() + GATHER_TIME;
        while self.received.len() < MAX_GATHERED_BYTES && self.read(deadline).await.is_ok() {}
    }
}
