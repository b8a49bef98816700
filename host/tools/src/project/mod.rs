//! The folder of a handler: [`handler.toml`](FILE) says how to build, watch and test it.

mod build;

pub use build::BuildError;

use config::{self, FileError, ServiceSettings};
use engine::{Isolation, Language};
use framing::Framing;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The name of the file.
pub const FILE: &str = "handler.toml";

/// Why a folder is not a handler's folder.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    #[error(
        "{} has no {FILE}; hint: `echo-host new` creates one",
        folder.display()
    )]
    NoFile { folder: PathBuf },
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{}: {key} must be {expected}", path.display())]
    Value {
        path: PathBuf,
        key: &'static str,
        expected: &'static str,
    },
}

/// The folder of a handler. All paths are below the folder, or absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// The folder, where the build runs.
    pub folder: PathBuf,
    /// The language, which tells what the build needs.
    pub language: Option<Language>,
    /// The command that builds the handler, for `sh -c`.
    pub build: String,
    /// The component that the build creates.
    pub output: PathBuf,
    /// The source files and folders.
    pub watch: Vec<PathBuf>,
    /// Recorded exchanges that the handler must pass.
    pub exchanges: Vec<PathBuf>,
    /// Its framing, if the handler does not declare one.
    pub framing: Option<Framing>,
    /// What shares an instance.
    pub isolation: Isolation,
}

/// The format of the file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Content {
    language: Option<String>,
    build: String,
    output: PathBuf,
    #[serde(default = "default_watch")]
    watch: Vec<PathBuf>,
    #[serde(default)]
    exchanges: Vec<PathBuf>,
    #[serde(default, deserialize_with = "config::optional")]
    framing: Option<Framing>,
    #[serde(default = "default_isolation", deserialize_with = "config::read")]
    isolation: Isolation,
}

fn default_isolation() -> Isolation {
    ServiceSettings::default().isolation()
}

fn default_watch() -> Vec<PathBuf> {
    vec!["src".into()]
}

impl Project {
    /// The project in this folder.
    pub fn read(folder: &Path) -> Result<Self, ProjectError> {
        let path = folder.join(FILE);
        if folder.is_dir() && !path.exists() {
            let folder = folder.to_owned();
            return Err(ProjectError::NoFile { folder });
        }
        let content: Content = config::read_toml(&path)?;
        let language = content.check(&path)?;
        let inside = |paths: Vec<PathBuf>| paths.iter().map(|path| folder.join(path)).collect();
        Ok(Project {
            folder: folder.to_owned(),
            language,
            build: content.build,
            output: folder.join(content.output),
            watch: inside(content.watch),
            exchanges: inside(content.exchanges),
            framing: content.framing,
            isolation: content.isolation,
        })
    }
}

impl Content {
    /// Checks the values, and returns the language.
    fn check(&self, path: &Path) -> Result<Option<Language>, ProjectError> {
        let wrong = |key, expected| {
            Err(ProjectError::Value {
                path: path.to_owned(),
                key,
                expected,
            })
        };
        if self.build.trim().is_empty() {
            return wrong("build", "a command, such as \"make\"");
        }
        if self.output.file_name().is_none() {
            return wrong("output", "the file that the build creates");
        }
        if self.watch.is_empty() {
            return wrong("watch", "at least one file or folder");
        }
        let Some(name) = &self.language else {
            return Ok(None);
        };
        match Language::ALL.into_iter().find(|it| it.name() == name) {
            None => wrong("language", "one of rust, c, go, javascript and python"),
            found => Ok(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// Parses this text; an error is without the folder's name.
    fn read(text: &str) -> Result<Project, String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), text).unwrap();
        let path = folder.path().display().to_string();
        Project::read(folder.path())
            .map_err(|error| error.to_string().replace(&path, "."))
            .map(|project| Project {
                output: project.output.strip_prefix(folder.path()).unwrap().into(),
                folder: PathBuf::new(),
                ..project
            })
    }

    #[test]
    fn two_lines_are_enough() {
        let project = read("build = \"make\"\noutput = \"x.wasm\"").unwrap();
        assert_eq!(project.build, "make");
        assert_eq!(project.output, Path::new("x.wasm"));
        assert!(project.watch[0].ends_with("src"));
        assert!(project.exchanges.is_empty());
        assert_eq!(
            (project.framing, project.isolation),
            (None, Isolation::Connection)
        );
    }

    #[test]
    fn paths_begin_in_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"
            language = "go"
            build = "make"
            output = "out/x.wasm"
            watch = ["src", "/srv/wit"]
            exchanges = ["x.exchange"]
            framing = "fixed:4"
            isolation = "shared"
        "#;
        fs::write(folder.path().join(FILE), text).unwrap();
        let here = |name: &str| folder.path().join(name);
        let expected = Project {
            folder: folder.path().to_owned(),
            language: Some(Language::Go),
            build: "make".to_owned(),
            output: here("out/x.wasm"),
            watch: vec![here("src"), "/srv/wit".into()],
            exchanges: vec![here("x.exchange")],
            framing: Some(Framing::fixed(4).unwrap()),
            isolation: Isolation::Shared,
        };
        assert_eq!(Project::read(folder.path()).unwrap(), expected);
    }

    #[test]
    fn errors_name_their_position() {
        for (text, expected) in [
            (
                "build = \"make\"\noutputs = \"x\"",
                "./handler.toml:2:1: unknown key `outputs`: did you mean `output`?",
            ),
            (
                "build = \"make\"",
                "./handler.toml:1:1: the key `output` is missing",
            ),
            (
                "build = \"make\"\noutput = \"x\"\nframing = \"words\"",
                "./handler.toml:3:11: invalid value of `framing`: expected chunks, lines",
            ),
            (
                "build = \" \"\noutput = \"x\"",
                "./handler.toml: build must be a command",
            ),
            (
                "build = \"make\"\noutput = \"\"",
                "./handler.toml: output must be the file",
            ),
            (
                "build = \"make\"\noutput = \"x\"\nwatch = []",
                "./handler.toml: watch must be at least one",
            ),
            (
                "build = \"make\"\noutput = \"x\"\nlanguage = \"cobol\"",
                "./handler.toml: language must be one of rust, c, go, javascript and python",
            ),
        ] {
            let complaint = read(text).unwrap_err();
            assert!(complaint.starts_with(expected), "{text:?}: {complaint}");
        }
    }

    #[test]
    fn a_folder_without_handler_toml_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let complaint = Project::read(folder.path()).unwrap_err().to_string();
        assert!(
            complaint.contains("has no handler.toml; hint: `echo-host new`"),
            "{complaint}"
        );
    }
}
