//! Recognises replies that are right but for their line endings.

use super::mismatch::Problem;
use super::{Action, Step};

/// The problem, if `got` is what the first of these steps expect, but for line endings.
pub fn endings(expected: &[Step], got: &[u8]) -> Option<Problem> {
    let has_none = !got.iter().any(|byte| matches!(byte, b'\r' | b'\n'));
    let bare = |bytes: &[u8], ends: &[u8]| -> Vec<u8> {
        let kept = bytes.iter().filter(|byte| !ends.contains(byte));
        kept.copied().collect()
    };
    let ends: &[u8] = if has_none { b"\r\n" } else { b"\r" };
    let (got, mut wanted) = (bare(got, ends), Vec::new());
    for step in expected {
        let Action::Expect(bytes) = &step.action else {
            return None;
        };
        wanted.extend(bare(bytes, ends));
        if wanted.len() >= got.len() {
            break;
        }
    }
    match has_none {
        _ if got.is_empty() || wanted != got => None,
        true => Some(Problem::NoLineEndings),
        false => Some(Problem::OtherLineEndings),
    }
}
