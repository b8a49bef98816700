//! Which world of `wit/` a component implements, told by what it exports.

use std::fmt;
use wasmtime::Engine;
use wasmtime::component::types::{ComponentFunc, ComponentItem};
use wasmtime::component::{Component, Type};

/// The bindings of `wit/`. `bindgen!` writes them from the contract itself.
pub mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "conversation-handler",
        imports: { default: trappable },
        exports: { default: async },
        with: { "echo-host:handler/connections.connection": crate::guest::pending::Connection },
    });
}

/// The export that makes a responder.
pub const RESPOND: &str = "respond";
const MANIFEST: &str = "echo-host:handler/manifest@";
const CONVERSATION: &str = "echo-host:handler/conversation@";
const RUN: &str = "wasi:cli/run@0.2.";
/// The version of the contract, and the end of all its export names.
const VERSION: &str = "0.1.0";

/// What kind of handler a component is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// World `responder`.
    Responder,
    /// World `framed-responder`.
    FramedResponder,
    /// World `conversation-handler`.
    Conversation,
    /// A plain `wasi:cli/command`.
    Program,
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Tier::Responder => "responder",
            Tier::FramedResponder => "framed-responder",
            Tier::Conversation => "conversation-handler",
            Tier::Program => "program (wasi:cli/command)",
        })
    }
}

/// Why a component implements none of our worlds.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    #[error(
        "implements none of the worlds in echo-host:handler@{VERSION}: it exports no `respond`, \
         which a responder needs; it exports {0}"
    )]
    NoneOfOurs(String),
    #[error(
        "declares a manifest but exports no `respond: func(message: list<u8>) -> list<u8>`, which \
         the world framed-responder needs besides"
    )]
    ManifestAlone,
    #[error(
        "exports a conversation but no `{MANIFEST}{VERSION}`, which the world \
         conversation-handler needs besides"
    )]
    ConversationAlone,
    #[error("exports `respond` as {0}, not as `func(message: list<u8>) -> list<u8>`")]
    Respond(String),
    #[error(
        "is made for another version of the contract: it exports `{0}`, this host serves {VERSION}"
    )]
    Version(String),
}

impl ContractError {
    /// Whether what is missing is the function `respond`.
    pub fn is_without_respond(&self) -> bool {
        matches!(
            self,
            ContractError::NoneOfOurs(_) | ContractError::ManifestAlone
        )
    }
}

/// Finds the world that `component` implements.
pub fn tier(component: &Component, engine: &Engine) -> Result<Tier, ContractError> {
    let ty = component.component_type();
    let exports: Vec<_> = ty
        .exports(engine)
        .map(|(name, item)| (name, item.ty))
        .collect();
    let find = |prefix: &str| {
        exports
            .iter()
            .map(|(name, _)| *name)
            .find(|name| name.starts_with(prefix))
    };

    let manifest = find(MANIFEST);
    let conversation = find(CONVERSATION);
    for name in [manifest, conversation].into_iter().flatten() {
        if !name.ends_with(&format!("@{VERSION}")) {
            return Err(ContractError::Version(name.to_owned()));
        }
    }
    if conversation.is_some() {
        return manifest
            .map(|_| Tier::Conversation)
            .ok_or(ContractError::ConversationAlone);
    }
    match exports.iter().find(|(name, _)| *name == RESPOND) {
        Some((_, ComponentItem::ComponentFunc(func))) if is_respond(func) => Ok(match manifest {
            Some(_) => Tier::FramedResponder,
            None => Tier::Responder,
        }),
        Some((_, item)) => Err(ContractError::Respond(describe(item))),
        None if manifest.is_some() => Err(ContractError::ManifestAlone),
        None if find(RUN).is_some() => Ok(Tier::Program),
        None => {
            let names: Vec<_> = exports
                .iter()
                .map(|(name, _)| format!("`{name}`"))
                .collect();
            Err(ContractError::NoneOfOurs(match names.len() {
                0 => "nothing".to_owned(),
                _ => names.join(", "),
            }))
        }
    }
}

fn is_respond(func: &ComponentFunc) -> bool {
    let bytes = |ty: Type| matches!(ty, Type::List(list) if list.ty() == Type::U8);
    let mut params = func.params().map(|(_, ty)| ty);
    let mut results = func.results();
    !func.async_()
        && params.len() == 1
        && results.len() == 1
        && params.next().is_some_and(bytes)
        && results.next().is_some_and(bytes)
}

fn describe(item: &ComponentItem) -> String {
    let ComponentItem::ComponentFunc(func) = item else {
        return "something other than a function".to_owned();
    };
    let asynchronous = if func.async_() { "an async" } else { "a" };
    format!(
        "{asynchronous} function of {} parameters and {} results of other types",
        func.params().len(),
        func.results().len()
    )
}
