//! Connections over an in-memory duplex pipe, with responders that are plain Rust.

use super::{CloseReason, ConnectionError, ConnectionSettings, NoTls, serve};
use crate::handle::{ConnectionHandle, Peer, Traffic, Transport};
use crate::handler::{CallError, Event, Session, SessionError};
use crate::limits::{ConnectionLimits, HIGH_WATER_BYTES, IDLE_SWEEP, LINGER_BYTES, READ_BYTES};
use bytes::Bytes;
use framing::FramingError;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::Instant;

const LIMITS: ConnectionLimits = ConnectionLimits {
    max_message_bytes: 1 << 20,
    max_unsent_bytes: 1 << 20,
    idle_timeout: Some(Duration::from_secs(60)),
};

/// The settings of a connection with a responder, or with a conversation.
pub fn settings(framing: &str, converses: bool) -> ConnectionSettings {
    ConnectionSettings {
        framing: framing.parse().unwrap(),
        limits: LIMITS,
        converses,
    }
}

/// An handle that takes `limit_bytes`.
pub fn handle(limit_bytes: usize) -> Arc<ConnectionHandle> {
    let (client, host) = ("client".into(), "host".into());
    let peer = Peer::new(Transport::Tcp, client, host, "tcp://host".into());
    Arc::new(ConnectionHandle::new(
        1,
        peer,
        limit_bytes,
        tracing::Span::none(),
    ))
}

/// How a connection ended.
pub type Served = JoinHandle<(Traffic, Result<CloseReason, ConnectionError>)>;

/// Sweeps for idle connections, as a server does.
pub fn sweep(handle: &Arc<ConnectionHandle>) {
    let handle = Arc::downgrade(handle);
    tokio::spawn(async move {
        let begun = Instant::now();
        while let Some(handle) = handle.upgrade() {
            handle.sweep(begun.elapsed());
            drop(handle);
            tokio::time::sleep(IDLE_SWEEP).await;
        }
    });
}

/// Replies with the message in brackets, traps on `trap`, takes a minute for `slow`, and counts.
#[derive(Clone, Default)]
struct Bracket {
    opened: Arc<AtomicUsize>,
    answered: Arc<AtomicUsize>,
    ended: Arc<AtomicUsize>,
}

impl Session for Bracket {
    async fn tell(&mut self, event: Event) -> Result<Option<Bytes>, SessionError> {
        let message = match event {
            Event::Message(message) => message,
            Event::Open(_) => {
                self.opened.fetch_add(1, Ordering::Relaxed);
                return Ok(None);
            }
            _ => return Ok(None),
        };
        match &message[..] {
            b"trap" => return Err(CallError::Trap("as asked".into()).into()),
            b"slow" => tokio::time::sleep(Duration::from_secs(60)).await,
            _ => {}
        }
        self.answered.fetch_add(1, Ordering::Relaxed);
        Ok(Some([b"[", &message[..], b"]"].concat().into()))
    }

    async fn save(&mut self) -> Result<Option<Bytes>, SessionError> {
        Ok(None)
    }

    async fn end(self) {
        self.ended.fetch_add(1, Ordering::Relaxed);
    }
}

/// A client whose pipe to the served connection holds `pipe_bytes` in each direction.
fn client(bracket: Bracket, framing: &str, pipe_bytes: usize) -> (DuplexStream, Served) {
    let (client, mut stream) = duplex(pipe_bytes);
    let settings = settings(framing, false);
    let handle = handle(usize::MAX);
    sweep(&handle);
    let served = tokio::spawn(async move {
        let result = serve(&mut stream, bracket, handle.clone(), &settings, None, NoTls).await;
        (handle.traffic(), result)
    });
    (client, served)
}

/// Sends `pieces`, which the connection reads one by one, half-closes, and returns all replies.
async fn converse(framing: &str, pieces: &[&[u8]]) -> Vec<u8> {
    let (mut client, _served) = client(Bracket::default(), framing, 1 << 16);
    for piece in pieces {
        client.write_all(piece).await.unwrap();
        // On one thread, this lets the connection read before more is sent.
        tokio::task::yield_now().await;
    }
    client.shutdown().await.unwrap();
    let mut replies = Vec::new();
    client.read_to_end(&mut replies).await.unwrap();
    replies
}

