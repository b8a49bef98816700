//! The options of a host.

use super::ServiceSettings;
use super::about::{bound, limit};
use crate::values::{OptionalNumber, OptionalPath, OptionalSize, ServiceName, Size, Time};
use address::Endpoint;
use choices::choices;
use engine::Wipe;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use system::confinement::{Identity, Sandbox};

options! {
    /// What a host is told: the form of the configuration file.
    Host HostSettings {
        /// Serve with this many threads
        workers: NonZeroUsize
            => General { otherwise: Some("one for each core"), sample: Some("4"), is_fixed: true };
        /// Limit the open connections of all services; further clients wait
        max_connections: NonZeroUsize = "1000"
            => Limits {
                is_fixed: true,
                reached: limit(
                    "connections", "waits to be accepted",
                    "warning, *1/s*: `connection limit reached`",
                )
            };
        /// Limit the connections of one address or IPv6 /64; `off` for no limit
        max_connections_per_ip: OptionalNumber = "500"
            => Limits {
                is_fixed: true,
                reached: limit(
                    "connections of an address or IPv6 /64", "connection closed",
                    "warning, *1/s*: `connection limit of a client reached`",
                )
            };
        /// Limit the Unix socket connections of one local user; `off` for no limit
        max_connections_per_uid: OptionalNumber = "500"
            => Limits {
                is_fixed: true,
                reached: limit(
                    "Unix socket connections of a local user", "connection closed",
                    "warning, *1/s*: `connection limit of a user reached`",
                )
            };
        /// Limit the memory of all instances of all handlers
        max_guest_memory: Size
            => Limits {
                is_fixed: true, sample: Some("8GiB"),
                otherwise: Some("three quarters of the memory of the machine or its control group"),
                reached: limit(
                    "bytes of all instances", "gets earlier replies, then closed",
                    "warning: `the memory of all guests is used up`",
                )
            };
        /// Keep this much memory for future instances; more makes connecting cheaper
        max_warm_memory: Size = "128MiB"
            => Limits {
                is_fixed: true,
                reached: bound(
                    "bytes, at most 256 KiB for each place",
                    "nothing: memory beyond it is returned to the system",
                )
            };
        /// Wipe the memory an instance leaves; `scan` is cheaper, but can miss swapped pages
        wipe: Wipe = "whole"
            => Sandbox { is_fixed: true };
        /// Cut connections this long after SIGINT, SIGTERM or, if given, a swap
        drain_timeout: Time = "10s"
            => Limits {
                reached: limit(
                    "time after SIGINT or SIGTERM", "connection closed",
                    "warning: `… connections were cut`",
                )
            };
        /// Limit new connections per second of one address or IPv6 /64
        max_new_connections_per_second_per_ip: OptionalNumber = "off"
            => Rates {
                reached: limit(
                    "new connections of an address", "connection closed, datagram dropped",
                    "warning, *1/s*: `connection rate of a client reached`",
                )
            };
        /// Limit messages per second of one address or IPv6 /64
        max_messages_per_second_per_ip: OptionalNumber = "off"
            => Rates {
                reached: limit("messages of an address", "waits; datagram dropped", "--")
            };
        /// Limit bytes per second from one address or IPv6 /64
        max_bytes_per_second_per_ip: OptionalSize = "off"
            => Rates {
                reached: limit("bytes read from an address", "not read; datagram dropped", "--")
            };
        /// Keep compiled code in this directory, or `off`; no default with `--user`
        cache: OptionalPath
            => Sandbox {
                value: Some("DIR"), is_fixed: true, sample: Some("/var/cache/echo-host"),
                otherwise: Some("$XDG_CACHE_HOME/echo-host, or ~/.cache/echo-host")
            };
        /// Run as this user after binding; requires root
        user: Identity
            => Privileges { is_fixed: true, sample: Some("www-data:www-data") };
        /// Confine the process (Linux)
        sandbox: Sandbox = "auto"
            => Privileges { is_fixed: true };
        /// Let the sandbox read the files in this directory
        sandbox_read: Vec<PathBuf>
            => Privileges { value: Some("DIR"), is_fixed: true };
        /// Create the control socket at this path, or `off`
        control: OptionalPath
            => Control {
                value: Some("PATH"), is_fixed: true, sample: Some("/run/echo-host/control.sock"),
                otherwise: Some("$XDG_RUNTIME_DIR/echo-host/PID.sock, or one in a private directory in /tmp")
            };
        /// Serve Prometheus metrics here: `tcp://ADDR:PORT` or `unix:PATH`
        metrics: Endpoint
            => Control {
                otherwise: Some("nowhere"), sample: Some("tcp://127.0.0.1:9464"), is_fixed: true
            };
        /// Log in this format; colours need a terminal and no `NO_COLOR`
        log_format: LogFormat = "text"
            => Logs { is_fixed: true };
        /// Log at this level and above
        log_level: LogLevel = "info"
            => Logs { is_fixed: true };
        /// Log each connection at its end, at level info
        log_connections: LogConnections = "on"
            => Clients { is_fixed: true };
        /// Define a service in each table `[service.NAME]`; NAME has a-z, 0-9 and hyphens
        service: BTreeMap<ServiceName, ServiceSettings>
            => General { is_key_only: true, otherwise: Some("one called `main`") };
    }
}

choices! {
    /// How log lines are written.
    pub enum LogFormat {
        /// For people
        Text = "text",
        /// One JSON object per line
        Json = "json",
    }
}

choices! {
    /// Whether the normal end of a connection is logged at level info.
    pub enum LogConnections {
        /// At level info
        On = "on",
        /// At level debug
        Off = "off",
    }
}

choices! {
    /// How much is logged: lines of this level and of those before it.
    pub enum LogLevel {
        /// Nothing
        Off = "off",
        /// What failed
        Error = "error",
        /// What may need attention
        Warn = "warn",
        /// What the host does
        Info = "info",
        /// What happens on each connection
        Debug = "debug",
        /// Everything
        Trace = "trace",
    }
}
