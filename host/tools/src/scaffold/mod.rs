//! `echo-host new`: creates a folder with a handler that builds, its tests and its contract.
//!
//! The files come from `host/tools/templates`, with [words] filled in: those of the language, of
//! all its handlers, and of the kind or template. They are compiled into this program, so nothing
//! is downloaded.

mod name;
mod start;
pub(crate) mod templates;
mod words;

pub use name::HandlerName;
pub use start::{Start, Template};

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use words::Words;

/// A folder to create.
#[derive(Clone, Debug)]
pub struct Scaffold {
    /// The name of the handler.
    pub name: HandlerName,
    /// What it starts from.
    pub start: Start,
}

/// Why the folder cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum ScaffoldError {
    #[error("{} already exists; hint: choose another name, or remove it", path.display())]
    Exists { path: PathBuf },
    #[error("cannot write {}: {cause}", path.display())]
    Write { path: PathBuf, cause: io::Error },
}

/// A file of the new folder.
#[derive(Debug, PartialEq, Eq)]
struct File {
    /// Its path in the folder.
    path: String,
    content: Vec<u8>,
}

impl Scaffold {
    /// Creates the folder, which must not exist.
    pub fn write(&self, folder: &Path) -> Result<(), ScaffoldError> {
        let files = self.files();
        if fs::symlink_metadata(folder).is_ok() {
            let path = folder.to_owned();
            return Err(ScaffoldError::Exists { path });
        }
        for file in files {
            let path = folder.join(file.path);
            let parent = path.parent().unwrap_or(folder);
            fs::create_dir_all(parent)
                .and_then(|()| fs::write(&path, file.content))
                .map_err(|cause| ScaffoldError::Write { path, cause })?;
        }
        Ok(())
    }

    fn files(&self) -> Vec<File> {
        let words = Words::of(self);
        let mut files: Vec<_> = templates::of(self.start)
            .map(|(path, text)| File {
                path: path.to_owned(),
                content: words.put_into(text).into(),
            })
            .collect();
        files.push(File {
            path: format!("{}.exchange", self.name),
            content: words.put_into(templates::exchange(self.start)).into(),
        });
        let unchanged = templates::unchanged(self.start);
        files.extend(unchanged.into_iter().map(|(path, content)| File {
            path,
            content: content.to_owned(),
        }));
        files
    }
}

#[cfg(test)]
mod tests;
