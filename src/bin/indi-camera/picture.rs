//! A picture as PNG, and as coloured half blocks in a terminal.

use std::fmt::Write as _;

use indi_camera::image::stretch::Picture;
use png::{BitDepth, ColorType, Encoder};

/// The bytes of a PNG file.
pub(super) fn png(picture: &Picture) -> Result<Vec<u8>, png::EncodingError> {
    let side = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, side(picture.width), side(picture.height));
    encoder.set_color(if picture.colour { ColorType::Rgb } else { ColorType::Grayscale });
    encoder.set_depth(BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&picture.samples)?;
    writer.finish()?;
    Ok(bytes)
}

/// Lines for a terminal with 24-bit colours: each character shows two pixels, one above the other.
pub(super) fn half_blocks(picture: &Picture) -> String {
    let pixel = |x: usize, y: usize| {
        let at = y * picture.width + x;
        let samples = if picture.colour { picture.samples.get(3 * at..3 * at + 3) } else { None };
        let grey = picture.samples.get(at).copied().unwrap_or_default();
        samples.map_or([grey; 3], |samples| [samples[0], samples[1], samples[2]])
    };
    let mut text = String::new();
    for y in (0..picture.height).step_by(2) {
        let mut last = None;
        for x in 0..picture.width {
            let (above, below) = (pixel(x, y), (y + 1 < picture.height).then(|| pixel(x, y + 1)));
            if last != Some((above, below)) {
                let [red, green, blue] = above;
                let _ = write!(text, "\x1b[38;2;{red};{green};{blue}m");
                let _ = match below {
                    Some([red, green, blue]) => write!(text, "\x1b[48;2;{red};{green};{blue}m"),
                    None => write!(text, "\x1b[49m"),
                };
                last = Some((above, below));
            }
            text.push('▀');
        }
        text.push_str("\x1b[0m\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_rows_share_a_line_and_the_odd_one_stands_alone() {
        let picture = Picture { width: 2, height: 3, colour: false, samples: vec![1, 1, 2, 2, 3, 4] };
        let text = half_blocks(&picture);
        let expected = "\x1b[38;2;1;1;1m\x1b[48;2;2;2;2m▀▀\x1b[0m\n\
                        \x1b[38;2;3;3;3m\x1b[49m▀\x1b[38;2;4;4;4m\x1b[49m▀\x1b[0m\n";
        assert_eq!(text, expected);
        let colour = Picture { width: 1, height: 1, colour: true, samples: vec![7, 8, 9] };
        assert_eq!(half_blocks(&colour), "\x1b[38;2;7;8;9m\x1b[49m▀\x1b[0m\n");
    }
}
