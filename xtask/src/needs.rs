//! Tools and libraries that tests need, from tests/tools.toml.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::languages::{COMPONENTIZE_PY, COMPONENTIZE_QJS};
use crate::{install, layout, packages, step};

/// From PyPI: libraries of clients, and what builds handlers in Python.
const PYTHON: [&str; 5] = [
    "protobuf==7.36.2",
    "redis==8.1.0",
    "websockets==17.0",
    "kosoku==0.1.0",
    COMPONENTIZE_PY,
];
/// From npm: the same for JavaScript.
const JAVASCRIPT: [&str; 6] = [
    "redis@6.3.1",
    "ioredis@6.0.0",
    "ws@8.23.0",
    "wscat@6.1.0",
    "playwright-core@1.65.1",
    COMPONENTIZE_QJS,
];

/// The table.
pub struct Needs(Vec<Tool>);

/// A tool or library that some tests need.
pub struct Tool {
    name: String,
    row: Row,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    /// The Debian packages that provide it.
    #[serde(default)]
    packages: Vec<String>,
    tests: Vec<String>,
}

impl Needs {
    /// Reads the table.
    pub fn read() -> Result<Self> {
        let path = layout::root().join("tests/tools.toml");
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let rows: BTreeMap<String, Row> =
            toml::from_str(&text).with_context(|| path.display().to_string())?;
        let tools = rows.into_iter().map(|(name, row)| Tool { name, row });
        Ok(Needs(tools.collect()))
    }

    /// Installs missing tools, and returns those that are still missing. That is an error if the
    /// run is `strict`.
    pub fn install(self, strict: bool) -> Result<Vec<Tool>> {
        let missing = self.0.iter().filter(|tool| !tool.is_there());
        let mut wanted: Vec<&str> = missing
            .flat_map(|tool| tool.row.packages.iter().map(String::as_str))
            .collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut reasons = Vec::new();
        if !wanted.is_empty() {
            let installed = packages::install(&wanted, "run the tests that use well-known clients");
            reasons.extend(installed.err());
        }
        reasons.extend(install_libraries().err());
        let missing: Vec<_> = self.0.into_iter().filter(|tool| !tool.is_there()).collect();
        for reason in &reasons {
            step::announce(&format!("{reason:#}"));
        }
        if strict && !missing.is_empty() {
            let names: Vec<_> = missing.iter().map(|tool| tool.name.as_str()).collect();
            bail!("tests need what is missing: {}", names.join(", "));
        }
        Ok(missing)
    }
}

impl Tool {
    /// The tests that need it.
    pub fn tests(&self) -> impl Iterator<Item = &str> {
        self.row.tests.iter().map(String::as_str)
    }

    /// Prints the tests that were skipped without it.
    pub fn report(&self) {
        let Tool { name, row } = self;
        step::announce(&format!(
            "skipped for lack of {name}: {}",
            row.tests.join(", ")
        ));
    }

    fn is_there(&self) -> bool {
        match self.name.as_str() {
            "root" => {
                let user = Command::new("id").arg("-u").output();
                user.is_ok_and(|user| user.stdout.trim_ascii() == b"0")
            }
            "client-libraries" => {
                let installed =
                    fs::read_to_string(libraries().join("installed")).unwrap_or_default();
                let mut all = PYTHON.iter().chain(&JAVASCRIPT);
                all.all(|package| installed.lines().any(|line| line == *package))
            }
            program => packages::on_path(program),
        }
    }
}

fn libraries() -> PathBuf {
    layout::root().join("target/test-clients")
}

fn install_libraries() -> Result<()> {
    install::python(&libraries(), &PYTHON)?;
    install::npm(&libraries(), &JAVASCRIPT)
}
