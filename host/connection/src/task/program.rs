//! A connection served by a program: bytes in, bytes out, as under inetd.

use super::goodbye::shut_down_at_once;
use super::linger::linger;
use super::{CloseReason, ConnectionError, ConnectionSettings};
use crate::handle::{CloseMode, ConnectionHandle, Lost, Notice, Seen};
use crate::handler::Program;
use crate::limits::PIPE_BYTES;
use crate::rates::Throttle;
use bytes::BytesMut;
use parking_lot::Mutex;
use std::future::{pending, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, duplex, split};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};
use tokio_util::io::poll_read_buf;

/// Serves one client until the program has exited and all its output is written.
pub async fn serve_program<S, P>(
    stream: &mut S,
    program: P,
    handle: &ConnectionHandle,
    settings: &ConnectionSettings,
    throttle: Option<Throttle>,
) -> Result<CloseReason, ConnectionError>
where
    S: AsyncRead + AsyncWrite + Unpin,
    P: Program,
{
    let meter = Meter::new();
    let client_finished = AtomicBool::new(false);
    let result = tokio::select! {
        result = run(stream, program, handle, settings, throttle, &meter, &client_finished) => result,
        ended = stopped(handle, &meter) => ended,
    };
    match &result {
        Ok(_) if !client_finished.into_inner() => linger(stream).await,
        Err(ConnectionError::Idle(_)) if !meter.is_writing() => shut_down_at_once(stream).await,
        _ => {}
    }
    result
}

/// Completes when the program must end at once.
async fn stopped(handle: &ConnectionHandle, meter: &Meter) -> Result<CloseReason, ConnectionError> {
    loop {
        poll_fn(|cx| handle.poll_ordered(cx)).await;
        let (mut notice, mut close) = (None, None);
        handle.collect(|orders| {
            (notice, close) = (orders.notice.take(), orders.close);
            if let Some(watch) = &orders.watch {
                watch.begin_call();
            }
        });
        match (close, notice) {
            (Some(CloseMode::Reset), _) => return Ok(CloseReason::Reset),
            (_, Some(Notice::Stop)) => return Err(Lost::SwappedOut.into()),
            (Some(CloseMode::Graceful), _) => {
                // The end of its input; the task itself sees that at the next poll.
                meter.is_finishing.store(true, Ordering::Relaxed);
                yield_now().await;
                poll_fn(|cx| handle.poll_cut(cx)).await;
                return Ok(CloseReason::Reset);
            }
            (None, _) => {}
        }
    }
}

async fn run<S, P>(
    stream: &mut S,
    program: P,
    handle: &ConnectionHandle,
    settings: &ConnectionSettings,
    throttle: Option<Throttle>,
    meter: &Meter,
    client_finished: &AtomicBool,
) -> Result<CloseReason, ConnectionError>
where
    S: AsyncRead + AsyncWrite + Unpin,
    P: Program,
{
    let (theirs, ours) = duplex(PIPE_BYTES);
    let (mut from_client, mut to_client) = split(stream);
    let (mut from_program, mut to_program) = split(ours);
    let mut input = Inbound {
        handle,
        meter,
        throttle: throttle.unwrap_or_default(),
    };
    let inbound = async {
        match pump(&mut from_client, &mut to_program, &mut input).await {
            Err(Broken::Source(error)) => return ConnectionError::from(error),
            // A program may exit without reading all its input.
            Err(Broken::Destination(_)) => {}
            Ok(()) => {
                let is_finished = !meter.is_finishing.load(Ordering::Relaxed);
                client_finished.store(is_finished, Ordering::Relaxed);
                if is_finished {
                    handle.show(Seen::Finished);
                }
                // End of its input, unless the program is gone.
                let _ = to_program.shutdown().await;
            }
        }
        pending().await
    };
    let outbound = async {
        // The program's end of the pipe closes when it exits, which ends this.
        match pump(
            &mut from_program,
            &mut to_client,
            &mut Outbound { handle, meter },
        )
        .await
        {
            Err(Broken::Destination(error)) => return Err(error.into()),
            Err(Broken::Source(_)) | Ok(()) => {}
        }
        Ok(to_client.shutdown().await?)
    };
    let program = async { Ok::<_, ConnectionError>(program.run(theirs).await?) };
    tokio::select! {
        done = async { tokio::try_join!(program, outbound) } => done.map(|_| CloseReason::Finished),
        error = inbound => Err(error),
        limit = meter.idle(settings.limits.idle_timeout) => Err(ConnectionError::Idle(limit)),
    }
}

