//! Reads the configuration file, and tells what is wrong with it and where.

use super::HostSettings;
use serde::de::DeserializeOwned;
use std::io;
use std::path::{Path, PathBuf};
use system::opening;

/// Names that are less alike than this, of at most 1, are not mistaken for each other.
const ALIKE: f64 = 0.6;

/// Why there are no settings in a file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("cannot read the configuration {}: {cause}", path.display())]
    Read { path: PathBuf, cause: io::Error },
    #[error("{}:{line}:{column}: {what}", path.display())]
    Content {
        path: PathBuf,
        /// Counted from 1, as the column is, in characters.
        line: usize,
        column: usize,
        what: String,
    },
}

/// The settings in the file at `path`.
pub fn read(path: &Path) -> Result<HostSettings, FileError> {
    parse(path, &text_of(path)?)
}

/// The settings in the text of the file at `path`. What it calls by relative paths lies in the
/// file's own folder.
pub(super) fn parse(path: &Path, text: &str) -> Result<HostSettings, FileError> {
    let mut settings: HostSettings = from_toml(path, text)?;
    settings.move_to(path.parent().unwrap_or(Path::new("")));
    Ok(settings)
}

/// What the TOML file at `path` says, or what is wrong with it and where.
pub fn read_toml<T: DeserializeOwned>(path: &Path) -> Result<T, FileError> {
    from_toml(path, &text_of(path)?)
}

fn text_of(path: &Path) -> Result<String, FileError> {
    opening::read_to_string(path).map_err(|cause| FileError::Read {
        path: path.to_owned(),
        cause,
    })
}

fn from_toml<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, FileError> {
    toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let (line, column) = position(text, at);
        FileError::Content {
            path: path.to_owned(),
            line,
            column,
            what: explain(error.message()),
        }
    })
}

/// Line and column of a byte.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(at)];
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

/// What serde says about names, in words for people. The texts it begins with are those of its
/// `Error` trait.
fn explain(message: &str) -> String {
    let quoted: Vec<_> = message.split('`').skip(1).step_by(2).collect();
    match &quoted[..] {
        [unknown, known @ ..] if message.starts_with("unknown field") => {
            format!("unknown key `{unknown}`: {}", instead(unknown, known))
        }
        [unknown, known @ ..] if message.starts_with("unknown variant") => {
            format!("unknown value `{unknown}`: {}", instead(unknown, known))
        }
        [missing] if message.starts_with("missing field") => {
            format!("the key `{missing}` is missing")
        }
        _ => match message.strip_prefix("invalid type: ") {
            Some(types) => format!("invalid type: {}", without_value(types)),
            None => message.to_owned(),
        },
    }
}

/// `string "…", expected a map` without the value, which may be a secret that stands in the wrong place.
fn without_value(types: &str) -> String {
    let found = types.split([' ', ',']).next().unwrap_or_default();
    let wanted = types.rsplit(", expected ").next().unwrap_or_default();
    format!("{found}, expected {wanted}")
}

/// The known name that was probably meant, or all there are.
fn instead(unknown: &str, known: &[&str]) -> String {
    let likeness = |name: &str| strsim::normalized_damerau_levenshtein(unknown, name);
    let nearest = known
        .iter()
        .max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    match nearest {
        Some(nearest) if likeness(nearest) >= ALIKE => format!("did you mean `{nearest}`?"),
        _ => format!("expected one of {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::OptionalPath;
    use std::fs;
    use std::io::Write;

    /// What is said about a file with this text, behind the file's name.
    fn complaint(text: &str) -> String {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let complaint = read(file.path()).unwrap_err().to_string();
        let name = format!("{}:", file.path().display());
        complaint.strip_prefix(&name).unwrap().to_owned()
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, expected) in [
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
                "2:22: invalid type: integer, expected a string",
            ),
            ("a = 1", "1:1: unknown key `a`: expected one of workers, "),
            (
                "[service.a]\nisolation = \"share\"",
                "2:13: unknown value `share`: did you mean `shared`?",
            ),
            (
                "[service.a]\nlisten = [\"tcp://[::1]:1\", \"8888\"]",
                "2:28: expected tcp://ADDR:PORT",
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
                "[service.a]\nlisten = \"stdio:\"",
                "2:10: invalid type: string, expected a sequence",
            ),
            (
                "[service.a]\nmax-memory = 5",
                "2:14: must be from 64KiB to 4GiB",
            ),
            (
                "[service.a]\nmax-memory = true",
                "2:14: invalid type: boolean, expected a size such as",
            ),
            ("drain-timeout = 5", "1:17: expected a time such as 500ms"),
            ("[service.\"a b\"]", "1:10: invalid service name `a b`"),
            ("workers = 0", "1:11: invalid value: integer `0`"),
            ("workers = 1\nworkers = 2", "2:1: duplicate key"),
            ("workers", "1:8: "),
        ] {
            let complaint = complaint(text);
            assert!(complaint.starts_with(expected), "{text:?}: {complaint}");
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
        let settings = read(&path).unwrap();
        let here = |name: &str| folder.path().join(name);
        let service = settings.service.as_ref().unwrap().values().next().unwrap();
        assert_eq!(settings.cache, Some(OptionalPath::At(here("cache"))));
        assert_eq!(settings.control, Some(OptionalPath::Off));
        assert_eq!(service.handler, Some(here("a.wasm")));
        assert_eq!(service.probes, Some(vec![here("a.exchange")]));
        let directories = service.dirs.as_ref().unwrap();
        assert_eq!(directories[0].host, here("data"));
        assert_eq!(directories[0].guest, "/data");
        assert_eq!(directories[1].host, Path::new("/srv"));
    }
}
