#![no_main]

#[path = "../../tests/support/untrusted/recording.rs"]
mod recording;

libfuzzer_sys::fuzz_target!(
    init: {
        // A device that panics while it is run again is a part of the report.
        drop(std::panic::take_hook());
        std::panic::set_hook(Box::new(|_| {}));
    },
    |bytes: &[u8]| recording::check(bytes)
);
