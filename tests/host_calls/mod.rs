//! Every function that the host offers, called with as much data as it takes, and more: none blocks
//! its thread for longer than a guest may compute, and none makes the host hold more than the
//! limits.

mod anything;
mod arguments;
mod caller;
mod offer;
mod scene;
mod table;

use crate::fixture::root;
use arguments::Arguments;
use caller::{MOST_BYTES, component};
use connection::handler::{Event, Session};
use connection::limits::{
    GuestLimits, MAX_ARGUMENT_BYTES, MAX_BATCH_KEYS, MAX_BATCH_VALUE_BYTES, MAX_SEND_BYTES,
};
use keyvalue::Store;
use offer::Offer;
use rustix::time::{ClockId, clock_gettime};
use scene::Scene;
use std::collections::BTreeSet;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::pin::pin;
use std::time::Duration;
use table::{Reached, TABLE};
use wit_component::StringEncoding;

/// Size of a list with the maximum number of keys.
const FULL_BATCH_BYTES: u32 = 8 * MAX_BATCH_KEYS as u32;

/// Maximum memory that a call may add to the process: its arguments and results, a few times over.
const MOST_GROWTH_KIB: u64 = 64 << 10;
/// How long a guest computes at a time: nothing interrupts a call of the host either.
const SLICE: Duration = Duration::from_millis(10);

#[test]
fn the_table_has_every_function() {
    let offered: BTreeSet<_> = Offer::read().functions().into_iter().collect();
    let listed: BTreeSet<_> = TABLE
        .iter()
        .map(|(interface, name, _)| ((*interface).to_owned(), (*name).to_owned()))
        .collect();
    assert_eq!(listed, offered);
    assert_eq!(listed.len(), TABLE.len());
    for (_, name, reached) in TABLE {
        assert!(!matches!(reached, Reached::Never("")), "{name}: why?");
    }
}

#[test]
fn what_fuzzing_found_to_call_does_no_harm() {
    let corpus = root().join("host/fuzz/corpus/imports");
    let mut anything = anything::Anything::new();
    let inputs = fs::read_dir(corpus).unwrap();
    let inputs: Vec<_> = inputs
        .map(|it| fs::read(it.unwrap().path()).unwrap())
        .collect();
    assert!(inputs.len() > 5);
    // The same number of each function.
    let functions = Offer::read().functions().len() as u16;
    for number in 0..functions {
        for input in &inputs {
            let (_, rest) = input.split_at(2);
            anything.call(&[&number.to_le_bytes(), rest].concat());
        }
    }
}

#[test]
fn none_takes_longer_than_a_slice() {
    let offer = Offer::read();
    let scene = Scene::new();
    for file in 0..1000 {
        fs::write(scene.granted().join(format!("file{file}")), "").unwrap();
    }
    let most_time = most_thread_time();
    let mut slow = Vec::new();
    for (interface, name, reached) in TABLE {
        if let Reached::Never(why) = reached {
            eprintln!("{interface} {name}: {why}");
            continue;
        }
        let (_, function) = offer.function(interface, name);
        let has_lists = Arguments::new(&offer, function, 0, StringEncoding::UTF8).has_lists;
        let bound = MAX_SEND_BYTES.max(MAX_ARGUMENT_BYTES) as u32;
        let (lengths, encodings): (&[u32], &[_]) = if has_lists {
            (
                &[FULL_BATCH_BYTES, bound / 8, bound / 2, bound, MOST_BYTES],
                &[StringEncoding::UTF8, StringEncoding::UTF16],
            )
        } else {
            (&[0], &[StringEncoding::UTF8])
        };
        for bytes in lengths {
            for encoding in encodings {
                let component = component(&offer, interface, name, *bytes, *encoding);
                // Other processes may have used the processor's caches in between.
                let costs: Vec<_> = (0..3)
                    .map(|_| cost(&scene, name, &component))
                    .take_while(|cost| !cost.is_fair(most_time))
                    .collect();
                if costs.len() == 3 {
                    slow.push(format!("{interface} {name} {bytes} {encoding}: {costs:?}"));
                }
            }
        }
    }
    assert!(slow.is_empty(), "more than {most_time:?}: {slow:#?}");
}

/// The most time of the thread in one call: a slice, or on a slow machine twice what it takes
/// natively to convert the longest text.
fn most_thread_time() -> Duration {
    let text = vec![u16::from(b'a'); MOST_BYTES as usize / 2];
    let times = (0..5).map(|_| {
        let begun = thread_time();
        black_box(String::from_utf16(black_box(&text)).unwrap());
        thread_time() - begun
    });
    let native = times.min().unwrap();
    SLICE.max(2 * native)
}

/// The cost of a call.
#[derive(Debug)]
struct Cost {
    /// The longest time its thread was blocked, in CPU time.
    thread_time: Duration,
    growth_kib: u64,
}

impl Cost {
    fn is_fair(&self, most_time: Duration) -> bool {
        self.thread_time <= most_time && self.growth_kib <= MOST_GROWTH_KIB
    }
}

fn cost(scene: &Scene, name: &str, component: &[u8]) -> Cost {
    let limits = GuestLimits {
        max_memory_bytes: 256 << 20,
        call_timeout: Duration::from_secs(10),
    };
    let loaded = scene.load(component, limits);
    let store = Store::scratch();
    // As long as permitted if all keys of a call have this length.
    let value = vec![b'v'; MAX_BATCH_VALUE_BYTES / MAX_BATCH_KEYS];
    let set = store.set(vec![("b:b".to_owned(), value)]);
    scene.runtime.block_on(set).unwrap();
    let mut session = scene.session(&loaded, &store);
    scene.runtime.block_on(async {
        let prepared = session.tell(Event::Message("0".into())).await;
        prepared.unwrap_or_else(|error| panic!("{name}: {error}"));
        let before = memory_kib("VmRSS");
        fs::write("/proc/self/clear_refs", "5").unwrap();
        let (thread_time, _) = measured(session.tell(Event::Message("1".into()))).await;
        let growth_kib = memory_kib("VmHWM").saturating_sub(before);
        session.end().await;
        Cost {
            thread_time,
            growth_kib,
        }
    })
}

/// A value of `/proc/self/status`.
fn memory_kib(name: &str) -> u64 {
    let status = fs::read_to_string(Path::new("/proc/self/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.unwrap().split_whitespace().nth(1).unwrap();
    number.parse().unwrap()
}

/// The longest uninterrupted CPU time of the thread.
async fn measured<T>(call: impl Future<Output = T>) -> (Duration, T) {
    let mut call = pin!(call);
    let mut longest = Duration::ZERO;
    let result = std::future::poll_fn(|cx| {
        let before = thread_time();
        let polled = call.as_mut().poll(cx);
        longest = longest.max(thread_time() - before);
        polled
    });
    let result = result.await;
    (longest, result)
}

fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap()
}
