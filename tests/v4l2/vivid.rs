//! The kernel's virtual video camera: a webcam of several sizes as its first input, and as its second a grabber that can
//! crop. Its pixels are those that the kernel's own tool sees; its faults are those that it has for tests.

use std::fs;

use super::*;

const WEBCAM: &str = "0";
const GRABBER: &str = "1";
const SIZE: (u32, u32) = (320, 180);

/// The camera with an input and a pattern that stands still, as it is after every test before.
fn vivid(input: &str) -> Rig {
    v4l2_ctl(&["-i", input]);
    match input {
        GRABBER => v4l2_ctl(&["--set-dv-bt-timings", "index=0"]),
        _ => v4l2_ctl(&["-p", "30"]),
    };
    v4l2_ctl(&["-c", "osd_text_mode=2,test_pattern=0,percentage_of_dropped_buffers=0,brightness=256"]);
    Rig::of("vivid")
}

/// The webcam in a small size, connected.
fn webcam() -> (Rig, f64) {
    let mut rig = vivid(WEBCAM);
    rig.size(SIZE.0, SIZE.1);
    rig.client.connect();
    let seconds = rig.shortest();
    (rig, seconds)
}

/// The same with long exposures by adding frames, and one that lasts so many frames.
fn stacking(frames: f64) -> (Rig, f64) {
    let (mut rig, single) = webcam();
    rig.disconnect();
    rig.set("Switch", "V4L2_STACKING", &[("ON", "On")]);
    rig.client.connect();
    (rig, frames * single)
}

/// How the bytes of a format are read: the pixels row by row, plane by plane.
type Reading = fn(&[u8]) -> Vec<u32>;

/// What the kernel's tool sees.
fn grabbed(fourcc: &str) -> Vec<u8> {
    let folder = Folder::new();
    let file = folder.path().join("frame");
    let format = format!("--set-fmt-video=width={},height={},pixelformat={fourcc}", SIZE.0, SIZE.1);
    v4l2_ctl(&[&format, "--stream-mmap", "--stream-count=1", &format!("--stream-to={}", file.display())]);
    fs::read(file).unwrap()
}

/// Colours beside each other as planes above each other.
fn planes(pixels: &[u32]) -> Vec<u32> {
    (0..3).flat_map(|plane| pixels.iter().skip(plane).step_by(3).copied()).collect()
}

/// By the usual formula of BT.601, in floating point.
fn colours(yuyv: &[u8]) -> Vec<u32> {
    let pair = |four: &[u8]| {
        let (u, v) = (f64::from(four[1]) - 128.0, f64::from(four[3]) - 128.0);
        [four[0], four[2]].map(|y| {
            let y = (f64::from(y) - 16.0) * 255.0 / 219.0;
            [y + 1.596 * v, y - 0.391 * u - 0.813 * v, y + 2.018 * u].map(|value| value.clamp(0.0, 255.0))
        })
    };
    let pixels = yuyv.chunks_exact(4).flat_map(pair).flatten();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a byte")]
    planes(&pixels.map(|value| value.round() as u32).collect::<Vec<_>>())
}

#[test]
fn frames_in_every_format_are_those_that_the_kernels_tool_sees() {
    let (mut rig, seconds) = webcam();
    rig.disconnect();
    let formats: [(&str, Reading, u32); 8] = [
        ("GREY", bytes, 0),
        ("Y16 ", words, 0),
        ("RGGB", bytes, 0),
        ("RG10", words, 0),
        ("RG12", words, 0),
        ("RG16", words, 0),
        ("RGB3", |pixels| planes(&bytes(pixels)), 0),
        ("YUYV", colours, 2),
    ];
    let seen = formats.map(|(fourcc, ..)| grabbed(fourcc));
    rig.client.connect();
    for ((fourcc, expected, tolerance), seen) in formats.into_iter().zip(&seen) {
        rig.format(fourcc.trim());
        let frame = rig.frame(seconds);
        let planes = if frame.shape.len() == 3 { vec![3] } else { vec![] };
        assert_eq!(frame.shape, [vec![SIZE.0 as usize, SIZE.1 as usize], planes].concat(), "{fourcc}");
        let expected = expected(seen);
        let off = frame.pixels.iter().zip(&expected).map(|(one, other)| one.abs_diff(*other)).max();
        assert!(off <= Some(tolerance) && frame.pixels.len() == expected.len(), "{fourcc}: {off:?} off");
        assert!(expected.iter().any(|value| *value != expected[0]), "{fourcc}: a black frame shows nothing");
        let mosaic = frame.header.get("BAYERPAT").map_or("", String::as_str);
        assert_eq!(mosaic, if fourcc.starts_with("RG") && fourcc != "RGB3" { "RGGB" } else { "" });
    }
}

