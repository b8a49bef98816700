use super::needs::{CARGO, PIP, RUSTUP, Source};
use super::*;
use crate::scaffold::templates::TEMPLATES;

/// What every system has.
const SYSTEM: [&str; 6] = ["mkdir", "rm", "touch", "test", "printf", "command"];

/// The Makefiles of a language, and the build commands of its handler.toml files.
fn recipes(language: Language) -> Vec<String> {
    let mut commands = Vec::new();
    let folder = format!("{}/", language.name());
    for (path, text) in TEMPLATES
        .iter()
        .filter(|(path, _)| path.starts_with(&folder))
    {
        if path.ends_with("/Makefile") {
            let joined = text.replace("\\\n", " ");
            let lines = joined.lines().filter_map(|line| line.strip_prefix('\t'));
            commands.extend(lines.map(str::to_owned));
        } else if path.ends_with("/handler.toml") {
            let build = text.lines().find_map(|line| line.strip_prefix("build = "));
            commands.push(build.unwrap().trim_matches('"').to_owned());
        }
    }
    assert!(!commands.is_empty(), "{language}");
    commands
}

/// The defaults of variables in Makefiles of a language.
fn defaults(language: Language) -> Vec<(String, String)> {
    let folder = format!("{}/", language.name());
    let makefiles = TEMPLATES
        .iter()
        .filter(|(path, _)| path.starts_with(&folder) && path.ends_with("/Makefile"));
    let lines = makefiles.flat_map(|(_, text)| text.lines());
    let settings = lines.filter_map(|line| line.split_once(" ?= "));
    settings
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The program of a line: its first word that sets no variable.
fn program(command: &str) -> &str {
    let mut words = command.trim_start_matches('@').split_whitespace();
    let is_setting = |word: &str| {
        let name = word.split('=').next().unwrap_or_default();
        word.contains('=') && name.chars().all(|it| it.is_ascii_uppercase() || it == '_')
    };
    words.find(|word| !is_setting(word)).unwrap()
}

/// What the build made or installed itself, below the directory.
fn is_own(program: &str) -> bool {
    ["build/", ".venv/", "node_modules/"]
        .iter()
        .any(|folder| program.starts_with(folder))
}

#[test]
fn everything_that_a_template_runs_is_in_the_table() {
    for language in Language::ALL {
        let tools = needs(language);
        let defaults = defaults(language);
        let mut used = Vec::new();
        for command in recipes(language) {
            let program = program(&command);
            if let Some(variable) = program
                .strip_prefix("$(")
                .and_then(|it| it.strip_suffix(')'))
            {
                let tool = tools.iter().find(|it| it.variable == Some(variable));
                let own = defaults.iter().find(|(name, _)| name == variable);
                let is_own = own.is_some_and(|(_, value)| is_own(value));
                assert!(tool.is_some() || is_own, "{language}: {command}");
                used.extend(tool.map(|it| it.name));
            } else {
                let tool = tools.iter().find(|it| it.name == program);
                let is_known = tool.is_some() || SYSTEM.contains(&program) || is_own(program);
                assert!(is_known, "{language}: {command}");
                used.extend(tool.map(|it| it.name));
            }
        }
        // What the table has and nothing runs would send people to install it in vain. The
        // others are used by these.
        let implied = ["wasm32-wasip2", "venv", "cc"];
        for tool in tools.iter().filter(|it| !implied.contains(&it.name)) {
            assert!(used.contains(&tool.name), "{language}: {}", tool.name);
        }
    }
}

#[test]
fn the_variables_of_makefiles_stand_for_the_tools_of_the_table() {
    for language in Language::ALL {
        for (variable, value) in defaults(language) {
            let tool = needs(language)
                .iter()
                .find(|it| it.variable == Some(&*variable));
            match tool {
                Some(tool) => assert!(value.contains(tool.name), "{variable} ?= {value}"),
                None => assert!(
                    is_own(&value) || value.starts_with('-'),
                    "{variable} ?= {value}"
                ),
            }
        }
    }
}

#[test]
fn versions_are_no_older_than_templates_ask_for() {
    let text = |path: &str| {
        let mut templates = TEMPLATES.iter();
        templates.find(|(it, _)| *it == path).unwrap().1
    };
    let minimum = |language, name: &str| {
        let tool = needs(language).iter().find(|it| it.name == name).unwrap();
        tool.minimum.unwrap()
    };
    for (language, tool, file, key) in [
        (
            Language::Rust,
            "cargo",
            "rust/handler/Cargo.toml",
            "rust-version = ",
        ),
        (
            Language::Rust,
            "cargo",
            "rust/program/Cargo.toml",
            "rust-version = ",
        ),
        (Language::Go, "go", "go/handler/go.mod", "go "),
        (Language::Go, "go", "go/program/go.mod", "go "),
    ] {
        let asked = text(file).lines().find_map(|line| line.strip_prefix(key));
        let asked = machine::number(asked.unwrap().trim_matches('"')).unwrap();
        assert!(minimum(language, tool) >= asked, "{file}: {asked:?}");
    }
}

#[test]
fn every_missing_tool_follows_its_installer() {
    let nothing = Machine::with(Vec::new(), Vec::new());
    for language in Language::ALL {
        let report = Report::of(&nothing, language);
        assert!(!report.can_build(), "{language}");
        for examined in &report.tools {
            assert!(examined.install.is_some(), "{examined:?}");
            let installer = examined.tool.source.installer();
            let shown = |it: &Tool| report.tools.iter().any(|row| row.tool.name == it.name);
            assert!(installer.is_none_or(shown), "{language}: {examined:?}");
        }
    }
    let missing = Missing::of(&nothing, for_build(Language::C, true)).unwrap();
    assert_eq!(missing.tools, ["make", "zig", "wit-bindgen", "wasm-tools"]);
    let at = |text: &str| missing.commands.iter().position(|it| it.contains(text));
    assert!(
        at("sh.rustup.rs") < at("cargo install wit-bindgen-cli@0.63.0"),
        "{missing:?}"
    );
    assert!(at("ensurepip") < at("pip install ziglang"), "{missing:?}");
    let hints = missing.to_string().matches("; hint: ").count();
    assert_eq!(hints, missing.commands.len());
}

#[test]
fn unit_tests_and_bindings_do_not_hinder_a_build() {
    let names = |contract| -> Vec<_> {
        let tools = for_build(Language::C, contract);
        tools.map(|tool| tool.name).collect()
    };
    assert_eq!(names(true), ["make", "zig", "wit-bindgen", "wasm-tools"]);
    assert_eq!(names(false), ["make", "zig", "wasm-tools"]);
}

#[test]
fn a_command_names_its_tools() {
    let names = |command| -> Vec<_> { for_command(command).map(|tool| tool.name).collect() };
    let rust = names("cargo build --release --target wasm32-wasip2 && cp a b");
    assert_eq!(rust, ["cargo", "wasm32-wasip2"]);
    assert_eq!(names("npm ci; node build.js"), ["node", "npm"]);
    assert!(names("sh gomake.sh").is_empty());
}

#[test]
fn installers_are_tools_of_the_table_too() {
    assert_eq!(Source::Cargo("x").installer(), Some(&CARGO));
    assert_eq!(Source::Rustup("x").installer(), Some(&RUSTUP));
    assert_eq!(Source::Pip("x").installer(), Some(&PIP));
}
