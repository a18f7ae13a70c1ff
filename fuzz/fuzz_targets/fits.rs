#![no_main]

#[path = "../../tests/support/untrusted/fits.rs"]
mod fits;

libfuzzer_sys::fuzz_target!(
    init: {
        // A panic of the library's that the driver catches is no find; one that leaves `check` still is.
        drop(std::panic::take_hook());
        std::panic::set_hook(Box::new(|_| {}));
    },
    |bytes: &[u8]| fits::check(bytes)
);
