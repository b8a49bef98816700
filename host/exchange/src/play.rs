//! Plays one exchange on its own connection, with the same connection code as sockets.

use super::client::{Client, Stuck};
use super::diff::diff;
use super::endings::endings;
use super::mismatch::{Mismatch, Problem};
use super::run::Run;
use super::skipping::skipping;
use super::wire::wire;
use super::{Action, Exchange, Step};
use connection::clock::Clock;
use connection::handle::{ConnectionHandle, Peer};
use connection::handler::{Handler, Service, SessionError};
use connection::task::{self, ConnectionError, ConnectionSettings, NoTls};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tracing::Span;

/// Plays `exchange` once. The connection has id 0 and no client address, and timers by this clock.
/// A step may take `step_limit` of real time. While the client waits for a reply and nothing can
/// happen but a timer, the time until then is skipped. Replies after the last step are ignored,
/// unless the exchange ends with the connection, as in all runs except [`Run::AsWritten`].
pub async fn play(
    handler: &impl Handler,
    exchange: &Exchange,
    run: Run,
    settings: &ConnectionSettings,
    clock: &Clock,
    step_limit: Duration,
) -> Result<(), Mismatch> {
    let steps = run.steps(exchange);
    let (to_host, from_host, mut stream) = wire();
    let limit_bytes = settings.unsent_limit_bytes();
    let handle = ConnectionHandle::new(0, Peer::unconnected(), limit_bytes, Span::none());
    let handle = Arc::new(handle.with_clock(clock.clone()));
    let served = async move {
        let ended = match handler.serve(&handle) {
            Service::Session(session) => {
                task::serve(&mut stream, session, handle, settings, None, NoTls).await
            }
            Service::Program(program) => {
                task::serve_program(&mut stream, program, &handle, settings, None).await
            }
        };
        ended.err()
    };
    let mut served = pin!(served);
    let client = Client::new(to_host, from_host, clock.clone(), step_limit);
    let (talked, ended) = skipping(clock, async {
        let mut talk = pin!(client.follow(&steps, run));
        tokio::select! {
            talked = &mut talk => (talked, None),
            error = &mut served => (talk.await, Some(error)),
        }
    })
    .await;
    let saw_end = match &talked {
        Ok(()) => steps
            .last()
            .is_some_and(|last| last.action == Action::Closed),
        Err(stuck) => stuck.has_ended,
    };
    let error = match ended {
        Some(error) => error,
        // The reason arrives after the end of the stream.
        None if saw_end => timeout(step_limit, served).await.ok().flatten(),
        None => None,
    };
    match talked {
        Ok(()) if saw_end => error.filter(is_failure).map_or(Ok(()), |error| {
            Err(Mismatch {
                line: steps.last().map_or(exchange.line, |last| last.line),
                run,
                problem: Problem::Failed,
                cause: Some(error.to_string()),
                diff: String::new(),
            })
        }),
        Ok(()) => Ok(()),
        Err(stuck) => Err(mismatch(exchange, &steps, run, stuck, error)),
    }
}

fn mismatch(
    exchange: &Exchange,
    steps: &[Step],
    run: Run,
    stuck: Stuck,
    error: Option<ConnectionError>,
) -> Mismatch {
    let (passed, rest) = steps.split_at(stuck.at);
    let sends = |step: &Step| matches!(step.action, Action::Send(_) | Action::Finish);
    let reply = rest.iter().position(sends).unwrap_or(rest.len());
    Mismatch {
        line: rest.first().map_or(exchange.line, |step| step.line),
        run,
        problem: endings(&rest[..reply], &stuck.got).unwrap_or(stuck.problem),
        cause: error.map(|error| error.to_string()),
        diff: diff(
            passed,
            &rest[..reply],
            &stuck.got,
            stuck.has_ended,
            exchange.ending,
        ),
    }
}

/// Whether a connection ended with a real failure. An exchange may well record that a client is
/// refused, or broke the protocol or the framing.
fn is_failure(error: &ConnectionError) -> bool {
    match error {
        ConnectionError::Framing(_)
        | ConnectionError::Session(SessionError::Protocol(_) | SessionError::Refused(_)) => false,
        ConnectionError::Session(SessionError::Internal(_) | SessionError::Call(_))
        | ConnectionError::Lost(_)
        | ConnectionError::Idle(_)
        | ConnectionError::Silent
        | ConnectionError::StartTls(_)
        | ConnectionError::Cut
        | ConnectionError::Io(_) => true,
    }
}
