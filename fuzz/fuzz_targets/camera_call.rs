#![no_main]

#[path = "../../tests/support/untrusted/camera_call.rs"]
mod camera_call;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| camera_call::check(bytes));
