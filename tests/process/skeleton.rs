//! Properties as a packager wants them.

use std::fs;

use crate::support::{Driver, Folder, Start};
use crate::{BRIEF, ask_all, until_quiet};

/// A driver with this replacement skeleton that has been asked for its properties; and the path of the file.
fn with(text: &str) -> (Driver, String, Folder) {
    let folder = Folder::new();
    let path = folder.path().join("own.xml").to_str().unwrap().to_owned();
    fs::write(&path, text).unwrap();
    let env = vec![("INDISKEL", path.clone())];
    let mut driver = Driver::start(Start { env, ..Start::default() });
    ask_all(&mut driver);
    (driver, path, folder)
}

fn label(driver: &Driver, vector: &str) -> String {
    driver.vector(vector).unwrap().attributes["label"].clone()
}

/// Asserts what is said, to the client and on stderr, and that the camera works none the less.
fn assert_reported(driver: &mut Driver, words: &str) {
    let [said] = driver.messages.as_slice() else { panic!("{:?}", driver.messages) };
    assert!(said.starts_with("[WARNING] ") && said.contains(words), "{said}");
    assert!(driver.stderr().contains(words), "{}", driver.stderr());
    driver.connect();
    driver.expose(BRIEF);
}

#[test]
fn labels_and_defaults_can_be_replaced() {
    let (mut driver, ..) = with("<INDIDriver>
        <defSwitchVector device='x' name='DEBUG' label='Fehlersuche' group='Sonstiges' state='Idle' perm='rw' rule='OneOfMany' timeout='0'>
            <defSwitch name='ENABLE' label='An'>Off</defSwitch>
            <defSwitch name='DISABLE' label='Aus'>On</defSwitch>
        </defSwitchVector>
        <defNumberVector device='x' name='POLLING_PERIOD' label='Abfrage' group='Sonstiges' state='Idle' perm='rw' timeout='0'>
            <defNumber name='PERIOD_MS' label='ms' format='%.f' min='100' max='5000' step='100'>2000</defNumber>
        </defNumberVector>
        </INDIDriver>");
    assert_eq!(driver.messages, [""; 0]);
    assert_eq!(label(&driver, "DEBUG"), "Fehlersuche");
    assert_eq!(driver.number("POLLING_PERIOD", "PERIOD_MS"), 2000.0);
    assert_eq!(label(&driver, "CONNECTION"), "Connection");
    // Its limits count.
    driver.new_vector("Number", "POLLING_PERIOD", &[("PERIOD_MS", "6000")]);
    until_quiet(&mut driver);
    assert_eq!(driver.state("POLLING_PERIOD"), "Alert");
}

#[test]
fn a_property_that_does_not_fit_is_reported_by_line_and_not_used() {
    let (mut driver, path, _folder) = with("<INDIDriver>
        <defSwitchVector device='x' name='DEBUG' label='Fehlersuche' group='G' state='Idle' perm='rw' rule='OneOfMany' timeout='0'>
            <defSwitch name='ENABLE' label='An'>Off</defSwitch>
            <defSwitch name='DISABLE' label='Aus'>On</defSwitch>
        </defSwitchVector>
        <defSwitchVector device='x' name='CONNECTION' label='Verbindung' group='G' state='Idle' perm='rw' rule='OneOfMany' timeout='60'>
            <defSwitch name='VERBINDEN' label='An'>Off</defSwitch>
            <defSwitch name='DISCONNECT' label='Aus'>On</defSwitch>
        </defSwitchVector>
        </INDIDriver>");
    assert_eq!(label(&driver, "DEBUG"), "Fehlersuche");
    assert_eq!(label(&driver, "CONNECTION"), "Connection");
    assert_reported(&mut driver, &format!("{path}:6: CONNECTION must have exactly these elements"));
}

#[test]
fn a_skeleton_that_is_no_xml_is_reported_and_not_used() {
    let (mut driver, path, _folder) = with("<INDIDriver>\n<defSwitchVector name=");
    assert_reported(&mut driver, &format!("{path}:"));
}

#[test]
fn a_skeleton_that_is_not_there_is_reported() {
    let env = vec![("INDISKEL", "/no/such/skeleton.xml".to_owned())];
    let mut driver = Driver::start(Start { env, ..Start::default() });
    ask_all(&mut driver);
    assert_reported(&mut driver, "INDISKEL /no/such/skeleton.xml is not used");
}
