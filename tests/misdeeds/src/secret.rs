//! A secret that is left in memory, and the search for it.

use std::hint::black_box;
use std::mem;

/// The secret itself is only in memory where it was planted: the search knows it under this mask.
const MASK: u64 = 0x5a5a_a5a5_3c3c_c3c3;
const PIECE_BYTES: usize = 64 << 10;
/// Size of the planted area: more than any instance starts with.
const PLANTED_BYTES: usize = 4 << 20;
/// A guest's stack has room for eight times as much.
const STACK_WORDS: usize = 1024;

/// Leaves a secret on the heap, which grows by that, and on the stack. Returns the number of
/// copies.
pub fn plant(seed: u64) -> usize {
    let masked = masked(seed);
    for _ in 0..PLANTED_BYTES / PIECE_BYTES {
        mem::forget(black_box(vec![masked ^ MASK; PIECE_BYTES / 8]));
    }
    plant_on_stack(masked);
    find(seed)
}

#[inline(never)]
fn plant_on_stack(masked: u64) {
    black_box(&[masked ^ MASK; STACK_WORDS]);
}

/// Number of words in all its memory that are the secret.
pub fn find(seed: u64) -> usize {
    let masked = masked(seed);
    let is_it = |at: &usize| {
        // SAFETY: every address below the size of the memory is valid, and a word is read
        // unaligned. Nobody writes to it in the meantime.
        let word = unsafe { (*at as *const u64).read_volatile() };
        word ^ MASK == masked
    };
    (8..memory_bytes()).step_by(8).filter(is_it).count()
}

/// The mixing function of SplitMix64, so that no two seeds share words with each other or with
/// other data.
fn masked(seed: u64) -> u64 {
    let mut word = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(target_family = "wasm")]
fn memory_bytes() -> usize {
    core::arch::wasm32::memory_size(0) << 16
}

/// A native program has no memory that is entirely its own.
#[cfg(not(target_family = "wasm"))]
fn memory_bytes() -> usize {
    0
}
