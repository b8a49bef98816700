//! One handler in one language.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::tools::Tools;
use super::{Language, host, remove};
use crate::{component, guests, layout, step};

/// A folder that `echo-host new` has written.
pub struct Project {
    pub handler: &'static str,
    language: Language,
    /// HANDLER-LANGUAGE.
    name: String,
    folder: PathBuf,
}

impl Project {
    /// Has the folder written, in place of what was there: a handler is what the host would begin today.
    pub fn begin(language: Language, handler: &'static str, tier: &str) -> Result<Self> {
        let name = format!("{handler}-{}", language.name());
        let folder = layout::root().join("target/languages").join(&name);
        remove(&folder)?;
        let mut new = host();
        new.arg("new").arg(&folder);
        new.args(["--lang", language.name(), "--tier", tier]);
        super::output(&mut new).with_context(|| format!("cannot begin {name}"))?;
        Ok(Project {
            handler,
            language,
            name,
            folder,
        })
    }

    /// Where its component is put.
    pub fn component(&self) -> PathBuf {
        layout::components().join(format!("{}.wasm", self.name))
    }

    pub fn build(&self, tools: &Tools) -> Result<()> {
        if self.language == Language::Rust {
            step::announce(&self.name);
            return guests::build_crate(&self.folder, &self.component());
        }
        tools.prepare(&self.folder)?;
        step::run(&self.name, &mut self.run(tools, tools.build()))?;
        let built = self.folder.join(format!("{}.wasm", self.name));
        let bytes = fs::read(&built).with_context(|| format!("cannot read {}", built.display()))?;
        component::write(&self.component(), &bytes)
    }

    /// Runs its unit tests.
    pub fn test(&self, tools: &Tools) -> Result<()> {
        let what = format!("unit tests of {}", self.name);
        if self.language == Language::Rust {
            let mut cargo = step::cargo();
            cargo.args(["test", "--quiet", "--target-dir"]);
            cargo.arg(layout::root().join("target/scaffold"));
            return step::run(&what, cargo.current_dir(&self.folder));
        }
        step::run(&what, &mut self.run(tools, tools.test()))
    }

    /// Plays its recorded exchanges.
    pub fn play(&self) -> Result<()> {
        let exchange = self.folder.join(format!("{}.exchange", self.name));
        let mut test = host();
        test.args(["test", "--log-level", "error"]);
        test.arg(self.component()).arg(exchange);
        step::run(&format!("exchanges of {}", self.name), &mut test)
    }

    fn run(&self, tools: &Tools, words: &[String]) -> Command {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).current_dir(&self.folder);
        command.envs(tools.environment(&self.folder));
        command
    }
}
