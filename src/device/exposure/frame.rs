//! The frame of an exposure: what it is asked to be, what comes, and what is told of it afterwards.

use std::time::{Duration, SystemTime};

use crate::camera::answer::{Area, ClockState, ExposureResult, FrameRecord, FrameSpec, Image, Measured, utc};
use crate::camera::types::{Capabilities, ExposureId, Frame, FrameType, Sensor};
use crate::device::Device;
use crate::device::cooler::is_possible;
use crate::device::geometry::Geometry;
use crate::device::header::Settings;
use crate::device::job::{Delivery, Encoding, FileTarget};
use crate::device::timer::Timer;
use crate::device::upload::Destination;
use crate::image::header::{self, Snapshot};
use crate::property::keys::{self, FrameKind};

use super::allowance::Mode;
use super::{COUNTDOWN, Current, promise};

/// Bytes that a header takes at least.
const HEADER: u64 = 5760;
/// Nothing that a sensor sees is compressed to less than this part of its pixels.
const MOST_COMPRESSED: u64 = 8;

/// What was asked; frozen when the exposure starts.
#[derive(Clone, Debug)]
pub(super) struct Spec {
    pub(super) duration: Duration,
    pub(super) frame_type: FrameType,
    pub(super) geometry: Geometry,
    pub(super) encoding: Encoding,
    sensor: Sensor,
    destination: Destination,
    header: Settings,
    gain: Option<i32>,
    offset: Option<i32>,
    format: Option<String>,
    /// What the time of its read-out depends on.
    pub(super) mode: Mode,
    /// What that time may be.
    pub(super) allowance: Duration,
}

/// Settings that the exposures of one request have of their own.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::device) struct Alone {
    pub(in crate::device) frame_type: Option<FrameType>,
    pub(in crate::device) geometry: Option<Geometry>,
    pub(in crate::device) gain: Option<i32>,
    pub(in crate::device) offset: Option<i32>,
}

impl Spec {
    /// Bytes of pixels that the frame will have.
    pub(super) fn bytes(&self) -> usize {
        let (width, height) = self.geometry.roi.binned(self.geometry.binning);
        width as usize * height as usize * usize::from(self.sensor.bits / 8)
    }

    /// Bytes of pixels that the camera reads for it: more, where it has no windows or does not bin.
    fn bytes_read(&self) -> usize {
        let (window, binning) = self.geometry.for_camera();
        let (width, height) = window.binned(binning);
        width as usize * height as usize * usize::from(self.sensor.bits / 8)
    }

    /// Bytes that the file of the frame takes at least, and where it goes if not into the spool; `None` for a frame
    /// that is not stored.
    pub(super) fn to_be_stored(&self, now: SystemTime) -> Option<(u64, Option<FileTarget>)> {
        let bytes = self.bytes() as u64;
        let bytes = if self.encoding.keeps_size() { bytes + HEADER } else { bytes / MOST_COMPRESSED };
        let stored = self.destination.is_stored();
        stored.then(|| (bytes, self.destination.clone().file(now)))
    }
}

impl Device {
    /// What an exposure is for that starts now.
    pub(super) fn frame_type(&self) -> FrameType {
        self.exposure.alone.frame_type.unwrap_or(match self.store.get(&keys::CCD_FRAME_TYPE) {
            FrameKind::Light => FrameType::Light,
            FrameKind::Bias => FrameType::Bias,
            FrameKind::Dark => FrameType::Dark,
            FrameKind::Flat => FrameType::Flat,
        })
    }

    /// What an exposure is that starts now.
    pub(super) fn spec(&self, capabilities: &Capabilities, duration: Duration) -> Spec {
        let alone = self.exposure.alone;
        let (gain, offset) = self.shown_controls();
        let geometry = alone.geometry.unwrap_or(self.geometry);
        let (window, binning) = geometry.for_camera();
        let format = self.format_name(capabilities);
        let mut spec = Spec {
            duration,
            frame_type: self.frame_type(),
            geometry,
            encoding: self.encoding(),
            sensor: self.sensor_of_format(capabilities),
            destination: self.destination(),
            header: self.header_settings(),
            gain: alone.gain.or(gain),
            offset: alone.offset.or(offset),
            mode: Mode { format: format.clone(), size: (window.width, window.height), binning },
            allowance: Duration::ZERO,
            format,
        };
        spec.allowance = self.exposure.allowances.of(&spec.mode, spec.bytes_read());
        spec
    }

