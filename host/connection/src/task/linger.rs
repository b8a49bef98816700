//! The last step of closing a connection whose client may still be sending.

use crate::limits::{LINGER_BYTES, LINGER_TIME};
use tokio::io::{AsyncRead, AsyncReadExt, copy, sink};
use tokio::time::timeout;

/// Discards input for a while, after everything is written and FIN is sent. Closing with unread
/// bytes would make the kernel send a reset, which can destroy replies in transit.
pub async fn linger(stream: &mut (impl AsyncRead + Unpin)) {
    let mut rest = stream.take(LINGER_BYTES as u64);
    // Errors do not matter: the connection is closed anyway.
    let _ = timeout(LINGER_TIME, copy(&mut rest, &mut sink())).await;
}
