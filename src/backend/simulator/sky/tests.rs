//! The light on the pixels as an observer would measure it.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small images")]

use super::*;
use crate::camera::types::{SCENE_PARAMETER, Value};

const CLEAR: [Filter; 2] = [Filter::Clear; 2];
const SCREEN: Screen = Screen { size: (300, 200), pixel: 5.2, seed: 1 };

fn view(change: impl FnOnce(&mut View)) -> View {
    let mut view = Light::new().view(SCREEN, |_| [0.0; 2]);
    change(&mut view);
    view
}

/// The stars of a sky in one image.
fn image(sky: &Sky, (width, height): (u32, u32), filters: [Filter; 2]) -> Vec<f32> {
    let mut image = vec![0.0; (width * height) as usize];
    for (y, row) in (0..height).zip(image.chunks_exact_mut(width as usize)) {
        sky.add_row(y, 0, filters, row);
    }
    image
}

/// A single star of 10 000 e⁻/s before a dark sky, through that much blur and along that trail; 121 pixels square.
fn star(place: [f32; 2], width: f64, blur: f64, trail: &[[f64; 2]]) -> Vec<f32> {
    let psf = Psf::new(width, blur, trail, 0.05);
    let spot = psf.spot(place, 1e4, [1.0; 3]);
    let mut image = vec![0.0; 121 * 121];
    for (y, row) in (0..).zip(image.chunks_exact_mut(121)) {
        psf.draw(&spot, y, 0, [1.0; 2], row);
    }
    image
}

fn total(image: &[f32]) -> f64 {
    image.iter().map(|light| f64::from(*light)).sum()
}

/// Centre of the light.
fn centroid(image: &[f32]) -> [f64; 2] {
    let weigh = |along: fn(usize) -> usize| {
        let moments = image.iter().enumerate().map(|(i, light)| along(i) as f64 * f64::from(*light));
        moments.sum::<f64>() / total(image)
    };
    [weigh(|i| i % 121), weigh(|i| i / 121)]
}

/// Half flux radius by its usual definition: the mean distance of the light from its centre.
fn half_flux_radius(image: &[f32]) -> f64 {
    let [x, y] = centroid(image);
    let far = |i: usize| ((i % 121) as f64 - x).hypot((i / 121) as f64 - y);
    image.iter().enumerate().map(|(i, light)| far(i) * f64::from(*light)).sum::<f64>() / total(image)
}

#[test]
fn a_star_gives_all_its_light_wherever_it_stands_between_pixels() {
    for (width, blur) in [(0.3, 0.0), (0.7, 0.0), (1.7, 0.0), (4.0, 0.0), (1.7, 3.0), (2.0, 15.0)] {
        for (right, down) in [(0.0, 0.0), (0.5, 0.5), (0.25, -0.4), (-0.37, 0.11), (0.49, 0.0)] {
            let place = [60.0 + right, 60.0 + down];
            let image = star(place, width, blur, &[]);
            let light = total(&image);
            assert!((light / 1e4 - 1.0).abs() < 0.01, "{light} of {width}, {blur} at {place:?}");
            let [x, y] = centroid(&image);
            let off = (x - f64::from(place[0])).hypot(y - f64::from(place[1]));
            // A star much smaller than a pixel does not tell where in the pixel it stands.
            assert!(width < 1.5 || off < 0.01, "{width}, {blur} at {place:?} looks like {x}, {y}");
        }
    }
}

#[test]
fn a_piece_of_a_row_shows_what_the_whole_row_shows() {
    let sky = Sky::seeded(1, 300, 200);
    let mut lit = 0;
    for y in 0..200 {
        let mut whole = [0.0; 300];
        lit += i32::from(sky.add_row(y, 0, [Filter::Red, Filter::Blue], &mut whole));
        let mut piece = [0.0; 50];
        sky.add_row(y, 121, [Filter::Red, Filter::Blue], &mut piece);
        for (a, b) in whole[121..171].iter().zip(&piece) {
            assert!((a - b).abs() <= 1e-4 * a.abs() + 1e-3, "{a} {b} on row {y}");
        }
    }
    assert!(lit > 100, "only {lit} rows show a star");
}

