//! Whatever happens in whatever order, each camera has a device of its own, and nothing stays under way.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Two share a serial number, one of another make has it as well, one has none, and two are like no other.
const CAMERAS: [(&str, Option<&str>); 6] = [
    ("Cam", Some("S")),
    ("Cam", Some("S")),
    ("Eye", Some("S")),
    ("Cam", None),
    ("Cam", Some("T")),
    ("Eye", Some("U")),
];
const PORTS: usize = 7;

#[derive(Clone, Debug)]
enum Happening {
    /// A camera is plugged in somewhere, if there is nothing yet.
    PlugIn {
        camera: usize,
        port: usize,
    },
    PullOut {
        port: usize,
    },
    /// The kernel has noticed.
    Noticed,
    /// A search ends: with what is there, or badly.
    Ends {
        well: bool,
    },
    Scan,
    Call {
        connect: bool,
    },
    /// The camera that was to be connected is.
    Connected,
    /// From now on devices can be made, or cannot.
    Makes {
        devices: bool,
    },
    /// A client wants the cameras of some devices, from now on.
    Wants {
        devices: u8,
    },
    Passes {
        seconds: u64,
    },
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => (0..CAMERAS.len(), 0..PORTS).prop_map(|(camera, port)| Happening::PlugIn { camera, port }),
        2 => (0..PORTS).prop_map(|port| Happening::PullOut { port }),
        3 => Just(Happening::Noticed),
        8 => prop_oneof![6 => Just(true), 1 => Just(false)].prop_map(|well| Happening::Ends { well }),
        1 => Just(Happening::Scan),
        1 => any::<bool>().prop_map(|connect| Happening::Call { connect }),
        1 => Just(Happening::Connected),
        1 => prop_oneof![3 => Just(true), 1 => Just(false)].prop_map(|devices| Happening::Makes { devices }),
        1 => any::<u8>().prop_map(|devices| Happening::Wants { devices }),
        4 => (0..45u64).prop_map(|seconds| Happening::Passes { seconds }),
    ]
}

/// The hub, the driver around it and the cameras before it.
struct World {
    stage: Rehearsal,
    /// Which camera is plugged in where.
    ports: [Option<usize>; PORTS],
    searching: bool,
    /// The camera of each device, as it is to be opened.
    devices: BTreeMap<usize, CameraId>,
    wanted: u8,
    /// No device can be made.
    broken: bool,
    /// Calls that have not been answered.
    calls: usize,
}

impl World {
    fn new() -> World {
        let mut stage = Rehearsal::new(&[("v4l2", None)], Vec::new());
        stage.greet();
        let devices = BTreeMap::new();
        let ports = [None; PORTS];
        let mut world = World { stage, ports, searching: false, devices, wanted: 0, broken: false, calls: 0 };
        world.obey(&[]);
        world
    }

    /// What a search finds.
    fn there(&self) -> Vec<CameraId> {
        let cameras = self.ports.iter().enumerate().filter_map(|(port, camera)| {
            let (name, serial) = CAMERAS[(*camera)?];
            let (name, serial) = (name.to_owned(), serial.map(str::to_owned));
            Some(CameraId { model: name.clone(), name, serial, bus: Some(format!("usb-{port}")) })
        });
        cameras.collect()
    }

    fn happen(&mut self, happening: &Happening) {
        match *happening {
            Happening::PlugIn { camera, port } => {
                if self.ports[port].is_none() && !self.ports.contains(&Some(camera)) {
                    self.ports[port] = Some(camera);
                }
            }
            Happening::PullOut { port } => self.ports[port] = None,
            Happening::Noticed => self.stage.handle(Input::Plugged { family: 0 }),
            Happening::Ends { well } if self.searching => return self.end_search(well),
            Happening::Ends { .. } => {}
            Happening::Scan => self.stage.write("CAMERA_SCAN", Kind::Switch, "SCAN", "On"),
            Happening::Call { connect } => {
                self.calls += 1;
                let name = if connect { "connect" } else { "scanning" };
                call(&mut self.stage, name, r#"{"device_name": "Cam S"}"#);
            }
            Happening::Connected => {
                self.stage.handle(Input::Connected { name: "Cam S".to_owned(), result: Ok(()) });
            }
            Happening::Makes { devices } => self.broken = !devices,
            Happening::Wants { devices } => self.wanted = devices,
            Happening::Passes { seconds } => self.pass(seconds),
        }
        self.obey(&[]);
    }

    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.stage.pass(Duration::from_secs(1));
            self.obey(&[]);
        }
    }

    fn end_search(&mut self, well: bool) {
        self.searching = false;
        if !well {
            let refused = CameraError::new(ErrorKind::Io, "scanning", "nobody answers");
            self.stage.handle(Input::Found { family: 0, cameras: Err(refused) });
            return self.obey(&[]);
        }
        let there = self.there();
        self.stage.found(0, &there);
        self.obey(&there);
        for camera in &there {
            let devices = self.devices.values().filter(|served| *served == camera).count();
            let right = devices == 1 || (self.broken && devices == 0);
            assert!(right, "{camera:?} is served {devices} times: {:?}", self.devices);
        }
    }

    /// Does what the hub wants, as the driver does. A device whose camera is `there` keeps it.
    fn obey(&mut self, there: &[CameraId]) {
        while let Some(order) = self.stage.hub.poll_order() {
            match order {
                Order::Search { .. } => self.searching = true,
                Order::Serve { ordinal, .. } if self.broken => {
                    self.stage.handle(Input::Unserved { ordinal, why: "no threads".to_owned() });
                }
                Order::Serve { ordinal, camera, .. } => {
                    assert!(self.devices.insert(ordinal, camera).is_none(), "{ordinal} was used before");
                }
                Order::Revive { ordinal, camera } => {
                    let before = self.devices.insert(ordinal, camera.clone());
                    let before = before.expect("only a device that is there is revived");
                    assert!(before == camera || !there.contains(&before), "{before:?} was exchanged");
                    assert!(before.name == camera.name && before.serial == camera.serial);
                }
                Order::Retire { ordinal } => {
                    let camera = &self.devices[&ordinal];
                    assert!(!there.contains(camera), "{camera:?} is there");
                    let name = super::super::device_name(camera);
                    let input = if self.wanted & (1 << (ordinal % 8)) != 0 {
                        Input::Wanted { ordinal }
                    } else {
                        self.devices.remove(&ordinal);
                        Input::Retired { ordinal, name }
                    };
                    self.stage.handle(input);
                }
                Order::Connect { .. } | Order::Save(_) => {}
            }
        }
        self.calls -= self.stage.said().matches("name=\"CAMERA_REPLY\"").count();
    }

    /// Whether nothing that a client waits for is under way.
    fn rests(&self) -> bool {
        let store = &self.stage.hub.store;
        let states =
            [store.state(&keys::CAMERAS), store.state(&keys::CAMERA_SCAN), store.state(&keys::CAMERA_CALL)];
        self.calls == 0 && !states.contains(&State::Busy)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_camera_has_one_device_and_all_that_clients_wait_for_ends(
        happenings in vec(happening(), 1..60),
        searches_end in any::<bool>(),
    ) {
        let mut world = World::new();
        for happening in &happenings {
            world.happen(happening);
        }
        // Nothing happens any more, and there is an end to everything, also if no search ends.
        let limit = (0..20 * 130).find(|_| {
            if searches_end && world.searching {
                world.end_search(true);
            }
            world.pass(1);
            world.rests()
        });
        prop_assert!(limit.is_some(), "something is under way for ever");
    }
}
