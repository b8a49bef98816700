use super::*;

fn rates(connections: u64) -> Arc<AddressRates> {
    AddressRates::new(RateLimits {
        new_connections_per_second: Some(connections),
        ..RateLimits::default()
    })
}

fn comes(rates: &Arc<AddressRates>, client: &str) -> bool {
    let mut address = rates.of(client.parse().unwrap());
    address.take(Kind::NewConnections, 1)
}

#[tokio::test(start_paused = true)]
async fn each_address_has_its_own_limit() {
    let rates = rates(1);
    assert!(comes(&rates, "192.0.2.1"));
    assert!(!comes(&rates, "::ffff:192.0.2.1"));
    assert!(comes(&rates, "192.0.2.2"));
    assert!(comes(&rates, "2001:db8::1") && !comes(&rates, "2001:db8::2"));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(comes(&rates, "192.0.2.1"));
    rates.set(RateLimits::default());
    assert!((0..100).all(|_| comes(&rates, "192.0.2.1")));
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_addresses_is_forgotten() {
    let rates = rates(1);
    let come = |range: std::ops::Range<u32>| {
        range
            .filter(|last| comes(&rates, &std::net::Ipv4Addr::from_bits(*last).to_string()))
            .count()
    };
    let storm = MAX_RATED_ADDRESSES as u32;
    assert_eq!(come(0..storm), storm as usize);
    // Further addresses share one bucket.
    assert_eq!(come(storm..storm + 100), 1);
    assert_eq!(rates.known().buckets.len(), MAX_RATED_ADDRESSES);
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(come(2 * storm..2 * storm + 100), 100);
    assert!(rates.known().buckets.len() <= MAX_RATED_ADDRESSES);
}
