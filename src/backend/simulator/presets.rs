//! Sensors that are sold, with the figures that are published of them.
//!
//! | sensor | camera meant | from |
//! |---|---|---|
//! | IMX571 | ZWO ASI2600 | 50 000 e⁻ on 16 bit, 0.76 e⁻/ADU at gain 0, measured from gain 0 to 450: the maker's forum (bbs.zwoastro.com, 10979) |
//! | IMX455 | ZWO ASI6200 | 51 400 e⁻; 0.252 to 0.255 e⁻/ADU and less than 1.6 e⁻ at gain 100, dark current 0.002 e⁻/s at 0 °C: arXiv 2504.01617; warm pixels 0.024 %: Alarcon et al. 2023, arXiv 2302.03700 |
//! | IMX533 | ZWO ASI533 | 50 000 e⁻ on 14 bit; the pixel of the two above |
//! | IMX294 | ZWO ASI294MC | 63 700 e⁻ on 14 bit; from more than 6 e⁻ to less than 2 at gain 120: S. Bellavia, cloudynights.com; 1.2 e⁻ at best and 0.004 e⁻/s at −15 °C: the camera's manual |
//! | IMX462 | ZWO ASI462MC | 11 200 e⁻ on 12 bit, 2.65 to 0.47 e⁻ with a step at gain 80: the maker's product page |
//! | KAF-8300 | SBIG STF-8300M | 25 500 e⁻, 5.4 µm, 3326 × 2504: Kodak's data sheet MTD/PS-0996; 0.37 e⁻/ADU and 9.3 e⁻: SBIG |
//!
//! The makers publish the ends of their curves and where the conversion gain steps. What lies between is drawn as
//! straight lines here, and so are the few figures that nobody publishes: the bias pattern, the hot pixels of all but
//! the IMX455, and the dark current of the IMX462. Where ZWO's cameras have fewer than 16 bits they deliver them in the
//! upper ones of 16 (bbs.zwoastro.com, 6452); what they bin is added after conversion and delivered as the mean (the
//! same). A gain of these cameras counts 0.1 dB.

use std::borrow::Cow;

use super::model::{Adding, BiasPattern, Dark, Dial, Model};
use super::mosaic::Mosaic;

/// Dark current of Sony's 3.76 µm pixels.
const SMALL_PIXEL_DARK: Dark = Dark { rate: 0.002, at: 0.0, doubling: 6.0 };
/// Hot pixels in a million of Sony's 3.76 µm sensors.
const SMALL_PIXEL_HOT: f64 = 240.0;
/// A CMOS sensor with an amplifier for each column.
const COLUMNS: BiasPattern = BiasPattern { columns: 0.3, rows: 0.1 };
/// How far below the air the usual one- and two-stage coolers get, K.
const COOLER: f64 = 35.0;

/// ASI2600MM and ASI2600MC.
pub(super) fn imx571(mosaic: Mosaic) -> Model {
    Model {
        width: 6248,
        height: 4176,
        pixel_size: 3.76,
        mosaic,
        bits: 16,
        left_aligned: false,
        full_well: 50_000.0,
        electrons_per_adu: 0.763,
        gain: Dial::new(0, 450, 100),
        offset: Dial::new(0, 2000, 500),
        read_noise: Cow::Borrowed(&[(0, 3.3), (99, 2.8), (100, 1.5), (450, 1.0)]),
        dark: SMALL_PIXEL_DARK,
        hot_pixels: SMALL_PIXEL_HOT,
        pattern: COLUMNS,
        binning: Adding::Mean,
        shutter: false,
        cooler: Some(COOLER),
    }
}

/// ASI6200MM and ASI6200MC.
pub(super) fn imx455(mosaic: Mosaic) -> Model {
    Model {
        width: 9576,
        height: 6388,
        full_well: 51_400.0,
        electrons_per_adu: 0.8,
        read_noise: Cow::Borrowed(&[(0, 3.5), (99, 3.0), (100, 1.5), (450, 1.2)]),
        ..imx571(mosaic)
    }
}

/// ASI533MM and ASI533MC.
pub(super) fn imx533(mosaic: Mosaic) -> Model {
    Model {
        width: 3008,
        height: 3008,
        bits: 14,
        left_aligned: true,
        electrons_per_adu: 3.05,
        offset: Dial::new(0, 500, 100),
        read_noise: Cow::Borrowed(&[(0, 3.8), (99, 3.2), (100, 1.5), (450, 1.0)]),
        ..imx571(mosaic)
    }
}

/// ASI294MC.
pub(super) fn imx294() -> Model {
    Model {
        width: 4144,
        height: 2822,
        pixel_size: 4.63,
        mosaic: Mosaic::Rggb,
        bits: 14,
        left_aligned: true,
        full_well: 63_700.0,
        electrons_per_adu: 3.9,
        gain: Dial::new(0, 570, 120),
        offset: Dial::new(0, 500, 120),
        read_noise: Cow::Borrowed(&[(0, 7.3), (119, 6.2), (120, 1.9), (390, 1.2)]),
        dark: Dark { rate: 0.004, at: -15.0, doubling: 6.0 },
        hot_pixels: 500.0,
        pattern: COLUMNS,
        binning: Adding::Mean,
        shutter: false,
        cooler: Some(COOLER),
    }
}

/// ASI462MC, for planets: it has a thermometer and no cooler.
pub(super) fn imx462() -> Model {
    Model {
        width: 1936,
        height: 1096,
        pixel_size: 2.9,
        mosaic: Mosaic::Rggb,
        bits: 12,
        left_aligned: true,
        full_well: 11_200.0,
        electrons_per_adu: 2.73,
        gain: Dial::new(0, 600, 80),
        offset: Dial::new(0, 240, 40),
        read_noise: Cow::Borrowed(&[(0, 2.65), (79, 2.2), (80, 0.9), (350, 0.47)]),
        dark: Dark { rate: 0.15, at: 20.0, doubling: 6.0 },
        hot_pixels: 500.0,
        pattern: COLUMNS,
        binning: Adding::Mean,
        shutter: false,
        cooler: None,
    }
}

/// STF-8300M: a CCD, whose electronics have one gain and one offset.
pub(super) fn kaf8300() -> Model {
    Model {
        width: 3326,
        height: 2504,
        pixel_size: 5.4,
        mosaic: Mosaic::Mono,
        bits: 16,
        left_aligned: false,
        full_well: 25_500.0,
        electrons_per_adu: 0.37,
        gain: Dial::fixed(0),
        offset: Dial::fixed(1000),
        read_noise: Cow::Borrowed(&[(0, 9.3)]),
        dark: Dark { rate: 0.02, at: -15.0, doubling: 5.8 },
        hot_pixels: 1000.0,
        pattern: BiasPattern { columns: 0.0, rows: 0.5 },
        binning: Adding::Charge,
        shutter: true,
        cooler: Some(40.0),
    }
}
