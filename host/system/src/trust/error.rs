//! Why a file is not served though it could be, and why it can't be told.

use super::FileHash;
use std::io;
use std::path::PathBuf;

/// Why a file is not trusted.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    #[error(
        "has the SHA-256 {found}, and only {expected} is served (--require-sha256): it is another file than the one that was pinned"
    )]
    Hash {
        found: FileHash,
        /// All that would do.
        expected: String,
    },
    #[error(
        "has no signature, and must have one (--require-signature): sign it with `minisign -S`, which writes NAME.minisig beside it"
    )]
    Unsigned,
    #[error("has a signature (NAME.minisig) that minisign did not write, or that is cut short")]
    Malformed,
    #[error("is signed with a key that --require-signature does not name")]
    Stranger,
    #[error(
        "has a signature of minisign's older format, which is not taken: sign it again, with minisign 0.10 or later"
    )]
    Legacy,
    #[error(
        "is not what was signed: it, or its signature (NAME.minisig), has been changed without the other"
    )]
    Forged,
}

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error(
        "`{}` is neither a minisign key nor a file that has one (--require-signature): {cause}",
        path.display()
    )]
    Read { path: PathBuf, cause: io::Error },
    #[error("{} holds no minisign key (--require-signature)", path.display())]
    Content { path: PathBuf },
}

/// A text is no hash.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("expected a SHA-256 in 64 hexadecimal digits, as sha256sum prints it")]
pub struct InvalidHash;
