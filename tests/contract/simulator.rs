//! What the simulator promises beyond the contract.

use indi_camera::backend::simulator::Simulator;

use super::*;

fn sensor(elements: &[(&str, f64)]) -> Value {
    Value::Record(elements.iter().map(|(name, value)| ((*name).to_owned(), number(*value))).collect())
}

/// A sensor that is sold, as its maker describes it.
pub(super) struct Model {
    pub(super) name: &'static str,
    size: (u32, u32),
    pixel_size: f64,
    adc_bits: u8,
    colour: bool,
    cooled: bool,
    shutter: bool,
    gain: bool,
}

const fn cmos(name: &'static str, size: (u32, u32), adc_bits: u8, colour: bool) -> Model {
    Model { name, size, pixel_size: 3.76, adc_bits, colour, cooled: true, shutter: false, gain: true }
}

pub(super) const MODELS: [Model; 9] = [
    cmos("IMX571M", (6248, 4176), 16, false),
    cmos("IMX571C", (6248, 4176), 16, true),
    cmos("IMX455M", (9576, 6388), 16, false),
    cmos("IMX455C", (9576, 6388), 16, true),
    cmos("IMX533M", (3008, 3008), 14, false),
    cmos("IMX533C", (3008, 3008), 14, true),
    Model { pixel_size: 4.63, ..cmos("IMX294C", (4144, 2822), 14, true) },
    Model { pixel_size: 2.9, cooled: false, ..cmos("IMX462C", (1936, 1096), 12, true) },
    Model { pixel_size: 5.4, shutter: true, gain: false, ..cmos("KAF8300M", (3326, 2504), 16, false) },
];

pub(super) fn connected(settings: &[(&str, Value)]) -> Rig {
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

#[test]
fn every_model_is_what_its_maker_says_and_gives_frames() {
    for model in MODELS {
        let mut rig = connected(&[("SIMULATOR_MODEL", text(model.name))]);
        let name = model.name;
        let can = rig.can.clone();
        let size = (can.sensor.width, can.sensor.height);
        assert_eq!((size, can.sensor.bits, can.sensor.adc_bits), (model.size, 16, model.adc_bits), "{name}");
        assert!((can.sensor.pixel_x - model.pixel_size).abs() < 1e-9, "{name}");
        let pattern = can.sensor.bayer.map(|bayer| bayer.pattern);
        assert_eq!(pattern.as_deref(), model.colour.then_some("RGGB"), "{name}");
        assert_eq!((can.cooler.is_some(), can.cooler_power), (model.cooled, model.cooled), "{name}");
        assert_eq!((can.thermometer, can.shutter), (true, model.shutter), "{name}");
        assert_eq!((can.gain.is_some(), can.offset.is_some()), (model.gain, model.gain), "{name}");
        let roi = Roi { x: model.size.0 - 65, y: model.size.1 - 49, width: 65, height: 49 };
        rig.camera.set_camera_roi(roi).unwrap();
        for binning in [Binning::NONE, Binning { x: 2, y: 3 }] {
            rig.camera.set_binning(binning).unwrap();
            for frame_type in [FrameType::Bias, FrameType::Dark, FrameType::Flat] {
                let Frame { pixels, info } = rig.frame(SHORT, frame_type);
                let (columns, rows) = roi.binned(binning);
                assert_eq!(pixels.shape(), (1, rows as usize, columns as usize), "{name}");
                assert_eq!((info.gain.is_some(), info.offset.is_some()), (model.gain, model.gain), "{name}");
                let Pixels::U16(values) = pixels else { panic!("{name}: {} bits", pixels.bits()) };
                assert!(values.iter().any(|value| *value != values[[0, 0, 0]]), "{name}: no noise");
            }
        }
    }
}

#[test]
fn another_model_has_settings_of_its_own() {
    let mut rig = connected(&[]);
    rig.camera.set_gain(7).unwrap();
    rig.camera.set_camera_roi(Roi { x: 0, y: 0, width: 100, height: 100 }).unwrap();
    fails(rig.camera.set_parameter("SIMULATOR_MODEL", text("IMX533M")), ErrorKind::Busy);
    rig.camera.disconnect().unwrap();
    rig.camera.set_parameter("SIMULATOR_MODEL", text("IMX533M")).unwrap();
    rig.can = rig.camera.connect(&rig.id).unwrap();
    assert_eq!(rig.camera.get_camera_roi().unwrap(), rig.full());
    // Where the conversion gain steps.
    assert_eq!(rig.camera.get_gain().unwrap(), 100);
    // Its numbers are kept for when it is chosen again.
    let Value::Record(numbers) = rig.camera.get_parameter("SIMULATOR_SENSOR").unwrap() else {
        panic!("no record");
    };
    assert!(numbers.contains(&("WIDTH".to_owned(), number(1280))));
}

#[test]
fn a_cooler_can_misbehave() {
    let behave = |rig: &mut Rig, how| rig.camera.set_parameter("SIMULATOR_COOLER", text(how)).map(drop);
    let mut rig = connected(&[]);
    rig.camera.cooling_to(-10.0).unwrap();
    behave(&mut rig, "COOLER_WEAK").unwrap();
    assert!((rig.camera.get_cooling_power().unwrap() - 100.0).abs() < 1e-9);
    behave(&mut rig, "COOLER_BLIND").unwrap();
    fails(rig.camera.get_current_temperature(), ErrorKind::Hardware);
    fails(rig.camera.polling(), ErrorKind::Hardware);
    assert!(rig.camera.get_cooling_status().unwrap().on);
    rig.camera.set_camera_roi(Roi { x: 0, y: 0, width: 16, height: 16 }).unwrap();
    // Nobody knows it, but the sensor has a temperature and takes pictures.
    assert_eq!(rig.frame(SHORT, FrameType::Dark).info.temperature, None);
    behave(&mut rig, "COOLER_STEADY").unwrap();
    assert!(rig.camera.get_current_temperature().unwrap() <= 20.0);
    assert!(rig.frame(SHORT, FrameType::Dark).info.temperature.is_some());
}

#[test]
fn the_air_gives_an_idle_sensor_its_temperature_and_the_cooler_its_range() {
    let air = |degrees| ("SIMULATOR_SURROUNDINGS", sensor(&[("AMBIENT", degrees)]));
    let mut rig = connected(&[air(5.0)]);
    assert!((rig.camera.get_current_temperature().unwrap() - 5.0).abs() < 1e-9);
    let range = rig.can.cooler.unwrap();
    assert_eq!((range.min, range.max), (-35.0, 5.0));
    // What was said when the camera was connected still holds when the night gets colder.
    let (name, colder) = air(-5.0);
    rig.camera.set_parameter(name, colder).unwrap();
    rig.camera.cooling_to(5.0).unwrap();
}
