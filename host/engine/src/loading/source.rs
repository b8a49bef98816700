//! Reads a handler and recognises what it is, before any of it is compiled.

use super::file::{FileError, HandlerFile};
use super::origin::Language;
use connection::limits::{Limit, MAX_TEXT_BYTES};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use system::trust::{Trust, TrustError};

/// The echo that is part of the host.
const BUILT_IN_ECHO: &str = include_str!("../../../../guest/echo.wat");

/// The first bytes of all Wasm binaries, and what tells the two kinds apart behind them (component
/// model specification, "Binary Format").
const WASM_MAGIC: &[u8] = b"\0asm";
const CORE_LAYER: &[u8] = &[1, 0, 0, 0];
const COMPONENT_LAYER: &[u8] = &[0x0d, 0, 1, 0];

/// Where a handler comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandlerSource {
    /// The echo that needs no file.
    BuiltInEcho,
    /// A component in binary or text form.
    File(PathBuf),
    /// A file that has been read already. From its path it is read again.
    Read(Arc<HandlerFile>),
    /// Several, each of which is given what the one before it replies.
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
        "is a core WebAssembly module, not a component: build it with `--target wasm32-wasip2`, or \
         turn it into one with `wasm-tools component new`"
    )]
    CoreModule,
    #[error("is WebAssembly of a version or kind this host does not know (header {0})")]
    UnknownKind(String),
    #[error("is precompiled native code, which is not loaded: name the component it was made from")]
    Precompiled,
    #[error("is not a component in text form: {0}")]
    Text(String),
    #[error("is longer than {MAX_TEXT_BYTES} bytes in text form: give it in binary form")]
    LongText,
}

impl HandlerSource {
    /// What these files are together: nothing but the built-in echo if there are none.
    pub fn from_files(mut files: Vec<PathBuf>) -> Self {
        match files.len() {
            0 => HandlerSource::BuiltInEcho,
            1 => HandlerSource::File(files.remove(0)),
            _ => HandlerSource::Pipeline(files),
        }
    }

    /// The files it is made of.
    pub fn files(&self) -> &[PathBuf] {
        match self {
            HandlerSource::BuiltInEcho => &[],
            HandlerSource::File(path) => std::slice::from_ref(path),
            HandlerSource::Read(file) => std::slice::from_ref(&file.path),
            HandlerSource::Pipeline(files) => files,
        }
    }

    /// The SHA-256 of what is there now: of the component in binary form, or of the hashes of several, in
    /// hexadecimal. Blocks.
    pub fn sha256(&self) -> Result<String, SourceError> {
        // What is only compared with what is served need not be trusted: that is.
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

    /// What it is written in, if that can be told. Reads it anew: who only serves it need not know. Blocks.
    pub fn language(&self, trust: &Trust) -> Option<Language> {
        Language::of(&self.read(trust).ok()?)
    }

    /// The component in binary form, if its file is to be trusted; whether it is a valid one is for the compiler to
    /// say. Of several it is the first. Blocks.
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

/// The file as text, if it looks like WebAssembly's text form: an S-expression, perhaps behind
/// comments.
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
        // The message shows the line and points into it; one line is what we have, so what went wrong
        // and where will do.
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
    // A header cut short is the compiler's to report, as any other truncation.
    if rest.len() >= 4 && !rest.starts_with(COMPONENT_LAYER) {
        return Err(SourceError::UnknownKind(format!("{:02x?}", &rest[..4])));
    }
    Ok(())
}
