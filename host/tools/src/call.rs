//! One message, without a socket.

use bytes::{Bytes, BytesMut};
use connection::handler::{CallError, Event, Handler, Program, Service, Session, SessionError};
use connection::limits::PIPE_BYTES;
use connection::outbox::{Outbox, Peer};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tracing::Span;

/// Gives a handler one message, as a client that then has finished sending, and returns what it answers.
/// A conversation's greeting is part of the answer; its timers are not waited for.
pub async fn call<H: Handler>(handler: &H, message: Bytes) -> Result<Bytes, SessionError> {
    let outbox = Arc::new(Outbox::new(
        0,
        Peer::unconnected(),
        usize::MAX,
        Span::none(),
    ));
    match handler.serve(&outbox) {
        Service::Session(mut session) => {
            let told = tell(&mut session, message).await;
            session.end().await;
            told?;
            let mut reply = BytesMut::new();
            outbox.collect(|orders| std::mem::swap(&mut reply, &mut orders.bytes));
            Ok(reply.freeze())
        }
        Service::Program(program) => Ok(run(program, &message).await?),
    }
}

async fn tell(session: &mut impl Session, message: Bytes) -> Result<(), SessionError> {
    for event in [Event::Open(None), Event::Message(message), Event::Eof] {
        session.tell(event).await?;
    }
    Ok(())
}

async fn run(program: impl Program, message: &[u8]) -> Result<Bytes, CallError> {
    let (theirs, ours) = duplex(PIPE_BYTES);
    let (mut from_program, mut to_program) = tokio::io::split(ours);
    let mut output = Vec::new();
    let feed = async {
        // A program may exit without having read all of it.
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
