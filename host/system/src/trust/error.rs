//! Errors of pinned hashes and signatures.

use super::FileHash;
use std::io;
use std::path::PathBuf;

/// Why a file is not trusted.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    #[error("has SHA-256 {found}, but --require-sha256 allows only {expected}")]
    Hash {
        found: FileHash,
        /// The allowed hashes.
        expected: String,
    },
    #[error(
        "has no signature (--require-signature); hint: sign it with `minisign -S`, which writes \
         NAME.minisig beside it"
    )]
    Unsigned,
    #[error("has an invalid or truncated signature (NAME.minisig)")]
    Malformed,
    #[error("is signed with a key that --require-signature does not name")]
    Stranger,
    #[error(
        "has a signature in minisign's legacy format; hint: sign it again with minisign 0.10 or \
         later"
    )]
    Legacy,
    #[error("does not match its signature (NAME.minisig): one of them was changed")]
    Forged,
}

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error(
        "`{}` is neither a minisign key nor a file with one (--require-signature): {cause}",
        path.display()
    )]
    Read { path: PathBuf, cause: io::Error },
    #[error("no minisign key in {} (--require-signature)", path.display())]
    Content { path: PathBuf },
}

/// The text is not a hash.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("expected a SHA-256 as 64 hexadecimal digits")]
pub struct InvalidHash;
