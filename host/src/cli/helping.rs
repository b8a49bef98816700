//! What the helper of a host does: it opens files, and starts processes that compile.

use super::helper::COMPILER;
use super::serve::ServeArgs;
use echo_host::config::Sources;
use echo_host::confinement::{Access, confine_helper, end_with_parent};
use echo_host::engine::{Capacity, Engine};
use echo_host::host::names;
use echo_host::limits::{MAX_COMPILE_CPU, MAX_COMPILE_DATA_BYTES, MAX_COMPILERS};
use echo_host::opening;
use nix::sys::signal::SigSet;
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

/// Opens files for the host on standard input until it ends.
pub fn run(args: &ServeArgs) -> anyhow::Result<()> {
    // It ends with its host, and not when both are told to end, as by a terminal: the host drains then.
    end_with_parent()?;
    SigSet::all().thread_block()?;
    let stream = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    // Which sockets its host was given it does not know.
    let sources = Sources {
        tls_is_given: true,
        ..args.sources()
    };
    let config = sources.load();
    if let Ok(config) = &config {
        let mut access = Access::default();
        config.cache.iter().for_each(|cache| access.write(cache));
        confine_helper(config.sandbox, &access)?;
    }
    let cache = config.as_ref().ok().and_then(|config| config.cache.clone());
    let first = config.ok().map(|config| names(&sources, &config));
    let again = || sources.load().ok().map(|config| names(&sources, &config));
    let running = Arc::new(());
    let compile = |component, outcome| {
        if Arc::strong_count(&running) > MAX_COMPILERS {
            return Err(Errno::AGAIN.into());
        }
        start_compiler(cache.as_deref(), component, outcome, running.clone())
    };
    let first = first.unwrap_or_default();
    Ok(opening::helper::serve(&stream, first, again, compile)?)
}

/// Starts a process that compiles this component, and tells how it ended on this stream.
fn start_compiler(
    cache: Option<&Path>,
    component: OwnedFd,
    outcome: OwnedFd,
    running: Arc<()>,
) -> io::Result<()> {
    let mut compiler = Command::new("/proc/self/exe")
        .arg0("echo-host")
        .arg(COMPILER)
        .args(cache)
        .stdin(component)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let wait = move || {
        let mut outcome = UnixStream::from(outcome);
        let told = match compiler.wait() {
            Err(error) => write!(outcome, "cannot be waited for: {error}"),
            Ok(status) => match (status.code(), status.signal()) {
                (Some(code), _) => write!(outcome, "exited {code}"),
                (None, signal) => write!(outcome, "was ended by signal {}", signal.unwrap_or(0)),
            },
        };
        // The host may have ended.
        drop((told, running));
    };
    thread::Builder::new().spawn(wait).map(drop)
}

/// Compiles the component on standard input for the cache in this folder, within the limits of that.
pub fn compile(cache: Option<&Path>) -> anyhow::Result<()> {
    end_with_parent()?;
    let lower = |resource, limit: u64| {
        let most = getrlimit(resource).maximum;
        let limit = Some(most.map_or(limit, |most| most.min(limit)));
        let (current, maximum) = (limit, limit);
        setrlimit(resource, Rlimit { current, maximum })
    };
    lower(Resource::Cpu, MAX_COMPILE_CPU.as_secs())?;
    lower(Resource::Data, MAX_COMPILE_DATA_BYTES)?;
    let mut binary = Vec::new();
    io::stdin().lock().read_to_end(&mut binary)?;
    Engine::new(Capacity::of(1), cache)?.compile_for_cache(&binary);
    Ok(())
}
