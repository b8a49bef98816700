//! Requests of operators: by control socket, and for metrics.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::io;
use std::os::unix::net;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// Time limit for the host's answer: clients that keep the socket busy are cut off after 5 s, and
/// may come in several waves.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sends a request, such as `{"command":"status"}`, and returns the host's answer.
pub async fn ask(socket: &Path, mut request: Value) -> Result<Value> {
    request["version"] = 1.into();
    let asking = async {
        let mut stream = connect(socket).await?;
        stream.write_all(format!("{request}\n").as_bytes()).await?;
        let mut reply = String::new();
        BufReader::new(stream).read_line(&mut reply).await?;
        Ok::<_, io::Error>(reply)
    };
    let reply = timeout(PATIENCE, asking)
        .await
        .with_context(|| format!("no answer to {request} within {PATIENCE:?}"))?
        .with_context(|| format!("no answer to {request}"))?;
    let reply: Value =
        serde_json::from_str(&reply).with_context(|| format!("{request} is answered {reply:?}"))?;
    if let Some(error) = reply["error"].as_str() {
        bail!("{request} is an error: {error}");
    }
    Ok(reply)
}

/// Waits while the socket's queue is full, like every ordinary client. A non-blocking connect would
/// fail.
async fn connect(socket: &Path) -> io::Result<UnixStream> {
    let socket = socket.to_owned();
    let connected = spawn_blocking(|| net::UnixStream::connect(socket)).await??;
    connected.set_nonblocking(true)?;
    UnixStream::from_std(connected)
}

/// The host's status.
pub async fn status(socket: &Path) -> Result<Value> {
    let mut reply = ask(socket, serde_json::json!({ "command": "status" })).await?;
    Ok(reply["status"].take())
}

/// Fetches the metrics, like Prometheus.
pub async fn metrics(socket: &Path) -> Result<String> {
    let collecting = async {
        let mut stream = connect(socket).await?;
        let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await?;
        Ok::<_, io::Error>(reply)
    };
    let reply = timeout(PATIENCE, collecting)
        .await
        .with_context(|| format!("no metrics within {PATIENCE:?}"))?
        .context("no metrics")?;
    if !reply.starts_with("HTTP/1.1 200 ") || !reply.contains("echo_host_limit_reached_total") {
        bail!("the metrics are {reply:?}");
    }
    Ok(reply)
}
