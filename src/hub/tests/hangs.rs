//! A search that does not end.

use super::*;

/// A hub whose first search of the family hangs, as clients have been told.
fn hung() -> Rehearsal {
    let mut stage = Rehearsal::new(&[("v4l2", None), ("alpaca", None)], Vec::new());
    stage.greet();
    stage.found(1, &[]);
    stage.orders();
    stage.said();
    stage.pass(Duration::from_secs(40));
    stage
}

impl Rehearsal {
    #[track_caller]
    fn shows(&self, state: State) {
        let states = (self.hub.store.state(&keys::CAMERAS), self.hub.store.state(&keys::CAMERA_SCAN));
        assert_eq!(states, (state, state));
    }
}

#[test]
fn a_search_that_hangs_is_told_once_and_its_outcome_is_taken_all_the_same() {
    let mut stage = hung();
    let said = stage.said();
    assert_eq!(
        said.matches("[ERROR] v4l2: the search for cameras has not ended within 30 s").count(),
        1,
        "{said}"
    );
    assert!(said.contains("name=\"CAMERA_SCAN\" state=\"Alert\""), "{said}");
    stage.shows(State::Alert);
    stage.found(0, &[camera("A", "1")]);
    stage.shows(State::Ok);
    assert_eq!(served(&stage.orders()), [(0, "A")]);
}

#[test]
fn a_search_that_hangs_keeps_no_later_one_from_being_made() {
    let mut stage = hung();
    stage.write("CAMERA_SCAN", Kind::Switch, "SCAN", "On");
    stage.shows(State::Busy);
    assert_eq!(stage.orders(), [search(0), search(1)]);
    stage.found(0, &[camera("A", "1")]);
    stage.found(1, &[]);
    stage.shows(State::Ok);
    assert_eq!(served(&stage.orders()), [(0, "A")]);
}

#[test]
fn nothing_stays_busy_while_searches_hang_whatever_asks_for_them() {
    let mut stage = hung();
    stage.handle(Input::Plugged { family: 0 });
    stage.write("CAMERA_SCAN", Kind::Switch, "SCAN", "On");
    stage.found(1, &[]);
    stage.shows(State::Busy);
    stage.pass(Duration::from_secs(65));
    stage.shows(State::Alert);
}

#[test]
fn calls_are_answered_while_a_search_hangs() {
    let mut stage = hung();
    stage.said();
    call(&mut stage, "scanning", "");
    stage.found(1, &[camera("B", "host")]);
    call(&mut stage, "connect", r#"{"device_name": "Cam B"}"#);
    stage.pass(Duration::from_secs(65));
    let said = stage.said();
    assert!(said.contains(r#""camera":["Cam B"]"#), "{said}");
    assert!(stage.orders().contains(&Order::Connect { name: "Cam B".to_owned() }));
}

#[test]
fn a_call_for_a_search_is_answered_even_if_there_is_always_another_one() {
    let mut stage = Rehearsal::new(&[("v4l2", None)], Vec::new());
    stage.greet();
    call(&mut stage, "scanning", "");
    for _ in 0..6 {
        stage.write("CAMERA_SCAN", Kind::Switch, "SCAN", "On");
        stage.pass(Duration::from_secs(25));
        stage.found(0, &[]);
    }
    let said = stage.said();
    assert!(
        said.contains("timeout") && said.contains("the search for cameras has not ended in time"),
        "{said}"
    );
}
