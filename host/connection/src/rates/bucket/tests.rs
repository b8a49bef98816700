use super::*;
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_bucket_starts_with_the_tokens_of_one_second() {
    let bucket = Bucket::default();
    let taken = (0..100).filter(|_| bucket.take(SECOND, 10, 1)).count();
    assert_eq!(taken, 10);
    assert!(!bucket.take(SECOND + SECOND / 20, 10, 1));
    assert!(bucket.take(SECOND + SECOND / 10, 10, 1));
    assert!(!bucket.take(SECOND + SECOND / 10, 10, 1));
    assert!(bucket.is_full(3 * SECOND));
}

#[test]
fn reservations_wait_in_turn() {
    let bucket = Bucket::default();
    let waits: Vec<_> = (0..5).map(|_| bucket.reserve(SECOND, 2, 1)).collect();
    let expected = [0, 0, 500, 1000, 1500].map(Duration::from_millis);
    assert_eq!(waits, expected);
    assert_eq!(bucket.debt(SECOND), Duration::from_millis(1500));
    bucket.fill();
    assert_eq!(bucket.reserve(SECOND, 2, 1), Duration::ZERO);
}

#[test]
fn a_request_above_the_capacity_needs_a_full_bucket() {
    let bucket = Bucket::default();
    assert!(bucket.take(SECOND, 10, 25));
    assert!(!bucket.take(2 * SECOND, 10, 25));
    assert!(bucket.take(SECOND * 7 / 2, 10, 25));
}

proptest! {
    /// In any period, no more is taken than the bucket holds and what arrives.
    #[test]
    fn no_more_is_taken_than_comes(
        per_second in 1_u64..10_000,
        steps in proptest::collection::vec((0_u64..2_000_000_000, 1_u64..20), 1..200)
    ) {
        let bucket = Bucket::default();
        let (mut now, mut taken) = (Duration::ZERO, Vec::new());
        for (pause, tokens) in steps {
            now += Duration::from_nanos(pause);
            let tokens = tokens.min(per_second);
            if bucket.take(now, per_second, tokens) {
                taken.push((now, tokens));
            }
        }
        for (first, (begin, _)) in taken.iter().enumerate() {
            let mut sum = 0;
            for (end, tokens) in &taken[first..] {
                sum += tokens;
                let comes = (*end - *begin).as_nanos() * u128::from(per_second) / 1_000_000_000;
                prop_assert!(u128::from(sum) <= u128::from(per_second) + comes + 1);
            }
        }
    }

    /// After the returned wait, all reserved tokens are available, however many.
    #[test]
    fn reservations_add_up(
        per_second in 1_u64..1_000_000,
        asked in proptest::collection::vec(1_u64..100_000, 1..50)
    ) {
        let bucket = Bucket::default();
        let mut before = Duration::ZERO;
        let mut sum = 0_u128;
        for tokens in asked {
            let wait = bucket.reserve(SECOND, per_second, tokens);
            prop_assert!(wait >= before);
            sum += u128::from(tokens) * 1_000_000_000 / u128::from(per_second);
            if wait > Duration::ZERO {
                prop_assert_eq!(wait.as_nanos(), sum - 1_000_000_000);
            }
            before = wait;
        }
    }

    #[test]
    fn no_number_overflows(now in any::<u64>(), per_second in any::<u64>(), tokens in any::<u64>()) {
        let (bucket, now) = (Bucket::default(), Duration::from_nanos(now / 2));
        bucket.reserve(now, per_second, tokens);
        bucket.take(now, per_second, tokens);
        bucket.debt(now);
    }
}
