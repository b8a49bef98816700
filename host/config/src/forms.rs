//! How each type of value is written.

use super::value::{self, Form, Text};
use super::values::{
    FileMode, MemorySize, MessageSize, OptionalNumber, OptionalPath, OptionalSize, OptionalTime,
    ServiceName, Size, Time,
};
use super::{LogConnections, LogFormat, LogLevel, WebSocketPage};
use address::{Endpoint, NetworkAddress};
use connection::generation::SwapPolicy;
use engine::{Directory, Isolation, Wipe};
use framing::Framing;
use keyvalue::StoreUri;
use serde::de::{Deserialize, Deserializer};
use server::admission::{Network, Origin, Subprotocol};
use server::listener::Owner;
use server::telnet::Interrupt;
use std::path::Path;
use system::confinement::{Identity, Sandbox};
use system::trust::{FileHash, SignerKey};
use websocket::MessageType;

const SIZE: &str = r"^[0-9.]+ *([kKmMgGtT]i?)?[bB]?$";
const SIZE_BELOW_TERABYTES: &str = r"^[0-9.]+ *([kKmMgG]i?)?[bB]?$";
const ANYTHING: &str = r"^.+$";

/// Values that are no paths.
macro_rules! texts {
    ($($type:ty = $form:expr;)*) => {
        $(
            impl Text for $type {
                const FORM: Form = $form;
            }
        )*
    };
}

texts! {
    Size = Form::number("SIZE", "a size such as 512 or \"64KiB\"", SIZE);
    MemorySize = Form::number("SIZE", "a size such as \"64MiB\"", SIZE_BELOW_TERABYTES);
    MessageSize = Form::number("SIZE", "a size such as 512 or \"64KiB\"", SIZE_BELOW_TERABYTES);
    OptionalSize = Form::number("SIZE", "a size such as \"1MiB\", or \"off\"",
        r"^(off|[0-9.]+ *([kKmMgGtT]i?)?[bB]?)$");
    OptionalNumber = Form::number("N", "a whole number such as 3, or \"off\"",
        r"^(off|[1-9][0-9]*)$");
    Time = Form::text("TIME", "a time such as \"500ms\" or \"2min\"", r"^([0-9]+ *[a-zA-Zµ]+ *)+$");
    OptionalTime = Form::text("TIME", "a time such as \"10min\", or \"off\"",
        r"^(off|([0-9]+ *[a-zA-Zµ]+ *)+)$");
    FileMode = Form::text("MODE", "permissions in octal digits such as \"660\"", r"^[0-7]+$");
    ServiceName = Form::text("NAME", "a service's name", r"^[a-z0-9-]+$");
    NetworkAddress = Form::text("HOST:PORT", "a host and a port such as \"db.internal:5432\"",
        r"^.+:[0-9]+$");
    Network = Form::text("NETWORK", "a network such as \"192.0.2.0/24\"",
        r"^[0-9a-fA-F:.]+(%[^/ ]+)?(/[0-9]+)?$");
    Origin = Form::text("ORIGIN", "an origin such as \"https://example.org\", or \"*\"",
        r"^([a-zA-Z0-9]+://[^/]+|\*)$");
    Subprotocol = Form::text("PROTOCOL", "the name of a subprotocol such as \"mqtt\"",
        r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$");
    MessageType = Form::choice("TYPE", MessageType::NAMES, MessageType::HELP);
    Owner = Form::text("USER[:GROUP]", "a user and a group such as \"www-data:www-data\"",
        ANYTHING);
    Identity = Form::text("USER[:GROUP]", "a user such as \"www-data\" or \"www-data:www-data\"",
        ANYTHING);
    Framing = Form::text("FRAMING", "a framing such as \"lines\" or \"fixed:64\"",
        concat!(
            r"^(chunks|lines|varint|netstring|cobs|slip|length-prefixed:[124]",
            r"|length-field:[0-9]+,[1-8](,le)?(,adjust=-?[1-9][0-9]*)?(,keep-header)?",
            r"|delimited:([0-9a-fA-F]{2})+|fixed:[1-9][0-9]*)$",
        ));
    StoreUri = Form::text("STORE", "\"memory\", or a Redis database such as \"redis://127.0.0.1:6379/0\"",
        r"^(memory|rediss?://.+|redis\+unix:.+)$");
    FileHash = Form::text("HASH", "a SHA-256 in hexadecimal digits", r"^[0-9a-fA-F]{64}$");
    Isolation = Form::choice("WHAT", Isolation::NAMES, Isolation::HELP);
    SwapPolicy = Form::choice("WHAT", SwapPolicy::NAMES, SwapPolicy::HELP);
    Sandbox = Form::choice("WHEN", Sandbox::NAMES, Sandbox::HELP);
    Interrupt = Form::choice("WHAT", Interrupt::NAMES, Interrupt::HELP);
    Wipe = Form::choice("WHAT", Wipe::NAMES, Wipe::HELP);
    WebSocketPage = Form::choice("WHETHER", WebSocketPage::NAMES, WebSocketPage::HELP);
    LogConnections = Form::choice("WHETHER", LogConnections::NAMES, LogConnections::HELP);
    LogFormat = Form::choice("FORMAT", LogFormat::NAMES, LogFormat::HELP);
    LogLevel = Form::choice("LEVEL", LogLevel::NAMES, LogLevel::HELP);
}

impl Text for OptionalPath {
    const FORM: Form = Form::text("PATH", "a path, or \"off\"", ANYTHING);

    fn move_to(&mut self, folder: &Path) {
        if let OptionalPath::At(path) = self {
            *path = folder.join(&path);
        }
    }
}

/// As a key.
impl<'de> Deserialize<'de> for ServiceName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        value::read(deserializer)
    }
}

impl Text for Endpoint {
    const FORM: Form = Form::text(
        "URI",
        "an address such as \"tcp://127.0.0.1:8888\"",
        r"^(tcp://|tls://|telnet://|udp://|ws://|wss://|unix:|stdio:)",
    );

    fn move_to(&mut self, folder: &Path) {
        if let Endpoint::Unix(address) = self {
            address.move_to(folder);
        }
    }
}

impl Text for Directory {
    const FORM: Form = Form::text(
        "HOST[::GUEST]",
        "a directory such as \"/srv/data::/data\"",
        ANYTHING,
    );

    fn move_to(&mut self, folder: &Path) {
        self.host = folder.join(&self.host);
    }
}

impl Text for SignerKey {
    const FORM: Form = Form::text("KEY", "a minisign key, or its file", ANYTHING);

    fn move_to(&mut self, folder: &Path) {
        if let SignerKey::File(path) = self {
            *path = folder.join(&path);
        }
    }
}
