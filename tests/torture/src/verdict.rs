//! What must hold of a host after the run: it returns what it took.

use crate::files;
use crate::usage::Usage;
use serde_json::Value;

/// Permitted growth of each resource. The allocator returns memory, but not all of it; threads that
/// block come and go; code of other versions has other mappings.
const SLACK: Usage = Usage {
    resident_kib: 32 << 10,
    peak_kib: 0,
    descriptors: 4,
    threads: 4,
    mappings: 100,
};
/// Memory that each used slot may keep, in KiB: 256 of its memory, which the host keeps on purpose,
/// and some of its tables.
const SLOT_KIB: u64 = 272;
/// Likewise, the mappings of a slot. From observation, not derived.
const SLOT_MAPPINGS: u64 = 2;
/// Permitted growth of resident memory from the second to the last quarter of a run, beyond what
/// stays when all have left, in KiB.
const GROWTH_KIB: u64 = 32 << 10;
/// The maximum resident memory of a host at any time, in KiB: twice the peak of long runs. A dozen
/// guests whose handles were not charged took more.
const MOST_RESIDENT_KIB: u64 = 1 << 20;
/// The sum of the log limits, in lines per second: 1000 of the guests of each of the nine services
/// whose guests print, a hundred about the connections of each service, and as many again for
/// operators.
pub const MOST_LINES_A_SECOND: u64 = 9 * 1000 + 2 * 20 * 100;
/// Lines that a host buffers while nobody reads its log: 1 MiB, and the content of a pipe, of the
/// shortest lines.
pub const HELD_BACK_LINES: u64 = ((1 << 20) + (64 << 10)) / 60;
/// With fewer samples there is no trend.
const TREND_SAMPLES: usize = 120;

/// Resources that a host without clients uses beyond the permitted growth; empty if none.
pub fn left_behind(baseline: &Usage, now: &Usage, status: &Value) -> Option<String> {
    let slots = count(&status["places"]["total"]);
    let with_slots = |slack: u64, each: u64| slack.saturating_add(slots.saturating_mul(each));
    let memory_slack = with_slots(SLACK.resident_kib, SLOT_KIB);
    let mappings_slack = with_slots(SLACK.mappings, SLOT_MAPPINGS);
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

/// Whether a host exceeded the memory limit at any time.
pub fn excess(usage: &Usage) -> Option<String> {
    let peak = usage.peak_kib;
    (peak > MOST_RESIDENT_KIB).then(|| format!("{peak} KiB of memory at once"))
}

/// Whether memory grows: the medians of the second and the last quarter of the samples, in KiB, if
/// so. Memory that stays when all have left (`kept_kib`) is not growth: each slot keeps some from
/// its first use on.
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
    // Values that are not numbers are not checked.
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
        // Growth at the start only.
        let rises: Vec<u64> = (0..400)
            .map(|at| 50_000 + u64::min(at, 50) * 2000)
            .collect();
        assert_eq!(growth(&rises, 0), None);
        assert_eq!(growth(&grows[..10], 0), None);
    }
}
