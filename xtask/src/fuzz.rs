//! `cargo xtask fuzz`: builds the fuzz targets and runs each for a bounded time.

mod outcome;

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use crate::{layout, packages, step};
use outcome::Outcome;

/// Limits of a target for one input, in seconds and in megabytes of the whole process. Normal
/// inputs stay far below, so an input that reaches them reveals a bug.
const INPUT_SECONDS: u32 = 5;
const MEMORY_MB: u32 = 1024;
/// The longest input: longer ones find nothing else, and are slower.
const INPUT_BYTES: u32 = 4096;

/// The targets: each is a file in host/fuzz/fuzz_targets and a directory in host/fuzz/corpus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Target {
    Address,
    Admission,
    Config,
    Control,
    Datagrams,
    Exchange,
    Framing,
    Imports,
    Screening,
    Telnet,
    Websocket,
}

#[derive(Args)]
pub struct Options {
    /// Targets to fuzz. All by default, one after another.
    target: Option<Target>,
    /// Time per target.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Repeat the choices of the run that printed this seed; how far it gets depends on the
    /// machine. By default a new one each time.
    #[arg(long)]
    seed: Option<u32>,
    /// Run the target with this input only.
    #[arg(long, value_name = "FILE", requires = "target", conflicts_with_all = ["seconds", "seed"])]
    input: Option<PathBuf>,
}

impl Target {
    fn name(self) -> &'static str {
        match self {
            Target::Address => "address",
            Target::Admission => "admission",
            Target::Config => "config",
            Target::Control => "control",
            Target::Datagrams => "datagrams",
            Target::Exchange => "exchange",
            Target::Framing => "framing",
            Target::Imports => "imports",
            Target::Screening => "screening",
            Target::Telnet => "telnet",
            Target::Websocket => "websocket",
        }
    }

    fn program(self) -> String {
        format!("fuzz-{}", self.name())
    }

    /// The target with the limits for one input.
    fn command(self) -> Command {
        let program = layout::root().join("target/release").join(self.program());
        let mut command = Command::new(program);
        command
            .arg(format!("-timeout={INPUT_SECONDS}"))
            .arg(format!("-rss_limit_mb={MEMORY_MB}"));
        command
    }
}

/// Fuzzes, prints a line per target, and fails if an input causes harm.
pub fn run(options: &Options) -> Result<()> {
    let targets = match options.target {
        Some(target) => vec![target],
        None => Target::value_variants().to_vec(),
    };
    build(&targets)?;
    if let (Some(target), Some(input)) = (options.target, &options.input) {
        let what = format!("{} with {}", target.name(), input.display());
        return step::run(&what, target.command().arg(input));
    }
    let seed = options.seed.unwrap_or_else(new_seed);
    step::announce(&format!(
        "fuzzing {} s each (--seed {seed})",
        options.seconds
    ));
    let mut harmful = 0;
    for target in targets {
        let outcome = fuzz(target, options.seconds, seed)?;
        println!("{:<9} {outcome}", target.name());
        if let Some(file) = outcome.input() {
            println!(
                "{:<9} repeat with: cargo xtask fuzz {0} --input {}",
                target.name(),
                file.display()
            );
        }
        harmful += u32::from(outcome.is_harmful());
    }
    match harmful {
        0 => Ok(()),
        _ => bail!("fuzzing found failing inputs, see above"),
    }
}

fn build(targets: &[Target]) -> Result<()> {
    if !["c++", "g++"].iter().any(|it| packages::on_path(it)) {
        packages::install(&["g++"], "build libFuzzer")?;
    }
    let mut cargo = step::cargo();
    // The whole workspace, as for the tests: with fewer packages cargo would unite their
    // dependencies' features differently, and build wasmtime once more.
    cargo.args(["build", "--workspace", "--release"]);
    cargo.args(["--features", "echo-host-fuzz/libfuzzer"]);
    for target in targets {
        cargo.args(["--bin", &target.program()]);
    }
    // Cargo keeps the output of a wrapper apart from the compiler's. It does not notice a change in
    // the wrapper: touch the sources after one.
    cargo.env(
        "RUSTC_WORKSPACE_WRAPPER",
        sources().join("instrumented-rustc"),
    );
    step::run("fuzz targets", &mut cargo)
}

/// Runs a target from its corpus, and from earlier findings in this directory.
fn fuzz(target: Target, seconds: u32, seed: u32) -> Result<Outcome> {
    let folder = layout::root().join("target/fuzz").join(target.name());
    let grown = folder.join("corpus");
    let findings = folder.join("findings");
    for folder in [&grown, &findings] {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let log = folder.join("log");
    let context = || format!("cannot write {}", log.display());
    let output = File::create(&log).with_context(context)?;
    let mut command = target.command();
    command
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-seed={seed}"))
        .arg(format!("-max_len={INPUT_BYTES}"))
        .arg("-print_final_stats=1")
        .arg(format!("-artifact_prefix={}/", findings.display()))
        .arg(&grown)
        .arg(sources().join("corpus").join(target.name()))
        // The target's own output is discarded.
        .stdout(Stdio::null())
        .stderr(output);
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", target.program()))?;
    let printed = fs::read(&log).with_context(|| format!("cannot read {}", log.display()))?;
    Outcome::read(&String::from_utf8_lossy(&printed), status.success())
        .with_context(|| format!("{}: see {}", target.program(), log.display()))
}

fn sources() -> PathBuf {
    layout::root().join("host/fuzz")
}

/// Any number but 0, which has another meaning for libFuzzer.
fn new_seed() -> u32 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(1, |now| now.subsec_nanos().max(1))
}
