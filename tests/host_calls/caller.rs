//! Conversations that call one function of the host, each generated for its function.
//!
//! With the first message a session prepares itself, with the second it calls.

use super::arguments::{Arguments, Fill, LISTS, SHORT};
use super::offer::Offer;
use std::collections::BTreeSet;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::abi::{AbiVariant, WasmType};

/// Maximum length of a list, in bytes.
pub const MOST_BYTES: u32 = 17 << 20;

/// How a guest gets a handle of each resource that is available to it.
const HANDLES: [(&str, &str); 13] = [
    ("connection", "global.get $connection"),
    ("input-stream", "call $wasi:cli/stdin#get-stdin"),
    ("output-stream", "call $wasi:cli/stdout#get-stdout"),
    ("pollable", "i64.const 0 call $wasi:clocks/monotonic-clock#subscribe-duration"),
    ("network", "call $wasi:sockets/instance-network#instance-network"),
    ("tcp-socket", "i32.const 0 i32.const 0x1000 call $wasi:sockets/tcp-create-socket#create-tcp-socket"),
    ("udp-socket", "i32.const 0 i32.const 0x1000 call $wasi:sockets/udp-create-socket#create-udp-socket"),
    (
        "resolve-address-stream",
        "call $wasi:sockets/instance-network#instance-network i32.const 0x820 i32.const 9 i32.const 0x1000
        call $wasi:sockets/ip-name-lookup#resolve-addresses",
    ),
    ("bucket", "i32.const 0x800 i32.const 1 i32.const 0x1000 call $wasi:keyvalue/store#open"),
    (
        "cas",
        "call $bucket i32.const 0x800 i32.const 1 i32.const 0x1000 call $wasi:keyvalue/atomics#<static>cas.new",
    ),
    ("folder", "i32.const 0x1000 call $wasi:filesystem/preopens#get-directories"),
    (
        "file",
        "call $folder i32.const 0 i32.const 0x800 i32.const 1 i32.const 1 i32.const 3 i32.const 0x1000
        call $wasi:filesystem/types#<method>descriptor.open-at",
    ),
    (
        "directory-entry-stream",
        "call $folder i32.const 0x1000 call $wasi:filesystem/types#<method>descriptor.read-directory",
    ),
];

/// The component that calls a function with lists of N bytes.
pub fn component(
    offer: &Offer,
    interface: &str,
    name: &str,
    bytes: u32,
    encoding: StringEncoding,
) -> Vec<u8> {
    let (_, function) = offer.function(interface, name);
    let arguments = Arguments::new(offer, function, bytes, encoding);
    let signature = offer
        .resolve
        .wasm_signature(AbiVariant::GuestImport, function);
    let returned = if signature.retptr {
        "i32.const 0x1000"
    } else {
        ""
    };
    let call = format!(
        "{} {returned} call ${interface}#{} {}",
        arguments.instructions(function),
        name.replace('[', "<").replace(']', ">"),
        "drop ".repeat(signature.results.len())
    );
    let asked = Asked {
        call,
        fill: arguments.fill,
        filled: MOST_BYTES,
    };
    encode(offer, interface, name, &asked, encoding)
}

/// Maximum number of core WebAssembly values of a function, and their position in a message.
pub const VALUES: usize = 16;
const VALUE_BYTES: usize = 8;
/// The address of the data behind them during the call.
pub const DATA: u32 = LISTS + (VALUES * VALUE_BYTES) as u32;
/// Maximum length of a message.
pub const MESSAGE_BYTES: u32 = 4096;

