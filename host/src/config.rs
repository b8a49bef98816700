//! What to serve, and how: plain data that flags and variables become, checked as a whole before
//! anything is bound.

use crate::address::Endpoint;
use crate::admission::{AccessList, Admission, Network};
use crate::engine::{Grants, HandlerSource, InvalidGrant, Isolation, LoadedHandler, Tier};
use crate::framing::Framing;
use crate::generation::{Move, Probation};
use crate::limits::{ConnectionLimits, GuestLimits, ServerLimits};
use crate::listener::UnixAccess;
use crate::tls::{Terminator, TlsConfig, TlsError};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Everything `serve` can be told.
#[derive(Clone, Debug)]
pub struct ServeConfig {
    /// What computes the replies.
    pub handler: HandlerSource,
    /// Where clients connect to.
    pub listen: Vec<Endpoint>,
    /// How they come in.
    pub doors: DoorConfig,
    /// Overrides what the handler declares.
    pub framing: Option<Framing>,
    /// Overrides the smaller of [`DEFAULT_MAX_MESSAGE_BYTES`] and what the handler declares.
    pub max_message_bytes: Option<usize>,
    /// A conversation's connection on which more bytes than this wait to be written is closed.
    pub max_unsent_bytes: usize,
    /// Which messages share an instance.
    pub isolation: Isolation,
    /// What the guest may see of the outside.
    pub grants: Grants,
    /// The folder where compiled code is kept; `None` to compile at every start.
    pub cache: Option<PathBuf>,
    /// What one instance may use.
    pub guest_limits: GuestLimits,
    /// A connection on which no byte moves for so long is closed; `None` for never.
    pub idle_timeout: Option<Duration>,
    /// What the whole server may use.
    pub server_limits: ServerLimits,
    /// Whether the handler is swapped when its file changes.
    pub watch: bool,
    /// How the handler is swapped.
    pub swap: SwapConfig,
    /// Threads that serve; `None` for as many as the machine has cores.
    pub workers: Option<usize>,
}

/// How clients come in.
#[derive(Clone, Debug)]
pub struct DoorConfig {
    /// Who may.
    pub access: AccessList,
    /// Where proxies are, which say whom they speak for.
    pub proxies: Vec<Network>,
    /// How long a client may take to shake hands.
    pub handshake_timeout: Duration,
    /// Who may connect to Unix sockets.
    pub unix: UnixAccess,
    /// What clients of `tls://` listeners are shown, and have to show.
    pub tls: TlsConfig,
}

impl Default for DoorConfig {
    fn default() -> Self {
        DoorConfig {
            access: AccessList::default(),
            proxies: Vec::new(),
            handshake_timeout: DEFAULT_HANDSHAKE_TIMEOUT,
            unix: UnixAccess::default(),
            tls: TlsConfig::default(),
        }
    }
}

impl DoorConfig {
    /// What clients of the listener with this URI go through.
    pub fn admission(
        &self,
        listener: &Endpoint,
        terminator: Option<&Arc<Terminator>>,
    ) -> Admission {
        let speaks_tls = matches!(listener, Endpoint::Tls(_));
        Admission {
            listener: listener.to_string().into(),
            access: self.access.clone(),
            proxies: self.proxies.clone(),
            tls: terminator.filter(|_| speaks_tls).cloned(),
            limit: self.handshake_timeout,
        }
    }
}

/// How a handler is swapped while it serves.
#[derive(Clone, Debug)]
pub struct SwapConfig {
    /// What happens to open connections.
    pub on_swap: Move,
    /// Files of exchanges that a version must answer as recorded before it serves.
    pub probes: Vec<PathBuf>,
    /// Interfaces that a new version may import though the one before did not: the beginnings of their
    /// names.
    pub allowed_imports: Vec<String>,
    /// How many failed calls, soon after a swap, undo it.
    pub probation: Option<Probation>,
    /// How long connections may stay with a generation that was swapped out; `None` for as long as they
    /// like.
    pub drain_timeout: Option<Duration>,
}

impl Default for SwapConfig {
    fn default() -> Self {
        SwapConfig {
            on_swap: Move::NewConnections,
            probes: Vec::new(),
            allowed_imports: Vec::new(),
            probation: None,
            drain_timeout: None,
        }
    }
}

