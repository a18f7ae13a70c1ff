//! Settings as clients send them: many in one write, without waiting for answers.

use super::*;

/// Kind, vector and values.
type Change<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

/// Many changes in one write, as Ekos sends them at the start of a job.
fn burst(client: &mut Client, changes: &[Change<'_>]) {
    let mut text = String::new();
    for (kind, vector, values) in changes {
        text += &format!("<new{kind}Vector device=\"{DEVICE}\" name=\"{vector}\">");
        for (element, value) in *values {
            text += &format!("<one{kind} name=\"{element}\">{value}</one{kind}>");
        }
        text += &format!("</new{kind}Vector>\n");
    }
    client.send(&text);
}

fn next_frame(client: &mut Client) -> Fits {
    let vector = client.until(|element| element.is("setBLOBVector", "CCD1"), SOON);
    checked(&vector.blob().bytes)
}

fn facts(fits: &Fits) -> (&[usize], [f64; 7], &str) {
    let keywords = ["GAIN", "OFFSET", "XBINNING", "YBINNING", "XORGSUBF", "YORGSUBF", "EXPTIME"];
    (&fits.shape, keywords.map(|keyword| fits.number(keyword)), fits.get("IMAGETYP"))
}

#[test]
fn an_exposure_has_exactly_the_settings_that_came_before_it_in_the_same_write() {
    let server = Server::simulator();
    let mut client = ready(server.tcp());
    burst(
        &mut client,
        &[
            ("Switch", "UPLOAD_MODE", &[("UPLOAD_CLIENT", "On")]),
            ("Number", "CCD_GAIN", &[("GAIN", "42")]),
            ("Number", "CCD_OFFSET", &[("OFFSET", "77")]),
            ("Number", "CCD_BINNING", &[("HOR_BIN", "3"), ("VER_BIN", "2")]),
            ("Number", "CCD_FRAME", &[("X", "91"), ("Y", "50"), ("WIDTH", "301"), ("HEIGHT", "203")]),
            ("Switch", "CCD_FRAME_TYPE", &[("FRAME_DARK", "On")]),
            ("Number", "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", "0.3")]),
        ],
    );
    client.wait_for(|client| client.state("CCD_EXPOSURE") == "Busy", SOON);
    // What comes during the exposure is for the next one.
    burst(
        &mut client,
        &[
            ("Number", "CCD_GAIN", &[("GAIN", "7")]),
            ("Number", "CCD_BINNING", &[("HOR_BIN", "1"), ("VER_BIN", "1")]),
            ("Switch", "CCD_FRAME_TYPE", &[("FRAME_FLAT", "On")]),
        ],
    );
    let first = next_frame(&mut client);
    let numbers = [42.0, 77.0, 3.0, 2.0, 30.0, 25.0, 0.3];
    assert_eq!(facts(&first), ([100, 101].as_slice(), numbers, "Dark Frame"));
    ask_exposure(&mut client, SHORT);
    let second = next_frame(&mut client);
    let numbers = [7.0, 77.0, 1.0, 1.0, 91.0, 50.0, SHORT];
    assert_eq!(facts(&second), ([301, 203].as_slice(), numbers, "Flat Frame"));
}

#[test]
fn of_two_exposures_in_one_write_only_the_second_gives_a_frame() {
    let server = Server::simulator();
    let mut client = ready(server.tcp());
    burst(
        &mut client,
        &[
            ("Number", "CCD_GAIN", &[("GAIN", "1")]),
            ("Number", "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", "0.2")]),
            ("Number", "CCD_GAIN", &[("GAIN", "2")]),
            ("Number", "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", "0.3")]),
        ],
    );
    let frame = next_frame(&mut client);
    assert_eq!((frame.number("EXPTIME"), frame.number("GAIN")), (0.3, 2.0));
    let late = client.listen(Duration::from_millis(700));
    assert!(late.iter().all(|element| element.tag != "setBLOBVector"), "{}", client.report());
    assert_eq!(client.state("CCD_EXPOSURE"), "Ok");
}

#[test]
fn a_guider_gets_sub_frames_of_exactly_the_size_it_asks_wherever_the_star_is() {
    let server = Server::simulator();
    let mut client = ready(server.tcp());
    for bin in [1, 2, 3, 4] {
        let factor = bin.to_string();
        set(&mut client, "Number", "CCD_BINNING", &[("HOR_BIN", &factor), ("VER_BIN", &factor)]);
        let (right, bottom) = (1280 / bin, 1024 / bin);
        for (x, y, size) in
            [(0, 0, 31), (57, 13, 31), (right - 31, bottom - 31, 31), (right - 1, bottom - 1, 1)]
        {
            let [x, y, edge] = [x * bin, y * bin, size * bin].map(|pixels| pixels.to_string());
            let frame = [("X", x.as_str()), ("Y", &y), ("WIDTH", &edge), ("HEIGHT", &edge)];
            set(&mut client, "Number", "CCD_FRAME", &frame);
            assert_eq!(fits(&client.expose(0.01).bytes).shape, [size, size], "{frame:?} at bin {bin}");
        }
        // The full frame as PHD2 asks for it: the largest multiple of the binning.
        let [width, height] = [right * bin, bottom * bin].map(|pixels| pixels.to_string());
        let frame = [("X", "0"), ("Y", "0"), ("WIDTH", width.as_str()), ("HEIGHT", &height)];
        set(&mut client, "Number", "CCD_FRAME", &frame);
        assert_eq!(fits(&client.expose(0.01).bytes).shape, [right, bottom], "full frame at bin {bin}");
    }
}

#[test]
fn elements_of_one_vector_can_be_written_one_by_one_without_waiting() {
    let server = Server::simulator();
    let mut client = server.tcp();
    client.send("<getProperties version=\"1.7\"/>\n");
    client.wait_for(|client| client.vector("SIMULATOR_SENSOR").is_some(), SOON);
    let changes: [Change<'_>; 3] = [
        ("Number", "SIMULATOR_SENSOR", &[("WIDTH", "320")]),
        ("Number", "SIMULATOR_SENSOR", &[("HEIGHT", "200")]),
        ("Number", "SIMULATOR_SENSOR", &[("BITS", "12")]),
    ];
    burst(&mut client, &changes);
    let mut client = ready(client);
    assert_eq!(
        (client.number("CCD_INFO", "CCD_MAX_X"), client.number("CCD_INFO", "CCD_MAX_Y")),
        (320.0, 200.0)
    );
    assert_eq!(fits(&client.expose(SHORT).bytes).shape, [320, 200]);
}
