//! What `serve` is told about rates.

use clap::Args;
use daemon::config::{HostSettings, OptionalNumber, OptionalSize, ServiceSettings};

#[derive(Debug, Args)]
#[command(next_help_heading = "Rates")]
pub struct RateArgs {
    /// New connections of a service in a second; further clients wait; senders of datagrams are counted apart; off
    /// for any number [default: off]
    #[arg(
        long,
        value_name = "N",
        env = "ECHO_HOST_MAX_NEW_CONNECTIONS_PER_SECOND"
    )]
    max_new_connections_per_second: Option<OptionalNumber>,
    /// The same for clients with one address, or in one IPv6 network of 64 bits; further ones are closed
    /// [default: off]
    #[arg(
        long,
        value_name = "N",
        env = "ECHO_HOST_MAX_NEW_CONNECTIONS_PER_SECOND_PER_IP"
    )]
    max_new_connections_per_second_per_ip: Option<OptionalNumber>,
    /// Messages to a service in a second; further ones wait; datagrams are counted apart, and dropped [default: off]
    #[arg(long, value_name = "N", env = "ECHO_HOST_MAX_MESSAGES_PER_SECOND")]
    max_messages_per_second: Option<OptionalNumber>,
    /// The same for clients with one address [default: off]
    #[arg(
        long,
        value_name = "N",
        env = "ECHO_HOST_MAX_MESSAGES_PER_SECOND_PER_IP"
    )]
    max_messages_per_second_per_ip: Option<OptionalNumber>,
    /// Bytes received by a service in a second; clients are not read from until then; datagrams are counted apart,
    /// and dropped [default: off]
    #[arg(long, value_name = "SIZE", env = "ECHO_HOST_MAX_BYTES_PER_SECOND")]
    max_bytes_per_second: Option<OptionalSize>,
    /// The same for clients with one address [default: off]
    #[arg(
        long,
        value_name = "SIZE",
        env = "ECHO_HOST_MAX_BYTES_PER_SECOND_PER_IP"
    )]
    max_bytes_per_second_per_ip: Option<OptionalSize>,
}

impl RateArgs {
    /// What was said about every service.
    pub fn of_services(&self) -> ServiceSettings {
        ServiceSettings {
            max_new_connections_per_second: self.max_new_connections_per_second,
            max_messages_per_second: self.max_messages_per_second,
            max_bytes_per_second: self.max_bytes_per_second,
            ..ServiceSettings::default()
        }
    }

    /// What was said about every client address.
    pub fn of_addresses(&self) -> HostSettings {
        HostSettings {
            max_new_connections_per_second_per_ip: self.max_new_connections_per_second_per_ip,
            max_messages_per_second_per_ip: self.max_messages_per_second_per_ip,
            max_bytes_per_second_per_ip: self.max_bytes_per_second_per_ip,
            ..HostSettings::default()
        }
    }
}
