//! The device alone: 10,000 exposures from the client's wish to the final Ok, with a virtual clock.

#![allow(clippy::unwrap_used, missing_docs, reason = "a bench")]

use divan::Bencher;

#[path = "../tests/support/rehearsal.rs"]
mod rehearsal;

fn main() {
    divan::main();
}

#[divan::bench(sample_count = 10)]
fn ten_thousand_exposures(bencher: Bencher) {
    bencher.bench(|| {
        let mut rehearsal = rehearsal::Rehearsal::connected();
        for _ in 0..10_000 {
            rehearsal.act("exposed").unwrap();
            rehearsal.act("delivery ok").unwrap();
            rehearsal.act("ping").unwrap();
            assert!(rehearsal.take_heard().iter().any(|line| line.contains("CCD_EXPOSURE Ok")));
        }
    });
}
