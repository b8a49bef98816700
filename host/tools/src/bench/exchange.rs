//! Messages and replies on one connection.

use super::Plan;
use super::alarm::Alarm;
use super::errors::Fault;
use super::message::Replies;
use super::record::{Lane, Sent, Shared};
use super::schedule::Schedule;
use super::transport::Transport;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::io::ReadBuf;
use tokio::time::{Sleep, sleep};

/// How long an open loop may wait for its next message after the end of the run.
const LOOK_AROUND: Duration = Duration::from_millis(100);

/// How many messages that were given up are remembered.
const REMEMBERED: usize = 1000;

/// The state of a connection's task, across messages and connections. It holds no bytes: messages
/// can be generated again at any time.
pub struct Exchange {
    number: u32,
    plan: Arc<Plan>,
    lane: Lane,
    schedule: Arc<Schedule>,
    /// For an open loop.
    alarm: Option<Alarm>,
    /// The number of the next message of an open loop among those of all connections, which take
    /// turns.
    next: u64,
    unanswered: VecDeque<Sent>,
    /// Datagrams that timed out. Their replies may still come.
    given_up: VecDeque<u64>,
    /// Fires now and then to check for timed-out messages, so that no message needs a timer.
    watch: Pin<Box<Sleep>>,
    /// The messages of this task before the current connection.
    first: u64,
    /// Messages of the current connection that are at least partly written.
    begun: u64,
    /// Bytes of them that the kernel has accepted.
    written: u64,
    replies: Replies,
    over: bool,
}

impl Exchange {
    pub fn new(
        number: u32,
        plan: &Arc<Plan>,
        lane: &Lane,
        schedule: &Arc<Schedule>,
    ) -> io::Result<Self> {
        Ok(Exchange {
            number,
            alarm: plan.rate_per_s.map(|_| Alarm::new()).transpose()?,
            next: number.into(),
            unanswered: VecDeque::with_capacity(plan.pipeline),
            given_up: VecDeque::new(),
            watch: Box::pin(sleep(plan.timeout)),
            plan: plan.clone(),
            lane: lane.clone(),
            schedule: schedule.clone(),
            first: 0,
            begun: 0,
            written: 0,
            replies: Replies::new(0),
            over: false,
        })
    }

    /// Whether the run has ended.
    pub fn is_over(&self) -> bool {
        self.over || self.schedule.is_over(Instant::now())
    }

    /// Sends messages and checks replies until the connection has its share or the run is over. On
    /// an error, messages in flight are lost.
    pub async fn run(&mut self, mut transport: Transport) -> io::Result<()> {
        self.first += self.begun;
        self.begun = 0;
        self.written = 0;
        self.replies = Replies::new(self.first);
        let result = poll_fn(|cx| self.poll(&mut transport, cx)).await;
        if let Err(error) = &result {
            let record = &mut self.lane.lock().record;
            let fault = Fault::of_exchange(error);
            record.explain(fault, error);
            let now = Instant::now();
            for sent in self.unanswered.drain(..) {
                record.lost(&self.schedule, sent.due, now, fault);
            }
        }
        result
    }

    /// Counts messages that were due but not sent.
    pub fn finish(self) {
        let unsent = self.schedule.unsent(self.next, self.plan.connections);
        self.lane.lock().record.unsent += unsent;
    }

    fn poll(&mut self, transport: &mut Transport, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            self.begin();
            // If the kernel accepts no more, read replies meanwhile.
            if let Poll::Ready(Err(error)) = self.poll_write(transport, cx) {
                return Poll::Ready(Err(error));
            }
            if self.unanswered.is_empty() {
                if self.over || !self.has_share() {
                    return Poll::Ready(Ok(()));
                }
            } else if self.poll_read(transport, cx)?.is_ready() {
                continue;
            }
            if self.poll_watch(cx).is_ready() {
                if !transport.is_datagrams() {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
                self.give_up();
                continue;
            }
            ready!(self.poll_due(cx))?;
        }
    }

    /// Whether this connection may send another message.
    fn has_share(&self) -> bool {
        let share = self.plan.messages_per_connection;
        share.is_none_or(|share| self.begun < share)
    }

