//! The whole way of a frame of 4656 x 3520 pixels of 16 bits (32.8 MB) through the delivery thread.

use std::ffi::OsString;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, sync_channel};
use std::time::{Duration, SystemTime};

use divan::Bencher;
use indi_camera::camera::types::{Cancel, ExposureId, Spare};
use indi_camera::delivery::blob::{Buffer, Transport};
use indi_camera::delivery::folders::Folders;
use indi_camera::delivery::{DeliveryThread, Settings, Written};
use indi_camera::device::job::{ConfigSource, Delivery, Encoding, Job, Press, Report};
use indi_camera::host::config_file::ConfigFile;
use indi_camera::host::nicknames::NicknameFile;
use indi_camera::host::spool::Agreed;
use indi_camera::image::{Binning, Frame, FrameInfo, Pixels, Roi};
use ndarray::Array3;

const FULL: Roi = Roi { x: 0, y: 0, width: 4656, height: 3520 };
const BYTES: usize = (FULL.width * FULL.height * 2) as usize;

fn main() {
    divan::main();
}

/// Memory made, zeroed and mapped: what a reservation takes off the way of a frame.
#[divan::bench]
fn reserve(bencher: Bencher<'_, '_>) {
    bencher.bench_local(|| Buffer::new(Transport::Attached, BYTES).ok());
}

/// Cut to its size and sealed.
#[divan::bench]
fn seal(bencher: Bencher<'_, '_>) {
    let buffer = || Buffer::new(Transport::Attached, BYTES + 8640).ok();
    bencher
        .with_inputs(buffer)
        .bench_local_values(|buffer| buffer.map(|buffer| buffer.into_payload(BYTES).ok()));
}

#[divan::bench(args = [Transport::Attached, Transport::Inline])]
fn deliver_reserved(bencher: Bencher<'_, '_>, transport: Transport) {
    deliver(bencher, transport, true);
}

#[divan::bench(args = [Transport::Attached, Transport::Inline])]
fn deliver_unprepared(bencher: Bencher<'_, '_>, transport: Transport) {
    deliver(bencher, transport, false);
}

fn deliver(bencher: Bencher<'_, '_>, transport: Transport, prepare: bool) {
    let (jobs, heard) = thread(transport);
    bencher
        .with_inputs(|| {
            if prepare {
                let _ = jobs.send(Job::Reserve { bytes: BYTES });
            }
            let job = job();
            // Answered when everything before it is done, the freeing of the last frame too.
            let _ = jobs.send(Job::LoadConfig(Press::default(), ConfigSource::Saved));
            let _ = heard.recv();
            job
        })
        .bench_local_values(|job| {
            let _ = jobs.send(job);
            heard.recv().ok()
        });
}

fn thread(transport: Transport) -> (Sender<Job>, Receiver<Report>) {
    let (reports, heard) = sync_channel(4);
    let settings = Settings {
        device: "bench".to_owned(),
        transport,
        folders: Folders::new("/nonexistent".into()),
        spool: "/nonexistent".into(),
        limits: Agreed::default(),
        written: Written::default(),
        zone: jiff::tz::TimeZone::UTC,
        config: ConfigFile::new(
            Some(OsString::from("/nonexistent/config.xml")),
            Path::new("/nonexistent"),
            "bench",
        ),
        nicknames: NicknameFile::new(Path::new("/nonexistent"), "bench"),
    };
    let thread = DeliveryThread::spawn(settings, move |report| {
        matches!(report, Report::Begun { .. }) || reports.send(report).is_ok()
    });
    #[allow(clippy::expect_used, reason = "a benchmark without its thread has nothing to say")]
    (thread.expect("a thread").jobs, heard)
}

fn job() -> Job {
    let info = FrameInfo::new(SystemTime::UNIX_EPOCH, Duration::ZERO, FULL);
    let pixels = Pixels::U16(Array3::from_elem((1, FULL.height as usize, FULL.width as usize), 1000));
    Job::Deliver(Box::new(Delivery {
        id: ExposureId(1),
        name: "bench-1".to_owned(),
        cancel: Cancel::default(),
        spare: Spare::default(),
        frame: Frame { pixels, info },
        roi: FULL,
        binning: Binning::NONE,
        cards: Vec::new(),
        encoding: Encoding::Fits,
        client: true,
        file: None,
        keep: false,
    }))
}
