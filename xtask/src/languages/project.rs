//! One handler in one language.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::Language;
use super::edits::Edit;
use super::guide::Guide;
use super::host::Host;
use super::tools::Tools;
use crate::{component, layout, step};

/// Time limit for building and compiling an edit, on a busy machine.
const DEADLINE: Duration = Duration::from_secs(300);
/// How often clients ask for it.
const PAUSE: Duration = Duration::from_millis(10);

/// A directory that `echo-host new` creates.
pub struct Project<'a> {
    /// HANDLER-LANGUAGE.
    name: String,
    kind: &'static str,
    folder: PathBuf,
    guide: &'a Guide,
    tools: &'a Tools,
}

impl<'a> Project<'a> {
    pub fn new(handler: (&str, &'static str), guide: &'a Guide, tools: &'a Tools) -> Self {
        let (handler, kind) = handler;
        let name = format!("{handler}-{}", tools.language.name());
        let folder = layout::root().join("target/languages").join(&name);
        Project {
            name,
            kind,
            folder,
            guide,
            tools,
        }
    }

    /// The path of its component.
    pub fn component(&self) -> PathBuf {
        layout::components().join(format!("{}.wasm", self.name))
    }

    /// Creates it, and builds it by playing its recorded exchanges. Returns its component.
    pub fn build(&self) -> Result<PathBuf> {
        for command in self.commands()? {
            if command.starts_with("echo-host new ") || command == "echo-host test" {
                self.follow(&command)?;
            }
        }
        let built = self.built()?;
        self.recognise(&built)?;
        let bytes = fs::read(&built).with_context(|| format!("cannot read {}", built.display()))?;
        component::write(&self.component(), &bytes)?;
        Ok(self.component())
    }

    /// Runs all commands of the guide.
    pub fn walk(&self) -> Result<()> {
        self.commands()?
            .iter()
            .try_for_each(|command| self.follow(command))?;
        self.recognise(&self.built()?)
    }

    /// The component that handler.toml names.
    fn built(&self) -> Result<PathBuf> {
        let text = self.read("handler.toml")?;
        let output = text.lines().find_map(|line| line.strip_prefix("output = "));
        let output =
            output.with_context(|| format!("{}: handler.toml has no output", self.name))?;
        Ok(self.folder.join(output.trim_matches('"')))
    }

    /// `echo-host check` must tell the language of the component.
    fn recognise(&self, component: &Path) -> Result<()> {
        let mut check = self.shell("exec echo-host check \"$@\"");
        let checked = step::output(check.arg("sh").arg(component))?;
        let written = format!("written   in {}\n", self.tools.language.title());
        if !checked.contains(&written) {
            bail!("{}: check does not say {written:?}:\n{checked}", self.name);
        }
        Ok(())
    }

    fn commands(&self) -> Result<Vec<String>> {
        self.guide
            .commands(&self.name, self.tools.language, self.kind)
    }

    fn follow(&self, command: &str) -> Result<()> {
        if command.starts_with("echo-host new ") {
            return self.begin(command);
        }
        let what = format!("{}: {command}", self.name);
        if command == "echo-host dev" {
            step::announce(&what);
            return self.edit(&self.develop(command)?, 1).map(drop);
        }
        step::run(&what, &mut self.shell(command))
    }

    /// Creates the directory in place of an existing one.
    fn begin(&self, command: &str) -> Result<()> {
        let parent = self.folder.parent().unwrap_or(Path::new("."));
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder)
                .with_context(|| format!("cannot remove {}", self.folder.display()))?;
        }
        fs::create_dir_all(parent)
            .with_context(|| format!("cannot create {}", parent.display()))?;
        step::run(&self.name, self.shell(command).current_dir(parent))?;
        if self.tools.language == Language::Rust && self.tools.lack_target {
            let component = match self.kind {
                "program" => format!("{}.wasm", self.name),
                _ => format!("{}.wasm", self.name.replace('-', "_")),
            };
            self.set(&self.guide.without_target(&self.folder, &component)?)?;
        }
        self.tools.prepare(&self.folder)
    }

    /// Starts `echo-host dev`. Its stderr goes to a file beside the directory.
    pub fn develop(&self, command: &str) -> Result<Host> {
        let mut dev = self.shell(&format!("exec {command} -- \"$@\""));
        Host::start(dev.arg("sh"), &self.folder.with_extension("dev.log"))
            .with_context(|| format!("cannot develop {}", self.name))
    }

    /// Puts a digit into the handler's reply. Returns the time until a client that connects got the
    /// new reply.
    pub fn edit(&self, host: &Host, digit: u8) -> Result<Duration> {
        let edit = Edit::of(self.tools.language, self.kind)?;
        let edited = edit.make(&self.read(edit.file)?, digit)?;
        let begin = Instant::now();
        self.write(edit.file, &edited)?;
        let expected = edit.answer(digit);
        while begin.elapsed() < DEADLINE {
            if host.answers(&expected) {
                return Ok(begin.elapsed());
            }
            thread::sleep(PAUSE);
        }
        let log = self.folder.with_extension("dev.log");
        bail!("no client got {expected:?}: see {}", log.display())
    }

    fn shell(&self, command: &str) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).current_dir(&self.folder);
        shell.envs(self.tools.environment(&self.folder));
        shell
    }

    /// Puts these lines into handler.toml, in place of lines with the same key.
    fn set(&self, lines: &str) -> Result<()> {
        let key = |line: &str| line.split(" = ").next().map(str::to_owned);
        let mut text = lines.to_owned();
        for line in self.read("handler.toml")?.lines() {
            if !lines.lines().any(|new| key(new) == key(line)) {
                text += line;
                text.push('\n');
            }
        }
        self.write("handler.toml", &text)
    }

    fn read(&self, file: &str) -> Result<String> {
        let path = self.folder.join(file);
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    fn write(&self, file: &str, text: &str) -> Result<()> {
        let path = self.folder.join(file);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}
