//! Reads the configuration file, and tells what is wrong with it and where.

use super::diagnostics::{Diagnostics, Mistake};
use super::document::{Document, Fault};
use super::explain::{explain, in_configuration};
use super::{HostSettings, secrets};
use serde::de::DeserializeOwned;
use std::io;
use std::path::{Path, PathBuf};
use system::opening;
use toml::de::Error;

/// Why there are no settings in a file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("cannot read the configuration {}: {cause}", path.display())]
    Read { path: PathBuf, cause: io::Error },
    #[error("{0}")]
    Content(#[from] Diagnostics),
}

/// The text of a configuration file, with the place of everything in it.
pub struct Text<'t> {
    pub document: Document<'t>,
    path: &'t Path,
    text: &'t str,
}

impl<'t> Text<'t> {
    /// The text of the file at `path`, if it is TOML.
    pub fn parse(path: &'t Path, text: &'t str) -> Result<Self, Diagnostics> {
        let (document, errors) = Document::parse(text);
        if !errors.is_empty() {
            let shown = secrets::hide_lines(text);
            return Err(Diagnostics::new(
                path,
                &shown,
                errors.iter().map(syntax).collect(),
            ));
        }
        Ok(Text {
            document,
            path,
            text,
        })
    }

    /// The settings that it has, and what does not fit. Relative paths begin in its folder.
    pub fn settings(&self) -> (HostSettings, Vec<Fault>) {
        let (settings, faults) = self.document.read::<HostSettings>();
        let mut settings = settings.unwrap_or_default();
        settings.move_to(self.folder());
        (settings, faults)
    }

    /// The folder of the file.
    pub fn folder(&self) -> &'t Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// What is told of values that do not fit, and of more mistakes.
    pub fn told(&self, faults: &[Fault], more: impl IntoIterator<Item = Mistake>) -> Diagnostics {
        // A text where none is expected may be a secret in the wrong place.
        let misplaced = faults.iter().filter_map(|Fault { error, .. }| {
            let is_text = error.message().starts_with("invalid type: string");
            error.span().filter(|_| is_text)
        });
        let shown = secrets::hide(self.text, self.document.root(), misplaced.collect());
        let mistakes = faults.iter().map(in_configuration).chain(more);
        Diagnostics::new(self.path, &shown, mistakes.collect())
    }
}

/// What the TOML file at `path` says, or what is wrong with it and where.
pub fn read_toml<T: DeserializeOwned>(path: &Path) -> Result<T, FileError> {
    let text = text_of(path)?;
    let (document, errors) = Document::parse(&text);
    let told = |mistakes| Diagnostics::new(path, &text, mistakes);
    if !errors.is_empty() {
        return Err(told(errors.iter().map(syntax).collect()).into());
    }
    let (read, faults) = document.read();
    match read {
        Some(read) if faults.is_empty() => Ok(read),
        _ => Err(told(faults.iter().map(explain).collect()).into()),
    }
}

/// The text of a configuration file.
pub fn text_of(path: &Path) -> Result<String, FileError> {
    opening::read_to_string(path).map_err(|cause| FileError::Read {
        path: path.to_owned(),
        cause,
    })
}

fn syntax(error: &Error) -> Mistake {
    Mistake::at(error.span(), error.message())
}

#[cfg(test)]
mod tests {
    use crate::{HostSettings, OptionalPath, Sources};
    use std::fs;
    use std::io::Write;
    use std::path::Path;

    /// What is said about a file with this text, behind the file's name.
    fn complaint(text: &str) -> String {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let sources = Sources {
            file: Some(file.path().to_owned()),
            ..Sources::default()
        };
        let complaint = sources.load().unwrap_err().to_string();
        let name = format!("{}:", file.path().display());
        complaint.strip_prefix(&name).unwrap().to_owned()
    }

    #[track_caller]
    fn check(complaints: &[(&str, &str)]) {
        for (text, expected) in complaints {
            let complaint = complaint(text);
            assert!(complaint.starts_with(expected), "{text:?}: {complaint}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        check(&[
            (
                "[service.a]\n  isolaton = \"shared\"",
                "2:3: unknown key `isolaton`: did you mean `isolation`?",
            ),
            (
                "worker = 2",
                "1:1: unknown key `worker`: did you mean `workers`?",
            ),
            (
                "[service.a]\nenv = { A = \"ä\", B = 1 }",
                "2:22: invalid value of `B`: expected a string, found a number",
            ),
            ("a = 1", "1:1: unknown key `a`; hint: keys here: workers, "),
            (
                "[service.a]\nisolation = \"share\"",
                "2:13: invalid value of `isolation`: did you mean `shared`?",
            ),
            (
                "[service.a]\nlisten = [\"tcp://[::1]:1\", \"8888\"]",
                "2:28: invalid value of `listen`: expected tcp://ADDR:PORT",
            ),
            (
                "[service.a]\nlisten = [{ uri = \"stdio:\", ury = 1 }]",
                "2:29: unknown key `ury`: did you mean `uri`?",
            ),
            (
                "[service.a]\nlisten = [{}]",
                "2:11: the key `uri` is missing",
            ),
            (
                "[service.a]\nlisten = 5",
                "2:10: invalid value of `listen`: expected an address such as",
            ),
            (
                "[service.a]\nmax-memory = 5",
                "2:14: invalid value of `max-memory`: must be from 64KiB to 4GiB",
            ),
            (
                "[service.a]\nmax-memory = true",
                "2:14: invalid value of `max-memory`: expected a size such as",
            ),
            (
                "drain-timeout = 5",
                "1:17: invalid value of `drain-timeout`: unit missing: 5s?",
            ),
            (
                "[service.\"a b\"]",
                "1:10: invalid service name `a b`: expected a to z",
            ),
            (
                "workers = 0",
                "1:11: invalid value of `workers`: expected a whole number of at least 1",
            ),
            ("workers = 1\nworkers = 2", "2:1: duplicate key"),
            ("workers", "1:8: "),
        ]);
    }

