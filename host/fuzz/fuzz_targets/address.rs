#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| address::fuzzing::address(input));
