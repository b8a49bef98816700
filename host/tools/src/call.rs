//! Calls a handler with one message, without a socket.

use bytes::Bytes;
use connection::handle::{ConnectionHandle, Outgoing, Peer};
use connection::handler::{CallError, Event, Handler, Program, Service, Session, SessionError};
use connection::limits::PIPE_BYTES;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tracing::Span;

/// Passes one message to a handler, as a client that half-closes after it, and returns the replies.
/// A conversation's greeting is included; its timers are not waited for.
pub async fn call<H: Handler>(handler: &H, message: Bytes) -> Result<Bytes, SessionError> {
    let handle = Arc::new(ConnectionHandle::new(
        0,
        Peer::unconnected(),
        usize::MAX,
        Span::none(),
    ));
    match handler.serve(&handle) {
        Service::Session(mut session) => {
            let told = tell(&mut session, message).await;
            session.end().await;
            let mut reply = told?;
            handle.collect(|orders| reply.append(&mut orders.bytes));
            Ok(Bytes::copy_from_slice(reply.chunk()))
        }
        Service::Program(program) => Ok(run(program, &message).await?),
    }
}

async fn tell(session: &mut impl Session, message: Bytes) -> Result<Outgoing, SessionError> {
    let mut replies = Outgoing::default();
    for event in [Event::Open(None), Event::Message(message), Event::Eof] {
        if let Some(reply) = session.tell(event).await? {
            replies.push(reply);
        }
    }
    Ok(replies)
}

async fn run(program: impl Program, message: &[u8]) -> Result<Bytes, CallError> {
    let (theirs, ours) = duplex(PIPE_BYTES);
    let (mut from_program, mut to_program) = tokio::io::split(ours);
    let mut output = Vec::new();
    let feed = async {
        // A program may exit without reading everything.
        let _ = to_program.write_all(message).await;
        let _ = to_program.shutdown().await;
    };
    let (ran, (), _) = tokio::join!(
        program.run(theirs),
        feed,
        from_program.read_to_end(&mut output)
    );
    ran.map(|()| output.into())
}
