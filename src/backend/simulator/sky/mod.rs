//! What falls on the sensor: the stars of the sky through a telescope, its glow, and what the telescope takes away.
//!
//! ```text
//!  what other devices tell (observatory) ┐
//!  what the user sets      (settings)    ├─► view ─► Sky ─► light on each pixel (the sensor)
//!  how far the mount strays (super::guide) ┘
//! ```
//! A [`Sky`] is a pure function of its [`View`]: real stars (`catalogue`) and those of the seed (`faint`), tile by tile
//! of the sky (`tile`), thrown on the sensor (`projection`) and drawn there (`profile`, `psf`), behind the
//! shadows of the telescope (`flat`). The same bytes come out on any machine and any number of threads: transcendental
//! functions are those of `libm`, and every sum has its order.
//!
//! The sensor asks for nothing but [`Sky::glow`], [`Sky::add_row`] and [`Sky::transmission`], in photo-electrons per
//! second on sensor coordinates, so any other sky can take this one's place.

use std::sync::{Mutex, OnceLock, PoisonError};

use rand::RngExt;
use rayon::prelude::*;

use self::catalogue::Catalogue;
pub(super) use self::catalogue::complaint;
use self::flat::Flat;
use self::projection::Projection;
use self::psf::{Psf, Spot};
use self::tile::Tile;
use super::exposure::Cancelled;
use super::noise;

mod catalogue;
mod faint;
mod flat;
mod observatory;
mod profile;
mod projection;
mod psf;
mod settings;
#[cfg(test)]
mod tests;
mod tile;
mod view;

pub(super) use self::settings::{Light, Screen};
pub(super) use self::view::View;

/// Everything that shines, as seen by the pixels of one sensor through one telescope.
pub(super) struct Sky {
    glow: f32,
    psf: Psf,
    stars: Vec<Spot>,
    /// The stars of each [`STRIP`] rows, by their place in `stars`.
    strips: Vec<Vec<u32>>,
    flat: Flat,
}

/// A view, and the sky in it once somebody has looked.
pub(super) struct Outlook {
    view: View,
    sky: OnceLock<Sky>,
}

/// What stands before a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    /// Nothing.
    Clear,
    Red,
    Green,
    Blue,
}

/// Rows that share a list of their stars.
const STRIP: usize = 16;
/// A star is drawn as far as it is brighter than this share of the sky's own light on a pixel, or than so many e⁻/s.
const EDGE: (f64, f64) = (0.003, 0.002);
/// Stars are left out that are so many magnitudes fainter than the sky on a pixel.
const LOST: f64 = 3.0;
/// Stars that are no further from the sensor than this can shine on it, pixels.
const MARGIN: f32 = 400.0;
/// The same for stars of the seed, which are faint.
const FAINT_MARGIN: f32 = 30.0;
/// Colour index B - V of nine tenths, eight tenths and so on of all stars.
const COLOURS: [f32; 11] = [-0.15, 0.1, 0.3, 0.43, 0.5, 0.58, 0.68, 0.85, 1.02, 1.2, 1.7];
/// A star of this colour index is white.
const WHITE: f32 = 0.45;
/// Magnitudes by which a star is brighter through a red filter, and fainter through a blue one, per magnitude of its
/// colour index.
const REDDER: (f32, f32) = (0.45, 0.8);
/// Tells these random numbers from those of frames.
const STREAM: u64 = u64::MAX - 3;

impl Outlook {
    pub(super) fn new(view: View) -> Self {
        Outlook { view, sky: OnceLock::new() }
    }

    /// Whether it shows what `view` would.
    pub(super) fn is_like(&self, view: &View) -> bool {
        self.view == *view
    }

    /// The sky, which is made when it is looked at for the first time; nothing when it was `cancelled` before its turn.
    ///
    /// One is made after the other: a thread of rayon's that waits for its share of one sky would begin the next one
    /// on top of it, and after a hundred exposures that nobody wants any more its stack would be used up.
    pub(super) fn sky(&self, cancelled: Cancelled) -> Option<&Sky> {
        static TURN: Mutex<()> = Mutex::new(());
        if self.sky.get().is_none() {
            let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
            if cancelled() {
                return None;
            }
            self.sky.get_or_init(|| Sky::new(&self.view));
        }
        self.sky.get()
    }
}

impl Sky {
    pub(super) fn new(view: &View) -> Self {
        let glow = view.flux(view.darkness());
        let edge = (EDGE.0 * glow).max(EDGE.1);
        let psf = Psf::new(view.width(), view.blur(), &view.trail, edge);
        let stars = stars(view, &psf);
        let flat = Flat::new(view.seed, view.size, view.pixel, view.vignetting, view.dust);
        #[allow(clippy::cast_possible_truncation, reason = "seven digits are enough")]
        let glow = glow as f32;
        Sky { glow, strips: strips(&stars, view.size.1), psf, stars, flat }
    }