/// How long a client may take to shake hands where the operator says nothing.
pub const DEFAULT_HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest message where neither operator nor handler says otherwise.
pub const DEFAULT_MAX_MESSAGE_BYTES: usize = 1 << 20;

/// Why a configuration makes no sense.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error(transparent)]
    Grant(#[from] InvalidGrant),
    #[error("a {tier} remembers its connection: --isolation {isolation} can't serve it")]
    Isolation { tier: Tier, isolation: Isolation },
    #[error("a program reads a stream, which is not cut into messages: leave --framing away")]
    FramedProgram,
    #[error("{endpoint} is given twice (--listen)")]
    ListenTwice { endpoint: Endpoint },
    #[error("stdio: is one client, who is served alone: leave the other --listen away")]
    StdioBeside,
    #[error(
        "no listener speaks TLS: say --listen tls://ADDR:PORT, or leave the --tls options away"
    )]
    NoTlsListener,
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(
        "messages of --framing fixed:{length} are longer than the {limit} bytes a message may have (--max-message)"
    )]
    FixedTooLong { length: u32, limit: usize },
}

impl ServeConfig {
    /// Checks all that can be checked without the handler.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.grants.check()?;
        for (index, endpoint) in self.listen.iter().enumerate() {
            if !endpoint.is_any_port() && self.listen[..index].contains(endpoint) {
                return Err(ConfigError::ListenTwice {
                    endpoint: endpoint.clone(),
                });
            }
        }
        if self.listen.contains(&Endpoint::Stdio) && self.listen.len() > 1 {
            return Err(ConfigError::StdioBeside);
        }
        if !self.speaks_tls() && self.doors.tls != TlsConfig::default() {
            return Err(ConfigError::NoTlsListener);
        }
        Ok(())
    }

    /// What takes TLS off, if a listener needs that. Reads certificates and keys.
    pub fn terminator(&self) -> Result<Option<Arc<Terminator>>, ConfigError> {
        if !self.speaks_tls() {
            return Ok(None);
        }
        Ok(Some(Arc::new(Terminator::new(self.doors.tls.clone())?)))
    }

    fn speaks_tls(&self) -> bool {
        let is_tls = |endpoint: &Endpoint| matches!(endpoint, Endpoint::Tls(_));
        self.listen.iter().any(is_tls)
    }

    fn check_isolation(&self, tier: Tier) -> Result<(), ConfigError> {
        let isolation = self.isolation;
        match (tier, isolation) {
            (Tier::Conversation, Isolation::Message)
            | (Tier::Program, Isolation::Message | Isolation::Shared) => {
                Err(ConfigError::Isolation { tier, isolation })
            }
            _ => Ok(()),
        }
    }

    /// The framing and the connection limits to serve `handler` with: the operator's word counts,
    /// then the handler's, then the defaults.
    pub fn connection(
        &self,
        handler: &LoadedHandler,
    ) -> Result<(Framing, ConnectionLimits), ConfigError> {
        self.check_isolation(handler.tier())?;
        if handler.tier() == Tier::Program && self.framing.is_some() {
            return Err(ConfigError::FramedProgram);
        }
        let about = handler.about();
        let framing = self
            .framing
            .clone()
            .or_else(|| about.map(|about| about.framing.clone()))
            .unwrap_or(Framing::Chunks);
        let declared = about.map_or(usize::MAX, |about| about.max_message_bytes);
        let limit = self
            .max_message_bytes
            .unwrap_or(DEFAULT_MAX_MESSAGE_BYTES.min(declared));
        if limit > declared {
            tracing::warn!(
                "--max-message {limit} is more than the {declared} bytes the handler expects"
            );
        }
        match framing {
            Framing::Fixed(length) if length.get() as usize > limit => {
                Err(ConfigError::FixedTooLong {
                    length: length.get(),
                    limit,
                })
            }
            framing => Ok((
                framing,
                ConnectionLimits {
                    max_message_bytes: limit,
                    max_unsent_bytes: self.max_unsent_bytes,
                    idle_timeout: self.idle_timeout,
                },
            )),
        }
    }
}
