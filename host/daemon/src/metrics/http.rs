//! Serves the metrics over HTTP/1.1, on a separate listener.

use super::clients::Clients;
use super::exposition;
use super::names::Names;
use super::negotiation::Format;
use crate::control::Operator;
use connection::limits::METRICS_REQUEST_TIME;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use server::listener::Listener;
use server::stream::Stream;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::time::timeout;

/// The path of the metrics.
const PATH: &str = "/metrics";
const PLAIN: &str = "text/plain; charset=utf-8";

/// Serves clients until dropped, or until the listener has no more. Each gets one response and
/// little time.
pub async fn serve<O: Operator>(listener: Listener, names: Names, operator: Arc<O>) {
    let mut clients = Clients::default();
    let mut acceptor = listener.acceptor();
    while let Some(accepted) = acceptor.accept().await {
        clients.make_room().await;
        let (names, operator) = (names.clone(), operator.clone());
        clients.add(|asked| attend(accepted.stream, names, operator, asked));
    }
}

async fn attend<O: Operator>(
    stream: Stream,
    names: Names,
    operator: Arc<O>,
    asked: Arc<AtomicBool>,
) {
    let service = service_fn(|request| {
        asked.store(true, Ordering::Relaxed);
        let answer = answer(&request, &names, &*operator);
        async { Ok::<_, Infallible>(answer) }
    });
    let connection = http1::Builder::new()
        .keep_alive(false)
        // A half-closed client still gets its response.
        .half_close(true)
        .timer(TokioTimer::new())
        .header_read_timeout(METRICS_REQUEST_TIME)
        .serve_connection(TokioIo::new(stream), service);
    match timeout(METRICS_REQUEST_TIME, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!("bad request for metrics: {error}"),
        Err(_) => {
            tracing::debug!("a metrics request took longer than {METRICS_REQUEST_TIME:?}")
        }
    }
}

fn answer<O: Operator>(
    request: &Request<Incoming>,
    names: &Names,
    operator: &O,
) -> Response<Full<Bytes>> {
    let accept = request.headers().get_all(ACCEPT).iter();
    let format = Format::accepted(accept.filter_map(|value| value.to_str().ok()));
    let stranger = names.stranger(request.uri(), request.headers());
    let (status, kind, text) = match (request.method(), request.uri().path(), stranger) {
        (_, _, Some(name)) => (
            StatusCode::MISDIRECTED_REQUEST,
            PLAIN,
            format!(
                "{name} is not a name of this host: use its address, or the name in \
             --metrics\n"
            ),
        ),
        (&Method::GET | &Method::HEAD, PATH, None) => match exposition(operator.status()) {
            Ok(text) => (StatusCode::OK, format.media_type(), format.of(text)),
            Err(error) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                PLAIN,
                format!("{error}\n"),
            ),
        },
        (_, PATH, None) => (
            StatusCode::METHOD_NOT_ALLOWED,
            PLAIN,
            "only GET and HEAD are supported\n".to_owned(),
        ),
        _ => (
            StatusCode::NOT_FOUND,
            PLAIN,
            format!("the metrics are at {PATH}\n"),
        ),
    };
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}