#[test]
fn out_of_focus_stars_grow_along_both_arms_of_a_v() {
    let radius = |defocus: f64| {
        let view = view(|view| view.defocus = defocus);
        half_flux_radius(&star([60.0, 60.0], view.width(), view.blur(), &[]))
    };
    let best = radius(0.0);
    assert!((0.8..1.6).contains(&best), "in focus {best} pixels");
    assert!((radius(300.0) - radius(-300.0)).abs() < 1e-9);
    // Two thirds of the radius of an even disc: f/4 makes 25 µm of 200.
    for (near, far) in [(600.0, 800.0), (800.0, 1000.0), (1000.0, 1200.0)] {
        let slope = (radius(far) - radius(near)) * 5.2 / 25.0;
        assert!((slope - 2.0 / 3.0).abs() < 0.05, "{slope} between {near} and {far}");
    }
}

#[test]
fn light_follows_magnitude_aperture_and_scale() {
    let one = view(|_| {});
    assert!((one.flux(10.0) / one.flux(15.0) - 100.0).abs() < 1e-9);
    let wide = view(|view| view.aperture = 100.0);
    assert!((wide.flux(10.0) / one.flux(10.0) - 4.0).abs() < 1e-9);
    // An extended light depends on the focal ratio alone.
    let long = view(|view| {
        view.aperture = 100.0;
        view.focal_length = 400.0;
    });
    assert!((Sky::new(&long).glow() / Sky::new(&one).glow() - 1.0).abs() < 1e-5);
    let dark = view(|view| view.brightness += 2.5);
    assert!((Sky::new(&one).glow() / Sky::new(&dark).glow() - 10.0).abs() < 1e-3);
}

#[test]
fn the_same_stars_are_there_for_another_pointing_and_another_sensor() {
    let light = |view: &View| image(&Sky::new(view), view.size, CLEAR);
    let one = view(|_| {});
    let first = light(&one);
    // A pixel further north: north is up.
    let step = (1.0 / one.scale()).to_degrees();
    let second = light(&view(|view| view.pointing.1 += 10.0 * step));
    let larger = light(&view(|view| view.size = (340, 220)));
    let (mut off, mut sum) = ([0.0, 0.0], 0.0);
    for y in 20..180 {
        for x in 10..290 {
            let here = first[y * 300 + x];
            sum += f64::from(here);
            // The projection around another middle differs by a hundredth of a pixel.
            off[0] += f64::from((second[(y + 10) * 300 + x] - here).abs());
            off[1] += f64::from((larger[(y + 10) * 340 + x + 20] - here).abs());
        }
    }
    assert!(sum > 1e4 && off[0] < 0.02 * sum && off[1] < 1e-3 * sum, "{off:?} of {sum}");
}

#[test]
fn another_seed_has_other_faint_stars_and_the_same_bright_ones() {
    let bright = |seed| {
        let sky = Sky::seeded(seed, 300, 200);
        let mut places: Vec<_> = sky.stars.iter().map(|star| (star.reach, star.x, star.y)).collect();
        places.sort_by(|a, b| b.partial_cmp(a).unwrap());
        places
    };
    let (one, two) = (bright(1), bright(2));
    assert_eq!(one[..3], two[..3]);
    assert_ne!(one.len(), two.len());
}

#[test]
fn stars_have_colours_behind_filters_only() {
    let sky = Sky::seeded(1, 300, 200);
    let through = |filter| total(&image(&sky, SCREEN.size, [filter; 2]));
    let [clear, red, green, blue] = [Filter::Clear, Filter::Red, Filter::Green, Filter::Blue].map(through);
    assert!((green / clear - 1.0).abs() < 1e-9);
    assert!(
        (0.7..1.4).contains(&(red / clear)) && (0.6..1.4).contains(&(blue / clear)),
        "{red} {blue} {clear}"
    );
    let tints = [tint(0.0), tint(0.999)];
    assert!(tints[0][0] < 1.0 && tints[0][2] > 1.0, "a blue star is {:?}", tints[0]);
    assert!(tints[1][0] > 1.0 && tints[1][2] < 0.5, "a red star is {:?}", tints[1]);
}

