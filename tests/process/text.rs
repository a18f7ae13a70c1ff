//! Text in both directions: what libindi's reader can hold, and what it may send.

use std::collections::BTreeSet;

use crate::support::{Driver, Link, Start, fits};
use crate::{BRIEF, ask_all, connected, connected_by, until_quiet};

fn prefix(driver: &mut Driver, spelled: &str) -> String {
    driver.new_vector("Text", "UPLOAD_SETTINGS", &[("UPLOAD_PREFIX", spelled)]);
    until_quiet(driver);
    assert_eq!(driver.state("UPLOAD_SETTINGS"), "Ok", "{spelled}\n{}", driver.report());
    driver.get("UPLOAD_SETTINGS", "UPLOAD_PREFIX").unwrap().to_owned()
}

#[test]
fn texts_survive_the_way_in_and_out() {
    let mut driver = connected();
    for (spelled, meant) in [
        ("plain", "plain"),
        ("  \n\t around \r\n ", "around"),
        ("in  side", "in  side"),
        ("M31 &amp; M32 &lt;LRGB&gt; &quot;a&quot; &apos;b&apos;", "M31 & M32 <LRGB> \"a\" 'b'"),
        ("&#65;&#x42;C", "ABC"),
        ("Größe µm 星", "Größe µm 星"),
        ("a<![CDATA[ <&> ]]>b", "a <&> b"),
        ("a<!-- no -->b", "ab"),
        ("AT&T", "AT&T"),
    ] {
        assert_eq!(prefix(&mut driver, spelled), meant, "{spelled}");
    }
}

#[test]
fn a_text_never_begins_with_an_entity() {
    let mut driver = connected();
    // libindi's reader does not decode one there. What is sent instead begins with a character that does not show.
    for (spelled, meant) in [("&lt;b&gt;", "<b>"), ("&amp;c", "&c")] {
        assert_eq!(prefix(&mut driver, spelled).strip_prefix('\u{200b}'), Some(meant), "{spelled}");
    }
    assert_eq!(prefix(&mut driver, "'d'"), "'d'");
}

#[test]
fn two_hundred_kilobytes_in_one_element_pass() {
    let mut driver = connected();
    let long = format!("/{}", "x".repeat(200_000));
    driver.new_vector("Text", "UPLOAD_SETTINGS", &[("UPLOAD_DIR", &long)]);
    until_quiet(&mut driver);
    assert_eq!(driver.get("UPLOAD_SETTINGS", "UPLOAD_DIR"), Some(&*long));
}

#[test]
fn odd_but_known_spellings_are_understood() {
    let mut driver = connected();
    for (spelled, binning) in [
        (
            "<newNumberVector device = \"Camera Simulator\"\n\tname\t=\t'CCD_BINNING' ><oneNumber name='HOR_BIN'>2</oneNumber ></newNumberVector >",
            2.0,
        ),
        (
            "<newNumberVector device='Camera Simulator'name='CCD_BINNING'><oneNumber name='HOR_BIN'>3</oneNumber></newNumberVector>",
            3.0,
        ),
        (
            "<newNumberVector device='Camera Simulator' device='Other' name='CCD_BINNING' extra='1'><oneNumber name='HOR_BIN' min='0'>4</oneNumber></newNumberVector>",
            4.0,
        ),
        (
            "<newNumberVector device='Camera&#32;Simulator' name='CCD_&#66;INNING'><oneNumber name='HOR_BIN'>1</oneNumber></newNumberVector>",
            1.0,
        ),
    ] {
        driver.send(spelled);
        until_quiet(&mut driver);
        assert_eq!(driver.number("CCD_BINNING", "HOR_BIN"), binning, "{spelled}");
    }
}

#[test]
fn messages_are_one_line_that_every_reader_can_hold() {
    let mut driver = connected();
    let endless = "Ä".repeat(50_000);
    for name in ["a\nb\tc\rd", "bell\u{7}", "&#10;&#7;", "<b>", &endless] {
        let name = name.replace('<', "&lt;");
        driver.send(&format!("<newTextVector device='Camera Simulator' name='{name}'/>"));
        driver.new_vector("Number", "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", &name)]);
        driver.new_vector("Switch", "CCD_FRAME_TYPE", &[(&name, &name)]);
    }
    let heard = until_quiet(&mut driver);
    let messages: Vec<&str> = heard
        .iter()
        .filter(|element| element.tag == "message")
        .map(|element| element.attribute("message"))
        .collect();
    assert!(messages.len() >= 15, "{messages:?}");
    for message in messages {
        assert!(message.len() <= 254, "{} bytes", message.len());
        assert!(!message.contains(char::is_control), "{message:?}");
    }
}

#[test]
fn names_are_what_libindi_can_hold_and_strict_readers_accept() {
    let mut driver = connected();
    let heard = ask_all(&mut driver);
    for element in &heard {
        for attribute in ["device", "name", "label", "group"] {
            assert!(element.attribute(attribute).len() <= 63, "{element:?}");
        }
        assert!(element.attribute("name").is_ascii(), "{element:?}");
        let names: BTreeSet<&str> = element.children.iter().map(|child| child.attribute("name")).collect();
        assert_eq!(names.len(), element.children.len(), "a name twice in {element:?}");
        assert!(names.iter().all(|name| name.is_ascii() && name.len() <= 63), "{element:?}");
    }
    let unit = heard.iter().find(|element| element.attribute("name") == "SIMULATOR_SENSOR").unwrap();
    assert!(unit.children.iter().any(|child| child.attribute("label").contains("µm")), "{unit:?}");
}

#[test]
fn every_update_has_a_state_and_a_time() {
    let mut driver = connected_by(Start { link: Link::Pipes, ..Start::default() });
    driver.new_vector("Number", "CCD_GAIN", &[("GAIN", "3")]);
    let mut heard = crate::take(&mut driver, BRIEF);
    heard.extend(until_quiet(&mut driver));
    for element in heard.iter().filter(|element| element.tag.starts_with("set")) {
        assert!(["Idle", "Ok", "Busy", "Alert"].contains(&element.attribute("state")), "{element:?}");
        let time: jiff::civil::DateTime = element.attribute("timestamp").parse().unwrap();
        assert!(time.year() >= 2024, "{element:?}");
    }
}

#[test]
fn a_device_name_with_markup_in_it_is_still_the_same_name_everywhere() {
    let name = "Ann's \"Big\" <Camera> & Co";
    let env = vec![("INDIDEV", name.to_owned())];
    let mut driver = Driver::start(Start { device: name.to_owned(), env, ..Start::default() });
    let heard = ask_all(&mut driver);
    assert!(heard.iter().all(|element| element.attribute("device") == name), "{heard:?}");
    driver.address("Ann's &quot;Big&quot; &lt;Camera&gt; &amp; Co");
    driver.new_vector("Switch", "CONNECTION", &[("CONNECT", "On")]);
    driver.address(name);
    driver.wait_for(|peer| peer.vector("CCD_OFFSET").is_some(), crate::SOON);
    driver.address("Ann's &quot;Big&quot; &lt;Camera&gt; &amp; Co");
    crate::begin(&mut driver, BRIEF);
    driver.address(name);
    let blob = driver.until(crate::is_blob, crate::SOON).blob();
    assert_eq!(fits(&blob.bytes).get("INSTRUME"), name);
}
