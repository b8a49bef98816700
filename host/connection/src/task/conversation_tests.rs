//! Tests what a conversation may do to its connection, over an in-memory pipe and in plain Rust.

use super::tests::{Served, handle, settings, sweep};
use super::{CloseReason, ConnectionError, ConnectionSettings, NoTls, NotSecured, serve};
use crate::handle::{CloseMode, ConnectionHandle, Lost, Notice, TimerChange};
use crate::handler::{Event, Session, SessionError};
use crate::limits::{HIGH_WATER_BYTES, MAX_TIMERS};
use crate::rates::{RateLimits, ServiceRates, Throttle};
use bytes::Bytes;
use parking_lot::Mutex;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex,
};
use tokio::time::Instant;

/// Follows the orders in each line and records its events.
struct Obedient {
    handle: Arc<ConnectionHandle>,
    told: Told,
}

/// A timer that is set again whenever it expires.
const ENDLESS: u32 = 99;
/// The same, each second.
const STEADY: u32 = 98;

type Told = Arc<Mutex<Vec<String>>>;

impl Session for Obedient {
    async fn tell(&mut self, event: Event) -> Result<Option<Bytes>, SessionError> {
        let what = match &event {
            Event::Message(line) => String::from_utf8_lossy(line).into_owned(),
            other => format!("{other:?}"),
        };
        self.told.lock().push(what.clone());
        match &event {
            Event::Open(_) => self.handle.send("welcome\n"),
            Event::Message(line) => self.obey(line)?,
            Event::Timer(ENDLESS) => self.handle.change_timer(TimerChange::Set {
                id: ENDLESS,
                delay: Duration::ZERO,
            }),
            Event::Timer(STEADY) => self.handle.change_timer(TimerChange::Set {
                id: STEADY,
                delay: Duration::from_secs(1),
            }),
            Event::Timer(id) => self.handle.send(format!("timer {id}\n")),
            Event::Shutdown => self.handle.send("goodbye\n"),
            Event::Eof | Event::Writable | Event::Secured | Event::Move => {}
        }
        Ok(None)
    }

    async fn save(&mut self) -> Result<Option<Bytes>, SessionError> {
        Ok(None)
    }

    async fn end(self) {
        self.told.lock().push("end".into());
    }
}

impl Obedient {
    fn obey(&self, line: &Bytes) -> Result<(), SessionError> {
        let line = String::from_utf8_lossy(line);
        let words: Vec<_> = line.split(' ').collect();
        let number = |index: usize| words[index].parse::<u32>().unwrap();
        match words[0] {
            "say" => self.handle.send(format!("{}\n", words[1])),
            "many" => self.handle.send(vec![b'x'; number(1) as usize]),
            "close" => self.handle.close(CloseMode::Graceful),
            "reset" => self.handle.close(CloseMode::Reset),
            "framing" => self.handle.set_framing(words[1].parse().unwrap()),
            "timer" => self.handle.change_timer(TimerChange::Set {
                id: number(1),
                delay: Duration::from_millis(number(2).into()),
            }),
            "cancel" => self
                .handle
                .change_timer(TimerChange::Cancel { id: number(1) }),
            "pause" => self.handle.set_reading(false),
            "tls" => {
                self.handle.send("go on\n");
                self.handle.start_tls();
                self.handle.send("secret\n");
            }
            "protocol" => return Err(SessionError::Protocol("as asked".into())),
            "internal" => return Err(SessionError::Internal("as asked".into())),
            _ => {}
        }
        Ok(())
    }
}

struct Talk {
    client: DuplexStream,
    served: Served,
    told: Told,
    handle: Arc<ConnectionHandle>,
    settings: ConnectionSettings,
}

fn talk(pipe_bytes: usize) -> Talk {
    talk_at(pipe_bytes, RateLimits::default())
}

