//! The options of a service.

use super::ListenerSettings;
use super::about::{Listed, limit};
use crate::value::{Form, IN_THE_FILE, Number, Value};
use crate::values::{
    MemorySize, MessageSize, OptionalNumber, OptionalSize, OptionalTime, ServiceName, Size, Time,
};
use address::NetworkAddress;
use connection::generation::SwapPolicy;
use engine::{ComponentSource, Directory, Isolation};
use framing::Framing;
use keyvalue::StoreUri;
use serde::de::{Deserialize, Deserializer};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use system::trust::{FileHash, SignerKey};

options! {
    /// What a service is told.
    Service ServiceSettings {
        /// Serve this component, in binary (.wasm) or text (.wat) form, or a demo
        handler: ComponentSource
            => General {
                flag: Some("HANDLER"), value: Some("HANDLER"), otherwise: Some("the built-in echo"),
                sample: Some("echo.wasm")
            };
        /// Send each reply through this responder, too
        then: Vec<ComponentSource>
            => General { value: Some("HANDLER") };
        /// Listen on `tcp://ADDR:PORT`, or `tls:`, `telnet:`, `udp:`, `ws:`, `wss:`, `unix:`,
        /// `stdio:`
        listen: Vec<ListenerSettings> = "tcp://127.0.0.1:8888"
            => General { short: Some('l'), value: Some("URI"), listed: Listed::Commas };
        /// Cut messages by `lines`, `delimited:HEX`, `fixed:N`, `varint` or another framing
        framing: Framing
            => General {
                otherwise: Some("what the handler declares, or chunks"), sample: Some("lines")
            };
        /// Choose what shares an instance of the handler
        isolation: Isolation = "connection"
            => General {};
        /// Give the handler an argument
        args: Vec<String>
            => Sandbox { flag: Some("arg"), may_have_hyphen: true };
        /// Give the handler an environment variable
        env: BTreeMap<String, String>
            => Sandbox { is_secret: true };
        /// Let the handler read and write this directory, as GUEST if named
        dirs: Vec<Directory>
            => Sandbox { flag: Some("dir") };
        /// Let the handler read this directory, as GUEST if named
        dirs_ro: Vec<Directory>
            => Sandbox { flag: Some("dir-ro") };
        /// Give the handler a value in `wasi:config/store`
        config: BTreeMap<String, String>
            => Sandbox { flag: Some("config-value"), is_secret: true };
        /// Let the handler connect to HOST:PORT over TCP
        allow_connect: Vec<NetworkAddress>
            => Sandbox { listed: Listed::CommasEverywhere };
        /// Store `wasi:keyvalue` data in `memory`, or in `redis://ADDR:PORT/DATABASE`
        keyvalue: StoreUri = "memory"
            => Sandbox { is_secret: true };
        /// Limit the size of the store in memory
        max_keyvalue: Size = "64MiB"
            => Sandbox {
                reached: limit(
                    "bytes of keys and values in memory, plus 128 each",
                    "nothing: the handler gets an error",
                    "warning of the handler: `the store is full`",
                )
            };
        /// Give the handler clocks in nanoseconds instead of milliseconds
        precise_clocks: bool = "false"
            => Sandbox {};
        /// Limit the memory of one instance
        max_memory: MemorySize = "64MiB"
            => Sandbox {
                reached: limit(
                    "bytes of an instance (1)", "gets earlier replies, then closed",
                    "warning: `the handler ran out of its … bytes of memory`",
                )
            };
        /// Limit the time of one call, or to start an instance
        call_timeout: Time = "5s"
            => Sandbox {
                reached: limit(
                    "time of a call, or of an instance's start", "gets earlier replies, then closed",
                    "warning: `the handler took longer than …`",
                )
            };
        /// Serve only handler files with this SHA-256, as sha256sum prints it
        require_sha256: Vec<FileHash>
            => Trust { listed: Listed::CommasEverywhere };
        /// Serve only handler files signed with this minisign key, or that in this file
        require_signature: Vec<SignerKey>
            => Trust {};
        /// Limit the size of a message; a longer one ends the connection
        max_message: MessageSize = "1MiB"
            => Limits {
                otherwise: Some("or less if the handler declares less"),
                reached: limit(
                    "bytes", "gets earlier replies, then closed; rest of a datagram dropped",
                    "warning: `a message is longer than the limit`",
                )
            };
        /// Limit the unsent bytes of a conversation; a slower peer is disconnected
        max_unsent: Size = "1MiB"
            => Limits {
                reached: limit(
                    "unsent bytes of a conversation", "connection closed", "warning: `the client reads too slowly`",
                )
            };
        /// Limit the open connections of the service; further clients wait
        max_connections: NonZeroUsize
            => Limits {
                is_key_only: true, otherwise: Some("as many as the host may have"),
                sample: Some("800")
            };
        /// Close a connection after this long without traffic; `off` for never
        idle_timeout: OptionalTime = "10min"
            => Limits {
                reached: limit("time without traffic", "connection closed", "`no byte moved for …`")
            };
        /// Cut connections this long after a swap, or after their service was removed
        drain_timeout: Time
            => Limits {
                is_key_only: true, otherwise: Some("none after a swap, the host's at the end"),
                sample: Some("1min")
            };
        /// Limit new connections per second of a service
        max_new_connections_per_second: OptionalNumber = "off"
            => Rates {
                reached: limit(
                    "new connections of a service",
                    "waits; a new sender's datagram is dropped", "--",
                )
            };
        /// Limit messages per second of a service
        max_messages_per_second: OptionalNumber = "off"
            => Rates {
                reached: limit("messages of a service", "waits; datagram dropped", "--")
            };
        /// Limit bytes read per second by a service
        max_bytes_per_second: OptionalSize = "off"
            => Rates {
                reached: limit("bytes read by a service", "not read; datagram dropped", "--")
            };
        /// Swap the handler when its file changes
        watch: bool = "false"
            => Swapping {};
        /// Choose what open connections do during a swap
        swap: SwapPolicy = "new-connections"
            => Swapping {};
        /// Require that every version passes the recorded exchanges in this file
        probes: Vec<PathBuf>
            => Swapping { flag: Some("probe") };
        /// Let new versions import this interface, or those with this prefix, as well
        allow_imports: Vec<String>
            => Swapping { flag: Some("allow-import"), value: Some("INTERFACE") };
        /// Roll back after more than this many failed calls in the first minute
        rollback_after: u64
            => Swapping { otherwise: Some("never"), sample: Some("3") };
    }
}

/// Tables with names of their own, in the file only.
impl Value for BTreeMap<ServiceName, ServiceSettings> {
    const FORM: Form = Form::of_type("", &["object"]).times(Number::Tables);

    fn parse(_: &OsStr) -> Result<Self, String> {
        Err(IN_THE_FILE.to_owned())
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }

    fn schema() -> Json {
        json!({
            "additionalProperties": false,
            "patternProperties": {
                (ServiceName::FORM.pattern): { "$ref": "#/definitions/ServiceSettings" },
            },
            "type": "object",
        })
    }

    fn move_to(&mut self, folder: &Path) {
        self.values_mut()
            .for_each(|service| service.move_to(folder));
    }
}
