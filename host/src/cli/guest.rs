//! What every command that runs a handler can be told about the sandbox.

use super::variables::{Items, commas, lines, parsed, secret};
use clap::Args;
use clap::builder::{BoolishValueParser, StringValueParser};
use connection::address::NetworkAddress;
use daemon::config::values::variable;
use daemon::config::{
    self, ConfigError, MemorySize, Place, ServeConfig, ServiceSettings, Size, Time,
};
use engine::{Capacity, Directory, Engine, EngineError};
use keyvalue::StoreUri;
use std::path::{Path, PathBuf};
use system::trust::{FileHash, SignerKey};

#[derive(Debug, Args)]
#[command(next_help_heading = "Sandbox")]
pub struct GuestArgs {
    /// Give the handler an argument (repeatable; in the variable, one a line)
    #[arg(
        long,
        value_name = "TEXT",
        value_parser = lines(StringValueParser::new()),
        allow_hyphen_values = true,
        env = "ECHO_HOST_ARG"
    )]
    arg: Vec<Items<String>>,
    /// Give the handler an environment variable (repeatable; in the variable, one a line)
    #[arg(long, value_name = "KEY=VALUE", value_parser = lines(secret(variable)), env = "ECHO_HOST_ENV")]
    env: Vec<Items<(String, String)>>,
    /// Give the handler a directory to read and write, as GUEST if named (repeatable; in the variable,
    /// one a line)
    #[arg(
        long,
        value_name = "HOST[::GUEST]",
        value_parser = lines(parsed::<Directory>()),
        env = "ECHO_HOST_DIR"
    )]
    dir: Vec<Items<Directory>>,
    /// Give the handler a directory to read only (likewise)
    #[arg(
        long,
        value_name = "HOST[::GUEST]",
        value_parser = lines(parsed::<Directory>()),
        env = "ECHO_HOST_DIR_RO"
    )]
    dir_ro: Vec<Items<Directory>>,
    /// Give the handler a value to find in wasi:config/store (repeatable; in the variable, one a line)
    #[arg(long, value_name = "KEY=VALUE", value_parser = lines(secret(variable)), env = "ECHO_HOST_CONFIG_VALUE")]
    config_value: Vec<Items<(String, String)>>,
    /// Let the handler connect to this TCP port of this host, by address or name (repeatable; in the variable, separated
    /// by commas)
    #[arg(
        long,
        value_name = "HOST:PORT",
        value_parser = commas(parsed::<NetworkAddress>()),
        env = "ECHO_HOST_ALLOW_CONNECT"
    )]
    allow_connect: Vec<Items<NetworkAddress>>,
    /// Keep what the handler keeps with wasi:keyvalue in memory, or in a Redis database, such as redis://127.0.0.1:6379/0,
    /// which several hosts may share [default: memory]
    #[arg(
        long,
        value_name = "STORE",
        value_parser = secret(|text| text.parse::<StoreUri>().map_err(|error| error.to_string())),
        env = "ECHO_HOST_KEYVALUE"
    )]
    keyvalue: Option<StoreUri>,
    /// What it may keep in memory [default: 64MiB]
    #[arg(long, value_name = "SIZE", env = "ECHO_HOST_MAX_KEYVALUE")]
    max_keyvalue: Option<Size>,
    /// Give the handler clocks that tell nanoseconds instead of milliseconds: with those it can measure what
    /// others do on the same machine
    #[arg(long, value_parser = BoolishValueParser::new(), env = "ECHO_HOST_PRECISE_CLOCKS")]
    precise_clocks: bool,
    /// Memory an instance may have [default: 64MiB]
    #[arg(long, value_name = "SIZE", env = "ECHO_HOST_MAX_MEMORY")]
    max_memory: Option<MemorySize>,
    /// Time a call, or making an instance, may take [default: 5s]
    #[arg(long, value_name = "TIME", env = "ECHO_HOST_CALL_TIMEOUT")]
    call_timeout: Option<Time>,
    /// Keep compiled code in this folder, or off [default: echo-host in the user's cache folder]
    #[arg(long, value_name = "DIR", env = "ECHO_HOST_CACHE")]
    pub cache: Option<Place>,
    #[command(flatten)]
    trust: TrustArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Trust")]
struct TrustArgs {
    /// Serve a handler only if its file has this SHA-256, as sha256sum prints it (repeatable, for files of which
    /// each must have one of them; in the variable, separated by commas)
    #[arg(
        long,
        value_name = "HASH",
        value_parser = commas(parsed::<FileHash>()),
        env = "ECHO_HOST_REQUIRE_SHA256"
    )]
    require_sha256: Vec<Items<FileHash>>,
    /// Serve a handler only if its file is signed with this minisign key, in NAME.minisig beside it: the key, or the
    /// file that has it (repeatable, for signers of whom each file must have one; in the variable, one a line)
    #[arg(
        long,
        value_name = "KEY",
        value_parser = lines(parsed::<SignerKey>()),
        env = "ECHO_HOST_REQUIRE_SIGNATURE"
    )]
    require_signature: Vec<Items<SignerKey>>,
}

impl GuestArgs {
    /// What was said about the sandbox of a service.
    pub fn settings(&self) -> ServiceSettings {
        ServiceSettings {
            args: said(&self.arg),
            env: Items::all(&self.env).collect(),
            dirs: said(&self.dir),
            dirs_ro: said(&self.dir_ro),
            config: Items::all(&self.config_value).collect(),
            allow_connect: said(&self.allow_connect),
            keyvalue: self.keyvalue.clone(),
            max_keyvalue: self.max_keyvalue,
            precise_clocks: self.precise_clocks.then_some(true),
            max_memory: self.max_memory,
            call_timeout: self.call_timeout,
            require_sha256: said(&self.trust.require_sha256),
            require_signature: said(&self.trust.require_signature),
            ..ServiceSettings::default()
        }
    }

    /// How a handler is served that is not told more than this.
    pub fn serving(&self, handler: &Path) -> Result<ServeConfig, ConfigError> {
        let handler = Some(handler.to_owned());
        let settings = self.settings();
        let serving = ServiceSettings {
            handler,
            ..settings
        }
        .serving()?;
        config::check_grants(&serving, config::cache(self.cache.clone()).as_deref())?;
        Ok(serving)
    }

    /// An engine that runs one instance at a time.
    pub fn small_engine(&self) -> Result<Engine, EngineError> {
        Engine::new(
            Capacity::of(1),
            config::cache(self.cache.clone()).as_deref(),
        )
    }
}

/// The values of an option that can be repeated, if it was given.
pub fn said<T: Clone>(given: &[Items<T>]) -> Option<Vec<T>> {
    let all: Vec<_> = Items::all(given).collect();
    (!all.is_empty()).then_some(all)
}

/// The handler of a command that must be given one.
#[derive(Debug, Args)]
pub struct HandlerArg {
    /// The handler: a component in binary (.wasm) or text (.wat) form
    pub handler: PathBuf,
}