    pub(in crate::device) fn frame_arrived(&mut self, id: ExposureId, mut frame: Frame) {
        // How long it was read out is known only of a camera that has told when that began.
        let Some(read_since) = self.exposure.current(id).map(|current| current.read_since()) else { return };
        self.reading_out(id);
        let Some(current) = self.exposure.current(id) else { return };
        if let Err(why) = promise::kept(&frame, &current.spec.sensor) {
            return self.fail_exposure(&why);
        }
        frame.info.temperature = frame.info.temperature.filter(|reading| is_possible(*reading));
        let seen = self.circumstances_of(id);
        let read_out = read_since.map(|since| self.now.elapsed.saturating_sub(since));
        self.came_in_time(read_out);
        let Some(Current { cancel, spec, .. }) = self.exposure.current.take() else { return };
        self.timers.clear(Timer::ExposureOverdue);
        self.timers.clear(Timer::MiddleOfExposure);
        self.exposure.frames += 1;
        let result = self.describe(id, &spec, read_out, &frame);
        let Geometry { roi, binning, .. } = spec.geometry;
        let circumstances = spec.header.prevail(seen);
        let name = self.frame_name(id);
        let snapshot = Snapshot {
            id: name.clone(),
            instrument: self.name.clone(),
            requested: spec.duration,
            frame_type: spec.frame_type,
            roi,
            binning,
            sensor: (spec.sensor.width, spec.sensor.height),
            pixel_size: Some((spec.sensor.pixel_x, spec.sensor.pixel_y))
                .filter(|(x, y)| *x > 0.0 && *y > 0.0),
            bayer: spec.sensor.bayer,
            orientation: spec.header.orientation(&circumstances),
            circumstances,
            further: spec.header.further,
        };
        let (planes, ..) = frame.pixels.shape();
        let delivery = Delivery {
            id,
            name,
            cancel,
            spare: self.exposure.spare.clone(),
            roi,
            binning,
            cards: header::cards(&snapshot, &frame.info, planes),
            encoding: spec.encoding,
            client: spec.destination.client,
            keep: spec.destination.keep,
            file: spec.destination.file(frame.info.started),
            frame,
        };
        self.deliver(delivery, result);
        if spec.duration > COUNTDOWN {
            self.show_phase("delivering");
        }
        self.apply_pending_controls();
        self.go_on();
    }

    /// What is told of a frame when it is asked for: all but where it goes.
    fn describe(
        &self,
        id: ExposureId,
        spec: &Spec,
        read_out: Option<Duration>,
        frame: &Frame,
    ) -> ExposureResult {
        let Geometry { roi, binning, .. } = spec.geometry;
        let (width, height) = roi.binned(binning);
        let info = &frame.info;
        let image = Image {
            property: None,
            element: None,
            format: spec.encoding.suffix().to_owned(),
            width,
            height,
            bits: frame.pixels.bits().into(),
            bytes: 0,
            base64: None,
        };
        let info = FrameRecord {
            exposure_id: id.0,
            sequence: self.exposure.frames,
            spec: FrameSpec {
                duration_s: spec.duration.as_secs_f64(),
                frame_type: spec.frame_type,
                roi: Area::from(roi),
                binning: [binning.x, binning.y],
                gain: spec.gain,
                offset: spec.offset,
                format: spec.format.clone(),
            },
            measured: Measured {
                start_utc: utc(info.started),
                end_utc: utc(info.ended),
                duration_s: Some(info.exposed.as_secs_f64()),
                read_out_s: read_out.map(|took| took.as_secs_f64()),
                temperature_start: info.temperature,
                temperature_end: self.sensor(),
                gain_readback: info.gain,
                offset_readback: info.offset,
            },
            // Nobody has told the driver how its clock is kept.
            clock: ClockState::default(),
            retries: 0,
            bytes: 0,
            sha256: None,
            saved_path: None,
            warnings: Vec::new(),
        };
        ExposureResult { image, info }
    }
}