#[test]
fn a_camera_has_its_other_sizes_after_it_was_disconnected() {
    let (mut rig, _) = webcam();
    for (asked, granted) in [((640, 360), [640, 360]), ((300, 200), SIZE.into()), ((320, 180), SIZE.into())] {
        rig.disconnect();
        rig.size(asked.0, asked.1);
        rig.client.connect();
        rig.format("GREY");
        let seconds = rig.shortest();
        assert_eq!(rig.frame(seconds).shape, granted.map(|pixels| pixels as usize), "{asked:?}");
    }
}

#[test]
fn a_window_is_cropped_by_the_camera_and_what_it_cannot_is_cut_out() {
    let mut rig = vivid(GRABBER);
    rig.size(0, 0);
    rig.client.connect();
    let seconds = rig.shortest();
    for format in ["GREY", "RGGB", "Y16"] {
        rig.window([0, 0, 640, 480]);
        rig.format(format);
        let whole = rig.frame(seconds);
        assert_eq!(whole.shape, [640, 480]);
        for (window, cropped) in [
            ([64, 32, 128, 96], "Left 64, Top 32, Width 128, Height 96"),
            ([101, 53, 61, 47], "Left 100, Top 52, Width 62, Height 48"),
            ([638, 479, 2, 1], ""),
        ] {
            rig.window(window);
            let part = rig.frame(seconds);
            let [x, y, width, height] = window;
            let rows = whole.pixels.chunks(640).skip(y).take(height);
            let expected: Vec<u32> = rows.flat_map(|row| &row[x..x + width]).copied().collect();
            assert_eq!(part.shape, [width, height]);
            let told = v4l2_ctl(&["--get-selection", "target=crop"]);
            assert!(part.pixels == expected, "{format}: {window:?} is not the whole frame there, {told}");
            assert!(told.contains(cropped), "{format}: {window:?} became {told}");
        }
    }
}

#[test]
fn long_exposures_are_sums_only_if_asked_and_no_frame_that_is_damaged_or_was_lost_is_in_one() {
    let (mut rig, single) = webcam();
    rig.format("Y16");
    let one = rig.frame(single);
    assert!(!one.header.contains_key("NCOMBINE"));
    rig.client.new_vector("Number", "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", "5")]);
    rig.client.wait_for(|peer| peer.state("CCD_EXPOSURE") == "Alert", PATIENCE);
    drop(rig);
    let (mut rig, seconds) = stacking(25.0);
    rig.format("Y16");
    for fault in [
        "",
        "inject_v4l2_buf_flag_error=1",
        "percentage_of_dropped_buffers=40",
        "inject_vidioc_qbuf_error=1",
        "inject_fatal_streaming_error=1",
    ] {
        rig.begin(seconds);
        if !fault.is_empty() {
            v4l2_ctl(&["-c", fault]);
        }
        let sum = rig.received();
        assert_eq!(sum.number("NCOMBINE"), 25.0, "{fault}");
        assert!((sum.number("EXPTIME") - seconds).abs() < 1e-3, "{fault}");
        let expected: Vec<u32> = one.pixels.iter().map(|value| 25 * value).collect();
        assert!(sum.pixels == expected, "{fault}: the sum is another");
        v4l2_ctl(&["-c", "percentage_of_dropped_buffers=0"]);
    }
}

#[test]
fn a_stream_that_does_not_begin_or_that_dries_up_costs_one_exposure() {
    let (mut rig, seconds) = webcam();
    let expected = rig.frame(seconds);
    for (fault, healed) in [
        ("inject_vidioc_streamon_error=1", ""),
        ("inject_vidioc_reqbufs_error=1", ""),
        ("percentage_of_dropped_buffers=100", "percentage_of_dropped_buffers=0"),
    ] {
        // So that the next exposure has to begin one.
        rig.format("GREY");
        rig.format("Y16");
        v4l2_ctl(&["-c", fault]);
        let why = rig.fail(seconds);
        assert!(!why.is_empty());
        if !healed.is_empty() {
            v4l2_ctl(&["-c", healed]);
        }
        assert!(rig.frame(seconds).pixels == expected.pixels, "after {fault}: {why}");
    }
}

#[test]
fn a_camera_that_is_pulled_out_during_an_exposure_costs_one_and_comes_back_as_it_was() {
    let (mut rig, seconds) = stacking(60.0);
    rig.format("GREY");
    rig.number("CCD_GAIN", "GAIN", 77.0);
    rig.begin(seconds);
    v4l2_ctl(&["-c", "disconnect=1"]);
    assert_eq!(rig.ends(), ["Alert"]);
    rig.is_lost();
    rig.is_back();
    assert!(v4l2_ctl(&["-C", "gain"]).contains("gain: 77"));
    let seconds = rig.shortest();
    let frame = rig.frame(seconds);
    assert_eq!((frame.number("GAIN"), frame.shape), (77.0, vec![SIZE.0 as usize, SIZE.1 as usize]));
    assert_eq!(rig.client.get("CCD_CAPTURE_FORMAT", "GREY"), Some("On"));
}