    fn has_room(&self) -> bool {
        !self.over && self.unanswered.len() < self.plan.pipeline && self.has_share()
    }

    /// Decides which messages to send now. After the end, only those of an open loop that were due
    /// before it.
    fn begin(&mut self) {
        if !self.has_room() {
            return;
        }
        let now = Instant::now();
        let is_over = self.schedule.is_over(now);
        while self.has_room() {
            let due = self.schedule.due(self.next).unwrap_or(now);
            if due > now || self.schedule.is_over(due) {
                break;
            }
            self.next += u64::from(self.plan.connections);
            self.unanswered.push_back(Sent {
                sequence: self.first + self.begun,
                due,
                at: now,
            });
            self.begun += 1;
        }
        self.over = is_over;
    }

    fn poll_write(
        &mut self,
        transport: &mut Transport,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let message_bytes = self.plan.message_bytes as u64;
        while self.written < self.begun * message_bytes {
            let whole = self.written / message_bytes;
            let mut lane = self.lane.lock();
            let made = lane
                .messages
                .make(self.number, self.first + whole, self.begun - whole);
            let left = &made[(self.written % message_bytes) as usize..];
            let written = ready!(transport.poll_write(cx, left, self.plan.message_bytes))?;
            self.written += written as u64;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_read(
        &mut self,
        transport: &mut Transport,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let Shared {
            messages,
            received,
            record,
        } = &mut *self.lane.lock();
        let mut received = ReadBuf::new(received);
        ready!(transport.poll_read(cx, &mut received))?;
        let now = Instant::now();
        let mut received = received.filled();
        if transport.is_datagrams() {
            let mut is_echo = |sequence| messages.make(self.number, sequence, 1) == received;
            let waiting = &mut self.unanswered;
            // In any order, but almost always the first.
            if let Some(place) = waiting.iter().position(|sent| is_echo(sent.sequence)) {
                let sent = waiting.remove(place);
                sent.inspect(|sent| record.reply(&self.schedule, sent, now));
            } else if !self.given_up.iter().any(|sequence| is_echo(*sequence)) {
                let sent = waiting.pop_front();
                sent.inspect(|sent| record.lost(&self.schedule, sent.due, now, Fault::Corrupt));
            }
            return Poll::Ready(Ok(()));
        }
        if received.is_empty() {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        while let Some(sent) = self.unanswered.front().filter(|_| !received.is_empty()) {
            let (seen, is_correct) = self.replies.check(messages, self.number, received);
            received = &received[seen..];
            match is_correct {
                Some(true) => record.reply(&self.schedule, sent, now),
                Some(false) => record.lost(&self.schedule, sent.due, now, Fault::Corrupt),
                None => continue,
            }
            self.unanswered.pop_front();
        }
        if !received.is_empty() {
            self.replies.distrust();
        }
        Poll::Ready(Ok(()))
    }

    /// Gives up a timed-out message: the datagram or its echo was lost, but later ones need not be.
    fn give_up(&mut self) {
        let now = Instant::now();
        let record = &mut self.lane.lock().record;
        let is_late = |sent: &mut Sent| sent.at + self.plan.timeout <= now;
        while let Some(sent) = self.unanswered.pop_front_if(is_late) {
            record.lost(&self.schedule, sent.due, now, Fault::Lost);
            if self.given_up.len() == REMEMBERED {
                self.given_up.pop_front();
            }
            self.given_up.push_back(sent.sequence);
        }
    }

    /// Ready when the oldest message has timed out.
    fn poll_watch(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.watch.as_mut().poll(cx));
            let now = Instant::now();
            let oldest = self.unanswered.front().map(|sent| sent.at);
            let limit = oldest.unwrap_or(now) + self.plan.timeout;
            if limit <= now {
                return Poll::Ready(());
            }
            self.watch.as_mut().reset(limit.into());
        }
    }

    /// Ready when the next message of an open loop is due, or to check whether the run is over.
    fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let has_room = self.has_room();
        match (&mut self.alarm, self.schedule.due(self.next)) {
            (Some(alarm), Some(due)) if has_room => {
                alarm.poll(cx, due.min(Instant::now() + LOOK_AROUND))
            }
            _ => Poll::Pending,
        }
    }
}