#[test]
fn a_star_that_moves_leaves_a_trail_with_the_same_light() {
    let trail: Vec<[f64; 2]> = (0..40).map(|i| [f64::from(i) / 2.0 - 9.75, 0.0]).collect();
    let image = star([60.0, 60.3], 1.7, 0.0, &trail);
    assert!((total(&image) / 1e4 - 1.0).abs() < 0.02, "{}", total(&image));
    let row = |y: usize| f64::from(image[y * 121 + 52]);
    assert!(row(60) > 100.0 && row(60) > 30.0 * row(66), "{} and {}", row(60), row(66));
    assert!(image[60 * 121 + 68] > 100.0 && image[60 * 121 + 76] < 10.0);
}

#[test]
fn a_mount_that_strays_moves_the_stars_against_it() {
    let strayed = |way: [f64; 2]| {
        let view = Light::new().view(SCREEN, |_| way);
        Sky::new(&view).stars.iter().max_by(|a, b| a.reach.total_cmp(&b.reach)).map(|star| (star.x, star.y))
    };
    let (still, north) = (strayed([0.0; 2]).unwrap(), strayed([0.0, 53.6]).unwrap());
    // A pixel is 5.36″, north is up and east is left.
    assert!(
        (north.0 - still.0).abs() < 0.01 && (north.1 - still.1 - 10.0).abs() < 0.02,
        "{still:?} {north:?}"
    );
    let east = strayed([53.6, 0.0]).unwrap();
    let level = 10.0 * 24.12_f32.to_radians().cos();
    assert!((east.0 - still.0 - level).abs() < 0.02 && (east.1 - still.1).abs() < 0.05, "{still:?} {east:?}");
    let moving = Light::new().view(SCREEN, |share| [0.0, 107.2 * share]);
    assert_eq!(moving.pointing.1.to_bits(), (24.12 + 53.6_f64 / 3600.0).to_bits());
    let ends = (moving.trail.first().unwrap()[1], moving.trail.last().unwrap()[1]);
    assert!((ends.0 + 10.0).abs() < 0.5 && (ends.1 - 10.0).abs() < 0.5, "{ends:?}");
}

#[test]
fn what_other_devices_tell_comes_before_the_settings() {
    let mut light = Light::new();
    let numbers = [
        ("RA", 10.0),
        ("DEC", -20.0),
        ("ROTATOR", 30.0),
        ("FOCAL_LENGTH", 500.0),
        ("APERTURE", 100.0),
        ("FOCUSER", 50_100.0),
        ("SKY_BRIGHTNESS", 21.5),
    ];
    let mut words: Vec<_> =
        numbers.into_iter().map(|(name, number)| (name.to_owned(), Value::Number(number))).collect();
    words.push(("PIER_SIDE".to_owned(), Value::Text("EAST".to_owned())));
    light.named(SCENE_PARAMETER).unwrap().set(&Value::Record(words)).unwrap();
    let view = light.view(SCREEN, |_| [0.0; 2]);
    assert_eq!((view.pointing, view.focal_length, view.aperture), ((10.0, -20.0), 500.0, 100.0));
    // North is up without them; the rotator turns by 30, and the other side of the pier by 180.
    assert_eq!((view.rotation, view.defocus, view.brightness), (30.0, 50.0, 21.5));
}

#[test]
fn the_sky_does_not_depend_on_the_number_of_threads() {
    let wide = view(|view| view.focal_length = 50.0);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| image(&Sky::new(&wide), SCREEN.size, [Filter::Red, Filter::Green]))
    };
    let one = on(1);
    assert!(total(&one) > 1e4);
    assert_eq!(on(2), one);
}
