//! Cuts and bins a frame to exactly the window that was asked.
//!
//! Cameras have their own ideas of where a window may begin and how it may be binned, so the device asks for the
//! smallest hardware window that covers the wish and the rest is done here.
//!
//! Binning adds pixels and stops at the largest value of the container. The sum is what a sensor does that bins on
//! the chip, so an exposure has the same values whichever side did it, and nothing is lost to rounding as in a mean;
//! a sum that does not fit is a saturated pixel, as in a full well. It is done in the container's own type: values
//! are never negative, so saturating at each step gives the same as saturating once at the end.
//!
//! Neither takes any memory: a window is the same memory looked at through a frame, and the sums are written where the
//! pixels were. So all of it goes back to the sensor afterwards.

use ndarray::{Array3, s};

use super::{Binning, Frame, Pixels, Roi};

/// Why a frame cannot be turned into the image that was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message says it")]
pub enum WindowError {
    #[error("the window {asked:?} under {binning:?} has no pixel")]
    Empty { asked: Roi, binning: Binning },
    #[error(
        "the frame has {got_columns}x{got_rows} pixels, but its window {roi:?} under {binning:?} makes {columns}x{rows}"
    )]
    Shape { got_columns: usize, got_rows: usize, columns: u32, rows: u32, roi: Roi, binning: Binning },
    #[error("the frame shows {has:?}, which does not cover {asked:?}")]
    NotCovered { has: Roi, asked: Roi },
    #[error("a frame binned {has:?} cannot be binned to {asked:?}")]
    Binning { has: Binning, asked: Binning },
    #[error(
        "the window {asked:?} begins inside a binned pixel of the frame, which shows {has:?} under {binning:?}"
    )]
    Misaligned { has: Roi, binning: Binning, asked: Roi },
}

/// The part of `frame` that shows `roi` (unbinned sensor pixels), binned to `binning`:
/// `roi.width / binning.x` columns and `roi.height / binning.y` rows, both rounded down.
///
/// The frame may be larger than the window and binned by any divisor of what is asked, each axis for itself. Sensor
/// pixels at the right and lower edge of `roi` that do not fill a binned pixel need not be covered. `info.roi` and
/// `info.binning` of the result say what the pixels now show. The result lies in the memory of the frame.
pub fn fit(frame: Frame, roi: Roi, binning: Binning) -> Result<Frame, WindowError> {
    let Frame { pixels, mut info } = frame;
    let (has, by_camera) = (info.roi, info.binning);
    if binning.x == 0 || binning.y == 0 || roi.width < binning.x || roi.height < binning.y {
        return Err(WindowError::Empty { asked: roi, binning });
    }

    let (columns, rows) = has.binned(by_camera);
    let (_, got_rows, got_columns) = pixels.shape();
    if (got_columns, got_rows) != (columns as usize, rows as usize) {
        return Err(WindowError::Shape {
            got_columns,
            got_rows,
            columns,
            rows,
            roi: has,
            binning: by_camera,
        });
    }

    let x = axis((has.x, by_camera.x, columns), (roi.x, roi.width, binning.x));
    let y = axis((has.y, by_camera.y, rows), (roi.y, roi.height, binning.y));
    let (x, y) = match (x, y) {
        (Ok(x), Ok(y)) => (x, y),
        (Err(fault), _) | (_, Err(fault)) => {
            return Err(match fault {
                Fault::Binning => WindowError::Binning { has: by_camera, asked: binning },
                Fault::NotCovered => WindowError::NotCovered { has, asked: roi },
                Fault::Misaligned => WindowError::Misaligned { has, binning: by_camera, asked: roi },
            });
        }
    };

    let pixels = match pixels {
        Pixels::U8(a) => Pixels::U8(cut(a, x, y)),
        Pixels::U16(a) => Pixels::U16(cut(a, x, y)),
        Pixels::U32(a) => Pixels::U32(cut(a, x, y)),
    };
    info.roi = roi;
    info.binning = binning;
    Ok(Frame { pixels, info })
}

/// What to take along one axis of the frame, in the frame's own pixels.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Axis1 {
    start: usize,
    /// Pixels of the result.
    count: usize,
    /// Frame pixels that make one of the result.
    factor: usize,
}

enum Fault {
    Binning,
    NotCovered,
    Misaligned,
}

/// From the frame's origin, binning and length in its pixels, and the origin, width and binning asked.
fn axis(
    (has, by_camera, len): (u32, u32, u32),
    (asked, width, binning): (u32, u32, u32),
) -> Result<Axis1, Fault> {
    let by_camera = by_camera.max(1);
    if !binning.is_multiple_of(by_camera) {
        return Err(Fault::Binning);
    }
    let Some(skipped) = asked.checked_sub(has) else { return Err(Fault::NotCovered) };
    if !skipped.is_multiple_of(by_camera) {
        return Err(Fault::Misaligned);
    }
    let (start, count, factor) = (skipped / by_camera, width / binning, binning / by_camera);
    // At most the width of the window, so the product fits; the sum may not.
    if u64::from(start) + u64::from(count * factor) > u64::from(len) {
        return Err(Fault::NotCovered);
    }
    Ok(Axis1 { start: start as usize, count: count as usize, factor: factor as usize })
}

