//! Loads a handler: reads, compiles, checks, links and starts it once.

use super::costs::Costs;
use super::loaded::LoadedHandler;
use super::manifest::{Describe, ManifestError};
use super::not_compiled::NotCompiled;
use super::origin::Origin;
use super::proving::NotProved;
use super::source::{ComponentSource, HandlerSource, SourceError, sha256, sha256_of_all};
use crate::Engine;
use crate::MAX_MEMORIES;
use crate::guest::contract::{self, ContractError, HandlerKind, Implemented};
use crate::guest::grants::{Grants, InvalidGrant};
use crate::guest::imports::Imports;
use crate::guest::state::GuestSettings;
use crate::kinds::fault::one_line;
use crate::kinds::instance::{Exports, Instance, Template};
use crate::kinds::responder::Stage;
use crate::loading::serving::Templates;
use connection::guest_text::GuestText;
use connection::handler::CallError;
use connection::limits::GuestLimits;
use screening::Unfit;
use screening::panics::Panic;
use std::sync::Arc;
use system::trust::Trust;
use tracing::Span;
use wasmtime::component::Component;

/// Why a handler cannot be served. Names of imports and exports, which the component chooses, are
/// escaped and truncated.
#[derive(Debug, thiserror::Error)]
#[error("handler {handler}: {}", GuestText::from(fault.to_string()))]
pub struct LoadError {
    /// The handler.
    pub handler: HandlerSource,
    /// The fault.
    pub fault: LoadFault,
}

