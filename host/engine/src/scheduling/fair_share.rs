//! Something that all guests together have so much of, such as memory or files: who has how much of it.
//!
//! Half of it is kept in equal parts for the services that use it, so that the guests of one cannot take what those of
//! another need. The rest is for whoever asks first. Nobody waits: a guest that gets nothing is told so.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// All that there is.
#[derive(Debug)]
struct FairPool {
    total: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    taken: usize,
    shares: BTreeMap<u64, Used>,
    next: u64,
    /// What is kept for each service, and what all of them lack of that.
    kept_each: usize,
    lacking: usize,
}

/// What one share has.
#[derive(Clone, Copy, Debug, Default)]
struct Used {
    taken: usize,
    is_claimed: bool,
}

/// What the guests of one service take from.
#[derive(Debug)]
pub struct FairShare {
    pool: Arc<FairPool>,
    number: u64,
}

/// What a guest has, until it is dropped.
#[derive(Debug)]
pub struct Held {
    share: Arc<FairShare>,
    amount: usize,
}

impl State {
    fn lack(&self, share: Used) -> usize {
        match share.is_claimed {
            true => self.kept_each.saturating_sub(share.taken),
            false => 0,
        }
    }

    /// Divides what is kept among the services that use it.
    fn divide(&mut self, total: usize) {
        let claimed = self.shares.values().filter(|it| it.is_claimed).count();
        self.kept_each = total / 2 / claimed.max(1);
        self.lacking = self.shares.values().map(|it| self.lack(*it)).sum();
    }

    /// Gives a share another amount.
    fn set(&mut self, number: u64, before: Used, taken: usize) {
        let after = Used { taken, ..before };
        self.taken = self.taken - before.taken + taken;
        self.lacking = self.lacking - self.lack(before) + self.lack(after);
        self.shares.insert(number, after);
    }
}

impl FairPool {
    fn share(self: &Arc<Self>) -> Arc<FairShare> {
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        state.shares.insert(number, Used::default());
        Arc::new(FairShare {
            pool: self.clone(),
            number,
        })
    }

    /// What is guarded is whole at every step: a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FairShare {
    /// A share of so much, for which nothing is kept.
    pub fn of(total: usize) -> Arc<Self> {
        let state = Mutex::default();
        Arc::new(FairPool { total, state }).share()
    }

    /// The share of another service in the same.
    pub fn another(&self) -> Arc<Self> {
        self.pool.share()
    }

    /// Its guests are going to use it: a part is kept for them from now on.
    pub fn claim(&self) {
        let mut state = self.pool.lock();
        if let Some(share) = state.shares.get_mut(&self.number) {
            share.is_claimed = true;
        }
        state.divide(self.pool.total);
    }

    /// Whether there was so much for it, which is taken then.
    fn take(&self, amount: usize) -> bool {
        let mut state = self.pool.lock();
        let share = state.shares[&self.number];
        let kept_for_others = state.lacking - state.lack(share);
        let taken = share.taken.saturating_add(amount);
        let needed = match share.is_claimed && taken <= state.kept_each {
            true => amount,
            false => amount.saturating_add(kept_for_others),
        };
        let is_there = needed <= self.pool.total - state.taken;
        if is_there {
            state.set(self.number, share, taken);
        }
        is_there
    }

    fn give_back(&self, amount: usize) {
        let mut state = self.pool.lock();
        let share = state.shares[&self.number];
        state.set(self.number, share, share.taken - amount);
    }
}

impl Drop for FairShare {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        state.shares.remove(&self.number);
        state.divide(self.pool.total);
    }
}

impl Held {
    /// Nothing yet.
    pub fn of(share: &Arc<FairShare>) -> Self {
        Held {
            share: share.clone(),
            amount: 0,
        }
    }

    /// How much it is.
    pub fn amount(&self) -> usize {
        self.amount
    }

    /// Takes so much more, if there is as much.
    pub fn grow(&mut self, by: usize) -> bool {
        let is_there = self.share.take(by);
        if is_there {
            self.amount += by;
        }
        is_there
    }

    /// Gives back what is more than this.
    pub fn shrink_to(&mut self, amount: usize) {
        if let Some(more) = self.amount.checked_sub(amount) {
            self.share.give_back(more);
            self.amount = amount;
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_service_leaves_another_its_part_and_alone_has_all() {
        let one = FairShare::of(100);
        let mut greedy = Held::of(&one);
        one.claim();
        assert!(greedy.grow(100) && !greedy.grow(1));
        greedy.shrink_to(40);
        let other = one.another();
        other.claim();
        // A quarter is kept for each.
        assert!(greedy.grow(35) && !greedy.grow(1));
        let mut modest = Held::of(&other);
        assert!(modest.grow(25) && !modest.grow(1));
        drop(modest);
        assert!(!greedy.grow(1));
        drop(other);
        assert!(greedy.grow(25));
        drop(greedy);
        assert_eq!(one.pool.lock().taken, 0);
    }

    #[test]
    fn nothing_is_kept_for_a_service_that_uses_none() {
        let one = FairShare::of(usize::MAX);
        let other = one.another();
        let mut held = Held::of(&one);
        assert!(held.grow(usize::MAX) && !held.grow(usize::MAX));
        drop((held, other));
    }

    proptest! {
        /// Whatever others have taken, a service gets what is kept for it once they were all there.
        #[test]
        fn what_is_kept_is_there(
            total in 0_usize..1000,
            steps in proptest::collection::vec((0_usize..4, 0_usize..300, any::<bool>()), 0..100)
        ) {
            let first = FairShare::of(total);
            let shares = [first.clone(), first.another(), first.another(), first.another()];
            shares[..3].iter().for_each(|share| share.claim());
            let mut held: Vec<_> = shares.iter().map(Held::of).collect();
            for (at, amount, more) in steps {
                match more {
                    true => {
                        let kept = total / 2 / 3;
                        let owed = at < 3 && held[at].amount() + amount <= kept;
                        prop_assert!(held[at].grow(amount) || !owed);
                    }
                    false => held[at].shrink_to(amount),
                }
                let taken: usize = held.iter().map(Held::amount).sum();
                prop_assert!(taken <= total);
                prop_assert_eq!(first.pool.lock().taken, taken);
            }
        }
    }
}
