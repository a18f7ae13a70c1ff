//! A star on pixels: how much of its light each of them collects, wherever between them it stands.
//!
//! Near a star the light of whole pixels is looked up in a table, of all places of a star between pixels that differ
//! by a fraction of one; in between it is interpolated. Each entry is summed over the area of its pixel, so the pixels
//! of a star add up to all of its light, however small it is. Far from the star the profile is even enough to be
//! taken at the middle of each pixel.

use rayon::prelude::*;

use super::profile::Profile;

/// Furthest that a star is drawn, pixels.
const FURTHEST: u32 = 600;
/// Largest half width of the table, pixels. A trail that is longer ends there.
const LARGEST: usize = 160;

/// The light of a star of 1.
pub(super) struct Psf {
    profile: Profile,
    /// Places between two pixels along each axis.
    parts: usize,
    /// The table reaches so many pixels to each side.
    half: usize,
    /// By place of a row, phase of the columns, and column: see [`Psf::slice`].
    table: Vec<f32>,
    /// From the nearest on, a pixel apart.
    edges: Vec<Edge>,
}

/// Where the drawing of a star ends.
struct Edge {
    /// Pixels.
    distance: f64,
    /// The faintest star that is drawn so far, e⁻/s.
    flux: f64,
    /// Share of the light within, without what is taken off for the edge.
    kept: f64,
    /// Share of the light on a pixel there.
    light: f64,
}

/// A star on the sensor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    /// Sensor coordinates; a pixel's centre has whole ones.
    pub(super) x: f32,
    pub(super) y: f32,
    /// Distance beyond which it is not drawn, pixels.
    pub(super) reach: f32,
    /// What the table and the profile are multiplied by, e⁻/s.
    scale: f32,
    /// Its light at that distance, which is taken off everywhere, so that long exposures do not show the edge.
    edge: f32,
    /// Light through a red, green and blue filter compared to a white star.
    pub(super) tint: [f32; 3],
}

impl Edge {
    /// The edge at a distance where a star of the flux sought gives `level` e⁻/s.
    fn new(profile: &Profile, distance: f64, level: f64) -> Edge {
        let square = distance * distance;
        let light = profile.at(square);
        let kept = profile.within(distance) - std::f64::consts::PI * square * light;
        Edge { distance, flux: level * kept / light, kept, light }
    }
}

