//! From a handler file to a handler that can serve: read, compile, check, link, try out.

use super::costs::Costs;
use super::features::NotCompiled;
use super::manifest::{About, Describe, ManifestError};
use super::origin::Language;
use super::panics::Panic;
use super::proving::NotProved;
use super::screening::Unfit;
use super::source::{HandlerSource, SourceError, sha256, sha256_of_all};
use crate::Engine;
use crate::MAX_MEMORIES;
use crate::guest::contract::{self, ContractError, Tier};
use crate::guest::grants::{Grants, InvalidGrant};
use crate::guest::imports::Imports;
use crate::guest::state::GuestTerms;
use crate::kinds::fault::one_line;
use crate::kinds::instance::{Exports, Instance, Template};
use crate::kinds::isolation::Isolation;
use crate::kinds::pipeline::StageTemplate;
use crate::kinds::serving::{Serving, Templates};
use crate::scheduling::places::Share;
use connection::guest_text::GuestText;
use connection::handler::CallError;
use connection::limits::GuestLimits;
use keyvalue::Store;
use std::path::PathBuf;
use std::sync::Arc;
use system::trust::Trust;
use tracing::Span;
use wasmtime::component::Component;

/// A handler that was compiled, linked and tried out.
pub struct LoadedHandler {
    templates: Templates,
    tier: Tier,
    about: Option<About>,
    imports: Imports,
    costs: Costs,
    sha256: String,
}

/// Why a handler can't be served. What it shows of the fault is escaped and cut: names of imports and exports, which a
/// component may choose, are part of it.
#[derive(Debug, thiserror::Error)]
#[error("handler {handler}: {}", GuestText::from(fault.to_string()))]
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
    #[error("{error}{}", how_to_export(error, *.language))]
    Contract {
        error: ContractError,
        language: Option<Language>,
    },
    #[error("imports what this host does not offer: `{}`{}", .names.join("`, `"), Language::trap_of(*.language, .names))]
    Imports {
        names: Vec<String>,
        language: Option<Language>,
    },
    #[error("does not fit the host: {0}")]
    Link(String),
    #[error("brings {0} memories; an instance may have {MAX_MEMORIES}")]
    Memories(u32),
    #[error(
        "takes {needed} places for a connection, and the host has {total} of them: start it anew with this handler, or with \
         more --max-connections"
    )]
    Places { needed: usize, total: u32 },
    #[error("is a {0}: only responders can stand in a pipeline")]
    NoStage(Tier),
    #[error("cannot be started: {0}")]
    Start(CallError),
    #[error("has a bad manifest: {0}")]
    Manifest(#[from] ManifestError),
    #[error("cannot describe itself: {0}")]
    Describe(CallError),
}

fn how_to_export(error: &ContractError, language: Option<Language>) -> String {
    match language {
        Some(language) if error.is_without_respond() => {
            format!("; in {language} {}", language.how_to_export())
        }
        _ => String::new(),
    }
}

impl Engine {
    /// Loads a handler: everything that can be wrong with it is found here, before a client meets it.
    /// Compiling keeps the calling thread busy, for seconds if the component is large. Its files must deserve
    /// `trust`, and its instances stay within `limits`.
    pub async fn load(
        &self,
        source: &HandlerSource,
        trust: &Trust,
        grants: &Grants,
        limits: GuestLimits,
    ) -> Result<LoadedHandler, LoadError> {
        let terms = self.terms(grants, limits, source.files());
        let terms = &terms.map_err(|error| LoadError {
            handler: source.clone(),
            fault: error.into(),
        })?;
        if let HandlerSource::Pipeline(files) = source {
            return self.load_pipeline(files, trust, terms).await;
        }
        self.try_load(source, trust, terms)
            .await
            .map_err(|fault| LoadError {
                handler: source.clone(),
                fault,
            })
    }

    /// Loads the stages of a pipeline. To the outside it is what the first of them is.
    async fn load_pipeline(
        &self,
        files: &[PathBuf],
        trust: &Trust,
        terms: &Arc<GuestTerms>,
    ) -> Result<LoadedHandler, LoadError> {
        let mut stages = Vec::new();
        let mut loaded = Vec::new();
        for file in files {
            let source = HandlerSource::File(file.clone());
            let stage = self.try_load(&source, trust, terms).await;
            let stage = stage.and_then(|stage| match &stage.templates {
                Templates::Responder(template) => {
                    let about = stage.about.as_ref();
                    stages.push(StageTemplate {
                        template: template.clone(),
                        max_message_bytes: about.map_or(usize::MAX, |it| it.max_message_bytes),
                    });
                    Ok(stage)
                }
                _ => Err(LoadFault::NoStage(stage.tier)),
            });
            loaded.push(stage.map_err(|fault| LoadError {
                handler: source,
                fault,
            })?);
        }
        let needed = stages.iter().map(|stage| stage.template.memories).sum();
        self.expect_places(needed).map_err(|fault| LoadError {
            handler: HandlerSource::Pipeline(files.to_vec()),
            fault,
        })?;
        let sum = |sum: Costs, it: &LoadedHandler| Costs {
            size_bytes: sum.size_bytes + it.costs.size_bytes,
            compiling: sum.compiling + it.costs.compiling,
            memory_bytes: sum.memory_bytes + it.costs.memory_bytes,
        };
        let hashes: Vec<_> = loaded.iter().map(|it| it.sha256.clone()).collect();
        let first = loaded.first();
        Ok(LoadedHandler {
            tier: first.map_or(Tier::Responder, |it| it.tier),
            about: first.and_then(|it| it.about.clone()),
            templates: Templates::Pipeline(stages),
            imports: Imports::of_all(loaded.iter().map(|it| &it.imports)),
            costs: loaded.iter().fold(Costs::default(), sum),
            sha256: sha256_of_all(&hashes),
        })
    }

