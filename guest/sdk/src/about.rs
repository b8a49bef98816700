//! How a handler describes itself.

use crate::bindings::describing::manifest;

/// How a handler describes itself. The macros build it from the crate's name and version, and from
/// their arguments.
#[derive(Debug)]
pub struct About(manifest::About);

impl About {
    /// A handler that takes chunks of up to 1 MiB.
    pub fn new(name: &str, version: &str) -> Self {
        About(manifest::About {
            name: name.to_owned(),
            version: version.to_owned(),
            framing: "chunks".to_owned(),
            max_message_bytes: 1 << 20,
        })
    }

    /// Sets a name other than the crate's.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.0.name = name.into();
        self
    }

    /// Sets a version other than the crate's.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.0.version = version.into();
        self
    }

    /// Sets the framing, written as for `--framing`, such as `lines`. The default is `chunks`:
    /// whatever one read returned.
    pub fn framing(mut self, framing: impl Into<String>) -> Self {
        self.0.framing = framing.into();
        self
    }

    /// Sets the largest message the handler accepts, at least 1 byte. The default is 1 MiB.
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
