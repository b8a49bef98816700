//! The handlers that this program contains: for a first try, and without a Wasm toolchain.
//!
//! `cargo xtask build-demos` makes the files in `demos/` from the handlers in `guest/`.

use crate::kinds::isolation::Isolation;
use std::borrow::Cow;
use std::io;
use std::path::Path;

/// More than the largest of them, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// A handler that this program contains.
#[derive(Debug, PartialEq, Eq)]
pub struct Demo {
    /// The name by which it is served.
    pub name: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// A client to try it with, while it listens on the default address.
    pub client: &'static str,
    /// How it is served if nothing else is asked for.
    pub isolation: Isolation,
    packed: Packed,
}

#[derive(Debug, PartialEq, Eq)]
enum Packed {
    /// A component in text form.
    Text(&'static str),
    /// A component in binary form, compressed with Zstandard.
    Zstd(&'static [u8]),
}

macro_rules! demos {
    ($($name:literal, $isolation:ident: $about:literal, $client:literal;)*) => {
        /// All of them, the built-in echo first.
        pub const DEMOS: &[Demo] = &[
            Demo {
                name: "echo",
                about: "sends everything back",
                client: "telnet localhost 8888",
                isolation: Isolation::Connection,
                packed: Packed::Text(include_str!("../../../../guest/echo.wat")),
            },
            $(Demo {
                name: $name,
                about: $about,
                client: $client,
                isolation: Isolation::$isolation,
                packed: Packed::Zstd(include_bytes!(concat!("../../demos/", $name, ".wasm.zst"))),
            },)*
        ];
    };
}

demos! {
    "hello", Connection: "answers `Hello, client!`, and logs what it receives", "telnet localhost 8888";
    "upper", Connection: "answers in capital letters", "telnet localhost 8888";
    "reverse", Connection: "answers each line reversed", "telnet localhost 8888";
    "counter", Connection: "counts the lines of each client", "telnet localhost 8888";
    "calc", Connection: "a calculator: computes each line", "telnet localhost 8888";
    "chat", Shared: "a chat with rooms, for several clients", "telnet localhost 8888";
    "kv", Shared: "keeps keys and values: a part of Redis", "redis-cli -p 8888";
    "http-hello", Connection: "a web server with one page", "curl http://localhost:8888/";
    "smtp-sink", Connection: "accepts mail, logs it and drops it", "swaks --server localhost:8888 --to you@example.org";
    "wordcount", Connection: "a plain program: counts lines, words and bytes", "nc -N localhost 8888 < README.md";
}

impl Demo {
    /// The built-in echo.
    pub fn echo() -> &'static Self {
        &DEMOS[0]
    }

    /// The demo of this name.
    pub fn named(name: &Path) -> Option<&'static Self> {
        DEMOS.iter().find(|demo| name.as_os_str() == demo.name)
    }

    /// The component in text or binary form.
    pub(super) fn bytes(&self) -> io::Result<Cow<'static, [u8]>> {
        match self.packed {
            Packed::Text(text) => Ok(Cow::Borrowed(text.as_bytes())),
            Packed::Zstd(bytes) => zstd::bulk::decompress(bytes, MAX_BYTES).map(Cow::Owned),
        }
    }
}

/// What there is instead of a missing file, if its path looks like an example or like the name of a
/// demo.
pub fn instead_of(path: &Path) -> Option<String> {
    let demo = path
        .file_stem()
        .and_then(|stem| Demo::named(Path::new(stem)));
    let demo = demo.map(|demo| format!("`{}` is a demo that needs no file", demo.name));
    let list = "`echo-host demos` lists handlers that need no file".to_owned();
    if path
        .parent()
        .is_some_and(|folder| folder.ends_with("target/guests"))
    {
        let instead = demo.unwrap_or(list);
        return Some(format!("`cargo xtask build-guests` builds it; {instead}"));
    }
    let is_name = path.components().count() == 1 && path.extension().is_none();
    demo.or(is_name.then_some(list))
}
