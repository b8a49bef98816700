//! A resource that all guests share, such as memory or open files, divided fairly among services.
//!
//! Half is reserved in equal parts for the services that use it, so that the guests of one cannot
//! take what those of another need. The rest goes to whoever asks first. Nobody waits: a guest that
//! gets nothing gets an error.

use parking_lot::{Mutex, MutexGuard};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The whole resource.
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
    /// The reserve of each service, and the unused part of all reserves.
    kept_each: usize,
    lacking: usize,
}

/// What a service uses.
#[derive(Clone, Copy, Debug, Default)]
struct Used {
    taken: usize,
    is_claimed: bool,
}

/// The part of one service.
#[derive(Debug)]
pub struct FairShare {
    pool: Arc<FairPool>,
    number: u64,
}

/// What a guest uses, until dropped.
#[derive(Debug)]
pub struct Held {
    share: Arc<FairShare>,
    amount: usize,
}

impl State {
    fn lack(&self, share: Used) -> usize {
        if share.is_claimed {
            self.kept_each.saturating_sub(share.taken)
        } else {
            0
        }
    }

    /// Divides the reserve among the services that use it.
    fn divide(&mut self, total: usize) {
        let claimed = self.shares.values().filter(|it| it.is_claimed).count();
        self.kept_each = total / 2 / claimed.max(1);
        self.lacking = self.shares.values().map(|it| self.lack(*it)).sum();
    }

    /// Changes the amount of a share.
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
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl FairShare {
    /// A share of this total, without a reserve.
    pub fn of(total: usize) -> Arc<Self> {
        let state = Mutex::default();
        Arc::new(FairPool { total, state }).share()
    }

    /// The share of another service in the same resource.
    pub fn another(&self) -> Arc<Self> {
        self.pool.share()
    }

    /// Reserves a part, because its guests will use it.
    pub fn claim(&self) {
        let mut state = self.pool.lock();
        if let Some(share) = state.shares.get_mut(&self.number) {
            share.is_claimed = true;
        }
        state.divide(self.pool.total);
    }

    /// Takes an amount, if available.
    fn take(&self, amount: usize) -> bool {
        let mut state = self.pool.lock();
        let share = state.shares[&self.number];
        let kept_for_others = state.lacking - state.lack(share);
        let taken = share.taken.saturating_add(amount);
        let needed = if share.is_claimed && taken <= state.kept_each {
            amount
        } else {
            amount.saturating_add(kept_for_others)
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

    /// The amount.
    pub fn amount(&self) -> usize {
        self.amount
    }

    /// Takes more, if available.
    pub fn grow(&mut self, by: usize) -> bool {
        let is_there = self.share.take(by);
        if is_there {
            self.amount += by;
        }
        is_there
    }

    /// Gives back everything above this amount.
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
    fn a_service_leaves_the_reserve_of_another_and_alone_gets_all() {
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
    fn an_unused_service_has_no_reserve() {
        let one = FairShare::of(usize::MAX);
        let other = one.another();
        let mut held = Held::of(&one);
        assert!(held.grow(usize::MAX) && !held.grow(usize::MAX));
        drop((held, other));
    }

    proptest! {
        /// A service always gets its reserve once all services have claimed theirs.
        #[test]
        fn a_reserve_is_always_available(
            total in 0_usize..1000,
            steps in proptest::collection::vec((0_usize..4, 0_usize..300, any::<bool>()), 0..100)
        ) {
            let first = FairShare::of(total);
            let shares = [first.clone(), first.another(), first.another(), first.another()];
            shares[..3].iter().for_each(|share| share.claim());
            let mut held: Vec<_> = shares.iter().map(Held::of).collect();
            for (at, amount, more) in steps {
                if more {
                    let kept = total / 2 / 3;
                    let owed = at < 3 && held[at].amount() + amount <= kept;
                    prop_assert!(held[at].grow(amount) || !owed);
                } else { held[at].shrink_to(amount) }
                let taken: usize = held.iter().map(Held::amount).sum();
                prop_assert!(taken <= total);
                prop_assert_eq!(first.pool.lock().taken, taken);
            }
        }
    }
}
