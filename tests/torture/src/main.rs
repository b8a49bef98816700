//! Torture: a seeded random mix of clients and guests that misbehave, and of operators who swap, reload and ask,
//! against one host, while well-behaved clients check every byte they get. `cargo xtask torture` builds all it
//! needs and runs it.
//!
//! ```text
//! run -> regulars, villains, operators -> site -> door      what happens to the host
//!  |        |         |          |
//!  |        +----- record, findings                         what came of it
//!  +-> host, log, usage -> verdict -> report                what must hold
//! ```
//!
//! What each task decides comes from the seed and the task's number alone, so a seed repeats the mix. When things
//! happen is the machine's business, so it does not repeat the moment. Linux only: what the host uses is read from
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