/// The component that calls a function with arguments from the second message: its values, eight
/// bytes each, then the data they may point to. Where a handle is required, an odd number stands
/// for an existing one.
pub fn obedient(offer: &Offer, interface: &str, name: &str) -> Vec<u8> {
    let (_, function) = offer.function(interface, name);
    let signature = offer
        .resolve
        .wasm_signature(AbiVariant::GuestImport, function);
    let mut params = signature.params.as_slice();
    let mut returned = "";
    if signature.retptr {
        (_, params) = params.split_last().expect("it is the last one");
        returned = "i32.const 0x1000";
    }
    assert!(params.len() <= VALUES, "{name}");
    let is_method = function.params.first();
    let is_method = is_method.is_some_and(|first| offer.resource(&first.ty).is_some());
    let mut values = String::new();
    for (at, ty) in params.iter().enumerate() {
        let offset = VALUE_BYTES * at;
        let load = format!("({}.load offset={offset} (i32.const {LISTS}))", core(ty));
        values += &match at {
            0 if is_method => {
                let is_odd = format!("(i32.and (i32.const 1) {load})");
                format!("(select (global.get $handle) {load} {is_odd})\n")
            }
            _ => format!("{load}\n"),
        };
    }
    let copied = format!("(i32.const {LISTS}) (global.get $message) (i32.const {MESSAGE_BYTES})");
    let asked = Asked {
        call: format!(
            "(memory.copy {copied}) {values} {returned} call ${interface}#{} {}",
            name.replace('[', "<").replace(']', ">"),
            "drop ".repeat(signature.results.len())
        ),
        fill: Fill::Bytes,
        filled: 16,
    };
    encode(offer, interface, name, &asked, StringEncoding::UTF8)
}

/// The parts of a component.
struct Asked {
    /// The instructions of the call.
    call: String,
    /// The content of lists, and its length.
    fill: Fill,
    filled: u32,
}

fn encode(
    offer: &Offer,
    interface: &str,
    name: &str,
    asked: &Asked,
    encoding: StringEncoding,
) -> Vec<u8> {
    let (_, function) = offer.function(interface, name);
    let resource = function
        .params
        .iter()
        .find_map(|param| offer.resource(&param.ty));
    let handle = match resource {
        None => "i32.const 0".to_owned(),
        // None is available.
        Some(resource)
            if resource != "descriptor" && HANDLES.iter().all(|(of, _)| *of != resource) =>
        {
            "i32.const 0".to_owned()
        }
        Some("descriptor") => format!(
            "call ${}",
            if is_of_folder(name) { "folder" } else { "file" }
        ),
        Some(resource) => format!("call ${resource}"),
    };
    let text = module(offer, &handle, asked, encoding);
    let failed = |error: String| -> ! { panic!("{interface} {name}: {error}\n{text}") };
    let mut module = wat::parse_str(&text).unwrap_or_else(|error| failed(error.to_string()));
    embed_component_metadata(&mut module, &offer.resolve, offer.world, encoding).unwrap();
    let encoder = ComponentEncoder::default().validate(true).module(&module);
    let encoded = encoder.and_then(|mut encoder| encoder.encode());
    encoded.unwrap_or_else(|error| failed(format!("{error:#}")))
}

fn is_of_folder(method: &str) -> bool {
    method.ends_with("-at") || method.ends_with("read-directory")
}

/// The functions that create the handles which this code needs, and all the code.
fn functions(code: &str) -> (String, String) {
    let mut wanted = code.to_owned();
    let mut functions = String::new();
    // A function comes after those it needs.
    for (resource, code) in HANDLES.iter().rev() {
        if wanted.contains(&format!("call ${resource}")) {
            wanted = format!("{wanted} {code}");
            let got = match *code {
                code if !code.contains("0x1000") => "",
                // A list of directories with their names, or a result.
                _ if *resource == "folder" => "i32.const 0x1000 i32.load i32.load",
                _ => "i32.const 0x1000 i32.load8_u if unreachable end i32.const 0x1004 i32.load",
            };
            functions += &format!("(func ${resource} (result i32) {code} {got})\n");
        }
    }
    (functions, wanted)
}

