//! Why a session ends.

use crate::Failure;

/// The result of callbacks.
pub type Result<T = ()> = std::result::Result<T, Failure>;

/// The reasons go to the host's log, never to the client.
impl Failure {
    /// The client broke the protocol: what earlier callbacks sent is written, then the connection
    /// closes.
    pub fn protocol(reason: impl ToString) -> Self {
        Failure::of("protocol", &reason)
    }

    /// The handler declines this client: what earlier callbacks sent is written, then the
    /// connection closes.
    pub fn refused(reason: impl ToString) -> Self {
        Failure::of("refused", &reason)
    }

    /// The handler failed: the connection closes at once.
    pub fn internal(reason: impl ToString) -> Self {
        Failure::of("internal", &reason)
    }

    fn of(kind: &str, reason: &impl ToString) -> Self {
        Failure {
            kind: kind.to_owned(),
            reason: reason.to_string(),
        }
    }
}
