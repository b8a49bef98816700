//! How one service is served: checked, and complete.

use super::error::ConfigError;
use address::Endpoint;
use connection::generation::{Probation, SwapPolicy};
use connection::limits::{ConnectionLimits, GuestLimits};
use engine::{Grants, HandlerKind, HandlerSource, Isolation, LoadedHandler};
use framing::Framing;
use std::path::PathBuf;
use std::time::Duration;
use system::trust::Trust;

/// What computes the replies of a service, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServeConfig {
    /// What computes the replies.
    pub handler: HandlerSource,
    /// What its files must have for that.
    pub trust: Trust,
    /// Overrides what the handler declares.
    pub framing: Option<Framing>,
    /// Overrides the smaller of the default and what the handler declares.
    pub max_message_bytes: Option<usize>,
    /// The longest message where neither operator nor handler says otherwise.
    pub default_max_message_bytes: usize,
    /// A conversation's connection on which more bytes than this wait to be written is closed.
    pub max_unsent_bytes: usize,
    /// Which messages share an instance.
    pub isolation: Isolation,
    /// What the guest may see of the outside.
    pub grants: Grants,
    /// What one instance may use.
    pub guest_limits: GuestLimits,
    /// A connection on which no byte moves for so long is closed; `None` for never.
    pub idle_timeout: Option<Duration>,
    /// Where clients send datagrams, if they do.
    pub datagrams: Option<Endpoint>,
    /// How the handler is swapped.
    pub swap: SwapConfig,
}

/// How a handler is swapped while it serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwapConfig {
    /// What happens to open connections.
    pub on_swap: SwapPolicy,
    /// Files of exchanges that a version must answer as recorded before it serves.
    pub probes: Vec<PathBuf>,
    /// Interfaces that a new version may import though the one before did not: the beginnings of
    /// their names.
    pub allowed_imports: Vec<String>,
    /// How many failed calls, soon after a swap, undo it.
    pub probation: Option<Probation>,
    /// How long connections may stay with a generation that was swapped out; `None` for as long as
    /// they like.
    pub drain_timeout: Option<Duration>,
}

impl ServeConfig {
    fn check_isolation(&self, tier: HandlerKind) -> Result<(), ConfigError> {
        let isolation = self.isolation;
        match (tier, isolation) {
            (HandlerKind::Conversation, Isolation::Message)
            | (HandlerKind::Program, Isolation::Message | Isolation::Shared) => {
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
        if handler.tier() == HandlerKind::Program && self.framing.is_some() {
            return Err(ConfigError::FramedProgram);
        }
        if let (HandlerKind::Program, Some(endpoint)) = (handler.tier(), &self.datagrams) {
            return Err(ConfigError::ProgramOverDatagrams(endpoint.clone()));
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
            .unwrap_or(self.default_max_message_bytes.min(declared));
        if limit > declared {
            tracing::warn!(
                "--max-message {limit} exceeds the {declared} bytes that the handler declares"
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
