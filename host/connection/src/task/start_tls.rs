//! How a connection continues under TLS.

use crate::handle::TlsInfo;
use std::future::ready;
use std::io;

/// Starts TLS on a stream of this type.
pub trait StartTls<S> {
    /// Shakes hands as the server. Called when everything in clear is written, and only if the
    /// [`Peer`](crate::handle::Peer) offers it. From then on the stream is encrypted; after an
    /// error it is of no use.
    fn start_tls(self, stream: &mut S) -> impl Future<Output = io::Result<TlsInfo>> + Send;
}

/// There is no TLS to start.
pub struct NoTls;

impl<S> StartTls<S> for NoTls {
    fn start_tls(self, _: &mut S) -> impl Future<Output = io::Result<TlsInfo>> + Send {
        ready(Err(io::ErrorKind::Unsupported.into()))
    }
}
