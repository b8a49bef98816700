//! A secret that is left in memory, and the search for it.

use std::hint::black_box;
use std::mem;

/// The secret is only ever in a memory where it was planted: whoever looks for it knows it under this mask.
const MASK: u64 = 0x5a5a_a5a5_3c3c_c3c3;
const PIECE_BYTES: usize = 64 << 10;
/// Bytes that it is planted in: more than any instance begins with.
const PLANTED_BYTES: usize = 4 << 20;
/// The stack of a guest has room for eight times as much.
const STACK_WORDS: usize = 1024;

/// Leaves a secret on the heap, which grows by that, and on the stack, and tells how often it is there.
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

/// How many words of all its memory, wherever in it, are the secret.
pub fn find(seed: u64) -> usize {
    let masked = masked(seed);
    let is_it = |at: &usize| {
        // SAFETY: every address below the size of the memory is there, and a word is read as it lies there.
        // Nobody writes to it meanwhile.
        let word = unsafe { (*at as *const u64).read_volatile() };
        word ^ MASK == masked
    };
    (8..memory_bytes()).step_by(8).filter(is_it).count()
}

/// Mixed as SplitMix64 mixes, so that no two seeds have words in common with each other or with anything else.
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

/// Natively there is no memory that is all a program's own.
#[cfg(not(target_family = "wasm"))]
fn memory_bytes() -> usize {
    0
}