fn module(offer: &Offer, handle: &str, asked: &Asked, encoding: StringEncoding) -> String {
    // Six code units.
    let framing = match encoding {
        StringEncoding::UTF8 => "chunks",
        _ => r"c\00h\00u\00n\00k\00s\00",
    };
    let call = &asked.call;
    let (functions, wanted) = functions(&format!("{handle} {call}"));
    let stores = (0..4).map(|at| {
        let value = match asked.fill {
            Fill::Bytes => "(i32.const 0x00610061)".to_owned(),
            Fill::Short => format!("(i32.const {})", if at % 2 == 0 { SHORT } else { 1 }),
            Fill::Handles => "(global.get $handle)".to_owned(),
        };
        format!("(i32.store offset={} (local.get $at) {value})", 4 * at)
    });
    let stores = stores.collect::<Vec<_>>().join("\n");
    let imports = imports(offer, &wanted);
    let conversation = "echo-host:handler/conversation@0.2.0";
    let end = LISTS + MOST_BYTES;
    let filled = LISTS + asked.filled;
    let pages = (64 << 20) >> 16;
    format!(
        r#"(module
        {imports}
        (import "[export]{conversation}" "[resource-new]session" (func $session (param i32) (result i32)))
        (memory (export "memory") {pages})
        (data (i32.const {SHORT}) "b")
        (data (i32.const 0x820) "127.0.0.1")
        (data (i32.const 0x840) "{framing}")
        (data (i32.const 0x900) "\00\08\00\00\01\00\00\00\00\08\00\00\01\00\00\00\40\08\00\00\06\00\00\00\00\01\00\00")
        (global $connection (mut i32) (i32.const 0))
        (global $handle (mut i32) (i32.const 0))
        (global $message (mut i32) (i32.const 0))
        (global $is_prepared (mut i32) (i32.const 0))
        (global $free (mut i32) (i32.const {end}))
        {functions}
        (func (export "cabi_realloc") (param i32 i32 i32) (param $bytes i32) (result i32)
            (global.get $free)
            (global.set $free (i32.and (i32.const -16) (i32.add (global.get $free) (i32.add (local.get $bytes) (i32.const 31))))))
        (func $prepare (local $at i32)
            (global.set $handle {handle})
            (local.set $at (i32.const {LISTS}))
            loop
                {stores}
                (local.set $at (i32.add (local.get $at) (i32.const 16)))
                (br_if 0 (i32.lt_u (local.get $at) (i32.const {filled})))
            end)
        (func $call {call})
        (func (export "{conversation}#[static]session.open") (param $to i32) (param i32 i32 i32) (result i32)
            (global.set $connection (local.get $to))
            (i32.store (i32.const 0xa00) (i32.const 0))
            (i32.store (i32.const 0xa04) (call $session (i32.const 1)))
            (i32.const 0xa00))
        (func (export "{conversation}#[method]session.on-message") (param i32) (param $text i32) (param i32) (result i32)
            (global.set $message (local.get $text))
            (if (global.get $is_prepared) (then (call $call)) (else (call $prepare)))
            (global.set $is_prepared (i32.const 1))
            (i32.store (i32.const 0xb00) (i32.const 0))
            (i32.const 0xb00))
        (func (export "{conversation}#[method]session.on-eof") (param i32) (result i32) (i32.const 0xb00))
        (func (export "{conversation}#[method]session.on-writable") (param i32) (result i32) (i32.const 0xb00))
        (func (export "{conversation}#[method]session.on-timer") (param i32 i32) (result i32) (i32.const 0xb00))
        (func (export "{conversation}#[method]session.on-shutdown") (param i32) (result i32) (i32.const 0xb00))
        (func (export "{conversation}#[method]session.save") (param i32) (result i32) (i32.const 0xb00))
        (func (export "echo-host:handler/manifest@0.2.0#describe") (result i32) (i32.const 0x900)))"#
    )
}

/// The imports that this code calls by name: `call $INTERFACE#FUNCTION`.
fn imports(offer: &Offer, code: &str) -> String {
    let words = code.split_whitespace();
    let called = words.filter_map(|word| word.strip_prefix('$')?.split_once('#'));
    let import = |(interface, id): &(&str, &str)| {
        // Brackets are for strings only.
        let name = &id.replace('<', "[").replace('>', "]");
        let (whole, function) = offer.function(interface, name);
        let signature = offer
            .resolve
            .wasm_signature(AbiVariant::GuestImport, function);
        let params: Vec<_> = signature.params.iter().map(core).collect();
        let results: Vec<_> = signature.results.iter().map(core).collect();
        format!(
            "(import \"{whole}\" \"{name}\" (func ${interface}#{id} (param {}) (result {})))\n",
            params.join(" "),
            results.join(" ")
        )
    };
    called.collect::<BTreeSet<_>>().iter().map(import).collect()
}

fn core(ty: &WasmType) -> &'static str {
    match ty {
        WasmType::I64 | WasmType::PointerOrI64 => "i64",
        WasmType::F32 => "f32",
        WasmType::F64 => "f64",
        _ => "i32",
    }
}
