#![no_main]

#[path = "../../tests/support/untrusted/alpaca.rs"]
mod alpaca;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| alpaca::check(bytes));
