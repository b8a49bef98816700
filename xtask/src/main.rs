//! The project's chores: `cargo xtask --help` lists them.

mod artifacts;
mod bench;
mod check;
mod component;
mod fuzz;
mod guests;
mod install;
mod languages;
mod layout;
mod needs;
mod packages;
mod reference;
mod step;
mod test;
mod toolchain;
mod torture;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

/// Builds the guests and runs the project's checks.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
enum Task {
    /// Build handlers into target/guests/NAME.wasm, with whatever compiler this machine has.
    BuildGuests {
        /// Also the handlers that `echo-host new` begins, in all languages, into
        /// target/guests/HANDLER-LANGUAGE.wasm. Their tools are installed into target/tools; a language without
        /// them is left out, and named.
        #[arg(long)]
        all: bool,
        /// Names of folders in guest/, or paths of other handler crates. All of guest/ by default.
        #[arg(value_name = "NAME|PATH")]
        guests: Vec<String>,
    },
    /// Build the guests and run every test.
    Test(test::Options),
    /// Compare the host with native servers and others that echo; `-- --help` lists what can be chosen.
    Bench {
        /// First install what it is compared with, by apt, pip and npm. Otherwise what is missing is left
        /// out, and named.
        #[arg(long)]
        install: bool,
        /// Passed to the benchmark.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Let bad clients, bad guests and operators loose on one host; `-- --help` lists what can be chosen.
    Torture {
        /// Passed to the torture, such as `--minutes 30 --seed 1`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Measure the handlers that `echo-host new` begins, in all languages, and write the table in
    /// docs/handlers/languages.md.
    GuestTable,
    /// Write docs/reference/contract.md from the WIT files, and build the host for the tables of its options, the schema
    /// and the example of the configuration file.
    Reference,
    /// Fuzz all that reads what others wrote: each target for a bounded time, from the corpus in host/fuzz.
    Fuzz(fuzz::Options),
    /// Check formatting, lints, documentation, the reference of the contract, and the licences of dependencies.
    Check,
}

fn main() -> ExitCode {
    let result = match Task::parse() {
        Task::BuildGuests { all, guests } => build_guests(all, &guests),
        Task::Test(options) => test::run(&options),
        Task::GuestTable => languages::table().map(|()| ExitCode::SUCCESS),
        Task::Reference => reference::write().map(|()| ExitCode::SUCCESS),
        Task::Bench { install, arguments } => {
            bench::run(install, &arguments).map(|()| ExitCode::SUCCESS)
        }
        Task::Torture { arguments } => torture::run(&arguments).map(|()| ExitCode::SUCCESS),
        Task::Fuzz(options) => fuzz::run(&options).map(|()| ExitCode::SUCCESS),
        Task::Check => check::run().map(|()| ExitCode::SUCCESS),
    };
    result.unwrap_or_else(|error| {
        eprintln!("xtask: {error:#}");
        ExitCode::FAILURE
    })
}

fn build_guests(all: bool, guests: &[String]) -> Result<ExitCode> {
    guests::build(guests)?;
    if all {
        languages::build()?;
    }
    Ok(ExitCode::SUCCESS)
}
