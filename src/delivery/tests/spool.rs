//! Frames on their way to the disk, with what can go wrong there.

use rustix::io::Errno;

use super::*;
use crate::host::disk::mishap::{Mishap, at, steps};
use crate::host::sum::Sum;

/// Delivers a frame for client, file and journal; `None` if it was cancelled.
fn deliver_kept(worker: &mut Worker, delivery: Delivery) -> Option<Report> {
    run(worker, Job::Deliver(Box::new(Delivery { keep: true, ..delivery }))).0
}

#[test]
fn a_disk_that_fails_at_any_step_costs_the_client_nothing_and_leaves_nothing_half_written() {
    let clean = Scratch::in_memory();
    let (_, all) =
        steps(|| deliver_kept(&mut worker(&clean, Transport::Inline), delivery(true, Some("A"))).unwrap());
    assert!(all.len() >= 12, "{all:?}");
    for (step, name) in all.iter().enumerate() {
        for errno in [Errno::NOSPC, Errno::IO, Errno::ROFS] {
            let scratch = Scratch::in_memory();
            let mut worker = worker(&scratch, Transport::Inline);
            let frame = delivery(true, Some("A"));
            let (report, _) = at(step, Mishap::Fails(errno), || deliver_kept(&mut worker, frame));
            let what = format!("{errno:?} at step {step}, {name}");
            let Some(Report::Delivered {
                blob: Some(Ok((payload, _))),
                file: Some(file),
                kept: Some(kept),
                ..
            }) = report
            else {
                panic!("{what}: {report:?}")
            };
            assert!(content(payload) == expected(), "{what}");
            // What is told of is there and whole.
            if let Ok(path) = &file {
                assert!(fs::read(path).unwrap() == expected(), "{what}");
            }
            if let Ok(kept) = &kept {
                assert_eq!((kept.spool.frames, &*kept.sha256), (1, &*Sum::of(&expected()).to_string()));
            }
            // One thing went wrong, and the frame is in one place at least, or in none that has its name.
            let is_told = file.is_err() || kept.is_err();
            assert!(is_told || ["open directory", "sync directory", "remove"].contains(name), "{what}");
            for file in scratch.names().iter().filter(|name| name.contains(".fits")) {
                assert!(fs::read(scratch.path().join(file)).unwrap() == expected(), "{what}");
            }
            assert!(!scratch.names().iter().any(|name| name.contains(".part")), "{what}");
            // And the next frame is welcome.
            let next = Delivery { name: "frame-6".to_owned(), ..delivery(true, Some("B")) };
            let Some(Report::Delivered { file: Some(Ok(_)), kept: Some(Ok(_)), .. }) =
                deliver_kept(&mut worker, next)
            else {
                panic!("{what}: the next frame")
            };
        }
    }
}

#[test]
fn a_cancelled_frame_is_neither_in_the_spool_nor_in_its_journal() {
    let scratch = Scratch::in_memory();
    let mut worker = worker(&scratch, Transport::Inline);
    let cancelled = delivery(true, None);
    cancelled.cancel.cancel();
    assert!(deliver_kept(&mut worker, cancelled).is_none());
    let Some(Report::Delivered { kept: Some(Ok(kept)), .. }) =
        deliver_kept(&mut worker, delivery(true, None))
    else {
        panic!("not kept")
    };
    assert_eq!((kept.spool.frames, kept.spool.waiting), (1, vec!["frame-5".to_owned()]));
    run(&mut worker, Job::Discard { frame: "frame-5".to_owned() });
    let (Some(Report::Listed(Ok(frames))), _) = run(&mut worker, Job::ListSpool) else { panic!("no list") };
    assert_eq!(frames, []);
}

#[test]
fn frames_that_nobody_wants_to_be_kept_are_not_summed() {
    let scratch = Scratch::in_memory();
    let mut worker = worker(&scratch, Transport::Inline);
    deliver(&mut worker, delivery(true, Some("A"))).unwrap();
    deliver(&mut worker, delivery(true, None)).unwrap();
    assert_eq!(scratch.names(), ["A.fits"], "no spool");
}

#[test]
fn a_frame_is_sent_again_in_every_format() {
    for (encoding, suffix) in [
        (Encoding::Fits, ".fits"),
        (Encoding::FitsRice, ".fits.fz"),
        (Encoding::NativeZlib, ".bin"),
        (Encoding::Xisf { compressed: true }, ".xisf"),
    ] {
        for transport in [Transport::Attached, Transport::Inline] {
            let scratch = Scratch::in_memory();
            let mut worker = worker(&scratch, transport);
            deliver_kept(&mut worker, Delivery { encoding, ..delivery(true, None) }).unwrap();
            let stored = scratch.path().join("spool").join(format!("frame-5{suffix}"));
            let (Some(Report::Resent { blob: Ok((payload, format)), .. }), _) =
                run(&mut worker, Job::Resend("frame-5".to_owned()))
            else {
                panic!("not sent")
            };
            assert_eq!(format, suffix);
            let bytes = fs::read(&stored).unwrap();
            assert!(content(payload) == bytes);
            let longer = [&bytes[..], b"x"].concat();
            for damaged in [&bytes[1..], &longer[1..], &longer[..], b""] {
                fs::write(&stored, damaged).unwrap();
                let (Some(Report::Resent { blob: Err(error), .. }), _) =
                    run(&mut worker, Job::Resend("frame-5".to_owned()))
                else {
                    panic!("{} bytes were sent", damaged.len())
                };
                assert!(error.to_string().contains("changed or damaged"), "{error}");
            }
        }
    }
}

#[test]
fn taking_a_frame_back_leaves_a_later_one_of_the_same_name_alone() {
    let scratch = Scratch::in_memory();
    let settings = settings(&scratch, Transport::Inline);
    let frame = |name: &str| Delivery { name: name.to_owned(), ..delivery(false, Some("M31")) };
    // The thread that has stored the first one was given up meanwhile.
    deliver_kept(&mut Worker::new(settings.clone()), frame("first")).unwrap();
    let mut worker = Worker::new(settings);
    deliver_kept(&mut worker, frame("second")).unwrap();
    let discard = |frame: &str| Job::Discard { frame: frame.to_owned() };
    run(&mut worker, discard("first"));
    assert!(fs::read(scratch.path().join("M31.fits")).unwrap() == expected());
    let (Some(Report::Listed(Ok(frames))), _) = run(&mut worker, Job::ListSpool) else { panic!("no list") };
    assert_eq!(frames.iter().map(|frame| &*frame.name).collect::<Vec<_>>(), ["second"]);
    run(&mut worker, discard("second"));
    assert!(!scratch.names().contains(&"M31.fits".to_owned()));
}

#[test]
fn a_thread_that_takes_over_takes_back_what_the_other_one_has_stored() {
    let scratch = Scratch::in_memory();
    let settings = settings(&scratch, Transport::Inline);
    deliver_kept(&mut Worker::new(settings.clone()), delivery(false, Some("M31"))).unwrap();
    run(&mut Worker::new(settings), Job::Discard { frame: "frame-5".to_owned() });
    assert_eq!(scratch.names(), ["spool"]);
}
