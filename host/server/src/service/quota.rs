//! Connections per client address and per local user.

use address::counted_as;
use parking_lot::{Mutex, MutexGuard};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::Arc;

/// A client whose connections count together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Holder {
    /// An address, or an IPv6 network of 64 bits.
    Address(IpAddr),
    /// The same for UDP senders, whose address may be forged.
    Sender(IpAddr),
    /// A user of this machine, by number.
    User(u32),
}

/// The limits of holders, and their open connections.
#[derive(Debug)]
pub struct ConnectionQuota {
    /// The limit of an address; `None` for no limit.
    per_ip: Option<usize>,
    /// The limit of a user; `None` for no limit.
    per_uid: Option<usize>,
    open: Mutex<HashMap<Holder, usize>>,
}

/// A permit for one open connection of a holder.
#[derive(Debug)]
pub struct QuotaPermit {
    quota: Arc<ConnectionQuota>,
    holder: Holder,
}

impl From<IpAddr> for Holder {
    fn from(client: IpAddr) -> Self {
        Holder::Address(counted_as(client))
    }
}

impl Holder {
    /// The holder of a UDP sender.
    pub fn sender(address: IpAddr) -> Self {
        Holder::Sender(counted_as(address))
    }
}

impl ConnectionQuota {
    /// Starts without connections.
    pub fn new(per_ip: Option<usize>, per_uid: Option<usize>) -> Arc<Self> {
        Arc::new(ConnectionQuota {
            per_ip,
            per_uid,
            open: Mutex::default(),
        })
    }

    /// A permit for this client, if it is below its limit.
    pub fn take(self: &Arc<Self>, client: impl Into<Holder>) -> Option<QuotaPermit> {
        let holder = client.into();
        let limit = match holder {
            Holder::Address(_) | Holder::Sender(_) => self.per_ip,
            Holder::User(_) => self.per_uid,
        };
        let mut open = self.open();
        let count = open.entry(holder).or_default();
        // A holder at its limit has an entry already.
        if limit.is_some_and(|limit| *count >= limit) {
            return None;
        }
        *count += 1;
        Some(QuotaPermit {
            quota: self.clone(),
            holder,
        })
    }
    fn open(&self) -> MutexGuard<'_, HashMap<Holder, usize>> {
        self.open.lock()
    }
}

impl Drop for QuotaPermit {
    fn drop(&mut self) {
        let mut open = self.quota.open();
        if let Entry::Occupied(mut count) = open.entry(self.holder) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
        // A flood of clients must not leave a large table behind.
        if open.is_empty() {
            open.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(quota: &Arc<ConnectionQuota>, client: &str) -> Option<QuotaPermit> {
        quota.take(client.parse::<IpAddr>().unwrap())
    }

    #[test]
    fn forged_senders_take_nothing_from_connections() {
        let quota = ConnectionQuota::new(Some(1), None);
        let sender = || Holder::sender("192.0.2.1".parse().unwrap());
        let forged = quota.take(sender());
        assert!(forged.is_some() && quota.take(sender()).is_none());
        assert!(take(&quota, "192.0.2.1").is_some());
    }

    #[test]
    fn each_address_has_its_own_limit() {
        let quota = ConnectionQuota::new(Some(2), None);
        let one = take(&quota, "192.0.2.1");
        let two = take(&quota, "::ffff:192.0.2.1");
        assert!(one.is_some() && two.is_some());
        assert!(take(&quota, "192.0.2.1").is_none());
        assert!(take(&quota, "192.0.2.2").is_some());
        drop(two);
        assert!(take(&quota, "192.0.2.1").is_some());
        drop(one);
        assert!(quota.open().is_empty());
    }

    #[test]
    fn each_user_has_their_own_limit() {
        let quota = ConnectionQuota::new(Some(1), Some(2));
        let ann: Vec<_> = (0..3).map(|_| quota.take(Holder::User(1000))).collect();
        assert_eq!(ann.iter().flatten().count(), 2);
        assert!(quota.take(Holder::User(1001)).is_some());
        assert!(take(&quota, "192.0.2.1").is_some());
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one() {
        let quota = ConnectionQuota::new(Some(1), None);
        let _one = take(&quota, "2001:db8:1:2::1").unwrap();
        assert!(take(&quota, "2001:db8:1:2:ffff::2").is_none());
        assert!(take(&quota, "2001:db8:1:3::1").is_some());
    }

    #[test]
    fn a_missing_limit_allows_any_number() {
        let quota = ConnectionQuota::new(None, Some(1));
        let shares: Vec<_> = (0..1000).map(|_| take(&quota, "::1")).collect();
        assert!(shares.iter().all(Option::is_some));
    }
}
