//! Turns the compiler's output into a component.

use std::fs;
use std::path::Path;
use std::process;

use anyhow::{Context, Result};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
    WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_component::ComponentEncoder;

/// The first bytes of a component. A plain module has another version after the first four bytes.
const COMPONENT_HEADER: [u8; 8] = *b"\0asm\x0d\0\x01\0";

/// The kind of a compiled file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// A library that exports functions.
    Handler,
    /// A program with a `main`, whose standard input and output are the connection.
    Command,
}

/// Returns a component unchanged, and wraps a WASI 0.1 module into one.
pub fn from_wasm(wasm: Vec<u8>, purpose: Purpose) -> Result<Vec<u8>> {
    if wasm.starts_with(&COMPONENT_HEADER) {
        return Ok(wasm);
    }
    let adapter = match purpose {
        Purpose::Handler => WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
        Purpose::Command => WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
    };
    ComponentEncoder::default()
        .module(&wasm)?
        .adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, adapter)?
        .validate(true)
        .encode()
}

/// Writes a file completely or not at all, because a running host may watch it. Leaves an unchanged
/// file alone, so that such a host does not swap a handler for itself.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let unfinished = path.with_extension(format!("{}.tmp", process::id()));
    fs::write(&unfinished, bytes)
        .and_then(|()| fs::rename(&unfinished, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY_MODULE: &[u8] = b"\0asm\x01\0\0\0";

    #[test]
    fn a_module_becomes_a_component() {
        let component = from_wasm(EMPTY_MODULE.to_vec(), Purpose::Handler).unwrap();
        assert!(component.starts_with(&COMPONENT_HEADER));
    }

    #[test]
    fn a_component_stays_as_it_is() {
        assert_eq!(
            from_wasm(COMPONENT_HEADER.to_vec(), Purpose::Handler).unwrap(),
            COMPONENT_HEADER
        );
    }

    #[test]
    fn what_is_not_wasm_is_an_error() {
        from_wasm(b"#!/bin/sh".to_vec(), Purpose::Command).unwrap_err();
    }
}
