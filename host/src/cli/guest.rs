//! What every command that runs a handler can be told about the sandbox.

use super::values::{memory, time, variable};
use clap::Args;
use echo_host::engine::{Directory, Engine, EngineError, Grants, HandlerSource};
use echo_host::limits::GuestLimits;
use std::env;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Args)]
#[command(next_help_heading = "Sandbox")]
pub struct GuestArgs {
    /// Give the handler an argument (repeatable; in the variable, one a line)
    #[arg(
        long,
        value_name = "TEXT",
        value_delimiter = '\n',
        allow_hyphen_values = true,
        env = "ECHO_HOST_ARG"
    )]
    arg: Vec<String>,
    /// Give the handler an environment variable (repeatable; in the variable, one a line)
    #[arg(long, value_name = "KEY=VALUE", value_parser = variable, value_delimiter = '\n', env = "ECHO_HOST_ENV", hide_env_values = true)]
    env: Vec<(String, String)>,
    /// Give the handler a directory to read and write, as GUEST if named (repeatable; in the variable,
    /// one a line)
    #[arg(
        long,
        value_name = "HOST[::GUEST]",
        value_delimiter = '\n',
        env = "ECHO_HOST_DIR"
    )]
    dir: Vec<Directory>,
    /// Memory an instance may have
    #[arg(long, value_name = "SIZE", value_parser = memory, default_value = "64MiB", env = "ECHO_HOST_MAX_MEMORY")]
    max_memory: usize,
    /// Time a call, or making an instance, may take
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "5s", env = "ECHO_HOST_CALL_TIMEOUT")]
    call_timeout: Duration,
    /// Keep compiled code in this folder, or off [default: echo-host in the user's cache folder]
    #[arg(long, value_name = "DIR", env = "ECHO_HOST_CACHE")]
    cache: Option<PathBuf>,
}

impl GuestArgs {
    pub fn grants(&self, handler: &HandlerSource) -> Grants {
        let name = match handler {
            HandlerSource::File(path) => path.file_name().unwrap_or_default().to_string_lossy(),
            HandlerSource::BuiltInEcho => "echo".into(),
        };
        Grants {
            args: [&[name.into_owned()], &self.arg[..]].concat(),
            env: self.env.clone(),
            directories: self.dir.clone(),
        }
    }

    pub fn limits(&self) -> GuestLimits {
        GuestLimits {
            max_memory_bytes: self.max_memory,
            call_timeout: self.call_timeout,
        }
    }

    /// The folder for compiled code: what was said, or where the XDG Base Directory Specification puts
    /// such things.
    pub fn cache(&self) -> Option<PathBuf> {
        if let Some(said) = &self.cache {
            return (said.as_os_str() != "off").then(|| said.clone());
        }
        let user = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let user = user.filter(|folder| folder.is_absolute());
        let user = user.or_else(|| Some(env::home_dir()?.join(".cache")));
        Some(user?.join("echo-host"))
    }

    /// An engine that runs one instance at a time.
    pub fn small_engine(&self) -> Result<Engine, EngineError> {
        Engine::new(1, self.limits(), self.cache().as_deref())
    }
}

/// The handler of a command that must be given one.
#[derive(Debug, Args)]
pub struct HandlerArg {
    /// The handler: a component in binary (.wasm) or text (.wat) form
    handler: PathBuf,
}

impl HandlerArg {
    pub fn source(&self) -> HandlerSource {
        HandlerSource::File(self.handler.clone())
    }
}
