//! Passes on what a client and a server say to each other.

use super::Transcript;
use std::io;
use std::sync::{Mutex, PoisonError};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};

/// Bytes asked for in one read.
const READ_BYTES: usize = 64 << 10;

/// Connects a client with a server until both are done with each other, and notes what they say. A client that has
/// finished sending still gets its replies. An end that fails is an end: who was cut off is seen in what was said.
///
/// Can be dropped at any time; what was said by then is in the transcript.
pub async fn relay<C, S>(client: C, server: S, transcript: &Mutex<Transcript>)
where
    C: AsyncRead + AsyncWrite,
    S: AsyncRead + AsyncWrite,
{
    let (from_client, to_client) = split(client);
    let (from_server, to_server) = split(server);
    let note = || transcript.lock().unwrap_or_else(PoisonError::into_inner);
    let requests = async {
        let _ = pass(from_client, to_server, |bytes| note().sent(bytes)).await;
        note().finished();
        // The server may go on talking.
        std::future::pending::<()>().await;
    };
    let replies = async {
        let _ = pass(from_server, to_client, |bytes| note().received(bytes)).await;
        note().closed();
    };
    tokio::select! {
        // What the server has sent comes before what the client does about it.
        biased;
        () = replies => {}
        () = requests => {}
    }
}

/// Passes bytes on until they end, and then that they have ended. They are noted before they are passed on, so that
/// what they cause comes later.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    note: impl Fn(&[u8]),
) -> io::Result<()> {
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        note(&buffer[..read]);
        to.write_all(&buffer[..read]).await?;
        to.flush().await?;
    }
}
