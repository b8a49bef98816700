//! The process that compiles one component: this program once more, within limits that the kernel enforces.

use engine::compile_for_cache;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::env;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use system::confinement::end_with_parent;
use system::limits::{
    COMPILE_TIME, MAX_COMPILE_CPU, MAX_COMPILE_DATA_BYTES, MAX_COMPILERS, MAX_OUTCOME_BYTES,
};
use system::opening::is_outcome;
use tokio::sync::Semaphore;

/// The first argument that makes this program a compiler. It is no command: the program starts it itself.
pub const NAME: &str = "compiler-of-a-host";

/// The variable with the folders in which the system's loader looks for libraries.
const LIBRARIES: &str = "LD_LIBRARY_PATH";

/// A permit for each compiler that may run at once.
static COMPILERS: Semaphore = Semaphore::const_new(MAX_COMPILERS);

/// Has a process of its own compile what `component` holds for the cache in this folder. Waits until it has
/// ended, and returns the outcome.
pub fn compile(component: OwnedFd, cache: Option<&Path>) -> io::Result<String> {
    let Ok(_permit) = COMPILERS.try_acquire() else {
        return Err(io::Error::other(format!(
            "{MAX_COMPILERS} components are being compiled already: try again later"
        )));
    };
    let (ours, theirs) = UnixStream::pair()?;
    ours.set_read_timeout(Some(COMPILE_TIME))?;
    let program = this_program()?;
    let mut compiler = Command::new(&program)
        .arg0("echo-host")
        .arg(NAME)
        .args(cache)
        // It needs no secrets, which variables may hold; where libraries are is all that concerns it.
        .env_clear()
        .envs(env::var_os(LIBRARIES).map(|folders| (LIBRARIES, folders)))
        .stdin(component)
        .stdout(OwnedFd::from(theirs))
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| {
            io::Error::new(
                error.kind(),
                format!(
                    "no process can be started for it from {}: {error}",
                    program.display()
                ),
            )
        })?;
    let mut said = String::new();
    let read = (&ours)
        .take(MAX_OUTCOME_BYTES as u64)
        .read_to_string(&mut said);
    if read.is_err() {
        // What can't be killed has ended.
        let _ = compiler.kill();
    }
    let ended = end_of(&mut compiler);
    Ok(match read {
        Ok(_) if is_outcome(&said) => said,
        Ok(_) => ended,
        Err(_) => format!("did not end within {} s", COMPILE_TIME.as_secs()),
    })
}

/// Waits until it has ended, and says how.
fn end_of(compiler: &mut Child) -> String {
    match compiler.wait() {
        Err(error) => format!("cannot be waited for: {error}"),
        Ok(status) => match (status.code(), status.signal()) {
            (Some(code), _) => format!("exited {code}"),
            (None, signal) => format!("was ended by signal {}", signal.unwrap_or(0)),
        },
    }
}

/// The file of this program, even if its path leads to another one by now.
#[cfg(target_os = "linux")]
fn this_program() -> io::Result<PathBuf> {
    Ok("/proc/self/exe".into())
}

/// The path that this program had when it started.
#[cfg(not(target_os = "linux"))]
fn this_program() -> io::Result<PathBuf> {
    std::env::current_exe()
}

/// Compiles what is on standard input for the cache in this folder, within the limits, and says on standard output what
/// came of it: whoever started it may not be told how it ended.
pub fn run(cache: Option<&Path>) -> anyhow::Result<()> {
    end_with_parent()?;
    lower(Resource::Cpu, MAX_COMPILE_CPU.as_secs())?;
    lower(Resource::Data, MAX_COMPILE_DATA_BYTES)?;
    let mut input = Vec::new();
    io::stdin().lock().read_to_end(&mut input)?;
    let outcome = compile_for_cache(&input, cache)?;
    let mut stdout = io::stdout().lock();
    stdout.write_all(outcome.as_bytes())?;
    Ok(stdout.flush()?)
}

/// Lowers a limit of this process to this value, if it is not lower already.
fn lower(resource: Resource, limit: u64) -> io::Result<()> {
    let most = getrlimit(resource).maximum;
    let limit = Some(most.map_or(limit, |most| most.min(limit)));
    let (current, maximum) = (limit, limit);
    Ok(setrlimit(resource, Rlimit { current, maximum })?)
}
