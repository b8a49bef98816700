//! Where guests trap: the stack of a trap with the names of its functions, in full the first time,
//! and then counted.
//!
//! Names come from the component, so they are cut and escaped. Lines of source are there only if
//! the engine was made for the handler's author: finding them means parsing the component's DWARF.

use connection::guest_text::GuestText;
use connection::limits::{MAX_FUNCTION_NAME_CHARS, MAX_TRAP_CALLS, MAX_TRAP_SITES};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::fmt::Write;
use wasmtime::{FrameInfo, FrameSymbol, WasmBacktrace};

/// The places where the instances of a handler have trapped, with how often.
#[derive(Default)]
pub struct TrapSites(Mutex<HashMap<Site, u64>>);

/// An instruction, by module and position.
type Site = (Option<String>, u32, Option<usize>);

/// How names of functions begin that come with the language, and say nothing about the handler.
const OF_LANGUAGES: [&str; 9] = [
    "<core::", "<std::", "<alloc::", "core::", "std::", "alloc::", "rust_", "__rust", "runtime.",
];

impl TrapSites {
    /// What to add to the message of a trap: where it was, with its callers the first time, and
    /// then how often. Empty if the function has no name.
    pub fn describe(&self, trace: &WasmBacktrace) -> String {
        let frames = trace.frames().iter();
        let all = || frames.clone().take(MAX_TRAP_CALLS).flat_map(calls_of);
        let mut calls: Vec<_> = all().filter(Call::is_of_handler).collect();
        if calls.is_empty() {
            calls = all().collect();
        }
        let Some(innermost) = calls.first().filter(|call| call.name.is_some()) else {
            return String::new();
        };
        match self.count(innermost.frame) {
            Some(times @ 2..) => format!(" in {} ({times} times)", innermost.words()),
            _ => {
                let stack: Vec<_> = calls.iter().map(Call::words).collect();
                format!(" in {}", GuestText::from(stack.join(" <- ")))
            }
        }
    }

    /// How often it has trapped here, with this time. `None` if there is no room to count.
    fn count(&self, frame: &FrameInfo) -> Option<u64> {
        let mut sites = self.0.lock();
        let module = frame.module().name().map(str::to_owned);
        let site = (module, frame.func_index(), frame.module_offset());
        if sites.len() == MAX_TRAP_SITES && !sites.contains_key(&site) {
            return None;
        }
        let times = sites.entry(site).or_default();
        *times += 1;
        Some(*times)
    }
}

/// A call on the stack. Inlined ones share their frame.
struct Call<'a> {
    frame: &'a FrameInfo,
    name: Option<String>,
    source: Option<&'a FrameSymbol>,
}

/// The calls of a frame, innermost first.
fn calls_of(frame: &FrameInfo) -> Vec<Call<'_>> {
    let call = |name: Option<&str>, source| Call {
        frame,
        name: name.map(shown),
        source,
    };
    if frame.symbols().is_empty() {
        return vec![call(frame.func_name(), None)];
    }
    let symbols = frame.symbols().iter();
    let inlined = symbols.map(|it| call(it.name().or(frame.func_name()), Some(it)));
    inlined.collect()
}

impl Call<'_> {
    fn is_of_handler(&self) -> bool {
        let name = self.name.as_deref().unwrap_or_default();
        // What a panic of Rust calls in the end, of the C library.
        name != "abort" && !OF_LANGUAGES.iter().any(|it| name.starts_with(it))
    }

    fn words(&self) -> String {
        let mut words = match &self.name {
            Some(name) => name.clone(),
            None => format!("function {}", self.frame.func_index()),
        };
        let source = self.source.and_then(|it| Some((it.file()?, it.line()?)));
        if let Some((file, line)) = source {
            // Writing to a String cannot fail.
            let _ = write!(words, " ({file}:{line})");
        }
        GuestText::from(words).to_string()
    }
}

/// The function of a frame, for people. It may be any text, but is short and escaped.
pub fn function_of(frame: &FrameInfo) -> String {
    let call = Call {
        frame,
        name: frame.func_name().map(shown),
        source: None,
    };
    call.words()
}

/// A name as its author wrote it, as far as that can be told.
fn shown(name: &str) -> String {
    let given = cut(name);
    let demangled = format!("{:#}", rustc_demangle::demangle(given));
    cut(&demangled).to_owned()
}

fn cut(name: &str) -> &str {
    let end = name.char_indices().nth(MAX_FUNCTION_NAME_CHARS);
    end.map_or(name, |(end, _)| &name[..end])
}
