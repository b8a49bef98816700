//! Why a session will not go on.

use crate::Failure;

/// What callbacks return.
pub type Result<T = ()> = std::result::Result<T, Failure>;

/// The reasons are for the host's log; the client sees none of them.
impl Failure {
    /// The client broke the protocol: what earlier callbacks sent is written, then the connection closes.
    pub fn protocol(reason: impl ToString) -> Self {
        Failure::Protocol(reason.to_string())
    }

    /// This client is declined: what earlier callbacks sent is written, then the connection closes.
    pub fn refused(reason: impl ToString) -> Self {
        Failure::Refused(reason.to_string())
    }

    /// The handler failed: the connection closes at once.
    pub fn internal(reason: impl ToString) -> Self {
        Failure::Internal(reason.to_string())
    }
}
