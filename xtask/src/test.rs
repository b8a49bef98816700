//! `cargo xtask test`: everything that has to be true.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use clap::Args;

use crate::needs::Needs;
use crate::{demos, guests, languages, step};

/// Tests that take more than a few seconds each, or need a machine of their own. `--fast` skips
/// them.
const SLOW: [&str; 12] = [
    "a_run_compares_the_host_with_the_native_servers",
    "copies::",
    "faults::",
    "host_calls::",
    "hostile_files::",
    "loading::screening::tests::a_",
    "readme::the_first_handler",
    "scaffold::",
    "swap::load::",
    "swap::thousands::",
    "transports::access::",
    "walks::migration::",
];

#[derive(Args)]
pub struct Options {
    /// First build the handlers that `echo-host new` creates in all languages, run their unit tests
    /// and play their exchanges.
    #[arg(long)]
    all_languages: bool,
    /// Skip the slow tests. Takes less than three minutes once everything is built.
    #[arg(long)]
    fast: bool,
    /// Fail if a tool that tests need cannot be installed, instead of skipping these tests.
    #[arg(long)]
    strict: bool,
    /// Arguments of the test runner, such as a test's name. Doctests run only without any.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Runs the whole suite, or the selected tests. The runner's summary comes last, except for skipped
/// tests; its exit code is the result.
pub fn run(options: &Options) -> Result<ExitCode> {
    let needs = Needs::read()?;
    let missing = needs.install(options.strict)?;
    demos::compare(guests::build(&[])?)?;
    if options.all_languages {
        languages::test()?;
    }
    if options.arguments.is_empty() && !options.fast {
        let arguments = ["test", "--workspace", "--release", "--doc"];
        step::run(
            "examples in the documentation",
            step::cargo().args(arguments),
        )?;
    }
    let without: Vec<&str> = missing.iter().flat_map(|tool| tool.tests()).collect();
    let mut runner = runner(&options.arguments, &without, options.fast);
    step::announce("tests");
    let status = runner.status().context("cannot start cargo")?;
    let code = status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(1);
    for tool in &missing {
        tool.report();
    }
    if !missing.is_empty() {
        let mut names = without.clone();
        names.sort_unstable();
        names.dedup();
        step::announce(&format!(
            "{} tests did not run because tools are missing (--strict fails instead)",
            names.len()
        ));
    }
    Ok(ExitCode::from(code))
}

/// The test runner, always for the whole workspace: with fewer packages cargo would unite their
/// dependencies' features differently, and build wasmtime once more.
fn runner(arguments: &[OsString], without: &[&str], fast: bool) -> Command {
    let slow = SLOW.iter().filter(|_| fast);
    let mut cargo = step::cargo();
    if step::succeeds(step::cargo().args(["nextest", "--version"])) {
        cargo.args(["nextest", "run", "--workspace", "--release"]);
        let exact = without.iter().map(|test| format!("not test(={test})"));
        let parts = slow.map(|part| format!("not test({part})"));
        let expression = exact.chain(parts).collect::<Vec<_>>().join(" and ");
        if !expression.is_empty() {
            cargo.args(["--filterset", &expression]);
        }
        if arguments.is_empty() {
            cargo.arg("--no-fail-fast");
        }
        cargo.args(arguments);
    } else {
        cargo.args([
            "test",
            "--workspace",
            "--release",
            "--lib",
            "--bins",
            "--tests",
        ]);
        cargo.args(arguments);
        if !arguments.iter().any(|it| it == "--") {
            cargo.arg("--");
        }
        for part in without.iter().chain(slow) {
            cargo.args(["--skip", part]);
        }
    }
    cargo
}
