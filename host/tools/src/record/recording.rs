//! The file that exchanges are recorded in.

use super::Transcript;
use connection::exchange::{Ending, Exchanges, MAX_FILE_BYTES};
use connection::framing::Framing;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A file of exchanges that grows with each connection, and is whole after each.
#[derive(Debug)]
pub struct Recording {
    path: PathBuf,
    /// Kept open: what others put at its path is not written to.
    file: File,
    framing: Option<Framing>,
    /// By the number of their connections, in which order they are written.
    transcripts: BTreeMap<u64, Transcript>,
}

/// Why nothing, or not this, is recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// There is such a file, which somebody may have written by hand.
    #[error("{} is there already: name another file, or remove it", .0.display())]
    Exists(PathBuf),
    /// It would be larger than a file of exchanges may be, and what it has is kept.
    #[error("with connection {number} {} would be larger than {MAX_FILE_BYTES} bytes: it is left out", path.display())]
    TooLarge {
        /// Which connection.
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
    /// Makes the file, which must not be there yet. It will say that messages are framed so, if that is known.
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

    /// How many connections it holds.
    pub fn connections(&self) -> usize {
        self.transcripts.len()
    }

    /// Adds what was said on a connection, if anything was, and writes the file anew. Blocks.
    pub fn add(&mut self, number: u64, transcript: Transcript) -> Result<(), RecordingError> {
        if transcript.is_empty() {
            return Ok(());
        }
        let is_small = transcript.bytes() <= MAX_FILE_BYTES;
        self.transcripts.insert(number, transcript);
        let text = is_small.then(|| self.text());
        let Some(text) = text.filter(|text| text.len() <= MAX_FILE_BYTES) else {
            self.transcripts.remove(&number);
            let path = self.path.clone();
            return Err(RecordingError::TooLarge { number, path });
        };
        self.write(&text).map_err(|cause| self.failed(cause))
    }

    /// Removes the file if nothing was recorded: one without an exchange is none.
    pub fn finish(self) -> Result<(), RecordingError> {
        match self.transcripts.is_empty() {
            true => self.remove().map_err(|cause| self.failed(cause)),
            false => Ok(()),
        }
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.file.rewind()?;
        self.file.set_len(0)?;
        self.file.write_all(text.as_bytes())
    }

    /// Removes the file, unless something else has taken its place.
    fn remove(&self) -> io::Result<()> {
        let identity = |it: fs::Metadata| (it.dev(), it.ino());
        let there = fs::symlink_metadata(&self.path).map(identity);
        match identity(self.file.metadata()?) == there? {
            true => fs::remove_file(&self.path),
            false => Ok(()),
        }
    }

    fn failed(&self, cause: io::Error) -> RecordingError {
        let path = self.path.clone();
        RecordingError::Write { path, cause }
    }

    fn text(&self) -> String {
        let mut endings = self.transcripts.values().filter_map(Transcript::ending);
        // A file has one ending, for all that it holds.
        let ending = match endings.next() {
            Some(Ending::CrLf) if endings.all(|it| it == Ending::CrLf) => Ending::CrLf,
            _ => Ending::Lf,
        };
        let exchanges = self.transcripts.iter().map(|(number, transcript)| {
            transcript.exchange(format!("connection {number}"), ending)
        });
        Exchanges {
            framing: self.framing.clone(),
            ending,
            cuts: None,
            exchanges: exchanges.collect(),
        }
        .to_string()
    }
}