    #[test]
    fn it_is_told_where_a_key_belongs() {
        check(&[
            (
                "[service.a]\nworkers = 2",
                "2:1: unknown key `workers`: belongs to the host: ",
            ),
            (
                "[service.a]\ntls-cert = \"x\"",
                "2:1: unknown key `tls-cert`: belongs to a listener: [[service.a.listen]]",
            ),
            (
                "[[service.a.listen]]\nuri = \"stdio:\"\nhandler = \"x\"",
                "3:1: unknown key `handler`: belongs to a service: [service.a]",
            ),
            (
                "handler = \"x\"",
                "1:1: unknown key `handler`: belongs to a service: [service.NAME]",
            ),
            (
                "[[service]]\nhandler = \"x\"",
                "1:1: invalid value of `service`: expected a table, found a list; hint: each",
            ),
            (
                "[service]\nhandler = \"x\"",
                "2:11: invalid value of `handler`: expected a table, found a string; hint: [service] needs",
            ),
        ]);
    }

    #[test]
    fn all_mistakes_are_told_but_not_what_follows_from_them() {
        let complaint = |text: &str| {
            let file = Path::new("/x/a.toml");
            let sources = Sources {
                file: Some(file.to_owned()),
                ..Sources::default()
            };
            let error = sources.load_text(file, text);
            let error = error.unwrap_err();
            let told = error.diagnostics().unwrap();
            let places = told.mistakes().iter().map(|it| told.position(it));
            places.collect::<Vec<_>>()
        };
        let text = "
            worker = 1
            [service.a]
            listen = ['8888', { uri = 'x', allow = ['127.0.0.1', 'y'], ury = 1 }]
            idle-timeout = 5
            handler = 'none.wasm'
            [service.b]
            listen = ['tcp://127.0.0.1:7', 'tcp://127.0.0.1:7', 'tls://127.0.0.1:0']
            handler = 'none.wasm'
            [service.c]
        ";
        let lines: Vec<_> = complaint(text).iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [2, 4, 4, 4, 4, 5, 8, 8, 9]);
    }

    #[test]
    fn no_secret_is_shown() {
        for text in [
            "[service.a]\nenv = { A = 'hunter2', B = 1 }",
            "[service.a]\nenv = 'hunter2'",
            "[service.a]\nevn = { A = 'hunter2' }",
            "[service.a]\nargs = 'hunter2'",
            "[service.a]\nkeyvalue = 'redis://:hunter2@x/y/z'",
            "[service.a.config]\na = 'hunter2'\nb = 1",
            "[service.a]\nenv = { A = 'hunter2 }",
            "[service.a]\nenv = {\n A = 'hunter2' B }",
            "[service.a.env]\nworkers = 'hunter2' x",
            "root:$6$hunter2:1::",
        ] {
            let error = Sources::default().load_text(Path::new("a.toml"), text);
            let error = error.unwrap_err();
            let shown = error.diagnostics().unwrap().render(false);
            assert!(
                !shown.contains("hunter2") && !error.to_string().contains("hunter2"),
                "{shown}"
            );
        }
    }

    #[test]
    fn paths_begin_in_the_folder_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("echo-host.toml");
        let text = r#"
            cache = "cache"
            control = "off"
            [service.a]
            handler = "a.wasm"
            dirs = ["data::/data", "/srv"]
            probes = ["a.exchange"]
        "#;
        fs::write(&path, text).unwrap();
        let (settings, _) = super::Text::parse(&path, text).unwrap().settings();
        let here = |name: &str| folder.path().join(name);
        let HostSettings { service, .. } = &settings;
        let service = service.as_ref().unwrap().values().next().unwrap();
        assert_eq!(settings.cache, Some(OptionalPath::At(here("cache"))));
        assert_eq!(settings.control, Some(OptionalPath::Off));
        assert_eq!(service.handler, Some(here("a.wasm").into()));
        assert_eq!(service.probes, Some(vec![here("a.exchange")]));
        let directories = service.dirs.as_ref().unwrap();
        assert_eq!(directories[0].host, here("data"));
        assert_eq!(directories[0].guest, "/data");
        assert_eq!(directories[1].host, Path::new("/srv"));
    }
}
