//! What the host keeps for one instance: its view of WASI, its memory budget, its log.

use super::denials::{Denials, Want};
use super::grants::Grants;
use super::guest_log::GuestLog;
use super::log_rate::LogRate;
use super::memory::{CommonMemory, MemoryBudget};
use super::pending::Pending;
use super::stdio::{BusyTicks, Stdio};
use crate::handler::CallError;
use crate::limits::GuestLimits;
use std::sync::Arc;
use tokio::io::DuplexStream;
use tracing::Span;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_config::WasiConfigVariables;

/// What all guests of one handler have in common.
pub struct GuestTerms {
    pub grants: Grants,
    pub limits: GuestLimits,
    /// What they find in `wasi:config/store`.
    config: WasiConfigVariables,
    denials: Denials,
    log_rate: LogRate,
    memory: Arc<CommonMemory>,
}

impl GuestTerms {
    /// With a part of the `memory` of all guests.
    pub fn new(grants: Grants, limits: GuestLimits, memory: Arc<CommonMemory>) -> Arc<Self> {
        Arc::new(GuestTerms {
            memory,
            config: grants.config(),
            grants,
            limits,
            denials: Denials::default(),
            log_rate: LogRate::default(),
        })
    }
}

/// The data of an instance's store.
pub struct Guest {
    wasi: WasiCtx,
    terms: Arc<GuestTerms>,
    pub table: ResourceTable,
    /// What the running callback asked for.
    pub pending: Pending,
    pub busy_ticks: BusyTicks,
    pub memory: MemoryBudget,
    pub log: GuestLog,
}

impl Guest {
    /// A guest that gets what its handler is granted, and nothing else.
    ///
    /// Its standard input and output are `stdio`, or nothing and the log, whose lines are in `span`.
    pub fn new(
        terms: &Arc<GuestTerms>,
        stdio: Option<DuplexStream>,
        span: &Span,
    ) -> Result<Self, CallError> {
        let log = GuestLog::new(span.clone(), terms.log_rate.clone());
        let busy_ticks = BusyTicks::default();
        let stdio = stdio.map(|pipe| Stdio {
            pipe,
            busy: busy_ticks.clone(),
        });
        Ok(Guest {
            wasi: terms.grants.wasi(&log, stdio)?,
            terms: terms.clone(),
            table: ResourceTable::new(),
            pending: Pending::default(),
            busy_ticks,
            memory: MemoryBudget::new(terms.limits.max_memory_bytes, terms.memory.clone()),
            log,
        })
    }

    /// What it finds in `wasi:config/store`.
    pub fn config(&self) -> &WasiConfigVariables {
        &self.terms.config
    }

    /// Denies it what it reaches for.
    pub fn deny(&self, want: Want) {
        self.terms.denials.note(want, &self.log.span());
    }

    /// It asks which environment variables there are.
    pub fn looks_for_variables(&self) {
        if self.terms.grants.env.is_empty() {
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
