//! Plays one exchange on a connection of its own, by the connection code that serves sockets.

use super::client::{Client, Stuck};
use super::diff::diff;
use super::mismatch::{Mismatch, Problem};
use super::run::Run;
use super::wire::wire;
use super::{Action, Exchange, Step};
use crate::handler::{Handler, Service, SessionError};
use crate::outbox::{Outbox, Peer};
use crate::task::{self, ConnectionError, Terms};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tracing::Span;

/// Plays `exchange` once. The connection's id is 0 and its client has no address. A step may take
/// `step_limit`, and otherwise time decides nothing. What a handler says after the last step is not looked
/// at unless the exchange ends with the connection, as all runs but [`Run::AsWritten`] do.
pub async fn play(
    handler: &impl Handler,
    exchange: &Exchange,
    run: Run,
    terms: &Terms,
    step_limit: Duration,
) -> Result<(), Mismatch> {
    let steps = run.steps(exchange);
    let (to_host, from_host, mut stream) = wire();
    let limit_bytes = terms.unsent_limit_bytes();
    let outbox = Arc::new(Outbox::new(
        0,
        Peer::unconnected(),
        limit_bytes,
        Span::none(),
    ));
    let served = async move {
        let ended = match handler.serve(&outbox) {
            Service::Session(session) => {
                task::serve(&mut stream, session, outbox, terms, None).await
            }
            Service::Program(program) => {
                task::serve_program(&mut stream, program, &outbox, terms, None).await
            }
        };
        ended.err()
    };
    let mut served = pin!(served);
    let client = Client::new(to_host, from_host, step_limit);
    let mut talk = pin!(client.follow(&steps, run));
    let (talked, ended) = tokio::select! {
        talked = &mut talk => (talked, None),
        error = &mut served => (talk.await, Some(error)),
    };
    let saw_end = match &talked {
        Ok(()) => steps
            .last()
            .is_some_and(|last| last.action == Action::Closed),
        Err(stuck) => stuck.has_ended,
    };
    let error = match ended {
        Some(error) => error,
        // The reason comes after the end itself.
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
        problem: stuck.problem,
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

/// Whether a connection ended as none should. That a client is refused, or told that it broke the
/// protocol or the framing, may be just what is recorded.
fn is_failure(error: &ConnectionError) -> bool {
    match error {
        ConnectionError::Framing(_)
        | ConnectionError::Session(SessionError::Protocol(_) | SessionError::Refused(_)) => false,
        ConnectionError::Session(SessionError::Internal(_) | SessionError::Call(_))
        | ConnectionError::Lost(_)
        | ConnectionError::Idle(_)
        | ConnectionError::Silent
        | ConnectionError::Io(_) => true,
    }
}
