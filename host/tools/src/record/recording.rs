//! The file of recorded exchanges.

use super::Transcript;
use exchange::{Exchanges, LineEnding, MAX_FILE_BYTES};
use framing::Framing;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A file of exchanges that grows with each connection, and is valid after each.
#[derive(Debug)]
pub struct Recording {
    path: PathBuf,
    /// Kept open: a file that replaces its path is not written to.
    file: File,
    framing: Option<Framing>,
    /// By connection number, in the order of the file.
    transcripts: BTreeMap<u64, Transcript>,
}

/// Why a connection cannot be recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file exists; somebody may have written it by hand.
    #[error("{} already exists; hint: choose another name, or remove it", .0.display())]
    Exists(PathBuf),
    /// It would exceed the size limit; the file keeps its content.
    #[error("left out connection {number}: {} would become larger than {MAX_FILE_BYTES} bytes", path.display())]
    TooLarge {
        /// The connection.
        number: u64,
        /// The file.
        path: PathBuf,
    },
    /// It cannot be written.
    #[error("cannot write {}: {cause}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

impl Recording {
    /// Creates the file, which must not exist. It sets the framing, if given.
    pub fn create(path: &Path, framing: Option<Framing>) -> Result<Self, RecordingError> {
        let path = path.to_owned();
        match File::create_new(&path) {
            Ok(file) => Ok(Recording {
                path,
                file,
                framing,
                transcripts: BTreeMap::new(),
            }),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Err(RecordingError::Exists(path))
            }
            Err(cause) => Err(RecordingError::Write { path, cause }),
        }
    }

    /// The number of recorded connections.
    pub fn connections(&self) -> usize {
        self.transcripts.len()
    }

    /// Adds the traffic of a connection, if any, and rewrites the file. Blocks.
    pub fn add(&mut self, number: u64, transcript: Transcript) -> Result<(), RecordingError> {
        self.add_all(vec![(number, transcript)])
    }

    /// The same for several connections: all of them, or none if the file would be too large.
    pub fn add_all(&mut self, mut more: Vec<(u64, Transcript)>) -> Result<(), RecordingError> {
        more.retain(|(_, transcript)| !transcript.is_empty());
        let Some((number, _)) = more.first() else {
            return Ok(());
        };
        let (number, path) = (*number, self.path.clone());
        let numbers: Vec<_> = more.iter().map(|(number, _)| *number).collect();
        let is_small = more.iter().all(|(_, it)| it.bytes() <= MAX_FILE_BYTES);
        self.transcripts.extend(more);
        let text = is_small.then(|| self.text());
        let Some(text) = text.filter(|text| text.len() <= MAX_FILE_BYTES) else {
            self.transcripts.retain(|it, _| !numbers.contains(it));
            return Err(RecordingError::TooLarge { number, path });
        };
        self.write(&text).map_err(|cause| self.failed(cause))
    }

    /// Removes the file if nothing was recorded: a file without exchanges is invalid.
    pub fn finish(self) -> Result<(), RecordingError> {
        if self.transcripts.is_empty() {
            self.remove().map_err(|cause| self.failed(cause))
        } else {
            Ok(())
        }
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.file.rewind()?;
        self.file.set_len(0)?;
        self.file.write_all(text.as_bytes())
    }

    /// Removes the file, unless another has replaced it.
    fn remove(&self) -> io::Result<()> {
        let identity = |it: fs::Metadata| (it.dev(), it.ino());
        let there = fs::symlink_metadata(&self.path).map(identity);
        if identity(self.file.metadata()?) == there? {
            fs::remove_file(&self.path)
        } else {
            Ok(())
        }
    }

    fn failed(&self, cause: io::Error) -> RecordingError {
        let path = self.path.clone();
        RecordingError::Write { path, cause }
    }

    fn text(&self) -> String {
        let mut endings = self.transcripts.values().filter_map(Transcript::ending);
        // A file has one line ending for all exchanges.
        let ending = match endings.next() {
            Some(LineEnding::CrLf) if endings.all(|it| it == LineEnding::CrLf) => LineEnding::CrLf,
            _ => LineEnding::Lf,
        };
        let exchanges = self
            .transcripts
            .iter()
            .map(|(number, transcript)| transcript.exchange(transcript.name(*number), ending));
        Exchanges {
            framing: self.framing.clone(),
            ending,
            cuts: None,
            exchanges: exchanges.collect(),
        }
        .to_string()
    }
}
