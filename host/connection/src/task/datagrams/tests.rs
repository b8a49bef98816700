use super::super::tests::{settings, sweep};
use super::*;
use crate::handle::{Notice, Peer, Transport};
use crate::handler::CallError;
use parking_lot::Mutex;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

/// Echoes each message, takes a minute for `slow` and traps on `trap`.
struct Parrot;

impl Session for Parrot {
    async fn tell(&mut self, event: Event) -> Result<Option<Bytes>, SessionError> {
        Ok(match event {
            Event::Message(message) if message == "trap" => {
                return Err(CallError::Trap("as asked".into()).into());
            }
            Event::Message(message) => {
                if message == "slow" {
                    sleep(Duration::from_secs(60)).await;
                }
                Some(message)
            }
            Event::Shutdown => Some("goodbye".into()),
            _ => None,
        })
    }

    async fn save(&mut self) -> Result<Option<Bytes>, SessionError> {
        Ok(None)
    }

    async fn end(self) {}
}

/// A reply sender for tests. It can be blocked, cannot send `lost`, and refuses what is
/// forbidden.
#[derive(Clone, Default)]
struct Lane(Arc<(Mutex<State>, Notify)>);

#[derive(Default)]
struct State {
    blocked: bool,
    batches: Vec<Vec<Bytes>>,
}

impl ReplySink for Lane {
    fn received(&mut self, _: usize, _: usize) {}

    fn admits(&mut self, bytes: usize) -> bool {
        bytes != "forbidden".len()
    }

    fn send(&self, datagrams: &[Bytes]) -> io::Result<usize> {
        let mut state = self.0.0.lock();
        if state.blocked {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let good: Vec<_> = datagrams.iter().take_while(|it| *it != "lost").collect();
        if good.is_empty() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        state.batches.push(good.iter().copied().cloned().collect());
        Ok(good.len())
    }

    async fn writable(&self) {
        self.0.1.notified().await;
    }
}

impl Lane {
    fn sent(&self) -> Vec<Bytes> {
        self.0.0.lock().batches.concat()
    }
}

struct Talk {
    inbox: Arc<Inbox>,
    handle: Arc<ConnectionHandle>,
    lane: Lane,
    served: JoinHandle<Result<CloseReason, ConnectionError>>,
}

/// A session whose sender sent these datagrams at once.
fn talk(lane: Lane, converses: bool, datagrams: &[&str]) -> Talk {
    let peer = Peer {
        transport: Transport::Udp,
        ..Peer::unconnected()
    };
    let handle = Arc::new(ConnectionHandle::new(
        1,
        peer,
        usize::MAX,
        tracing::Span::none(),
    ));
    sweep(&handle);
    let inbox = Arc::<Inbox>::default();
    for datagram in datagrams {
        inbox.put(datagram.as_bytes()).unwrap();
    }
    let (taken, to, way) = (inbox.clone(), handle.clone(), lane.clone());
    let served = tokio::spawn(async move {
        let settings = settings("chunks", converses);
        serve_datagrams(&taken, way, Parrot, to, &settings).await
    });
    Talk {
        inbox,
        handle,
        lane,
        served,
    }
}

#[tokio::test(start_paused = true)]
async fn replies_leave_together_and_before_a_slow_one() {
    let talk = talk(Lane::default(), false, &["one", "two", "slow", "three"]);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(talk.lane.0.0.lock().batches, [["one", "two"]]);
    talk.inbox.close();
    assert!(matches!(
        talk.served.await.unwrap(),
        Ok(CloseReason::Finished)
    ));
    assert_eq!(talk.lane.sent(), ["one", "two", "slow", "three"]);
    assert_eq!(talk.handle.traffic().messages, 4);
}

#[tokio::test(start_paused = true)]
async fn a_blocked_socket_is_waited_for() {
    let lane = Lane::default();
    lane.0.0.lock().blocked = true;
    let talk = talk(lane, false, &["one", "two"]);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(talk.handle.unsent_bytes(), 6);
    talk.lane.0.0.lock().blocked = false;
    talk.lane.0.1.notify_one();
    sleep(Duration::from_secs(1)).await;
    assert_eq!(talk.lane.sent(), ["one", "two"]);
    assert_eq!(talk.handle.unsent_bytes(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_unsendable_datagram_blocks_nothing() {
    let datagrams = ["lost", "one", "forbidden", "lost", "", "two"];
    let talk = talk(Lane::default(), false, &datagrams);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(talk.lane.sent(), ["one", "", "two"]);
    assert_eq!(talk.handle.unsent_bytes(), 0);
    assert_eq!(talk.handle.traffic().sent_bytes, 6);
}

#[tokio::test(start_paused = true)]
async fn replies_before_a_trap_are_sent() {
    for converses in [false, true] {
        let talk = talk(Lane::default(), converses, &["one", "trap", "two"]);
        assert!(talk.served.await.unwrap().is_err());
        assert_eq!(talk.lane.sent(), ["one"]);
        assert!(talk.inbox.put(b"late").is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_follows_pending_messages_and_only_conversations_get_it() {
    for (converses, expected) in [(false, &["one"][..]), (true, &["one", "goodbye"])] {
        let by_notice = talk(Lane::default(), converses, &["one"]);
        by_notice.handle.notify(Notice::Stop);
        assert!(by_notice.served.await.unwrap().is_ok());
        assert_eq!(by_notice.lane.sent(), expected);
        assert!(by_notice.inbox.put(b"late").is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_sender_keeps_its_session() {
    let talk = talk(Lane::default(), true, &["one"]);
    let begun = Instant::now();
    for _ in 0..5 {
        sleep(Duration::from_secs(29)).await;
        talk.handle.send("pushed");
        if begun.elapsed() < Duration::from_secs(60) {
            talk.inbox.put(b"still here").unwrap().unwrap().wake();
        }
    }
    assert!(matches!(
        talk.served.await.unwrap(),
        Ok(CloseReason::Finished)
    ));
    let pushed = talk.lane.sent().iter().filter(|it| *it == "pushed").count();
    assert_eq!(
        pushed, 4,
        "the sender was silent from 58 s on: it ended at 118 s"
    );
}
