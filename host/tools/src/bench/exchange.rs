//! Messages and replies on one connection.

use super::Plan;
use super::alarm::Alarm;
use super::errors::{Fault, Trouble};
use super::lane::{Lane, Shared};
use super::late::{Answer, GivenUp};
use super::message::{Replies, Verdict};
use super::pace::Pace;
use super::record::Sent;
use super::window::Window;
use super::wire::Wire;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::io::ReadBuf;
use tokio::time::{Sleep, sleep};

/// How long an open loop may go on waiting for its next message after the run was ended.
const LOOK_AROUND: Duration = Duration::from_millis(100);

/// All that one connection's task keeps from message to message, and from one connection to the next.
/// Bytes are not among it: messages can be made again at any time.
pub struct Exchange {
    number: u32,
    plan: Arc<Plan>,
    lane: Lane,
    window: Arc<Window>,
    pace: Option<(Pace, Alarm)>,
    unanswered: VecDeque<Sent>,
    given_up: GivenUp,
    /// Runs out now and then, and then looks for messages that have waited too long. So no message has to
    /// set a timer.
    watch: Pin<Box<Sleep>>,
    /// The messages of this task before those of the current connection.
    first: u64,
    /// Messages of the current connection that are at least partly written.
    begun: u64,
    /// Bytes of them that the kernel has taken.
    written: u64,
    replies: Replies,
    over: bool,
}

impl Exchange {
    pub fn new(number: u32, plan: Arc<Plan>, lane: Lane, window: Arc<Window>) -> io::Result<Self> {
        let pace = match Pace::new(&plan, number, window.start()) {
            Some(pace) => Some((pace, Alarm::new()?)),
            None => None,
        };
        Ok(Exchange {
            number,
            unanswered: VecDeque::with_capacity(plan.pipeline),
            given_up: GivenUp::default(),
            watch: Box::pin(sleep(plan.timeout)),
            plan,
            lane,
            window,
            pace,
            first: 0,
            begun: 0,
            written: 0,
            replies: Replies::new(0),
            over: false,
        })
    }

    /// Whether the run has ended.
    pub fn is_over(&self) -> bool {
        self.over || self.window.is_over(Instant::now())
    }

    /// Sends messages and checks replies until the connection has had its share or the run is over. On
    /// trouble, the messages that were on their way are lost.
    pub async fn run(&mut self, mut wire: Wire) -> Result<(), Trouble> {
        self.first += self.begun;
        self.begun = 0;
        self.written = 0;
        self.replies = Replies::new(self.first);
        let result = poll_fn(|cx| self.poll(&mut wire, cx)).await;
        if let Err(trouble) = &result {
            let record = &mut self.lane.lock().record;
            record.explain(trouble);
            let now = Instant::now();
            for sent in self.unanswered.drain(..) {
                record.lost(&self.window, &sent, now, trouble.fault);
            }
        }
        result
    }

    /// Counts what was due and never sent.
    pub fn finish(self) {
        if let Some((pace, _)) = &self.pace {
            self.lane.lock().record.unsent += pace.unsent(&self.window);
        }
    }

    fn poll(&mut self, wire: &mut Wire, cx: &mut Context<'_>) -> Poll<Result<(), Trouble>> {
        loop {
            self.begin();
            // If the kernel takes no more, replies are read meanwhile.
            if let Poll::Ready(Err(error)) = self.poll_write(wire, cx) {
                return Poll::Ready(Err(error.into()));
            }
            if self.unanswered.is_empty() {
                if self.over || !self.has_share() {
                    return Poll::Ready(Ok(()));
                }
            } else if self.poll_read(wire, cx)?.is_ready() {
                continue;
            }
            if self.poll_watch(cx).is_ready() {
                if !wire.is_datagrams() {
                    return Poll::Ready(Err(Fault::TimedOut.into()));
                }
                self.give_up();
                continue;
            }
            ready!(self.poll_due(cx))?;
        }
    }

