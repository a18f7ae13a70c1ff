//! `Nicknames.xml`, the file in which all drivers of libindi keep what users call their cameras:
//!
//! ```xml
//! <INDINicknames>
//!   <device name="DRIVER_NAME">
//!     <nickname identifier="SERIAL">Text</nickname>
//!   </device>
//! </INDINicknames>
//! ```
//! It is changed in place: whatever else stands in it belongs to others and stays as it is, to the byte.

use std::ops::Range;

use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::{BytesStart, Event};

use super::source::{push_reference, trim, unescape};

const ROOT: &str = "INDINicknames";

/// What the camera of that driver and serial number is called.
pub fn find(text: &str, driver: &str, serial: &str) -> Result<Option<String>, String> {
    let nickname = Places::find(text, driver, serial)?.entry.map(|(_, nickname)| nickname);
    Ok(nickname.filter(|nickname| !nickname.is_empty()))
}

/// The file with that camera called so; an empty nickname takes its entry out.
pub fn with(text: &str, driver: &str, serial: &str, nickname: &str) -> Result<String, String> {
    let places = Places::find(text, driver, serial)?;
    let (driver, serial, escaped) = (escape(driver), escape(serial), escape(nickname));
    let entry = format!("<nickname identifier=\"{serial}\">{escaped}</nickname>");
    let device = format!("  <device name=\"{driver}\">\n    {entry}\n  </device>\n");
    let (range, new) = match places {
        Places { entry: Some((range, _)), .. } if nickname.is_empty() => (range, String::new()),
        Places { entry: Some((range, _)), .. } => (range, entry),
        _ if nickname.is_empty() => return Ok(text.to_owned()),
        Places { device_end: Some(at), .. } => (at..at, format!("  {entry}\n  ")),
        Places { root_end: Some(at), .. } => (at..at, device),
        _ => return Ok(format!("<{ROOT}>\n{device}</{ROOT}>\n")),
    };
    let mut text = text.to_owned();
    text.replace_range(range, &new);
    Ok(text)
}

/// Where something stands, or would.
#[derive(Default)]
struct Places {
    entry: Option<(Range<usize>, String)>,
    /// Before the closing tag of the driver's element.
    device_end: Option<usize>,
    /// Before the closing tag of the whole.
    root_end: Option<usize>,
}

impl Places {
    fn find(text: &str, driver: &str, serial: &str) -> Result<Places, String> {
        let mut places = Places::default();
        let mut reader = Reader::from_str(text);
        reader.config_mut().allow_dangling_amp = true;
        let position = |at: u64| usize::try_from(at).unwrap_or(text.len()).min(text.len());
        let mut depth = 0_usize;
        let mut ours = false;
        let mut entry: Option<(usize, String)> = None;
        loop {
            let at = position(reader.buffer_position());
            match reader.read_event().map_err(|error| error.to_string())? {
                Event::Start(tag) => {
                    depth += 1;
                    match (depth, tag.name().into_inner()) {
                        (1, ROOT) => {}
                        (1, other) => return Err(format!("begins with {other} instead of {ROOT}")),
                        (2, tag_name) => ours = tag_name == "device" && has(&tag, "name", driver),
                        (3, "nickname") if ours && has(&tag, "identifier", serial) => {
                            entry = Some((at, String::new()));
                        }
                        _ => {}
                    }
                }
                Event::Text(part) => {
                    if let Some((_, nickname)) = &mut entry {
                        nickname.push_str(&part.xml10_content());
                    }
                }
                Event::GeneralRef(name) => {
                    if let Some((_, nickname)) = &mut entry {
                        push_reference(&name, nickname);
                    }
                }
                Event::End(_) => {
                    match depth {
                        1 => places.root_end = Some(at),
                        2 if ours => places.device_end = Some(at),
                        3 => {
                            let end = position(reader.buffer_position());
                            let entry = entry.take().map(|(from, name)| (from..end, trim(&name).to_owned()));
                            places.entry = places.entry.or(entry);
                        }
                        _ => {}
                    }
                    depth = depth.saturating_sub(1);
                }
                Event::Eof if depth > 0 => return Err("ends without its closing tag".to_owned()),
                Event::Eof => return Ok(places),
                _ => {}
            }
        }
    }
}

fn has(tag: &BytesStart<'_>, attribute: &str, value: &str) -> bool {
    tag.attributes()
        .with_checks(false)
        .flatten()
        .any(|found| found.key.into_inner() == attribute && unescape(&found.value) == value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As libindi leaves it after two drivers have written to it, with a comment of the user's.
    const OTHERS: &str = r#"<INDINicknames>
  <!-- mine -->
  <device name="ZWO CCD">
    <nickname identifier="SN-1">guider</nickname>
    <nickname identifier="SN-2">a &amp; b</nickname>
  </device>
  <device name="QHY CCD"><nickname identifier="SN-1">big</nickname></device>
</INDINicknames>
"#;

    #[track_caller]
    fn called(text: &str, driver: &str, serial: &str, expected: Option<&str>) {
        assert_eq!(find(text, driver, serial).unwrap().as_deref(), expected, "{text}");
    }

    #[test]
    fn a_nickname_belongs_to_driver_and_serial() {
        called(OTHERS, "ZWO CCD", "SN-1", Some("guider"));
        called(OTHERS, "ZWO CCD", "SN-2", Some("a & b"));
        called(OTHERS, "QHY CCD", "SN-1", Some("big"));
        called(OTHERS, "QHY CCD", "SN-2", None);
        called("", "QHY CCD", "SN-2", None);
    }

    #[test]
    fn a_change_leaves_everything_else_to_the_byte() {
        let text = with(OTHERS, "ZWO CCD", "SN-1", "<north>").unwrap();
        assert_eq!(text, OTHERS.replace("guider", "&lt;north&gt;"));
        called(&text, "ZWO CCD", "SN-1", Some("<north>"));
        let text = with(OTHERS, "QHY CCD", "SN-1", "").unwrap();
        assert_eq!(text, OTHERS.replace(r#"<nickname identifier="SN-1">big</nickname>"#, ""));
        assert_eq!(with(OTHERS, "QHY CCD", "SN-9", "").unwrap(), OTHERS);
    }

    #[test]
    fn a_new_camera_and_a_new_driver_find_their_place() {
        let text = with(OTHERS, "ZWO CCD", "SN\"3", "third").unwrap();
        let text = with(&text, "Camera Simulator", "SIM", "one").unwrap();
        called(&text, "ZWO CCD", "SN\"3", Some("third"));
        called(&text, "Camera Simulator", "SIM", Some("one"));
        for (driver, serial, name) in
            [("ZWO CCD", "SN-1", "guider"), ("ZWO CCD", "SN-2", "a & b"), ("QHY CCD", "SN-1", "big")]
        {
            called(&text, driver, serial, Some(name));
        }
        assert!(text.contains("<!-- mine -->"));
    }

    #[test]
    fn the_first_nickname_makes_the_file() {
        for nothing in ["", "\n", "<INDINicknames/>"] {
            let text = with(nothing, "D", "S", "n").unwrap();
            called(&text, "D", "S", Some("n"));
        }
    }

    #[test]
    fn a_file_that_cannot_be_understood_is_not_changed() {
        for broken in ["<INDINicknames><device", "<INDINicknames><device name='D'>", "<other></other>"] {
            assert!(with(broken, "D", "S", "n").is_err(), "{broken}");
        }
    }
}
