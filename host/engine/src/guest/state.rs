//! What the host keeps for one instance: its view of WASI, its memory budget, its log.

use super::denials::{Denials, Want};
use super::grants::{Grants, InvalidGrant, OpenDirectory};
use super::guest_log::GuestLog;
use super::handed_bytes::HandedBytes;
use super::log_rate::LogRate;
use super::memory::MemoryBudget;
use super::pending::Pending;
use super::permits::Permits;
use super::reach::{Reach, guard};
use super::stdio::{BusyTicks, Stdio};
use crate::scheduling::fair_share::{FairShare, Held};
use crate::scheduling::turns::{Share, Turns};
use connection::handler::CallError;
use connection::limits::{GuestLimits, Limit};
use keyvalue::Store;
use std::sync::Arc;
use tokio::io::DuplexStream;
use tracing::Span;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_config::WasiConfigVariables;

/// What all guests of an engine have together, as far as those of one service may have it.
#[derive(Clone)]
pub struct Common {
    /// In bytes.
    pub memory: Arc<FairShare>,
    /// The connections that they open, and the files.
    pub outgoing: Arc<FairShare>,
    pub files: Arc<FairShare>,
    pub turns: Arc<Turns>,
}

impl Common {
    /// The same for another service.
    pub fn for_service(&self) -> Self {
        let memory = self.memory.another();
        memory.claim();
        Common {
            memory,
            outgoing: self.outgoing.another(),
            files: self.files.another(),
            turns: self.turns.clone(),
        }
    }
}

/// What all guests of one handler have in common.
#[derive(Clone)]
pub struct GuestTerms {
    pub grants: Grants,
    pub limits: GuestLimits,
    pub directories: Arc<[OpenDirectory]>,
    /// What they find in `wasi:config/store`.
    config: Arc<WasiConfigVariables>,
    denials: Arc<Denials>,
    log_rate: LogRate,
    /// Where what they keep is kept.
    store: Store,
    /// Whom they may connect to.
    pub reach: Arc<Reach>,
    /// What they have of the turns to compute: those of connections, and those of senders of datagrams, who may be
    /// forged.
    pub turns: Arc<Share>,
    pub datagram_turns: Arc<Share>,
    pub common: Common,
}

impl GuestTerms {
    /// With a part of what all guests have in `common`. What they keep until they serve is kept nowhere else.
    pub fn new(
        grants: Grants,
        limits: GuestLimits,
        common: Common,
    ) -> Result<Arc<Self>, InvalidGrant> {
        if !grants.directories.is_empty() {
            common.files.claim();
        }
        if !grants.connect.is_empty() {
            common.outgoing.claim();
        }
        Ok(Arc::new(GuestTerms {
            directories: grants.open_directories()?.into(),
            turns: Share::new(&common.turns),
            datagram_turns: Share::new(&common.turns),
            common,
            reach: Arc::new(Reach::new(&grants.connect)),
            config: Arc::new(grants.config()),
            grants,
            limits,
            denials: Arc::default(),
            log_rate: LogRate::default(),
            store: Store::scratch(),
        }))
    }

    /// The same for guests that keep things in `store`.
    pub fn with_store(&self, store: Store) -> Arc<Self> {
        Arc::new(GuestTerms {
            store,
            ..self.clone()
        })
    }

    /// Takes permits for the granted directories, each of which an instance opens for itself.
    fn take_directories(&self) -> Result<Option<Held>, CallError> {
        if self.directories.is_empty() {
            return Ok(None);
        }
        let mut permits = Held::of(&self.common.files);
        match permits.grow(self.directories.len()) {
            true => Ok(Some(permits)),
            false => {
                Limit::OpenFiles.reached();
                let why = "all guests together have as many files open as they may";
                Err(CallError::Limit(why.to_owned()))
            }
        }
    }
}

/// The data of an instance's store.
pub struct Guest {
    wasi: WasiCtx,
    pub terms: Arc<GuestTerms>,
    pub table: ResourceTable,
    /// What the running callback asked for.
    pub pending: Pending,
    pub busy_ticks: BusyTicks,
    pub memory: MemoryBudget,
    pub log: GuestLog,
    /// One permit for each socket that it has, or had not long ago.
    pub outgoing: Permits,
    /// The same for files, and for the directories that it is granted.
    pub files: Permits,
    pub directories: Option<Held>,
    pub handed: HandedBytes,
}

impl Guest {
    /// A guest that gets what its handler is granted, and nothing else.
    ///
    /// Its standard input and output are `stdio`, or nothing and the log, whose lines are in `span`. In one call it
    /// may hand over what `handed` says.
    pub fn new(
        terms: &Arc<GuestTerms>,
        stdio: Option<DuplexStream>,
        handed: HandedBytes,
        span: &Span,
    ) -> Result<Self, CallError> {
        let log = GuestLog::new(span.clone(), terms.log_rate.clone());
        let busy_ticks = BusyTicks::default();
        let stdio = stdio.map(|pipe| Stdio {
            pipe,
            busy: busy_ticks.clone(),
        });
        let directories = terms.take_directories()?;
        let mut wasi = terms.grants.wasi(&terms.directories, &log, stdio)?;
        if !terms.reach.is_empty() {
            let guard = guard(terms.reach.clone(), terms.denials.clone(), span.clone());
            wasi.allow_tcp(true).socket_addr_check(guard);
        }
        Ok(Guest {
            wasi: wasi.build(),
            terms: terms.clone(),
            table: ResourceTable::new(),
            pending: Pending::default(),
            busy_ticks,
            memory: MemoryBudget::new(terms.limits.max_memory_bytes, &terms.common.memory),
            outgoing: Permits::of(&terms.common.outgoing),
            files: Permits::of(&terms.common.files),
            directories,
            handed,
            log,
        })
    }

    /// What it finds in `wasi:config/store`.
    pub fn config(&self) -> &WasiConfigVariables {
        &self.terms.config
    }

    /// Where it keeps what it keeps.
    pub fn store(&self) -> &Store {
        &self.terms.store
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
