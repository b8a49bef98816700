//! Checks the host name of metrics requests. A web page can make its visitor's browser send
//! requests to any reachable server under the page's own name (DNS rebinding), and read the
//! response; so other names are refused.

use address::{Endpoint, NetworkAddress, ZonedAddress};
use hyper::header::HOST;
use hyper::http::uri::Authority;
use hyper::{HeaderMap, Uri};

/// The accepted names of the metrics endpoint.
#[derive(Clone, Debug)]
pub struct Names {
    /// `None` on a Unix socket, which browsers cannot reach: any name is accepted.
    network: Option<Vec<String>>,
}

impl Names {
    /// The names of a listener configured as `endpoint`, on a machine named `machine`.
    pub fn new(endpoint: &Endpoint, machine: Option<String>) -> Self {
        let named = |address: &NetworkAddress| {
            let names = [address.host.clone(), "localhost".to_owned()];
            names.into_iter().chain(machine).collect()
        };
        Names {
            network: endpoint.network().map(named),
        }
    }

    /// The unknown name in a request, if there is one.
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

/// Whether it is an IP address or one of the names. An address cannot be rebound.
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

    fn refused(endpoint: &str, host: &str) -> Option<String> {
        let names = Names::new(&endpoint.parse().unwrap(), Some("machine".into()));
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        names.stranger(&Uri::from_static("/metrics"), &headers)
    }

    #[test]
    fn addresses_and_names_of_the_listener_are_accepted() {
        let endpoint = "tcp://metrics.internal:9464";
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
            assert_eq!(refused(endpoint, host), None, "{host}");
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
            assert_eq!(refused(endpoint, host).as_deref(), Some(host), "{host}");
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
