//! The handshake of a WebSocket: reads one HTTP request, and answers it.

mod answer;
mod page;
mod request;
mod rules;

#[cfg(any(test, fuzzing))]
pub use request::Judged;
pub use request::{Arrival, accept_key, judge};
pub use rules::{InvalidOrigin, InvalidSubprotocol, Origin, Subprotocol, WebSocketRules};

use super::NotAdmitted;
use super::access::{AccessList, Network};
use answer::{Answer, TOO_LARGE};
use bytes::BytesMut;
use connection::handle::WebSocketInfo;
use connection::limits::MAX_UPGRADE_BYTES;
use connection::task::{WebSocketStart, linger};
use std::io;
use std::net::{IpAddr, SocketAddr};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// What the start of a connection has told so far.
pub struct Before<'a> {
    pub rules: &'a WebSocketRules,
    pub access: &'a AccessList,
    /// Who has connected: a proxy, if there are any.
    pub client: SocketAddr,
    /// Networks of HTTP proxies, if the connection comes from one of them.
    pub proxies: &'a [Network],
    /// Whether the connection came straight to an address that only this machine can reach.
    pub is_local: bool,
    /// Bytes of the request that were read.
    pub read: Vec<u8>,
}

/// A WebSocket whose handshake is done.
#[derive(Debug)]
pub struct Shaken {
    pub info: WebSocketInfo,
    pub start: WebSocketStart,
    /// The client that a proxy names.
    pub client: Option<IpAddr>,
}

/// Shakes hands, or answers the request otherwise.
pub async fn shake_hands(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    before: Before<'_>,
) -> Result<Shaken, NotAdmitted> {
    let Before { rules, proxies, .. } = before;
    let arrival = Arrival {
        rules,
        proxies,
        is_local: before.is_local,
    };
    let mut input = BytesMut::from(&before.read[..]);
    let mut seen = 0;
    let (judged, length) = loop {
        if may_be_whole(&input, seen)
            && let Some(judged) = judge(&input, arrival)
        {
            break judged;
        }
        seen = input.len();
        if input.len() >= MAX_UPGRADE_BYTES {
            let answer = Answer::refusal(TOO_LARGE, "the request is too large");
            return Err(give(stream, &answer, false).await);
        }
        if stream.read_buf(&mut input).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
    };
    // A client that the proxy does not name counts as the proxy.
    let client = judged.client;
    let client = client.map_or(before.client, |it| SocketAddr::new(it, 0));
    if !proxies.is_empty() && !before.access.admits(client) {
        return Err(NotAdmitted::Denied(client.ip()));
    }
    let (info, response) = match judged.outcome {
        Ok(upgraded) => upgraded,
        Err(answer) => return Err(give(stream, &answer, judged.is_head).await),
    };
    stream.write_all(response.as_bytes()).await?;
    stream.flush().await?;
    let received = input.split_off(length);
    Ok(Shaken {
        info,
        start: WebSocketStart {
            received,
            messages: rules.messages,
        },
        client: judged.client,
    })
}

/// Whether a request may be complete, or cannot be one, after the first `seen` bytes were looked at
/// before. Parsing takes as long as the request is, so a client that sends single bytes must not
/// cause it for each.
fn may_be_whole(input: &[u8], seen: usize) -> bool {
    let new = &input[seen.saturating_sub(2)..];
    let is_strange = |first: &u8| !first.is_ascii_uppercase() && !b"\r\n".contains(first);
    input.first().is_some_and(is_strange)
        || new.windows(2).any(|it| it == b"\n\n")
        || new.windows(3).any(|it| it == b"\n\r\n")
}

/// Answers, and waits for the client to close.
async fn give(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    answer: &Answer,
    is_head: bool,
) -> NotAdmitted {
    let written = async {
        stream
            .write_all(answer.response(is_head).as_bytes())
            .await?;
        stream.shutdown().await
    };
    if let Err(error) = written.await {
        return error.into();
    }
    linger(stream).await;
    match &answer.why {
        Some(why) => NotAdmitted::Answered(why.clone()),
        None => NotAdmitted::Page,
    }
}
