//! The sandbox: compiles components, starts instances and calls them. The only crate that names
//! wasmtime; must not know connections or sockets.
//!
//! Four modules: `loading` turns a handler's file into a [`LoadedHandler`]: it reads, recognises,
//! screens and compiles it. `guest` is what a guest gets: grants, host functions and limits of its
//! handles. `kinds` has the kinds of handlers (responder, conversation, program, pipeline) on top
//! of `instance`; `serving` offers them to the network side as one type. `scheduling` decides who
//! computes next, and who gets slots for instances.

#![forbid(unsafe_code)]

#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod guest;
mod kinds;
mod loading;
mod scheduling;

pub use guest::contract::HandlerKind;
pub use guest::grants::{Directory, Grants, InvalidGrant};
pub use guest::imports::{Want, wants};
pub use guest::profiler::{Batch, Profiler, Sample, Sampling, Stack, VersionId};
pub use kinds::isolation::Isolation;
pub use loading::compile::compile_for_cache;
pub use loading::costs::Costs;
pub use loading::demos::{DEMOS, Demo, instead_of};
pub use loading::file::{FileError, HandlerFile, open, open_signature};
pub use loading::language::Language;
pub use loading::load::LoadError;
pub use loading::loaded::LoadedHandler;
pub use loading::manifest::About;
pub use loading::origin::Origin;
pub use loading::proving::prove;
pub use loading::serving::Serving;
pub use loading::source::{ComponentSource, HandlerSource, SourceError};
pub use scheduling::call_meter::CallFigures;
pub use scheduling::capacity::Capacity;
pub use scheduling::wiping::{CannotScan, Wipe};
pub use screening::{Unfit, panics};

use connection::limits::{MAX_CORE_INSTANCES, MAX_STACK_CALLS, MAX_TABLE_ELEMENTS};
use guest::granted::Granted;
use guest::state::{Guest, SharedResources};
use loading::proving::Proofs;
use loading::recompiling::CompiledFunctions;
use scheduling::fair_share::FairShare;
use scheduling::shares::Shares;
use scheduling::slots::{Pool, Share};
use scheduling::turns::Turns;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig, WasmBacktraceDetails};
use wasmtime_wasi_config::WasiConfig;

const MAX_MEMORIES: u32 = 4;
const MAX_TABLES: u32 = 8;

/// The most memory of a slot, and of each of its tables, that stays resident between two
/// instances: everything a small guest uses (`guest/build.toml`).
const KEEP_RESIDENT_BYTES: usize = 256 << 10;
const KEEP_RESIDENT_TABLE_BYTES: usize = 4 << 10;
const PAGE_BYTES: usize = 4 << 10;

/// The address space of a slot. Each handler has its own, lower limit. Address space is free, and
/// reserved anyway.
const MAX_MEMORY_BYTES: usize = 4 << 30;
/// Each slot reserves 4 GiB of address space; without it, every access would need a bounds check.
/// A process has 128 TiB; we take half.
const MAX_SLOTS: usize = 16 << 10;

/// Compiles and runs handlers. One for the whole process; each service has its own view of it.
pub struct Engine {
    wasm: wasmtime::Engine,
    /// Host functions for guests with granted directories, and without.
    with_files: Arc<Linker<Guest>>,
    without_files: Arc<Linker<Guest>>,
    /// As many slots as the pool has memories. An instance takes one for each of its memories, so
    /// that it waits for slots instead of failing.
    pool: Arc<Pool>,
    /// The shares of its handlers.
    shares: Shares,
    /// The share for trying out handlers.
    trials: Arc<Share>,
    common: SharedResources,
    proofs: Arc<Proofs>,
    /// Compiled functions, if handlers are expected to change.
    functions: Option<Arc<CompiledFunctions>>,
    granted: Arc<Granted>,
}

/// What an engine is for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Purpose {
    /// Handlers are expected to change: unchanged functions of the next version are not compiled
    /// again.
    pub handlers_change: bool,
    /// It shows lines of source in the stacks of traps, where components have DWARF. Only for the
    /// author of the handlers: DWARF may take long to parse.
    pub shows_lines: bool,
}

/// The slots for instances: one for each memory of each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slots {
    /// Slots in use.
    pub taken: u32,
    /// All slots.
    pub total: u32,
}

/// The engine could not be set up: the system denies address space, threads or executable memory.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up the Wasm engine: {0}")]
pub struct EngineError(String);

impl EngineError {
    fn new(error: impl Into<wasmtime::Error>) -> Self {
        EngineError(format!("{:#}", error.into()))
    }
}

impl Engine {
    /// An engine with this capacity. Compiled code is cached in the folder `cache`, if any.
    pub fn new(capacity: Capacity, cache: Option<&Path>) -> Result<Self, EngineError> {
        Self::build(capacity, cache, None, false)
    }

    /// The same for a purpose.
    pub fn with_purpose(
        capacity: Capacity,
        cache: Option<&Path>,
        purpose: Purpose,
    ) -> Result<Self, EngineError> {
        let functions = purpose.handlers_change.then(Arc::default);
        Self::build(capacity, cache, functions, purpose.shows_lines)
    }

