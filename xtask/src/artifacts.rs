//! Extracts the files of a build from cargo's messages.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::component::Purpose;

/// A WebAssembly file that cargo built, or found up to date.
#[derive(Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The name of its target in Cargo.toml.
    pub name: String,
    pub purpose: Purpose,
    pub file: PathBuf,
}

/// The relevant part of cargo's message format: one JSON object per line.
#[derive(Deserialize)]
struct Message {
    reason: String,
    target: Option<Target>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// Extracts the WebAssembly files from the output of `cargo build --message-format=json`.
pub fn parse(messages: &str) -> Result<Vec<Artifact>> {
    let mut artifacts = Vec::new();
    for line in messages.lines() {
        let message: Message =
            serde_json::from_str(line).context("cannot read cargo's JSON messages")?;
        if message.reason != "compiler-artifact" {
            continue;
        }
        let Some(target) = message.target else {
            continue;
        };
        let purpose = if target.kind.iter().any(|kind| kind == "bin") {
            Purpose::Command
        } else {
            Purpose::Handler
        };
        let wasm = message
            .filenames
            .into_iter()
            .filter(|file| file.extension().is_some_and(|e| e == "wasm"));
        artifacts.extend(wasm.map(|file| Artifact {
            name: target.name.clone(),
            purpose,
            file,
        }));
    }
    Ok(artifacts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_wasm_files_are_picked() {
        let messages = [
            r#"{"reason":"compiler-artifact","target":{"name":"serde","kind":["lib"]},"filenames":["/t/libserde.rlib"]}"#,
            r#"{"reason":"compiler-artifact","target":{"name":"echo","kind":["cdylib"]},"filenames":["/t/echo.wasm"]}"#,
            r#"{"reason":"compiler-artifact","target":{"name":"cat","kind":["bin"]},"filenames":["/t/cat.wasm"]}"#,
            r#"{"reason":"build-finished","success":true}"#,
        ];
        let expected = [
            Artifact {
                name: "echo".into(),
                purpose: Purpose::Handler,
                file: "/t/echo.wasm".into(),
            },
            Artifact {
                name: "cat".into(),
                purpose: Purpose::Command,
                file: "/t/cat.wasm".into(),
            },
        ];
        assert_eq!(parse(&messages.join("\n")).unwrap(), expected);
    }
}