/// A conversation of a service with these rates.
fn talk_at(pipe_bytes: usize, rates: RateLimits) -> Talk {
    let throttle = Throttle::new(Arc::new(ServiceRates::new(rates)), None);
    let (client, mut stream) = duplex(pipe_bytes);
    let settings = settings("lines", true);
    let handle = handle(settings.limits.max_unsent_bytes);
    sweep(&handle);
    let told = Told::default();
    let session = Obedient {
        handle: handle.clone(),
        told: told.clone(),
    };
    let (theirs, agreed) = (handle.clone(), settings.clone());
    let served = tokio::spawn(async move {
        let result = serve(
            &mut stream,
            session,
            theirs.clone(),
            &agreed,
            Some(throttle),
            NoTls,
        )
        .await;
        (theirs.traffic(), result)
    });
    Talk {
        client,
        served,
        told,
        handle,
        settings,
    }
}

impl Talk {
    async fn send(&mut self, text: &str) {
        self.client.write_all(text.as_bytes()).await.unwrap();
    }

    async fn expect(&mut self, text: &str) {
        let mut got = vec![0; text.len()];
        self.client.read_exact(&mut got).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&got), text);
    }

    async fn expect_end(&mut self) {
        let mut rest = Vec::new();
        self.client.read_to_end(&mut rest).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&rest), "");
    }

    /// How the connection ended, and all events of the session.
    async fn end(self) -> (Result<CloseReason, ConnectionError>, Vec<String>) {
        drop(self.client);
        let (_, result) = self.served.await.unwrap();
        let told = self.told.lock().clone();
        (result, told)
    }
}

#[tokio::test]
async fn a_conversation_greets_and_gets_every_event_once() {
    let mut talk = talk(1024);
    talk.expect("welcome\n").await;
    talk.send("say one\nsay two").await;
    talk.client.shutdown().await.unwrap();
    talk.expect("one\ntwo\n").await;
    talk.expect_end().await;
    let (result, told) = talk.end().await;
    assert_eq!(result.unwrap(), CloseReason::Finished);
    assert_eq!(told, ["Open(None)", "say one", "say two", "Eof", "end"]);
}

#[tokio::test]
async fn after_a_graceful_close_output_is_written_and_no_event_follows() {
    let mut talk = talk(1024);
    talk.send("say last\nclose\nsay never\n").await;
    talk.expect("welcome\nlast\n").await;
    talk.expect_end().await;
    let (result, told) = talk.end().await;
    assert_eq!(result.unwrap(), CloseReason::Finished);
    assert_eq!(told, ["Open(None)", "say last", "close", "end"]);
}

#[tokio::test]
async fn a_session_that_closed_ends_before_its_client_has_read_everything() {
    let mut talk = talk(64);
    talk.send("many 1000\nclose\n").await;
    while talk.told.lock().last().is_none_or(|told| told != "end") {
        tokio::task::yield_now().await;
    }
    talk.expect("welcome\n").await;
    talk.expect(&"x".repeat(1000)).await;
    talk.expect_end().await;
}

#[tokio::test]
async fn a_reset_discards_what_is_not_written() {
    // The pipe is too small for the greeting, so something always waits.
    let mut talk = talk(64);
    talk.send("many 1000\nreset\nsay never\n").await;
    let (result, told) = (talk.served.await.unwrap().1, talk.told.lock().clone());
    assert_eq!(result.unwrap(), CloseReason::Reset);
    assert_eq!(told, ["Open(None)", "many 1000", "reset", "end"]);
}

#[tokio::test]
async fn a_new_framing_applies_to_bytes_already_read() {
    let mut talk = talk(1024);
    talk.send("framing fixed:3\nabcdef\nx").await;
    talk.client.shutdown().await.unwrap();
    talk.expect("welcome\n").await;
    talk.expect_end().await;
    let (result, told) = talk.end().await;
    assert!(
        matches!(result, Err(ConnectionError::Framing(_))),
        "{result:?}"
    );
    assert_eq!(told, ["Open(None)", "framing fixed:3", "abc", "def", "end"]);
}

#[tokio::test(start_paused = true)]
async fn timers_fire_once_can_be_replaced_and_cancelled() {
    let mut talk = talk(1024);
    let begun = Instant::now();
    talk.send("timer 1 3000\ntimer 2 1000\ntimer 3 2000\ntimer 1 500\ncancel 3\ncancel 9\n")
        .await;
    talk.expect("welcome\ntimer 1\n").await;
    assert_eq!(begun.elapsed().as_millis() / 100, 5);
    talk.expect("timer 2\n").await;
    assert_eq!(begun.elapsed().as_millis() / 100, 10);
    // A timer keeps a half-closed connection open.
    talk.send("timer 4 4000\n").await;
    talk.client.shutdown().await.unwrap();
    talk.expect("timer 4\n").await;
    assert_eq!(begun.elapsed().as_millis() / 100, 50);
    talk.expect_end().await;
    assert_eq!(talk.end().await.0.unwrap(), CloseReason::Finished);
}

