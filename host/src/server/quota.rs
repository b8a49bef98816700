//! How many connections the clients with one address have.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What of an IPv6 address names the network, in which a client has an address of its choice (RFC 4291, section
/// 2.5.4).
const NETWORK_BITS: u128 = !(u64::MAX as u128);

/// What each address may have of the server's places.
#[derive(Debug)]
pub struct Quota {
    /// The most connections of one address; `None` for any number.
    limit: Option<usize>,
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection of an address, as long as it is open.
#[derive(Debug)]
pub struct Share {
    quota: Arc<Quota>,
    address: IpAddr,
}

impl Quota {
    /// Nobody has a connection yet.
    pub fn new(limit: Option<usize>) -> Arc<Self> {
        Arc::new(Quota {
            limit,
            open: Mutex::default(),
        })
    }

    /// Another connection of this client, if it may have one.
    pub fn take(self: &Arc<Self>, client: IpAddr) -> Option<Share> {
        let address = counted_as(client);
        let mut open = self.open();
        let count = open.entry(address).or_default();
        // Whoever is at the limit has an entry already.
        if self.limit.is_some_and(|limit| *count >= limit) {
            return None;
        }
        *count += 1;
        Some(Share {
            quota: self.clone(),
            address,
        })
    }

    /// What is guarded is whole at every step: a panic elsewhere does not spoil it.
    fn open(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut open = self.quota.open();
        if let Entry::Occupied(mut count) = open.entry(self.address) {
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

/// An IPv4 address is one, however it is written; of an IPv6 address it is the network that counts.
fn counted_as(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & NETWORK_BITS).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(quota: &Arc<Quota>, client: &str) -> Option<Share> {
        quota.take(client.parse().unwrap())
    }

    #[test]
    fn each_address_has_its_own() {
        let quota = Quota::new(Some(2));
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
    fn a_network_of_ipv6_counts_as_one() {
        let quota = Quota::new(Some(1));
        let _one = take(&quota, "2001:db8:1:2::1").unwrap();
        assert!(take(&quota, "2001:db8:1:2:ffff::2").is_none());
        assert!(take(&quota, "2001:db8:1:3::1").is_some());
    }

    #[test]
    fn without_a_limit_there_is_none() {
        let quota = Quota::new(None);
        let shares: Vec<_> = (0..1000).map(|_| take(&quota, "::1")).collect();
        assert!(shares.iter().all(Option::is_some));
    }
}
