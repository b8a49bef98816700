#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| echo_host::fuzzing::screening(input));
