//! What must hold of a host that has been through all this: that it gives back what it took.

use crate::files;
use crate::usage::Usage;
use serde_json::Value;

/// How much more than at the beginning each may be at the end. The allocator gives memory back, but not the last of it;
/// threads that block come and go; compiled code of other versions is other mappings.
const SLACK: Usage = Usage {
    resident_kib: 32 << 10,
    peak_kib: 0,
    descriptors: 4,
    threads: 4,
    mappings: 100,
};
/// What may stay of each place for an instance once one has used all of it, in KiB: 256 of its memory, which the host
/// keeps on purpose, and some of its tables.
const PLACE_KIB: u64 = 272;
/// Likewise the mappings that a place may be cut into. Chosen to allow for what was seen to stay, not derived.
const PLACE_MAPPINGS: u64 = 2;
/// How much more resident memory may be in the last quarter of a run than it was in the second, beside what stays when
/// all have left, in KiB.
const GROWTH_KIB: u64 = 32 << 10;
/// The most resident memory that a host may ever have, in KiB: twice what it had in long runs. A dozen guests whose
/// handles were not charged took more.
const MOST_RESIDENT_KIB: u64 = 1 << 20;
/// What the limits of the log add up to, in lines a second: 1000 of the guests of each of the nine services whose
/// guests print, a hundred about the connections of each of all services, and as many again for what operators do.
pub const MOST_LINES_A_SECOND: u64 = 9 * 1000 + 2 * 20 * 100;
/// What a host holds back while nobody reads its log, in lines: 1 MiB, and what a pipe holds, of the shortest lines.
pub const HELD_BACK_LINES: u64 = ((1 << 20) + (64 << 10)) / 60;
/// Below so many samples there is no trend.
const TREND_SAMPLES: usize = 120;

/// What a host without clients still uses and should not; nothing if it is as it was.
pub fn left_behind(baseline: &Usage, now: &Usage, status: &Value) -> Option<String> {
    let places = count(&status["places"]["total"]);
    let with_places = |slack: u64, each: u64| slack.saturating_add(places.saturating_mul(each));
    let memory_slack = with_places(SLACK.resident_kib, PLACE_KIB);
    let mappings_slack = with_places(SLACK.mappings, PLACE_MAPPINGS);
    let figures = [
        (
            "KiB of memory",
            baseline.resident_kib,
            now.resident_kib,
            memory_slack,
        ),
        (
            "descriptors",
            baseline.descriptors,
            now.descriptors,
            SLACK.descriptors,
        ),
        ("threads", baseline.threads, now.threads, SLACK.threads),
        ("mappings", baseline.mappings, now.mappings, mappings_slack),
        ("connections", 0, count(&status["connections"]["open"]), 0),
        (
            "places",
            0,
            count(&status["places"]["taken"]),
            files::shared_instances(),
        ),
    ];
    let (what, before, now, slack) = figures
        .into_iter()
        .find(|(_, before, now, slack)| *now > before.saturating_add(*slack))?;
    Some(format!(
        "{what}: {now}, and {before} before (up to {slack} more would do)"
    ))
}

/// Whether a host had more memory at some time than it may.
pub fn excess(usage: &Usage) -> Option<String> {
    let peak = usage.peak_kib;
    (peak > MOST_RESIDENT_KIB).then(|| format!("{peak} KiB of memory at once"))
}

/// Whether memory grows: the medians of the second and of the last quarter of the samples, in KiB, if it does. What stays
/// when all have left, `kept_kib`, is no growth: places for instances keep some memory, each from when it is first used.
pub fn growth(resident_kib: &[u64], kept_kib: u64) -> Option<(u64, u64)> {
    let quarter = resident_kib.len() / 4;
    if resident_kib.len() < TREND_SAMPLES {
        return None;
    }
    let before = median(&resident_kib[quarter..2 * quarter]);
    let after = median(&resident_kib[3 * quarter..]);
    (after > before + GROWTH_KIB + kept_kib).then_some((before, after))
}

fn median(samples: &[u64]) -> u64 {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

fn count(value: &Value) -> u64 {
    // What is no number is none of what was asked for.
    value.as_u64().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const BEFORE: Usage = Usage {
        resident_kib: 50_000,
        peak_kib: 60_000,
        descriptors: 50,
        threads: 5,
        mappings: 500,
    };

    #[test]
    fn whatever_stays_is_named() {
        let quiet = json!({ "connections": { "open": 0 }, "places": { "taken": 0, "total": 1 } });
        assert_eq!(left_behind(&BEFORE, &BEFORE, &quiet), None);
        let more = Usage {
            descriptors: 55,
            ..BEFORE
        };
        let said = left_behind(&BEFORE, &more, &quiet).unwrap();
        assert!(said.starts_with("descriptors: 55, and 50 before"), "{said}");
        for left in [
            json!({ "connections": { "open": 1 }, "places": { "taken": 0 } }),
            json!({ "connections": { "open": 0 }, "places": { "taken": 1000 } }),
            json!({}),
        ] {
            assert!(left_behind(&BEFORE, &BEFORE, &left).is_some(), "{left}");
        }
    }

    #[test]
    fn too_much_memory_at_once_is_noticed() {
        assert_eq!(excess(&BEFORE), None);
        let more = Usage {
            peak_kib: MOST_RESIDENT_KIB + 1,
            ..BEFORE
        };
        assert!(excess(&more).is_some());
    }

    #[test]
    fn memory_that_grows_is_noticed_and_memory_that_varies_is_not() {
        let varies: Vec<u64> = (0..400).map(|at| 50_000 + at % 7 * 1000).collect();
        assert_eq!(growth(&varies, 0), None);
        let grows: Vec<u64> = (0..400).map(|at| 50_000 + at * 200).collect();
        assert!(growth(&grows, 0).is_some());
        assert_eq!(growth(&grows, 20_000), None);
        // What rises at the beginning only.
        let rises: Vec<u64> = (0..400)
            .map(|at| 50_000 + u64::min(at, 50) * 2000)
            .collect();
        assert_eq!(growth(&rises, 0), None);
        assert_eq!(growth(&grows[..10], 0), None);
    }
}
