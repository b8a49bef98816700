//! The manifest of a handler, checked.

use crate::guest::contract::bindings::exports::echo_host::handler::manifest::{
    About as DeclaredAbout, Guest as Manifest, GuestIndices,
};
use crate::guest::state::Guest;
use crate::kinds::instance::{Exports, Instance};
use connection::guest_text::{self, GuestText};
use connection::handler::CallError;
use framing::Framing;
use wasmtime::component::{Instance as WasmInstance, InstancePre};
use wasmtime::{Result, Store};

/// The export `manifest`.
pub struct Describe(Manifest);

impl Exports for Describe {
    type Indices = GuestIndices;

    fn indices(pre: &InstancePre<Guest>) -> Result<GuestIndices> {
        GuestIndices::new(pre)
    }

    fn load(indices: &GuestIndices, store: &mut Store<Guest>, wasm: &WasmInstance) -> Result<Self> {
        indices.load(store, wasm).map(Describe)
    }
}

impl Instance<Describe> {
    /// The manifest, before it is checked.
    pub async fn describe(&mut self) -> Result<DeclaredAbout, CallError> {
        self.call(async |Describe(manifest), store| manifest.call_describe(store).await)
            .await
    }
}

/// The longest name and version a manifest may hold, in characters.
const MAX_NAME_CHARS: usize = 64;

/// The manifest of a handler: `manifest.about` of the WIT package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// 1 to 64 printable characters.
    pub name: String,
    /// At most 64 printable characters.
    pub version: String,
    /// Its framing.
    pub framing: Framing,
    /// Its longest message in bytes, at least 1.
    pub max_message_bytes: usize,
}

/// Why a manifest is refused.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error("the name `{0}` is not 1 to {MAX_NAME_CHARS} printable characters")]
    Name(GuestText),
    #[error("the version `{0}` is longer than {MAX_NAME_CHARS} characters or not printable")]
    Version(GuestText),
    #[error("invalid framing: {0}")]
    Framing(#[from] framing::InvalidFraming),
    #[error("the longest message is 0 bytes")]
    NoMessage,
    #[error("messages of {length} bytes are longer than the handler's own limit of {limit}")]
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
            return Err(ManifestError::Name(name.into()));
        }
        if !is_presentable(&version) {
            return Err(ManifestError::Version(version.into()));
        }
        let framing = framing.parse()?;
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
    text.chars().count() <= MAX_NAME_CHARS && guest_text::is_presentable(text)
}
