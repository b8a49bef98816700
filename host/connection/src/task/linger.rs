//! The last moment of a connection whose client may still be sending.

use crate::limits::{LINGER_BYTES, LINGER_TIME};
use tokio::io::{AsyncRead, AsyncReadExt, copy, sink};
use tokio::time::timeout;

/// Discards what the client still sends, for a while: closing over unread bytes would make the kernel
/// send a reset, which can destroy the last replies on their way. Called when all is written and FIN is
/// sent.
pub async fn linger(stream: &mut (impl AsyncRead + Unpin)) {
    let mut rest = stream.take(LINGER_BYTES as u64);
    // However it goes, the client had its chance.
    let _ = timeout(LINGER_TIME, copy(&mut rest, &mut sink())).await;
}
