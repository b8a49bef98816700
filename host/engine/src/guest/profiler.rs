//! Samples the stacks of running guests while somebody profiles their service.
//!
//! A sample is taken where a guest yields because an epoch has passed during its call: at a loop or
//! the beginning of a function. Wasmtime's own `GuestProfiler` is for one component, keeps all its
//! samples until it ends, and shows names as they are. A host has several services, versions and
//! stages, and their names are those of strangers.

use super::trap_sites::function_of;
use connection::limits::{
    MAX_PROFILE_FUNCTIONS, MAX_PROFILE_SAMPLES, MAX_PROFILE_STACKS, MAX_STACK_CALLS,
    MAX_WAITING_PROFILE_SAMPLES,
};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use wasmtime::{FrameInfo, Module, WasmBacktrace};

/// A loaded version of a handler, unique in the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VersionId(u64);

impl VersionId {
    /// Another one.
    pub fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        VersionId(LAST.fetch_add(1, Ordering::Relaxed))
    }
}

/// Where the guests of a service look whether they are profiled.
#[derive(Debug, Default)]
pub struct ProfiledService {
    is_on: AtomicBool,
    /// The profiler, and the number of the service there.
    profiler: Mutex<Option<(Arc<Profiler>, u32)>>,
}

impl ProfiledService {
    /// See [`crate::Engine::profile`].
    pub fn begin(self: &Arc<Self>, profiler: &Arc<Profiler>, service: u32) -> Option<Sampling> {
        let mut current = self.profiler.lock();
        if current.is_some() {
            return None;
        }
        *current = Some((profiler.clone(), service));
        self.is_on.store(true, Ordering::Relaxed);
        Some(Sampling(self.clone()))
    }

    /// Takes a sample of a guest that runs this version, if it is profiled. Called where it yields,
    /// so that it costs nothing otherwise.
    pub fn sample(&self, version: VersionId, trace: impl FnOnce() -> WasmBacktrace) {
        if !self.is_on.load(Ordering::Relaxed) {
            return;
        }
        let profiler = self.profiler.lock().clone();
        if let Some((profiler, service)) = profiler {
            profiler.add(service, version, trace().frames());
        }
    }
}

/// Guests of a service are sampled until this is dropped.
#[derive(Debug)]
pub struct Sampling(Arc<ProfiledService>);

impl Drop for Sampling {
    fn drop(&mut self) {
        self.0.is_on.store(false, Ordering::Relaxed);
        *self.0.profiler.lock() = None;
    }
}

/// Collects samples, in bounded memory: [`MAX_PROFILE_SAMPLES`] and its neighbours.
#[derive(Debug)]
pub struct Profiler {
    begun: Instant,
    found: Mutex<Found>,
}

/// What a profiler has found since the last time that it was asked. Rows refer to others by their
/// number, counted from the beginning of the profile.
#[derive(Debug, Default)]
pub struct Batch {
    /// The names of functions, escaped and cut.
    pub functions: Vec<String>,
    pub stacks: Vec<Stack>,
    pub samples: Vec<Sample>,
    /// Samples that are missing, since the beginning.
    pub dropped: u64,
}

/// A stack: that of the caller, and a function that it has called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stack {
    pub caller: Option<u32>,
    pub function: u32,
}

/// Where a guest was.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// When, since the profile began.
    pub at: Duration,
    pub stack: u32,
    /// As given to [`crate::Engine::profile`].
    pub service: u32,
    pub version: VersionId,
}

/// A function: the number of its module, and its index there.
type Function = (usize, u32);

#[derive(Debug, Default)]
struct Found {
    /// Modules that were seen. They have no identity that outlives them.
    modules: Vec<Module>,
    functions: HashMap<Function, u32>,
    stacks: HashMap<Stack, u32>,
    taken: u64,
    batch: Batch,
}

/// The functions that are no functions.
const OTHER: u32 = 0;
const CUT: u32 = 1;

impl Default for Profiler {
    fn default() -> Self {
        let mut found = Found::default();
        found.batch.functions = ["(other functions)", "(more callers)"]
            .map(Into::into)
            .into();
        Profiler {
            begun: Instant::now(),
            found: Mutex::new(found),
        }
    }
}

impl Profiler {
    /// What was found since the last time.
    pub fn take(&self) -> Batch {
        let batch = &mut self.found.lock().batch;
        let dropped = batch.dropped;
        let taken = std::mem::take(batch);
        batch.dropped = dropped;
        taken
    }

