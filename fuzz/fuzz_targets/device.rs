#![no_main]

#[path = "../../tests/support/untrusted/device.rs"]
mod device;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| device::check(bytes));
