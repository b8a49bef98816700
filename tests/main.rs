//! Drives the built `echo-host` over real sockets with real clients and real components.
//!
//! `cargo xtask test` builds the components these tests serve and installs the clients they use.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(
    clippy::disallowed_methods,
    reason = "nobody else writes to the folders of the tests"
)]

mod fixture;

mod activation;
mod advice;
mod architecture;
mod bad_clients;
mod bad_handlers;
mod bench;
mod cache;
mod clients;
mod command_line;
mod configuration;
mod connections;
mod contract;
mod control;
mod conversations;
mod copies;
mod datagrams;
mod demos;
mod dev;
mod doctor;
mod echo;
mod exchange;
mod fairness;
mod faults;
mod framing;
mod handlers;
mod host_calls;
mod hostile_files;
mod isolation;
mod limits;
mod logs;
mod messages;
mod metrics;
mod mishaps;
mod odd_machines;
mod pages;
mod pipelines;
mod pipes;
mod privileges;
mod profile;
mod programs;
mod prometheus;
mod rates;
mod readme;
mod record;
mod reference;
mod releases;
mod sandbox;
mod scaffold;
mod security;
mod services;
mod shutdown;
mod silent_peers;
mod storms;
mod supervision;
mod swap;
mod takeover;
mod taps;
mod transports;
mod traps;
mod trust;
mod tutorial;
mod unread_logs;
mod variables;
mod walks;
mod wiping;
mod workers;
