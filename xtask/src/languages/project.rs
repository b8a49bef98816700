//! One handler in one language.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::dev::Developing;
use super::edits::Edit;
use super::guide::{Guide, Step};
use super::tools::Tools;
use super::{Language, remove};
use crate::{component, layout, step};

/// A folder that `echo-host new` writes.
pub struct Project {
    language: Language,
    /// HANDLER-LANGUAGE.
    name: String,
    folder: PathBuf,
}

impl Project {
    pub fn named(handler: &str, language: Language) -> Self {
        let name = format!("{handler}-{}", language.name());
        let folder = layout::root().join("target/languages").join(&name);
        Project {
            language,
            name,
            folder,
        }
    }

    /// Where its component is put.
    pub fn component(&self) -> PathBuf {
        layout::components().join(format!("{}.wasm", self.name))
    }

    /// Begins it and builds it, which plays its recorded exchanges, too.
    pub fn build(&self, guide: &Guide, tier: &str, tools: &Tools) -> Result<()> {
        for step in guide.steps(&self.name, self.language, tier)? {
            match step {
                Step::Begin(command) => self.begin(guide, &command, tier, tools)?,
                Step::Run(command) if command == "echo-host test" => self.run(&command, tools)?,
                Step::Run(_) | Step::Develop(_) => {}
            }
        }
        let built = self.output()?;
        let bytes = fs::read(&built).with_context(|| format!("cannot read {}", built.display()))?;
        component::write(&self.component(), &bytes)
    }

    /// Does all that the guide shows.
    pub fn walk(&self, guide: &Guide, tier: &str, tools: &Tools) -> Result<()> {
        for step in guide.steps(&self.name, self.language, tier)? {
            match step {
                Step::Begin(command) => self.begin(guide, &command, tier, tools)?,
                Step::Run(command) => self.run(&command, tools)?,
                Step::Develop(command) => {
                    step::announce(&format!("{}: {command}", self.name));
                    let developing = self.develop(&command, tools)?;
                    developing.edit(&Edit::of(self.language, tier)?, 1)?;
                }
            }
        }
        Ok(())
    }

    /// Begins to develop it.
    pub fn develop(&self, command: &str, tools: &Tools) -> Result<Developing> {
        let mut words = command.split(' ');
        let program = words.next().unwrap_or_default();
        let mut dev = Command::new(program);
        dev.args(words).envs(tools.environment(&self.folder));
        Developing::start(&mut dev, &self.folder)
            .with_context(|| format!("cannot develop {}", self.name))
    }

    /// Has the folder written, in place of what was there: a handler is what the host would begin today.
    fn begin(&self, guide: &Guide, command: &str, tier: &str, tools: &Tools) -> Result<()> {
        remove(&self.folder)?;
        let parent = self.folder.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(parent)
            .with_context(|| format!("cannot create {}", parent.display()))?;
        let mut begin = self.shell(command, tools);
        step::run(&self.name, begin.current_dir(parent))?;
        if self.language == Language::Rust && tools.lack_target() {
            let component = match tier {
                "program" => format!("{}.wasm", self.name),
                _ => format!("{}.wasm", self.name.replace('-', "_")),
            };
            self.set(&guide.without_target(&self.folder, &component)?)?;
        }
        tools.prepare(&self.folder)
    }

    fn run(&self, command: &str, tools: &Tools) -> Result<()> {
        let what = format!("{}: {command}", self.name);
        step::run(&what, &mut self.shell(command, tools))
    }

    fn shell(&self, command: &str, tools: &Tools) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).current_dir(&self.folder);
        shell.envs(tools.environment(&self.folder));
        shell
    }

    /// Puts these lines into handler.toml, in place of those that begin with the same key.
    fn set(&self, lines: &str) -> Result<()> {
        let path = self.folder.join("handler.toml");
        let context = || format!("cannot change {}", path.display());
        let key = |line: &str| line.split(" = ").next().map(str::to_owned);
        let mut text = lines.to_owned();
        for line in fs::read_to_string(&path).with_context(context)?.lines() {
            if !lines.lines().any(|new| key(new) == key(line)) {
                text += line;
                text.push('\n');
            }
        }
        fs::write(&path, text).with_context(context)
    }

    /// What its handler.toml says that a build leaves.
    fn output(&self) -> Result<PathBuf> {
        let path = self.folder.join("handler.toml");
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let output = text.lines().find_map(|line| line.strip_prefix("output = "));
        let output = output.with_context(|| format!("{} names no output", path.display()))?;
        Ok(self.folder.join(output.trim_matches('"')))
    }
}
