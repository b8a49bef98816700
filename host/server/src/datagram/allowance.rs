//! How much may be sent to somebody who may not be who he seems. Pure.

use super::Route;

/// Bounds what a sender is sent by what it has sent. Its address may be forged: then the answers hit somebody
/// else, and must not hit harder than whoever forged it could by himself. QUIC does the same before it has
/// validated an address (RFC 9000, section 8.1); a plain datagram never is.
///
/// Bytes count as on the wire, headers included, so that the smallest datagrams can be answered, too.
#[derive(Debug)]
pub struct Allowance {
    factor: u64,
    header_bytes: usize,
    /// Bytes that may still be sent.
    left: u64,
}

impl Allowance {
    /// The sender at the other end of `route` may be sent up to `factor` times what it has sent.
    pub fn new(factor: u32, route: &Route) -> Self {
        Allowance {
            factor: factor.into(),
            header_bytes: route.header_bytes(),
            left: 0,
        }
    }

    /// It has sent so many datagrams that carry so many bytes together.
    pub fn earn(&mut self, datagrams: usize, bytes: usize) {
        let received = (bytes + datagrams * self.header_bytes) as u64;
        self.left = self.left.saturating_add(received * self.factor);
    }

    /// Whether it may be sent a datagram that carries so many bytes, which then is taken for sent.
    pub fn spend(&mut self, bytes: usize) -> bool {
        let sent = (bytes + self.header_bytes) as u64;
        match self.left.checked_sub(sent) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowance(factor: u32, peer: &str) -> Allowance {
        let peer = peer.parse().unwrap();
        Allowance::new(factor, &Route { peer, local: None })
    }

    #[test]
    fn nothing_is_sent_to_whom_nothing_came_from() {
        assert!(!allowance(3, "127.0.0.1:9").spend(0));
    }

    #[test]
    fn headers_count_both_ways() {
        let mut ipv4 = allowance(3, "127.0.0.1:9");
        ipv4.earn(1, 0);
        assert!(!ipv4.spend(57) && ipv4.spend(56) && !ipv4.spend(0));
        let mut ipv6 = allowance(3, "[::1]:9");
        ipv6.earn(1, 10);
        assert!(!ipv6.spend(3 * 58 - 47) && ipv6.spend(3 * 58 - 48) && !ipv6.spend(0));
    }

    #[test]
    fn what_is_not_used_is_not_lost_and_an_echo_never_runs_dry() {
        let mut allowance = allowance(1, "127.0.0.1:9");
        for bytes in [0, 1, 1472, 65_507] {
            allowance.earn(1, bytes);
            assert!(allowance.spend(bytes) && !allowance.spend(0));
        }
        allowance.earn(2, 2000);
        assert!(allowance.spend(2000 + 28));
    }
}
