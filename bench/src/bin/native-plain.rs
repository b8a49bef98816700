//! The plain native echo: what one writes who has read tokio's tutorial and knows about Nagle. The baseline.

#![forbid(unsafe_code)]

use std::io::{self, Write};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Holds the largest message of the benchmark, so that no row is decided by this size. Only what is used of it
/// becomes resident.
const BUFFER_BYTES: usize = 64 * 1024;

#[tokio::main]
async fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on tcp://{}", listener.local_addr()?)?;
    stdout.flush()?;
    loop {
        // No file left, or the client has gone again: either way there will be others.
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(echo(stream));
        }
    }
}

async fn echo(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    // Read into as it is: nobody has to write zeros into it first.
    let mut buffer = Vec::with_capacity(BUFFER_BYTES);
    while stream.read_buf(&mut buffer).await? > 0 {
        stream.write_all(&buffer).await?;
        buffer.clear();
    }
    Ok(())
}
