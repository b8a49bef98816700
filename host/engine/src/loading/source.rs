//! Reads a handler and recognises its format, before it is compiled.

use super::demos::Demo;
use super::file::{FileError, HandlerFile};
use super::origin::Origin;
use connection::guest_text::GuestText;
use connection::limits::{Limit, MAX_TEXT_BYTES};
use memchr::memmem;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use system::trust::{Trust, TrustError};

/// The first bytes of every Wasm binary, and what follows in modules and components (component
/// model specification, "Binary Format").
const WASM_MAGIC: &[u8] = b"\0asm";
const CORE_LAYER: &[u8] = &[1, 0, 0, 0];
const COMPONENT_LAYER: &[u8] = &[0x0d, 0, 1, 0];

/// The source of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ComponentSource {
    /// A handler that this program contains.
    Demo(&'static Demo),
    /// A component in binary or text form.
    File(PathBuf),
    /// A file that was already read.
    Read(Arc<HandlerFile>),
}

impl From<PathBuf> for ComponentSource {
    /// The demo of this name, or the file at this path. A file with the name of a demo is `./NAME`.
    fn from(path: PathBuf) -> Self {
        match Demo::named(&path) {
            Some(demo) => ComponentSource::Demo(demo),
            None => ComponentSource::File(path),
        }
    }
}

impl fmt::Display for ComponentSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ComponentSource::Demo(demo) => write!(f, "the built-in {}", demo.name),
            ComponentSource::File(path) => write!(f, "{}", on_one_line(path)),
            ComponentSource::Read(file) => write!(f, "{}", on_one_line(&file.path)),
        }
    }
}

impl ComponentSource {
    /// Its file, if it has one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            ComponentSource::Demo(_) => None,
            ComponentSource::File(path) => Some(path),
            ComponentSource::Read(file) => Some(&file.path),
        }
    }

    /// The component in binary form, if its file is trusted. Demos are part of the program, and
    /// trusted as it is. The compiler checks whether it is valid. Blocks.
    pub(crate) fn read(&self, trust: &Trust) -> Result<Vec<u8>, SourceError> {
        match self {
            ComponentSource::Demo(demo) => to_binary(demo.bytes().map_err(FileError::from)?),
            ComponentSource::File(path) => {
                let file = HandlerFile::read(path, trust)?;
                trust.check(&file.bytes, file.signature())?;
                to_binary(Cow::Owned(file.bytes))
            }
            ComponentSource::Read(file) => {
                trust.check(&file.bytes, file.signature())?;
                to_binary(Cow::Borrowed(&file.bytes))
            }
        }
    }
}

/// A path for logs and terminals: whoever names a file may put any byte into its name.
fn on_one_line(path: &Path) -> GuestText {
    GuestText::from(path.display().to_string())
}

/// The source of a handler: a component, or several, each of which gets the reply of the one
/// before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandlerSource(Vec<ComponentSource>);

impl<S: Into<ComponentSource>> From<S> for HandlerSource {
    fn from(source: S) -> Self {
        HandlerSource(vec![source.into()])
    }
}

impl fmt::Display for HandlerSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let components: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        write!(f, "{}", components.join(" | "))
    }
}

/// Why a file is not a component.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Trust(#[from] TrustError),
    #[error(
        "is not WebAssembly: it begins with {0}, not with `\\0asm` (binary) or `(component` (text)"
    )]
    NotWasm(String),
    #[error(
        "is a core WebAssembly module, not a component; hint: build it with `--target \
         wasm32-wasip2`, or convert it with `wasm-tools component new`"
    )]
    CoreModule,
    #[error("is an unknown version or kind of WebAssembly (header {0})")]
    UnknownKind(String),
    #[error(
        "is precompiled native code, which is not loaded; hint: name the component it was \
     made from"
    )]
    Precompiled,
    #[error("is not a component in text form: {0}")]
    Text(String),
    #[error("is longer than {MAX_TEXT_BYTES} bytes in text form; hint: use the binary form")]
    LongText,
}

impl HandlerSource {
    /// The source for these components: the built-in echo if there are none.
    pub fn new(components: Vec<ComponentSource>) -> Self {
        if components.is_empty() {
            HandlerSource::from(ComponentSource::Demo(Demo::echo()))
        } else {
            HandlerSource(components)
        }
    }

