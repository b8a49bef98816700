//! What the host says about its options: tables in the documents, the schema and the example of the configuration file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{layout, step};

/// What begins a part of a page that the host says; its name follows.
const BEGIN: &str = "<!-- written by cargo xtask reference: ";
const END: &str = "<!-- end of ";

/// Files that the host says as a whole, with the name of what it says.
const FILES: [(&str, &str); 2] = [
    ("host/echo-host.schema.json", "schema"),
    ("host/echo-host.example.toml", "example"),
];

/// Builds the host, and returns each file that it says something in, with the text that it should have.
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

/// The page with each of its parts as the host says it.
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

/// What the host says under this name.
fn said(name: &str) -> Result<String> {
    let host = layout::root().join("target/release/echo-host");
    let output = Command::new(host)
        .args(["reference-of-options", name])
        .output()
        .context("cannot run the host")?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{error}");
    Ok(String::from_utf8(output.stdout)?)
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
