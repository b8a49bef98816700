//! `echo-host doctor`: which tools a language needs, which of them this machine has, and how to
//! install the others. Builds and new handlers say the same of what they miss.

mod install;
mod machine;
mod needs;

pub use machine::{Found, Machine};
pub use needs::{Needed, Tool, needs};

use engine::Language;
use std::fmt;

/// The tools of a language on this machine.
#[derive(Debug)]
pub struct Report {
    /// The language.
    pub language: Language,
    /// Its tools, and what installs those that are missing.
    pub tools: Vec<Examined>,
}

/// A tool on this machine.
#[derive(Debug)]
pub struct Examined {
    /// The tool.
    pub tool: &'static Tool,
    /// Where it is, if it is here.
    pub found: Option<Found>,
    /// The command that installs it, if it is missing or too old.
    pub install: Option<String>,
}

impl Report {
    /// Looks for the tools of a language.
    pub fn of(machine: &Machine, language: Language) -> Self {
        let needed = needs(language).iter();
        let mut tools: Vec<_> = needed.map(|tool| Examined::of(machine, tool)).collect();
        let missing = tools.iter().filter(|it| !it.is_usable());
        let missing = missing.map(|it| it.tool).collect();
        for installer in install::with_installers(machine, missing) {
            if tools.iter().all(|it| it.tool.name != installer.name) {
                tools.push(Examined::of(machine, installer));
            }
        }
        Report { language, tools }
    }

    /// Whether handlers in this language can be built here.
    pub fn can_build(&self) -> bool {
        self.lacks().is_empty()
    }

    /// What the build needs and this machine lacks.
    pub fn lacks(&self) -> Vec<&'static Tool> {
        let own = needs(self.language);
        let lacking = self.tools.iter().filter(|it| {
            // The installer of a missing tool is shown with it.
            !it.is_usable() && it.tool.needed != Needed::Tests && own.contains(it.tool)
        });
        lacking.map(|it| it.tool).collect()
    }
}

impl Examined {
    fn of(machine: &Machine, tool: &'static Tool) -> Self {
        let found = machine.find(tool);
        let is_usable = found.as_ref().is_some_and(|found| !found.is_too_old);
        Examined {
            tool,
            found,
            install: (!is_usable).then(|| install::command(machine, tool)),
        }
    }

    /// Whether it is here and not too old.
    pub fn is_usable(&self) -> bool {
        self.install.is_none()
    }
}

/// Tools that are missing here, and how to install them: the end of a message, with its hints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The names, with the oldest version that works.
    pub tools: Vec<String>,
    /// The commands, in order.
    pub commands: Vec<String>,
}

impl Missing {
    /// Those of these tools that are missing or too old; `None` if none is.
    pub fn of(machine: &Machine, tools: impl IntoIterator<Item = &'static Tool>) -> Option<Self> {
        let missing: Vec<_> = tools
            .into_iter()
            .filter(|tool| !machine.has(tool))
            .collect();
        if missing.is_empty() {
            return None;
        }
        let tools = missing.iter().map(|tool| tool.title().replace('`', ""));
        let tools = tools.collect();
        let mut commands = Vec::new();
        for tool in install::with_installers(machine, missing) {
            let command = install::command(machine, tool);
            if !commands.contains(&command) {
                commands.push(command);
            }
        }
        Some(Missing { tools, commands })
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "missing here: {}", self.tools.join("; "))?;
        for command in &self.commands {
            write!(f, "; hint: {command}")?;
        }
        Ok(())
    }
}

/// What builds a handler in this language. Bindings are generated from the contract, if the handler
/// has it.
pub fn for_build(language: Language, has_contract: bool) -> impl Iterator<Item = &'static Tool> {
    needs(language)
        .iter()
        .filter(move |tool| match tool.needed {
            Needed::Build => true,
            Needed::Bindings => has_contract,
            Needed::Tests => false,
        })
}

/// The tools that a build command names itself, for directories that say no language. What a
/// Makefile or a script of theirs runs is not known.
pub fn for_command(command: &str) -> impl Iterator<Item = &'static Tool> {
    let words: Vec<String> = command
        .split(|it: char| it.is_whitespace() || "&|;()".contains(it))
        .map(str::to_owned)
        .collect();
    let all = Language::ALL.into_iter().flat_map(needs);
    let mut named: Vec<&Tool> = Vec::new();
    for tool in all.filter(|tool| words.iter().any(|word| word == tool.name)) {
        if named.iter().all(|it| it.name != tool.name) {
            named.push(tool);
        }
    }
    named.into_iter()
}

#[cfg(test)]
mod tests;
