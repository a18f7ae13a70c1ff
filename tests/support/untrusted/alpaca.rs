//! An answer of an Alpaca server, from the first byte of its HTTP on.

use indi_camera::backend::alpaca::untrusted::{self, Said};

/// Whatever comes out of a socket.
pub fn check(bytes: &[u8]) {
    let Ok(Said { body, content_type }) = untrusted::answer(bytes) else { return };
    assert!(body.len() <= bytes.len(), "{} bytes of body in {} bytes", body.len(), bytes.len());
    for bits in [8, 16, 32] {
        for size in sizes(&body) {
            if let Ok((planes, rows, columns)) = untrusted::image(&content_type, &body, size, bits) {
                assert_eq!([columns, rows], [size.0 as usize, size.1 as usize]);
                assert!(matches!(planes, 1 | 3));
            }
        }
    }
    let _ = untrusted::value(&body);
    let cameras = untrusted::cameras(&body);
    assert!(cameras.iter().all(|camera| !camera.name.is_empty() && camera.bus.is_some()));
    if let Some(port) = untrusted::port(&body) {
        assert!(port > 0);
    }
    let places = String::from_utf8_lossy(&body);
    if let Some(shown) = untrusted::places(&places) {
        assert_eq!(untrusted::places(&shown), Some(shown.clone()), "{places}");
    }
}

/// What could have been asked for: what the image says that it is, and something else.
fn sizes(body: &[u8]) -> [(u32, u32); 3] {
    let word = |at: usize| {
        let bytes = body.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        u32::from_le_bytes(bytes.unwrap_or_default())
    };
    [(word(32), word(36)), (2, 3), (0, 1)]
}
