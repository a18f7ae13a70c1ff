use std::time::{Duration, UNIX_EPOCH};

use super::*;
use crate::wire::{Definition, Message, Update, Values, write};

fn hear(element: &str) -> Heard {
    heard(element.as_bytes()).unwrap_or_else(|error| panic!("{error}")).unwrap_or_else(|| panic!("{element}"))
}

fn said(element: &str) -> What {
    hear(element).what
}

fn written(message: &Message) -> Heard {
    let mut bytes = Vec::new();
    write::message(message, &mut bytes);
    heard(&bytes).unwrap().unwrap()
}

fn head(name: &str, label: &str) -> ElementDefinition {
    ElementDefinition { name: name.into(), label: label.into() }
}

#[test]
fn what_our_driver_writes_is_heard_as_it_was_meant() {
    let at = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let number =
        Number { value: -0.5, format: "%5.2f".into(), limits: Limits { min: -1.0, max: 1e9, step: 0.1 } };
    for elements in [
        Elements::Text(vec![(head("A", "a"), "<&> \"x\"".into()), (head("B", "b"), String::new())]),
        Elements::Number(vec![(head("A", "a"), number)]),
        Elements::Switch(Rule::AnyOfMany, vec![(head("A", "a"), true), (head("B", "b"), false)]),
        Elements::Light(vec![(head("A", "a"), State::Alert)]),
        Elements::Blob(vec![head("A", "a")]),
    ] {
        let perm = if matches!(elements, Elements::Light(_)) { Perm::Ro } else { Perm::Rw };
        let timeout = if perm == Perm::Ro { 0.0 } else { 60.0 };
        let define = Message::Define(Definition {
            device: "D".into(),
            name: "N".into(),
            label: "Label".into(),
            group: "Group".into(),
            state: State::Busy,
            perm,
            timeout,
            at,
            elements: elements.clone(),
        });
        let (name, label, group) = ("N".into(), "Label".into(), "Group".into());
        let defined = Defined { name, label, group, state: State::Busy, perm, timeout, elements };
        let what = What::Define(Box::new(defined));
        assert_eq!(written(&define), Heard { device: Some("D".into()), at: Some(at), message: None, what });
    }
}

#[test]
fn new_values_and_new_limits_are_heard() {
    let limits = Limits { min: 0.0, max: 9.0, step: 1.0 };
    let update = Message::Set(Update {
        device: "D".into(),
        name: "N".into(),
        state: State::Ok,
        timeout: 0.0,
        at: UNIX_EPOCH,
        values: Values::Number(vec![("A".into(), 1.0, Some(limits)), ("B".into(), 2.5, None)]),
    });
    let a = NumberChange { value: 1.0, min: Some(0.0), max: Some(9.0), step: Some(1.0) };
    let b = NumberChange { value: 2.5, min: None, max: None, step: None };
    let values = Changes::Number(vec![("A".into(), a), ("B".into(), b)]);
    assert_eq!(written(&update).what, What::Set(Set { name: "N".into(), state: Some(State::Ok), values }));
}

#[test]
fn the_habits_of_other_drivers_are_no_reason_to_miss_what_they_say() {
    // No state, no permission, no label, no limits, a nameless element, an element of another kind, nonsense.
    let vector = said(
        "<defNumberVector device='D' name='N'><defNumber name='A'>nan</defNumber><defNumber name=''>1</defNumber>\
         <defSwitch name='S'>On</defSwitch><defNumber name='B' min='1' max='nan'>\n 0:30 \n</defNumber><x/></defNumberVector>",
    );
    let What::Define(vector) = vector else { panic!("{vector:?}") };
    assert_eq!((vector.label.as_str(), vector.state, vector.perm), ("N", State::Idle, Perm::Ro));
    let Elements::Number(numbers) = &vector.elements else { panic!("{vector:?}") };
    assert_eq!(numbers.iter().map(|(head, _)| head.label.as_str()).collect::<Vec<_>>(), ["A", "B"]);
    assert!(numbers[0].1.value.is_nan());
    assert_eq!((numbers[1].1.value, numbers[1].1.limits.min, numbers[1].1.limits.max), (0.5, 1.0, 0.0));

    let state = |word: &str| match said(&format!("<setLightVector device='D' name='N' state='{word}'/>")) {
        What::Set(set) => set.state,
        other => panic!("{other:?}"),
    };
    let words = ["ok", "OK", "Okay", "BUSY", "idle", "aLERT"].map(state);
    let [ok, busy, idle, alert] = [State::Ok, State::Busy, State::Idle, State::Alert].map(Some);
    assert_eq!(words, [ok, ok, ok, busy, idle, alert]);
    assert_eq!((state(""), state("Fine")), (None, None));

    let switches = said(
        "<setSwitchVector device='D' name='N'><oneSwitch name='A'>\nON\n</oneSwitch><oneSwitch name='B'>no</oneSwitch></setSwitchVector>",
    );
    let values = Changes::Switch(vec![("A".into(), true), ("B".into(), false)]);
    assert_eq!(switches, What::Set(Set { name: "N".into(), state: None, values }));
}

