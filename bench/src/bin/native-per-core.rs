//! The best native echo without unsafe code. Each core has a thread, a runtime and a listener, so
//! no connection ever moves. Each thread has one buffer, which stays in its core's cache. A reply
//! is written in the same poll that read its message.

#![forbid(unsafe_code)]

use socket2::{Domain, Protocol, Socket, Type};
use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::thread;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

const BUFFER_BYTES: usize = 64 * 1024;
const BACKLOG: i32 = 4096;

thread_local! {
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; BUFFER_BYTES].into());
}

/// The result of a poll that read something.
enum Step {
    /// Everything is written.
    Written,
    /// The client does not read fast enough: these bytes are left to write.
    Left(Vec<u8>),
    Closed,
}

fn main() -> io::Result<()> {
    let cores = thread::available_parallelism()?.get();
    let first = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let address = first.local_addr()?;
    let mut listeners = vec![first];
    for _ in 1..cores {
        listeners.push(listen(address)?);
    }
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on tcp://{address}")?;
    stdout.flush()?;
    thread::scope(|scope| {
        let threads: Vec<_> = listeners
            .into_iter()
            .map(|listener| scope.spawn(|| serve(listener)))
            .collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().expect("nothing in the thread panics"))
    })
}

/// The kernel distributes connections among all listeners of an address.
fn listen(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn serve(listener: std::net::TcpListener) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        loop {
            if let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(echo(stream));
            }
        }
    })
}

async fn echo(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    loop {
        match poll_fn(|cx| step(&mut stream, cx)).await? {
            Step::Written => {}
            Step::Left(rest) => stream.write_all(&rest).await?,
            Step::Closed => return Ok(()),
        }
    }
}

fn step(stream: &mut TcpStream, cx: &mut Context<'_>) -> Poll<io::Result<Step>> {
    BUFFER.with_borrow_mut(|buffer| {
        let mut read = ReadBuf::new(buffer);
        ready!(Pin::new(&mut *stream).poll_read(cx, &mut read))?;
        let message = read.filled();
        if message.is_empty() {
            return Poll::Ready(Ok(Step::Closed));
        }
        let written = match stream.try_write(message) {
            Ok(written) => written,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(error) => return Poll::Ready(Err(error)),
        };
        Poll::Ready(Ok(match &message[written..] {
            [] => Step::Written,
            rest => Step::Left(rest.to_vec()),
        }))
    })
}
