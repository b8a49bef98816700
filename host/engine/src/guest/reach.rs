//! The hosts that guests may connect to, as granted by the operator.

use super::denials::Denials;
use address::{NetworkAddress, scope};
use connection::limits::{LOOKUP_AGE, MAX_LOOKUP_ADDRESSES, MAX_LOOKUPS_SEEN};
use parking_lot::Mutex as SyncMutex;
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use tokio::net::lookup_host;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tracing::Span;
use wasmtime_wasi::sockets::SocketAddrUse;

/// Granted addresses and names, with their ports.
#[derive(Default)]
pub struct Reach {
    addresses: Vec<SocketAddr>,
    names: BTreeMap<String, Name>,
}

/// A name that guests may look up.
#[derive(Default)]
struct Name {
    ports: Vec<u16>,
    /// Held during a lookup, so that there is only one at a time.
    answer: Arc<Mutex<Option<Answer>>>,
    /// Its addresses in earlier lookups, latest first. A guest uses the address it was given, even
    /// if the name has another one by now.
    seen: SyncMutex<VecDeque<ScopedAddress>>,
}

/// The result of a lookup: no address if it failed.
struct Answer {
    at: Instant,
    addresses: Vec<ScopedAddress>,
}

/// An address, and its interface if it is link-local.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ScopedAddress {
    ip: IpAddr,
    scope: u32,
}

impl From<SocketAddr> for ScopedAddress {
    fn from(address: SocketAddr) -> Self {
        ScopedAddress {
            ip: address.ip().to_canonical(),
            scope: scope(address),
        }
    }
}

impl Reach {
    pub fn new(granted: &[NetworkAddress]) -> Self {
        let mut reach = Reach::default();
        for address @ NetworkAddress { host, port } in granted {
            match address.address() {
                // Nothing is reachable on a missing interface.
                Some(address) => reach.addresses.extend(address.socket_address(*port)),
                None => reach
                    .names
                    .entry(canonical(host))
                    .or_default()
                    .ports
                    .push(*port),
            }
        }
        reach
    }

    /// Whether nothing is granted.
    pub fn is_empty(&self) -> bool {
        self.addresses.is_empty() && self.names.is_empty()
    }

    /// Whether a name is granted.
    pub fn has(&self, name: &str) -> bool {
        self.names.contains_key(&canonical(name))
    }

    /// The addresses of a granted name; empty if it has none or the lookup fails. Results are
    /// cached for a while, however often guests ask.
    pub async fn look_up(&self, name: &str) -> Vec<IpAddr> {
        let name = canonical(name);
        let Some(granted) = self.names.get(&name) else {
            return Vec::new();
        };
        let mut answer = granted.answer.clone().lock_owned().await;
        let fresh = answer.as_ref().filter(|it| it.at.elapsed() < LOOKUP_AGE);
        let addresses = match fresh {
            Some(answer) => answer.addresses.clone(),
            None => {
                // A separate task, because a lookup cannot be cancelled: the next caller waits for
                // this one, even if the guest's call has ended.
                let asking = tokio::spawn(async move {
                    let found = lookup_host((name.as_str(), 0)).await;
                    let addresses = found.into_iter().flatten().map(ScopedAddress::from);
                    let addresses: Vec<_> = addresses.take(MAX_LOOKUP_ADDRESSES).collect();
                    let at = Instant::now();
                    *answer = Some(Answer {
                        at,
                        addresses: addresses.clone(),
                    });
                    addresses
                });
                asking.await.unwrap_or_default()
            }
        };
        granted.see(&addresses);
        addresses.iter().map(|address| address.ip).collect()
    }

    fn allows(&self, peer: SocketAddr) -> bool {
        let address = ScopedAddress::from(peer);
        let stands_for = |name: &Name| name.ports.contains(&peer.port()) && name.has_seen(address);
        let is_there =
            |it: &SocketAddr| it.port() == peer.port() && ScopedAddress::from(*it) == address;
        self.addresses.iter().any(is_there) || self.names.values().any(stands_for)
    }
}

