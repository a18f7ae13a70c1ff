//! What the simulator promises beyond the contract.

use indi_camera::backend::simulator::Simulator;

use super::*;

fn sensor(elements: &[(&str, f64)]) -> Value {
    Value::Record(elements.iter().map(|(name, value)| ((*name).to_owned(), number(*value))).collect())
}

fn connected(settings: &[(&str, Value)]) -> Rig {
    let mut camera = Box::new(Simulator::new());
    for (name, value) in settings {
        camera.set_parameter(name, value.clone()).unwrap();
    }
    let id = camera.scanning().unwrap().remove(0);
    let can = camera.connect(&id).unwrap();
    Rig { camera, id, can, hardware: false }
}

#[test]
fn one_camera_is_found_by_its_name() {
    let found = Simulator::new().scanning().unwrap();
    assert_eq!(found.iter().map(|id| id.name.as_str()).collect::<Vec<_>>(), ["Camera Simulator"]);
}

#[test]
fn a_connected_sensor_stays_what_it_is() {
    let mut rig = connected(&[]);
    let smaller = sensor(&[("WIDTH", 640.0)]);
    fails(rig.camera.set_parameter("SIMULATOR_SENSOR", smaller.clone()), ErrorKind::Busy);
    fails(rig.camera.set_parameter("SIMULATOR_CFA", text("RGGB")), ErrorKind::Busy);
    assert_eq!(rig.camera.get_parameter("SIMULATOR_CFA").unwrap(), text("MONO"));
    rig.camera.set_parameter("SIMULATOR_SCENE", text("SCENE_TEST_PATTERN")).unwrap();

    rig.camera.set_camera_roi(Roi { x: 600, y: 0, width: 100, height: 100 }).unwrap();
    rig.camera.disconnect().unwrap();
    rig.camera.set_parameter("SIMULATOR_SENSOR", smaller).unwrap();
    rig.camera.set_parameter("SIMULATOR_CFA", text("RGGB")).unwrap();
    rig.can = rig.camera.connect(&rig.id).unwrap();
    assert_eq!((rig.can.sensor.width, rig.can.sensor.height), (640, 1024));
    assert_eq!(rig.can.sensor.bayer.as_ref().unwrap().pattern, "RGGB");
    // The old window would lie outside.
    assert_eq!(rig.camera.get_camera_roi().unwrap(), rig.full());
}

#[test]
fn the_first_frames_of_two_connections_are_the_same() {
    let small = sensor(&[("WIDTH", 120.0), ("HEIGHT", 90.0), ("SEED", 3.0)]);
    let mut rig = connected(&[("SIMULATOR_SENSOR", small.clone())]);
    let first = rig.frame(SHORT, FrameType::Light).pixels;
    assert_ne!(rig.frame(SHORT, FrameType::Light).pixels, first);
    rig.camera.reconnect(&rig.id).unwrap();
    assert_eq!(rig.frame(SHORT, FrameType::Light).pixels, first);
    assert_eq!(connected(&[("SIMULATOR_SENSOR", small)]).frame(SHORT, FrameType::Light).pixels, first);
}

#[test]
fn the_scene_changes_with_the_next_exposure() {
    let mut rig = connected(&[]);
    let level = |rig: &mut Rig| mean(&rig.frame(SHORT, FrameType::Flat).pixels);
    let sky = level(&mut rig);
    rig.start(SHORT).unwrap();
    rig.camera.set_parameter("SIMULATOR_SCENE", text("SCENE_TEST_PATTERN")).unwrap();
    rig.wait();
    let running = rig.camera.get_exposure_result().unwrap();
    let pattern = level(&mut rig);
    assert!(sky > 500.0, "{sky}");
    // Offset 100 and six bits of noise; the frame that was running shows the sky's own level.
    assert!((131.0..132.0).contains(&pattern), "{pattern}");
    assert!(mean(&running.pixels) < 110.0);
    rig.camera.set_offset(500).unwrap();
    assert!((531.0..532.0).contains(&level(&mut rig)));
}

#[test]
fn a_sensor_of_150_megapixels_is_possible_and_fast_to_window() {
    let huge = sensor(&[("WIDTH", 14_304.0), ("HEIGHT", 10_748.0)]);
    let mut rig = connected(&[("SIMULATOR_SENSOR", huge)]);
    let corner = Roi { x: 14_304 - 64, y: 10_748 - 48, width: 64, height: 48 };
    rig.camera.set_camera_roi(corner).unwrap();
    assert_eq!(rig.frame(SHORT, FrameType::Light).pixels.shape(), (1, 48, 64));
}

#[test]
fn a_window_smaller_than_a_binned_pixel_is_refused() {
    let mut rig = connected(&[]);
    rig.camera.set_camera_roi(Roi { x: 0, y: 0, width: 100, height: 1 }).unwrap();
    rig.camera.set_binning(Binning { x: 1, y: 2 }).unwrap();
    fails(rig.start(SHORT), ErrorKind::OutOfRange);
    assert_eq!(rig.camera.get_exposure_status().unwrap(), ExposureStatus::Idle);
}

#[test]
fn a_guide_pulse_moves_the_stars() {
    let mut rig = connected(&[("SIMULATOR_SENSOR", sensor(&[("WIDTH", 200.0), ("HEIGHT", 200.0)]))]);
    let before = rig.frame(SHORT, FrameType::Light).pixels;
    rig.camera.reconnect(&rig.id).unwrap();
    assert_eq!(rig.frame(SHORT, FrameType::Light).pixels, before);
    rig.camera.reconnect(&rig.id).unwrap();
    let pulse = vec![("direction".to_owned(), text("w")), ("ms".to_owned(), number(60_000.0))];
    rig.camera.call("pulse_guide", &pulse).unwrap();
    thread::park_timeout(Duration::from_millis(300));
    assert_ne!(rig.frame(SHORT, FrameType::Light).pixels, before);
}
