//! What the host keeps for one instance: its view of WASI, its memory budget, its log.

use super::denials::{Denials, Want};
use super::grants::Grants;
use super::guest_log::GuestLog;
use super::log_rate::LogRate;
use super::pending::Pending;
use super::stdio::{BusyTicks, Stdio};
use crate::handler::CallError;
use crate::limits::{GuestLimits, MAX_TABLE_ELEMENTS};
use std::sync::Arc;
use tokio::io::DuplexStream;
use tracing::Span;
use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiter, Result};
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
}

impl GuestTerms {
    pub fn new(grants: Grants, limits: GuestLimits) -> Arc<Self> {
        Arc::new(GuestTerms {
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
            memory: MemoryBudget {
                limit_bytes: terms.limits.max_memory_bytes,
                used_bytes: 0,
                used_elements: 0,
                refusal: None,
            },
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

/// Counts an instance's memories and tables, and remembers a refusal: a guest that is denied memory seldom says
/// so, it runs into a trap soon after.
pub struct MemoryBudget {
    limit_bytes: usize,
    used_bytes: usize,
    used_elements: usize,
    refusal: Option<Refusal>,
}

/// What a guest was refused more of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Memory,
    Table,
}

impl MemoryBudget {
    /// The most bytes all memories may have together.
    pub fn limit_bytes(&self) -> usize {
        self.limit_bytes
    }

    /// A call begins, and what an earlier one was refused has nothing to do with it.
    pub fn forget_refusal(&mut self) {
        self.refusal = None;
    }

    /// What the running call asked for more of than there is, if it did.
    pub fn refusal(&self) -> Option<Refusal> {
        self.refusal
    }
}

impl ResourceLimiter for MemoryBudget {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> Result<bool> {
        let used_bytes = self
            .used_bytes
            .saturating_add(desired.saturating_sub(current));
        if used_bytes > self.limit_bytes {
            self.refusal = Some(Refusal::Memory);
            return Ok(false);
        }
        self.used_bytes = used_bytes;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> Result<bool> {
        let used_elements = self
            .used_elements
            .saturating_add(desired.saturating_sub(current));
        if used_elements > MAX_TABLE_ELEMENTS {
            self.refusal = Some(Refusal::Table);
            return Ok(false);
        }
        self.used_elements = used_elements;
        Ok(true)
    }
}
