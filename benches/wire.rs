//! Bytes to requests and messages to bytes.
#![allow(missing_docs, reason = "benchmarks")]

use std::time::{Duration, SystemTime};

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use indi_camera::wire::splitter::Splitter;
use indi_camera::wire::{BlobUpdate, Message, Payload, State, Update, Values, number, parse, write};

/// As indiserver re-prints a client's command.
const COMMAND: &str = "<newNumberVector device=\"Camera Simulator\" name=\"CCD_FRAME\">\n    <oneNumber name=\"X\">\n0\n    \
    </oneNumber>\n    <oneNumber name=\"Y\">\n0\n    </oneNumber>\n    <oneNumber name=\"WIDTH\">\n4656\n    </oneNumber>\n    \
    <oneNumber name=\"HEIGHT\">\n3520\n    </oneNumber>\n</newNumberVector>\n";

fn main() {
    divan::main();
}

#[divan::bench]
fn parse_a_command(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(1_usize)).bench(|| parse::request(black_box(COMMAND.as_bytes())));
}

/// 8 MiB of commands, or of one BLOB, in reads of the length that is the argument.
#[divan::bench(args = [8, 1 << 10, 64 << 10])]
fn split_commands(bencher: Bencher<'_, '_>, read: usize) {
    split(bencher, &COMMAND.repeat((8 << 20) / COMMAND.len()), read);
}

#[divan::bench(args = [8, 1 << 10, 64 << 10])]
fn split_long_elements(bencher: Bencher<'_, '_>, read: usize) {
    let long = format!("<newTextVector name='{}'/>", "x".repeat((1 << 20) - 100));
    split(bencher, &long.repeat(8), read);
}

#[divan::bench(args = [8, 1 << 10, 64 << 10])]
fn split_a_blob(bencher: Bencher<'_, '_>, read: usize) {
    let body = "QUJD".repeat(2 << 20);
    split(bencher, &format!("<newBLOBVector><oneBLOB>{body}</oneBLOB></newBLOBVector>"), read);
}

fn split(bencher: Bencher<'_, '_>, input: &str, read: usize) {
    bencher.counter(BytesCount::of_str(input)).bench_local(|| {
        let mut splitter = Splitter::new();
        let mut elements = 0;
        for piece in input.as_bytes().chunks(read) {
            splitter.space()[..piece.len()].copy_from_slice(piece);
            splitter.filled(piece.len());
            while let Some(element) = splitter.next_element() {
                elements += usize::from(element.is_ok());
            }
        }
        elements
    });
}

#[divan::bench]
fn write_an_update(bencher: Bencher<'_, '_>) {
    let message = Message::Set(Update {
        device: "Camera Simulator".into(),
        name: "CCD_EXPOSURE".into(),
        state: State::Busy,
        timeout: 60.0,
        at: SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_327_650),
        values: Values::Number(vec![("CCD_EXPOSURE_VALUE".into(), 2.804_208_993_911_743, None)]),
    });
    let mut out = Vec::new();
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| {
        out.clear();
        write::message(black_box(&message), &mut out);
    });
}

#[divan::bench]
fn write_an_inline_blob(bencher: Bencher<'_, '_>) {
    let message = Message::SetBlob(BlobUpdate {
        device: "Camera Simulator".into(),
        name: "CCD1".into(),
        element: "CCD1".into(),
        state: State::Ok,
        timeout: 60.0,
        at: SystemTime::UNIX_EPOCH,
        format: ".fits".into(),
        payload: Payload::Inline(vec![7; 8 << 20].into()),
    });
    let mut out = Vec::new();
    bencher.counter(BytesCount::new(8_usize << 20)).bench_local(|| {
        out.clear();
        write::message(black_box(&message), &mut out);
    });
}

#[divan::bench(args = ["3600", "-123:45:06.78"])]
fn parse_a_number(bencher: Bencher<'_, '_>, text: &str) {
    bencher.counter(ItemsCount::new(1_usize)).bench(|| number::parse(black_box(text)));
}
