#![no_main]

#[path = "../../tests/support/untrusted/splitter.rs"]
mod splitter;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| splitter::check(bytes));
