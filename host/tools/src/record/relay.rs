//! Forwards the traffic of a client and a server.

use super::Transcript;
use parking_lot::Mutex;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};

/// Bytes of one read.
const READ_BYTES: usize = 64 << 10;

/// Connects a client to a server until both are finished, and records the traffic. A half-closed
/// client still gets its replies. An error counts as an end: the transcript shows who was cut off.
///
/// Can be dropped at any time; the traffic so far is in the transcript.
pub async fn relay<C, S>(client: C, server: S, transcript: &Mutex<Transcript>)
where
    C: AsyncRead + AsyncWrite,
    S: AsyncRead + AsyncWrite,
{
    let (from_client, to_client) = split(client);
    let (from_server, to_server) = split(server);
    let note = || transcript.lock();
    let requests = async {
        let _ = pass(from_client, to_server, |bytes| note().sent(bytes)).await;
        note().finished();
        // The server may still send.
        std::future::pending::<()>().await;
    };
    let replies = async {
        let _ = pass(from_server, to_client, |bytes| note().received(bytes)).await;
        note().closed();
    };
    tokio::select! {
        // A server's bytes come before the client's reaction to them.
        biased;
        () = replies => {}
        () = requests => {}
    }
}

/// Forwards bytes until they end or fail, and then the end. They are recorded before they are
/// forwarded, so that their effects come later.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    note: impl Fn(&[u8]),
) -> io::Result<()> {
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let read = from.read(&mut buffer).await.unwrap_or(0);
        if read == 0 {
            return to.shutdown().await;
        }
        note(&buffer[..read]);
        to.write_all(&buffer[..read]).await?;
        to.flush().await?;
    }
}
