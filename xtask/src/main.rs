//! Development tasks: `cargo xtask --help` lists them.

mod artifacts;
mod bench;
mod check;
mod component;
mod demos;
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
        /// Also build the handlers that `echo-host new` creates, in all languages, into
        /// target/guests/HANDLER-LANGUAGE.wasm. Installs their tools into target/tools; skips a
        /// language without tools, and names it.
        #[arg(long)]
        all: bool,
        /// Names of directories in guest/, or paths of other handler crates. All of guest/ by
        /// default.
        #[arg(value_name = "NAME|PATH")]
        guests: Vec<String>,
    },
    /// Build the demos in host/engine/demos, which the host contains, from the handlers in guest/.
    BuildDemos {
        /// Names of folders in guest/. All demos by default.
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
    /// Build the guests and run every test.
    Test(test::Options),
    /// Compare the host with native servers and other echo servers; `-- --help` lists the options.
    Bench {
        /// First install the other servers, with apt, pip and npm. Otherwise missing ones are
        /// skipped and named.
        #[arg(long)]
        install: bool,
        /// Options of the benchmark.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Run bad clients, bad guests and operators against one host; `-- --help` lists the options.
    Torture {
        /// Options of the torture run, such as `--minutes 30 --seed 1`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Measure the handlers that `echo-host new` creates, in all languages, and write the table in
    /// docs/handlers/languages.md.
    GuestTable,
    /// Write docs/reference/contract.md from the WIT files, and build the host for its tables of
    /// options, the schema and the example of the configuration file.
    Reference,
    /// Fuzz everything that parses input: each target for a limited time, from the corpus in
    /// host/fuzz.
    Fuzz(fuzz::Options),
    /// Check formatting, lints, documentation, generated documents, and licences of dependencies.
    Check,
}

fn main() -> ExitCode {
    let result = match Task::parse() {
        Task::BuildGuests { all, guests } => build_guests(all, &guests),
        Task::BuildDemos { names } => demos::build(&names).map(|()| ExitCode::SUCCESS),
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