    /// The default field of `seed` on a sensor of that size.
    #[cfg(test)]
    pub(super) fn seeded(seed: u64, width: u32, height: u32) -> Self {
        let screen = Screen { size: (width, height), pixel: 5.2, seed };
        Sky::new(&Light::new().view(screen, |_| [0.0; 2]))
    }

    /// Light of the sky itself on every pixel without a filter, e⁻/s, before [`Sky::transmission`].
    pub(super) fn glow(&self) -> f32 {
        self.glow
    }

    /// How much of the light that enters the telescope reaches each pixel of a piece of sensor row `y` that begins
    /// at column `x`: 1 is all of it. The caller multiplies by it: the glow, the stars and the light of a flat field
    /// panel alike, so that a flat takes it out again.
    pub(super) fn transmission(&self, y: u32, x: u32, row: &mut [f32]) {
        self.flat.row(y, x, row);
    }

    /// Adds the stars' light to a piece of sensor row `y` that begins at column `x`, e⁻/s per pixel before
    /// [`Sky::transmission`]; the glow is not included. Tells whether there was any.
    ///
    /// `filters` are those of the even and of the odd columns of this row. They stand for the stars' colours only:
    /// a white star gives as much through each of them as without, so what a filter takes from white light remains
    /// to be taken off.
    pub(super) fn add_row(&self, y: u32, x: u32, filters: [Filter; 2], row: &mut [f32]) -> bool {
        let strip = self.strips.get(y as usize / STRIP).map_or(&[][..], Vec::as_slice);
        let mut any = false;
        for star in strip {
            let star = &self.stars[*star as usize];
            let colours = filters.map(|filter| match filter {
                Filter::Clear => 1.0,
                Filter::Red => star.tint[0],
                Filter::Green => star.tint[1],
                Filter::Blue => star.tint[2],
            });
            any |= self.psf.draw(star, y, x, colours, row);
        }
        any
    }
}

/// All stars that shine on the sensor.
fn stars(view: &View, psf: &Psf) -> Vec<Spot> {
    let (size, scale) = (view.size, view.scale());
    let projection = Projection::new(size, view.pointing, view.rotation, scale);
    let around = |margin: f32| {
        let corner = libm::hypot(f64::from(size.0), f64::from(size.1)) / 2.0 + f64::from(margin);
        let (ra, dec) = view.pointing;
        tile::around(ra, dec, libm::atan(corner / scale).to_degrees()).into_par_iter()
    };
    let near = |[x, y]: [f32; 2], margin: f32| {
        let within = |place: f32, length: u32| place > -margin && place < length as f32 + margin;
        within(x, size.0) && within(y, size.1)
    };
    // Most stars of a tile lie beside the sensor, and are not worth more.
    let place = |direction| projection.pixel(direction).filter(|place| near(*place, MARGIN));
    let spot = |place, magnitude: f32, colour| {
        let spot = psf.spot(place, view.flux(f64::from(magnitude)), tint(colour));
        near(place, spot.reach).then_some(spot)
    };
    let catalogue = Catalogue::get();
    let real = around(MARGIN).flat_map_iter(|tile| {
        catalogue.tile(tile).filter_map(|star| {
            let colour = noise::stream(view.seed, STREAM, star.number).random();
            spot(place(star.direction)?, star.magnitude, colour)
        })
    });
    let limit = faint::FAINTEST.min(view.darkness() + LOST);
    let faint = around(FAINT_MARGIN).flat_map_iter(|tile: Tile| {
        let stars = faint::stars(view.seed, tile, catalogue.tile(tile).len(), limit, &place);
        stars.filter_map(|star| spot(star.place, star.magnitude, star.colour))
    });
    // Both keep their order on any number of threads.
    real.chain(faint).collect()
}

/// Which stars each strip of rows shows.
fn strips(stars: &[Spot], height: u32) -> Vec<Vec<u32>> {
    let mut strips = vec![Vec::new(); (height as usize).div_ceil(STRIP)];
    for (number, star) in (0_u32..).zip(stars) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let strip = |row: f32| row.max(0.0) as usize / STRIP;
        let (first, last) = (strip(star.y - star.reach), strip(star.y + star.reach));
        let end = (last + 1).min(strips.len());
        for strip in strips.iter_mut().take(end).skip(first) {
            strip.push(number);
        }
    }
    strips
}

/// Light through a red, green and blue filter compared to a white star, by the share of all stars that are bluer.
fn tint(share: f32) -> [f32; 3] {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1")]
    let (place, between) = ((share * 10.0) as usize, (share * 10.0).fract());
    let place = place.min(COLOURS.len() - 2);
    let index = COLOURS[place] + between * (COLOURS[place + 1] - COLOURS[place]) - WHITE;
    [libm::exp10f(0.4 * REDDER.0 * index), 1.0, libm::exp10f(-0.4 * REDDER.1 * index)]
}
