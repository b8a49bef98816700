//! A running call: takes turns if its handler is busy, and is limited by the clock.

use crate::scheduling::turns::{Computing, Share};
use connection::handler::CallError;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::time::{Sleep, sleep};

/// How a call runs. Epochs do not pass while a guest waits in the host, so the clock limits it too.
pub struct Running<'a> {
    share: &'a Share,
    computing: Computing<'a>,
    limit: Option<Duration>,
    /// Most calls finish on the first poll and need no timer.
    timer: Option<Pin<Box<Sleep>>>,
    /// When it began, if its time is recorded.
    begun: Option<Instant>,
}

impl<'a> Running<'a> {
    /// A call of a handler with this share of turns, within `limit`. It may have a message.
    #[inline]
    pub fn new(share: &'a Share, limit: Duration, message_bytes: Option<usize>) -> Self {
        Running {
            share,
            computing: share.begin(),
            limit: Some(limit),
            timer: None,
            begun: share.sample(message_bytes),
        }
    }

    /// The same without a limit, and without recording its time.
    pub fn for_any_time(self) -> Self {
        Running {
            limit: None,
            begun: None,
            ..self
        }
    }

    /// Polls the call until it has ended.
    #[inline]
    pub fn poll<F: Future>(self, call: Pin<&mut F>) -> Polled<'a, '_, F> {
        Polled {
            running: self,
            call,
        }
    }
}

/// A call that is being polled where it lies.
pub struct Polled<'a, 'f, F> {
    running: Running<'a>,
    call: Pin<&'f mut F>,
}

impl<F: Future> Future for Polled<'_, '_, F> {
    type Output = Result<F::Output, CallError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Polled { running, call } = &mut *self;
        if let Poll::Ready(called) = running.computing.poll(call.as_mut(), cx) {
            running.record();
            return Poll::Ready(Ok(called));
        }
        let Some(limit) = running.limit else {
            return Poll::Pending;
        };
        let timer = running.timer.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(timer.as_mut().poll(cx));
        running.record();
        Poll::Ready(Err(CallError::Timeout(limit)))
    }
}

impl Running<'_> {
    #[inline]
    fn record(&mut self) {
        if let Some(begun) = self.begun.take() {
            self.share.meter.record(begun);
        }
    }
}
