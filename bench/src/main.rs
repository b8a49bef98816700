//! The benchmark: starts the host and others that echo, each in turn, drives them with `echo-host bench`, and
//! tells how they compare. `cargo xtask bench` builds all it needs and runs it.
//!
//! ```text
//! run -> traffic, latency, memory, ... -> load -> servers      measure
//!          |
//!       samples -> comparison -> table, picture, readme        tell
//! ```
//!
//! Machines are shared and noisy. So rounds are interleaved, every figure is compared with that of the native
//! server in the same round, and the verdict goes by the processor time that the kernel counts for the server,
//! which depends less on what else runs than throughput does.

#![forbid(unsafe_code)]

mod client;
mod cold_start;
mod comparison;
mod crowd;
mod holder;
mod interrupt;
mod latency;
mod load;
mod machine;
mod memory;
mod neighbour;
mod picture;
mod place;
mod readme;
mod run;
mod sample;
mod servers;
mod spread;
mod swaps;
mod table;
mod traffic;
mod wording;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = run::Arguments::parse();
    match interrupt::watch().and_then(|()| run::run(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("echo-host-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}