impl Name {
    fn see(&self, addresses: &[ScopedAddress]) {
        let mut seen = self.seen.lock();
        seen.retain(|address| !addresses.contains(address));
        addresses.iter().for_each(|it| seen.push_front(*it));
        seen.truncate(MAX_LOOKUPS_SEEN);
    }

    fn has_seen(&self, address: ScopedAddress) -> bool {
        let seen = self.seen.lock();
        seen.contains(&address)
    }
}

/// Names ignore case and a trailing dot (RFC 1034, section 3.1).
fn canonical(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// The check for addresses of a guest. A connection begins with a socket that is bound to any
/// address.
pub fn guard(
    reach: Arc<Reach>,
    denials: Arc<Denials>,
    span: Span,
) -> impl Fn(SocketAddr, SocketAddrUse) -> Pin<Box<dyn Future<Output = bool> + Send + Sync>> + Send + Sync
{
    move |address, purpose| {
        let may = match purpose {
            SocketAddrUse::TcpBind => address.ip().is_unspecified() && address.port() == 0,
            SocketAddrUse::TcpConnect => {
                let may = reach.allows(address);
                if !may {
                    denials.note_connection(address, &span);
                }
                may
            }
            _ => false,
        };
        Box::pin(async move { may })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddrV6;

    fn reach(granted: &[&str]) -> Reach {
        let granted: Vec<_> = granted.iter().map(|it| it.parse().unwrap()).collect();
        Reach::new(&granted)
    }

    #[test]
    fn an_address_is_granted_with_its_port() {
        let reach = reach(&["192.0.2.1:80", "[2001:db8::1]:443"]);
        for (peer, may) in [
            ("192.0.2.1:80", true),
            ("[::ffff:192.0.2.1]:80", true),
            ("192.0.2.1:81", false),
            ("192.0.2.2:80", false),
            ("[2001:db8::1]:443", true),
            ("[2001:db8::1]:80", false),
        ] {
            assert_eq!(reach.allows(peer.parse().unwrap()), may, "{peer}");
        }
    }

    #[test]
    fn a_link_local_address_is_granted_on_its_interface() {
        let reach = reach(&[
            "[fe80::1%3]:80",
            "[fe80::2%25lo]:80",
            "[fe80::3%no-such-one]:80",
        ]);
        let on = |address: &str, scope: u32| {
            SocketAddrV6::new(address.parse().unwrap(), 80, 0, scope).into()
        };
        assert!(reach.allows(on("fe80::1", 3)));
        for (address, scope) in [
            ("fe80::1", 0),
            ("fe80::1", 4),
            ("fe80::2", 0),
            ("fe80::3", 0),
        ] {
            assert!(!reach.allows(on(address, scope)), "{address}%{scope}");
        }
        let name = Name::default();
        name.see(&[on("fe80::9", 3)].map(ScopedAddress::from));
        assert!(name.has_seen(ScopedAddress::from(on("fe80::9", 3))));
        assert!(!name.has_seen(ScopedAddress::from(on("fe80::9", 4))));
    }

    #[tokio::test]
    async fn a_name_is_granted_for_the_addresses_it_resolved_to() {
        let reach = reach(&["LocalHost:80"]);
        let peer = "127.0.0.1:80".parse().unwrap();
        assert!(!reach.allows(peer), "nobody has looked");
        assert!(reach.look_up("localhost.").await.contains(&peer.ip()));
        assert!(reach.allows(peer) && !reach.allows("127.0.0.1:81".parse().unwrap()));
        assert!(reach.has("LOCALHOST") && !reach.has("localhost.example"));
        assert_eq!(reach.look_up("other.example").await, Vec::<IpAddr>::new());
    }

    #[test]
    fn old_addresses_of_a_name_stay_granted_for_a_while() {
        let name = Name::default();
        let address = |last: usize| ScopedAddress {
            ip: IpAddr::from([10, 0, (last >> 8) as u8, last as u8]),
            scope: 0,
        };
        for last in 0..2 * MAX_LOOKUPS_SEEN {
            name.see(&[address(last), address(last)]);
        }
        assert!(name.has_seen(address(2 * MAX_LOOKUPS_SEEN - 1)));
        assert!(!name.has_seen(address(0)));
    }
}
