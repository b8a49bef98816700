//! What holds for whatever a sender of datagrams does, who may not be who it seems.

use super::{Allowance, Route};

/// Checks numbers, of four bytes each, as datagrams that come in (those that are even) and replies that are to go out:
/// what goes out is never more, headers included, than the factor allows.
pub fn check(input: &[u8]) {
    let [address, factor, numbers @ ..] = input else {
        return;
    };
    let peer = match address % 2 {
        0 => "192.0.2.1:4711",
        _ => "[2001:db8::1]:4711",
    };
    let Ok(peer) = peer.parse() else {
        return;
    };
    let route = Route { peer, local: None };
    let factor = u32::from(*factor).max(1);
    let mut allowance = Allowance::new(factor, &route);
    let header = route.header_bytes() as u64;
    let (mut came, mut went) = (0_u64, 0_u64);
    for number in numbers.chunks_exact(4) {
        let number = u32::from_le_bytes([number[0], number[1], number[2], number[3]]);
        let bytes = usize::try_from(number / 2 % 65_528).unwrap_or_default();
        if number % 2 == 0 {
            allowance.earn(1, bytes);
            came += bytes as u64 + header;
        } else if allowance.spend(bytes) {
            went += bytes as u64 + header;
        } else {
            let would = went + bytes as u64 + header;
            assert!(
                would > came * u64::from(factor),
                "it was refused what it had"
            );
        }
        assert!(went <= came * u64::from(factor), "{went} for {came}");
    }
}
