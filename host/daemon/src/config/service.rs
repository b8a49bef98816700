//! What a service is told.

use super::listener::ListenerSettings;
use super::values::{
    MemorySize, MessageSize, OptionalNumber, OptionalSize, OptionalTime, Size, Time,
};
use super::written;
use connection::address::NetworkAddress;
use connection::framing::Framing;
use connection::generation::Move;
use engine::{Directory, Isolation};
use keyvalue::StoreUri;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use system::trust::{FileHash, SignerKey};

/// All that can be said about one service, none of which has to be. The options of `serve`, their variables, and
/// a service's table in the configuration file all become this.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ServiceSettings {
    /// A component in binary (.wasm) or text (.wat) form. Default: the built-in echo.
    pub handler: Option<PathBuf>,
    /// More responders, each of which is given what the one before it replies, and none that replies nothing.
    /// Default: none.
    pub then: Option<Vec<PathBuf>>,
    /// The SHA-256 that a handler's file must have, as sha256sum prints it; one of them, if there are several.
    /// Default: any.
    #[cfg_attr(test, schemars(with = "Option<Vec<crate::config::schema::FileHash>>"))]
    #[serde(default, deserialize_with = "written::list")]
    pub require_sha256: Option<Vec<FileHash>>,
    /// Minisign keys, or files that have one: a handler's file must be signed with one of them, in NAME.minisig
    /// beside it. Default: none.
    #[cfg_attr(test, schemars(with = "Option<Vec<crate::config::schema::SignerKey>>"))]
    #[serde(default, deserialize_with = "written::list")]
    pub require_signature: Option<Vec<SignerKey>>,
    /// Where the service listens: addresses, or tables that say more about one. All of them share the handler
    /// and its instances; what is to have its own is a service of its own. Default: tcp://127.0.0.1:8888.
    pub listen: Option<Vec<ListenerSettings>>,
    /// How messages are cut out of the stream. Default: what the handler declares, or chunks.
    #[cfg_attr(test, schemars(with = "Option<crate::config::schema::Framing>"))]
    #[serde(default, deserialize_with = "written::option")]
    pub framing: Option<Framing>,
    /// What shares an instance of the handler. Default: connection.
    #[cfg_attr(test, schemars(with = "Option<crate::config::schema::Isolation>"))]
    pub isolation: Option<Isolation>,
    /// Arguments for the handler. Default: none.
    pub args: Option<Vec<String>>,
    /// The handler's environment variables. Default: none.
    pub env: BTreeMap<String, String>,
    /// Directories the handler may read and write, each as HOST or HOST::GUEST. Default: none.
    #[cfg_attr(test, schemars(with = "Option<Vec<crate::config::schema::Directory>>"))]
    #[serde(default, deserialize_with = "written::list")]
    pub dirs: Option<Vec<Directory>>,
    /// Directories the handler may read, each as HOST or HOST::GUEST. Default: none.
    #[cfg_attr(test, schemars(with = "Option<Vec<crate::config::schema::Directory>>"))]
    #[serde(default, deserialize_with = "written::list")]
    pub dirs_ro: Option<Vec<Directory>>,
    /// What the handler finds in wasi:config/store. Default: nothing.
    pub config: BTreeMap<String, String>,
    /// Whom the handler may connect to by TCP, each as HOST:PORT. Default: nobody.
    #[cfg_attr(
        test,
        schemars(with = "Option<Vec<crate::config::schema::NetworkAddress>>")
    )]
    #[serde(default, deserialize_with = "written::list")]
    pub allow_connect: Option<Vec<NetworkAddress>>,
    /// Where what the handler keeps with wasi:keyvalue is kept: memory, or a Redis database such as
    /// redis://127.0.0.1:6379/0. Default: memory.
    #[cfg_attr(test, schemars(with = "Option<crate::config::schema::StoreUri>"))]
    #[serde(default, deserialize_with = "written::option")]
    pub keyvalue: Option<StoreUri>,
    /// What it may keep in memory. Default: 64MiB.
    pub max_keyvalue: Option<Size>,
    /// Whether the handler's clocks tell nanoseconds, with which it can measure what others do on the same
    /// machine, instead of milliseconds. Default: false.
    pub precise_clocks: Option<bool>,
    /// Memory an instance may have. Default: 64MiB.
    pub max_memory: Option<MemorySize>,
    /// Time a call, or making an instance, may take. Default: 5s.
    pub call_timeout: Option<Time>,
    /// The longest message; a client that sends a longer one is disconnected. Default: 1MiB, or less if the
    /// handler declares less.
    pub max_message: Option<MessageSize>,
    /// Bytes that may wait to be sent on a conversation's connection; a slower reader is disconnected.
    /// Default: 1MiB.
    pub max_unsent: Option<Size>,
    /// Connections of the service at once; further clients wait. Default: as many as the host may have.
    pub max_connections: Option<NonZeroUsize>,
    /// New connections of the service in a second; further clients wait. Senders of datagrams are counted apart, and
    /// those beyond the rate are dropped. Off for any number. Default: off.
    pub max_new_connections_per_second: Option<OptionalNumber>,
    /// Messages that all clients of the service may send in a second; further ones wait. Datagrams are counted apart,
    /// and those beyond the rate are dropped. Default: off.
    pub max_messages_per_second: Option<OptionalNumber>,
    /// Bytes that all clients of the service may send in a second; they are not read from until then. Datagrams are
    /// counted apart, and those beyond the rate are dropped. Default: off.
    pub max_bytes_per_second: Option<OptionalSize>,
    /// Closes a connection on which no byte moves for so long; off for never. Default: 10min.
    pub idle_timeout: Option<OptionalTime>,
    /// How long connections may stay with a handler that was swapped out, or go on when the service is taken
    /// out of the file. Default: with a handler, for as long as they like; of a service, as the host says.
    pub drain_timeout: Option<Time>,
    /// Swaps the handler whenever its file changes. Default: false.
    pub watch: Option<bool>,
    /// What open connections do at a swap. Default: new-connections.
    #[cfg_attr(test, schemars(with = "Option<crate::config::schema::Move>"))]
    pub swap: Option<Move>,
    /// Files of recorded exchanges that every version must answer before it serves. Default: none.
    pub probes: Option<Vec<PathBuf>>,
    /// Interfaces, or the beginnings of their names, that a new version may import though the one before did
    /// not. Default: none.
    pub allow_imports: Option<Vec<String>>,
    /// Swaps back if more than so many calls of a new version fail in its first minute. Default: never.
    pub rollback_after: Option<u64>,
}

