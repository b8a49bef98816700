//! How many connections the clients with one address, or of one user of this machine, have.

use connection::address::counted_as;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Whose connections count together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Holder {
    /// Those of an address, or of an IPv6 network of 64 bits.
    Address(IpAddr),
    /// The sessions of senders of datagrams with such an address, which may be forged.
    Sender(IpAddr),
    /// Those of a user of this machine, by number.
    User(u32),
}

/// What each holder may have of the server's places.
#[derive(Debug)]
pub struct Quota {
    /// The most connections of one address; `None` for any number.
    per_ip: Option<usize>,
    /// The most connections of one user; `None` for any number.
    per_uid: Option<usize>,
    open: Mutex<HashMap<Holder, usize>>,
}

/// One connection of a holder, as long as it is open.
#[derive(Debug)]
pub struct Share {
    quota: Arc<Quota>,
    holder: Holder,
}

impl From<IpAddr> for Holder {
    fn from(client: IpAddr) -> Self {
        Holder::Address(counted_as(client))
    }
}

impl Holder {
    /// A sender of datagrams.
    pub fn sender(address: IpAddr) -> Self {
        Holder::Sender(counted_as(address))
    }
}

impl Quota {
    /// Nobody has a connection yet.
    pub fn new(per_ip: Option<usize>, per_uid: Option<usize>) -> Arc<Self> {
        Arc::new(Quota {
            per_ip,
            per_uid,
            open: Mutex::default(),
        })
    }

    /// Another connection of this client, if it may have one.
    pub fn take(self: &Arc<Self>, client: impl Into<Holder>) -> Option<Share> {
        let holder = client.into();
        let limit = match holder {
            Holder::Address(_) | Holder::Sender(_) => self.per_ip,
            Holder::User(_) => self.per_uid,
        };
        let mut open = self.open();
        let count = open.entry(holder).or_default();
        // Whoever is at the limit has an entry already.
        if limit.is_some_and(|limit| *count >= limit) {
            return None;
        }
        *count += 1;
        Some(Share {
            quota: self.clone(),
            holder,
        })
    }

    /// What is guarded is whole at every step: a panic elsewhere does not spoil it.
    fn open(&self) -> MutexGuard<'_, HashMap<Holder, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut open = self.quota.open();
        if let Entry::Occupied(mut count) = open.entry(self.holder) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
        // A storm of clients should not leave a table of its size behind.
        if open.is_empty() {
            open.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(quota: &Arc<Quota>, client: &str) -> Option<Share> {
        quota.take(client.parse::<IpAddr>().unwrap())
    }

    #[test]
    fn forged_senders_take_nothing_from_connections() {
        let quota = Quota::new(Some(1), None);
        let sender = || Holder::sender("192.0.2.1".parse().unwrap());
        let forged = quota.take(sender());
        assert!(forged.is_some() && quota.take(sender()).is_none());
        assert!(take(&quota, "192.0.2.1").is_some());
    }

    #[test]
    fn each_address_has_its_own() {
        let quota = Quota::new(Some(2), None);
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
    fn each_user_has_their_own() {
        let quota = Quota::new(Some(1), Some(2));
        let ann: Vec<_> = (0..3).map(|_| quota.take(Holder::User(1000))).collect();
        assert_eq!(ann.iter().flatten().count(), 2);
        assert!(quota.take(Holder::User(1001)).is_some());
        assert!(take(&quota, "192.0.2.1").is_some());
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one() {
        let quota = Quota::new(Some(1), None);
        let _one = take(&quota, "2001:db8:1:2::1").unwrap();
        assert!(take(&quota, "2001:db8:1:2:ffff::2").is_none());
        assert!(take(&quota, "2001:db8:1:3::1").is_some());
    }

    #[test]
    fn without_a_limit_there_is_none() {
        let quota = Quota::new(None, Some(1));
        let shares: Vec<_> = (0..1000).map(|_| take(&quota, "::1")).collect();
        assert!(shares.iter().all(Option::is_some));
    }
}