    fn build(
        capacity: Capacity,
        cache: Option<&Path>,
        functions: Option<Arc<CompiledFunctions>>,
        shows_lines: bool,
    ) -> Result<Self, EngineError> {
        let connections = capacity.all_connections();
        let slots = connections.saturating_mul(capacity.slots_each.max(1));
        let slots = slots.min(MAX_SLOTS);
        let mut config = config(slots as u32, &capacity);
        config.wasm_backtrace_details(if shows_lines {
            WasmBacktraceDetails::Enable
        } else {
            WasmBacktraceDetails::Disable
        });
        let opened = cache.and_then(loading::cache::open);
        let proofs = Proofs::new(cache.filter(|_| opened.is_some()));
        config.cache(opened);
        if let Some(functions) = &functions {
            config
                .enable_incremental_compilation(functions.clone())
                .map_err(EngineError::new)?;
        }
        let wasm = wasmtime::Engine::new(&config).map_err(EngineError::new)?;
        let mut linker = Linker::new(&wasm);
        // Everything a plain std program imports is offered, but denied by default: see `grants`.
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).map_err(EngineError::new)?;
        loading::watched::watch(&mut linker).map_err(EngineError::new)?;
        guest::contract::bindings::echo_host::handler::connections::add_to_linker::<
            _,
            HasSelf<Guest>,
        >(&mut linker, |guest| guest)
        .map_err(EngineError::new)?;
        guest::logging::offer(&mut linker).map_err(EngineError::new)?;
        guest::keyvalue::offer(&mut linker).map_err(EngineError::new)?;
        wasmtime_wasi_config::add_to_linker(&mut linker, |guest: &mut Guest| {
            WasiConfig::from(guest.config())
        })
        .map_err(EngineError::new)?;
        let pool = Pool::new(slots, connections);
        let without_files = guest::no_files::offer(&linker).map_err(EngineError::new)?;
        let turns = Arc::<Turns>::default();
        scheduling::ticker::start(&wasm, &turns).map_err(EngineError::new)?;
        Ok(Engine {
            wasm,
            with_files: Arc::new(linker),
            without_files: Arc::new(without_files),
            shares: Shares::new(&pool),
            trials: pool.share(true),
            pool,
            common: SharedResources {
                memory: FairShare::of(capacity.max_memory_bytes.unwrap_or(usize::MAX)),
                outgoing: guest::network::sockets(),
                files: guest::files::permits(capacity.max_connections),
                turns,
                meter: Arc::default(),
                profiled: Arc::default(),
            },
            proofs: Arc::new(proofs),
            functions,
            granted: Arc::default(),
        })
    }

    /// The same engine for another service, which gets its own share of slots.
    pub fn for_service(&self) -> Self {
        Engine {
            wasm: self.wasm.clone(),
            with_files: self.with_files.clone(),
            without_files: self.without_files.clone(),
            pool: self.pool.clone(),
            shares: Shares::new(&self.pool),
            trials: self.trials.clone(),
            common: self.common.for_service(),
            proofs: self.proofs.clone(),
            functions: self.functions.clone(),
            granted: self.granted.clone(),
        }
    }

    /// What the calls of its service have taken.
    pub fn call_figures(&self) -> CallFigures {
        self.common.meter.figures()
    }

    /// Samples the guests of its service, which gets this number in samples, until the result is
    /// dropped. `None` if another profiler does.
    pub fn profile(&self, profiler: &Arc<Profiler>, service: u32) -> Option<Sampling> {
        self.common.profiled.begin(profiler, service)
    }

    /// Changes the expected connections, sessions and shared instances. The number of slots stays.
    pub fn expect(&self, capacity: &Capacity) {
        self.pool.expect(capacity.all_connections());
    }

    /// The number of slots, and how many are taken.
    pub fn slots(&self) -> Slots {
        let (taken, total) = self.pool.counts();
        Slots {
            taken: taken as u32,
            total: total as u32,
        }
    }
}

/// The bytes of each memory and each table that stay resident without an instance, in whole pages.
/// A used slot keeps them for good. A slot has one memory and, with the usual tools, two tables.
fn warm_bytes(slots: u32, max_warm_bytes: usize) -> (usize, usize) {
    let share = (max_warm_bytes / slots as usize).min(KEEP_RESIDENT_BYTES);
    // A small budget is worth more to memories.
    let of_table = if share >= 8 * KEEP_RESIDENT_TABLE_BYTES {
        KEEP_RESIDENT_TABLE_BYTES
    } else {
        0
    };
    let of_memory = share - 2 * of_table;
    (of_memory & !(PAGE_BYTES - 1), of_table)
}

fn config(slots: u32, capacity: &Capacity) -> Config {
    let (of_memory, of_table) = warm_bytes(slots, capacity.max_warm_bytes);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_stacks(slots)
        .total_core_instances(slots * MAX_CORE_INSTANCES)
        .max_core_instances_per_component(MAX_CORE_INSTANCES)
        .total_memories(slots)
        .max_memories_per_component(MAX_MEMORIES)
        .max_memories_per_module(MAX_MEMORIES)
        .max_memory_size(MAX_MEMORY_BYTES)
        .total_tables(slots * MAX_TABLES)
        .max_tables_per_component(MAX_TABLES)
        .max_tables_per_module(MAX_TABLES)
        .table_elements(MAX_TABLE_ELEMENTS)
        // Clearing touched pages costs less than returning and faulting them again.
        .linear_memory_keep_resident(of_memory)
        .table_keep_resident(of_table)
        .pagemap_scan(capacity.wipe.scans());

    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        // Interrupts a busy guest, so that it neither stalls its neighbours nor exceeds its call
        // timeout.
        .epoch_interruption(true)
        // Triples the cost of a call, and no world of ours is async.
        .concurrency_support(false)
        // A file truncated while it is served must not cause SIGBUS.
        .force_memory_init_memfd(true)
        // Profiles need more of a stack than the messages of traps.
        .wasm_backtrace_max_frames(NonZeroUsize::new(MAX_STACK_CALLS));
    config
}
