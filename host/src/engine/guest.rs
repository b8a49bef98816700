//! What the host keeps for one instance: its view of WASI, its memory budget, its log.

use super::grants::Grants;
use super::guest_log::GuestLog;
use super::pending::Pending;
use super::stdio::{BusyTicks, Stdio};
use crate::handler::CallError;
use std::sync::Arc;
use tokio::io::DuplexStream;
use tracing::Span;
use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiter, Result};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_config::WasiConfigVariables;

/// The data of an instance's store.
pub struct Guest {
    wasi: WasiCtx,
    /// What it finds in `wasi:config/store`.
    pub config: Arc<WasiConfigVariables>,
    pub table: ResourceTable,
    /// What the running callback asked for.
    pub pending: Pending,
    pub busy_ticks: BusyTicks,
    pub memory: MemoryBudget,
    pub log: GuestLog,
}

impl Guest {
    /// A guest that is granted `grants` and `max_memory_bytes`, and nothing else. `config` is of the same grants,
    /// made once for all guests.
    ///
    /// Its standard input and output are `stdio`, or nothing and the log, whose lines are in `span`.
    pub fn new(
        grants: &Grants,
        config: &Arc<WasiConfigVariables>,
        max_memory_bytes: usize,
        stdio: Option<DuplexStream>,
        span: &Span,
    ) -> Result<Self, CallError> {
        let log = GuestLog::new(span.clone());
        let busy_ticks = BusyTicks::default();
        let stdio = stdio.map(|pipe| Stdio {
            pipe,
            busy: busy_ticks.clone(),
        });
        Ok(Guest {
            wasi: grants.wasi(&log, stdio)?,
            config: config.clone(),
            table: ResourceTable::new(),
            pending: Pending::default(),
            busy_ticks,
            memory: MemoryBudget {
                limit_bytes: max_memory_bytes,
                used_bytes: 0,
                refused: false,
            },
            log,
        })
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

/// Counts an instance's memories, and remembers a refusal: a guest that is denied memory seldom says
/// so, it runs into a trap soon after.
pub struct MemoryBudget {
    limit_bytes: usize,
    used_bytes: usize,
    refused: bool,
}

impl MemoryBudget {
    /// The most bytes all memories may have together.
    pub fn limit_bytes(&self) -> usize {
        self.limit_bytes
    }

    /// Whether the guest asked for more.
    pub fn refused(&self) -> bool {
        self.refused
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
        self.refused |= used_bytes > self.limit_bytes;
        if used_bytes > self.limit_bytes {
            return Ok(false);
        }
        self.used_bytes = used_bytes;
        Ok(true)
    }

    /// Tables are bounded by the pool: see `Engine`.
    fn table_growing(
        &mut self,
        _current: usize,
        _desired: usize,
        _maximum: Option<usize>,
    ) -> Result<bool> {
        Ok(true)
    }
}
