//! Numbers of clients, and formats of packagers.

use indi_camera::wire::number::{self, Decimal, MAX_FIELD};

/// Eight bytes of a number, then a text that is read as a number and used as a format.
pub fn check(bytes: &[u8]) {
    let Some((bits, text)) = bytes.split_first_chunk() else { return };
    let text = String::from_utf8_lossy(text);
    let value = f64::from_le_bytes(*bits);
    if let Ok(read) = number::parse(&text) {
        assert!(read.is_finite(), "{text} is {read}");
        reads_back(read);
    }
    if value.is_finite() {
        reads_back(value);
    }
    // The longest is `%f` of the greatest double, with all its decimals.
    let shown = number::format(&text, value);
    assert!(shown.len() <= text.len() + 310 + 2 * MAX_FIELD, "{text} makes {} bytes", shown.len());
}

fn reads_back(value: f64) {
    let text = Decimal(value).to_string();
    assert_eq!(number::parse(&text).map(f64::to_bits), Ok(value.to_bits()), "{text}");
}