    async fn try_load(
        &self,
        source: &HandlerSource,
        trust: &Trust,
        terms: &Arc<GuestTerms>,
    ) -> Result<LoadedHandler, LoadFault> {
        let binary = source.read(trust)?;
        let hash = sha256(&binary);
        let (component, compiling) = self.compile(source, &binary, &hash)?;
        let tier = contract::tier(&component, &self.wasm).map_err(|error| {
            let language = Language::of(&binary);
            LoadFault::Contract { error, language }
        })?;
        let imports = Imports::of(&component, &self.wasm);
        let names = imports.not_offered();
        if !names.is_empty() {
            let language = Language::of(&binary);
            return Err(LoadFault::Imports { names, language });
        }
        let about = match tier {
            Tier::FramedResponder | Tier::Conversation => {
                let template = self.template::<Describe>(&component, terms)?;
                let mut trial = try_out(&template, &self.trials).await?;
                let declared = trial.describe().await.map_err(LoadFault::Describe)?;
                Some(declared.try_into()?)
            }
            Tier::Responder | Tier::Program => None,
        };
        let (templates, memory_bytes) = match tier {
            Tier::Responder | Tier::FramedResponder => {
                self.tried(Templates::Responder, &component, terms).await?
            }
            Tier::Conversation => {
                self.tried(Templates::Conversation, &component, terms)
                    .await?
            }
            Tier::Program => self.tried(Templates::Program, &component, terms).await?,
        };
        Ok(LoadedHandler {
            templates,
            tier,
            about,
            imports,
            costs: Costs {
                size_bytes: binary.len(),
                compiling,
                memory_bytes,
            },
            sha256: hash,
        })
    }

    /// What instances of a kind of handler are made from, tried out, and the memory that one has.
    async fn tried<E: Exports>(
        &self,
        kind: fn(Arc<Template<E>>) -> Templates,
        component: &Component,
        terms: &Arc<GuestTerms>,
    ) -> Result<(Templates, usize), LoadFault> {
        let template = self.template(component, terms)?;
        let mut trial = try_out(&template, &self.trials).await?;
        let memory_bytes = trial.guest().memory.used_bytes();
        Ok((kind(Arc::new(template)), memory_bytes))
    }

    fn template<E: Exports>(
        &self,
        component: &Component,
        terms: &Arc<GuestTerms>,
    ) -> Result<Template<E>, LoadFault> {
        let needs = component.resources_required();
        let memories = needs.map_or(1, |needs| needs.num_memories.max(1));
        if memories > MAX_MEMORIES {
            return Err(LoadFault::Memories(memories));
        }
        let link = |error| LoadFault::Link(one_line(&error));
        self.expect_places(memories as usize)?;
        let linker = match terms.grants.directories.is_empty() {
            true => &self.without_files,
            false => &self.with_files,
        };
        let pre = linker.instantiate_pre(component).map_err(link)?;
        Ok(Template {
            indices: E::indices(&pre).map_err(link)?,
            pre,
            terms: terms.clone(),
            shares: self.shares.clone(),
            memories: memories as usize,
        })
    }
}

async fn try_out<E: Exports>(
    template: &Template<E>,
    trials: &Arc<Share>,
) -> Result<Instance<E>, LoadFault> {
    let trial = Instance::new(template, trials, &Span::none()).await;
    trial.map_err(LoadFault::Start)
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
    pub fn wants(&self) -> Vec<String> {
        self.imports.beyond_plain()
    }

    /// What surprises people who serve such a handler, if this is what it is written in.
    pub fn known_trap(&self, language: Language) -> Option<String> {
        language.known_trap(self.imports.names(), self.tier)
    }

    /// What it costs before it has answered anything.
    pub fn costs(&self) -> Costs {
        self.costs
    }

    /// The SHA-256 of the component in binary form, in hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Serves it, with its instances shared as `isolation` says, and what they keep kept in `store`.
    pub fn serving(&self, isolation: Isolation, store: &Store) -> Serving {
        Serving::new(&self.templates.with_store(store), isolation)
    }
}
