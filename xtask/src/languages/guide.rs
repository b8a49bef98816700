//! The commands that docs/handlers/ shows, so that the tests run exactly these.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::Language;
use crate::layout;

/// Placeholders of the guide, which a test replaces.
const NEW: &str = "echo-host new greeter --lang rust --tier framed-responder";
const FOLDER: &str = "cd greeter";
const UNIT_TESTS: &str = "cargo test";

/// The pages that show commands.
const PAGES: [&str; 2] = ["handlers/start.md", "handlers/rust.md"];

/// The text of these pages.
pub struct Guide(String);

impl Guide {
    pub fn read() -> Result<Self> {
        let page = |page| {
            let path = layout::docs().join(page);
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
        };
        Ok(Guide(
            PAGES
                .map(page)
                .into_iter()
                .collect::<Result<Vec<_>>>()?
                .join("\n"),
        ))
    }

    /// The commands under "Start a handler", for another handler: first `echo-host new`, and last
    /// `echo-host dev`, which does not end by itself.
    pub fn commands(&self, name: &str, language: Language, kind: &str) -> Result<Vec<String>> {
        let shown = self.block("Start a handler", "sh")?;
        let begin = format!(
            "echo-host new {name} --lang {} --tier {kind}",
            language.name()
        );
        let unit_tests = self.unit_tests(language)?;
        let lines = shown
            .lines()
            .map(|line| line.split(" #").next().unwrap_or(line).trim());
        let own = lines.filter(|line| *line != FOLDER).map(|line| match line {
            NEW => begin.clone(),
            UNIT_TESTS => unit_tests.to_owned(),
            other => other.to_owned(),
        });
        let own: Vec<_> = own.collect();
        ensure!(
            own.len() > 2 && own[0] == begin && own.ends_with(&["echo-host dev".to_owned()]),
            "docs/handlers/start.md does not begin with `new` and end with `dev`: {shown}"
        );
        Ok(own)
    }

    /// The text of handler.toml, from the guide, for machines where rustup has no target for
    /// components.
    pub fn without_target(&self, project: &Path, component: &str) -> Result<String> {
        let text = self.block("Build without the rustup target", "toml")?;
        Ok(text
            .replace("../greeter", &project.display().to_string())
            .replace("../echo-host", &layout::root().display().to_string())
            .replace("greeter.wasm", component))
    }

    /// The last cell of the language's row in the guide's table.
    fn unit_tests(&self, language: Language) -> Result<&str> {
        let begin = format!("| {} | `{}` |", language.title(), language.name());
        let row = self.0.lines().find(|line| line.starts_with(&begin));
        let row = row.with_context(|| format!("docs/handlers/ has no row {begin}"))?;
        let mut cells = row.trim_end_matches('|').rsplit('|');
        Ok(cells.next().unwrap_or_default().trim().trim_matches('`'))
    }

    /// The first code block of a language below a heading.
    fn block(&self, heading: &str, language: &str) -> Result<&str> {
        let mut sections = self.0.split("\n#").filter_map(|it| it.split_once('\n'));
        let section = sections.find(|(title, _)| title.trim_start_matches('#').trim() == heading);
        let block = section.and_then(|(_, text)| {
            let (_, begun) = text.split_once(&format!("```{language}\n"))?;
            Some(begun.split_once("```")?.0)
        });
        block.with_context(|| format!("docs/handlers/ has no `{language}` below {heading}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_begins_a_handler_in_every_language() {
        let guide = Guide::read().unwrap();
        for language in Language::ALL {
            let name = language.name();
            let commands = guide.commands("lines", language, "program").unwrap();
            let begin = format!("echo-host new lines --lang {name} --tier program");
            assert_eq!(commands[0], begin);
            let tests = commands.iter().filter(|it| it.ends_with("test"));
            assert_eq!(tests.count(), 2, "{name}");
        }
        let folder = Path::new("/handlers/echo");
        let settings = guide.without_target(folder, "echo.wasm").unwrap();
        assert!(
            settings.contains("build-guests /handlers/echo\""),
            "{settings}"
        );
        assert!(
            settings.contains("/target/guests/echo.wasm\""),
            "{settings}"
        );
    }
}