    fn add(&self, service: u32, version: VersionId, frames: &[FrameInfo]) {
        let at = self.begun.elapsed();
        let mut found = self.found.lock();
        let stack = if found.is_full() {
            None
        } else {
            found.stack(frames)
        };
        found.push(stack.map(|stack| Sample {
            at,
            stack,
            service,
            version,
        }));
    }
}

impl Found {
    fn is_full(&self) -> bool {
        self.taken == MAX_PROFILE_SAMPLES || self.batch.samples.len() == MAX_WAITING_PROFILE_SAMPLES
    }

    /// Adds a sample, or counts one that does not fit.
    fn push(&mut self, sample: Option<Sample>) {
        let Some(sample) = sample else {
            self.batch.dropped += 1;
            return;
        };
        self.taken += 1;
        self.batch.samples.push(sample);
    }

    /// The number of a stack, innermost frame first. `None` if there is no room for it.
    fn stack(&mut self, frames: &[FrameInfo]) -> Option<u32> {
        let mut stack = None;
        if frames.len() == MAX_STACK_CALLS {
            stack = Some(self.call(None, CUT)?);
        }
        for frame in frames.iter().rev() {
            let function = self.function(frame);
            stack = Some(self.call(stack, function)?);
        }
        stack
    }

    fn call(&mut self, caller: Option<u32>, function: u32) -> Option<u32> {
        let stack = Stack { caller, function };
        if let Some(number) = self.stacks.get(&stack) {
            return Some(*number);
        }
        if self.stacks.len() == MAX_PROFILE_STACKS {
            return None;
        }
        let number = self.stacks.len() as u32;
        self.stacks.insert(stack, number);
        self.batch.stacks.push(stack);
        Some(number)
    }

    fn module(&mut self, module: &Module) -> usize {
        let known = self.modules.iter().rposition(|it| Module::same(it, module));
        known.unwrap_or_else(|| {
            self.modules.push(module.clone());
            self.modules.len() - 1
        })
    }

    fn function(&mut self, frame: &FrameInfo) -> u32 {
        let function = (self.module(frame.module()), frame.func_index());
        if let Some(number) = self.functions.get(&function) {
            return *number;
        }
        let number = CUT + 1 + self.functions.len() as u32;
        if number as usize == MAX_PROFILE_FUNCTIONS {
            return OTHER;
        }
        self.functions.insert(function, number);
        self.batch.functions.push(function_of(frame));
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(profiler: &Profiler) {
        let mut found = profiler.found.lock();
        let sample = Sample {
            at: Duration::ZERO,
            stack: 0,
            service: 0,
            version: VersionId(0),
        };
        let sample = (!found.is_full()).then_some(sample);
        found.push(sample);
    }

    #[test]
    fn samples_that_nobody_takes_and_too_many_of_them_are_dropped() {
        let profiler = Profiler::default();
        for _ in 0..=MAX_WAITING_PROFILE_SAMPLES {
            add(&profiler);
        }
        let first = profiler.take();
        let figures = (first.samples.len(), first.dropped);
        assert_eq!(figures, (MAX_WAITING_PROFILE_SAMPLES, 1));
        let mut taken = first.samples.len() as u64;
        while taken < MAX_PROFILE_SAMPLES {
            add(&profiler);
            taken += profiler.take().samples.len() as u64;
        }
        add(&profiler);
        let last = profiler.take();
        assert_eq!((last.samples.len(), last.dropped), (0, 2));
    }

    #[test]
    fn stacks_are_known_by_their_calls_and_limited() {
        let mut found = Found::default();
        assert_eq!(found.call(None, 7), Some(0));
        assert_eq!(found.call(Some(0), 7), Some(1));
        assert_eq!(found.call(None, 7), Some(0));
        for function in 2..MAX_PROFILE_STACKS as u32 {
            assert_eq!(found.call(Some(1), function), Some(function));
        }
        assert_eq!(found.call(Some(1), u32::MAX), None);
        assert_eq!(found.call(Some(0), 7), Some(1));
    }

    #[test]
    fn a_service_is_profiled_by_one_at_a_time() {
        let service = Arc::<ProfiledService>::default();
        let profiler = Arc::default();
        let sampling = service.begin(&profiler, 0).unwrap();
        assert!(service.begin(&profiler, 0).is_none());
        drop(sampling);
        assert!(service.begin(&profiler, 0).is_some());
    }
}
