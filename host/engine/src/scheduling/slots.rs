//! The slots of the pool, and how services share them.
//!
//! An instance takes a slot for each of its memories, and a connection takes all its slots at
//! once. The pool is sized for the configured connections and UDP sessions. If it is too small for
//! that (address space is finite, and a reload may add a longer pipeline), half of it is divided
//! equally among the shares, and the unused part of each is reserved.

use connection::limits::Limit;
use parking_lot::{Mutex, MutexGuard};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use tokio::sync::oneshot;

/// All slots of an engine.
#[derive(Debug)]
pub struct Pool(Mutex<State>);

#[derive(Debug)]
struct State {
    total: usize,
    taken: usize,
    /// Connections and UDP sessions at once, with those that are tried out or moved.
    connections: usize,
    /// The reserve of each share while slots are scarce; otherwise 0.
    equal_part: usize,
    shares: BTreeMap<u64, Claim>,
    next: u64,
    /// The number of waiters.
    waiting: usize,
}

/// The state of a share.
#[derive(Debug)]
struct Claim {
    taken: usize,
    /// The most slots that one of its connections has needed.
    need: usize,
    /// Whether its reserve in a scarce pool is only one connection's need.
    is_small: bool,
    waiting: VecDeque<Waiting>,
}

/// A waiter for slots.
#[derive(Debug)]
struct Waiting {
    share: Arc<Share>,
    slots: usize,
    grant: oneshot::Sender<Permit>,
}

/// A part of the pool: for the streams of a service, its UDP sessions, or for trying out handlers.
#[derive(Debug)]
pub struct Share {
    pool: Arc<Pool>,
    number: u64,
}

/// A permit for slots, until dropped.
#[derive(Debug)]
pub struct Permit {
    pub(crate) share: Arc<Share>,
    slots: usize,
}

impl Pool {
    /// A pool with this many slots and connections.
    pub fn new(total: usize, connections: usize) -> Arc<Self> {
        Arc::new(Pool(Mutex::new(State {
            total,
            taken: 0,
            connections,
            equal_part: 0,
            shares: BTreeMap::new(),
            next: 0,
            waiting: 0,
        })))
    }

    /// Changes the expected number of connections.
    pub fn expect(&self, connections: usize) {
        self.change(|state| {
            state.connections = connections;
            state.divide();
        });
    }

    /// The number of taken slots, and of all.
    pub fn counts(&self) -> (usize, usize) {
        let state = self.lock();
        (state.taken, state.total)
    }

    /// Adds a share, small or equal to others in a scarce pool.
    pub fn share(self: &Arc<Self>, is_small: bool) -> Arc<Share> {
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        let claim = Claim {
            taken: 0,
            need: 0,
            is_small,
            waiting: VecDeque::new(),
        };
        state.shares.insert(number, claim);
        Arc::new(Share {
            pool: self.clone(),
            number,
        })
    }

    /// Changes the state and grants slots to waiters.
    fn change(&self, change: impl FnOnce(&mut State)) {
        let (granted, _gone) = {
            let mut state = self.lock();
            change(&mut state);
            state.grant()
        };
        // Outside the lock: the slots of cancelled waiters come back at once.
        for Waiting {
            share,
            slots,
            grant,
        } in granted
        {
            let _ = grant.send(Permit { share, slots });
        }
    }
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock()
    }
}

impl State {
    /// Divides the pool among the shares, if it is too small.
    fn divide(&mut self) {
        let largest = self.shares.values().map(|it| it.need).max().unwrap_or(0);
        let equal = |it: &&Claim| it.need > 0 && !it.is_small;
        let sharers = self.shares.values().filter(equal).count();
        self.equal_part = if largest.saturating_mul(self.connections) <= self.total {
            0
        } else {
            (self.total / 2 / sharers.max(1)).max(1)
        };
    }

    /// The reserve of a share.
    fn guaranteed(&self, claim: &Claim) -> usize {
        match (self.equal_part, claim.need) {
            (0, _) | (_, 0) => 0,
            (_, need) if claim.is_small => need,
            (part, need) => part.max(need),
        }
    }

