//! What the load costs the generator, and the server if its process is known.

use super::process::Usage;
use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant};

/// What was used until a moment, by both sides.
pub struct Meter {
    /// By this process, in user and kernel mode together.
    own: Duration,
    moment: Instant,
    server: Option<ServerMeter>,
}

struct ServerMeter {
    pid: u32,
    usage: Usage,
    moment: Instant,
}

/// What both sides used between two moments.
pub struct Used {
    /// How many cores this process kept busy.
    pub busy_cores: f64,
    pub server: Option<ServerUsed>,
}

/// What the server's process and its descendants used.
pub struct ServerUsed {
    pub pid: u32,
    pub busy_cores: f64,
    pub resident_bytes: u64,
}

impl Meter {
    /// Leaves the server out if its process has ended.
    pub fn read(server_pid: Option<u32>) -> Self {
        let own = clock_gettime(ClockId::ProcessCPUTime);
        let moment = Instant::now();
        let server = server_pid.and_then(|pid| {
            Some(ServerMeter {
                pid,
                usage: Usage::of(pid).ok()?,
                moment: Instant::now(),
            })
        });
        Meter {
            own: Duration::new(own.tv_sec as u64, own.tv_nsec as u32),
            moment,
            server,
        }
    }

    /// What was used since an earlier moment.
    pub fn since(&self, earlier: &Meter) -> Used {
        let server = self.server.as_ref().zip(earlier.server.as_ref());
        Used {
            busy_cores: cores(
                self.own.saturating_sub(earlier.own),
                self.moment - earlier.moment,
            ),
            server: server.map(|(now, earlier)| ServerUsed {
                pid: now.pid,
                busy_cores: cores(
                    now.usage.cpu_since(&earlier.usage),
                    now.moment - earlier.moment,
                ),
                resident_bytes: now.usage.resident_bytes(),
            }),
        }
    }
}

/// How many cores were busy for a time, on average.
fn cores(used: Duration, time: Duration) -> f64 {
    used.as_secs_f64() / time.as_secs_f64().max(f64::EPSILON)
}
