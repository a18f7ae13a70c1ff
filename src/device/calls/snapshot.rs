//! All that is known of the camera at one moment: the `info` of connect and polling.

use crate::camera::answer::{
    Ability, Answer, Conditions, CoolingState, Current, Info, Limits, Network, Readout, Snapshot,
};
use crate::camera::types::{Binning, Capabilities, Roi};
use crate::device::Device;
use crate::device::asking::CALL_DEADLINE;
use crate::device::connection::Link;
use crate::property::keys;

use super::connection::id;

impl Device {
    pub(super) fn snapshot_answer(&mut self, message: &str) -> Answer {
        self.desk.snapshots += 1;
        Answer::done(message, &Snapshot { info: self.info(), sequence: self.desk.snapshots })
    }

    fn info(&self) -> Info {
        let known = matches!(self.link, Link::On | Link::Lost { .. });
        let can = self.capabilities.as_ref().filter(|_| known);
        let [_, _, version, _] = self.store.get(&keys::DRIVER_INFO);
        Info {
            kind: "camera".to_owned(),
            name: self.name.clone(),
            id: id(&self.camera),
            description: self.camera.model.clone(),
            timeout: CALL_DEADLINE.as_secs_f64(),
            configration: None,
            current: can.map(|can| self.current(can)).unwrap_or_default(),
            ability: can.map(ability).unwrap_or_default(),
            status: self.conditions(),
            properties: can.map(|can| self.limits(can)).unwrap_or_default(),
            frame: can.map(|can| self.readout(can)).unwrap_or_default(),
            network: Network { ipaddress: None, api_version: Some(version) },
        }
    }

    fn current(&self, can: &Capabilities) -> Current {
        let Binning { x, y } = self.geometry.binning;
        let (gain, offset) = self.shown_controls();
        let [power] = self.store.get(&keys::CCD_COOLER_POWER);
        let last = self.exposure.last.as_ref().map(|last| last.info.spec.duration_s);
        Current {
            exposure: self.exposure_time().or(last),
            gain,
            offset,
            iso: None,
            binning: Some([x, y]),
            temperature: self.sensor().filter(|_| can.thermometer),
            cool_power: can.cooler_power.then_some(power),
            percent_complete: self.exposure_progress().percent,
        }
    }

    fn conditions(&self) -> Conditions {
        let is_exposure = self.is_busy_exposing();
        Conditions {
            is_connected: self.link == Link::On,
            is_cooling: self.link == Link::On && self.cooler.state() != CoolingState::Off,
            is_exposure,
            is_imageready: !is_exposure && self.exposure.last.is_some(),
            is_guiding: self.is_guiding(),
            is_video: false,
        }
    }

    fn limits(&self, can: &Capabilities) -> Limits {
        let Binning { x, y } = self.geometry.largest();
        Limits {
            max_gain: can.gain.map(|range| range.max),
            min_gain: can.gain.map(|range| range.min),
            max_offset: can.offset.map(|range| range.max),
            min_offset: can.offset.map(|range| range.min),
            max_exposure: Some(can.exposure.max),
            min_exposure: Some(can.exposure.min),
            max_binning: Some([x, y]),
        }
    }

    fn readout(&self, can: &Capabilities) -> Readout {
        let Roi { x, y, width, height } = self.geometry.roi;
        let (columns, rows) = self.geometry.roi.binned(self.geometry.binning);
        let sensor = self.sensor_of_format(can);
        let bits = sensor.bits;
        let bayer = sensor.bayer.as_ref();
        Readout {
            height: Some(height),
            width: Some(width),
            max_height: Some(sensor.height),
            min_height: Some(1),
            max_width: Some(sensor.width),
            min_width: Some(1),
            depth: Some(bits.into()),
            max_adu: 1_u64.checked_shl(bits.into()).map(|beyond| beyond - 1),
            imgarray: None,
            bayer_pattern: bayer.map(|bayer| bayer.pattern.clone()),
            bayer_offset_x: bayer.map(|bayer| bayer.offset_x),
            bayer_offset_y: bayer.map(|bayer| bayer.offset_y),
            pixel_height: Some(sensor.pixel_y),
            pixel_width: Some(sensor.pixel_x),
            start_x: Some(x),
            start_y: Some(y),
            subframe_x: Some(columns),
            subframe_y: Some(rows),
            sensor_type: Some(if bayer.is_some() { "bayer" } else { "mono" }.to_owned()),
            sensor_name: None,
        }
    }
}

fn ability(can: &Capabilities) -> Ability {
    Ability {
        // What a camera cannot bin is binned for it.
        can_binning: true,
        can_cooling: can.cooler.is_some(),
        can_gain: can.gain.is_some(),
        can_get_coolpower: can.cooler_power,
        can_guiding: can.guide_port,
        can_has_shutter: can.shutter,
        can_iso: false,
        can_offset: can.offset.is_some(),
    }
}