    /// Whether a share may take this many slots now.
    fn may_take(&self, number: u64, slots: usize) -> bool {
        let free = self.total.saturating_sub(self.taken);
        let claim = &self.shares[&number];
        if slots > free || self.equal_part == 0 {
            return slots <= free;
        }
        if claim.taken + slots <= self.guaranteed(claim) {
            return true;
        }
        let others = self.shares.iter().filter(|(other, _)| **other != number);
        let lacking = others.map(|(_, it)| self.guaranteed(it).saturating_sub(it.taken));
        slots + lacking.sum::<usize>() <= free
    }

    fn take(&mut self, number: u64, slots: usize) {
        self.taken += slots;
        if let Some(claim) = self.shares.get_mut(&number) {
            claim.taken += slots;
        }
    }

    /// Takes slots for waiters, first for the share with the fewest. Returns them, and the waiters
    /// that were cancelled.
    fn grant(&mut self) -> (Vec<Waiting>, Vec<Waiting>) {
        let (mut granted, mut gone) = (Vec::new(), Vec::new());
        if self.waiting == 0 {
            return (granted, gone);
        }
        for claim in self.shares.values_mut() {
            while (claim.waiting.front()).is_some_and(|it| it.grant.is_closed()) {
                gone.extend(claim.waiting.pop_front());
            }
        }
        loop {
            let next = self.shares.iter().filter(|(number, claim)| {
                let first = claim.waiting.front();
                first.is_some_and(|it| self.may_take(**number, it.slots))
            });
            let next = next.min_by_key(|(_, claim)| claim.taken);
            let Some(number) = next.map(|(number, _)| *number) else {
                break;
            };
            let claim = self.shares.get_mut(&number);
            if let Some(waiting) = claim.and_then(|claim| claim.waiting.pop_front()) {
                self.take(number, waiting.slots);
                granted.push(waiting);
            }
        }
        self.waiting -= granted.len() + gone.len();
        (granted, gone)
    }
}

impl Share {
    /// Notes how many slots each of its connections needs.
    pub fn expect(&self, slots: usize) {
        self.pool.change(|state| {
            if let Some(claim) = state.shares.get_mut(&self.number) {
                claim.need = claim.need.max(slots);
            }
            state.divide();
        });
    }

    /// Takes this many slots at once, as soon as possible.
    pub async fn take(self: &Arc<Self>, slots: usize) -> Permit {
        self.expect_more(slots);
        let mut wait = {
            let mut state = self.pool.lock();
            let is_first = state.shares[&self.number].waiting.is_empty();
            if is_first && state.may_take(self.number, slots) {
                state.take(self.number, slots);
                drop(state);
                return self.permit(slots);
            }
            let (grant, receiver) = oneshot::channel();
            let waiting = Waiting {
                share: self.clone(),
                slots,
                grant,
            };
            if let Some(claim) = state.shares.get_mut(&self.number) {
                claim.waiting.push_back(waiting);
                state.waiting += 1;
            }
            Wait {
                share: self,
                receiver,
            }
        };
        Limit::Slots.reached();
        match (&mut wait.receiver).await {
            Ok(permit) => permit,
            // Cannot happen: the pool keeps the sender.
            Err(_) => std::future::pending().await,
        }
    }

    /// Notes a new maximum of a connection's need.
    fn expect_more(&self, slots: usize) {
        let known = self.pool.lock().shares[&self.number].need;
        if known < slots {
            self.expect(slots);
        }
    }

    fn permit(self: &Arc<Self>, slots: usize) -> Permit {
        Permit {
            share: self.clone(),
            slots,
        }
    }
}

/// A waiter that may be cancelled.
struct Wait<'a> {
    share: &'a Arc<Share>,
    receiver: oneshot::Receiver<Permit>,
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.receiver.close();
        // It may have blocked waiters behind it. Slots granted meanwhile come back with the
        // receiver.
        self.share.pool.change(|_| ());
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.pool.change(|state| {
            state.shares.remove(&self.number);
            state.divide();
        });
    }
}

