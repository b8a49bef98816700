//! `echo-host new`: a folder with a handler that builds, with its tests, its contract and what tells how.
//!
//! The files are those in `host/tools/templates`, with [words] put into them: those of the language, those of all
//! its handlers, and those of the tier. All of them are in this program, so nothing is fetched.

mod name;
mod templates;
mod words;

pub use name::HandlerName;

use engine::{Language, Tier};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use words::Words;

/// What to write.
#[derive(Clone, Debug)]
pub struct Scaffold {
    /// What the handler is called.
    pub name: HandlerName,
    /// What it is written in.
    pub language: Language,
    /// What kind of handler it is.
    pub tier: Tier,
}

/// Why there is no new folder.
#[derive(Debug, thiserror::Error)]
pub enum ScaffoldError {
    #[error("{} is there already: choose another name, or remove it", path.display())]
    Exists { path: PathBuf },
    #[error("cannot write {}: {cause}", path.display())]
    Write { path: PathBuf, cause: io::Error },
}

/// A file of the new folder.
#[derive(Debug, PartialEq, Eq)]
struct File {
    /// Where it is in the folder.
    path: String,
    content: Vec<u8>,
}

impl Scaffold {
    /// Writes the folder, which must not be there.
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
        let (language, tier) = (self.language, self.tier);
        let words = Words::of(self);
        let mut files: Vec<_> = templates::of(language, tier)
            .map(|(path, text)| File {
                path: path.to_owned(),
                content: words.put_into(text).into(),
            })
            .collect();
        files.push(File {
            path: format!("{}.exchange", self.name),
            content: words.put_into(templates::exchange(tier)).into(),
        });
        let unchanged = templates::unchanged(language, tier);
        files.extend(unchanged.into_iter().map(|(path, content)| File {
            path,
            content: content.to_owned(),
        }));
        files
    }
}

#[cfg(test)]
mod tests;
