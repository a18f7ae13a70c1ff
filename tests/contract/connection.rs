//! Opening and closing: as often as anybody likes.

use std::process::Command;
use std::sync::PoisonError;
use std::{env, fmt, fs};

use super::rig::{HARDWARE, now};
use super::*;

#[test]
fn settings_outlive_a_connection_and_connecting_twice_is_harmless() {
    for_every_camera(|rig| {
        works(rig.camera.set_binning(rig.can.binning));
        works(rig.camera.set_camera_roi(rig.part(8, 8, 32, 16)));
        rig.can.gain.map(|range| works(rig.camera.set_gain(range.max)));
        rig.can.offset.map(|range| works(rig.camera.set_offset(range.max)));
        let settings = rig.settings();
        for (what, disconnects, reconnects) in [
            ("connecting twice", 0, false),
            ("disconnecting and connecting", 1, false),
            ("disconnecting twice and connecting", 2, false),
            ("reconnecting", 0, true),
            ("disconnecting and reconnecting", 1, true),
        ] {
            for _ in 0..disconnects {
                works(rig.camera.disconnect());
            }
            let camera = rig.camera.as_mut();
            let can = works(if reconnects { camera.reconnect(&rig.id) } else { camera.connect(&rig.id) });
            is!(can, rig.can, "connect: abilities after {what}");
            is!(rig.settings(), settings, "connect: settings after {what}");
        }
    });
}

#[test]
fn the_same_camera_is_found_again_and_no_other_is_opened() {
    for_every_camera(|rig| {
        assert!(works(rig.camera.scanning()).contains(&rig.id), "scanning: not found while it is connected");
        works(rig.camera.disconnect());
        assert!(works(rig.camera.scanning()).contains(&rig.id), "scanning: not found while it is closed");
        let stranger = CameraId { name: "no such camera".to_owned(), ..rig.id.clone() };
        assert!(rig.camera.connect(&stranger).is_err(), "connect: opened a camera that is not there");
        // All that a call by name knows.
        let id = CameraId { model: rig.id.name.clone(), serial: None, bus: None, ..rig.id.clone() };
        is!(works(rig.camera.connect(&id)), rig.can, "connect: abilities, by the name alone");
    });
}

#[test]
fn disconnecting_ends_the_exposure_and_drops_its_frame() {
    for_every_camera(|rig| {
        let long = Duration::from_secs_f64(rig.can.exposure.max.min(60.0));
        for finished in [false, true] {
            if finished {
                works(rig.start(rig.shortest()));
                rig.wait();
            } else {
                works(rig.start_long(long));
            }
            works(rig.camera.reconnect(&rig.id));
            rig.is_at_rest("after disconnecting");
        }
        rig.frame(rig.shortest(), FrameType::Light);
    });
}

/// Set in a process that does nothing but count.
const ALONE: &str = "INDI_CAMERA_CONTRACT_ALONE";
/// Memory that all cycles together may cost: how much an allocator keeps is chance.
const SLACK: usize = 4 << 20;

/// What a process has and can leak.
#[derive(Clone, Copy)]
struct Holds {
    threads: usize,
    descriptors: usize,
    memory: usize,
}

impl Holds {
    fn now() -> Holds {
        let count = |folder: &str| fs::read_dir(folder).unwrap().count();
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let memory = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        let kilobytes: usize = memory.trim().trim_end_matches(" kB").parse().unwrap();
        Holds {
            threads: count("/proc/self/task"),
            descriptors: count("/proc/self/fd"),
            memory: kilobytes << 10,
        }
    }

    fn is_within(self, before: Holds) -> bool {
        self.threads <= before.threads
            && self.descriptors <= before.descriptors
            && self.memory <= before.memory + SLACK
    }
}

impl fmt::Display for Holds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Holds { threads, descriptors, memory } = self;
        write!(f, "{threads} threads, {descriptors} descriptors and {} KiB", memory >> 10)
    }
}

/// Opens the camera, begins an exposure, and closes it.
fn cycle(rig: &mut Rig, round: u32) {
    works(rig.camera.connect(&rig.id));
    works(rig.camera.set_camera_roi(rig.part(0, 0, 16, 16)));
    works(rig.start(rig.shortest()));
    if round.is_multiple_of(8) {
        rig.wait();
    }
    works(rig.camera.disconnect());
}

/// Other tests start threads and open files: this one runs in a process of its own.
#[test]
fn connecting_and_disconnecting_leaks_nothing() {
    if env::var_os(ALONE).is_none() {
        let _alone = HARDWARE.lock().unwrap_or_else(PoisonError::into_inner);
        let name = "connection::connecting_and_disconnecting_leaks_nothing";
        let mut process = Command::new(env::current_exe().unwrap());
        let output = process.args(["--exact", name, "--nocapture"]).env(ALONE, "1").output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && out.contains("1 passed"), "{out}{err}");
        return;
    }
    for_every_camera(|rig| {
        let cycles = rig.times(1000, 10);
        // What is made once for all is made now.
        for round in 0..cycles / 10 {
            cycle(rig, round);
        }
        let before = Holds::now();
        for round in 0..cycles {
            cycle(rig, round);
        }
        // What was told to end may take a moment.
        let limit = now() + Duration::from_secs(10);
        while !Holds::now().is_within(before) {
            let after = Holds::now();
            assert!(now() < limit, "disconnect: {cycles} connections leak: {before} before, {after} after");
            thread::park_timeout(Duration::from_millis(1));
        }
    });
}
