//! What strangers can send, in small: the properties of the fuzz targets on their seeds, and on seeds that have been
//! damaged. `fuzz/run.sh` looks for more, for as long as anybody has time.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a failed step is a failed test")]
#![allow(unreachable_pub, reason = "the modules are those of the fuzz targets")]

#[cfg(feature = "alpaca")]
#[path = "support/untrusted/alpaca.rs"]
mod alpaca;
#[path = "support/untrusted/camera_call.rs"]
mod camera_call;
#[path = "support/untrusted/config.rs"]
mod config;
#[path = "support/untrusted/device.rs"]
mod device;
#[path = "support/untrusted/fits.rs"]
mod fits;
#[path = "support/untrusted/journal.rs"]
mod journal;
#[path = "support/untrusted/numbers.rs"]
mod numbers;
#[path = "support/untrusted/parser.rs"]
mod parser;
#[path = "support/untrusted/recording.rs"]
mod recording;
#[path = "support/untrusted/skeletons.rs"]
mod skeletons;
#[path = "support/untrusted/splitter.rs"]
mod splitter;

use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestRunner;

/// One thing that is done to a seed.
#[derive(Clone, Debug)]
enum Damage {
    Put(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Cut(Index),
    Repeat(Index, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let words: Vec<Vec<u8>> = ["<", ">", "&", "'", "\"", "\0", "/>", "]]>", "-1", "1e999", "\r\n", "{", "é"]
        .map(|word| word.as_bytes().to_vec())
        .into();
    prop_oneof![
        3 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Put(at, byte)),
        2 => (any::<Index>(), select(words)).prop_map(|(at, word)| Damage::Insert(at, word)),
        2 => (any::<Index>(), 1..20_usize).prop_map(|(at, count)| Damage::Remove(at, count)),
        1 => any::<Index>().prop_map(Damage::Cut),
        1 => (any::<Index>(), 1..60_usize).prop_map(|(at, count)| Damage::Repeat(at, count)),
    ]
}

fn damaged(seed: &[u8], damages: &[Damage]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for damage in damages {
        let length = bytes.len();
        if length == 0 {
            break;
        }
        match damage {
            Damage::Put(at, byte) => bytes[at.index(length)] = *byte,
            Damage::Insert(at, word) => {
                let at = at.index(length);
                bytes.splice(at..at, word.iter().copied());
            }
            Damage::Remove(at, count) => {
                let at = at.index(length);
                bytes.drain(at..length.min(at + count));
            }
            Damage::Cut(at) => bytes.truncate(at.index(length)),
            Damage::Repeat(at, count) => {
                let at = at.index(length);
                let piece = bytes[at..length.min(at + count)].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

/// Every seed of a target as it is, and so many damaged ones.
#[track_caller]
fn endure(target: &str, cases: u32, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut seeds: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    seeds.sort();
    let seeds: Vec<Vec<u8>> = seeds.iter().map(|path| fs::read(path).unwrap()).collect();
    assert!(seeds.len() >= 3, "the seeds of {target} are gone");
    seeds.iter().for_each(|seed| check(seed));
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let scenes = (select(seeds), vec(damage(), 1..6));
    let run = TestRunner::new(config).run(&scenes, |(seed, damages)| {
        check(&damaged(&seed, &damages));
        Ok(())
    });
    run.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn a_stream_is_cut_alike_however_it_arrives() {
    endure("splitter", 300, splitter::check);
}

#[test]
fn any_element_is_understood_or_refused() {
    endure("parser", 1000, parser::check);
}

#[test]
fn any_number_and_any_format_is_taken_or_refused() {
    endure("numbers", 1000, numbers::check);
}

#[test]
fn any_skeleton_file_is_taken_or_refused() {
    endure("skeletons", 200, skeletons::check);
}

#[test]
fn a_device_can_be_made_from_any_configuration() {
    endure("config", 60, config::check);
}

#[test]
fn any_journal_of_a_spool_is_read_as_far_as_it_is_whole() {
    endure("journal", 1000, journal::check);
}

#[test]
fn any_call_is_understood_or_refused() {
    endure("camera_call", 1000, camera_call::check);
}

#[test]
fn any_picture_is_read_or_refused() {
    endure("fits", 400, fits::check);
}

#[cfg(feature = "alpaca")]
#[test]
fn any_answer_of_a_server_is_understood_or_refused() {
    endure("alpaca", 600, alpaca::check);
}

#[test]
fn a_device_survives_any_requests_and_events() {
    endure("device", 40, device::check);
}

#[test]
fn any_recording_is_run_again_or_refused() {
    endure("recording", 60, recording::check);
}

/// Most cameras' own compressed files have a column of tiles; CFITSIO takes the lengths of one that is missing from
/// memory that nobody has set.
#[test]
fn a_compressed_picture_without_a_column_of_tiles_is_refused_before_cfitsio_sees_it() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/fits");
    let compressed = fs::read(seeds.join("05")).unwrap();
    let look = indi_camera::backend::replay::untrusted::image_unit;
    assert_eq!(look(&compressed), Ok(1));
    for (name, other, keyword) in
        [("'COMPRESSED_DATA'", "'IMPRESSIVE_DATA'", "TTYPE1"), ("'1PB(", "'1PJ(", "TFORM1")]
    {
        let at = compressed.windows(name.len()).position(|window| window == name.as_bytes()).unwrap();
        let mut without = compressed.clone();
        without[at..at + name.len()].copy_from_slice(other.as_bytes());
        assert_eq!(look(&without), Err(format!("has a header that makes no sense: see {keyword}")));
    }
}
