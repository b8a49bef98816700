//! The host's data for one instance: its WASI context, memory budget and log.

use super::denials::{Denials, Want};
use super::grants::{Grants, InvalidGrant, OpenDirectory};
use super::guest_log::GuestLog;
use super::handed_bytes::HandedBytes;
use super::log_rate::LogRate;
use super::memory::MemoryBudget;
use super::pending::Pending;
use super::permits::Permits;
use super::profiler::{ProfiledService, VersionId};
use super::reach::{Reach, guard};
use super::stdio::{BusyTicks, Stdio};
use super::trap_sites::TrapSites;
use crate::scheduling::call_meter::CallMeter;
use crate::scheduling::fair_share::{FairShare, Held};
use crate::scheduling::turns::{Share, Turns};
use connection::clock::Clock;
use connection::handler::CallError;
use connection::limits::{GuestLimits, Limit};
use keyvalue::Store;
use std::sync::Arc;
use tokio::io::DuplexStream;
use tracing::Span;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_config::WasiConfigVariables;

/// The resources that all guests share, from the view of one service.
#[derive(Clone)]
pub struct SharedResources {
    /// Memory, in bytes.
    pub memory: Arc<FairShare>,
    /// Outgoing connections and open files.
    pub outgoing: Arc<FairShare>,
    pub files: Arc<FairShare>,
    pub turns: Arc<Turns>,
    /// Measures calls. This one is of the service alone.
    pub meter: Arc<CallMeter>,
    /// Whether the guests of the service are profiled.
    pub profiled: Arc<ProfiledService>,
}

impl SharedResources {
    /// The same for another service.
    pub fn for_service(&self) -> Self {
        let memory = self.memory.another();
        memory.claim();
        SharedResources {
            memory,
            outgoing: self.outgoing.another(),
            files: self.files.another(),
            turns: self.turns.clone(),
            meter: Arc::default(),
            profiled: Arc::default(),
        }
    }
}

/// What all guests of a handler share.
#[derive(Clone)]
pub struct GuestSettings {
    pub grants: Grants,
    pub limits: GuestLimits,
    pub directories: Arc<[OpenDirectory]>,
    /// The settings of `wasi:config/store`.
    config: Arc<WasiConfigVariables>,
    denials: Arc<Denials>,
    /// The version of the handler that they run.
    pub version: VersionId,
    /// Where they have trapped.
    pub trap_sites: Arc<TrapSites>,
    log_rate: LogRate,
    /// The key-value store.
    store: Store,
    clock: Clock,
    /// The hosts they may connect to.
    pub reach: Arc<Reach>,
    /// Their shares of computing turns: for connections, and for UDP senders, which may be forged.
    pub turns: Arc<Share>,
    pub datagram_turns: Arc<Share>,
    /// Measures their calls.
    pub meter: Arc<CallMeter>,
    pub common: SharedResources,
}

impl GuestSettings {
    /// Shares the resources in `common`. Until the handler serves, key-value data goes to a scratch
    /// store.
    pub fn new(
        grants: Grants,
        limits: GuestLimits,
        common: SharedResources,
    ) -> Result<Arc<Self>, InvalidGrant> {
        if !grants.directories.is_empty() {
            common.files.claim();
        }
        if !grants.connect.is_empty() {
            common.outgoing.claim();
        }
        let meter = common.meter.for_handler();
        Ok(Arc::new(GuestSettings {
            directories: grants.open_directories()?.into(),
            turns: Share::new(&common.turns, &meter),
            datagram_turns: Share::new(&common.turns, &meter),
            meter,
            common,
            reach: Arc::new(Reach::new(&grants.connect)),
            config: Arc::new(grants.config()),
            grants,
            limits,
            denials: Arc::default(),
            version: VersionId::next(),
            trap_sites: Arc::default(),
            log_rate: LogRate::default(),
            store: Store::scratch(),
            clock: Clock::default(),
        }))
    }

    /// The same with another key-value store and clock. Its traps are counted anew.
    pub fn with(&self, store: Store, clock: Clock) -> Arc<Self> {
        Arc::new(GuestSettings {
            store,
            clock,
            trap_sites: Arc::default(),
            ..self.clone()
        })
    }

    /// Takes permits for the granted directories: each instance opens its own descriptors.
    fn take_directories(&self) -> Result<Option<Held>, CallError> {
        if self.directories.is_empty() {
            return Ok(None);
        }
        let mut permits = Held::of(&self.common.files);
        if permits.grow(self.directories.len()) {
            Ok(Some(permits))
        } else {
            Limit::OpenFiles.reached();
            let why = "the open files of all guests are used up";
            Err(CallError::Limit(why.to_owned()))
        }
    }
}

/// The data of a wasmtime store.
pub struct Guest {
    wasi: WasiCtx,
    pub settings: Arc<GuestSettings>,
    pub table: ResourceTable,
    /// The orders of the running callback.
    pub pending: Pending,
    pub busy_ticks: BusyTicks,
    pub memory: MemoryBudget,
    pub log: GuestLog,
    /// A permit for each socket that it has, or had recently.
    pub outgoing: Permits,
    /// The same for files and granted directories.
    pub files: Permits,
    pub directories: Option<Held>,
    pub handed: HandedBytes,
}

impl Guest {
    /// A guest with the grants of its handler.
    ///
    /// Standard input and output are `stdio`, or nothing and the log, whose lines use `span`.
    /// `handed` limits the bytes passed in a call.
    pub fn new(
        settings: &Arc<GuestSettings>,
        stdio: Option<DuplexStream>,
        handed: HandedBytes,
        span: &Span,
    ) -> Result<Self, CallError> {
        let log = GuestLog::new(span.clone(), settings.log_rate.clone());
        let busy_ticks = BusyTicks::default();
        let stdio = stdio.map(|pipe| Stdio {
            pipe,
            busy: busy_ticks.clone(),
        });
        let directories = settings.take_directories()?;
        let opened = &settings.directories;
        let mut wasi = (settings.grants).wasi(opened, &log, stdio, &settings.clock)?;
        if !settings.reach.is_empty() {
            let guard = guard(
                settings.reach.clone(),
                settings.denials.clone(),
                span.clone(),
            );
            wasi.allow_tcp(true).socket_addr_check(guard);
        }
        Ok(Guest {
            wasi: wasi.build(),
            settings: settings.clone(),
            table: ResourceTable::new(),
            pending: Pending::default(),
            busy_ticks,
            memory: MemoryBudget::new(settings.limits.max_memory_bytes, &settings.common.memory),
            outgoing: Permits::of(&settings.common.outgoing),
            files: Permits::of(&settings.common.files),
            directories,
            handed,
            log,
        })
    }

    /// The settings of `wasi:config/store`.
    pub fn config(&self) -> &WasiConfigVariables {
        &self.settings.config
    }

    /// The key-value store of this guest.
    pub fn store(&self) -> &Store {
        &self.settings.store
    }

    /// Logs a denied access.
    pub fn deny(&self, want: Want) {
        self.settings.denials.note(want, &self.log.span());
    }

    /// The guest has asked for environment variables.
    pub fn looks_for_variables(&self) {
        if self.settings.grants.env.is_empty() {
            self.deny(Want::Environment);
        }
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}
