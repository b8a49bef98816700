//! What a handler declares about itself, checked.

use super::contract::bindings::echo_host::handler::types::Framing as DeclaredFraming;
pub use super::contract::bindings::exports::echo_host::handler::manifest::About as DeclaredAbout;
use crate::framing::Framing;

/// The longest name and version a manifest may hold, in characters.
const MAX_NAME_CHARS: usize = 64;

/// What a handler says about itself: `manifest.about` of the WIT package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// 1 to 64 printable characters.
    pub name: String,
    /// At most 64 printable characters.
    pub version: String,
    /// How it wants its messages cut.
    pub framing: Framing,
    /// The largest message it wants, at least 1.
    pub max_message_bytes: usize,
}

/// Why what a handler says about itself is refused.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error("its name `{0}` is not 1 to {MAX_NAME_CHARS} printable characters")]
    Name(String),
    #[error("its version `{0}` is more than {MAX_NAME_CHARS} characters or not printable")]
    Version(String),
    #[error("its framing is impossible: {0}")]
    Framing(#[from] crate::framing::InvalidFraming),
    #[error("its largest message is 0 bytes")]
    NoMessage,
    #[error("its messages have {length} bytes, more than its own limit of {limit}")]
    FixedTooLong { length: u32, limit: u32 },
}

impl TryFrom<DeclaredAbout> for About {
    type Error = ManifestError;

    fn try_from(declared: DeclaredAbout) -> Result<Self, ManifestError> {
        let DeclaredAbout {
            name,
            version,
            framing,
            max_message_bytes,
        } = declared;
        if name.is_empty() || !is_presentable(&name) {
            return Err(ManifestError::Name(name.escape_debug().to_string()));
        }
        if !is_presentable(&version) {
            return Err(ManifestError::Version(version.escape_debug().to_string()));
        }
        let framing = match framing {
            DeclaredFraming::Chunks => Framing::Chunks,
            DeclaredFraming::Lines => Framing::Lines,
            DeclaredFraming::LengthPrefixed(width) => Framing::length_prefixed(width)?,
            DeclaredFraming::Delimited(sequence) => Framing::delimited(sequence)?,
            DeclaredFraming::Fixed(length) => Framing::fixed(length)?,
        };
        if max_message_bytes == 0 {
            return Err(ManifestError::NoMessage);
        }
        match &framing {
            Framing::Fixed(length) if length.get() > max_message_bytes => {
                Err(ManifestError::FixedTooLong {
                    length: length.get(),
                    limit: max_message_bytes,
                })
            }
            _ => Ok(About {
                name,
                version,
                framing,
                max_message_bytes: max_message_bytes as usize,
            }),
        }
    }
}

fn is_presentable(text: &str) -> bool {
    text.chars().count() <= MAX_NAME_CHARS && !text.chars().any(char::is_control)
}