impl ServiceSettings {
    /// What is said here, and for the rest what `lower` says. Variables and values of both count, each by its
    /// name.
    pub fn or(self, lower: Self) -> Self {
        ServiceSettings {
            handler: self.handler.or(lower.handler),
            then: self.then.or(lower.then),
            require_sha256: self.require_sha256.or(lower.require_sha256),
            require_signature: self.require_signature.or(lower.require_signature),
            listen: self.listen.or(lower.listen),
            framing: self.framing.or(lower.framing),
            isolation: self.isolation.or(lower.isolation),
            args: self.args.or(lower.args),
            env: lower.env.into_iter().chain(self.env).collect(),
            dirs: self.dirs.or(lower.dirs),
            dirs_ro: self.dirs_ro.or(lower.dirs_ro),
            config: lower.config.into_iter().chain(self.config).collect(),
            allow_connect: self.allow_connect.or(lower.allow_connect),
            keyvalue: self.keyvalue.or(lower.keyvalue),
            max_keyvalue: self.max_keyvalue.or(lower.max_keyvalue),
            precise_clocks: self.precise_clocks.or(lower.precise_clocks),
            max_memory: self.max_memory.or(lower.max_memory),
            call_timeout: self.call_timeout.or(lower.call_timeout),
            max_message: self.max_message.or(lower.max_message),
            max_unsent: self.max_unsent.or(lower.max_unsent),
            max_connections: self.max_connections.or(lower.max_connections),
            max_new_connections_per_second: self
                .max_new_connections_per_second
                .or(lower.max_new_connections_per_second),
            max_messages_per_second: self
                .max_messages_per_second
                .or(lower.max_messages_per_second),
            max_bytes_per_second: self.max_bytes_per_second.or(lower.max_bytes_per_second),
            idle_timeout: self.idle_timeout.or(lower.idle_timeout),
            drain_timeout: self.drain_timeout.or(lower.drain_timeout),
            watch: self.watch.or(lower.watch),
            swap: self.swap.or(lower.swap),
            probes: self.probes.or(lower.probes),
            allow_imports: self.allow_imports.or(lower.allow_imports),
            rollback_after: self.rollback_after.or(lower.rollback_after),
        }
    }

    /// Has its paths begin in `folder`, unless they are absolute.
    pub(super) fn move_to(&mut self, folder: &Path) {
        let probes = self.probes.iter_mut().flatten();
        let listeners = self.listen.iter_mut().flatten();
        listeners.for_each(|listener| listener.move_to(folder));
        let directories = self.dirs.iter_mut().chain(&mut self.dirs_ro).flatten();
        let directories = directories.map(|it| &mut it.host);
        let handlers = self
            .handler
            .iter_mut()
            .chain(self.then.iter_mut().flatten());
        let keys = self.require_signature.iter_mut().flatten();
        let keys = keys.filter_map(|key| match key {
            SignerKey::Key(_) => None,
            SignerKey::File(path) => Some(path),
        });
        for path in handlers.chain(probes).chain(directories).chain(keys) {
            *path = folder.join(&path);
        }
    }
}
