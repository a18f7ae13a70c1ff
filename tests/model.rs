//! The device against a world that does whatever it likes, in any order: what holds in every scene.
//!
//! * Every exposure ends in exactly one of Ok, Alert and Idle, and there is at most one frame of it, none after it was
//!   aborted or replaced.
//! * Nothing is told before it is defined, nothing defined twice, nothing deleted twice.
//! * Who only listens knows what who asks is told.
//! * The device never asks a camera before it has answered, and never wants to be woken for ever.
//! * When time passes, everything that is Busy ends, with the camera's help and without.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a failed step is a failed test")]

#[path = "support/world.rs"]
mod world;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use world::steps::{Act, KINDS};
use world::{Step, World};

fn step() -> impl Strategy<Value = Step> {
    (0..KINDS, any::<u8>()).prop_map(|(what, how)| Step(what, how))
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("proptest-regressions/model.txt"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_device_keeps_its_word_in_any_world(kind: u8, steps in vec(step(), 1..120)) {
        World::play(kind, &steps);
    }

    #[test]
    fn a_connected_device_keeps_its_word_in_any_world(kind: u8, steps in vec(step(), 1..120)) {
        let connected = [Step(14, 0), Step(0, 0), Step(14, 255)];
        World::play(kind, &[&connected[..], &steps].concat());
    }
}

/// Without this one, a world in which nothing ever happens would make all others pass.
#[test]
fn a_willing_world_gives_every_frame_that_is_asked_for() {
    let mut world = World::new(0);
    world.act(Act::Willing(true));
    for line in [0, 20, 1, 4, 1] {
        world.act(Act::Write(line));
    }
    assert_eq!((world.listener.frames, world.listener.ended_well, world.listener.ended), (3, 3, 3));
    world.end();
}
