//! Two hundred swaps under full load: no connection drops, and no reply is lost, duplicated or out
//! of order.

use super::crowd::{Crowd, Manner, Tally};
use super::post::{Folder, Post};
use super::versions::{bad, counter, own_counter, signer};
use crate::fixture::Usage;
use crate::fixture::{DEADLINE, warnings};
use rustix::process::Signal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

/// Swaps for warm-up, and swaps that count.
const WARM_UP: u64 = 20;
const SWAPS: u64 = 200;
/// After every Nth swap, a bad version is offered that must be refused.
const BAD: u64 = 3;
/// Maximum growth of resident memory after the counted swaps: what the allocator keeps for clients
/// and the compiler. Leaked generations would be about twice as much.
const SLACK_KIB: usize = 32 << 10;

struct Stage {
    post: Post,
    version: fn(&str) -> Vec<u8>,
    newest: Arc<AtomicU64>,
    refused: u64,
    bad: Vec<(&'static str, Vec<u8>, &'static str)>,
}

impl Stage {
    fn new(swap: &str, version: fn(&str) -> Vec<u8>) -> Self {
        let folder = Folder::new();
        folder.put("handler", version("v0"));
        let exchange = "framing: lines\n> line\n<~ v* line\n";
        let probe = folder.put("line.exchange", exchange);
        let mut bad = bad();
        bad.push(("probed", version("x"), "fails the probe"));
        Stage {
            post: Post::serve_from(
                folder,
                &[
                    // Hardly more slots than the clients take: a leaked one is noticed.
                    "--max-connections",
                    "240",
                    // More end in a second than the log has lines for.
                    "--log-connections",
                    "off",
                    "--framing",
                    "lines",
                    "--watch",
                    "--swap",
                    swap,
                    "--probe",
                    &probe,
                ],
            ),
            version,
            newest: Arc::default(),
            refused: 0,
            bad,
        }
    }

    /// Swaps N times: the watched file changes, or a signal or a command comes first.
    fn swap(&mut self, crowd: &Crowd, times: u64) {
        for _ in 0..times {
            let number = self.newest.fetch_add(1, Ordering::Relaxed) + 1;
            let content = (self.version)(&format!("v{number}"));
            let path = self.post.put(content);
            match number % 3 {
                0 => {}
                1 => self.post.host.process.signal(Signal::HUP),
                _ => drop(self.post.swap(&path).unwrap()),
            }
            self.post.wait_for_generation(number + 1);
            crowd.assert_content();
            if number.is_multiple_of(BAD) {
                self.offer_bad(number / BAD);
            }
        }
    }

    /// Offers versions that must be refused: by command, or by the watched file and a signal.
    fn offer_bad(&mut self, turn: u64) {
        let kinds = self.bad.len() as u64;
        let (kind, content, reason) = &self.bad[(turn % kinds) as usize];
        if (turn / kinds).is_multiple_of(2) {
            let refusal = self.post.swap(&self.post.folder.put(kind, content));
            let refusal = refusal.unwrap_err();
            let told = refusal["reason"].as_str().unwrap();
            assert!(told.contains(reason), "{refusal}");
        } else {
            let before = self.refusals();
            self.post.put(content);
            self.post.host.process.signal(Signal::HUP);
            self.post
                .wait_until("refused", |status| status["refused_swaps"] != before);
        }
        self.refused += 1;
    }

    fn refusals(&self) -> u64 {
        self.post.status()["refused_swaps"].as_u64().unwrap()
    }

    /// Makes the host compile something that is not cached, so that it has started all its threads.
    fn compile(&mut self) {
        let unheard_of = (self.version)(&format!("x{}", std::process::id()));
        let refused = self
            .post
            .swap(&self.post.folder.put("unheard-of", unheard_of));
        refused.unwrap_err();
        self.refused += 1;
    }

    /// Swaps N times with clients, who are all gone afterwards.
    fn play(&mut self, manner: Manner, swaps: u64) -> Tally {
        let crowd = Crowd::at(self.post.host.address(), manner, &self.newest);
        self.swap(&crowd, swaps);
        let tally = crowd.leave();
        self.post.wait_until("empty", |status| {
            let generations = status["generations"].as_array().unwrap();
            status["connections"]["open"] == 0 && generations.len() == 2
        });
        // It watches another path after a command.
        let watches = |usage: Usage| {
            let mut names = usage.lasting_threads.into_iter();
            names.any(|name| name.starts_with("notify"))
        };
        self.post
            .wait_until("watching", |_| watches(self.post.usage()));
        tally
    }

    /// The process's resources, once they are at most those from before.
    fn settled(&self, before: &Usage) -> Usage {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let now = self.post.usage();
            let settled = now.descriptors <= before.descriptors
                && now.lasting_threads.len() <= before.lasting_threads.len()
                && now.resident_kib <= before.resident_kib + SLACK_KIB;
            if settled {
                return now;
            }
            assert!(Instant::now() < deadline, "{before:?} became {now:?}");
            thread::yield_now();
        }
    }
}

fn swap_under_load(swap: &str, version: fn(&str) -> Vec<u8>, manner: Manner) {
    let mut stage = Stage::new(swap, version);
    stage.compile();
    let mut tally = stage.play(manner, WARM_UP);
    let before = stage.post.usage();
    let begin = Instant::now();
    tally += stage.play(manner, SWAPS);
    let took = begin.elapsed();
    let after = stage.settled(&before);
    let status = stage.post.status();
    assert_eq!(status["generations"][0]["number"], WARM_UP + SWAPS + 1);
    assert_eq!(status["connections"]["total"], tally.connections);
    assert_eq!(status["messages"], tally.lines);
    assert_eq!(status["failed_calls"], 0);
    assert!(stage.refusals() >= stage.refused);
    let log = stage.post.host.process.stderr.text();
    assert!(warnings(&log).is_empty(), "{:?}", warnings(&log));
    assert!(!log.contains("internal error"), "{log}");
    let refused = stage.refusals();
    eprintln!(
        "{swap}: {SWAPS} swaps in {took:.1?}, {refused} refused, {tally:?}, {before:?}, {after:?}"
    );
}

#[test]
fn new_connections_get_the_new_version_and_others_keep_theirs() {
    swap_under_load("new-connections", counter, Manner::Stays);
}

#[test]
fn responders_answer_each_message_once_whoever_is_current() {
    swap_under_load("next-message", signer, Manner::Moves);
}

#[test]
fn conversations_count_on_through_every_swap() {
    swap_under_load("migrate", own_counter, Manner::CountsOn);
}