impl Permit {
    /// Splits off some of its slots, or all.
    pub fn split(&mut self, slots: usize) -> Permit {
        let slots = slots.min(self.slots);
        self.slots -= slots;
        self.share.permit(slots)
    }

    /// A permit that borrows the slots of this one: dropping it frees none.
    pub fn lend(&self) -> Permit {
        self.share.permit(0)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let (number, slots) = (self.share.number, self.slots);
        self.share.pool.change(|state| {
            state.taken -= slots;
            if let Some(claim) = state.shares.get_mut(&number) {
                claim.taken -= slots;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    type Taking<'a> = Pin<Box<dyn Future<Output = Permit> + 'a>>;

    fn taking(share: &Arc<Share>, slots: usize) -> Taking<'_> {
        Box::pin(share.take(slots))
    }

    fn polled(taking: &mut Taking) -> Option<Permit> {
        match taking
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(permit) => Some(permit),
            Poll::Pending => None,
        }
    }

    fn taken(share: &Arc<Share>, slots: usize) -> Permit {
        polled(&mut taking(share, slots)).expect("there are enough")
    }

    #[test]
    fn an_ample_pool_has_no_reserves() {
        let pool = Pool::new(8, 2);
        let [one, other] = [pool.share(false), pool.share(false)];
        other.expect(4);
        let first = taken(&one, 4);
        let second = taken(&one, 4);
        let mut third = taking(&other, 1);
        assert!(polled(&mut third).is_none());
        drop(first);
        let third = polled(&mut third).unwrap();
        assert_eq!(pool.counts(), (5, 8));
        drop((second, third));
        assert_eq!(pool.counts(), (0, 8));
    }

    #[test]
    fn a_scarce_pool_reserves_a_part_for_each_share() {
        let pool = Pool::new(16, 100);
        let [greedy, modest] = [pool.share(false), pool.share(false)];
        modest.expect(1);
        let crowd: Vec<_> = (0..3).map(|_| taken(&greedy, 4)).collect();
        // Four of them are reserved for the other.
        let mut waiting = taking(&greedy, 4);
        assert!(polled(&mut waiting).is_none());
        let kept: Vec<_> = (0..4).map(|_| taken(&modest, 1)).collect();
        let mut fifth = taking(&modest, 1);
        assert!(polled(&mut fifth).is_none());
        drop(crowd);
        assert!(polled(&mut fifth).is_some());
        assert!(polled(&mut waiting).is_some());
        drop(kept);
    }

    #[test]
    fn a_new_share_in_a_full_pool_gets_the_next_slots() {
        let pool = Pool::new(4, 100);
        let old = pool.share(false);
        let mut crowd: Vec<_> = (0..4).map(|_| taken(&old, 1)).collect();
        let mut more = taking(&old, 1);
        assert!(polled(&mut more).is_none());
        let new = pool.share(false);
        let mut first = taking(&new, 1);
        assert!(polled(&mut first).is_none());
        crowd.pop();
        assert!(polled(&mut first).is_some());
        assert!(polled(&mut more).is_none());
    }

    #[test]
    fn a_cancelled_waiter_blocks_nobody() {
        let pool = Pool::new(4, 1);
        let share = pool.share(false);
        let held = taken(&share, 2);
        let mut large = taking(&share, 4);
        assert!(polled(&mut large).is_none());
        let mut small = taking(&share, 2);
        assert!(polled(&mut small).is_none());
        drop(large);
        let small = polled(&mut small).unwrap();
        drop((held, small));
        assert_eq!(pool.counts(), (0, 4));
    }

    #[test]
    fn slots_that_are_taken_together_come_back_one_by_one() {
        let pool = Pool::new(4, 1);
        let share = pool.share(false);
        let mut all = taken(&share, 3);
        let one = all.split(1);
        drop(all);
        assert_eq!(pool.counts(), (1, 4));
        drop(one);
        assert_eq!(pool.counts(), (0, 4));
    }
}
