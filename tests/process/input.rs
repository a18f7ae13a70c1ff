//! Bytes that no good server sends, and descriptors that nobody wants.

use std::fs::{self, File};
use std::os::fd::AsFd;

use rustix::fs::{MemfdFlags, ftruncate, memfd_create};

use crate::support::{Driver, SOON};
use crate::{BRIEF, ask_all, assert_well, connected, connected_by_pipes, count, is_blob, take, until_quiet};

/// A request that shows in one element of answer.
const GOOD: &str = "<newNumberVector device='Camera Simulator' name='CCD_BINNING'>\
                    <oneNumber name='HOR_BIN'>3</oneNumber></newNumberVector>";

/// Sends something, then a good request, and asserts that the good one is carried out and nothing else.
fn assert_only_good(driver: &mut Driver, bad: &[u8]) {
    driver.new_vector("Number", "CCD_BINNING", &[("HOR_BIN", "1")]);
    until_quiet(driver);
    assert!(driver.try_send(bad) && driver.try_send(GOOD.as_bytes()));
    let heard = until_quiet(driver);
    let start = String::from_utf8_lossy(&bad[..bad.len().min(100)]);
    assert_eq!(heard.len(), 1, "{start}: {heard:?}");
    assert_eq!(driver.number("CCD_BINNING", "HOR_BIN"), 3.0, "{start}");
}

fn open_fds(driver: &Driver) -> usize {
    fs::read_dir(format!("/proc/{}/fd", driver.pid())).unwrap().count()
}

