use std::cell::{Cell, RefCell};
use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::mpsc;
use std::time::SystemTime;

use ndarray::Array3;

use super::*;
use crate::camera::types::{Binning, Cancel, Frame, FrameInfo, Roi, Spare};
use crate::device::job::{Encoding, FileTarget, Press};
use crate::host::scratch::Scratch;
use crate::image::fits;
use crate::image::header::Card;
use crate::wire::{Kind, New, Payload};

const FULL: Roi = Roi { x: 0, y: 0, width: 40, height: 30 };

pub(super) fn settings(scratch: &Scratch, transport: Transport) -> Settings {
    Settings {
        device: "Camera".to_owned(),
        transport,
        folders: Folders::new(scratch.path().to_owned()),
        spool: scratch.path().join("spool"),
        limits: Agreed::default(),
        written: Written::default(),
        zone: TimeZone::UTC,
        config: ConfigFile::new(None, scratch.path(), "Camera"),
        nicknames: NicknameFile::new(scratch.path(), "Camera"),
    }
}

fn worker(scratch: &Scratch, transport: Transport) -> Worker {
    Worker::new(settings(scratch, transport))
}

/// What a job ends with. A copy that is told of early is put into its answer, as the device does it.
fn run(worker: &mut Worker, job: Job) -> Answer {
    let early = RefCell::new(None);
    let mut answer = worker.run(job, &|report| {
        let Report::Encoded { blob, .. } = report else { panic!("{report:?} is no copy") };
        assert!(early.replace(Some(blob)).is_none(), "told twice");
    });
    if let (Some(Report::Delivered { blob, .. }), Some(copy)) = (&mut answer.0, early.take()) {
        assert!(blob.replace(Ok(copy)).is_none(), "told early and late");
    }
    answer
}

pub(super) fn delivery(client: bool, prefix: Option<&str>) -> Delivery {
    let now = SystemTime::UNIX_EPOCH;
    let info = FrameInfo::new(now, Duration::ZERO, FULL);
    let pixels = Array3::from_shape_fn((1, 30, 40), |(_, y, x)| u16::try_from(1000 * y + x).unwrap());
    let file =
        |prefix: &str| FileTarget { directory: String::new(), prefix: prefix.to_owned(), started: now };
    Delivery {
        id: ExposureId(5),
        name: "frame-5".to_owned(),
        cancel: Cancel::default(),
        spare: Spare::default(),
        frame: Frame { pixels: Pixels::U16(pixels), info },
        roi: Roi { x: 1, y: 2, width: 20, height: 10 },
        binning: Binning { x: 2, y: 1 },
        cards: vec![Card { keyword: "COMMENT".to_owned(), value: None, comment: "test".to_owned() }],
        encoding: Encoding::Fits,
        client,
        file: prefix.map(file),
        keep: false,
    }
}

/// The file that [`delivery`] has to become.
fn expected() -> Vec<u8> {
    let wanted = delivery(true, None);
    let frame = window::fit(wanted.frame, wanted.roi, wanted.binning).unwrap();
    let mut bytes = vec![0; fits::encoded_len(&wanted.cards, &frame.pixels)];
    fits::encode(&wanted.cards, &frame.pixels, &mut bytes).unwrap();
    bytes
}

fn content(payload: Payload) -> Vec<u8> {
    match payload {
        Payload::Inline(bytes) | Payload::Deflated { bytes, .. } => bytes.to_vec(),
        Payload::Attached(blob) => {
            let mut bytes = vec![0; usize::try_from(blob.len().get()).unwrap()];
            fs::File::from(blob.fd().try_clone_to_owned().unwrap()).read_exact(&mut bytes).unwrap();
            bytes
        }
    }
}

type Delivered = (Option<Result<Vec<u8>, DeliveryError>>, Option<Result<PathBuf, DeliveryError>>);