#[tokio::test(start_paused = true)]
async fn timers_do_not_keep_an_idle_connection() {
    let mut talk = talk(1 << 16);
    talk.expect("welcome\n").await;
    talk.send("timer 98 0\n").await;
    let ended = tokio::time::timeout(Duration::from_secs(600), talk.served);
    let (_, result) = ended.await.expect("it is idle").unwrap();
    assert!(
        matches!(result, Err(ConnectionError::Idle(_))),
        "{result:?}"
    );
}

#[tokio::test]
async fn a_session_that_sets_a_timer_of_no_time_for_ever_is_still_read_and_written() {
    let mut talk = talk(1 << 16);
    talk.expect("welcome\n").await;
    talk.send("timer 99 0\n").await;
    for _ in 0..3 {
        talk.send("say hello\n").await;
        talk.expect("hello\n").await;
    }
    talk.send("close\n").await;
    talk.expect_end().await;
}

#[tokio::test]
async fn too_many_timers_end_the_connection() {
    let mut talk = talk(1 << 20);
    for id in 0..=MAX_TIMERS {
        talk.send(&format!("timer {id} 60000\n")).await;
    }
    let result = talk.served.await.unwrap().1;
    assert!(
        matches!(
            result,
            Err(ConnectionError::Lost(Lost::TooManyTimers { .. }))
        ),
        "{result:?}"
    );
}

#[tokio::test]
async fn a_session_learns_when_its_output_falls_below_the_mark() {
    let mut talk = talk(1024);
    talk.expect("welcome\n").await;
    talk.send(&format!("many {}\n", HIGH_WATER_BYTES + 1)).await;
    talk.send("say after\n").await;
    while talk.handle.unsent_bytes() == 0 {
        tokio::task::yield_now().await;
    }
    // The next message waits while the output is above the high-water mark.
    assert_eq!(talk.told.lock().len(), 2);
    talk.expect(&"x".repeat(HIGH_WATER_BYTES + 1)).await;
    talk.expect("after\n").await;
    assert_eq!(talk.handle.unsent_bytes(), 0);
    let (_, told) = talk.end().await;
    assert_eq!(told[2..4], ["Writable", "say after"]);
}

#[tokio::test]
async fn other_sessions_may_write_and_a_slow_reader_is_dropped() {
    let mut talk = talk(1024);
    talk.expect("welcome\n").await;
    talk.handle.send("from another session\n");
    talk.expect("from another session\n").await;
    for _ in 0..talk.settings.limits.max_unsent_bytes / 1024 + 2 {
        talk.handle.send(vec![b'x'; 1024]);
    }
    let result = talk.served.await.unwrap().1;
    assert!(
        matches!(result, Err(ConnectionError::Lost(Lost::SlowReader { .. }))),
        "{result:?}"
    );
}

/// A stream that counts writes.
struct Counting {
    stream: DuplexStream,
    writes: Arc<AtomicUsize>,
}