/// Noise that is the same every time.
pub(crate) fn rubbish(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn a_megabyte_of_rubbish_costs_nothing_that_follows() {
    for mut driver in [connected(), connected_by_pipes()] {
        assert_only_good(&mut driver, &rubbish(1 << 20));
        assert_well(&mut driver);
    }
}

#[test]
fn broken_elements_cost_only_themselves() {
    let mut driver = connected();
    let long_name = format!("<a>{}", "b".repeat(6000));
    let mismatch =
        format!("<newNumberVector device='Camera Simulator' name='CCD_GAIN'></{}>", "x".repeat(6000));
    let long_attribute = format!("<newTextVector device='{}", "y".repeat(100_000));
    let deep = "<a>".repeat(5000);
    let bad = [
        // Truncated, at various places.
        "<newNumberVector device='Camera Simulator' name='CCD_GAIN'>",
        "<newNumberVector device='Camera Simulator' name='CCD_GAIN'><oneNumber name='GAIN'>77</oneNumber>",
        "<newNumberVector device='Camera Simulator' name='CCD_GAIN'><oneNumber name='GA",
        "<newNumberVector device='Camera Simulator",
        "<newNumber",
        "<",
        // Mismatched and foreign.
        "<newNumberVector device='Camera Simulator' name='CCD_GAIN'></oneNumber></newSwitchVector>",
        "<newNumberVector device='Camera Simulator'><oneNumber name='GAIN'>77</oneNumber></newNumberVector>",
        "<newNumberVector device='Camera Simulator' name='CCD_GAIN'><oneNumber>77</oneNumber></newNumberVector>",
        "<oneNumber name='GAIN'>77</oneNumber>",
        "<INDI><newNumberVector/></INDI>",
        "<unknown device='Camera Simulator' name='CCD_GAIN'>77</unknown>",
        "<newLightVector device='Telescope' name='x'/><enableBLOB device='Camera Simulator'>Never</enableBLOB>",
        "</newNumberVector>]]> & ; \0 \u{7f}",
        &long_name,
        &mismatch,
        &long_attribute,
        &deep,
    ];
    for bad in bad {
        assert_only_good(&mut driver, bad.as_bytes());
    }
    assert_only_good(&mut driver, b"<newTextVector device='\xff\xfe' name='\x80'/>\xc3");
    assert_eq!(driver.number("CCD_GAIN", "GAIN"), 100.0);
    assert_well(&mut driver);
}

#[test]
fn declarations_comments_and_cdata_between_elements_are_passed_over() {
    let mut driver = connected();
    for between in [
        "<?xml version='1.0' encoding='UTF-8'?>\n",
        "<!-- <newNumberVector device='Camera Simulator' name='CCD_GAIN'> -->",
        "<![CDATA[<newNumberVector device='Camera Simulator' name='CCD_GAIN'>]]>",
        "<!DOCTYPE INDI>",
        "\r\n\t text \r\n",
    ] {
        assert_only_good(&mut driver, between.as_bytes());
    }
}

#[test]
fn requests_may_arrive_byte_by_byte() {
    for mut driver in [connected(), connected_by_pipes()] {
        for byte in GOOD.as_bytes() {
            assert!(driver.try_send(std::slice::from_ref(byte)));
        }
        driver.wait_for(|peer| peer.number("CCD_BINNING", "HOR_BIN") == 3.0, SOON);
    }
}

#[test]
fn many_requests_may_arrive_in_one_write() {
    let mut driver = connected();
    let many: String = (0..2000).map(|n| format!("<pingRequest uid='{n}'/>")).collect();
    driver.send(&many);
    let heard = until_quiet(&mut driver);
    let uids: Vec<usize> = heard.iter().map(|element| element.attribute("uid").parse().unwrap()).collect();
    assert_eq!(uids, (0..2000).collect::<Vec<_>>());
}

#[test]
fn a_ping_is_answered_at_any_time_and_only_once() {
    let mut driver = Driver::simulator();
    driver.send("<pingRequest uid='before &amp; &lt;after&gt;'/>");
    let heard = until_quiet(&mut driver);
    assert_eq!(heard.len(), 1);
    assert_eq!((&*heard[0].tag, heard[0].attribute("uid")), ("pingReply", "before & <after>"));
}

#[test]
fn news_of_other_devices_and_of_ourselves_are_not_commands() {
    let mut driver = connected();
    for device in ["Telescope", "Camera Simulator"] {
        for verb in ["set", "def"] {
            driver.send(&format!(
                "<{verb}NumberVector device='{device}' name='CCD_BINNING' state='Alert'>\
                 <{one}Number name='HOR_BIN'>4</{one}Number></{verb}NumberVector>",
                one = if verb == "set" { "one" } else { "def" },
            ));
        }
        driver.send(&format!("<delProperty device='{device}'/><message device='{device}' message='x'/>"));
    }
    driver.send("<setLightVector device='Dome' name='RAIN' state='Ok'><oneLight name='A'>Ok</oneLight></setLightVector>");
    assert_eq!(until_quiet(&mut driver).len(), 0);
    ask_all(&mut driver);
    assert_eq!((driver.number("CCD_BINNING", "HOR_BIN"), driver.state("CCD_BINNING")), (1.0, "Idle"));
}

#[test]
fn a_blob_of_several_megabytes_is_refused_and_forgotten() {
    for mut driver in [connected(), connected_by_pipes()] {
        let blob = format!(
            "<newBLOBVector device='Camera Simulator' name='CCD1'>\
             <oneBLOB name='CCD1' size='4194304' enclen='5592408' format='.fits'>\n{}\n</oneBLOB></newBLOBVector>\n",
            "QUJD".repeat((4 << 20) / 3)
        );
        driver.send(&blob);
        let heard = until_quiet(&mut driver);
        assert_eq!(heard.len(), 1, "{heard:?}");
        assert_eq!(heard[0].attribute("message"), "[ERROR] CCD1 is read-only");
        assert_well(&mut driver);
    }
}

#[test]
fn descriptors_that_come_in_are_closed() {
    let mut driver = connected();
    let memory = memfd_create("test", MemfdFlags::CLOEXEC).unwrap();
    ftruncate(&memory, 4096).unwrap();
    let before = open_fds(&driver);
    for _ in 0..50 {
        let blob = "<newBLOBVector device='Camera Simulator' name='CCD1'>\
                    <oneBLOB name='CCD1' size='4096' format='.fits' attached='true'/></newBLOBVector>\n";
        driver.send_with(blob, &[memory.as_fd(), memory.as_fd()]);
    }
    let heard = until_quiet(&mut driver);
    assert_eq!(count(&heard, |element| element.attribute("message") == "[ERROR] CCD1 is read-only"), 50);
    assert_eq!(open_fds(&driver), before);
    assert_well(&mut driver);
}

#[test]
fn more_descriptors_than_there_is_room_for_are_closed_too() {
    let mut driver = connected();
    let null = File::open("/dev/null").unwrap();
    let before = open_fds(&driver);
    for count in [16, 17, 30] {
        driver.send_with(" ", &vec![null.as_fd(); count]);
        until_quiet(&mut driver);
        assert_eq!(open_fds(&driver), before, "after {count} descriptors");
    }
    assert_well(&mut driver);
}

#[test]
fn descriptors_of_others_do_not_get_mixed_up_with_ours() {
    let mut driver = connected();
    let null = File::open("/dev/null").unwrap();
    driver.send_with(GOOD, &[null.as_fd()]);
    let heard = take(&mut driver, BRIEF);
    assert_eq!(count(&heard, is_blob), 1);
    assert_eq!(driver.unclaimed_fds(), 0);
}