fn deliver(worker: &mut Worker, delivery: Delivery) -> Option<Delivered> {
    match run(worker, Job::Deliver(Box::new(delivery))).0? {
        Report::Delivered { id, blob, file, .. } => {
            assert_eq!(id, ExposureId(5));
            let blob = blob.map(|blob| blob.map(|(payload, format)| (content(payload), format)));
            let blob = blob.map(|blob| {
                blob.map(|(bytes, format)| {
                    assert_eq!(format, ".fits");
                    bytes
                })
            });
            Some((blob, file))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn client_and_file_get_the_same_bytes() {
    for transport in [Transport::Attached, Transport::Inline] {
        let scratch = Scratch::new();
        let mut worker = worker(&scratch, transport);
        for reserve in [None, Some(400), Some(123_456)] {
            if let Some(bytes) = reserve {
                run(&mut worker, Job::Reserve { bytes });
                worker.memory.prepare();
            }
            let (blob, file) = deliver(&mut worker, delivery(true, Some("A"))).unwrap();
            assert!(blob.unwrap().unwrap() == expected(), "{transport:?} {reserve:?}");
            assert!(fs::read(file.unwrap().unwrap()).unwrap() == expected());
        }
        let (blob, file) = deliver(&mut worker, delivery(false, Some("A"))).unwrap();
        assert!(blob.is_none() && fs::read(file.unwrap().unwrap()).unwrap() == expected());
        let (blob, file) = deliver(&mut worker, delivery(true, None)).unwrap();
        assert!(blob.unwrap().unwrap() == expected() && file.is_none());
    }
}

#[test]
fn the_clients_copy_is_there_before_anything_is_stored() {
    for (transport, keep) in [(Transport::Attached, false), (Transport::Inline, true)] {
        let scratch = Scratch::new();
        let mut worker = worker(&scratch, transport);
        let told = Cell::new(0);
        let wanted = Delivery { keep, ..delivery(true, Some("A")) };
        let (answer, _) = worker.run(Job::Deliver(Box::new(wanted)), &|report| {
            let Report::Encoded { id: ExposureId(5), blob: (payload, ".fits") } = report else {
                panic!("{report:?}")
            };
            assert!(content(payload) == expected());
            assert!(scratch.names().is_empty());
            told.set(told.get() + 1);
        });
        assert_eq!(told.get(), 1);
        let Some(Report::Delivered { blob: None, file: Some(Ok(path)), .. }) = answer else {
            panic!("{answer:?}")
        };
        assert!(fs::read(path).unwrap() == expected());
    }
}

#[test]
fn every_encoding_reaches_client_and_disk() {
    let compressed_xisf = Encoding::Xisf { compressed: true };
    for (encoding, attached, inline, suffix) in [
        (Encoding::Fits, ".fits", ".fits", ".fits"),
        (Encoding::FitsRice, ".fits.fz", ".fits.fz", ".fits.fz"),
        (Encoding::Native, ".bin", ".bin", ".bin"),
        // What is inflated by the client is the file.
        (Encoding::NativeZlib, ".bin", ".bin.z", ".bin"),
        (Encoding::Xisf { compressed: false }, ".xisf", ".xisf", ".xisf"),
        (compressed_xisf, ".xisf", ".xisf", ".xisf"),
    ] {
        for (transport, sent) in [(Transport::Attached, attached), (Transport::Inline, inline)] {
            for reserve in [false, true] {
                let scratch = Scratch::new();
                let mut worker = worker(&scratch, transport);
                if reserve {
                    run(&mut worker, Job::Reserve { bytes: 400 });
                }
                let delivery = Delivery { encoding, ..delivery(true, Some("A")) };
                let (Some(report), _) = run(&mut worker, Job::Deliver(Box::new(delivery))) else { panic!() };
                let Report::Delivered { blob: Some(Ok((payload, format))), file: Some(Ok(path)), .. } =
                    report
                else {
                    panic!("{report:?}")
                };
                assert_eq!(format, sent);
                assert_eq!(path, scratch.path().join(format!("A{suffix}")));
                let saved = fs::read(path).unwrap();
                assert_eq!(payload.size(), saved.len() as u64, "{encoding:?}");
                if format == ".bin.z" {
                    assert_ne!(payload.len(), payload.size());
                } else {
                    assert!(content(payload) == saved, "{encoding:?}");
                }
            }
        }
    }
}

#[test]
fn what_cannot_be_encoded_is_told() {
    let scratch = Scratch::new();
    let empty = Frame { pixels: Pixels::U8(Array3::zeros((1, 0, 4))), ..delivery(true, None).frame };
    let answer = worker(&scratch, Transport::Inline).encode(Encoding::FitsRice, &[], &empty);
    assert!(matches!(answer.map(|_| ()), Err(DeliveryError::Encode(_))));
}

#[test]
fn memory_is_freed_when_nothing_happens() {
    let scratch = Scratch::new();
    let mut worker = worker(&scratch, Transport::Attached);
    let (_jobs, queue) = mpsc::channel();
    let sent = delivery(true, None);
    let spare = sent.spare.clone();
    let (_report, pixels) = run(&mut worker, Job::Deliver(Box::new(sent)));
    spare.leave(pixels.unwrap());
    run(&mut worker, Job::Reserve { bytes: 400 });
    assert!(matches!(worker.wait(&queue, Duration::ZERO), Wait::Idle));
    assert!(worker.memory.is_empty());
    assert_eq!(spare, worker.spare);
    assert!(spare.is_empty());
}

#[test]
fn the_pixels_of_a_delivered_frame_serve_the_next_read_out() {
    let scratch = Scratch::new();
    let (reports, heard) = mpsc::channel();
    let DeliveryThread { jobs, thread, .. } =
        DeliveryThread::spawn(settings(&scratch, Transport::Attached), move |report| {
            reports.send(report).is_ok()
        })
        .unwrap();
    let whole = Delivery { roi: FULL, binning: Binning::NONE, ..delivery(true, None) };
    let Pixels::U16(pixels) = &whole.frame.pixels else { panic!("not 16 bit") };
    let (spare, len, at) = (whole.spare.clone(), pixels.len(), pixels.as_ptr());
    jobs.send(Job::Deliver(Box::new(whole))).unwrap();
    heard.recv().unwrap();
    drop(jobs);
    thread.join().unwrap();
    let room = spare.room::<u16>(len);
    assert_eq!(room.as_ptr(), at);
}

#[test]
fn a_failed_file_does_not_keep_the_frame_from_the_client() {
    let scratch = Scratch::new();
    let (blob, file) =
        deliver(&mut worker(&scratch, Transport::Attached), delivery(true, Some("a/b"))).unwrap();
    assert!(blob.unwrap().unwrap() == expected());
    assert!(matches!(file.unwrap(), Err(DeliveryError::File { .. })));
}

#[test]
fn a_frame_that_does_not_cover_the_window_fails_for_both() {
    let scratch = Scratch::new();
    let wrong = Delivery { roi: Roi { width: 400, ..FULL }, ..delivery(true, Some("A")) };
    let (blob, file) = deliver(&mut worker(&scratch, Transport::Attached), wrong).unwrap();
    assert!(matches!(blob.unwrap(), Err(DeliveryError::Encode(_))));
    assert!(matches!(file.unwrap(), Err(DeliveryError::Encode(_))));
}

#[test]
fn a_cancelled_frame_goes_nowhere() {
    let scratch = Scratch::new();
    let cancelled = delivery(true, Some("A"));
    cancelled.cancel.cancel();
    assert!(deliver(&mut worker(&scratch, Transport::Attached), cancelled).is_none());
    assert!(scratch.names().is_empty());
}

#[test]
fn a_panic_is_reported_as_a_failed_frame() {
    let answer = guarded(
        || panic!("sensor on {}", "fire"),
        |why| Some(undelivered(ExposureId(5), true, false, &DeliveryError::Encode(why))),
    );
    let Some(Report::Delivered { blob: Some(Err(error)), file: None, .. }) = answer.0 else {
        panic!("{answer:?}")
    };
    assert_eq!(error, DeliveryError::Encode("internal error: sensor on fire".to_owned()));
}

#[test]
fn the_thread_answers_in_order_and_ends_with_its_jobs() {
    let scratch = Scratch::new();
    let (reports, heard) = mpsc::channel();
    let DeliveryThread { jobs, thread, .. } =
        DeliveryThread::spawn(settings(&scratch, Transport::Attached), move |report| {
            reports.send(report).is_ok()
        })
        .unwrap();
    let document = vec![New {
        device: Some("Camera".to_owned()),
        name: "DEBUG".to_owned(),
        kind: Kind::Switch,
        elements: vec![("ENABLE".to_owned(), "On".to_owned())],
    }];
    jobs.send(Job::LoadConfig(Press(1), ConfigSource::Saved)).unwrap();
    jobs.send(Job::SaveConfig(Press(2), document)).unwrap();
    jobs.send(Job::Reserve { bytes: 400 }).unwrap();
    jobs.send(Job::Deliver(Box::new(delivery(true, None)))).unwrap();
    jobs.send(Job::LoadConfig(Press(1), ConfigSource::Saved)).unwrap();
    jobs.send(Job::PurgeConfig(Press(3))).unwrap();
    jobs.send(Job::PurgeConfig(Press(3))).unwrap();
    drop(jobs);
    let heard: Vec<Report> = heard.iter().collect();
    thread.join().unwrap();
    assert!(
        matches!(
            &heard[..],
            [
                Report::Loaded(Press(1), Ok(None)),
                Report::Saved(Press(2), Ok(())),
                Report::Begun { .. },
                Report::Delivered { blob: Some(Ok(_)), file: None, .. },
                Report::Loaded(Press(1), Ok(Some(document))),
                Report::Purged(Press(3), Ok(true)),
                Report::Purged(Press(3), Ok(false)),
            ] if document[0].name == "DEBUG"
        ),
        "{heard:?}"
    );
}

#[test]
fn a_broken_configuration_is_told() {
    let scratch = Scratch::new();
    let mut worker = worker(&scratch, Transport::Inline);
    fs::create_dir(scratch.path().join(".indi")).unwrap();
    fs::write(worker.config.path(), "<broken").unwrap();
    let path = worker.config.path().to_owned();
    let (answer, _) = run(&mut worker, Job::LoadConfig(Press(1), ConfigSource::Saved));
    assert!(
        matches!(answer, Some(Report::Loaded(_, Err(DeliveryError::File { path: at, .. }))) if at == path)
    );
    let nowhere = ConfigFile::new(None, Path::new("/dev/null"), "A");
    worker.config = nowhere;
    assert!(matches!(
        run(&mut worker, Job::SaveConfig(Press(2), Vec::new())).0,
        Some(Report::Saved(_, Err(DeliveryError::File { .. })))
    ));
}

/// The file of an exposure as the bytes behind its text.
fn recalled(worker: &mut Worker, id: u64, path: Option<PathBuf>) -> Option<Vec<u8>> {
    match run(worker, Job::Recall { id: ExposureId(id), path }).0 {
        Some(Report::Recalled { text, .. }) => {
            text.unwrap().map(|text| base64::Engine::decode(&base64::prelude::BASE64_STANDARD, text).unwrap())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_frame_that_was_sent_last_can_be_had_as_a_text() {
    for transport in [Transport::Attached, Transport::Inline] {
        let scratch = Scratch::new();
        let mut worker = worker(&scratch, transport);
        assert_eq!(recalled(&mut worker, 5, None), None);
        deliver(&mut worker, delivery(true, None)).unwrap();
        for _ in 0..2 {
            assert!(recalled(&mut worker, 5, None).unwrap() == expected(), "{transport:?}");
        }
        assert_eq!(recalled(&mut worker, 4, None), None, "another frame");
        // One that only became a file is read again.
        let (_, file) = deliver(&mut worker, delivery(false, Some("A"))).unwrap();
        let path = file.unwrap().unwrap();
        assert_eq!(recalled(&mut worker, 5, None), None, "the frame before is forgotten");
        assert!(recalled(&mut worker, 5, Some(path.clone())).unwrap() == expected());
        fs::remove_file(&path).unwrap();
        let Some(Report::Recalled { text, .. }) =
            run(&mut worker, Job::Recall { id: ExposureId(5), path: Some(path) }).0
        else {
            panic!("no answer")
        };
        assert!(matches!(text, Err(DeliveryError::File { .. })), "{text:?}");
    }
}

#[test]
fn a_long_frame_is_not_kept() {
    let scratch = Scratch::new();
    let mut worker = worker(&scratch, Transport::Inline);
    let mut long = delivery(true, Some("A"));
    long.frame.pixels = Pixels::U16(Array3::zeros((1, 2048, 1025)));
    long.roi = Roi { x: 0, y: 0, width: 1025, height: 2048 };
    long.frame.info.roi = long.roi;
    long.binning = Binning::NONE;
    let (_, file) = deliver(&mut worker, long).unwrap();
    assert_eq!(recalled(&mut worker, 5, None), None);
    assert_eq!(recalled(&mut worker, 5, Some(file.unwrap().unwrap())), None);
}

mod spool;
