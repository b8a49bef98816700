//! The templates, and other files of this repository for new folders.

use super::Start;
use engine::{HandlerKind, Language};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};

/// A path and its text.
type Template = (&'static str, &'static str);

/// Files below a folder of the repository.
macro_rules! files {
    ($folder:literal: $($path:literal,)*) => {
        &[$(($path, include_str!(concat!("../../../../", $folder, "/", $path)))),*]
    };
}

/// Paths are `LANGUAGE/PART/PATH`: the part is `all`, `handler` for all except programs, a kind, or
/// a template.
pub const TEMPLATES: &[Template] = files! {
    "host/tools/templates":
    "c/all/.gitignore",
    "c/all/README.md",
    "c/conversation/src/handler.c",
    "c/conversation/src/kit.c",
    "c/conversation/src/kit.h",
    "c/conversation/test/handler_test.c",
    "c/conversation/test/host.c",
    "c/conversation/test/host.h",
    "c/conversation/test/kit_test.c",
    "c/conversation/test/store.c",
    "c/conversation/wit/handler.wit",
    "c/framed-responder/src/handler.c",
    "c/framed-responder/test/handler_test.c",
    "c/handler/Makefile",
    "c/handler/handler.toml",
    "c/program/Makefile",
    "c/program/handler.toml",
    "c/program/src/handler.c",
    "c/responder/src/handler.c",
    "c/responder/test/handler_test.c",
    "go/all/.gitignore",
    "go/all/README.md",
    "go/conversation/counter/counter.go",
    "go/conversation/counter/counter_test.go",
    "go/conversation/export_echo_host_handler_conversation/session.go",
    "go/conversation/export_echo_host_handler_manifest/manifest.go",
    "go/conversation/handler.toml",
    "go/conversation/kit/config/config.go",
    "go/conversation/kit/config/config_test.go",
    "go/conversation/kit/config/config_wasip1.go",
    "go/conversation/kit/config/fake.go",
    "go/conversation/kit/keyvalue/host_wasip1.go",
    "go/conversation/kit/keyvalue/keyvalue.go",
    "go/conversation/kit/keyvalue/keyvalue_test.go",
    "go/conversation/kit/keyvalue/memory.go",
    "go/conversation/kit/kit.go",
    "go/conversation/kit/kit_test.go",
    "go/conversation/kit/kittest/connection.go",
    "go/conversation/kit/outgoing/fake.go",
    "go/conversation/kit/outgoing/host_wasip1.go",
    "go/conversation/kit/outgoing/outgoing.go",
    "go/conversation/kit/outgoing/outgoing_test.go",
    "go/conversation/wit/handler.wit",
    "go/framed-responder/export_echo_host_handler_manifest/manifest.go",
    "go/framed-responder/export_wit_world/handler.go",
    "go/framed-responder/export_wit_world/handler_test.go",
    "go/framed-responder/handler.toml",
    "go/handler/Makefile",
    "go/handler/go.mod",
    "go/handler/memory/memory.go",
    "go/handler/memory/memory_test.go",
    "go/program/Makefile",
    "go/program/go.mod",
    "go/program/handler.toml",
    "go/program/main.go",
    "go/program/main_test.go",
    "go/responder/export_wit_world/handler.go",
    "go/responder/export_wit_world/handler_test.go",
    "go/responder/handler.toml",
    "javascript/all/.gitignore",
    "javascript/all/Makefile",
    "javascript/all/README.md",
    "javascript/all/handler.toml",
    "javascript/all/package.json",
    "javascript/conversation/src/handler.js",
    "javascript/conversation/src/kit/config.js",
    "javascript/conversation/src/kit/connection.js",
    "javascript/conversation/src/kit/keyvalue.js",
    "javascript/conversation/src/kit/outgoing.js",
    "javascript/conversation/src/kit/testing/config.js",
    "javascript/conversation/src/kit/testing/connection.js",
    "javascript/conversation/src/kit/testing/keyvalue.js",
    "javascript/conversation/src/kit/testing/outgoing.js",
    "javascript/conversation/test/handler.test.js",
    "javascript/conversation/test/kit.test.js",
    "javascript/conversation/wit/handler.wit",
    "javascript/framed-responder/src/handler.js",
    "javascript/framed-responder/test/handler.test.js",
    "javascript/program/src/handler.js",
    "javascript/program/src/lines.js",
    "javascript/program/test/lines.test.js",
    "javascript/program/wit/program.wit",
    "javascript/responder/src/handler.js",
    "javascript/responder/test/handler.test.js",
    "python/all/.gitignore",
    "python/all/Makefile",
    "python/all/README.md",
    "python/all/handler.toml",
    "python/all/requirements.txt",
    "python/conversation/src/conversation.py",
    "python/conversation/src/handler.py",
    "python/conversation/src/kit/__init__.py",
    "python/conversation/src/kit/config.py",
    "python/conversation/src/kit/keyvalue.py",
    "python/conversation/src/kit/outgoing.py",
    "python/conversation/src/kit/testing/__init__.py",
    "python/conversation/src/kit/testing/config.py",
    "python/conversation/src/kit/testing/keyvalue.py",
    "python/conversation/src/kit/testing/outgoing.py",
    "python/conversation/test/test_handler.py",
    "python/conversation/test/test_kit.py",
    "python/conversation/wit/handler.wit",
    "python/framed-responder/src/handler.py",
    "python/framed-responder/test/test_handler.py",
    "python/program/src/handler.py",
    "python/program/test/test_handler.py",
    "python/program/wit/program.wit",
    "python/responder/src/handler.py",
    "python/responder/test/test_handler.py",
    "rust/all/.gitignore",
    "rust/all/README.md",
    "rust/binary-protocol/src/frame.rs",
    "rust/binary-protocol/src/lib.rs",
    "rust/chat-room/src/lib.rs",
    "rust/chat-room/src/room.rs",
    "rust/conversation/src/lib.rs",
    "rust/framed-responder/src/lib.rs",
    "rust/handler/Cargo.toml",
    "rust/handler/handler.toml",
    "rust/http/src/lib.rs",
    "rust/http/src/pages.rs",
    "rust/http/src/request.rs",
    "rust/http/src/response.rs",
    "rust/line-protocol/src/command.rs",
    "rust/line-protocol/src/lib.rs",
    "rust/line-protocol/src/tasks.rs",
    "rust/program/Cargo.toml",
    "rust/program/handler.toml",
    "rust/program/src/main.rs",
    "rust/responder/src/lib.rs",
    "rust/store/src/command.rs",
    "rust/store/src/lib.rs",
};