/// Which side of a pump failed.
enum Broken {
    Source(io::Error),
    Destination(io::Error),
}

/// What one direction of a connection's bytes is subject to.
trait Flow {
    /// Ready when the source may be read; false if it counts as ended.
    fn poll_reading(&mut self, cx: &mut Context<'_>) -> Poll<bool>;

    /// The source was polled.
    fn polled(&mut self) {}

    /// These bytes were read.
    fn read(&mut self, bytes: &[u8]);

    /// Bytes were written.
    fn written(&mut self, bytes: usize);

    /// Everything that was read is written.
    fn done(&mut self) {}
}

/// From the client to the program.
struct Inbound<'a> {
    handle: &'a ConnectionHandle,
    meter: &'a Meter,
    throttle: Throttle,
}

impl Flow for Inbound<'_> {
    fn poll_reading(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        if self.meter.is_finishing.load(Ordering::Relaxed) {
            return Poll::Ready(false);
        }
        let is_held_back = self.throttle.poll_reading(cx).is_pending();
        if self.meter.held_back.swap(is_held_back, Ordering::Relaxed) {
            // A client whose bytes we do not read is not idle.
            self.meter.touch();
        }
        if is_held_back {
            return Poll::Pending;
        }
        Poll::Ready(true)
    }

    fn polled(&mut self) {
        self.throttle.note_read(self.handle.note_commands());
    }

    fn read(&mut self, bytes: &[u8]) {
        self.throttle.note_read(bytes.len());
        self.handle.show(Seen::FromClient(bytes));
    }

    fn written(&mut self, bytes: usize) {
        self.handle.note_received(bytes);
        self.meter.touch();
    }
}

/// From the program to the client.
struct Outbound<'a> {
    handle: &'a ConnectionHandle,
    meter: &'a Meter,
}

impl Flow for Outbound<'_> {
    fn poll_reading(&mut self, _: &mut Context<'_>) -> Poll<bool> {
        Poll::Ready(true)
    }

    fn read(&mut self, bytes: &[u8]) {
        self.meter.writing.store(true, Ordering::Relaxed);
        self.handle.show(Seen::ToClient(bytes));
    }

    fn written(&mut self, bytes: usize) {
        self.handle.note_sent(bytes);
        self.meter.touch();
    }

    fn done(&mut self) {
        self.meter.writing.store(false, Ordering::Relaxed);
    }
}

/// Copies bytes until the source ends.
async fn pump(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    flow: &mut impl Flow,
) -> Result<(), Broken> {
    let mut buffer = BytesMut::with_capacity(PIPE_BYTES);
    loop {
        let read = poll_fn(|cx| {
            if !ready!(flow.poll_reading(cx)) {
                return Poll::Ready(Ok(0));
            }
            let read = poll_read_buf(Pin::new(&mut *from), cx, &mut buffer);
            flow.polled();
            read
        });
        let read = read.await.map_err(Broken::Source)?;
        if read == 0 {
            return Ok(());
        }
        flow.read(&buffer);
        while !buffer.is_empty() {
            let written = to.write_buf(&mut buffer).await;
            flow.written(written.map_err(Broken::Destination)?);
        }
        to.flush().await.map_err(Broken::Destination)?;
        flow.done();
    }
}

/// When bytes last moved, and whether some are in transit to the client.
struct Meter {
    moved: Mutex<Instant>,
    writing: AtomicBool,
    /// Whether a rate limit holds the client back.
    held_back: AtomicBool,
    /// Whether the program gets no more input.
    is_finishing: AtomicBool,
}

impl Meter {
    fn new() -> Self {
        Meter {
            moved: Mutex::new(Instant::now()),
            writing: AtomicBool::new(false),
            held_back: AtomicBool::new(false),
            is_finishing: AtomicBool::new(false),
        }
    }

    fn touch(&self) {
        *self.moved.lock() = Instant::now();
    }

    fn is_writing(&self) -> bool {
        self.writing.load(Ordering::Relaxed)
    }

    /// Completes when no byte moved for `limit`, and returns it.
    async fn idle(&self, limit: Option<Duration>) -> Duration {
        let Some(limit) = limit else {
            return pending().await;
        };
        loop {
            if self.held_back.load(Ordering::Relaxed) {
                self.touch();
            }
            let moved = *self.moved.lock();
            if moved.elapsed() >= limit {
                return limit;
            }
            sleep_until(moved + limit).await;
        }
    }
}
