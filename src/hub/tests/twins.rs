//! Cameras that share a serial number.

use super::*;

fn revive(ordinal: usize, camera: CameraId) -> Order {
    Order::Revive { ordinal, camera }
}

/// A hub with two cameras of the serial number S, at 1 and 2.
fn twins() -> Rehearsal {
    let mut stage = Rehearsal::new(&[("v4l2", None)], Vec::new());
    stage.found(0, &[camera("S", "1"), camera("S", "2")]);
    stage
}

#[test]
fn each_of_two_cameras_with_one_serial_number_gets_a_device() {
    let mut stage = twins();
    assert_eq!(served(&stage.orders()), [(0, "S"), (1, "S")]);
    // And neither takes the other's, in any order.
    for found in [["1", "2"], ["2", "1"]] {
        stage.found(0, &found.map(|bus| camera("S", bus)));
        assert_eq!(stage.orders(), []);
    }
}

#[test]
fn two_cameras_with_one_serial_number_keep_their_devices_when_they_are_plugged_in_again_in_any_order() {
    for order in [["1", "2"], ["2", "1"]] {
        let mut stage = twins();
        stage.orders();
        stage.found(0, &[]);
        let mut there = Vec::new();
        for bus in order {
            there.push(camera("S", bus));
            stage.found(0, &there);
            let ordinal = usize::from(bus == "2");
            assert_eq!(stage.orders(), [revive(ordinal, camera("S", bus))]);
        }
    }
}

#[test]
fn the_device_of_a_camera_that_is_gone_does_not_get_the_one_that_is_still_there() {
    let mut stage = twins();
    stage.orders();
    stage.found(0, &[camera("S", "2")]);
    assert_eq!(stage.orders(), []);
    stage.pass(Duration::from_secs(4));
    stage.found(0, &[camera("S", "2")]);
    assert_eq!(stage.orders(), [search(0), Order::Retire { ordinal: 0 }]);
    // That one has moved: it is no longer where the other one is.
    stage.handle(Input::Wanted { ordinal: 0 });
    stage.found(0, &[camera("S", "2"), camera("S", "3")]);
    assert_eq!(stage.orders(), [revive(0, camera("S", "3"))]);
}

#[test]
fn cameras_with_one_serial_number_that_have_moved_at_once_are_not_exchanged_by_guessing() {
    let mut stage = twins();
    stage.orders();
    stage.found(0, &[camera("S", "3")]);
    assert_eq!(served(&stage.orders()), [(2, "S")]);
    // One that comes back to its place is known again.
    stage.found(0, &[camera("S", "3"), camera("S", "2")]);
    assert_eq!(stage.orders(), [revive(1, camera("S", "2"))]);
}

#[test]
fn another_makers_camera_with_the_same_serial_number_is_another_camera() {
    let mut stage = Rehearsal::new(&[("v4l2", None)], Vec::new());
    let other = CameraId { name: "Eye".to_owned(), ..camera("S", "1") };
    stage.found(0, &[camera("S", "1")]);
    stage.orders();
    stage.found(0, std::slice::from_ref(&other));
    assert_eq!(served(&stage.orders()), [(1, "S")]);
    stage.found(0, &[other, camera("S", "2")]);
    assert_eq!(stage.orders(), [revive(0, camera("S", "2"))]);
}

#[test]
fn a_camera_that_was_found_twice_gets_one_device() {
    let mut stage = Rehearsal::new(&[("v4l2", None)], Vec::new());
    for orders in [1, 0] {
        stage.found(0, &[camera("S", "1"), camera("S", "1")]);
        let served = served(&stage.orders()).len();
        assert_eq!(served, orders);
    }
}