    /// Its components in order.
    pub fn components(&self) -> &[ComponentSource] {
        &self.0
    }

    /// Its files. Demos have none.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().filter_map(ComponentSource::file)
    }

    /// The demo, if it is one.
    pub fn demo(&self) -> Option<&'static Demo> {
        match &self.0[..] {
            [ComponentSource::Demo(demo)] => Some(demo),
            _ => None,
        }
    }

    /// The same, with files to be read again.
    pub(crate) fn unread(&self) -> Self {
        let unread = |it: &ComponentSource| match it {
            ComponentSource::Read(file) => ComponentSource::File(file.path.clone()),
            other => other.clone(),
        };
        HandlerSource(self.0.iter().map(unread).collect())
    }

    /// The current SHA-256 in hexadecimal: of the component in binary form, or of the hashes of
    /// several. Blocks.
    pub fn sha256(&self) -> Result<String, SourceError> {
        // Only compared with the served one, which was checked.
        let anybody = Trust::default();
        let hashes = self.0.iter().map(|it| Ok(sha256(&it.read(&anybody)?)));
        Ok(sha256_of_all(hashes.collect::<Result<_, SourceError>>()?))
    }

    /// What built the first component, if it can be detected. Reads the file again: serving
    /// does not need this. Blocks.
    pub fn origin(&self, trust: &Trust) -> Option<Origin> {
        Origin::of(&self.0.first()?.read(trust).ok()?)
    }

    /// Whether a component may have DWARF with lines of source: custom sections have names. False
    /// if it cannot be read, which loading reports. Blocks.
    pub fn has_lines(&self, trust: &Trust) -> bool {
        let has_lines = |binary: Vec<u8>| memmem::find(&binary, b".debug_line").is_some();
        self.0.iter().any(|it| it.read(trust).is_ok_and(has_lines))
    }
}

fn to_binary(bytes: Cow<'_, [u8]>) -> Result<Vec<u8>, SourceError> {
    let binary = match text_of(&bytes) {
        Some(text) => assemble(text)?,
        None => bytes.into_owned(),
    };
    recognise(&binary)?;
    Ok(binary)
}

/// The SHA-256 of a handler from those of its components: the only one, or that of a text with one
/// a line.
pub fn sha256_of_all(mut hashes: Vec<String>) -> String {
    match hashes.len() {
        1 => hashes.remove(0),
        _ => sha256(hashes.join("\n").as_bytes()),
    }
}

/// The SHA-256 of a component in binary form, in hexadecimal.
pub fn sha256(binary: &[u8]) -> String {
    format!("{:x}", Sha256::digest(binary))
}

/// The file as text, if it looks like WebAssembly text: an S-expression, perhaps after comments.
fn text_of(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let begin = text.trim_start();
    (begin.starts_with('(') || begin.starts_with(";;")).then_some(text)
}

fn assemble(text: &str) -> Result<Vec<u8>, SourceError> {
    if text.len() > MAX_TEXT_BYTES {
        Limit::Component.reached();
        return Err(SourceError::LongText);
    }
    wat::parse_str(text).map_err(|error| {
        // The message spans several lines; we keep the reason and the position.
        let shown = error.to_string();
        let mut lines = shown.lines().map(str::trim);
        let what = lines.next().unwrap_or("unknown error");
        let position = lines.find_map(|line| line.strip_prefix("--> <anon>:"));
        SourceError::Text(match position {
            Some(position) => format!("line {position}: {what}"),
            None => what.to_owned(),
        })
    })
}

fn recognise(binary: &[u8]) -> Result<(), SourceError> {
    if binary.starts_with(b"\x7fELF") {
        return Err(SourceError::Precompiled);
    }
    let Some(rest) = binary.strip_prefix(WASM_MAGIC) else {
        let head = &binary[..binary.len().min(8)];
        return Err(SourceError::NotWasm(format!("`{}`", head.escape_ascii())));
    };
    if rest.starts_with(CORE_LAYER) {
        return Err(SourceError::CoreModule);
    }
    // A truncated header is reported by the compiler.
    if rest.len() >= 4 && !rest.starts_with(COMPONENT_LAYER) {
        return Err(SourceError::UnknownKind(format!("{:02x?}", &rest[..4])));
    }
    Ok(())
}
