//! One element from the server, for a driver and for a client, and whatever else of the wire is text.

use indi_camera::wire::base64::{Decoder, NotBase64};
use indi_camera::wire::heard::{arriving, heard, moment};
use indi_camera::wire::{Kind, New, Request, nicknames, parse, write};

/// An element, well-formed or not.
pub fn check(bytes: &[u8]) {
    if let Ok(Some(request)) = parse::request(bytes) {
        let mut written = Vec::new();
        write::request(&request, &mut written);
        if let Request::New(new) = &request {
            again(new);
        }
    }
    let _ = heard(bytes);
    let _ = arriving(bytes);
    let text = String::from_utf8_lossy(bytes);
    let _ = moment(&text);
    if let Ok(named) = nicknames::with(&text, "Driver", "Serial & 1", "My <camera>") {
        let found = nicknames::find(&named, "Driver", "Serial & 1");
        assert_eq!(found, Ok(Some("My <camera>".to_owned())), "{named}");
    }
    decode(bytes);
}

/// What has been understood and is said again means the same.
fn again(new: &New) {
    let named = new.elements.iter().all(|(name, _)| is_plain(name));
    if matches!(new.kind, Kind::Blob | Kind::Light)
        || !named
        || !is_plain(&new.name)
        || !new.device.iter().all(|name| is_plain(name))
    {
        return;
    }
    let clean = |text: &str| {
        text.chars().filter(|c| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}')).eq(text.chars())
    };
    if !new.elements.iter().all(|(_, text)| clean(text)) {
        return;
    }
    let mut written = Vec::new();
    write::request(&Request::New(new.clone()), &mut written);
    let read = parse::request(&written);
    assert_eq!(read, Ok(Some(Request::New(new.clone()))), "{}", String::from_utf8_lossy(&written));
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// However its text is cut, a BLOB has the same bytes or none.
fn decode(text: &[u8]) {
    let whole = decoded(&[text]);
    let cut = text.split_at(text.len() / 3);
    assert_eq!(whole, decoded(&[cut.0, cut.1]));
}

fn decoded(pieces: &[&[u8]]) -> Result<Vec<u8>, NotBase64> {
    let mut decoder = Decoder::default();
    let mut bytes = Vec::new();
    for piece in pieces {
        decoder.push(piece, |some| {
            bytes.extend_from_slice(some);
            Ok::<(), NotBase64>(())
        })?;
    }
    decoder.finish(|some| {
        bytes.extend_from_slice(some);
        Ok::<(), NotBase64>(())
    })?;
    Ok(bytes)
}
