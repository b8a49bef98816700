//! By which names the metrics are asked for. A web page can have its visitor's browser ask any server that the visitor
//! reaches, by a name of the page's own (DNS rebinding), and read the answer: so other names are refused.

use connection::address::{Endpoint, NetworkAddress, ZonedAddress};
use hyper::header::HOST;
use hyper::http::uri::Authority;
use hyper::{HeaderMap, Uri};

/// The names of the place where the metrics are served.
#[derive(Clone, Debug)]
pub struct Names {
    /// None where no browser gets: on a Unix socket any name will do.
    network: Option<Vec<String>>,
}

impl Names {
    /// Those of a listener that was asked for as `place`, on a machine of the name `machine`.
    pub fn new(place: &Endpoint, machine: Option<String>) -> Self {
        let named = |address: &NetworkAddress| {
            let place = [address.host.clone(), "localhost".to_owned()];
            place.into_iter().chain(machine).collect()
        };
        Names {
            network: place.network().map(named),
        }
    }

    /// The name in a request that is not among them, if there is one.
    pub fn stranger(&self, uri: &Uri, headers: &HeaderMap) -> Option<String> {
        let names = self.network.as_ref()?;
        let shown = |value: &[u8]| value.escape_ascii().to_string();
        let host = headers.get_all(HOST).iter().map(|value| value.as_bytes());
        let asked = uri.authority().map(|it| it.as_str().as_bytes());
        host.chain(asked)
            .find(|value| !is_known(names, value))
            .map(shown)
    }
}

/// Whether it is an address, or one of the names. An address cannot be made to lead elsewhere.
fn is_known(names: &[String], host: &[u8]) -> bool {
    let Ok(authority) = Authority::try_from(host) else {
        return host.is_empty();
    };
    let host = authority.host();
    let host = host.strip_suffix('.').unwrap_or(host);
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if bare.parse::<ZonedAddress>().is_ok() {
        return true;
    }
    names.iter().any(|name| name.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(place: &str, host: &str) -> Option<String> {
        let names = Names::new(&place.parse().unwrap(), Some("machine".into()));
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        names.stranger(&Uri::from_static("/metrics"), &headers)
    }

    #[test]
    fn addresses_and_the_names_of_the_place_are_known() {
        let place = "tcp://metrics.internal:9464";
        for host in [
            "",
            "127.0.0.1",
            "127.0.0.1:9464",
            "[::1]:9464",
            "192.0.2.1:80",
            "localhost:9464",
            "LocalHost.",
            "metrics.internal:9464",
            "Machine:1",
        ] {
            assert_eq!(refused(place, host), None, "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:9464",
            "machine2",
            "metrics",
            "a b",
            "@",
        ] {
            assert_eq!(refused(place, host).as_deref(), Some(host), "{host}");
            assert_eq!(refused("unix:/run/metrics.sock", host), None);
        }
    }

    #[test]
    fn a_request_may_name_its_host_in_its_first_line() {
        let names = Names::new(&"tcp://127.0.0.1:1".parse().unwrap(), None);
        let uri = Uri::from_static("http://evil.example/metrics");
        assert!(names.stranger(&uri, &HeaderMap::new()).is_some());
        let uri = Uri::from_static("/metrics");
        assert!(names.stranger(&uri, &HeaderMap::new()).is_none());
    }
}