/// A recorded exchange for each kind and template.
pub const EXCHANGES: &[Template] = files! {
    "host/tools/templates/exchanges":
    "binary-protocol.exchange",
    "chat-room.exchange",
    "conversation.exchange",
    "framed-responder.exchange",
    "http.exchange",
    "line-protocol.exchange",
    "program.exchange",
    "responder.exchange",
    "store.exchange",
};

/// The contract, and other interfaces that handlers may import.
pub const WIT: &[Template] = files! {
    "wit":
    "connections.wit",
    "conversation.wit",
    "deps/config.wit",
    "deps/keyvalue.wit",
    "deps/logging.wit",
    "manifest.wit",
    "securing.wit",
    "types.wit",
    "worlds.wit",
};

/// The Rust crate for handlers, without its copy of the contract.
pub const SDK: &[Template] = files! {
    "guest/sdk":
    "Cargo.toml",
    "src/about.rs",
    "src/bindings.rs",
    "src/config.rs",
    "src/connection.rs",
    "src/failure.rs",
    "src/keyvalue/host.rs",
    "src/keyvalue/mod.rs",
    "src/lib.rs",
    "src/logging.rs",
    "src/outgoing/host.rs",
    "src/outgoing/mod.rs",
    "src/outgoing/sockets.wit",
    "src/responder.rs",
    "src/session.rs",
    "src/testing/config.rs",
    "src/testing/keyvalue.rs",
    "src/testing/line.rs",
    "src/testing/mod.rs",
    "src/testing/outgoing.rs",
    "src/testing/received.rs",
    "src/testing/tests.rs",
    "src/text.rs",
    "src/timer.rs",
};

/// The parts of WASI that a TCP client needs, for kits that connect with them.
const SOCKETS: &[Template] = &[(
    "sockets.wit",
    include_str!("../../../../guest/sdk/src/outgoing/sockets.wit"),
)];

/// The settings to build components with Rust.
const BUILD_SETTINGS: &[Template] =
    &[("config.toml", include_str!("../../../../guest/build.toml"))];

/// The files of a language and a kind or template, by path in the new folder.
pub fn of(start: Start) -> impl Iterator<Item = Template> {
    let parts = match start.tier() {
        HandlerKind::Program => ["all", start.folder(), ""],
        _ => ["all", "handler", start.folder()],
    };
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    let parts = parts.map(move |part| format!("{}/{part}/", start.language().name()));
    parts.flat_map(|part| {
        TEMPLATES
            .iter()
            .filter_map(move |(path, text)| Some((path.strip_prefix(&part)?, *text)))
    })
}

/// The recorded exchange: the same for all languages.
pub fn exchange(start: Start) -> &'static str {
    let name = format!("{}.exchange", start.folder());
    let exchange = EXCHANGES.iter().find(|(path, _)| *path == name);
    exchange.expect("each kind and template has one").1
}

/// Files copied unchanged: the contract, except for programs, and what the language needs.
pub fn unchanged(start: Start) -> Vec<(String, &'static [u8])> {
    let (language, tier) = (start.language(), start.tier());
    let mut files = Vec::new();
    let mut put = |folder: &str, templates: &[Template]| {
        let placed = |(path, text): &Template| (format!("{folder}{path}"), text.as_bytes());
        files.extend(templates.iter().map(placed));
    };
    match (language, tier) {
        (Language::Rust, HandlerKind::Program) => put(".cargo/", BUILD_SETTINGS),
        (Language::Rust, _) => {
            put(".cargo/", BUILD_SETTINGS);
            put("echo-host-guest/", SDK);
            put("echo-host-guest/wit/", WIT);
        }
        (_, HandlerKind::Program) => {}
        (Language::Go | Language::JavaScript, HandlerKind::Conversation) => {
            put("wit/", WIT);
            put("wit/deps/", SOCKETS);
        }
        _ => put("wit/", WIT),
    }
    if matches!(language, Language::C | Language::Go) {
        let adapter = match tier {
            HandlerKind::Program => WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
            _ => WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
        };
        files.push(("wasi_snapshot_preview1.wasm".to_owned(), adapter));
    }
    files
}
