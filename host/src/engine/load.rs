//! From a handler file to a handler that can serve: read, compile, check, link, try out.

use super::contract::{self, ContractError, ManifestError, Tier};
use super::grants::Grants;
use super::guest::Guest;
use super::instance::Instance;
use super::source::{HandlerSource, SourceError};
use super::{Engine, MAX_MEMORIES};
use crate::framing::Framing;
use crate::handler::CallError;
use crate::limits::GuestLimits;
use std::sync::Arc;
use tokio::sync::Semaphore;
use wasmtime::component::{Component, ComponentExportIndex, InstancePre};

/// The interfaces this host offers, all in their version 0.2.
const OFFERED: [&str; 6] = [
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    "wasi:io/",
    "wasi:random/",
    "wasi:sockets/",
];
/// What a program that uses no more than its language's standard library imports all the same.
const PLAIN: [&str; 5] = [
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    "wasi:io/",
    "wasi:random/",
];
/// Our own interfaces that hold types only, and that a component imports to name them.
const TYPES: &str = "echo-host:handler/types@";

/// What a handler says about itself: `manifest.about` of the WIT package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    pub name: String,
    pub version: String,
    pub framing: Framing,
    pub max_message_bytes: usize,
}

/// A handler that was compiled, linked and tried out.
pub struct LoadedHandler {
    pub(super) instance_pre: InstancePre<Guest>,
    pub(super) respond: ComponentExportIndex,
    pub(super) grants: Grants,
    pub(super) limits: GuestLimits,
    pub(super) places: Arc<Semaphore>,
    /// Places one instance takes.
    pub(super) memories: u32,
    tier: Tier,
    about: Option<About>,
    wants: Vec<String>,
    size_bytes: usize,
}

/// Why a handler can't be served.
#[derive(Debug, thiserror::Error)]
#[error("handler {handler}: {fault}")]
pub struct LoadError {
    /// Which handler.
    pub handler: HandlerSource,
    /// What is wrong with it.
    pub fault: LoadFault,
}

/// What is wrong with a handler.
#[derive(Debug, thiserror::Error)]
pub enum LoadFault {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("is not a valid component, or is cut short: {0}")]
    Invalid(String),
    #[error(transparent)]
    Contract(#[from] ContractError),
    #[error("is a {0}, which this version of the host does not serve yet: it serves responders")]
    NotServedYet(Tier),
    #[error("imports what this host does not offer: {0}")]
    Imports(String),
    #[error("does not fit the host: {0}")]
    Link(String),
    #[error("brings {0} memories; an instance may have {MAX_MEMORIES}")]
    Memories(u32),
    #[error("cannot be started: {0}")]
    Start(CallError),
    #[error("has a bad manifest: {0}")]
    Manifest(#[from] ManifestError),
    #[error("cannot describe itself: {0}")]
    Describe(CallError),
}

impl Engine {
    /// Loads a handler: everything that can be wrong with it is found here, before a client meets it.
    /// Compiling keeps the calling thread busy, for seconds if the component is large.
    pub async fn load(
        &self,
        source: &HandlerSource,
        grants: Grants,
    ) -> Result<LoadedHandler, LoadError> {
        self.try_load(source, grants)
            .await
            .map_err(|fault| LoadError {
                handler: source.clone(),
                fault,
            })
    }

    async fn try_load(
        &self,
        source: &HandlerSource,
        grants: Grants,
    ) -> Result<LoadedHandler, LoadFault> {
        let binary = source.read()?;
        let component = Component::from_binary(&self.wasm, &binary)
            .map_err(|error| LoadFault::Invalid(one_line(&error)))?;
        let tier = contract::tier(&component, &self.wasm)?;
        let imports = imports(&component, &self.wasm);
        check_imports(&imports)?;
        if matches!(tier, Tier::Conversation | Tier::Program) {
            return Err(LoadFault::NotServedYet(tier));
        }
        let memories = component
            .resources_required()
            .map_or(1, |needs| needs.num_memories.max(1));
        if memories > MAX_MEMORIES {
            return Err(LoadFault::Memories(memories));
        }
        let link = |error| LoadFault::Link(one_line(&error));
        let mut handler = LoadedHandler {
            instance_pre: self.linker.instantiate_pre(&component).map_err(link)?,
            respond: component
                .get_export_index(None, "respond")
                .ok_or_else(|| LoadFault::Link("`respond` is gone".to_owned()))?,
            grants,
            limits: self.limits,
            places: self.places.clone(),
            memories,
            tier,
            about: None,
            wants: imports.into_iter().filter(|name| !is_plain(name)).collect(),
            size_bytes: binary.len(),
        };
        let mut trial = Instance::new(&handler).await.map_err(LoadFault::Start)?;
        if tier == Tier::FramedResponder {
            let declared = trial.describe().await.map_err(LoadFault::Describe)?;
            handler.about = Some(declared.try_into()?);
        }
        Ok(handler)
    }
}

impl LoadedHandler {
    /// The world it implements.
    pub fn tier(&self) -> Tier {
        self.tier
    }

    /// What it says about itself, if it does.
    pub fn about(&self) -> Option<&About> {
        self.about.as_ref()
    }

    /// The interfaces it imports beyond those of a plain program, in the order of its imports.
    pub fn wants(&self) -> &[String] {
        &self.wants
    }

    /// The size of the component in binary form.
    pub fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// Makes an instance of its own for one message and returns the reply.
    pub async fn call(&self, message: bytes::Bytes) -> Result<bytes::Bytes, CallError> {
        Instance::new(self).await?.respond(message).await
    }
}

fn imports(component: &Component, engine: &wasmtime::Engine) -> Vec<String> {
    component
        .component_type()
        .imports(engine)
        .map(|(name, _)| name.to_owned())
        .collect()
}

fn check_imports(imports: &[String]) -> Result<(), LoadFault> {
    let unknown: Vec<_> = imports
        .iter()
        .filter(|name| !is_offered(name))
        .map(|name| format!("`{name}`"))
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(LoadFault::Imports(unknown.join(", ")))
}

fn is_offered(import: &str) -> bool {
    let ours = import.starts_with(TYPES) || import.starts_with("echo-host:handler/connections@");
    ours || OFFERED.iter().any(|package| import.starts_with(package)) && import.contains("@0.2.")
}

fn is_plain(import: &str) -> bool {
    import.starts_with(TYPES) || PLAIN.iter().any(|package| import.starts_with(package))
}

/// An error and its causes in one line. Wasmtime's own messages span several at times.
pub(super) fn one_line(error: &wasmtime::Error) -> String {
    format!("{error:#}")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
