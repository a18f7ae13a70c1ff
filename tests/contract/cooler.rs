//! The cooler does what it is told, and says what it does.

use super::*;

#[test]
fn a_thermometer_needs_no_cooler_and_no_thermometer_is_not_supported() {
    for_every_model(|rig| {
        const CALL: &str = "get_current_temperature";
        let _ = rig.camera.cooling(false);
        let temperature = rig.camera.get_current_temperature();
        if rig.can.thermometer {
            let temperature = works(temperature);
            let outdoors = (-150.0..=100.0).contains(&temperature);
            assert!(outdoors, "{CALL}: {temperature} °C is no temperature of a sensor");
        } else {
            refused(CALL, (), "there is no thermometer", ErrorKind::NotSupported, temperature);
        }
        let measures = rig.can.thermometer || rig.can.cooler.is_none();
        assert!(measures, "connect: a cooler without a thermometer");
        let polled = works(rig.camera.polling());
        is!(polled.temperature.is_some(), rig.can.thermometer, "polling: whether there is a temperature");
        is!(polled.cooling.is_some(), rig.can.cooler.is_some(), "polling: whether there is a cooler");
        is!(polled.power.is_some(), rig.can.cooler_power, "polling: whether there is a power");
    });
}

#[test]
fn a_target_switches_the_cooler_on_and_off_keeps_the_target() {
    for_every_camera(|rig| {
        const CALL: &str = "get_cooling_status";
        let Some(range) = rig.can.cooler else {
            let because = "there is no cooler";
            refused("cooling", true, because, ErrorKind::NotSupported, rig.camera.cooling(true));
            refused("cooling_to", 0.0, because, ErrorKind::NotSupported, rig.camera.cooling_to(0.0));
            return;
        };
        works(rig.camera.cooling(false));
        assert!(!works(rig.camera.get_cooling_status()).on, "{CALL}: on after cooling took false");
        // An integer, as people write it.
        let target = range.max.floor().max(range.min);
        works(rig.camera.call("cooling_to", &params(&[("temperature", number(target))])));
        let status = works(rig.camera.get_cooling_status());
        assert!(status.on, "{CALL}: off after cooling_to took {target}");
        for on in [false, true] {
            works(rig.camera.call("cooling", &params(&[("enable", Value::Bool(on))])));
            let now = works(rig.camera.get_cooling_status());
            is!(now.on, on, "{CALL}: on, after cooling took {on}");
            is!(now.target, status.target, "{CALL}: target, after cooling took {on}");
        }
    });
}

#[test]
fn the_power_of_the_cooler_is_a_percentage() {
    for_every_camera(|rig| {
        const CALL: &str = "get_cooling_power";
        let power = rig.camera.get_cooling_power();
        if rig.can.cooler_power {
            for on in [false, true] {
                works(rig.camera.cooling(on));
                let power = works(rig.camera.get_cooling_power());
                assert!((0.0..=100.0).contains(&power), "{CALL}: {power} is no percentage");
            }
        } else {
            refused(CALL, (), "the camera says that it cannot", ErrorKind::NotSupported, power);
        }
    });
}
