use super::super::{AddressRates, RateLimits};
use super::*;
use std::future::poll_fn;

fn messages(limit: u64) -> RateLimits {
    RateLimits {
        messages_per_second: Some(limit),
        ..RateLimits::default()
    }
}

async fn passes(throttle: &mut Throttle) -> Duration {
    let begun = Instant::now();
    if !throttle.take_message() {
        poll_fn(|cx| throttle.poll_message(cx)).await;
    }
    begun.elapsed()
}

#[tokio::test(start_paused = true)]
async fn the_stricter_rate_counts() {
    let service = Arc::new(ServiceRates::new(messages(10)));
    let addresses = AddressRates::new(messages(2));
    let address = addresses.of("192.0.2.1".parse().unwrap());
    let mut throttle = Throttle::new(service.clone(), Some(address));
    assert_eq!(passes(&mut throttle).await, Duration::ZERO);
    assert_eq!(passes(&mut throttle).await, Duration::ZERO);
    for _ in 0..5 {
        let waited = passes(&mut throttle).await;
        assert!((490..520).contains(&waited.as_millis()), "{waited:?}");
    }
    let mut local = Throttle::new(service, None);
    assert_eq!(passes(&mut local).await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_new_connection_waits_for_the_debt_of_others() {
    let service = Arc::new(ServiceRates::new(RateLimits {
        bytes_per_second: Some(100),
        ..RateLimits::default()
    }));
    let mut first = Throttle::new(service.clone(), None);
    assert!(!first.pauses_reading());
    first.note_read(1000);
    assert!(
        !first.pauses_reading(),
        "a full bucket gives more than it holds"
    );
    first.note_read(1);
    assert!(first.pauses_reading());
    let mut second = Throttle::new(service.clone(), None);
    assert!(second.pauses_reading());
    let begun = Instant::now();
    poll_fn(|cx| second.poll_reading(cx)).await;
    assert!((8900..9200).contains(&begun.elapsed().as_millis()));
}

#[tokio::test(start_paused = true)]
async fn a_waiter_continues_when_the_rates_change() {
    let service = Arc::new(ServiceRates::new(messages(1)));
    let mut throttle = Throttle::new(service.clone(), None);
    let waits: Vec<_> = (0..100).map(|_| throttle.take_message()).collect();
    assert!(waits[0] && !waits[1]);
    service.set(RateLimits::default());
    let begun = Instant::now();
    poll_fn(|cx| throttle.poll_message(cx)).await;
    assert!(begun.elapsed() <= 2 * LOOK_AGAIN);
}
