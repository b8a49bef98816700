//! Does jobs on several threads, and hands over the results in order.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;

/// Does each job with `work`, on as many threads. For each in order, `take` gets what waits for its
/// result; if it breaks, no further job begins.
pub fn side_by_side<J: Sync, R: Send, E>(
    threads: NonZeroUsize,
    jobs: &[J],
    work: impl Fn(&J) -> R + Sync,
    mut take: impl FnMut(&J, &dyn Fn() -> R) -> Result<ControlFlow<()>, E>,
) -> Result<(), E> {
    let next = AtomicUsize::new(0);
    let (senders, receivers): (Vec<_>, Vec<_>) = jobs.iter().map(|_| sync_channel(1)).unzip();
    let work_on = || {
        while let Some((job, sender)) = {
            let number = next.fetch_add(1, Ordering::Relaxed);
            jobs.get(number).zip(senders.get(number))
        } {
            // Nobody waits after a break.
            let _ = sender.send(work(job));
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads.get().min(jobs.len()) {
            scope.spawn(work_on);
        }
        for (job, receiver) in jobs.iter().zip(&receivers) {
            let wait = || receiver.recv().expect("a job has a result");
            let taken = take(job, &wait);
            if !matches!(taken, Ok(ControlFlow::Continue(()))) {
                next.store(jobs.len(), Ordering::Relaxed);
                return taken.map(drop);
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_and_a_break_stops() {
        let jobs: Vec<u32> = (0..100).collect();
        let threads = NonZeroUsize::new(3).unwrap();
        let mut doubled = Vec::new();
        let done = side_by_side(
            threads,
            &jobs,
            |job| 2 * job,
            |job, wait| {
                let result = wait();
                assert_eq!(result, 2 * job);
                doubled.push(result);
                Ok::<_, ()>(match result {
                    20 => ControlFlow::Break(()),
                    _ => ControlFlow::Continue(()),
                })
            },
        );
        assert_eq!(done, Ok(()));
        assert_eq!(doubled.len(), 11);
    }
}
