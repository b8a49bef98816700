//! A connection served by a program: bytes in, bytes out, as under inetd.

use super::goodbye::shut_down_at_once;
use super::linger::linger;
use super::{CloseReason, ConnectionError, ConnectionSettings};
use crate::handle::{ConnectionHandle, Lost, Notice};
use crate::handler::Program;
use crate::limits::PIPE_BYTES;
use crate::rates::Throttle;
use bytes::BytesMut;
use parking_lot::Mutex;
use std::future::{pending, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, duplex, split};
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
        () = stopped(handle) => Err(ConnectionError::Lost(Lost::SwappedOut)),
    };
    match &result {
        Ok(_) if !client_finished.into_inner() => linger(stream).await,
        Err(ConnectionError::Idle(_)) if !meter.is_writing() => shut_down_at_once(stream).await,
        _ => {}
    }
    result
}

/// Completes when the program must stop.
async fn stopped(handle: &ConnectionHandle) {
    let mut notice = None;
    while notice != Some(Notice::Stop) {
        poll_fn(|cx| handle.poll_ordered(cx)).await;
        handle.collect(|orders| notice = orders.notice.take());
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
    let inbound = async {
        match pump(
            &mut from_client,
            &mut to_program,
            |bytes| handle.note_received(bytes),
            || handle.note_commands(),
            throttle,
            &AtomicBool::default(),
            meter,
        )
        .await
        {
            Err(Broken::Source(error)) => return ConnectionError::from(error),
            // A program may exit without reading all its input.
            Err(Broken::Destination(_)) => {}
            Ok(()) => {
                client_finished.store(true, Ordering::Relaxed);
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
            |bytes| handle.note_sent(bytes),
            || 0,
            None,
            &meter.writing,
            meter,
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

/// Copies bytes until the source ends, no faster than `throttle` allows. `commands` returns the
/// bytes that came and are not for the destination. `busy` says whether bytes are in transit.
async fn pump(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    count: impl Fn(usize),
    commands: impl Fn() -> usize,
    throttle: Option<Throttle>,
    busy: &AtomicBool,
    meter: &Meter,
) -> Result<(), Broken> {
    let mut buffer = BytesMut::with_capacity(PIPE_BYTES);
    let mut throttle = throttle.unwrap_or_default();
    loop {
        let read = poll_fn(|cx| {
            let is_held_back = throttle.poll_reading(cx).is_pending();
            if meter.held_back.swap(is_held_back, Ordering::Relaxed) {
                // A client whose bytes we do not read is not idle.
                meter.touch();
            }
            if is_held_back {
                return Poll::Pending;
            }
            let read = poll_read_buf(Pin::new(&mut *from), cx, &mut buffer);
            throttle.note_read(commands());
            read
        });
        let read = read.await.map_err(Broken::Source)?;
        if read == 0 {
            return Ok(());
        }
        throttle.note_read(read);
        busy.store(true, Ordering::Relaxed);
        while !buffer.is_empty() {
            let written = to
                .write_buf(&mut buffer)
                .await
                .map_err(Broken::Destination)?;
            count(written);
            meter.touch();
        }
        to.flush().await.map_err(Broken::Destination)?;
        busy.store(false, Ordering::Relaxed);
    }
}

/// When bytes last moved, and whether some are in transit to the client.
struct Meter {
    moved: Mutex<Instant>,
    writing: AtomicBool,
    /// Whether a rate limit holds the client back.
    held_back: AtomicBool,
}

impl Meter {
    fn new() -> Self {
        Meter {
            moved: Mutex::new(Instant::now()),
            writing: AtomicBool::new(false),
            held_back: AtomicBool::new(false),
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
