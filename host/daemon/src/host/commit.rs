//! Replaces what is served now by what was bound and loaded. Nothing here can fail: starting is the
//! first commit, a reload is another one.

use super::listeners::NextListener;
use super::loaded::Origin;
use super::{Bound, Host, Loaded, Service, Snapshot};
use crate::swap::Swapped;
use config::options::Opt;
use config::{HostConfig, ListenerConfig, ServiceConfig};
use connection::generation::Moves;
use connection::limits::{MOVE_REPORT_TIME, ServerLimits};
use server::service::ServiceListener;
use std::sync::Arc;
use std::time::Instant;
use tracing::Instrument;

impl Host {
    /// Serves `next` from now on: on the listeners bound for it, with the handlers loaded for it.
    /// Returns the changes, one line each.
    pub(super) async fn commit(
        &self,
        next: HostConfig,
        bound: Bound,
        loaded: Loaded,
    ) -> Vec<String> {
        let now = self.now().clone();
        let mut changes = cannot_change(&next, &now.config);
        let config = next.with_fixed_of(&now.config);
        self.expect(&config, &bound);
        let parts = loaded.0.into_iter().zip(bound.into_services());
        let services = config.services.iter().zip(parts);
        let mut swaps = Vec::new();
        let services: Vec<_> = services
            .map(|(config, (origin, listeners))| {
                self.serve(config, origin, listeners, &mut changes, &mut swaps)
            })
            .collect();
        if config.address_rates != now.config.address_rates {
            self.server.set_address_rates(config.address_rates);
            changes.push("the rates of client addresses changed".to_owned());
        }
        if config.server_limits != now.config.server_limits {
            changes.push("the drain timeout changed".to_owned());
        }
        *self.now() = Snapshot {
            config: Arc::new(config),
            services: Arc::new(services),
        };
        self.close_what_is_gone(&now, &mut changes).await;
        let deadline = Instant::now() + MOVE_REPORT_TIME;
        for (line, moves) in swaps {
            let rest = deadline.saturating_duration_since(Instant::now());
            let outcome = moves.settled(rest).await;
            changes[line].push_str(&format!("; {outcome}"));
        }
        changes
    }

    /// Serves one service as it is configured now. `swaps` are the lines of `changes` that tell of
    /// a swap.
    fn serve(
        &self,
        config: &ServiceConfig,
        origin: Origin,
        listeners: Vec<NextListener>,
        changes: &mut Vec<String>,
        swaps: &mut Vec<(usize, Arc<Moves>)>,
    ) -> Service {
        let name = &config.name;
        let service = match origin {
            Origin::New(swapper) => {
                changes.push(format!("service `{name}` started"));
                Service::new(&self.server, config, swapper)
            }
            Origin::Old(old) => {
                let (service, prepared) = *old;
                if let Some(swapped) = service.swapper.commit(prepared) {
                    if let Swapped::Replaced { moves, .. } = &swapped {
                        swaps.push((changes.len(), moves.clone()));
                    }
                    let what = replaced(&swapped);
                    let what = what.unwrap_or_else(|| "the rules for swaps changed".to_owned());
                    changes.push(format!("service `{name}`: {what}"));
                }
                if service.config.rates != config.rates {
                    service.served.set_rates(config.rates);
                    changes.push(format!("the rates of service `{name}` changed"));
                }
                if service.config.max_connections != config.max_connections {
                    let limit = config.max_connections;
                    service.served.set_max_connections(limit);
                    changes.push(format!("the connection limits of service `{name}` changed"));
                }
                match (service.config.watch, config.watch) {
                    (false, true) => changes.push(format!("service `{name}` is now watched")),
                    (true, false) => changes.push(format!("service `{name}` is no longer watched")),
                    _ => {}
                }
                service
            }
        };
        let open = |listener: NextListener| match listener {
            NextListener::Kept(kept) => *kept,
            NextListener::Ready(ready) => {
                let endpoint = ready.listener.endpoint();
                changes.push(format!("service `{name}` listens on {endpoint}"));
                service.open(*ready)
            }
        };
        let listeners = listeners.into_iter().map(open).collect();
        service.changed(config, listeners)
    }

    /// Closes removed listeners, and lets removed services drain.
    async fn close_what_is_gone(&self, before: &Snapshot, changes: &mut Vec<String>) {
        let after = self.services();
        for service in before.services.iter() {
            let name = service.name();
            let still = after.iter().find(|it| it.name() == name);
            for (_, listener) in &service.listeners {
                let is_kept = |(_, kept): &(ListenerConfig, ServiceListener)| kept.is(listener);
                if !still.is_some_and(|still| still.listeners.iter().any(is_kept)) {
                    let endpoint = listener.handle().endpoint();
                    changes.push(format!("service `{name}` no longer listens on {endpoint}"));
                    listener.clone().close().await;
                }
            }
            if still.is_none() {
                changes.push(format!("service `{name}` is ending"));
                self.end(service, before.config.server_limits);
            }
        }
    }

    fn end(&self, service: &Service, limits: ServerLimits) {
        let own = service.config.serve.swap.drain_timeout;
        let limit = own.unwrap_or(limits.drain_timeout);
        let (server, served) = (self.server.clone(), service.served.clone());
        let ending = async move {
            match server.end(&served, limit).await.cut {
                0 => tracing::info!("service ended: all connections finished"),
                cut => tracing::warn!("service ended: {cut} connections were cut"),
            }
        };
        tokio::spawn(ending.instrument(service.config.span()));
    }
}

/// The change that a swap made, if it made one.
pub(super) fn replaced(swapped: &Swapped) -> Option<String> {
    match swapped {
        Swapped::Unchanged(_) => None,
        Swapped::Replaced {
            current, replaced, ..
        } => Some(format!(
            "generation {} replaces generation {replaced}: {}",
            current.number, current.made_from.name
        )),
    }
}

/// The settings that cannot change while the process runs, but are written otherwise now.
fn cannot_change(next: &HostConfig, now: &HostConfig) -> Vec<String> {
    let changed = next.settings.differences(&now.settings).into_iter();
    let fixed = changed.filter(|option| option.about.is_fixed);
    let lines = fixed.map(|Opt { key, .. }| {
        tracing::warn!(
            "`{key}` cannot change while the host runs; hint: restart the host, or replace it with \
             --takeover"
        );
        format!("`{key}` cannot change while the host runs")
    });
    lines.collect()
}
