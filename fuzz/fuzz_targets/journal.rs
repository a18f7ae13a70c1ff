#![no_main]

#[path = "../../tests/support/untrusted/journal.rs"]
mod journal;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| journal::check(bytes));
