//! What a process serves, by the name it is started by and its environment.

use std::os::unix::process::CommandExt;
use std::path::Path;

use indi_camera::backend::BACKENDS;

use crate::support::{BINARY, DEVICE, Driver, Element, Folder, SIMULATOR, SOON, Start, command};
use crate::{BRIEF, SMALL, ask_all, begin, connect, connected_by, count, is_blob, until_quiet};

/// Exit code and words of a start that fails.
fn failed(argv0: &str, backends: Option<&str>) -> (Option<i32>, String) {
    let home = Folder::new();
    let mut command = command(Path::new(BINARY), &home);
    let output =
        command.arg0(argv0).envs(backends.map(|names| ("INDI_CAMERA_BACKENDS", names))).output().unwrap();
    assert_eq!(output.stdout, b"");
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

fn devices(driver: &mut Driver) -> Vec<String> {
    let heard = ask_all(driver);
    let infos = heard.iter().filter(|element| element.is("defTextVector", "DRIVER_INFO"));
    infos.map(|element| element.attribute("device").to_owned()).collect()
}

#[test]
fn the_name_says_which_cameras_are_served() {
    for argv0 in [SIMULATOR, "/usr/local/bin/indi_camera_simulator_ccd"] {
        let mut driver = Driver::start(Start { argv0, ..Start::default() });
        assert_eq!(devices(&mut driver), [DEVICE]);
        assert_eq!(driver.get("DRIVER_INFO", "DRIVER_EXEC"), Some(SIMULATOR));
        assert_eq!(driver.get("DRIVER_INFO", "DRIVER_NAME"), Some(DEVICE));
    }
}

#[test]
fn without_a_kind_of_camera_to_serve_there_is_one_sentence_and_code_2() {
    let mut starts = vec![
        ("indi_camera_nonsense_ccd", None, "nonsense"),
        (SIMULATOR, Some("simulator,nonsense"), "nonsense"),
        (SIMULATOR, Some(","), "backend"),
    ];
    if !BACKENDS.iter().any(|backend| backend.hardware) {
        let none = ["INDI_CAMERA_BACKENDS", "indi_camera_simulator_ccd"];
        starts.extend(none.map(|word| ("indi_camera_ccd", None, word)));
        starts.push(("something", None, "indi_camera_simulator_ccd"));
    }
    for (argv0, backends, word) in starts {
        let (code, words) = failed(argv0, backends);
        assert_eq!(code, Some(2), "{argv0}: {words}");
        assert_eq!(words.lines().count(), 1, "{words}");
        assert!(words.starts_with(argv0) && words.contains(word), "{words}");
    }
}

#[test]
fn the_environment_overrides_the_name() {
    let env = vec![("INDI_CAMERA_BACKENDS", " simulator ".to_owned())];
    let mut driver = Driver::start(Start { argv0: "indi_camera_ccd", env, ..Start::default() });
    assert_eq!(devices(&mut driver), [DEVICE]);
}

#[test]
fn indidev_names_the_device_from_its_first_word_on() {
    let env = vec![("INDIDEV", "My Camera".to_owned())];
    let mut driver = Driver::start(Start { env: env.clone(), ..Start::default() });
    assert!(ask_all(&mut driver).iter().all(|element| element.attribute("device") == "My Camera"));
    let mut driver = connected_by(Start { device: "My Camera".to_owned(), env, ..Start::default() });
    driver.expose(BRIEF);
}

#[test]
fn three_simulators_expose_at_the_same_time() {
    let names = [DEVICE.to_owned(), format!("{DEVICE} 2"), format!("{DEVICE} 3")];
    // A name for one cannot be the name of three.
    let env = vec![("INDI_CAMERA_SIMULATORS", "3".to_owned()), ("INDIDEV", "One".to_owned())];
    let mut driver = Driver::start(Start { env, ..Start::default() });
    for name in &names {
        driver.address(name);
        connect(&mut driver, SMALL);
    }
    assert_eq!(devices(&mut driver), names);
    for name in &names {
        driver.address(name);
        begin(&mut driver, 0.4);
    }
    let mut heard = until_quiet(&mut driver);
    for name in &names {
        driver.address(name);
        driver.wait_for(|peer| peer.state("CCD_EXPOSURE") == "Busy", SOON);
    }
    assert_eq!(count(&heard, is_blob), 0, "one has to wait for another");
    while count(&heard, is_blob) < names.len() {
        heard.push(driver.next_element(SOON));
    }
    let mut from: Vec<String> =
        heard.into_iter().filter(is_blob).map(|blob| blob.attribute("device").to_owned()).collect();
    from.sort();
    assert_eq!(from, names);
}

#[test]
fn a_variable_that_cannot_be_used_is_told_in_one_sentence() {
    for (variable, value, words) in [
        ("INDI_CAMERA_SIMULATORS", "0", "INDI_CAMERA_SIMULATORS=0 is not used: it takes 1 to 64"),
        ("INDI_CAMERA_SIMULATORS", "x", "INDI_CAMERA_SIMULATORS=x is not used: it takes 1 to 64"),
        ("INDI_CAMERA_SIMULATORS", "999999", "INDI_CAMERA_SIMULATORS=999999 is not used: it takes 1 to 64"),
        ("INDI_CAMERA_STARS", "/no/such/stars", "INDI_CAMERA_STARS /no/such/stars is not used"),
        ("INDI_CAMERA_STARS", "/dev/null", "it has only 0 bytes"),
    ] {
        let mut driver = Driver::start(Start { env: vec![(variable, value.to_owned())], ..Start::default() });
        assert_eq!(devices(&mut driver), [DEVICE]);
        driver.wait_for(|driver| driver.messages.iter().any(|said| said.contains(words)), SOON);
        let said: Vec<&String> = driver.messages.iter().filter(|said| said.contains(variable)).collect();
        assert!(said.len() == 1 && said[0].starts_with("[WARNING]"), "{said:?}");
    }
}

#[test]
fn one_of_three_can_be_lost_without_the_others() {
    let env = vec![("INDI_CAMERA_SIMULATORS", "3".to_owned())];
    let mut driver = Driver::start(Start { env, ..Start::default() });
    for name in [DEVICE, "Camera Simulator 3"] {
        driver.address(name);
        connect(&mut driver, SMALL);
    }
    driver.new_vector("Switch", "CONNECTION", &[("DISCONNECT", "On")]);
    driver.wait_for(|peer| peer.vector("CCD_EXPOSURE").is_none(), SOON);
    driver.address(DEVICE);
    assert_eq!(driver.get("CONNECTION", "CONNECT"), Some("On"));
    driver.expose(BRIEF);
}

#[test]
fn the_catalogue_lists_devices_by_the_names_that_appear() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/indi_camera.xml");
    assert!(std::fs::symlink_metadata(path).unwrap().is_file(), "KStars skips links");
    let text = std::fs::read_to_string(path).unwrap();
    let catalogue = Element::parse(&text[text.find("<driversList").unwrap()..]).unwrap();
    let [group] = catalogue.children.as_slice() else { panic!("{catalogue:?}") };
    assert_eq!(group.attribute("group"), "CCDs");
    for device in &group.children {
        let [program, version] = device.children.as_slice() else { panic!("{device:?}") };
        assert!(!device.attribute("manufacturer").is_empty());
        let argv0: &'static str = Box::leak(program.text.clone().into_boxed_str());
        // One driver may serve many cameras: then it is the hub that is there at once.
        let many = device.attribute("mdpd") == "true";
        let device = if many { "Camera Hub" } else { device.attribute("label") }.to_owned();
        let mut driver = Driver::start(Start { argv0, device, ..Start::default() });
        driver.send("<getProperties version='1.7'/>\n");
        driver.wait_for(|peer| peer.vector("DRIVER_INFO").is_some(), SOON);
        let info = |element| driver.get("DRIVER_INFO", element).unwrap();
        assert_eq!(info("DRIVER_NAME"), program.attribute("name"));
        assert_eq!(info("DRIVER_EXEC"), program.text);
        assert_eq!(info("DRIVER_VERSION"), version.text);
    }
}
