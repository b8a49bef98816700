//! Serves a client from its first event to the end of its session.

use super::machine::{ByteWire, Machine, StreamWire, WebSocketWire};
use super::session::Connection;
use super::start_tls::{NoTls, StartTls};
use super::{CloseReason, ConnectionError, ConnectionSettings};
use crate::handle::ConnectionHandle;
use crate::handler::Session;
use crate::rates::Throttle;
use bytes::BytesMut;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use websocket::MessageType;

/// Serves one client until both sides are finished. Then ends the session.
pub fn serve<S, T, H>(
    stream: &mut S,
    session: H,
    handle: Arc<ConnectionHandle>,
    settings: &ConnectionSettings,
    throttle: Option<Throttle>,
    start_tls: T,
) -> impl Future<Output = Result<CloseReason, ConnectionError>>
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: StartTls<S>,
    H: Session,
{
    let wire = StreamWire::new(settings.framing.clone(), settings.limits.max_message_bytes);
    serve_over(stream, wire, session, handle, settings, throttle, start_tls)
}

/// The same over a WebSocket, after its handshake.
pub fn serve_websocket<S, H>(
    stream: &mut S,
    start: WebSocketStart,
    session: H,
    handle: Arc<ConnectionHandle>,
    settings: &ConnectionSettings,
    throttle: Option<Throttle>,
) -> impl Future<Output = Result<CloseReason, ConnectionError>>
where
    S: AsyncRead + AsyncWrite + Unpin,
    H: Session,
{
    handle.note_received(start.received.len());
    let wire = WebSocketWire::new(
        settings.framing.clone(),
        settings.limits.max_message_bytes,
        start.messages,
        start.received,
    );
    serve_over(stream, wire, session, handle, settings, throttle, NoTls)
}

async fn serve_over<S, W, T, H>(
    stream: &mut S,
    wire: W,
    mut session: H,
    handle: Arc<ConnectionHandle>,
    settings: &ConnectionSettings,
    throttle: Option<Throttle>,
    start_tls: T,
) -> Result<CloseReason, ConnectionError>
where
    S: AsyncRead + AsyncWrite + Unpin,
    W: ByteWire,
    T: StartTls<S>,
    H: Session,
{
    handle.set_idle_timeout(settings.limits.idle_timeout);
    let machine = Machine::new(wire, settings.converses);
    let throttle = throttle.unwrap_or_default();
    let converses = settings.converses;
    let mut connection = Connection::new(stream, machine, converses, handle, throttle, start_tls);
    let mut result = connection.run(&mut session).await;
    if let Some(observer) = connection.observer.take() {
        observer.tell_unanswered(&connection.handle);
    }
    // The session ends without waiting for a client that is slow to read the last bytes. Boxed, so
    // that its memory exists only then.
    let end = async { tokio::join!(connection.say_goodbye(&result), session.end()) };
    let (said, ()) = Box::pin(end).await;
    if let Err(error) = said
        && result.is_ok()
    {
        result = Err(error);
    }
    result
}

/// What the handshake of a WebSocket has left.
#[derive(Debug)]
pub struct WebSocketStart {
    /// Bytes of the client behind its request.
    pub received: BytesMut,
    /// How it receives what the handler sends.
    pub messages: MessageType,
}