/// What is wrong with a handler.
#[derive(Debug, thiserror::Error)]
pub enum LoadFault {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Unfit(#[from] Unfit),
    #[error(transparent)]
    NotProved(#[from] NotProved),
    #[error(transparent)]
    Grant(#[from] InvalidGrant),
    #[error(transparent)]
    NotCompiled(#[from] NotCompiled),
    #[error(transparent)]
    Panic(#[from] Panic),
    #[error("{error}{}", how_to_export(error, *.origin))]
    Contract {
        error: ContractError,
        origin: Option<Origin>,
    },
    #[error("imports `{}`, which this host does not offer{}", .names.join("`, `"), Origin::trap_of(*.origin, .names))]
    Imports {
        names: Vec<String>,
        origin: Option<Origin>,
    },
    #[error("does not match the host: {0}")]
    Link(String),
    #[error("has {0} memories, more than the limit of {MAX_MEMORIES}")]
    Memories(u32),
    #[error(
        "needs {needed} slots for a connection, and the host has {total}; hint: restart the host \
         with this handler, or with a larger --max-connections"
    )]
    Slots { needed: usize, total: u32 },
    #[error("is a {0}: a pipeline takes responders only")]
    NoStage(HandlerKind),
    #[error("cannot be started: {0}")]
    Start(CallError),
    #[error("has a bad manifest: {0}")]
    Manifest(#[from] ManifestError),
    #[error("cannot describe itself: {0}")]
    Describe(CallError),
}

fn how_to_export(error: &ContractError, origin: Option<Origin>) -> String {
    match origin.map(Origin::language) {
        Some(language) if error.is_without_respond() => {
            format!("; hint: in {language}, {}", language.how_to_export())
        }
        _ => String::new(),
    }
}

impl Engine {
    /// Loads a handler. Every error shows here, before a client connects. Compiling blocks the
    /// thread, for seconds if the component is large. Its files must satisfy `trust`; instances
    /// stay within `limits`.
    pub async fn load(
        &self,
        source: &HandlerSource,
        trust: &Trust,
        grants: &Grants,
        limits: GuestLimits,
    ) -> Result<LoadedHandler, LoadError> {
        let settings = self.settings(grants, limits, source.files());
        let settings = &settings.map_err(|error| LoadError {
            handler: source.clone(),
            fault: error.into(),
        })?;
        if let [component] = source.components() {
            let loaded = self.try_load(component, trust, settings).await;
            return loaded.map_err(|fault| LoadError {
                handler: source.clone(),
                fault,
            });
        }
        self.load_pipeline(source, trust, settings).await
    }

    /// Loads the stages of a pipeline. To clients, it looks like the first of them.
    async fn load_pipeline(
        &self,
        source: &HandlerSource,
        trust: &Trust,
        settings: &Arc<GuestSettings>,
    ) -> Result<LoadedHandler, LoadError> {
        let mut stages = Vec::new();
        let mut loaded = Vec::new();
        for component in source.components() {
            let stage = self.try_load(component, trust, settings).await;
            let stage = stage.and_then(|stage| match &stage.templates {
                Templates::Responder(alone) => {
                    let about = stage.about.as_ref();
                    stages.extend(alone.iter().map(|alone| Stage {
                        template: alone.template.clone(),
                        max_message_bytes: about.map_or(usize::MAX, |it| it.max_message_bytes),
                    }));
                    Ok(stage)
                }
                _ => Err(LoadFault::NoStage(stage.tier)),
            });
            loaded.push(stage.map_err(|fault| LoadError {
                handler: component.clone().into(),
                fault,
            })?);
        }
        let needed = stages.iter().map(|stage| stage.template.memories).sum();
        self.expect_slots(needed).map_err(|fault| LoadError {
            handler: source.clone(),
            fault,
        })?;
        let sum = |sum: Costs, it: &LoadedHandler| Costs {
            size_bytes: sum.size_bytes + it.costs.size_bytes,
            compiling: sum.compiling + it.costs.compiling,
            memory_bytes: sum.memory_bytes + it.costs.memory_bytes,
        };
        let hashes = loaded.iter().map(|it| it.sha256.clone()).collect();
        let first = loaded.first();
        Ok(LoadedHandler {
            tier: first.map_or(HandlerKind::Responder, |it| it.tier),
            version: first.and_then(|it| it.version.clone()),
            about: first.and_then(|it| it.about.clone()),
            templates: Templates::Responder(stages),
            imports: Imports::of_all(loaded.iter().map(|it| &it.imports)),
            costs: loaded.iter().fold(Costs::default(), sum),
            sha256: sha256_of_all(hashes),
            source: source.unread(),
        })
    }

    async fn try_load(
        &self,
        source: &ComponentSource,
        trust: &Trust,
        settings: &Arc<GuestSettings>,
    ) -> Result<LoadedHandler, LoadFault> {
        let binary = source.read(trust)?;
        let hash = sha256(&binary);
        let (component, compiling) = self.compile(source, &binary, &hash)?;
        let implemented = contract::implemented(&component, &self.wasm);
        let Implemented { tier, version } = implemented.map_err(|error| {
            let origin = Origin::of(&binary);
            LoadFault::Contract { error, origin }
        })?;
        let imports = Imports::of(&component, &self.wasm);
        let names = imports.not_offered();
        if !names.is_empty() {
            let origin = Origin::of(&binary);
            return Err(LoadFault::Imports { names, origin });
        }
        let about = match tier {
            HandlerKind::FramedResponder | HandlerKind::Conversation => {
                let template = self.template::<Describe>(&component, settings)?;
                let mut trial = self.try_out(&template).await?;
                let declared = trial.describe().await.map_err(LoadFault::Describe)?;
                Some(declared.try_into()?)
            }
            HandlerKind::Responder | HandlerKind::Program => None,
        };
        let (templates, memory_bytes) = match tier {
            HandlerKind::Responder | HandlerKind::FramedResponder => {
                let alone = |template| Templates::Responder(vec![Stage::alone(template)]);
                self.tried(alone, &component, settings).await?
            }
            HandlerKind::Conversation => {
                self.tried(Templates::Conversation, &component, settings)
                    .await?
            }
            HandlerKind::Program => self.tried(Templates::Program, &component, settings).await?,
        };
        Ok(LoadedHandler {
            templates,
            tier,
            version,
            about,
            imports,
            costs: Costs {
                size_bytes: binary.len(),
                compiling,
                memory_bytes,
            },
            sha256: hash,
            source: HandlerSource::from(source.clone()).unread(),
        })
    }

    /// The template of instances, tried out, and the memory of one instance.
    async fn tried<E: Exports>(
        &self,
        kind: fn(Arc<Template<E>>) -> Templates,
        component: &Component,
        settings: &Arc<GuestSettings>,
    ) -> Result<(Templates, usize), LoadFault> {
        let template = self.template(component, settings)?;
        let mut trial = self.try_out(&template).await?;
        let memory_bytes = trial.guest().memory.used_bytes();
        Ok((kind(Arc::new(template)), memory_bytes))
    }

    async fn try_out<E: Exports>(&self, template: &Template<E>) -> Result<Instance<E>, LoadFault> {
        let trial = Instance::new(template, &self.trials, &Span::none()).await;
        trial.map_err(LoadFault::Start)
    }

    fn template<E: Exports>(
        &self,
        component: &Component,
        settings: &Arc<GuestSettings>,
    ) -> Result<Template<E>, LoadFault> {
        let needs = component.resources_required();
        let memories = needs.map_or(1, |it| it.num_memories.max(1));
        if memories > MAX_MEMORIES {
            return Err(LoadFault::Memories(memories));
        }
        let link = |error| LoadFault::Link(one_line(&error));
        self.expect_slots(memories as usize)?;
        let linker = if settings.grants.directories.is_empty() {
            &self.without_files
        } else {
            &self.with_files
        };
        let pre = linker.instantiate_pre(component).map_err(link)?;
        Ok(Template {
            indices: E::indices(&pre).map_err(link)?,
            pre,
            settings: settings.clone(),
            shares: self.shares.clone(),
            memories: memories as usize,
            calls_host: component.component_type().imports(&self.wasm).len() > 0,
        })
    }
}
