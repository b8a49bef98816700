//! Serves the metrics over HTTP/1.1, on a listener of their own.

use super::exposition;
use crate::control::Operator;
use crate::limits::{Limit, MAX_METRICS_CLIENTS, METRICS_REQUEST_TIME};
use crate::listener::Listener;
use crate::stream::Stream;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Where they are.
const PATH: &str = "/metrics";
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
const PLAIN: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// Answers clients until this is dropped, or the listener has no more. Each gets one answer, and little time.
pub async fn serve<O: Operator>(listener: Listener, operator: Arc<O>) {
    let mut clients = JoinSet::new();
    while let Some(accepted) = listener.accept().await {
        clients.spawn(attend(accepted.stream, operator.clone()));
        while clients.try_join_next().is_some() {}
        while clients.len() >= MAX_METRICS_CLIENTS {
            Limit::MetricsClients.reached();
            clients.join_next().await;
        }
    }
}

async fn attend<O: Operator>(stream: Stream, operator: Arc<O>) {
    let service = service_fn(|request| {
        let answer = answer(&request, &*operator);
        async { Ok::<_, Infallible>(answer) }
    });
    let connection = http1::Builder::new()
        .keep_alive(false)
        .timer(TokioTimer::new())
        .header_read_timeout(METRICS_REQUEST_TIME)
        .serve_connection(TokioIo::new(stream), service);
    match timeout(METRICS_REQUEST_TIME, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!("a client of the metrics was not understood: {error}"),
        Err(_) => {
            tracing::debug!("a client of the metrics took longer than {METRICS_REQUEST_TIME:?}")
        }
    }
}

fn answer<O: Operator>(request: &Request<Incoming>, operator: &O) -> Response<Full<Bytes>> {
    let (status, kind, text) = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, PATH) => match exposition(operator.status()) {
            Ok(text) => (StatusCode::OK, OPEN_METRICS, text),
            Err(error) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                PLAIN,
                format!("{error}\n"),
            ),
        },
        (_, PATH) => (
            StatusCode::METHOD_NOT_ALLOWED,
            PLAIN,
            "GET and HEAD only\n".to_owned(),
        ),
        _ => (
            StatusCode::NOT_FOUND,
            PLAIN,
            format!("the metrics are at {PATH}\n"),
        ),
    };
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, kind);
    if status == StatusCode::METHOD_NOT_ALLOWED {
        let allowed = HeaderValue::from_static("GET, HEAD");
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}
