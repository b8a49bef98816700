//! Permits of connections, and what the log says when there are none.

use super::ServerState;
use super::cap::{Cap, CapPermit};
use super::quota::{Holder, QuotaPermit};
use connection::limits::Limit;
use connection::rates::Kind;
use std::future::pending;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

impl ServerState {
    /// Waits for a permit for a connection. If there is none right away, logs that at a limited
    /// rate.
    pub(super) async fn permit(&self, listener: &str) -> OwnedSemaphorePermit {
        if let Ok(permit) = self.free.clone().try_acquire_owned() {
            return permit;
        }
        Limit::MaxConnections.reached();
        self.tell_who_waits(
            listener,
            "connection limit reached (--max-connections): new clients wait",
        );
        match self.free.clone().acquire_owned().await {
            Ok(permit) => permit,
            // Only a closed semaphore fails, and this one is never closed.
            Err(_) => pending().await,
        }
    }

    /// The same for the limit of a service or listener.
    pub(super) async fn cap_permit(&self, cap: &Arc<Cap>, listener: &str, why: &str) -> CapPermit {
        if let Some(permit) = cap.try_take() {
            return permit;
        }
        self.tell_who_waits(listener, why);
        cap.take().await
    }

    fn tell_who_waits(&self, listener: &str, why: &str) {
        if let Ok(left_out) = self.no_permit.admit() {
            tracing::warn!(listener, left_out, "{why}");
        }
    }

    /// A permit for a connection of a client address, if there is one. Otherwise logs that at a
    /// limited rate.
    pub(super) fn share(&self, client: IpAddr, listener: &str) -> Option<QuotaPermit> {
        let mut rated = self.address_rates.of(client);
        if !rated.take(Kind::NewConnections, 1) {
            if let Ok(left_out) = self.no_rate.admit() {
                tracing::warn!(
                    listener, %client, left_out,
                    "connection rate of a client reached \
                     (--max-new-connections-per-second-per-ip): closing further connections"
                );
            }
            return None;
        }
        let share = self.quota.take(client);
        if share.is_none() {
            Limit::MaxConnectionsPerIp.reached();
            if let Ok(left_out) = self.no_share.admit() {
                tracing::warn!(
                    listener, %client, left_out,
                    "connection limit of a client reached (--max-connections-per-ip): closing \
                     further connections"
                );
            }
        }
        share
    }

    /// The same for a user of this machine.
    pub(super) fn share_of_user(&self, uid: u32, listener: &str) -> Option<QuotaPermit> {
        let share = self.quota.take(Holder::User(uid));
        if share.is_none() {
            Limit::MaxConnectionsPerUid.reached();
            if let Ok(left_out) = self.no_share.admit() {
                tracing::warn!(
                    listener,
                    uid,
                    left_out,
                    "connection limit of a user reached (--max-connections-per-uid): closing \
                     further connections"
                );
            }
        }
        share
    }
}
