//! A backend's own settings are what its skeleton file says: names, defaults and limits.

use std::collections::{BTreeMap, BTreeSet};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::*;

/// One vector of a skeleton file.
struct Vector {
    tag: String,
    name: String,
    elements: Vec<Element>,
}

#[derive(Default)]
struct Element {
    attributes: BTreeMap<String, String>,
    text: String,
}

impl Element {
    fn name(&self) -> &str {
        &self.attributes["name"]
    }

    fn number(&self, attribute: &str) -> f64 {
        self.attributes[attribute].parse().unwrap()
    }

    fn default(&self) -> f64 {
        self.text.trim().parse().unwrap()
    }
}

fn attributes(tag: &BytesStart) -> BTreeMap<String, String> {
    let attributes = tag.attributes().map(std::result::Result::unwrap);
    attributes.map(|a| (a.key.as_ref().to_owned(), a.value.into_owned())).collect()
}

fn vectors(skeleton: &str) -> Vec<Vector> {
    let mut reader = Reader::from_str(skeleton);
    let mut vectors: Vec<Vector> = Vec::new();
    let mut text = String::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) => {
                let name = tag.name().as_ref().to_owned();
                let attributes = attributes(&tag);
                text.clear();
                if name.ends_with("Vector") {
                    vectors.push(Vector { tag: name, name: attributes["name"].clone(), elements: vec![] });
                } else if let Some(vector) = vectors.last_mut() {
                    vector.elements.push(Element { attributes, text: String::new() });
                }
            }
            Event::Text(piece) => text += &piece,
            Event::End(tag) if matches!(tag.name().as_ref(), "defNumber" | "defSwitch") => {
                if let Some(element) = vectors.last_mut().and_then(|vector| vector.elements.last_mut()) {
                    element.text.clone_from(&text);
                    text.clear();
                }
            }
            Event::Eof => return vectors,
            _ => {}
        }
    }
}

/// Every backend's skeleton with a camera that is not connected.
fn for_every_skeleton(check: fn(&mut dyn Camera, &[Vector])) {
    for Backend { skeleton, create, .. } in BACKENDS {
        if let Some((_, skeleton)) = skeleton {
            check(create().as_mut(), &vectors(skeleton));
        }
    }
}

fn record(pairs: &[(&str, f64)]) -> Value {
    Value::Record(params(&pairs.iter().map(|(name, value)| (*name, number(*value))).collect::<Vec<_>>()))
}

#[test]
fn the_simulator_brings_its_vectors() {
    for Backend { name, skeleton, .. } in BACKENDS {
        if *name == "simulator" {
            let vectors = vectors(skeleton.unwrap().1);
            let names: Vec<_> = vectors.iter().map(|vector| vector.name.as_str()).collect();
            let sensor = ["MODEL", "SENSOR", "CFA", "PIXEL", "SURROUNDINGS", "COOLER", "SCENE"];
            let sky = ["POINTING", "OPTICS", "SKY", "FOCUS", "TRACKING"];
            let faults = ["FAULT_WHEN", "FAULT_CALL", "FAULT"];
            let expected = sensor.iter().chain(&sky).chain(&faults).map(|name| format!("SIMULATOR_{name}"));
            assert_eq!(names, expected.collect::<Vec<_>>());
        }
    }
}

#[test]
fn defaults_are_those_of_the_file_and_are_accepted() {
    for_every_skeleton(|camera, vectors| {
        for Vector { tag, name, elements } in vectors {
            let default = match tag.as_str() {
                "defNumberVector" => {
                    let numbers: Vec<_> = elements.iter().map(|e| (e.name(), e.default())).collect();
                    record(&numbers)
                }
                "defSwitchVector" => {
                    let on: Vec<_> = elements.iter().filter(|e| e.text.trim() == "On").collect();
                    assert_eq!(on.len(), 1, "{name}");
                    text(on[0].name())
                }
                "defTextVector" => {
                    let texts: Vec<_> = elements.iter().map(|e| (e.name(), text(e.text.trim()))).collect();
                    Value::Record(params(&texts))
                }
                _ => panic!("{name} is a {tag}"),
            };
            assert_eq!(camera.get_parameter(name).unwrap(), default, "{name}");
            assert_eq!(camera.set_parameter(name, default.clone()).unwrap(), default, "{name}");
        }
    });
}

#[test]
fn limits_are_those_of_the_file() {
    for_every_skeleton(|camera, vectors| {
        for Vector { name: vector, elements, .. } in vectors.iter().filter(|v| v.tag == "defNumberVector") {
            let default = camera.get_parameter(vector).unwrap();
            for element in elements {
                let name = element.name();
                let (min, max, step) = (element.number("min"), element.number("max"), element.number("step"));
                for value in [min, max, element.default()] {
                    let set = camera.set_parameter(vector, record(&[(name, value)])).unwrap();
                    let Value::Record(set) = set else { panic!("{vector} answers with no record") };
                    assert!(set.contains(&(name.to_owned(), number(value))), "{name} {value}: {set:?}");
                }
                // Together with a good element: nothing of a bad record may stay.
                let other = elements.iter().find(|other| other.name() != name).unwrap();
                let mut refused = vec![
                    (min - step.max(0.01), ErrorKind::OutOfRange),
                    (max + step.max(0.01), ErrorKind::OutOfRange),
                    (f64::NAN, ErrorKind::InvalidValue),
                    (f64::INFINITY, ErrorKind::InvalidValue),
                ];
                if step > 0.0 {
                    refused.push((min + step / 2.0, ErrorKind::InvalidValue));
                }
                for (value, kind) in refused {
                    let bad = record(&[(other.name(), other.number("max")), (name, value)]);
                    fails(camera.set_parameter(vector, bad), kind);
                    assert_eq!(camera.get_parameter(vector).unwrap(), default, "{name} {value}");
                }
            }
        }
    });
}

