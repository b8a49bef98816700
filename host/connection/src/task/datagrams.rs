//! The session of one sender of datagrams: takes datagrams, cuts messages, tells the session, sends what it
//! sends. The same as with a stream, in one task as well, but for what datagrams lack: they have no end, and
//! whoever sends too fast or breaks the framing loses datagrams and not the connection, as any of them may be
//! forged.

use super::idle::IdleTimer;
use super::inbox::{Datagrams, Inbox};
use super::timers::Timers;
use super::{ConnectionError, Ending, Terms};
use crate::framing::{DatagramDecoder, FramingError};
use crate::handler::{Event, Session, SessionError};
use crate::limits::{DATAGRAM_BATCH, HIGH_WATER_BYTES, Limit, MAX_TIMERS};
use crate::outbox::{CloseMode, Lost, Notice, Outbox};
use bytes::Bytes;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::task::coop::consume_budget;

/// The way back to a sender.
pub trait Return: Send + Sync {
    /// So many datagrams have come from it, of so many bytes together.
    fn received(&mut self, datagrams: usize, bytes: usize);

    /// Whether a datagram of so many bytes may be sent to it. If not, the reason has been said.
    fn admits(&mut self, bytes: usize) -> bool;

    /// Sends datagrams without waiting, and returns how many. Fails if the first can't be sent: with
    /// `WouldBlock` for now, otherwise never.
    fn send(&self, datagrams: &[Bytes]) -> io::Result<usize>;

    /// Completes when there may be room to send.
    fn writable(&self) -> impl Future<Output = ()> + Send;
}

/// Serves one sender until its session closes, it has sent nothing for as long as the idle timeout, or `inbox` is
/// closed and empty. The session has ended then, and the inbox is closed.
pub async fn serve_datagrams<R: Return, S: Session>(
    inbox: &Inbox,
    way: R,
    mut session: S,
    outbox: Arc<Outbox>,
    terms: &Terms,
) -> Result<Ending, ConnectionError> {
    let mut connection = Connection {
        inbox,
        way,
        outbox,
        decoder: DatagramDecoder::new(terms.framing.clone(), terms.limits.max_message_bytes),
        input: Datagrams::default(),
        finished: false,
        output: VecDeque::new(),
        congested: false,
        converses: terms.converses,
        close: None,
        timers: Timers::default(),
        due: None,
        moving: false,
        idle: terms.limits.idle_timeout.map(IdleTimer::new),
    };
    let result = connection.run(&mut session).await;
    // What comes from now on begins another session.
    inbox.close();
    tokio::join!(connection.say_goodbye(&result), session.end());
    result
}

struct Connection<'a, R> {
    inbox: &'a Inbox,
    way: R,
    outbox: Arc<Outbox>,
    decoder: DatagramDecoder,
    input: Datagrams,
    /// Whether nothing more will come in.
    finished: bool,
    output: VecDeque<Bytes>,
    /// Whether the output rose above the high-water mark and the session was not told yet that it
    /// has fallen again.
    congested: bool,
    converses: bool,
    close: Option<CloseMode>,
    timers: Timers,
    /// The timer that has run out.
    due: Option<u32>,
    /// Whether the session was not told yet that another generation is the current one.
    moving: bool,
    idle: Option<IdleTimer>,
}

