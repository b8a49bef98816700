//! What a handler says about itself.

use crate::Framing;
use crate::bindings::describing::manifest;

/// What a handler says about itself: the macros make it of the crate's name and version, and of what they are told.
#[derive(Debug)]
pub struct About(manifest::About);

impl About {
    /// A handler that takes chunks of up to 1 MiB.
    pub fn new(name: &str, version: &str) -> Self {
        About(manifest::About {
            name: name.to_owned(),
            version: version.to_owned(),
            framing: Framing::Chunks,
            max_message_bytes: 1 << 20,
        })
    }

    /// Under another name than the crate's.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.0.name = name.into();
        self
    }

    /// Of another version than the crate's.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.0.version = version.into();
        self
    }

    /// How messages are cut out of the stream. Chunks by default: whatever one read returned.
    pub fn framing(mut self, framing: Framing) -> Self {
        self.0.framing = framing;
        self
    }

    /// The largest message the handler wants, at least 1 byte. 1 MiB by default.
    pub fn max_message_bytes(mut self, limit: u32) -> Self {
        self.0.max_message_bytes = limit;
        self
    }
}

impl From<About> for manifest::About {
    fn from(about: About) -> Self {
        about.0
    }
}
