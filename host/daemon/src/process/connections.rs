//! Single connections, for the operator of a host.

use crate::control::{ConnectionStatus, Refused, Slices, Tapping, Wanted};
use crate::host::Host;
use connection::handle::{CloseMode, ConnectionHandle, Seen, Watcher};
use server::admission::Network;
use server::service::{Found, Selection, Tap};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::sleep;

/// Watches only the time in calls.
#[derive(Debug)]
struct Stopwatch;

impl Watcher for Stopwatch {
    fn see(&self, _: &ConnectionHandle, _: Seen<'_>) {}
}

/// Somebody who watches connections until this is dropped.
struct Watching {
    host: Arc<Host>,
    watcher: Arc<dyn Watcher>,
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.host.server().unwatch(&self.watcher);
    }
}

impl Watching {
    fn begin(host: &Arc<Host>, selection: Selection, watcher: Arc<dyn Watcher>) -> (Self, usize) {
        let connections = host.server().watch(selection, &watcher);
        let host = host.clone();
        (Watching { host, watcher }, connections)
    }
}

/// The open connections that are meant, by id. With a time, their time in calls is measured before.
pub async fn list(
    host: &Arc<Host>,
    wanted: Wanted,
    measure: Option<Duration>,
) -> Result<Slices, Refused> {
    let selection = selection(host, wanted)?;
    let times = match measure {
        Some(time) => Some(times_in_calls(host, &selection, time).await),
        None => None,
    };
    let slices = host.server().find(selection);
    Ok(Box::new(slices.map(move |slice| {
        let rows = slice.iter().map(|found| status(found, times.as_ref()));
        rows.collect()
    })))
}

/// The times in calls within the time from now, by id.
async fn times_in_calls(
    host: &Arc<Host>,
    selection: &Selection,
    time: Duration,
) -> HashMap<u64, Duration> {
    let (watching, _) = Watching::begin(host, selection.clone(), Arc::new(Stopwatch));
    let times = || {
        let found = host.server().find(selection.clone()).flatten();
        let sessions = found.filter(|it| !it.is_program);
        sessions.filter_map(|it| Some((it.handle.id(), it.handle.watched()?.time_in_calls())))
    };
    // Others may watch for longer.
    let before: HashMap<_, _> = times().collect();
    sleep(time).await;
    let after = times().map(|(id, time)| {
        let before = before.get(&id).copied().unwrap_or_default();
        (id, time.saturating_sub(before))
    });
    let after = after.collect();
    drop(watching);
    after
}

/// Ends the connections that are meant. Returns how many.
pub fn disconnect(host: &Arc<Host>, wanted: Wanted, at_once: bool) -> Result<u64, Refused> {
    let mode = if at_once {
        CloseMode::Reset
    } else {
        CloseMode::Graceful
    };
    let selection = selection(host, wanted)?;
    Ok(host.server().disconnect(selection, mode) as u64)
}

/// Shows the traffic of the connections that are meant.
pub fn tap(host: &Arc<Host>, wanted: Wanted) -> Result<Tapping, Refused> {
    let selection = selection(host, wanted)?;
    let tap = Arc::<Tap>::default();
    let (open, connections) = Watching::begin(host, selection, tap.clone());
    Ok(Tapping {
        tap,
        connections: connections as u64,
        open: Box::new(open),
    })
}

/// The connections that are meant, if there is such a service and network.
fn selection(host: &Host, wanted: Wanted) -> Result<Selection, Refused> {
    let Wanted {
        service,
        connection,
        peer,
    } = wanted;
    if service.is_some() {
        host.service(service.as_deref()).map_err(refused)?;
    }
    let peer = peer.map(|text| {
        let network = text.parse::<Network>();
        network.map_err(|error| refused(format_args!("no network: {error}")))
    });
    Ok(Selection {
        service,
        connection,
        peer: peer.transpose()?,
    })
}

/// Why nothing is done.
pub(super) fn refused(reason: impl ToString) -> Refused {
    Refused {
        reason: reason.to_string(),
        detail: None,
        mistakes: None,
    }
}

fn status(found: &Found, times: Option<&HashMap<u64, Duration>>) -> ConnectionStatus {
    let handle = &found.handle;
    let (peer, traffic) = (handle.peer(), handle.traffic());
    let memory_bytes = handle.memory_bytes().load(Ordering::Relaxed) as u64;
    let of_session = |figure: u64| (!found.is_program).then_some(figure);
    let time = times.and_then(|times| times.get(&handle.id()));
    ConnectionStatus {
        id: handle.id(),
        service: found.service.to_string(),
        transport: peer.transport.name().to_owned(),
        peer: peer.peer.clone(),
        listener: peer.listener.to_string(),
        generation: handle.generation(),
        age_milliseconds: handle.since().elapsed().as_millis() as u64,
        idle_seconds: found.idle.as_secs(),
        received_bytes: traffic.received_bytes,
        sent_bytes: traffic.sent_bytes,
        messages: of_session(traffic.messages),
        unsent_bytes: of_session(handle.unsent_bytes() as u64),
        memory_bytes: (memory_bytes > 0).then_some(memory_bytes),
        call_microseconds: time.map(|time| time.as_micros() as u64),
    }
}