#[test]
fn every_choice_of_the_file_can_be_made() {
    for_every_skeleton(|camera, vectors| {
        for Vector { name, elements, .. } in vectors.iter().filter(|v| v.tag == "defSwitchVector") {
            for choice in elements.iter().map(|element| text(element.name())) {
                assert_eq!(camera.set_parameter(name, choice.clone()).unwrap(), choice);
                assert_eq!(camera.get_parameter(name).unwrap(), choice);
                for wrong in [text("NO_SUCH"), text(""), number(1), Value::Bool(true)] {
                    fails(camera.set_parameter(name, wrong), ErrorKind::InvalidValue);
                    assert_eq!(camera.get_parameter(name).unwrap(), choice);
                }
            }
        }
    });
}

#[test]
fn every_format_can_be_set_and_frames_are_what_it_says() {
    for_every_camera(|rig| {
        let formats = rig.can.formats.clone();
        let labels: BTreeSet<&str> = formats.iter().map(|format| format.label.as_str()).collect();
        assert_eq!(labels.len(), formats.len(), "clients choose by label: {formats:?}");
        if let Some(first) = formats.first() {
            assert_eq!(rig.camera.get_parameter("format").unwrap(), text(&first.name));
        }
        for format in &formats {
            let name = text(&format.name);
            assert_eq!(rig.camera.set_parameter("format", name.clone()).unwrap(), name);
            for wrong in [text("NO_SUCH"), text(""), number(16)] {
                fails(rig.camera.set_parameter("format", wrong), ErrorKind::InvalidValue);
            }
            assert_eq!(rig.camera.get_parameter("format").unwrap(), name);
            let pixels = rig.frame(rig.shortest(), FrameType::Bias).pixels;
            assert_eq!(pixels.bits(), format.bits, "{format:?}");
        }
    });
}

#[test]
fn a_format_is_for_the_next_exposure() {
    for_every_camera(|rig| {
        let [first, second, ..] = &rig.can.formats.clone()[..] else { return };
        rig.camera.set_parameter("format", text(&first.name)).unwrap();
        rig.start(SHORT).unwrap();
        // Refused by cameras that cannot, but never applied to what is running.
        let _ = rig.camera.set_parameter("format", text(&second.name));
        rig.wait();
        assert_eq!(rig.camera.get_exposure_result().unwrap().pixels.bits(), first.bits);
    });
}

#[test]
fn nothing_else_is_a_setting() {
    for_every_skeleton(|camera, vectors| {
        for name in ["", "NO_SUCH", "SIMULATOR", "CCD_GAIN", "simulator_sensor"] {
            fails(camera.get_parameter(name), ErrorKind::NotSupported);
            fails(camera.set_parameter(name, number(1)), ErrorKind::NotSupported);
        }
        for Vector { name, tag, elements } in vectors {
            for element in elements {
                fails(camera.get_parameter(element.name()), ErrorKind::NotSupported);
            }
            if tag == "defNumberVector" {
                for wrong in [record(&[("NO_SUCH", 1.0)]), number(1), text("WIDTH")] {
                    fails(camera.set_parameter(name, wrong), ErrorKind::InvalidValue);
                }
            }
        }
    });
}

#[test]
fn a_guide_port_takes_pulses_and_refuses_what_is_none() {
    for_every_camera(|rig| {
        if !rig.can.guide_port {
            return;
        }
        let mut pulse = |direction: Value, ms: Value| {
            let params = vec![("direction".to_owned(), direction), ("ms".to_owned(), ms)];
            rig.camera.call("pulse_guide", &params)
        };
        for direction in ["n", "s", "e", "w"] {
            assert_eq!(pulse(text(direction), number(1.0)).unwrap(), Reply::Done);
            // 0 stops.
            assert_eq!(pulse(text(direction), number(0.0)).unwrap(), Reply::Done);
        }
        fails(pulse(text("up"), number(1.0)), ErrorKind::InvalidValue);
        fails(pulse(number(1.0), number(1.0)), ErrorKind::InvalidValue);
        fails(pulse(text("n"), text("1")), ErrorKind::InvalidValue);
        fails(pulse(text("n"), number(f64::NAN)), ErrorKind::InvalidValue);
        fails(pulse(text("n"), number(-1.0)), ErrorKind::OutOfRange);
        fails(pulse(text("n"), number(60_001.0)), ErrorKind::OutOfRange);
        fails(rig.camera.call("pulse_guide", &Params::new()), ErrorKind::InvalidValue);
        rig.camera.disconnect().unwrap();
        let params = vec![("direction".to_owned(), text("n")), ("ms".to_owned(), number(1.0))];
        fails(rig.camera.call("pulse_guide", &params), ErrorKind::NotConnected);
    });
}
