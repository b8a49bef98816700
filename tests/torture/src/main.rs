//! The torture run: a seeded random mix of clients and guests that misbehave, and of operators who
//! swap, reload and send requests, against one host, while well-behaved clients check every byte
//! they get. `cargo xtask torture` builds what it needs and runs it.
//!
//! ```text
//! run -> regulars, villains, operators -> site -> door      what happens to the host
//!  |        |         |          |
//!  |        +----- record, findings                         what came of it
//!  +-> host, log, usage -> verdict -> report                what must hold
//! ```
//!
//! Each task's decisions depend only on the seed and the task's number, so a seed repeats the mix.
//! The timing depends on the machine and does not repeat. Linux only: resource usage is read from
//! /proc.

#![forbid(unsafe_code)]

mod control;
mod course;
mod door;
mod files;
mod findings;
mod handlers;
mod host;
mod log;
mod operators;
mod record;
mod regulars;
mod report;
mod run;
mod site;
mod usage;
mod verdict;
mod villains;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = run::Arguments::parse();
    match run::run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("torture: {error:#}");
            ExitCode::FAILURE
        }
    }
}
