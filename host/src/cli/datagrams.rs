//! What `serve` is told about UDP.

use clap::Args;
use daemon::config::{ListenerSettings, OptionalNumber, Time};
use std::num::NonZeroUsize;

#[derive(Debug, Args)]
#[command(next_help_heading = "UDP")]
pub struct DatagramArgs {
    /// End the session of a sender that has sent nothing for so long [default: 60s]
    #[arg(long, value_name = "TIME", env = "ECHO_HOST_UDP_IDLE_TIMEOUT")]
    udp_idle_timeout: Option<Time>,
    /// Senders that have a session at once, at each listener; datagrams of further ones are dropped
    /// [default: 1000]
    #[arg(long, value_name = "N", env = "ECHO_HOST_UDP_MAX_SESSIONS")]
    udp_max_sessions: Option<NonZeroUsize>,
    /// How many times what it has sent a sender may be sent, counted with headers; off for any number. A forged
    /// sender would have the host flood somebody else [default: 3]
    #[arg(long, value_name = "FACTOR", env = "ECHO_HOST_UDP_AMPLIFICATION")]
    udp_amplification: Option<OptionalNumber>,
}

impl DatagramArgs {
    /// What was said about every UDP listener.
    pub fn settings(&self) -> ListenerSettings {
        ListenerSettings {
            udp_idle_timeout: self.udp_idle_timeout,
            udp_max_sessions: self.udp_max_sessions,
            udp_amplification: self.udp_amplification,
            ..ListenerSettings::default()
        }
    }
}
