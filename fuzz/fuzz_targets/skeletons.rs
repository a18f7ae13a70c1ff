#![no_main]

#[path = "../../tests/support/untrusted/skeletons.rs"]
mod skeletons;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| skeletons::check(bytes));