impl AsyncRead for Counting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Counting {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[tokio::test]
async fn sends_leave_together() {
    let (mut client, stream) = duplex(1 << 16);
    let writes = Arc::new(AtomicUsize::new(0));
    let mut stream = Counting {
        stream,
        writes: writes.clone(),
    };
    let (handle, settings) = (handle(1 << 20), settings("lines", true));
    let session = Obedient {
        handle: handle.clone(),
        told: Told::default(),
    };
    client
        .write_all(b"say one\nsay two\nsay three\n")
        .await
        .unwrap();
    client.shutdown().await.unwrap();
    serve(&mut stream, session, handle, &settings, None, NoTls)
        .await
        .unwrap();
    // The greeting, and the replies to one piece.
    assert_eq!(writes.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_stop_sends_the_goodbye() {
    let mut talk = talk(1024);
    talk.expect("welcome\n").await;
    talk.handle.notify(Notice::Stop);
    talk.expect("goodbye\n").await;
    talk.expect_end().await;
    let (result, told) = talk.end().await;
    assert_eq!(result.unwrap(), CloseReason::Finished);
    assert_eq!(told, ["Open(None)", "Shutdown", "end"]);
}

#[tokio::test]
async fn a_failure_ends_the_connection_after_earlier_replies() {
    for kind in ["protocol", "internal"] {
        let mut talk = talk(1024);
        talk.send(&format!("say before\n{kind}\nsay never\n")).await;
        talk.expect("welcome\nbefore\n").await;
        talk.expect_end().await;
        let (result, told) = talk.end().await;
        assert!(
            matches!(result, Err(ConnectionError::Session(_))),
            "{result:?}"
        );
        assert_eq!(told, ["Open(None)", "say before", kind, "end"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_waits_for_a_token_blocks_nothing_else() {
    let mut talk = talk_at(
        1024,
        RateLimits {
            messages_per_second: Some(1),
            ..RateLimits::default()
        },
    );
    talk.send("timer 1 300\nsay late\n").await;
    let begun = Instant::now();
    talk.expect("welcome\ntimer 1\n").await;
    assert!(begun.elapsed() < Duration::from_millis(500));
    talk.handle.send("pushed\n");
    talk.expect("pushed\nlate\n").await;
    assert!(begun.elapsed() >= Duration::from_millis(900));
}

#[tokio::test(start_paused = true)]
async fn a_message_with_a_token_waits_for_a_client_that_does_not_read() {
    let mut talk = talk_at(
        1024,
        RateLimits {
            messages_per_second: Some(1),
            ..RateLimits::default()
        },
    );
    talk.send("say one\nsay two\n").await;
    talk.expect("welcome\none\n").await;
    let flood = "x".repeat(2 * HIGH_WATER_BYTES);
    talk.handle.send(flood.clone());
    // A blocked connection must not be polled in a loop.
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(!talk.told.lock().contains(&"say two".to_owned()));
    talk.expect(&flood).await;
    talk.expect("two\n").await;
}

#[tokio::test]
async fn a_session_that_pauses_gets_nothing_until_it_reads_again() {
    let mut talk = talk(1024);
    talk.send("pause\nsay one\nsay two").await;
    talk.client.shutdown().await.unwrap();
    talk.expect("welcome\n").await;
    while talk.told.lock().len() < 2 {
        tokio::task::yield_now().await;
    }
    talk.handle.send("meanwhile\n");
    talk.expect("meanwhile\n").await;
    assert_eq!(*talk.told.lock(), ["Open(None)", "pause"]);
    talk.handle.set_reading(true);
    talk.expect("one\ntwo\n").await;
    talk.expect_end().await;
    let (result, told) = talk.end().await;
    assert_eq!(result.unwrap(), CloseReason::Finished);
    assert_eq!(told[2..], ["say one", "say two", "Eof", "end"]);
}

#[tokio::test]
async fn bytes_in_clear_after_the_command_for_tls_end_the_connection() {
    let mut talk = talk(1024);
    talk.send("tls\nsay injected\n").await;
    talk.expect("welcome\ngo on\n").await;
    talk.expect_end().await;
    let (result, told) = talk.end().await;
    let refused = ConnectionError::StartTls(NotSecured::EarlyBytes);
    assert_eq!(result.unwrap_err().to_string(), refused.to_string());
    assert_eq!(told, ["Open(None)", "tls", "end"]);
}

/// A pipe in memory has no TLS, so the handshake fails.
#[tokio::test]
async fn what_is_meant_for_tls_never_leaves_in_clear() {
    let mut talk = talk(1024);
    talk.send("tls\n").await;
    talk.expect("welcome\ngo on\n").await;
    talk.expect_end().await;
    let (result, told) = talk.end().await;
    let failed = matches!(
        result,
        Err(ConnectionError::StartTls(NotSecured::Handshake(_)))
    );
    assert!(failed, "{result:?}");
    assert_eq!(told, ["Open(None)", "tls", "end"]);
}
