//! Documents that the host generates: tables in pages, the schema and the example of the
//! configuration file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{layout, step};

/// The start of a generated part of a page; its name follows.
const BEGIN: &str = "<!-- written by cargo xtask reference: ";
const END: &str = "<!-- end of ";

/// Files that are generated completely, with the name of their content.
const FILES: [(&str, &str); 2] = [
    ("host/echo-host.schema.json", "schema"),
    ("host/echo-host.example.toml", "example"),
];

/// Builds the host, and returns each file that has generated parts, with its new text.
pub fn files() -> Result<Vec<(PathBuf, String)>> {
    step::build("the host")?;
    let mut files = Vec::new();
    for (path, name) in FILES {
        files.push((layout::root().join(path), said(name)?));
    }
    for path in pages(&layout::docs())? {
        let page = fs::read_to_string(&path)?;
        if page.contains(BEGIN) {
            let page = with_parts(&page).with_context(|| path.display().to_string())?;
            files.push((path, page));
        }
    }
    Ok(files)
}

/// The page with each generated part replaced.
fn with_parts(page: &str) -> Result<String> {
    let mut parts = page.split(BEGIN);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once(" -->\n").context("a part has no name")?;
        let end = format!("{END}{name} -->");
        let (_, rest) = rest
            .split_once(&end)
            .with_context(|| format!("{name} has no end"))?;
        text += &format!("{BEGIN}{name} -->\n{}{end}{rest}", said(name)?);
    }
    Ok(text)
}

/// The host's output for this name.
fn said(name: &str) -> Result<String> {
    let host = layout::root().join("target/release/echo-host");
    step::output(Command::new(host).args(["reference-of-options", name]))
}

fn pages(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut pages = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            pages.extend(self::pages(&path)?);
        } else if path.extension().is_some_and(|end| end == "md") {
            pages.push(path);
        }
    }
    Ok(pages)
}