#[tokio::test]
async fn every_framing_survives_a_cut_at_every_byte() {
    for (framing, stream, replies) in [
        ("lines", &b"one\r\n\r\ntwo\nlast"[..], "[one][][two][last]"),
        ("length-prefixed:1", b"\x03one\x00\x03two", "[one][][two]"),
        (
            "length-prefixed:2",
            b"\0\x03one\0\0\0\x03two",
            "[one][][two]",
        ),
        (
            "length-prefixed:4",
            b"\0\0\0\x03one\0\0\0\x03two",
            "[one][two]",
        ),
        (
            "delimited:0d0a2e",
            b"one\r\n.\r\n\r\n.last",
            "[one][\r\n][last]",
        ),
        ("fixed:3", b"onetwo", "[one][two]"),
    ] {
        for cut in 0..=stream.len() {
            let (head, tail) = stream.split_at(cut);
            let got = converse(framing, &[head, tail]).await;
            assert_eq!(got, replies.as_bytes(), "{framing} cut at {cut}");
        }
        let bytes: Vec<_> = stream.chunks(1).collect();
        assert_eq!(
            converse(framing, &bytes).await,
            replies.as_bytes(),
            "{framing} byte by byte"
        );
    }
}

#[tokio::test]
async fn chunks_are_what_each_read_returned() {
    assert_eq!(converse("chunks", &[b"one", b"two"]).await, b"[one][two]");
}

