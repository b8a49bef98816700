//! A precise timer for open loops.
//!
//! Tokio's timers are late by up to a millisecond, many times the latency on loopback, and in an
//! open loop that would count as the server's. Linux's timerfd is late by microseconds.

pub use system::Alarm;

#[cfg(target_os = "linux")]
mod system {
    use rustix::fd::OwnedFd;
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use std::io;
    use std::task::{Context, Poll, ready};
    use std::time::Instant;
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    /// Wakes its task at a moment.
    pub struct Alarm {
        timer: AsyncFd<OwnedFd>,
        set_to: Option<Instant>,
    }

    impl Alarm {
        pub fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            #[expect(
                deprecated,
                reason = "what replaces it is unsafe, and an OwnedFd keeps all that one asks for: it stays \
                          open and stays the same"
            )]
            let timer = AsyncFd::with_interest(timer, Interest::READABLE)?;
            let set_to = None;
            Ok(Alarm { timer, set_to })
        }

        /// Ready at `moment`.
        pub fn poll(&mut self, cx: &mut Context<'_>, moment: Instant) -> Poll<io::Result<()>> {
            if self.set_to != Some(moment) {
                let left = moment.saturating_duration_since(Instant::now());
                let value = Itimerspec {
                    it_interval: Timespec::default(),
                    it_value: Timespec {
                        tv_sec: left.as_secs() as i64,
                        // A timer that is set to zero never fires.
                        tv_nsec: i64::from(left.subsec_nanos().max(1)),
                    },
                };
                timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &value)?;
                self.set_to = Some(moment);
            }
            // It may have fired for an earlier moment.
            while Instant::now() < moment {
                // Not read: setting it again resets its counter.
                ready!(self.timer.poll_read_ready(cx))?.clear_ready();
            }
            self.set_to = None;
            Poll::Ready(Ok(()))
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use std::time::{Duration, Instant};
    use tokio::time::{Sleep, sleep};

    /// Wakes its task at a moment, or up to a millisecond later.
    pub struct Alarm(Pin<Box<Sleep>>);

    impl Alarm {
        pub fn new() -> io::Result<Self> {
            Ok(Alarm(Box::pin(sleep(Duration::ZERO))))
        }

        /// Ready at `moment`.
        pub fn poll(&mut self, cx: &mut Context<'_>, moment: Instant) -> Poll<io::Result<()>> {
            if self.0.deadline() != moment.into() {
                self.0.as_mut().reset(moment.into());
            }
            self.0.as_mut().poll(cx).map(Ok)
        }
    }
}
