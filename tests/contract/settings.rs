//! A backend's own settings are what its skeleton file says: names, defaults and limits.

use std::collections::{BTreeMap, BTreeSet};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::rig::report;
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
    report(|Backend { skeleton, create, .. }, _| {
        if let Some((_, skeleton)) = skeleton {
            check(create().as_mut(), &vectors(skeleton));
        }
    });
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
                    is!(on.len(), 1, "get_parameter: switches of {name} that are on by default");
                    text(on[0].name())
                }
                "defTextVector" => {
                    let texts: Vec<_> = elements.iter().map(|e| (e.name(), text(e.text.trim()))).collect();
                    Value::Record(params(&texts))
                }
                _ => panic!("{name} is a {tag}, and settings are numbers, texts and one-of-many switches"),
            };
            is!(works(camera.get_parameter(name)), default, "get_parameter: default of {name}");
            let set = works(camera.set_parameter(name, default.clone()));
            is!(set, default, "set_parameter: default of {name}");
        }
    });
}

#[test]
fn limits_are_those_of_the_file() {
    for_every_skeleton(|camera, vectors| {
        for Vector { name: vector, elements, .. } in vectors.iter().filter(|v| v.tag == "defNumberVector") {
            let default = works(camera.get_parameter(vector));
            for element in elements {
                let name = element.name();
                let (min, max, step) = (element.number("min"), element.number("max"), element.number("step"));
                let inside = format!("the limits of {vector}.{name} are {min} to {max}");
                for value in [min, max, element.default()] {
                    let set = camera.set_parameter(vector, record(&[(name, value)]));
                    let Value::Record(set) = accepted("set_parameter", value, &inside, set) else {
                        panic!("set_parameter: {vector} answers with no record");
                    };
                    assert!(set.contains(&(name.to_owned(), number(value))), "{name} {value}: {set:?}");
                }
                // Together with a good element: nothing of a bad record may stay.
                let other = elements.iter().find(|other| other.name() != name);
                let mut outside = vec![
                    (min - step.max(0.01), ErrorKind::OutOfRange),
                    (max + step.max(0.01), ErrorKind::OutOfRange),
                    (f64::NAN, ErrorKind::InvalidValue),
                    (f64::INFINITY, ErrorKind::InvalidValue),
                ];
                if step > 0.0 {
                    outside.push((min + step / 2.0, ErrorKind::InvalidValue));
                }
                for (value, kind) in outside {
                    let good = other.map(|other| (other.name(), other.number("max")));
                    let bad: Vec<_> = good.into_iter().chain([(name, value)]).collect();
                    refused(
                        "set_parameter",
                        value,
                        &inside,
                        kind,
                        camera.set_parameter(vector, record(&bad)),
                    );
                    let reads = works(camera.get_parameter(vector));
                    is!(reads, default, "get_parameter: {vector} after {bad:?} was refused");
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
                is!(works(camera.set_parameter(name, choice.clone())), choice, "set_parameter: {name}");
                is!(works(camera.get_parameter(name)), choice, "get_parameter: {name}");
                for wrong in [text("NO_SUCH"), text(""), number(1), Value::Bool(true)] {
                    let result = camera.set_parameter(name, wrong.clone());
                    refused("set_parameter", wrong, "it is no choice", ErrorKind::InvalidValue, result);
                    let reads = works(camera.get_parameter(name));
                    is!(reads, choice, "get_parameter: {name} after a choice that was refused");
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
        is!(labels.len(), formats.len(), "connect: different labels of formats");
        for format in &formats {
            let name = text(&format.name);
            let set = works(rig.camera.set_parameter(FORMAT_PARAMETER, name.clone()));
            is!(set, name, "set_parameter: format");
            for wrong in [text("NO_SUCH"), text(""), number(16)] {
                let result = rig.camera.set_parameter(FORMAT_PARAMETER, wrong.clone());
                refused("set_parameter", wrong, "it is no format", ErrorKind::InvalidValue, result);
            }
            is!(works(rig.camera.get_parameter(FORMAT_PARAMETER)), name, "get_parameter: format");
            let bits = rig.frame(rig.shortest(), FrameType::Bias).pixels.bits();
            is!(bits, format.bits, "get_exposure_result: bits of {format:?}");
        }
    });
}

#[test]
fn a_format_is_for_the_next_exposure() {
    for_every_camera(|rig| {
        let [first, second, ..] = &rig.can.formats.clone()[..] else { return };
        works(rig.camera.set_parameter(FORMAT_PARAMETER, text(&first.name)));
        works(rig.start(rig.short()));
        // Refused by cameras that cannot, but never applied to what is running.
        let _ = rig.camera.set_parameter(FORMAT_PARAMETER, text(&second.name));
        rig.wait();
        let bits = works(rig.camera.get_exposure_result()).pixels.bits();
        is!(bits, first.bits, "set_parameter: bits of an exposure that was running");
    });
}

#[test]
fn nothing_else_is_a_setting() {
    for_every_skeleton(|camera, vectors| {
        for name in ["", "NO_SUCH", "SIMULATOR", "CCD_GAIN", "simulator_sensor"] {
            let because = "there is no such setting";
            refused("get_parameter", name, because, ErrorKind::NotSupported, camera.get_parameter(name));
            let result = camera.set_parameter(name, number(1));
            refused("set_parameter", name, because, ErrorKind::NotSupported, result);
        }
        for Vector { name, tag, elements } in vectors {
            for element in elements {
                fails(camera.get_parameter(element.name()), ErrorKind::NotSupported);
            }
            if tag == "defNumberVector" {
                for wrong in [record(&[("NO_SUCH", 1.0)]), number(1), text("WIDTH")] {
                    let result = camera.set_parameter(name, wrong.clone());
                    refused("set_parameter", wrong, "it is no record", ErrorKind::InvalidValue, result);
                }
            }
        }
    });
}

#[test]
fn a_guide_port_takes_pulses_and_refuses_what_is_none() {
    use ErrorKind::{InvalidValue, NotConnected, NotSupported, OutOfRange};
    const CALL: &str = "pulse_guide";
    for_every_camera(|rig| {
        let pulse = |direction: Value, ms: Value| params(&[("direction", direction), ("ms", ms)]);
        let north = pulse(text("n"), number(1));
        if !rig.can.guide_port {
            refused(CALL, &north, "there is no guide port", NotSupported, rig.camera.call(CALL, &north));
            return;
        }
        // 0 stops.
        for (direction, ms) in ["n", "s", "e", "w"].into_iter().flat_map(|d| [(d, 1), (d, 0)]) {
            let pulse = pulse(text(direction), number(ms));
            let reply = accepted(CALL, &pulse, "it is a pulse", rig.camera.call(CALL, &pulse));
            is!(reply, Reply::Done, "{CALL}: answer");
        }
        for (bad, kind) in [
            (pulse(text("up"), number(1)), InvalidValue),
            (pulse(number(1), number(1)), InvalidValue),
            (pulse(text("n"), text("1")), InvalidValue),
            (pulse(text("n"), number(f64::NAN)), InvalidValue),
            (pulse(text("n"), number(-1)), OutOfRange),
            (pulse(text("n"), number(60_001)), OutOfRange),
            (Params::new(), InvalidValue),
        ] {
            refused(CALL, &bad, "it is no pulse", kind, rig.camera.call(CALL, &bad));
        }
        works(rig.camera.disconnect());
        refused(CALL, &north, "nothing is connected", NotConnected, rig.camera.call(CALL, &north));
    });
}
