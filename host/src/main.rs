//! The command `echo-host`.

#![forbid(unsafe_code)]

mod cli;

use daemon::logs::output;
use mimalloc::MiMalloc;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    cli::exit::report_panics();
    let code = match cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => cli::exit::report(&error, cli::code_of_tool),
    };
    output::flush();
    code
}