/// The samples that a camera can deliver.
trait Sample: Copy {
    fn plus(self, other: Self) -> Self;
}

impl Sample for u8 {
    fn plus(self, other: u8) -> u8 {
        self.saturating_add(other)
    }
}

impl Sample for u16 {
    fn plus(self, other: u16) -> u16 {
        self.saturating_add(other)
    }
}

impl Sample for u32 {
    fn plus(self, other: u32) -> u32 {
        self.saturating_add(other)
    }
}

fn cut<T: Sample>(from: Array3<T>, x: Axis1, y: Axis1) -> Array3<T> {
    let (planes, height, width) = from.dim();
    let end = |axis: Axis1| axis.start + axis.count * axis.factor;
    if (x.factor, y.factor) == (1, 1) {
        return from.slice_move(s![.., y.start..end(y), x.start..end(x)]);
    }
    let from = if from.is_standard_layout() { from } else { from.as_standard_layout().into_owned() };
    let (mut pixels, offset) = from.into_raw_vec_and_offset();
    let begin = offset.unwrap_or_default();
    let mut line = Vec::with_capacity(x.count * x.factor);
    let mut sums = Vec::with_capacity(x.count);
    // A row of sums ends before its pixels do, and they are in the line by then.
    let mut written = 0;
    for plane in 0..planes {
        for row in 0..y.count {
            let first = begin + (plane * height + y.start + row * y.factor) * width;
            let row = |number: usize| first + number * width + x.start..first + number * width + end(x);
            line.clear();
            line.extend_from_slice(&pixels[row(0)]);
            for number in 1..y.factor {
                line.iter_mut().zip(&pixels[row(number)]).for_each(|(sum, &value)| *sum = sum.plus(value));
            }
            sums.clear();
            add_along(&line, x.factor, &mut sums);
            pixels[written..written + x.count].copy_from_slice(&sums);
            written += x.count;
        }
    }
    pixels.truncate(written);
    #[allow(clippy::expect_used, reason = "x.count sums were written for each of planes * y.count rows")]
    Array3::from_shape_vec((planes, y.count, x.count), pixels).expect("as many values as the shape has")
}

/// Appends the sums of each `factor` neighbours of `line` to `to`.
fn add_along<T: Sample>(line: &[T], factor: usize, to: &mut Vec<T>) {
    // The usual factors as constants, so that the inner sums become vector instructions.
    match factor {
        1 => to.extend_from_slice(line),
        2 => add_neighbours::<T, 2>(line, to),
        3 => add_neighbours::<T, 3>(line, to),
        4 => add_neighbours::<T, 4>(line, to),
        _ => to.extend(
            line.chunks_exact(factor).map(|part| part.iter().copied().reduce(T::plus).unwrap_or(part[0])),
        ),
    }
}

