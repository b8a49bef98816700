//! Reloads the configuration and applies the changes without touching other connections.

use super::certificates;
use super::plan::{NextDoor, Origin, Plan, Step};
use super::{Host, Now, ReloadError, Service};
use crate::config::options::Opt;
use crate::config::{HostConfig, ListenerConfig};
use crate::refusals::LastRefusal;
use crate::swap::Swapped;
use connection::limits::ServerLimits;
use server::service::Door;
use std::panic::resume_unwind;
use std::sync::Arc;
use tokio::task::spawn_blocking;
use tracing::Instrument;

impl Host {
    /// Reloads the configuration file and the files of all handlers, and returns the changes, one
    /// line each. Without a configuration file, only reloads the handler. After an error nothing
    /// has changed.
    pub async fn reload(&self) -> Result<Vec<String>, ReloadError> {
        let _turn = self.turn.lock().await;
        for service in self.services().iter() {
            let terminators = service.terminators();
            let reload = certificates::reload(&terminators);
            reload.instrument(service.config.span()).await;
        }
        if self.sources.file.is_none() {
            return self.read_handler().await;
        }
        match self.try_reload().await {
            Ok(changes) => {
                match &changes[..] {
                    [] => tracing::info!("reloaded: nothing has changed"),
                    changes => tracing::info!("reloaded: {}", changes.join("; ")),
                }
                Ok(changes)
            }
            Err(error) => {
                tracing::error!("reload refused, keeping the old configuration: {error}");
                for line in error.detail().unwrap_or_default().lines() {
                    tracing::error!("  {line}");
                }
                self.refusals.note("the configuration", &error);
                Err(error)
            }
        }
    }

    /// The number of refused reloads, and the last one.
    pub fn refusals(&self) -> (u64, Option<LastRefusal>) {
        self.refusals.get()
    }

    async fn read_handler(&self) -> Result<Vec<String>, ReloadError> {
        let mut changes = Vec::new();
        for service in self.services().iter() {
            let swapped = service.swapper.swap(None).await?;
            changes.extend(replaced(&swapped));
        }
        Ok(changes)
    }

    async fn try_reload(&self) -> Result<Vec<String>, ReloadError> {
        let sources = self.sources.clone();
        let loaded = spawn_blocking(move || sources.load()).await;
        let next = loaded.unwrap_or_else(|panic| resume_unwind(panic.into_panic()))?;
        let now = self.now().clone();
        let plan = Plan::new(self, &now, &next).await?;
        // From here on nothing can fail.
        let mut changes = Vec::new();
        let steps = plan.0.into_iter();
        let services: Vec<_> = steps.map(|step| self.take(step, &mut changes)).collect();
        let config = with_what_cannot_change(next, &now.config);
        self.expect(&config);
        if config.address_rates != now.config.address_rates {
            self.server.set_address_rates(config.address_rates);
            changes.push("the rates of client addresses changed".to_owned());
        }
        if config.server_limits != now.config.server_limits {
            changes.push("the drain timeout changed".to_owned());
        }
        *self.now() = Now {
            config: Arc::new(config),
            services: Arc::new(services),
        };
        self.close_what_is_gone(&now, &mut changes).await;
        Ok(changes)
    }

    /// Applies the plan of one service.
    fn take(&self, step: Step, changes: &mut Vec<String>) -> Service {
        let name = &step.config.name;
        let service = match step.origin {
            Origin::New(swapper) => {
                changes.push(format!("service `{name}` started"));
                Service::new(&self.server, &step.config, swapper)
            }
            Origin::Old(old) => {
                let (service, prepared) = *old;
                if let Some(swapped) = service.swapper.commit(prepared) {
                    let what = replaced(&swapped);
                    let what = what.unwrap_or_else(|| "the rules for swaps changed".to_owned());
                    changes.push(format!("service `{name}`: {what}"));
                }
                if service.config.rates != step.config.rates {
                    service.served.set_rates(step.config.rates);
                    changes.push(format!("the rates of service `{name}` changed"));
                }
                if service.config.max_connections != step.config.max_connections {
                    let limit = step.config.max_connections;
                    service.served.set_max_connections(limit);
                    changes.push(format!("the connection limits of service `{name}` changed"));
                }
                match (service.config.watch, step.config.watch) {
                    (false, true) => changes.push(format!("service `{name}` is now watched")),
                    (true, false) => changes.push(format!("service `{name}` is no longer watched")),
                    _ => {}
                }
                service
            }
        };
        let open = |door: NextDoor| match door {
            NextDoor::Kept(kept) => *kept,
            NextDoor::Opened(ready) => {
                let place = ready.listener.endpoint();
                changes.push(format!("service `{name}` listens on {place}"));
                service.open(*ready)
            }
        };
        let doors = step.doors.into_iter().map(open).collect();
        service.changed(&step.config, doors)
    }

    /// Closes removed listeners, and lets removed services drain.
    async fn close_what_is_gone(&self, before: &Now, changes: &mut Vec<String>) {
        let after = self.services();
        for service in before.services.iter() {
            let name = service.name();
            let still = after.iter().find(|it| it.name() == name);
            for (_, door) in &service.doors {
                let is_kept = |(_, kept): &(ListenerConfig, Door)| kept.is(door);
                if !still.is_some_and(|still| still.doors.iter().any(is_kept)) {
                    let place = door.listener().endpoint();
                    changes.push(format!("service `{name}` no longer listens on {place}"));
                    door.clone().close().await;
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

fn replaced(swapped: &Swapped) -> Option<String> {
    match swapped {
        Swapped::Unchanged(_) => None,
        Swapped::Replaced { current, replaced } => Some(format!(
            "generation {} replaces generation {replaced}: {}",
            current.number, current.made_from.name
        )),
    }
}

/// Restores the settings that cannot change while the process runs.
fn with_what_cannot_change(next: HostConfig, now: &HostConfig) -> HostConfig {
    let changed = next.settings.differences(&now.settings).into_iter();
    for Opt { key, .. } in changed.filter(|option| option.about.is_fixed) {
        tracing::warn!(
            "`{key}` cannot change while the host runs; hint: restart the host, or replace it with \
             --takeover"
        );
    }
    next.with_fixed_of(now)
}
