//! What a server may say, for whoever tries to do harm with it: tests and fuzz targets.

use std::ops::ControlFlow;
use std::time::Duration;

use super::http::{self, Answer, Patience};
use super::places::Places;
use super::{api, discovery, image, scan};
use crate::camera::types::{CameraId, Pixels};

/// An answer, read as it comes out of a socket.
#[derive(Debug)]
pub struct Said {
    /// Without parameters, in small letters.
    pub content_type: String,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// Reads one answer; otherwise one sentence.
pub fn answer(bytes: &[u8]) -> Result<Said, String> {
    let mut watch = |_, _| ControlFlow::Continue(());
    let patience = Patience { limit: Duration::from_secs(60), by_piece: false, watch: &mut watch };
    let Answer { content_type, body, .. } =
        http::answer(bytes, patience).map_err(|fault| fault.of("untrusted", "a server").to_string())?;
    Ok(Said { content_type, body })
}

/// The frame in an answer: planes, rows and columns.
pub fn image(
    content_type: &str,
    body: &[u8],
    size: (u32, u32),
    bits: u8,
) -> Result<(usize, usize, usize), String> {
    let answer = Answer { status: 200, content_type: content_type.to_owned(), body: body.to_vec() };
    let image =
        image::decode(&answer, size, bits).map_err(|fault| fault.of("untrusted", "a server").to_string())?;
    Ok(match &image.pixels {
        Pixels::U8(array) => array.dim(),
        Pixels::U16(array) => array.dim(),
        Pixels::U32(array) => array.dim(),
    })
}

/// The value in an answer, if it has one.
#[must_use]
pub fn value(body: &[u8]) -> Option<serde_json::Value> {
    let content_type = "application/json".to_owned();
    api::value(&Answer { status: 200, content_type, body: body.to_vec() }).ok()
}

/// The cameras that a server lists.
#[must_use]
pub fn cameras(body: &[u8]) -> Vec<CameraId> {
    value(body).map(|list| scan::listed("a:1", &list)).unwrap_or_default()
}

/// The port in an answer to discovery.
#[must_use]
pub fn port(body: &[u8]) -> Option<u16> {
    discovery::port(body)
}

/// A user's list of addresses, as it is shown again.
#[must_use]
pub fn places(list: &str) -> Option<String> {
    list.parse().ok().map(|places: Places| places.to_string())
}