fn add_neighbours<T: Sample, const N: usize>(line: &[T], to: &mut Vec<T>) {
    to.extend(
        line.as_chunks::<N>()
            .0
            .iter()
            .map(|part| part[1..].iter().fold(part[0], |sum, &next| sum.plus(next))),
    );
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use proptest::prelude::*;

    use super::*;
    use crate::image::FrameInfo;

    fn frame(pixels: Pixels, roi: Roi, binning: Binning) -> Frame {
        let info = FrameInfo { binning, ..FrameInfo::new(SystemTime::UNIX_EPOCH, Duration::ZERO, roi) };
        Frame { pixels, info }
    }

    const fn roi(x: u32, y: u32, width: u32, height: u32) -> Roi {
        Roi { x, y, width, height }
    }

    /// Pixel values that saturate a sum now and then.
    fn ramp(shape: (usize, usize, usize)) -> Array3<u16> {
        let mut next = 1u32;
        Array3::from_shape_simple_fn(shape, || {
            next = next.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            u16::try_from(next >> 17).unwrap()
        })
    }

    #[test]
    fn a_frame_stays_where_it_is_whatever_is_cut_and_binned() {
        let whole = roi(10, 20, 17, 12);
        let by2 = Binning { x: 2, y: 2 };
        for (asked, by) in
            [(whole, by2), (roi(12, 22, 9, 4), by2), (roi(12, 24, 12, 8), Binning { x: 4, y: 4 })]
        {
            let pixels = ramp((1, 6, 8));
            let (at, room) = (pixels.as_ptr(), pixels.len());
            let out = fit(frame(Pixels::U16(pixels), whole, by2), asked, by).unwrap();
            let Pixels::U16(out) = out.pixels else { panic!("type changed") };
            let memory = out.into_raw_vec_and_offset().0;
            assert_eq!((memory.as_ptr(), memory.capacity()), (at, room));
        }
    }

    #[test]
    fn sums_stop_at_the_container() {
        let whole = roi(0, 0, 4, 2);
        let by2 = Binning { x: 2, y: 2 };
        let bytes = Array3::from_shape_vec((1, 2, 4), vec![1u8, 2, 200, 50, 3, 4, 5, 1]).unwrap();
        let out = fit(frame(Pixels::U8(bytes), whole, Binning::NONE), whole, by2).unwrap();
        assert_eq!(out.pixels, Pixels::U8(Array3::from_shape_vec((1, 1, 2), vec![10, 255]).unwrap()));
        let words =
            Array3::from_shape_vec((1, 2, 4), vec![u32::MAX, 0, 7, 8, 0, 1, 9, u32::MAX - 24]).unwrap();
        let out = fit(frame(Pixels::U32(words), whole, Binning::NONE), whole, by2).unwrap();
        assert_eq!(
            out.pixels,
            Pixels::U32(Array3::from_shape_vec((1, 1, 2), vec![u32::MAX, u32::MAX]).unwrap())
        );
    }

    #[test]
    fn the_result_says_what_it_shows() {
        let (asked, by) = (roi(1, 2, 5, 4), Binning { x: 2, y: 1 });
        let out =
            fit(frame(Pixels::U16(ramp((3, 8, 8))), roi(0, 0, 8, 8), Binning::NONE), asked, by).unwrap();
        assert_eq!((out.info.roi, out.info.binning), (asked, by));
        assert_eq!(out.pixels.shape(), (3, 4, 2));
    }

    #[test]
    fn what_cannot_be_made_is_refused() {
        let full = roi(4, 4, 8, 8);
        let by2 = Binning { x: 2, y: 2 };
        let check = |shape: (usize, usize), binning: Binning, asked: Roi, by: Binning, want: &str| {
            let pixels = Pixels::U16(Array3::zeros((1, shape.0, shape.1)));
            let error = fit(frame(pixels, full, binning), asked, by).unwrap_err();
            assert!(format!("{error:?}").starts_with(want), "{error:?} instead of {want}");
        };
        check((8, 8), Binning::NONE, roi(3, 4, 2, 2), Binning::NONE, "NotCovered");
        check((8, 8), Binning::NONE, roi(4, 4, 9, 8), Binning::NONE, "NotCovered");
        check((8, 8), Binning::NONE, roi(4, 5, 8, 8), Binning::NONE, "NotCovered");
        check(
            (8, 8),
            Binning::NONE,
            roi(u32::MAX, u32::MAX, u32::MAX, u32::MAX),
            Binning::NONE,
            "NotCovered",
        );
        check((8, 7), Binning::NONE, full, Binning::NONE, "Shape");
        check((4, 4), by2, full, Binning { x: 3, y: 2 }, "Binning");
        check((4, 4), by2, full, Binning::NONE, "Binning");
        check((4, 4), by2, roi(5, 4, 4, 4), by2, "Misaligned");
        check((8, 8), Binning::NONE, roi(4, 4, 1, 8), by2, "Empty");
        check((8, 8), Binning::NONE, full, Binning { x: 0, y: 1 }, "Empty");
        check((0, 0), Binning { x: 9, y: 9 }, full, Binning { x: 9, y: 9 }, "Empty");
    }

    proptest! {
        #[test]
        fn equals_the_sum_over_each_pixel(
            (sx, sy) in (0u32..4, 0u32..4),
            (cx, cy) in (1u32..3, 1u32..3),
            (kx, ky) in (1u32..6, 1u32..6),
            (skip_x, skip_y) in (0u32..5, 0u32..5),
            (columns, rows) in (1u32..9, 1u32..9),
            (slack_x, slack_y) in (0u32..5, 0u32..5),
            planes in 1usize..4,
            column_major in any::<bool>(),
        ) {
            let camera = Binning { x: cx, y: cy };
            let asked = Binning { x: cx * kx, y: cy * ky };
            let has = roi(sx, sy, cx * (skip_x + columns * kx + slack_x), cy * (skip_y + rows * ky + slack_y));
            // A remainder below one binned pixel asks for nothing more.
            let want = roi(
                sx + skip_x * cx,
                sy + skip_y * cy,
                columns * asked.x + slack_x % asked.x,
                rows * asked.y + slack_y % asked.y,
            );
            let (width, height) = has.binned(camera);
            let mut pixels = ramp((planes, height as usize, width as usize));
            if column_major {
                pixels = pixels.reversed_axes().as_standard_layout().into_owned().reversed_axes();
            }
            let expected = Array3::from_shape_fn((planes, rows as usize, columns as usize), |(p, r, c)| {
                let mut sum = 0u32;
                for y in 0..ky as usize {
                    for x in 0..kx as usize {
                        let row = skip_y as usize + r * ky as usize + y;
                        let column = skip_x as usize + c * kx as usize + x;
                        sum += u32::from(pixels[(p, row, column)]);
                    }
                }
                u16::try_from(sum).unwrap_or(u16::MAX)
            });
            let out = fit(frame(Pixels::U16(pixels), has, camera), want, asked).unwrap();
            prop_assert_eq!(out.pixels, Pixels::U16(expected));
        }
    }
}