impl Psf {
    /// For stars of that profile, which move along `trail` (pixels off the middle) while they are exposed, and are
    /// drawn as far as they are brighter than `edge` (e⁻/s). `width` is that of a star in focus, `blur` the radius out
    /// of focus.
    pub(super) fn new(width: f64, blur: f64, trail: &[[f64; 2]], edge: f64) -> Self {
        let profile = Profile::new(width, blur);
        let still = [[0.0; 2]];
        let trail = if trail.is_empty() { &still[..] } else { trail };
        let moved = trail.iter().flatten().fold(0.0, |far: f64, way| far.max(way.abs()));
        let parts = match width {
            ..1.0 => 16,
            ..2.5 => 8,
            ..6.0 => 4,
            _ => 2,
        };
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates, and is limited"
        )]
        let half = ((3.0 * width + blur + moved) as usize + 3).min(LARGEST);
        let nearest = 1.5 + 2.0 * width + blur + moved.min(LARGEST as f64);
        let edges = (0..FURTHEST).map(|further| Edge::new(&profile, nearest + f64::from(further), edge));
        let edges = edges.collect();
        Psf { table: tabulate(&profile, trail, parts, half), profile, parts, half, edges }
    }

    /// A star of a flux in e⁻/s.
    #[allow(clippy::cast_possible_truncation, reason = "seven digits are enough")]
    pub(super) fn spot(&self, [x, y]: [f32; 2], flux: f64, tint: [f32; 3]) -> Spot {
        // The first is for all that are fainter than the second.
        let last = self.edges[1..].partition_point(|edge| edge.flux < flux);
        let Edge { distance, kept, light, .. } = self.edges[last];
        let scale = flux / kept;
        Spot { x, y, reach: distance as f32, scale: scale as f32, edge: (scale * light) as f32, tint }
    }

    /// Adds a star to a piece of sensor row `y` that begins at column `x`. The light on even and on odd columns is
    /// multiplied by `colours`. Tells whether the row crosses the star.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the row")]
    pub(super) fn draw(&self, spot: &Spot, y: u32, x: u32, colours: [f32; 2], row: &mut [f32]) -> bool {
        let (dy, left) = (y as f32 - spot.y, spot.x - x as f32);
        let half_chord = spot.reach * spot.reach - dy * dy;
        if half_chord <= 0.0 {
            return false;
        }
        let half_chord = half_chord.sqrt();
        // Float casts saturate, so stars outside give an empty range.
        let from = (left - half_chord).ceil().max(0.0) as usize;
        let to = (((left + half_chord).floor() + 1.0).max(0.0) as usize).min(row.len());
        if from >= to {
            return false;
        }
        // The part of the row that is in the table.
        let (near, end) = if (y as f32 - spot.y.round()).abs() <= self.half as f32 {
            let near = spot.x.round() - self.half as f32 - x as f32;
            (near.max(0.0) as usize, (near + (2 * self.half + 1) as f32).max(0.0) as usize)
        } else {
            (to, to)
        };
        let (near, end) = (near.clamp(from, to), end.clamp(from, to));
        self.wing(spot, dy, x, from..near, colours, row);
        self.near(spot, dy, x, near..end, colours, row);
        self.wing(spot, dy, x, end..to, colours, row);
        true
    }

    /// Pixels far from the star.
    fn wing(
        &self,
        spot: &Spot,
        dy: f32,
        x: u32,
        columns: std::ops::Range<usize>,
        colours: [f32; 2],
        row: &mut [f32],
    ) {
        let first = x as usize + columns.start;
        for (column, pixel) in (first..).zip(&mut row[columns]) {
            let dx = column as f32 - spot.x;
            #[allow(clippy::cast_possible_truncation, reason = "seven digits are enough")]
            let light = self.profile.at(f64::from(dx * dx + dy * dy)) as f32;
            *pixel += (spot.scale * light - spot.edge).max(0.0) * colours[column % 2];
        }
    }

    /// Pixels in the table.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "places in the table")]
    fn near(
        &self,
        spot: &Spot,
        dy: f32,
        x: u32,
        columns: std::ops::Range<usize>,
        colours: [f32; 2],
        row: &mut [f32],
    ) {
        if columns.is_empty() {
            return;
        }
        let (parts, origin) = (self.parts as f32, (self.half + 2) as f32);
        let first = x as usize + columns.start;
        let down = (dy + origin) * parts;
        let right = (first as f32 - spot.x + origin) * parts;
        let (down, down_share) = (down as usize, down.fract());
        let (right, right_share) = (right as usize, right.fract());
        let length = columns.len();
        let corners = [(down, right), (down, right + 1), (down + 1, right), (down + 1, right + 1)];
        let slices = corners.map(|(down, right)| self.slice(down, right, length));
        let weight = |down: f32, right: f32| spot.scale * down * right;
        let weights = [
            weight(1.0 - down_share, 1.0 - right_share),
            weight(1.0 - down_share, right_share),
            weight(down_share, 1.0 - right_share),
            weight(down_share, right_share),
        ];
        for (i, pixel) in row[columns].iter_mut().enumerate() {
            let [above, above_right, below, below_right] = slices.map(|slice| slice[i]);
            let light =
                weights[0] * above + weights[1] * above_right + weights[2] * below + weights[3] * below_right;
            *pixel += (light - spot.edge).max(0.0) * colours[(first + i) % 2];
        }
    }

    /// Pixels side by side, whose first one stands at a place of the table.
    fn slice(&self, down: usize, right: usize, length: usize) -> &[f32] {
        let (phase, first) = (right % self.parts, right / self.parts);
        let start = (down * self.parts + phase) * width(self.half) + first;
        &self.table[start..start + length]
    }
}

/// Pixels in a line of the table.
fn width(half: usize) -> usize {
    2 * half + 5
}

/// The light on a pixel whose centre is at any of `parts` places per pixel from the star, along both axes, from
/// `half + 2` pixels before it on.
fn tabulate(profile: &Profile, trail: &[[f64; 2]], parts: usize, half: usize) -> Vec<f32> {
    let (length, fine) = (width(half), 1.0 / parts as f64);
    let places = length * parts;
    let start = -((half + 2) as f64) - 0.5;
    let at = |cell: usize| start + (cell as f64 + 0.5) * fine;
    let cell = |x: f64, y: f64| {
        let moved = trail.iter().map(|[right, down]| profile.at((x - right).powi(2) + (y - down).powi(2)));
        moved.sum::<f64>() / trail.len() as f64 * fine * fine
    };
    // Sums over a pixel's width, then over its height: a pixel at a place takes the `parts` cells from there on.
    let lines: Vec<Vec<f64>> = (0..places + parts)
        .into_par_iter()
        .map(|line| {
            let y = at(line);
            let cells: Vec<f64> = (0..places + parts).map(|column| cell(at(column), y)).collect();
            cells.windows(parts).take(places).map(|cells| cells.iter().sum()).collect()
        })
        .collect();
    let mut table = vec![0.0; places * places];
    table.par_chunks_mut(places).enumerate().for_each(|(down, table)| {
        for (place, light) in table.iter_mut().enumerate() {
            let right = place % length * parts + place / length;
            #[allow(clippy::cast_possible_truncation, reason = "seven digits are enough")]
            let sum = lines[down..down + parts].iter().map(|line| line[right]).sum::<f64>() as f32;
            *light = sum;
        }
    });
    table
}
