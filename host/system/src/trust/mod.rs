//! Trust: which handler files may be served, by pinned hash or signature.
//!
//! Checks the bytes of the file as read, before they are parsed, so that `sha256sum FILE` and
//! `minisign -Sm FILE` agree. With both hashes and keys, a file needs one of each. The built-in
//! echo is part of the program and always trusted.

mod error;

pub use error::{InvalidHash, KeyError, TrustError};

use crate::opening;
use minisign_verify::{Error, PublicKey, Signature};
use sha2::{Digest, Sha256};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The SHA-256 of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileHash([u8; 32]);

/// A minisign key: its Base64 line, or a file with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignerKey {
    /// The key itself, as `minisign -P` takes it.
    Key(PublicKey),
    /// A file such as `minisign -G` makes, as `minisign -p` takes it.
    File(PathBuf),
}

/// The requirements for a file. By default none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    hashes: Vec<FileHash>,
    keys: Vec<PublicKey>,
    key_files: Vec<PathBuf>,
}

impl Trust {
    /// Requires one of these hashes, if any, and a signature with one of these keys, if any. Reads
    /// key files; blocks.
    pub fn new(hashes: Vec<FileHash>, keys: &[SignerKey]) -> Result<Self, KeyError> {
        let read = keys.iter().map(SignerKey::read);
        let files = keys.iter().filter_map(SignerKey::file);
        Ok(Trust {
            hashes,
            keys: read.collect::<Result<_, _>>()?,
            key_files: files.map(Path::to_owned).collect(),
        })
    }

    /// The key files.
    pub fn key_files(&self) -> &[PathBuf] {
        &self.key_files
    }

    /// Whether files must be signed.
    pub fn wants_signatures(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Checks a file, and its signature if required.
    pub fn check(&self, bytes: &[u8], signature: Option<&[u8]>) -> Result<(), TrustError> {
        // Hashing takes longer than anything else that is done with a large file at the start.
        if !self.hashes.is_empty() {
            let found = FileHash::of(bytes);
            if !self.hashes.contains(&found) {
                let expected: Vec<_> = self.hashes.iter().map(ToString::to_string).collect();
                return Err(TrustError::Hash {
                    found,
                    expected: expected.join(" or "),
                });
            }
        }
        match (&self.keys[..], signature) {
            ([], _) => Ok(()),
            (_, None) => Err(TrustError::Unsigned),
            (keys, Some(signature)) => check_signature(keys, bytes, signature),
        }
    }
}

/// The path of a file's signature: minisign writes it beside the file.
pub fn signature_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".minisig");
    name.into()
}

fn check_signature(keys: &[PublicKey], bytes: &[u8], signature: &[u8]) -> Result<(), TrustError> {
    let text = std::str::from_utf8(signature).map_err(|_| TrustError::Malformed)?;
    let signature = Signature::decode(text).map_err(|_| TrustError::Malformed)?;
    let mut refusal = TrustError::Stranger;
    for key in keys {
        match key.verify(bytes, &signature, false) {
            Ok(()) => {
                let comment = signature.trusted_comment().escape_debug();
                tracing::info!("valid signature: {comment}");
                return Ok(());
            }
            Err(Error::UnexpectedKeyId) => {}
            // The legacy format signs the bytes and not their hash; minisign 0.10 abandoned it.
            Err(Error::UnexpectedAlgorithm) => refusal = TrustError::Legacy,
            Err(_) => refusal = TrustError::Forged,
        }
    }
    Err(refusal)
}

impl SignerKey {
    fn file(&self) -> Option<&Path> {
        match self {
            SignerKey::Key(_) => None,
            SignerKey::File(path) => Some(path),
        }
    }

    fn read(&self) -> Result<PublicKey, KeyError> {
        let path = match self {
            SignerKey::Key(key) => return Ok(key.clone()),
            SignerKey::File(path) => path,
        };
        let text = opening::read_to_string(path).map_err(|cause| KeyError::Read {
            path: path.clone(),
            cause,
        })?;
        // A key with or without a comment line.
        let key = PublicKey::decode(&text).or_else(|_| PublicKey::from_base64(text.trim()));
        key.map_err(|_| KeyError::Content { path: path.clone() })
    }
}

impl FromStr for SignerKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match PublicKey::from_base64(text) {
            Ok(key) => Ok(SignerKey::Key(key)),
            Err(_) if text.is_empty() => Err("expected a minisign key, or its file".to_owned()),
            Err(_) => Ok(SignerKey::File(text.into())),
        }
    }
}

impl FileHash {
    fn of(bytes: &[u8]) -> Self {
        FileHash(Sha256::digest(bytes).into())
    }
}

impl FromStr for FileHash {
    type Err = InvalidHash;

    fn from_str(text: &str) -> Result<Self, InvalidHash> {
        let mut hash = [0; 32];
        if text.len() != 2 * hash.len() || !text.bytes().all(|it| it.is_ascii_hexdigit()) {
            return Err(InvalidHash);
        }
        for (byte, at) in hash.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| InvalidHash)?;
        }
        Ok(FileHash(hash))
    }
}

impl fmt::Display for FileHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_written_as_sha256sum_writes_it() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let hash: FileHash = empty.parse().unwrap();
        assert_eq!(hash, FileHash::of(b""));
        assert_eq!(hash.to_string(), empty);
        assert_eq!(empty.to_uppercase().parse(), Ok(hash));
        for bad in ["", &empty[1..], &empty.replace('e', "g"), &"ä".repeat(32)] {
            assert_eq!(bad.parse::<FileHash>(), Err(InvalidHash), "{bad}");
        }
        assert!(format!("+{}", &empty[1..]).parse::<FileHash>().is_err());
    }

    #[test]
    fn a_pinned_file_is_served_and_no_other() {
        let pinned = |bytes: &[u8]| Trust {
            hashes: vec![FileHash::of(b"another"), FileHash::of(bytes)],
            ..Trust::default()
        };
        assert!(pinned(b"a").check(b"a", None).is_ok());
        let refused = pinned(b"a").check(b"b", None).unwrap_err().to_string();
        for hash in [b"a", b"b"].map(|it| FileHash::of(it).to_string()) {
            assert!(refused.contains(&hash), "{refused}");
        }
        assert!(Trust::default().check(b"anything", None).is_ok());
    }
}