#[tokio::test]
async fn no_session_opens_for_a_silent_client() {
    let bracket = Bracket::default();
    let (mut idle, served) = client(bracket.clone(), "lines", 64);
    idle.shutdown().await.unwrap();
    assert_eq!(idle.read(&mut [0; 1]).await.unwrap(), 0);
    assert!(served.await.unwrap().1.is_ok());
    assert_eq!(bracket.opened.load(Ordering::Relaxed), 0);

    // One byte is enough, even without a whole message.
    let (mut busy, served) = client(bracket.clone(), "lines", 64);
    busy.write_all(b"h").await.unwrap();
    while bracket.opened.load(Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(bracket.answered.load(Ordering::Relaxed), 0);
    busy.write_all(b"i\n").await.unwrap();
    busy.shutdown().await.unwrap();
    served.await.unwrap().1.unwrap();
    assert_eq!(bracket.opened.load(Ordering::Relaxed), 1);
    assert_eq!(bracket.ended.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_client_with_many_messages_does_not_starve_others() {
    let bracket = Bracket::default();
    let (mut client, served) = client(bracket.clone(), "lines", 1 << 16);
    client.write_all(&[b'\n'; 50_000]).await.unwrap();
    client.shutdown().await.unwrap();
    let mut turns = 0;
    while bracket.answered.load(Ordering::Relaxed) < 50_000 {
        tokio::task::yield_now().await;
        turns += 1;
    }
    assert!(turns > 50, "{turns}");
    drop(client);
    let _ = served.await.unwrap();
}

#[tokio::test]
async fn neither_does_one_whose_bytes_are_no_messages() {
    let bracket = Bracket::default();
    let reads = 40;
    let (mut client, served) = client(bracket.clone(), "slip", reads * READ_BYTES);
    // Empty frames.
    client
        .write_all(&vec![0xc0; reads * READ_BYTES])
        .await
        .unwrap();
    client.write_all(b"a\xc0").await.unwrap();
    let mut turns = 0;
    while bracket.answered.load(Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
        turns += 1;
    }
    assert!(turns >= reads / 4, "{turns}");
    drop(client);
    let _ = served.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_half_closes_still_gets_all_replies() {
    assert_eq!(
        converse("lines", &[b"a\nslow\nb\nc"]).await,
        b"[a][slow][b][c]"
    );
}

#[tokio::test(start_paused = true)]
async fn earlier_replies_go_out_while_a_later_one_is_computed() {
    let (mut client, _served) = client(Bracket::default(), "lines", 64);
    client.write_all(b"a\nslow\n").await.unwrap();
    let mut reply = [0; 3];
    tokio::time::timeout(Duration::from_secs(1), client.read_exact(&mut reply))
        .await
        .expect("the reply to `a` must not wait for `slow`")
        .unwrap();
    assert_eq!(&reply, b"[a]");
}

#[tokio::test]
async fn a_trap_sends_earlier_replies_and_nothing_else() {
    let (mut client, served) = client(Bracket::default(), "lines", 64);
    client.write_all(b"a\ntrap\nb\n").await.unwrap();
    client.shutdown().await.unwrap();
    let mut replies = Vec::new();
    client.read_to_end(&mut replies).await.unwrap();
    assert_eq!(replies, b"[a]");
    let (traffic, result) = served.await.unwrap();
    assert!(
        matches!(
            result,
            Err(ConnectionError::Session(SessionError::Call(
                CallError::Trap(_)
            )))
        ),
        "{result:?}"
    );
    assert_eq!(traffic.messages, 2);
}

#[tokio::test]
async fn a_message_that_is_too_long_ends_the_connection_after_earlier_replies() {
    let (mut client, served) = client(Bracket::default(), "length-prefixed:4", 64);
    client
        .write_all(b"\0\0\0\x01a\xff\xff\xff\xff")
        .await
        .unwrap();
    let mut replies = Vec::new();
    client.read_to_end(&mut replies).await.unwrap();
    assert_eq!(replies, b"[a]");
    drop(client);
    let (_, result) = served.await.unwrap();
    let limit = LIMITS.max_message_bytes;
    assert!(
        matches!(result, Err(ConnectionError::Framing(FramingError::TooLong { limit: l })) if l == limit),
        "{result:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_refused_client_that_keeps_sending_is_cut() {
    let (mut client, served) = client(Bracket::default(), "length-prefixed:1", 1 << 16);
    client.write_all(b"\x04trap").await.unwrap();
    let mut sent = 0;
    while client.write_all(&[0; 1024]).await.is_ok() {
        sent += 1024;
        assert!(sent <= 2 * LINGER_BYTES, "the connection should have ended");
    }
    assert!(served.await.unwrap().1.is_err());
}

#[tokio::test]
async fn reading_stops_while_the_client_does_not_read() {
    const MESSAGES: usize = 8 * HIGH_WATER_BYTES / 1024;
    let bracket = Bracket::default();
    let (client, served) = client(bracket.clone(), "fixed:1024", 4096);
    let (mut reader, mut writer) = tokio::io::split(client);
    let sender = tokio::spawn(async move {
        for _ in 0..MESSAGES {
            writer.write_all(&[b'x'; 1024]).await.unwrap();
        }
        writer.shutdown().await.unwrap();
    });
    // On one thread, every task that can run has run after this many turns.
    for _ in 0..100_000 {
        tokio::task::yield_now().await;
    }
    let answered = bracket.answered.load(Ordering::Relaxed) * 1026;
    assert!(!sender.is_finished());
    assert!(answered >= HIGH_WATER_BYTES, "{answered}");
    assert!(
        answered <= HIGH_WATER_BYTES + READ_BYTES + 2 * 4096,
        "{answered}"
    );

    // Stopping lost nothing.
    let mut replies = Vec::new();
    reader.read_to_end(&mut replies).await.unwrap();
    assert_eq!(replies.len(), MESSAGES * 1026);
    served.await.unwrap().1.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_idle_timeout_fires_only_without_traffic() {
    let (mut client, served) = client(Bracket::default(), "lines", 64);
    let mut reply = [0; 3];
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_secs(59)).await;
        client.write_all(b"a\n").await.unwrap();
        client.read_exact(&mut reply).await.unwrap();
    }
    let (_, result) = served.await.unwrap();
    assert!(
        matches!(result, Err(ConnectionError::Idle(_))),
        "{result:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_waits_for_replies_is_not_idle() {
    let (mut client, _served) = client(Bracket::default(), "lines", 64);
    client.write_all(b"slow\nslow\nslow\n").await.unwrap();
    let mut replies = [0; 18];
    client.read_exact(&mut replies).await.unwrap();
    assert_eq!(&replies, b"[slow][slow][slow]");
}

#[tokio::test]
async fn traffic_is_counted() {
    let (mut client, served) = client(Bracket::default(), "lines", 64);
    client.write_all(b"one\ntwo\n").await.unwrap();
    client.shutdown().await.unwrap();
    client.read_to_end(&mut Vec::new()).await.unwrap();
    let traffic = Traffic {
        received_bytes: 8,
        sent_bytes: 10,
        messages: 2,
    };
    assert_eq!(served.await.unwrap().0, traffic);
}
