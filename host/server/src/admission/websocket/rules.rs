//! The rules of a WebSocket listener: which pages may connect, and what is agreed on.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use websocket::MessageType;

/// How a listener answers requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebSocketRules {
    /// The path of WebSocket requests; `None` for any.
    pub path: Option<String>,
    /// Origins of pages that may connect. If there are none, pages of the host itself may.
    pub origins: Vec<Origin>,
    /// Subprotocols, preferred first.
    pub protocols: Vec<Subprotocol>,
    /// How clients receive what a handler sends.
    pub messages: MessageType,
    /// Whether a browser gets a page.
    pub has_page: bool,
}

/// The origin of a web page (RFC 6454), in lower case, or `*` for any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

/// Why a text is not an [`Origin`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("expected an origin such as https://example.org, without a path, or `*`")]
pub struct InvalidOrigin;

impl FromStr for Origin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let is_origin = text.split_once("://").is_some_and(|(scheme, authority)| {
            let has_odd = |byte: u8| !byte.is_ascii_graphic() || b"/?#@*,".contains(&byte);
            !scheme.is_empty()
                && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
                && !authority.is_empty()
                && !authority.bytes().any(has_odd)
        });
        if is_origin || text == "*" {
            Ok(Origin(text.to_ascii_lowercase()))
        } else {
            Err(InvalidOrigin)
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a subprotocol (RFC 6455, section 4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subprotocol(String);

/// Why a text is not a [`Subprotocol`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("expected the name of a subprotocol, such as mqtt: letters, digits and !#$%&'*+-.^_`|~")]
pub struct InvalidSubprotocol;

impl FromStr for Subprotocol {
    type Err = InvalidSubprotocol;

    fn from_str(text: &str) -> Result<Self, InvalidSubprotocol> {
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if text.is_empty() || !text.bytes().all(is_token) {
            return Err(InvalidSubprotocol);
        }
        Ok(Subprotocol(text.to_owned()))
    }
}

impl fmt::Display for Subprotocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl WebSocketRules {
    /// Whether a page of this origin may connect. `host` is the host that the request names. With
    /// `is_local` the request came straight to an address that is reachable from this machine only:
    /// whoever owns the page may have given its name to that address (DNS rebinding).
    pub fn admit(&self, origin: &str, host: &str, is_local: bool) -> bool {
        let origin = origin.to_ascii_lowercase();
        if !self.origins.is_empty() {
            return (self.origins.iter()).any(|Origin(it)| it == "*" || *it == origin);
        }
        let Some((scheme, authority)) = origin.split_once("://") else {
            return false;
        };
        let port = match scheme {
            "http" => ":80",
            "https" => ":443",
            _ => return false,
        };
        let bare = |name: &str| name.strip_suffix(port).unwrap_or(name).to_owned();
        bare(authority) == bare(&host.to_ascii_lowercase()) && !(is_local && may_be_rebound(host))
    }

    /// The subprotocol for a client that knows these.
    pub fn agree<'a>(&self, offered: impl Iterator<Item = &'a str> + Clone) -> Option<String> {
        let known = self.protocols.iter().map(|Subprotocol(it)| it);
        let mut known = known.filter(|it| offered.clone().any(|offer| offer == it.as_str()));
        known.next().cloned()
    }
}

/// Whether a name could have been given to an address by whoever owns it. An address could not, and
/// browsers know what `localhost` is.
fn may_be_rebound(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let is_localhost = name == "localhost" || name.ends_with(".localhost");
    bare.parse::<IpAddr>().is_err() && !is_localhost
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(origins: &[&str]) -> WebSocketRules {
        WebSocketRules {
            path: None,
            origins: origins.iter().map(|it| it.parse().unwrap()).collect(),
            protocols: ["b", "a"].map(|it| it.parse().unwrap()).into(),
            messages: MessageType::Auto,
            has_page: false,
        }
    }

    #[test]
    fn pages_of_the_same_host_may_connect() {
        let rules = rules(&[]);
        for (origin, host, admitted) in [
            ("http://localhost:8080", "localhost:8080", true),
            ("http://LocalHost:8080", "localhost:8080", true),
            ("http://127.0.0.1:8080", "127.0.0.1:8080", true),
            ("http://[::1]:8080", "[::1]:8080", true),
            ("https://a.localhost", "a.localhost:443", true),
            ("https://a.localhost", "a.localhost:80", false),
            ("http://localhost:8081", "localhost:8080", false),
            ("http://evil.example:8080", "localhost:8080", false),
            // It has given its own name to this machine's address.
            ("http://evil.example:8080", "evil.example:8080", false),
            ("null", "localhost", false),
            ("file://", "", false),
            ("", "", false),
        ] {
            assert_eq!(rules.admit(origin, host, true), admitted, "{origin} {host}");
        }
        assert!(rules.admit("https://example.org", "example.org", false));
    }

    #[test]
    fn listed_origins_are_all_that_may_connect() {
        let listed = rules(&["https://Example.org", "http://localhost:3000"]);
        assert!(listed.admit("https://example.org", "127.0.0.1:1", true));
        assert!(!listed.admit("https://example.org:8443", "127.0.0.1:1", true));
        assert!(!listed.admit("http://127.0.0.1:1", "127.0.0.1:1", true));
        assert!(rules(&["*"]).admit("null", "x", true));
        for bad in [
            "",
            "example.org",
            "https://",
            "https://example.org/",
            "http://*",
        ] {
            assert_eq!(bad.parse::<Origin>(), Err(InvalidOrigin), "{bad}");
        }
    }

    #[test]
    fn the_listener_prefers_and_the_client_offers() {
        let rules = rules(&[]);
        assert_eq!(rules.agree(["a", "b"].into_iter()), Some("b".to_owned()));
        assert_eq!(rules.agree(["c", "a"].into_iter()), Some("a".to_owned()));
        assert_eq!(rules.agree(["c"].into_iter()), None);
        assert!("a b".parse::<Subprotocol>().is_err());
    }
}
