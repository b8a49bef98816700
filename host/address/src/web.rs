//! The address of a WebSocket: a network address, and possibly the path of its requests.

use super::{InvalidEndpoint, NetworkAddress};
use std::fmt;

/// Where a WebSocket is, without its scheme.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WebAddress {
    /// The address to listen on or to connect to.
    pub network: NetworkAddress,
    /// The path of requests, which starts with a slash. Without one, a listener accepts every path.
    pub path: Option<Box<str>>,
}

impl WebAddress {
    /// Parses the text after `SCHEME:`.
    pub(super) fn parse(scheme: &'static str, rest: &str) -> Result<Self, InvalidEndpoint> {
        let authority = rest
            .strip_prefix("//")
            .ok_or(InvalidEndpoint::NoSlashes(scheme))?;
        let (network, path) = match authority.find('/') {
            Some(at) => (&rest[..at + 2], Some(&authority[at..])),
            None => (rest, None),
        };
        let is_odd = |byte: u8| !byte.is_ascii_graphic() || matches!(byte, b'?' | b'#');
        if let Some(path) = path.filter(|path| path.bytes().any(is_odd)) {
            return Err(InvalidEndpoint::WebPath(scheme, path.to_owned()));
        }
        Ok(WebAddress {
            network: NetworkAddress::parse(scheme, network)?,
            path: path.map(Into::into),
        })
    }
}

impl fmt::Display for WebAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.as_deref().unwrap_or_default();
        write!(f, "{}{path}", self.network)
    }
}