    /// Whether this connection may have another message.
    fn has_share(&self) -> bool {
        let share = self.plan.messages_per_connection;
        share.is_none_or(|share| self.begun < share)
    }

    fn has_room(&self) -> bool {
        !self.over && self.unanswered.len() < self.plan.pipeline && self.has_share()
    }

    /// Decides which messages are sent now. After the end these are the last: those of an open loop that were
    /// due before it.
    fn begin(&mut self) {
        if !self.has_room() {
            return;
        }
        let now = Instant::now();
        let is_over = self.window.is_over(now);
        while self.has_room() {
            let due = match &mut self.pace {
                None if is_over => break,
                None => now,
                Some((pace, _)) => {
                    let due = pace.due();
                    if due > now || self.window.is_over(due) {
                        break;
                    }
                    pace.advance();
                    due
                }
            };
            self.unanswered.push_back(Sent {
                sequence: self.first + self.begun,
                due,
                at: now,
            });
            self.begun += 1;
        }
        self.over = is_over;
    }

    fn poll_write(&mut self, wire: &mut Wire, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let message_bytes = self.plan.message_bytes as u64;
        while self.written < self.begun * message_bytes {
            let whole = self.written / message_bytes;
            let mut lane = self.lane.lock();
            let made = lane
                .messages
                .make(self.number, self.first + whole, self.begun - whole);
            let left = &made[(self.written % message_bytes) as usize..];
            let written = ready!(wire.poll_write(cx, left, self.plan.message_bytes))?;
            self.written += written as u64;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_read(&mut self, wire: &mut Wire, cx: &mut Context<'_>) -> Poll<Result<(), Trouble>> {
        let Shared {
            messages,
            received,
            record,
        } = &mut *self.lane.lock();
        let mut received = ReadBuf::new(received);
        ready!(wire.poll_read(cx, &mut received))?;
        let now = Instant::now();
        let mut received = received.filled();
        if wire.is_datagrams() {
            let waiting = &mut self.unanswered;
            match self.given_up.tell(messages, self.number, waiting, received) {
                Answer::To(place) => {
                    let sent = waiting.remove(place);
                    sent.inspect(|sent| record.reply(&self.window, sent, now));
                }
                Answer::Wrong => {
                    let sent = waiting.pop_front();
                    sent.inspect(|sent| record.lost(&self.window, sent, now, Fault::Corrupt));
                }
                Answer::Late => {}
            }
            return Poll::Ready(Ok(()));
        }
        if received.is_empty() {
            return Poll::Ready(Err(Fault::ClosedEarly.into()));
        }
        while let Some(sent) = self.unanswered.front().filter(|_| !received.is_empty()) {
            let (seen, verdict) = self.replies.check(messages, self.number, received);
            received = &received[seen..];
            match verdict {
                Some(Verdict::Correct) => record.reply(&self.window, sent, now),
                Some(Verdict::Corrupt) => record.lost(&self.window, sent, now, Fault::Corrupt),
                None => continue,
            }
            self.unanswered.pop_front();
        }
        if !received.is_empty() {
            self.replies.distrust();
        }
        Poll::Ready(Ok(()))
    }

    /// Gives up what has waited too long: a datagram, or its echo, was lost, and those behind it need not be.
    fn give_up(&mut self) {
        let now = Instant::now();
        let record = &mut self.lane.lock().record;
        let is_late = |sent: &mut Sent| sent.at + self.plan.timeout <= now;
        while let Some(sent) = self.unanswered.pop_front_if(is_late) {
            record.lost(&self.window, &sent, now, Fault::Lost);
            self.given_up.add(&sent);
        }
    }

    /// Ready when the oldest message has waited too long.
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

    /// Ready when it is time for the next message of an open loop, or to see whether the run is over.
    fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let has_room = self.has_room();
        match &mut self.pace {
            Some((pace, alarm)) if has_room => {
                alarm.poll(cx, pace.due().min(Instant::now() + LOOK_AROUND))
            }
            _ => Poll::Pending,
        }
    }
}
