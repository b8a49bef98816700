//! Reads a handler and recognises its format, before it is compiled.

use super::file::{FileError, HandlerFile};
use super::origin::Language;
use connection::limits::{Limit, MAX_TEXT_BYTES};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use system::trust::{Trust, TrustError};

/// The built-in echo.
const BUILT_IN_ECHO: &str = include_str!("../../../../guest/echo.wat");

/// The first bytes of every Wasm binary, and what follows in modules and components (component
/// model specification, "Binary Format").
const WASM_MAGIC: &[u8] = b"\0asm";
const CORE_LAYER: &[u8] = &[1, 0, 0, 0];
const COMPONENT_LAYER: &[u8] = &[0x0d, 0, 1, 0];

/// The source of a handler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandlerSource {
    /// The built-in echo.
    BuiltInEcho,
    /// A component in binary or text form.
    File(PathBuf),
    /// A file that was already read. It is reloaded from its path.
    Read(Arc<HandlerFile>),
    /// Several components, each of which gets the reply of the one before.
    Pipeline(Vec<PathBuf>),
}

impl fmt::Display for HandlerSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HandlerSource::BuiltInEcho => write!(f, "the built-in echo"),
            HandlerSource::File(path) => write!(f, "{}", path.display()),
            HandlerSource::Read(file) => write!(f, "{}", file.path.display()),
            HandlerSource::Pipeline(files) => {
                let files: Vec<_> = files.iter().map(|it| it.display().to_string()).collect();
                write!(f, "{}", files.join(" | "))
            }
        }
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
    /// The source for these files: the built-in echo if there are none.
    pub fn from_files(mut files: Vec<PathBuf>) -> Self {
        match files.len() {
            0 => HandlerSource::BuiltInEcho,
            1 => HandlerSource::File(files.remove(0)),
            _ => HandlerSource::Pipeline(files),
        }
    }

    /// Its files.
    pub fn files(&self) -> &[PathBuf] {
        match self {
            HandlerSource::BuiltInEcho => &[],
            HandlerSource::File(path) => std::slice::from_ref(path),
            HandlerSource::Read(file) => std::slice::from_ref(&file.path),
            HandlerSource::Pipeline(files) => files,
        }
    }

    /// The current SHA-256 in hexadecimal: of the component in binary form, or of the hashes of
    /// several. Blocks.
    pub fn sha256(&self) -> Result<String, SourceError> {
        // Only compared with the served one, which was checked.
        let anybody = Trust::default();
        match self {
            HandlerSource::Pipeline(files) => {
                let stages = files
                    .iter()
                    .map(|file| Ok(sha256(&read_component(file, &anybody)?)));
                let hashes: Result<Vec<_>, SourceError> = stages.collect();
                Ok(sha256_of_all(&hashes?))
            }
            _ => Ok(sha256(&self.read(&anybody)?)),
        }
    }

    /// Its language, if it can be detected. Reads the file again: serving does not need this.
    /// Blocks.
    pub fn language(&self, trust: &Trust) -> Option<Language> {
        Language::of(&self.read(trust).ok()?)
    }

    /// The component in binary form (of several: the first), if its file is trusted. The compiler
    /// checks whether it is valid. Blocks.
    pub(crate) fn read(&self, trust: &Trust) -> Result<Vec<u8>, SourceError> {
        match (self, self.files().first()) {
            (HandlerSource::Read(file), _) => trusted_binary(file, trust),
            (_, Some(path)) => read_component(path, trust),
            (_, None) => to_binary(Cow::Borrowed(BUILT_IN_ECHO.as_bytes())),
        }
    }
}

fn read_component(path: &Path, trust: &Trust) -> Result<Vec<u8>, SourceError> {
    trusted_binary(&HandlerFile::read(path, trust)?, trust)
}

fn trusted_binary(file: &HandlerFile, trust: &Trust) -> Result<Vec<u8>, SourceError> {
    trust.check(&file.bytes, file.signature())?;
    to_binary(Cow::Borrowed(&file.bytes))
}

fn to_binary(bytes: Cow<'_, [u8]>) -> Result<Vec<u8>, SourceError> {
    let binary = match text_of(&bytes) {
        Some(text) => assemble(text)?,
        None => bytes.into_owned(),
    };
    recognise(&binary)?;
    Ok(binary)
}

/// The SHA-256 of several hashes, one a line.
pub fn sha256_of_all(hashes: &[String]) -> String {
    sha256(hashes.join("\n").as_bytes())
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
        let place = lines.find_map(|line| line.strip_prefix("--> <anon>:"));
        SourceError::Text(match place {
            Some(place) => format!("line {place}: {what}"),
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
