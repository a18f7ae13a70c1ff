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
        World::play(kind, &[&CONNECT[..], &steps].concat());
    }
}

/// Without this one, a world in which nothing ever happens would make all others pass.
#[test]
fn a_willing_world_gives_every_frame_that_is_asked_for() {
    let mut world = World::new(0);
    world.act(Act::Willing(true));
    for line in [0, 20, 1, 4, 5] {
        world.act(Act::Write(line));
        world.act(Act::Pass(11_000));
    }
    assert_eq!((world.listener.frames, world.listener.ended_well, world.listener.ended), (3, 3, 3));
    world.end();
}

/// A step that writes this.
fn write(line: &str) -> Step {
    let at = world::steps::WRITES.iter().position(|known| *known == line).unwrap();
    Step(0, u8::try_from(at).unwrap())
}

/// A step that calls this without arguments, or for a target of -5 °C.
fn call(name: &str) -> Step {
    let at = world::steps::CALLS.iter().position(|(known, _)| *known == name).unwrap();
    Step(15, u8::try_from(at).unwrap())
}

const CONNECT: [Step; 3] = [Step(14, 0), Step(0, 0), Step(14, 255)];
const ANSWER: Step = Step(6, 0);
const HANGS: Step = Step(20, 0);
const LOST: Step = Step(4, 206);
const PULSE: &str = "Number TELESCOPE_TIMED_GUIDE_NS TIMED_GUIDE_N=1000";

#[test]
fn a_cooler_that_was_warming_up_is_not_busy_when_its_camera_is_lost() {
    let cool = write("Number CCD_TEMPERATURE CCD_TEMPERATURE_VALUE=-10");
    let slowly = write("Number CCD_TEMP_RAMP RAMP_SLOPE=6");
    let off = write("Switch CCD_COOLER COOLER_OFF=On");
    World::play(6, &[&CONNECT[..], &[cool, Step(13, 2), slowly, Step(14, 0), off, Step(14, 255)]].concat());
}

#[test]
fn a_target_that_nobody_has_answered_is_not_awaited_from_a_camera_that_is_lost() {
    let steps = [call("pulse_guide"), call("cooling_to"), write(PULSE), ANSWER, LOST, ANSWER];
    World::play(0, &[&CONNECT[..], &steps].concat());
}

#[test]
fn a_camera_that_agrees_when_it_is_lost_already_is_asked_again_when_it_is_back() {
    let steps = [call("cooling_to"), call("cooling_to"), write(PULSE), ANSWER, LOST, ANSWER];
    World::play(0, &[&CONNECT[..], &steps].concat());
}

#[test]
fn a_camera_that_is_given_up_while_it_is_being_connected_again_is_not_awaited() {
    let silence = Step(13, 7);
    let connected = [call("connect"), ANSWER, ANSWER, ANSWER, ANSWER, ANSWER];
    let hung = [silence, ANSWER, ANSWER, ANSWER, call("reconnect")];
    World::play(20, &[&connected[..], &hung].concat());
}

#[test]
fn a_frame_of_a_disk_that_hangs_is_not_awaited_for_ever() {
    let (again, drop) = (write("Text CCD_SPOOL_RESEND ID=known"), write("Text CCD_SPOOL_DROP ID=known"));
    World::play(0, &[&CONNECT[..], &[again, HANGS, drop]].concat());
}

#[test]
fn a_frame_that_is_read_again_too_late_is_not_sent() {
    let again = write("Text CCD_SPOOL_RESEND ID=known");
    let a_minute = Step(13, 7);
    World::play(0, &[&CONNECT[..], &[again, HANGS, Step(14, 0), a_minute, Step(16, 0)]].concat());
}
