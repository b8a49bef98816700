//! A timer that is fine enough for an open loop.
//!
//! The runtime's own timers are late by up to a millisecond, which is many times what a reply takes on
//! loopback, and in an open loop it would count as the server's. Linux's timerfd is late by microseconds.

use std::io;
use std::task::{Context, Poll};
use std::time::Instant;

pub use system::Alarm;

#[cfg(target_os = "linux")]
mod system {
    use super::*;
    use rustix::fd::OwnedFd;
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use std::task::ready;
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
            Ok(Alarm {
                timer,
                set_to: None,
            })
        }

        /// Ready at `moment`.
        pub fn poll(&mut self, cx: &mut Context<'_>, moment: Instant) -> Poll<io::Result<()>> {
            if self.set_to != Some(moment) {
                timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &from_now(moment))?;
                self.set_to = Some(moment);
            }
            loop {
                // Not read: setting it anew takes back what it counted.
                ready!(self.timer.poll_read_ready(cx))?.clear_ready();
                // It may have gone off for the moment before, when nobody asked any more.
                if Instant::now() >= moment {
                    self.set_to = None;
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }

    fn from_now(moment: Instant) -> Itimerspec {
        let left = moment.saturating_duration_since(Instant::now());
        Itimerspec {
            it_interval: Timespec::default(),
            it_value: Timespec {
                tv_sec: left.as_secs() as i64,
                // A timer that is set to nothing at all never goes off.
                tv_nsec: i64::from(left.subsec_nanos().max(1)),
            },
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::*;
    use std::pin::Pin;
    use tokio::time::{Sleep, sleep_until};

    /// Wakes its task at a moment, or up to a millisecond later.
    pub struct Alarm {
        sleep: Pin<Box<Sleep>>,
    }

    impl Alarm {
        pub fn new() -> io::Result<Self> {
            Ok(Alarm {
                sleep: Box::pin(sleep_until(Instant::now().into())),
            })
        }

        /// Ready at `moment`.
        pub fn poll(&mut self, cx: &mut Context<'_>, moment: Instant) -> Poll<io::Result<()>> {
            if self.sleep.deadline() != moment.into() {
                self.sleep.as_mut().reset(moment.into());
            }
            self.sleep.as_mut().poll(cx).map(Ok)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::time::Duration;

    #[tokio::test]
    async fn it_goes_off_again_and_again_and_never_early() {
        let mut alarm = Alarm::new().unwrap();
        for milliseconds in [3, 0, 20, 1, 2] {
            let moment = Instant::now() + Duration::from_millis(milliseconds);
            poll_fn(|cx| alarm.poll(cx, moment)).await.unwrap();
            assert!(Instant::now() >= moment);
        }
    }
}
