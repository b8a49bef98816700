use super::*;

#[tokio::test(start_paused = true)]
async fn suppressed_lines_are_reported_with_the_next_one() {
    let limiter = LogRateLimiter::<2>::default();
    let admitted: Vec<_> = (0..5).map(|_| limiter.admit()).collect();
    assert_eq!(admitted, [Ok(0), Ok(0), Err(1), Err(2), Err(3)]);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(limiter.admit(), Ok(3));
    assert_eq!((limiter.admit(), limiter.admit()), (Ok(0), Err(1)));
    assert_eq!(
        (limiter.take_suppressed(), limiter.take_suppressed()),
        (1, 0)
    );
}
