//! The change of a connection from clear to TLS.

use super::machine::ByteWire;
use super::session::Connection;
use super::start_tls::StartTls;
use super::{ConnectionError, NotSecured};
use tokio::io::{AsyncRead, AsyncWrite};

impl<S, W, T> Connection<'_, S, W, T>
where
    S: AsyncRead + AsyncWrite + Unpin,
    W: ByteWire,
    T: StartTls<S>,
{
    /// Continues under TLS. What is ordered meanwhile waits until the handshake has ended.
    pub(super) async fn start_tls(&mut self) -> Result<(), ConnectionError> {
        if self.machine.has_input() {
            return Err(ConnectionError::StartTls(NotSecured::EarlyBytes));
        }
        // The handle lets it be started once.
        if let Some(start_tls) = self.start_tls.take() {
            let shaken = start_tls.start_tls(self.stream).await;
            let failed = |error| ConnectionError::StartTls(NotSecured::Handshake(error));
            self.handle.secured(shaken.map_err(failed)?);
        }
        self.handle.touch();
        self.machine.secured();
        self.collect()
    }
}