impl<R: Return> Connection<'_, R> {
    async fn run(&mut self, session: &mut impl Session) -> Result<Ending, ConnectionError> {
        // What the sender may be sent in greeting depends on it.
        self.take_in();
        self.tell(session, Event::Open(None)).await?;
        loop {
            self.collect()?;
            match self.close {
                Some(CloseMode::Graceful) => return Ok(Ending::Finished),
                Some(CloseMode::Reset) => return Ok(Ending::Reset),
                None => {}
            }
            if self.output.len() >= DATAGRAM_BATCH {
                self.flush().await;
            } else if let Some(event) = self.next_event() {
                // There may be hundreds of datagrams: others get their turn in between.
                consume_budget().await;
                self.tell(session, event).await?;
            } else if !self.output.is_empty() {
                self.flush().await;
            } else if !self.finished {
                poll_fn(|cx| self.poll_happened(cx)).await;
            } else {
                if self.converses {
                    self.tell(session, Event::Shutdown).await?;
                    self.collect()?;
                }
                self.close.get_or_insert(CloseMode::Graceful);
            }
        }
    }

    /// What the session is to be told next, if anything has happened.
    fn next_event(&mut self) -> Option<Event> {
        if std::mem::take(&mut self.moving) {
            return Some(Event::Move);
        }
        if self.congested && self.outbox.unsent_bytes() <= HIGH_WATER_BYTES / 2 {
            self.congested = false;
            return Some(Event::Writable);
        }
        if let Some(id) = self.due.take() {
            return Some(Event::Timer(id));
        }
        let message = self.next_message()?;
        self.outbox.note_message();
        Some(Event::Message(message))
    }

    fn next_message(&mut self) -> Option<Bytes> {
        loop {
            match self.decoder.next_message() {
                Ok(Some(message)) => return Some(message),
                Ok(None) => {}
                Err(error) => {
                    if let FramingError::TooLong { .. } = error {
                        Limit::MaxMessage.reached();
                    }
                    let _entered = self.outbox.span().enter();
                    tracing::debug!("dropped what is left of a datagram: {error}");
                }
            }
            if self.input.is_empty() {
                self.take_in();
            }
            let datagram = self.input.pop()?;
            self.decoder.begin(datagram);
        }
    }

    /// Takes all that has come.
    fn take_in(&mut self) {
        self.finished = !self.inbox.take(&mut self.input);
        if self.input.is_empty() {
            return;
        }
        self.outbox.note_received(self.input.bytes());
        self.way.received(self.input.len(), self.input.bytes());
        if let Some(idle) = &mut self.idle {
            idle.touch();
        }
    }

    /// Tells the session, and sends what there is to send whenever that makes us wait.
    async fn tell(&mut self, session: &mut impl Session, event: Event) -> Result<(), SessionError> {
        let mut call = pin!(session.tell(event));
        poll_fn(|cx| {
            let told = call.as_mut().poll(cx);
            if told.is_pending() {
                self.send();
            }
            told
        })
        .await
    }

    /// Does what sessions ordered.
    fn collect(&mut self) -> Result<(), ConnectionError> {
        let mut lost = None;
        self.outbox.collect(|orders| {
            for datagram in orders.datagrams.drain(..) {
                match self.way.admits(datagram.len()) {
                    true => self.output.push_back(datagram),
                    false => self.outbox.discarded(datagram.len()),
                }
            }
            if let Some(framing) = orders.framing.take() {
                self.decoder.set_framing(framing);
            }
            lost = orders.lost.clone();
            for change in orders.timers.drain(..) {
                if !self.timers.change(change) {
                    lost = Some(Lost::TooManyTimers { limit: MAX_TIMERS });
                }
            }
            match orders.notice.take() {
                Some(Notice::Move) => self.moving = true,
                // What has come by now is dealt with first; its sender's next datagram begins a new session.
                Some(Notice::Stop) => self.inbox.close(),
                None => {}
            }
            self.close = self.close.or(orders.close);
        });
        self.congested |= self.converses && self.outbox.unsent_bytes() > HIGH_WATER_BYTES;
        lost.map_or(Ok(()), |lost| Err(ConnectionError::Lost(lost)))
    }

    /// Waits until something happens: datagrams or orders come, a timer runs out, the sender is silent for too
    /// long.
    fn poll_happened(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let filled = self.inbox.poll_filled(cx).is_ready();
        let ordered = self.outbox.poll_ordered(cx).is_ready();
        if let Poll::Ready(id) = self.timers.poll_due(cx) {
            self.due = Some(id);
        }
        if filled || ordered || self.due.is_some() {
            return Poll::Ready(());
        }
        let Some(idle) = &mut self.idle else {
            return Poll::Pending;
        };
        ready!(idle.poll_expired(cx));
        // A datagram that comes at this very moment is not lost.
        if self.inbox.close_if_empty() {
            self.close = Some(CloseMode::Graceful);
        }
        Poll::Ready(())
    }

    /// Sends all there is, waiting for room where there is none.
    async fn flush(&mut self) {
        loop {
            self.send();
            if self.output.is_empty() {
                return;
            }
            self.way.writable().await;
        }
    }

    /// Sends what can be sent without waiting.
    fn send(&mut self) {
        while !self.output.is_empty() {
            let datagrams = self.output.make_contiguous();
            let (gone, sent) = match self.way.send(datagrams) {
                Ok(sent) => (sent, true),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => {
                    let _entered = self.outbox.span().enter();
                    tracing::debug!("a datagram could not be sent: {error}");
                    (1, false)
                }
            };
            let bytes = self
                .output
                .drain(..gone)
                .map(|datagram| datagram.len())
                .sum();
            match sent {
                true => self.outbox.written(bytes),
                false => self.outbox.discarded(bytes),
            }
        }
    }

    /// Gives the sender what it is still owed, depending on how its session ended.
    async fn say_goodbye(&mut self, result: &Result<Ending, ConnectionError>) {
        match result {
            Err(ConnectionError::Session(SessionError::Internal(_) | SessionError::Call(_)))
                if self.converses =>
            {
                self.send();
            }
            Ok(Ending::Finished) | Err(ConnectionError::Session(_)) => self.flush().await,
            Ok(Ending::Reset) | Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::terms;
    use super::*;
    use crate::handler::CallError;
    use crate::outbox::{Peer, Transport};
    use std::sync::Mutex;
    use std::time::Duration;
    use tokio::sync::Notify;
    use tokio::task::JoinHandle;
    use tokio::time::{Instant, sleep};

    /// Sends back what it is told, takes a minute over `slow` and traps at `trap`.
    struct Parrot(Arc<Outbox>);

    impl Session for Parrot {
        async fn tell(&mut self, event: Event) -> Result<(), SessionError> {
            match event {
                Event::Message(message) if message == "trap" => {
                    return Err(CallError::Trap("as asked".into()).into());
                }
                Event::Message(message) => {
                    if message == "slow" {
                        sleep(Duration::from_secs(60)).await;
                    }
                    self.0.send(message);
                }
                Event::Shutdown => self.0.send("goodbye"),
                _ => {}
            }
            Ok(())
        }

        async fn save(&mut self) -> Result<Option<Bytes>, SessionError> {
            Ok(None)
        }

        async fn end(self) {}
    }

    /// A way that can be blocked, on which `lost` can't be sent, and nothing that is forbidden.
    #[derive(Clone, Default)]
    struct Lane(Arc<(Mutex<State>, Notify)>);

    #[derive(Default)]
    struct State {
        blocked: bool,
        batches: Vec<Vec<Bytes>>,
    }

    impl Return for Lane {
        fn received(&mut self, _: usize, _: usize) {}

        fn admits(&mut self, bytes: usize) -> bool {
            bytes != "forbidden".len()
        }

        fn send(&self, datagrams: &[Bytes]) -> io::Result<usize> {
            let mut state = self.0.0.lock().unwrap();
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
            self.0.0.lock().unwrap().batches.concat()
        }
    }

    struct Talk {
        inbox: Arc<Inbox>,
        outbox: Arc<Outbox>,
        lane: Lane,
        served: JoinHandle<Result<Ending, ConnectionError>>,
    }

    /// A session whose sender has sent these datagrams at once.
    fn talk(lane: Lane, converses: bool, datagrams: &[&str]) -> Talk {
        let peer = Peer {
            transport: Transport::Udp,
            ..Peer::unconnected()
        };
        let outbox = Arc::new(Outbox::new(1, peer, usize::MAX, tracing::Span::none()));
        let inbox = Arc::<Inbox>::default();
        for datagram in datagrams {
            inbox.put(datagram.as_bytes()).unwrap();
        }
        let (taken, to, way) = (inbox.clone(), outbox.clone(), lane.clone());
        let served = tokio::spawn(async move {
            let terms = terms("chunks", converses);
            serve_datagrams(&taken, way, Parrot(to.clone()), to, &terms).await
        });
        Talk {
            inbox,
            outbox,
            lane,
            served,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn replies_leave_together_and_before_a_slow_one() {
        let talk = talk(Lane::default(), false, &["one", "two", "slow", "three"]);
        sleep(Duration::from_secs(1)).await;
        assert_eq!(talk.lane.0.0.lock().unwrap().batches, [["one", "two"]]);
        talk.inbox.close();
        assert!(matches!(talk.served.await.unwrap(), Ok(Ending::Finished)));
        assert_eq!(talk.lane.sent(), ["one", "two", "slow", "three"]);
        assert_eq!(talk.outbox.traffic().messages, 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_blocked_way_is_waited_for() {
        let lane = Lane::default();
        lane.0.0.lock().unwrap().blocked = true;
        let talk = talk(lane, false, &["one", "two"]);
        sleep(Duration::from_secs(1)).await;
        assert_eq!(talk.outbox.unsent_bytes(), 6);
        talk.lane.0.0.lock().unwrap().blocked = false;
        talk.lane.0.1.notify_one();
        sleep(Duration::from_secs(1)).await;
        assert_eq!(talk.lane.sent(), ["one", "two"]);
        assert_eq!(talk.outbox.unsent_bytes(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_sent_holds_nothing_up() {
        let datagrams = ["lost", "one", "forbidden", "lost", "", "two"];
        let talk = talk(Lane::default(), false, &datagrams);
        sleep(Duration::from_secs(1)).await;
        assert_eq!(talk.lane.sent(), ["one", "", "two"]);
        assert_eq!(talk.outbox.unsent_bytes(), 0);
        assert_eq!(talk.outbox.traffic().sent_bytes, 6);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_answered_before_a_trap_leaves() {
        for converses in [false, true] {
            let talk = talk(Lane::default(), converses, &["one", "trap", "two"]);
            assert!(talk.served.await.unwrap().is_err());
            assert_eq!(talk.lane.sent(), ["one"]);
            assert!(talk.inbox.put(b"late").is_err());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_comes_behind_what_was_asked_and_only_conversations_hear_of_it() {
        for (converses, expected) in [(false, &["one"][..]), (true, &["one", "goodbye"])] {
            let by_notice = talk(Lane::default(), converses, &["one"]);
            by_notice.outbox.notify(Notice::Stop);
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
            talk.outbox.send("pushed");
            if begun.elapsed() < Duration::from_secs(60) {
                talk.inbox.put(b"still here").unwrap().unwrap().wake();
            }
        }
        assert!(matches!(talk.served.await.unwrap(), Ok(Ending::Finished)));
        let pushed = talk.lane.sent().iter().filter(|it| *it == "pushed").count();
        assert_eq!(
            pushed, 4,
            "the sender was silent from 58 s on: it ended at 118 s"
        );
    }
}