#[test]
fn blobs_are_heard_with_what_they_say_of_their_bytes() {
    let vector = said(
        "<setBLOBVector device='D' name='N' state='Ok'><oneBLOB name='A' size='10' format='.fits.z' len='5' attached='true'/>\
         <oneBLOB name='' size='7'> </oneBLOB><oneBLOB name='B' size='1e3' format='.x'></oneBLOB></setBLOBVector>",
    );
    let blob = |element: &str, format: &str, size, len, attached| BlobHead {
        element: element.into(),
        format: format.into(),
        size,
        len,
        attached,
    };
    let values = Changes::Blob(vec![
        blob("A", ".fits.z", Some(10), Some(5), true),
        blob("", "", Some(7), None, false),
        blob("B", ".x", None, None, false),
    ]);
    assert_eq!(vector, What::Set(Set { name: "N".into(), state: Some(State::Ok), values }));
    let so_far = b"<setBLOBVector device='D' name='N'>\n<oneBLOB name='A' size='9'></oneBLOB><oneBLOB name='B' format='.fits' size='8'>";
    let (device, name, head) = arriving(so_far).unwrap();
    assert_eq!((device.as_str(), name.as_str(), head), ("D", "N", blob("B", ".fits", Some(8), None, false)));
    assert_eq!(arriving(b"<setBLOBVector name='N'><oneBLOB>"), None);
}

#[test]
fn messages_deletions_pings_and_the_wishes_of_others_are_heard() {
    let message = hear("<message device='D' timestamp='2026-11-22T06:07:33.25' message='[ERROR] a &lt; b'/>");
    assert_eq!((message.message.as_deref(), message.what), (Some("[ERROR] a < b"), What::Message));
    let at: jiff::Timestamp = "2026-11-22T06:07:33.25Z".parse().unwrap();
    assert_eq!(message.at, Some(at.into()));
    assert_eq!(hear("<message timestamp='yesterday' message=''/>").at, None);

    let set = hear("<setTextVector device='D' name='N' state='Ok' message='why'/>");
    assert_eq!(set.message.as_deref(), Some("why"));
    assert_eq!(said("<delProperty device='D' name='N'/>"), What::Delete { name: Some("N".into()) });
    assert_eq!(said("<delProperty device='D' name=''/>"), What::Delete { name: None });
    assert_eq!(said("<pingRequest uid='a'/>"), What::PingRequest { uid: "a".into() });
    let asked =
        said("<newNumberVector device='D' name='N'><oneNumber name='A'>1</oneNumber></newNumberVector>");
    assert_eq!(asked, What::Asked { name: "N".into(), elements: vec![("A".into(), "1".into())] });
}

#[test]
fn what_concerns_no_client_is_nothing_and_what_cannot_be_read_an_error() {
    for element in [
        "<enableBLOB>Also</enableBLOB>",
        "<getProperties version='1.7'/>",
        "<oneNumber name='a'>1</oneNumber>",
    ] {
        assert_eq!(heard(element.as_bytes()), Ok(None), "{element}");
    }
    for element in [
        "<setTextVector device='D'/>",
        "<defTextVector device='D' name='N'><defText name='a'></x></defTextVector>",
    ] {
        assert!(heard(element.as_bytes()).is_err(), "{element}");
    }
}

proptest::proptest! {
    #[test]
    fn nothing_that_is_said_is_too_much(bytes: Vec<u8>, tag in "(set|def|new)(Number|BLOB|Switch|Light|Text)Vector", inside in "[<>/a-zA-Z='\" &;.0-9]{0,80}") {
        let _ = heard(&bytes);
        let _ = arriving(&bytes);
        let element = format!("<{tag} device='D' name='N' {inside}>{inside}<oneNumber name='a' {inside}>{inside}</oneNumber></{tag}>");
        let _ = heard(element.as_bytes());
        let _ = arriving(element.as_bytes());
        let _ = moment(&inside);
    }
}
